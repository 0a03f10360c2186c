"""Fixtures that draw less: rendering takes nine tenths of a run of a study on small networks."""

from __future__ import annotations

from typing import IO, Any

import pytest
from matplotlib.figure import Figure


@pytest.fixture
def no_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save every figure as a few bytes, for tests of numbers and files."""
    monkeypatch.setattr(Figure, "savefig", lambda self, file, **_: file.write(b"figure"))


@pytest.fixture
def no_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Render figures as small PNGs only, which takes less than half the time."""
    save = Figure.savefig

    def quick(self: Figure, file: IO[bytes], *, format: str, **options: Any) -> None:
        if format == "png":
            save(self, file, format=format, **options | {"dpi": 40})
        else:
            file.write(b"figure")

    monkeypatch.setattr(Figure, "savefig", quick)
