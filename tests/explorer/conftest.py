"""Sessions, and front ends that look the same on every machine: all colours, no animations.

Tests neither read nor write the user's saved state and settings.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import textual.constants

from explorer.session.session import Session
from tests.explorer.small import read_session, settle

# A pytest plugin imports Textual before environment variables can be set here.
textual.constants.COLOR_SYSTEM = "truecolor"  # type: ignore[misc]
textual.constants.TEXTUAL_ANIMATIONS = "none"  # type: ignore[misc]
os.environ.pop("NO_COLOR", None)


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
