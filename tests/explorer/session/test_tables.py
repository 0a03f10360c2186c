"""What is saved is what is seen: pictures of a panel or the screen, and the numbers of a panel."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explorer.session.core import SessionError
from explorer.session.session import Session
from explorer.session.views.scaling import scaling
from explorer.session.views.tables import numbers
from explorer.tui.app import Explorer
from tests.explorer.tui.harness import shown, text_of, until


def test_words_with_the_signal_of_every_cell(session: Session) -> None:
    headings, rows = numbers(session, session.frame(), "review")
    assert headings[:4] == ["time", "word", "probability", "alpha_h"]
    assert [row[1] for row in rows] == list(session.stream.snapshot.review.words[:100])
    np.testing.assert_array_equal([row[4:] for row in rows], session.stream.read("h"))


def test_rolling_alpha_and_what_it_is_fitted_to(session: Session) -> None:
    frame = session.frame()
    headings, rows = numbers(session, frame, "alpha")
    assert headings == ["time", *(f"alpha_{s.name}" for s in frame.snapshot.network.signals)]
    np.testing.assert_array_equal([row[1:] for row in rows], session.stream.read("alpha"))
    fitted = replace(frame, choices=replace(frame.choices, scaling=True))
    headings, rows = numbers(session, fitted, "alpha")
    assert headings == ["scale", "F Σh"]
    np.testing.assert_array_equal([row[1] for row in rows], scaling(session, fitted).fluctuation)


def test_the_table_of_cells(session: Session) -> None:
    session.perform("order")
    headings, rows = numbers(session, session.frame(), "cells")
    assert headings[0] == "cell"
    assert [row[0] for row in rows] == session.frame().order.tolist()
    assert rows[0][headings.index("beta")] == 2 * rows[0][headings.index("alpha")] - 1


def test_points_are_refused_until_there_are_any(session: Session) -> None:
    for panel in ("points", "spectrum"):
        with pytest.raises(SessionError, match="yet"):
            numbers(session, session.frame(), panel)


async def chosen(app: Explorer, pilot, *keys: str) -> None:  # type: ignore[no-untyped-def]
    await pilot.press("e")
    await until(pilot, lambda: len(app.screen_stack) == 2)
    await pilot.press(*keys)
    await until(pilot, lambda: "saved" in app.session.note)  # type: ignore[union-attr]


async def test_a_panel_and_the_screen_as_pictures_and_numbers(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    png = shutil.which("rsvg-convert") is not None
    async with shown(session) as (app, pilot):
        await pilot.press("6")
        await chosen(app, pilot, "enter")
        saved = Path("pinkx-lstm-12-first-h-cells-1.svg").read_text()
        assert "6&#160;Cells" in saved or "6 Cells" in saved or "Cells" in saved
        assert "Rolling" not in saved
        assert "Save" not in saved
        with Path("pinkx-lstm-12-first-h-cells-1.csv").open() as file:
            table = list(csv.reader(file))
        assert len(table) == 1 + 12
        session.note = ""
        await chosen(app, pilot, "down", "enter")
        assert "Rolling" in Path("pinkx-lstm-12-first-h-screen-1.svg").read_text()
        if png:
            for name in ("cells", "screen"):
                assert Path(f"pinkx-lstm-12-first-h-{name}-1.png").read_bytes().startswith(b"\x89PNG")
        session.note = ""
        await chosen(app, pilot, "down", "down", "enter")
        assert Path("pinkx-lstm-12-first-1.safetensors").exists()


async def test_a_failed_export_is_reported(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with shown(session) as (app, pilot):
        await pilot.press("4", "e")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: "save its eigenvalues when one is" in text_of(app, "#status"))
        assert list(tmp_path.iterdir()) == []
