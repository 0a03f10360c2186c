"""Sessions, and front ends that look the same on every machine: all colours, no animations.

Tests neither read nor write the user's saved state and settings.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import textual.constants
from textual.app import active_app  # type: ignore[attr-defined]
from textual.pilot import Pilot
from textual.screen import Compositor  # type: ignore[attr-defined]

from explorer.session.session import Session
from explorer.tui.terminal.textual_internals import rendered_lines
from tests.explorer.small import read_session, settle

# A pytest plugin imports Textual before environment variables can be set here.
textual.constants.COLOR_SYSTEM = "truecolor"  # type: ignore[misc]
textual.constants.TEXTUAL_ANIMATIONS = "none"  # type: ignore[misc]
os.environ.pop("NO_COLOR", None)


def draw_headless_screens_for_clicks_only() -> None:
    """Skip what Textual draws for a terminal that is not there, which took a seventh of all time.

    Panels find out what was clicked from what they drew last. `shown` draws at its end, too, so that all that can be
    drawn is; screenshots, `rendered_lines` and applications with a terminal draw as always.
    """
    drawn, clicked = Compositor.render_update, Pilot._post_mouse_events

    def render_update(compositor: Compositor, full: bool = False, **options: Any) -> Any:
        if full or not active_app.get().is_headless:
            return drawn(compositor, full, **options)
        compositor._dirty_regions.clear()
        return None

    async def post_mouse_events(pilot: Pilot[Any], *arguments: Any, **options: Any) -> bool:
        await pilot.pause()
        rendered_lines(pilot.app.screen)
        return await clicked(pilot, *arguments, **options)

    Compositor.render_update = render_update  # type: ignore[assignment, method-assign]
    Pilot._post_mouse_events = post_mouse_events  # type: ignore[assignment, method-assign]


draw_headless_screens_for_clicks_only()


@pytest.fixture(scope="session")
def settings_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return an iterator over new folders; `mktemp` lists all that there are for each one."""
    root = tmp_path_factory.mktemp("settings")

    def folders() -> Iterator[Path]:
        for number in count():
            (folder := root / str(number)).mkdir()
            yield folder

    return folders()


@pytest.fixture(autouse=True)
def own_settings(settings_folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(place, str(next(settings_folders)))


@pytest.fixture
def session() -> Iterator[Session]:
    """Yield a paused session with 100 of 144 words read."""
    yield from read_session()


@pytest.fixture
def read(session: Session) -> Session:
    """Return the same session, for tests of the session itself."""
    return session


@pytest.fixture
def searched() -> Iterator[Session]:
    """Yield a paused session with 100 of 144 words read and the search for fixed points finished."""
    for session in read_session(search=True):
        settle(session)
        yield session
