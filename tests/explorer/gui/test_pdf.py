"""PDF export of a panel: its size, its texts, and its curves as lines."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from explorer.gui.export.save import save
from explorer.gui.window import Window
from explorer.session.session import Session
from explorer.session.views.runs import Run


@pytest.fixture
def session(searched: Session) -> Session:
    return searched


def test_a_pdf_has_the_size_and_the_texts_of_the_panel(window: Window, tmp_path: Path) -> None:
    window.raise_panel("alpha")
    chosen = window.panels["alpha"]
    chosen.readout.set_line((Run("Rolling exponent", "value"),))
    save(chosen, tmp_path / "panel.pdf")
    data = (tmp_path / "panel.pdf").read_bytes()
    box = re.search(rb"/MediaBox \[([-\d. ]+)\]", data)
    assert box is not None
    points = [72 * pixels / chosen.logicalDpiX() for pixels in (chosen.width(), chosen.height())]
    assert [float(edge) for edge in box[1].split()] == pytest.approx([0, 0, *points], abs=1)
    streams = [_inflated(part) for part in re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL)]
    page = max(streams, key=lambda part: part.count(b" Tj"))
    texts = {_decoded(page, part.decode()) for part in streams if b"begincmap" in part}  # by each font
    assert any("Rolling" in text and "exponent" in text for text in texts)  # not a picture of them
    assert page.count(b" l\n") > 50  # the curve


def _inflated(part: bytes) -> bytes:
    try:
        return zlib.decompress(part)
    except zlib.error:
        return part


def _decoded(page: bytes, cmap: str) -> str:
    """Return all texts of a page as the font with that map from glyphs to Unicode has them."""
    characters: dict[int, str] = {}
    for first, listed in re.findall(r"<(\w{4})> <\w{4}> \[(.*?)\]", cmap, re.DOTALL):
        codes = re.findall(r"<(\w{4})>", listed)
        characters |= {int(first, 16) + k: chr(int(code, 16)) for k, code in enumerate(codes)}
    return "".join(characters.get(int(glyph, 16), "") for glyph in re.findall(r"<(\w{4})> Tj", page.decode("latin1")))
