"""Faces look the same in every test: all colours, no animations, whatever the terminal of the person who tests.

And no test reads or writes what that person has kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import textual.constants

from explorer.session.session import Session
from tests.explorer.small import read_session, settle

textual.constants.COLOR_SYSTEM = "truecolor"  # type: ignore[misc]  # pytest's plugins import Textual before an environment could be set here
textual.constants.TEXTUAL_ANIMATIONS = "none"  # type: ignore[misc]
os.environ.pop("NO_COLOR", None)


@pytest.fixture(autouse=True)
def _kept_apart(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(place, str(tmp_path_factory.mktemp("kept")))


@pytest.fixture
def session() -> Iterator[Session]:
    """100 of 144 words read, paused."""
    yield from read_session()


@pytest.fixture
def read(session: Session) -> Session:
    """The same, where tests are of the session itself."""
    return session


@pytest.fixture
def searched() -> Iterator[Session]:
    """100 of 144 words read, paused; everything found."""
    for session in read_session(search=True):
        settle(session)
        yield session
