"""Command-line options that choose the layer to watch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def layer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--layer`` and ``--direction``, for `explorer.session.layers.watched`."""
    layer = click.option(
        "--layer", type=click.IntRange(min=1), metavar="N",
        help="Layer to watch of a network with several, counted from 1.",
    )  # fmt: skip
    direction = click.option(
        "--direction", type=click.Choice(["forward", "backward"]),
        help="Direction to watch of a bidirectional layer.",
    )  # fmt: skip
    return layer(direction(command))
