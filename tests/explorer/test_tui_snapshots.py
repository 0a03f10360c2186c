"""Pictures of the face: the same run, drawn the same way. Renew with ``pytest --snapshot-update`` and look at them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from explorer.session.model import Session
from explorer.tui.app import Explorer
from tests.explorer.small import open_session, wait


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """100 of 144 words read, paused; without what threads find sooner or later: points and the calibration band."""
    monkeypatch.setattr("explorer.session.point_search.PointSearch.begin", lambda *_: None)
    monkeypatch.setattr("explorer.tui.alpha.band", lambda *_: None)
    opened = open_session()
    opened.stream.seek(100)
    wait(lambda: opened.stream.snapshot.time == 100)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("name", "size", "keys"),
    [
        ("large", (120, 40), ()),
        ("gate_of_a_pinned_cell", (120, 40), ("g", "g", "g", "down", "down", "p", "left", "left")),
        ("small_heatmap", (80, 24), ()),
        ("small_alpha", (80, 24), ("5",)),
        ("small_cells", (80, 24), ("6", "o")),
        ("zoomed", (100, 30), ("z",)),
        ("scaling", (100, 30), ("s", "5", "z")),
        ("brushed", (120, 40), ("left", "left", "b", "left", "left", "b")),
        ("help", (100, 30), ("question_mark",)),
        ("reviews", (80, 24), ("r",)),
        ("type", (80, 24), ("t", *"A good film")),
        ("tiny", (50, 10), ()),
    ],
)
def test_picture(snap_compare: Any, session: Session, name: str, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    app = Explorer(session=session, show_rates=False)

    async def prepare(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        wait(lambda: session.stream.snapshot.watched == session.choices.signal)
        app.draw()
        for editor in app.screen.query("TextArea, Input"):
            editor.cursor_blink = False  # type: ignore[attr-defined]
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=prepare), name
