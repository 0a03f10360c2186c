"""The screen as a picture: SVG by Textual, PNG by librsvg."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from textual.app import App

_TEXT = re.compile(r'(<text [^>]*x=")([0-9.]+)("[^>]*textLength=")([0-9.]+)("[^>]*>)((?:&#160;)+)([^<])')


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
    svg = _indented(app.export_screenshot())
    if kind == ".svg":
        path.write_text(svg, encoding="utf-8")
        return
    if shutil.which("rsvg-convert") is None:
        raise ValueError("a PNG needs rsvg-convert (Debian, Ubuntu: apt install librsvg2-bin); or save as .svg")
    subprocess.run(["rsvg-convert", "-o", str(path)], input=svg.encode(), check=True)


def _indented(svg: str) -> str:
    """Leading blanks of a text as an offset: some renderers drop them, and the words run together."""

    def shift(found: re.Match[str]) -> str:
        head, x, middle, length, tail, blanks, first = found.groups()
        count = blanks.count("&#160;")
        return f"{head}{float(x) + count * _CHARACTER:g}{middle}{float(length) - count * _CHARACTER:g}{tail}{first}"

    return _TEXT.sub(shift, svg)


_CHARACTER = 12.2  # width of a character in Textual's pictures
