"""The options that both faces take: what to open."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from explorer.session.launcher import DEFAULT_SPEED, LaunchOptions

_OPTIONS = (
    click.option("--network", metavar="NAME", help="A shipped network (see `pinkx networks`) or a .safetensors file."),
    click.option(
        "--reviews",
        metavar="SOURCE",
        help="A folder, a .txt, .csv or .jsonl file, an archive, or imdb:test; "
        "the reviews that come with pinkx otherwise.",
    ),
    click.option("--review", type=click.IntRange(min=1), metavar="N", help="Begin with review N, from 1."),
    click.option(
        "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where the network runs."
    ),
    click.option(
        "--speed", type=click.FloatRange(min=0, min_open=True), metavar="WORDS",
        help=f"Words a second to begin with, inf for as fast as it goes; {DEFAULT_SPEED:.0f} the first time.",
    ),
    click.option(
        "--replay", type=click.Path(path_type=Path), metavar="FILE",
        help="Play a recording (key R or E), without its network.",
    ),
    click.option(
        "--keys", type=click.Path(path_type=Path), metavar="FILE",
        help="Your own keys, as `pinkx keys` prints them.",
    ),
    click.option("--fresh", is_flag=True, help="Begin as the first time, not as the last visit ended."),
)  # fmt: skip


def opens(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, and call it with the `LaunchOptions` made from them."""

    @functools.wraps(command)
    def with_wishes(
        network: str | None,
        reviews: str | None,
        review: int | None,
        device: str,
        speed: float | None,
        replay: Path | None,
        keys: Path | None,
        fresh: bool,
        **others: Any,
    ) -> None:
        if replay is not None and (network or reviews):
            raise click.UsageError("--replay plays what was recorded: it goes without --network and --reviews")
        command(LaunchOptions(network, reviews, review, device, speed, replay, keys, fresh, apart=True), **others)

    for option in reversed(_OPTIONS):
        with_wishes = option(with_wishes)
    return with_wishes


def pictured(size: str, largest: tuple[int, int], unit: str, instead: str) -> Callable[..., Any]:
    """Give a command the options of a picture, and call it with ``picture``: None, or its file, moment and size.

    ``size`` is the default ``WxH``, in a unit of which the largest picture has so many; ``instead`` says of what the
    person need not have one.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_picture(wishes: LaunchOptions, screenshot: Path | None, after: float, size: str) -> None:
            if screenshot is not None and screenshot.suffix.lower() not in (".svg", ".png"):
                raise click.BadParameter(f"{screenshot}: pictures are .svg or .png files", param_hint="--screenshot")
            command(wishes, None if screenshot is None else (screenshot, after, _parsed_size(size, largest, example)))

        options = (
            click.option(
                "--screenshot", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                help=f"Without a {instead}: save a picture, .svg or .png, and end.",
            ),
            click.option(
                "--after", type=click.FloatRange(min=0), default=5.0, show_default=True, metavar="SECONDS",
                help="When to take the picture.",
            ),
            click.option("--size", default=size, show_default=True, metavar="WxH", help=f"{unit} of the picture."),
        )  # fmt: skip
        for option in reversed(options):
            with_picture = option(with_picture)
        return with_picture

    example = size
    return decorate


def _parsed_size(size: str, largest: tuple[int, int], example: str) -> tuple[int, int]:
    width, _, height = size.partition("x")
    if not (
        width.isdecimal() and height.isdecimal() and 0 < int(width) <= largest[0] and 0 < int(height) <= largest[1]
    ):
        expected = f"expected WIDTHxHEIGHT, at most {largest[0]}x{largest[1]}, such as {example}"
        raise click.BadParameter(f"{size!r}: {expected}", param_hint="--size")
    return int(width), int(height)
