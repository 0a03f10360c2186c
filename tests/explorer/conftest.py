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
from tests.explorer.small import read_session, settle

# A pytest plugin imports Textual before environment variables can be set here.
textual.constants.COLOR_SYSTEM = "truecolor"  # type: ignore[misc]
textual.constants.TEXTUAL_ANIMATIONS = "none"  # type: ignore[misc]
os.environ.pop("NO_COLOR", None)


def draw_headless_screens_after_each_action() -> None:
    """Draw for a terminal that is not there once after each action of a test, as far as the screen changed.

    To draw each change took a seventh of all time. Screenshots and applications with a terminal draw as always.
    """
    draw, wait = Compositor.render_update, Pilot._wait_for_screen

    def render_update(compositor: Compositor, full: bool = False, **options: Any) -> Any:
        if full or not active_app.get().is_headless:
            return draw(compositor, full, **options)
        return None  # what changed stays marked

    async def wait_for_screen(pilot: Pilot[Any], *arguments: Any, **options: Any) -> bool:
        found = await wait(pilot, *arguments, **options)
        app = pilot.app
        if app.is_headless and app.screen_stack:
            draw(app.screen._compositor, screen_stack=app._background_screens)
        return found

    Compositor.render_update = render_update  # type: ignore[assignment, method-assign]
    Pilot._wait_for_screen = wait_for_screen  # type: ignore[assignment, method-assign]


draw_headless_screens_after_each_action()


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
