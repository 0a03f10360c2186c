"""Fixtures that draw less: rendering takes nine tenths of a run of a study on small networks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf

from explorer.measure.study.page import STYLE


@pytest.fixture
def no_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save every figure as a few bytes, for tests of numbers and files."""
    for canvas, method in ((FigureCanvasAgg, "print_png"), (FigureCanvasPdf, "print_pdf")):
        monkeypatch.setattr(canvas, method, lambda self, file, **_: file.write(b"figure"))


@pytest.fixture(scope="module")
def quick_rendering() -> Iterator[None]:
    """Write PDFs whose text is outlines: a font's subset takes longer than the figure. `test_page` writes fonts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STYLE, "pdf.fonttype", 3)
        yield
