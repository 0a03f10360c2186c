"""Pictures of the terminal, always of the same run. Renew them with ``pytest --snapshot-update`` and look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from engine.network import Network
from explorer.session.controllers.noise_band import send_band
from explorer.session.controllers.point_search import PointSearch, Sequences
from explorer.session.jobs import Job
from explorer.session.session import Session
from explorer.tui.app import Explorer
from explorer.tui.dialogs.rows import Rows
from tests.explorer.small import SHARED_JOBS, CountingJobs, open_session, wait
from tests.explorer.tui.harness import explorer


class NoSearch(PointSearch):
    """Finds nothing."""

    def begin(self, network: Network, sequences: Sequences = ()) -> None:
        """Do not search."""


class NoBandJobs(CountingJobs):
    """Computes no noise band."""

    def start(self, work: Callable[..., None], *arguments: Any, **callbacks: Any) -> Job:
        if work is send_band:
            return Job(-1, **callbacks)
        return super().start(work, *arguments, **callbacks)


@pytest.fixture
def session() -> Iterator[Session]:
    """100 of 144 words read, paused; without what comes at no fixed time: points and the noise band."""
    opened = open_session(search=NoSearch(SHARED_JOBS), jobs=NoBandJobs())
    opened.stream.seek(100)
    wait(lambda: opened.stream.snapshot.time == 100)
    yield opened
    opened.close()


# What threads bring, and when it is there.
READY: dict[str, Callable[[Explorer, Session], bool]] = {
    "clamped": lambda _, session: bool(session.stream.snapshot.clamps) and session.stream.snapshot.time == 100,
    "compared": lambda _, session: session.comparison.result(session.update()) is not None,
    "edited": lambda app, session: session.stream.snapshot.finished and app.screen.query_one(Rows).count == 145,
    "searched": lambda app, session: session.word_search.others.finished and app.screen.query_one(Rows).count == 2,
}


PICTURES: list[tuple[str, tuple[int, int], tuple[str, ...]]] = [
    ("large", (120, 40), ()),
    ("gate_of_a_pinned_cell", (120, 40), ("g", "g", "g", "down", "down", "p", "left", "left")),
    ("small_heatmap", (80, 24), ()),
    ("small_alpha", (80, 24), ("5",)),
    ("small_cells", (80, 24), ("6", "o")),
    ("zoomed", (100, 30), ("z",)),
    ("scaling", (120, 40), ("s",)),
    ("scaling_tab", (80, 24), ("s", "5")),
    ("scaling_zoomed", (100, 30), ("s", "5", "z")),
    ("brushed", (120, 40), ("left", "left", "b", "left", "left", "b")),
    ("help", (100, 30), ("question_mark",)),
    ("reviews", (80, 24), ("r",)),
    ("clamped", (120, 40), ("g", "g", "g", "down", "x", "H", "0", "full_stop", "5", "enter")),
    ("compared", (120, 40), ("C", "down", "down", "enter")),
    ("edited", (80, 24), ("T", *"Not ", "enter")),
    ("searched", (80, 24), ("slash", *"film", "enter")),
    ("type", (80, 24), ("t", *"A good film")),
    ("tiny", (50, 10), ()),
]


@pytest.mark.parametrize(
    ("name", "size", "keys"),
    PICTURES,
    ids=[f"{name}-{width}x{height}" for name, (width, height), _ in PICTURES],
)
def test_picture(snap_compare: Any, session: Session, name: str, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    app = explorer(session)

    async def prepare(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        while name in READY and not READY[name](app, session):
            await pilot.pause(0.05)
        session.note = ""
        wait(lambda: session.stream.snapshot.watched == session.choices.signal)
        app.draw()
        for editor in app.screen.query("TextArea, Input"):
            editor.cursor_blink = False  # type: ignore[attr-defined]
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=prepare), name
