"""Save the screen or a panel as a picture: SVG by Textual, PNG from it by resvg."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from textual.app import App
from textual.widget import Widget

from engine.files import atomic_write
from explorer.tui.terminal.textual_internals import rendered_lines

_TEXT = re.compile(r'(<text [^>]*?)x="([0-9.]+)"([^>]*?) textLength="[0-9.]+"([^>]*>)([^<]+)</text>')
_PARTS = re.compile(r"[!-~]+|[^!-~]")  # an ASCII word, or one other character
_CHARACTER = 12.2  # width of a character in Textual's pictures


def save_picture(app: App[Any], path: Path, panel: Widget | None = None) -> None:
    """Write the current screen, or one panel, to an ``.svg`` or ``.png`` file.

    Raises
    ------
    ValueError
        If the file has another suffix.
    """
    kind = path.suffix.lower()
    if kind not in (".svg", ".png"):
        raise ValueError(f"{path}: pictures are .svg or .png files")
    svg = _position_words(app.export_screenshot() if panel is None else _panel_svg(app, panel))
    with atomic_write(path) as temporary:
        temporary.write_bytes(svg.encode() if kind == ".svg" else as_png(svg))


def as_png(svg: str) -> bytes:
    """Draw a picture of `App.export_screenshot`. Its font is that of matplotlib, so that every machine has one."""
    import matplotlib
    import resvg_py

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, font_dirs=[str(fonts)], monospace_family="DejaVu Sans Mono"))


def _panel_svg(app: App[Any], panel: Widget) -> str:
    """Return the part of the screen that a panel covers, in the format of `App.export_screenshot`."""
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
    for strip in rendered_lines(app.screen_stack[0])[region.y : region.bottom]:
        console.print(Segments([*strip.crop(region.x, region.right), Segment.line()]), end="")
    return console.export_svg(title=app.title)


def _position_words(svg: str) -> str:
    """Give every word and symbol its own position: fonts differ in the width of blanks, blocks and braille."""

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
