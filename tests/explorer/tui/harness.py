"""Run the terminal front end without a terminal, and read what it shows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from textual.pilot import Pilot
from textual.screen import Screen

from explorer.session.core import Choices
from explorer.session.session import Session
from explorer.tui.app import Explorer
from explorer.tui.dialogs.rows import Rows
from explorer.tui.panels.panel import Panel

if TYPE_CHECKING:
    from engine.live.stream import Snapshot


FRAME_RATE = 5.0  # frames per second; tests draw explicitly, and many frames cost more than all else


def explorer(session: Session, **options: Any) -> Explorer:
    """Return the application with an open session."""
    return Explorer(session=session, show_rates=False, frame_rate=FRAME_RATE, **options)


@asynccontextmanager
async def shown(session: Session, width: int = 120, height: int = 40) -> AsyncIterator[tuple[Explorer, Pilot[None]]]:
    """The application with an open session, drawn once."""
    app = explorer(session)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause()
        app.draw()
        yield app, pilot


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    """Let the application run until a condition holds, at most a minute: a worker process may have to start."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "the condition did not become true"
        await pilot.pause(0.02)


def text_of(app: Explorer, selector: str) -> str:
    """The characters of a panel."""
    return panel_text(app.screen_stack[0], selector)


def panel_text(screen: Screen[Any], selector: str) -> str:
    """The characters of a panel on a screen."""
    return screen.query_one(selector, Panel).text


def rows_text(screen: Screen[Any]) -> list[str]:
    """The visible rows of the list on a screen."""
    rows = screen.query_one(Rows)
    return [rows.render_line(y).text for y in range(rows.size.height)]


def snapshot(app: Explorer) -> Snapshot:
    """The engine's newest snapshot."""
    assert app.session is not None
    return app.session.stream.snapshot


def choices(app: Explorer) -> Choices:
    """Return the user's choices of what to show."""
    assert app.session is not None
    return app.session.choices
