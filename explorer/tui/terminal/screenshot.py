"""The screen as a picture: SVG by Textual, PNG by librsvg."""

from __future__ import annotations

import html
import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from textual.app import App
from textual.widget import Widget

from engine.files import atomic_write

_TEXT = re.compile(r'(<text [^>]*?)x="([0-9.]+)"([^>]*?) textLength="[0-9.]+"([^>]*>)([^<]+)</text>')
_PARTS = re.compile(r"[!-~]+|[^!-~]")  # a word, or one sign of any other kind
_CHARACTER = 12.2  # width of a character in Textual's pictures


def can_draw_png() -> bool:
    """Whether ``rsvg-convert`` is installed."""
    return shutil.which("rsvg-convert") is not None


def save_picture(app: App[Any], path: Path, panel: Widget | None = None) -> None:
    """Write the present screen, or a panel of it: ``.svg``, or ``.png`` where ``rsvg-convert`` is installed.

    Raises
    ------
    ValueError
        For another kind of file, or a PNG without ``rsvg-convert``.
    """
    kind = path.suffix.lower()
    if kind not in (".svg", ".png"):
        raise ValueError(f"{path}: pictures are .svg or .png files")
    svg = _placed(app.export_screenshot() if panel is None else _panel(app, panel))
    if kind == ".svg":
        with atomic_write(path) as beside:
            beside.write_text(svg, encoding="utf-8")
        return
    if not can_draw_png():
        raise ValueError("a PNG needs rsvg-convert (Debian, Ubuntu: apt install librsvg2-bin); or save as .svg")
    with atomic_write(path) as beside:
        subprocess.run(["rsvg-convert", "-o", str(beside)], input=svg.encode(), check=True)


def _panel(app: App[Any], panel: Widget) -> str:
    """The part of the screen where a panel stands, as `App.export_screenshot` gives the whole."""
    region = panel.region
    console = Console(
        width=region.width,
        height=region.height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
    )
    for strip in app.screen_stack[0]._compositor.render_strips()[region.y : region.bottom]:
        console.print(Segments([*strip.crop(region.x, region.right), Segment.line()]), end="")
    return console.export_svg(title=app.title)


def _placed(svg: str) -> str:
    """Every word and every sign at its own place: fonts disagree on how wide blanks, blocks and braille are."""

    def place(found: re.Match[str]) -> str:
        head, x, middle, tail, text = found.groups()
        column, parts = 0, []
        for part in _PARTS.findall(html.unescape(text)):
            if part.strip():
                at = float(x) + column * _CHARACTER
                parts.append(f'{head}x="{at:g}"{middle}{tail}{html.escape(part)}</text>')
            column += cell_len(part)
        return "".join(parts)

    return _TEXT.sub(place, svg)
