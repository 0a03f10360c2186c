"""A sequence of vectors in the terminal: strips instead of words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot

from engine.sequences import InputSequence
from explorer.session.session import Session
from explorer.session.views.channels import Trace, Traces
from explorer.tui.panels.sequence import Strips
from tests.explorer.sequences import READ, drawn, flip_flop_session
from tests.explorer.tui.harness import explorer, shown, text_of
from tests.explorer.tui.test_snapshots import NoBandJobs


@pytest.fixture
def session() -> Iterator[Session]:
    yield from flip_flop_session(jobs=NoBandJobs())  # whose time is not fixed


def _traces(channels: int, values: list[float]) -> Traces:
    inputs = tuple(Trace(f"in {k}", np.array(values), -1.0, 1.0) for k in range(channels))
    target = np.array([1.0] * len(values))
    outputs = tuple(Trace(f"out {k}", np.abs(values), 0.0, 1.0, target) for k in range(channels))
    return Traces(inputs, outputs)


def _text(strips: Strips) -> list[str]:
    return ["".join(segment.text for segment in line) for line in strips.lines()]


@pytest.mark.parametrize(
    ("channels", "rows", "expected"),
    [
        (1, 2, ["in 0  ▀▄───", "out 0 ██▁▁▁"]),
        (1, 4, ["in 0  █▁▁▁▁", "       █   ", "out 0 ██   ", "      ██▁▁▁"]),
        (2, 2, ["out 0 ▲▼▁▁▁", "out 1 ▲▼▁▁▁"]),  # no room for the inputs, which are marked
        (3, 2, ["in 0  ▀▄───", "… 5 more i…"]),
    ],
)
def test_strips_use_the_room_there_is(channels: int, rows: int, expected: list[str]) -> None:
    strips = Strips(_traces(channels, [1.0, -1.0, 0.0, 0.0, 0.0]), -1, 5, 11, rows, range(0))
    assert [line[:11] for line in _text(strips)] == expected


def test_a_curve_without_pulses_is_drawn_from_the_bottom() -> None:
    strips = Strips(_traces(1, [1.0, -1.0, 0.5, -0.5]), -1, 4, 10, 2, range(0))
    assert _text(strips)[0] == "in 0  █▁▆▂"


def test_the_last_page_is_full() -> None:
    strips = Strips(_traces(1, [0.0] * 100), 99, 100, 36, 2, range(0))
    assert strips.first == 70
    assert (strips.step_at(6), strips.step_at(5), strips.step_at(35), strips.step_at(36)) == (70, None, 99, None)


async def test_the_panel_shows_inputs_outputs_and_targets(session: Session) -> None:
    async with shown(session) as (app, pilot):
        text = text_of(app, "#review")
        assert all(name in text for name in ("in 1", "out 1", "in 3", "out 3", "target", "right 100%"))
        assert "step 120" in text_of(app, "#status")
        assert str(app.screen.query_one("#review").border_title).startswith("1 Sequence")
        await pilot.click("#review", offset=(10, 2))
        app.draw()
        assert session.frame().word != READ - 1
        await pilot.press("slash")
        assert "there are no words to search for" in session.note


async def test_a_small_terminal_shows_the_outputs() -> None:
    bare = InputSequence("noise", "", inputs=drawn()[0].inputs[:40], channels=("a", "b", "c"))
    for session in flip_flop_session([bare]):
        async with shown(session, 80, 24) as (app, _):
            assert "in a" in text_of(app, "#review")


def test_picture(snap_compare: Any, session: Session) -> None:
    app = explorer(session)

    async def prepare(pilot: Pilot[None]) -> None:
        await pilot.pause()
        session.note = ""
        app.draw()
        await pilot.pause()

    assert snap_compare(app, terminal_size=(120, 40), run_before=prepare)
