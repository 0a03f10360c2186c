"""The desktop's dialogs of analyses, with results at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from explorer.gui.dialogs.attribution import AttributionDialog
from explorer.gui.panels.review import ReviewPanel
from explorer.gui.window import Window
from explorer.session.session import Session
from explorer.session.views.attribution import METHODS
from tests.explorer.tui.test_analysis_dialogs import attributed


def test_words_are_coloured_by_the_attribution(window: Window, session: Session) -> None:
    attributed(session)
    window.redraw()
    panel = window.panels["review"]
    assert isinstance(panel, ReviewPanel)
    assert panel.words._codes[[7, 40, 50]].tolist() == [255, 64, 128]
    assert "attribution of the logit after word 100" in panel.readout.text()


def test_the_strongest_words_are_listed_and_gone_to(
    window: Window, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    attributed(session)
    dialog = AttributionDialog(window, window.theme, session, window.look_at)
    assert dialog.words.rowCount() == 100
    texts = [item.text() for column in range(4) if (item := dialog.words.item(1, column)) is not None]
    assert texts[:2] == ["41", "−1.00"]
    assert texts[3] == session.stream.snapshot.review.surface[40]
    assert "integrated gradients from the mean embedding" in dialog.text.text()
    dialog.save()
    assert [*tmp_path.glob("*-attribution-1.csv")]
    assert "saved" in dialog.text.text()
    dialog.methods.setCurrentIndex(2)
    assert session.attribution.method == METHODS[2]
    assert dialog.words.rowCount() == 0
    dialog.methods.setCurrentIndex(0)
    dialog.choose(1)
    assert session.choices.cursor == 40
