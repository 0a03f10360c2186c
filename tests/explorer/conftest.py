"""Faces look the same in every test: all colours, no animations; nothing is kept in a person's own cache."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

# Textual reads these when it is first imported.
os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ.pop("NO_COLOR", None)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def calibrated() -> None:
    """The band of the usual window is known before anything is drawn, so that pictures do not depend on a thread."""
    from engine.fluctuation import rolling_scales
    from explorer.session.band import band

    deadline = time.monotonic() + 60
    while band(64, rolling_scales(64)) is None:
        assert time.monotonic() < deadline, "the calibration did not come"
        time.sleep(0.01)
