"""Faces look the same in every test: all colours, no animations, whatever the terminal of the person who tests.

And no test reads or writes what that person has kept.
"""

from __future__ import annotations

import os

import pytest
import textual.constants

textual.constants.COLOR_SYSTEM = "truecolor"  # pytest's plugins import Textual before an environment could be set here
textual.constants.TEXTUAL_ANIMATIONS = "none"
os.environ.pop("NO_COLOR", None)


@pytest.fixture(autouse=True)
def _kept_apart(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(place, str(tmp_path_factory.mktemp("kept")))
