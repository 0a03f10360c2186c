"""A signal ends the process in time, even while the main thread is in a long call outside Python."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from explorer import signal_watch
from explorer.signal_watch import SignalWatch
from tests.explorer.small import wait


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[SignalWatch]:
    monkeypatch.setattr(signal_watch, "LIMIT", 0.01)
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGUSR1)}
    opened = SignalWatch()
    yield opened
    opened.close()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_that_has_no_effect_ends_the_process(watch: SignalWatch) -> None:
    ended: list[tuple[int, str]] = []
    watch.end = lambda code: ended.append((code, threading.current_thread().name))
    os.kill(os.getpid(), signal.SIGUSR1)  # is not for the watch
    os.kill(os.getpid(), signal.SIGTERM)
    wait(lambda: bool(ended))
    assert ended == [(128 + signal.SIGTERM, "pinkx signals")]
