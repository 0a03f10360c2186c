"""The screen as a picture: SVG by Textual, PNG by librsvg."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from textual.app import App

from engine.files import written_whole

_TEXT = re.compile(r'(<text [^>]*?)x="([0-9.]+)"([^>]*?) textLength="[0-9.]+"([^>]*>)([^<]+)</text>')
_PARTS = re.compile(r"[!-~]+|[^!-~]")  # a word, or one sign of any other kind
_CHARACTER = 12.2  # width of a character in Textual's pictures


def save_picture(app: App[Any], path: Path) -> None:
    """Write the present screen to ``path``: ``.svg``, or ``.png`` where ``rsvg-convert`` is installed.

    Raises
    ------
    ValueError
        For another kind of file, or a PNG without ``rsvg-convert``.
    """
    kind = path.suffix.lower()
    if kind not in (".svg", ".png"):
        raise ValueError(f"{path}: pictures are .svg or .png files")
    svg = _placed(app.export_screenshot())
    if kind == ".svg":
        with written_whole(path) as beside:
            beside.write_text(svg, encoding="utf-8")
        return
    if shutil.which("rsvg-convert") is None:
        raise ValueError("a PNG needs rsvg-convert (Debian, Ubuntu: apt install librsvg2-bin); or save as .svg")
    with written_whole(path) as beside:
        subprocess.run(["rsvg-convert", "-o", str(beside)], input=svg.encode(), check=True)


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
