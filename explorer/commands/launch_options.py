"""Command-line options that the terminal and the desktop share: what to open, and screenshots."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import click
from click.core import ParameterSource

from engine.sources.options import ReadOptions
from explorer.commands.layer_options import layer_options
from explorer.commands.read_options import read_options
from explorer.session.launcher import DEFAULT_SPEED, LaunchOptions

Screenshot = tuple[Path, float, tuple[int, int]]
"""File, seconds of reading before the picture is taken, and its size (width, height)."""

_OPTIONS = (
    click.option("--network", metavar="NAME", help="A shipped network (see `pinkx networks`) or a file."),
    click.option(
        "--reviews",
        metavar="SOURCE",
        help="A folder or an archive of texts, a table (.csv, .jsonl, .parquet and others), a text, - (standard "
        "input), or imdb:test; numbers (.csv, .npy) for a network over real-valued input.  [default: bundled, the "
        "reviews that ship with pinkx]",
    ),
    click.option(
        "--follow", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        help="Add the reviews that are appended to FILE while pinkx runs: JSON Lines, CSV, or one a line.",
    ),
    click.option(
        "--targets", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        help="What the outputs should be at every step of a signal given with --reviews: .csv or .npy, nan for open.",
    ),
    click.option("--review", type=click.IntRange(min=1), metavar="N", help="Start with review N, counted from 1."),
    click.option(
        "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
        help="Device that runs the network.",
    ),
    click.option(
        "--speed", type=click.FloatRange(min=0, min_open=True), metavar="WORDS",
        help=f"Initial speed in words per second; inf for full speed.  [default: the last one, at first "
        f"{DEFAULT_SPEED:.0f}]",
    ),
    click.option(
        "--replay", type=click.Path(path_type=Path), metavar="FILE",
        help="Play a recording (made with the keys R or E); needs no network.",
    ),
    click.option(
        "--keys", type=click.Path(path_type=Path), metavar="FILE",
        help="Read key bindings from this file; `pinkx keys` prints one to start from.",
    ),
    click.option("--fresh", is_flag=True, help="Do not restore the choices of the last session."),
)  # fmt: skip


def launch_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, and call it with the `LaunchOptions` made from them."""

    @functools.wraps(command)
    def with_options(
        network: str | None,
        reviews: str | None,
        follow: Path | None,
        targets: Path | None,
        review: int | None,
        device: str,
        speed: float | None,
        replay: Path | None,
        keys: Path | None,
        fresh: bool,
        layer: int | None,
        direction: Literal["forward", "backward"] | None,
        reading: ReadOptions,
        **others: Any,
    ) -> None:
        if replay is not None and (network or reviews or follow):
            raise click.UsageError("--replay plays a recording: use it without --network, --reviews and --follow")
        options = LaunchOptions(network, reviews, review, device, speed, replay, keys, fresh, engine_process=True)
        options = replace(options, reading=reading, follow=follow, targets=targets)
        options = replace(options, layer=layer, direction=direction)
        command(options, **others)

    decorated = layer_options(read_options(with_options))
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def screenshot_options(size: str, largest: tuple[int, int], unit: str, display: str) -> Callable[..., Any]:
    """Give a command the options of a screenshot, and call it with a `Screenshot` or None.

    Parameters
    ----------
    size : str
        Default size, ``WxH``.
    largest : tuple of int
        Largest width and height.
    unit : str
        Unit of the size.
    display : str
        What a screenshot does without.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_screenshot(options: LaunchOptions, screenshot: Path | None, after: float, size: str) -> None:
            _check(screenshot)
            command(options, None if screenshot is None else (screenshot, after, _parsed_size(size, largest, example)))

        options = (
            click.option(
                "--screenshot", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                help=f"Save a picture (.svg or .png) and exit; needs no {display}.",
            ),
            click.option(
                "--after", type=click.FloatRange(min=0), default=5.0, show_default=True, metavar="SECONDS",
                help="Read for this long before the screenshot.",
            ),
            click.option(
                "--size", default=size, show_default=True, metavar="WxH", help=f"Size of the screenshot in {unit}."
            ),
        )  # fmt: skip
        for option in reversed(options):
            with_screenshot = option(with_screenshot)
        return with_screenshot

    example = size
    return decorate


def _check(screenshot: Path | None) -> None:
    """Check that a picture can be written before anything slow begins.

    Raises
    ------
    click.UsageError
        If the file has another suffix, or there is none, but an option of its picture.
    FileNotFoundError
        If its folder does not exist.
    """
    context = click.get_current_context()
    if screenshot is None:
        given = [n for n in ("after", "size") if context.get_parameter_source(n) is ParameterSource.COMMANDLINE]
        if given:
            raise click.UsageError(f"--{given[0]} belongs to a picture: use it with --screenshot FILE")
    elif screenshot.suffix.lower() not in (".svg", ".png"):
        raise click.BadParameter(f"{screenshot}: expected a .svg or .png file", param_hint="--screenshot")
    elif not screenshot.parent.is_dir():
        raise FileNotFoundError(f"--screenshot {screenshot}: there is no folder {str(screenshot.parent)!r}; create it")


def _parsed_size(size: str, largest: tuple[int, int], example: str) -> tuple[int, int]:
    width, _, height = size.partition("x")
    if not (
        width.isdecimal() and height.isdecimal() and 0 < int(width) <= largest[0] and 0 < int(height) <= largest[1]
    ):
        expected = f"expected WIDTHxHEIGHT, at most {largest[0]}x{largest[1]}, such as {example}"
        raise click.BadParameter(f"{size!r}: {expected}", param_hint="--size")
    return int(width), int(height)
