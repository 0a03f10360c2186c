"""The option ``--device`` of the verbs that compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from engine.devices import NAMES

device_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--device",
    type=click.Choice(NAMES),
    default="auto",
    show_default=True,
    help="Where to compute; auto takes the GPU where it is faster, see `pinkx doctor`.",
)
