"""Other reviews, recordings and engines opened from the File menu while the window is open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from PySide6.QtWidgets import QFileDialog

from explorer.gui.window import Window
from explorer.session.session import Session
from tests.explorer.gui.test_window import note, snapshot

pytestmark = pytest.mark.panels("reviews", "review")


@pytest.fixture
def opening(window: Window, session: Session) -> Iterator[Window]:
    """The window, whose sessions are closed afterwards."""
    yield window
    if window.opened_session is not session:
        window.opened_session.close()


def choose(window: Window, name: str) -> None:
    """Choose a file in the dialog that is open."""
    dialog = next(child for child in window.findChildren(QFileDialog) if child.isVisible())
    dialog.fileSelected.emit(name)
    dialog.close()


def test_reviews_are_opened_and_the_choices_stay(opening: Window, qtbot: Any, tmp_path: Path) -> None:
    session = opening.opened_session
    session.select(4)
    session.choose_signal("f")
    path, texts = tmp_path / "mine.jsonl", ["A warm film about a town.", "It starts slowly."]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    opening.perform("open-reviews")
    choose(opening, str(path))
    assert opening.session is session  # until the new one is open
    qtbot.waitUntil(lambda: opening.session is not session)
    now = opening.opened_session
    assert now.stream.snapshot.network is session.stream.snapshot.network
    assert [review.text for review in now.reviews] == texts
    assert (now.choices.signal, now.choices.selected) == ("f", 4)
    reviews: Any = opening.panels["reviews"]
    qtbot.waitUntil(lambda: reviews.model.rowCount() == 2)
    qtbot.waitUntil(lambda: snapshot(opening).review.text == texts[0] and snapshot(opening).finished)
    opening.redraw()
    assert opening.panels["review"].words._surface[1] == "warm"  # type: ignore[attr-defined]


def test_what_cannot_be_opened_leaves_the_session_as_it_is(opening: Window, qtbot: Any, tmp_path: Path) -> None:
    session = opening.opened_session
    opening.perform("open-recording")
    choose(opening, str(tmp_path / "nothing.safetensors"))
    qtbot.waitUntil(lambda: "not opened: no such recording" in note(opening))
    assert opening.session is session
    assert not opening._progress.isVisible()


def test_a_new_engine_continues_where_the_old_one_was(opening: Window, qtbot: Any) -> None:
    session = opening.opened_session
    session.select(3)
    session.ablation.ablate()
    qtbot.waitUntil(lambda: bool(snapshot(opening).clamps) and snapshot(opening).time == 100)
    session.open_text("A warm film about a town", "typed")
    qtbot.waitUntil(lambda: snapshot(opening).review.name == "typed" and snapshot(opening).finished)
    opening.perform("restart-engine")
    qtbot.waitUntil(lambda: opening.session is not session)
    qtbot.waitUntil(lambda: snapshot(opening).review.name == "typed" and snapshot(opening).time == 6)
    assert list(snapshot(opening).clamps) == ["h"]
