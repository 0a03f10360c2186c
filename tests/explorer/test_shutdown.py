"""Closing a session ends in time, and says what was lost."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from explorer import shutdown


@pytest.mark.parametrize("busy", [False, True])
def test_only_a_recording_that_could_not_be_written_is_reported(
    busy: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An engine that compiles its kernels does not stop at once, and nothing is lost by that."""
    monkeypatch.setattr(shutdown, "STOP_LIMIT", 0.01)
    monkeypatch.setattr(shutdown, "WRITE_LIMIT", 0.02)
    closed = threading.Event()
    front_end: Any = SimpleNamespace(
        session=SimpleNamespace(recorder=SimpleNamespace(busy=busy), close=closed.wait), launcher=None
    )
    shutdown.close_session(front_end)
    closed.set()
    assert ("the recording was not written" in capsys.readouterr().err) == busy
