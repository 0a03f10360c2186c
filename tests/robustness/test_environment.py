"""Odd surroundings: a clock that jumps, two programs that write one file, systems without the calls of POSIX."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from engine.files import atomic_write
from engine.large_arrays import free_memory
from explorer import signal_watch
from explorer.signal_watch import SignalWatch
from explorer.tui.launch import _terminal_attributes
from tests.explorer.small import wait

ROOT = Path(__file__).parents[2]


def test_only_the_age_of_files_is_measured_by_the_clock_of_the_day() -> None:
    modules = [path for package in ("engine", "explorer") for path in (ROOT / package).rglob("*.py")]
    using = [
        path.relative_to(ROOT).as_posix()
        for path in modules
        if any(name in path.read_text(encoding="utf-8") for name in ("time.time(", "datetime.now(", "utcnow("))
    ]
    assert using == ["engine/files.py"]


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_jumps_removes_no_file_that_is_being_written(
    tmp_path: Path, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now = tmp_path / "a.txt", time.time()
    with atomic_write(path) as first:
        first.write_text("first")
        other = tmp_path / f".a.txt.{os.getpid()}-1"  # of another thread
        other.write_text("other")
        monkeypatch.setattr("engine.files.time.time", lambda: now + 86400 * days)
        with atomic_write(path) as second:
            assert first == second or second.parent == tmp_path
            second.write_text("second")
        assert path.read_text() == "second"
        assert other.exists()
        first.write_text("first")
    assert path.read_text() == "first"


def test_two_writers_of_one_file_leave_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "cache.npz"
    found: set[int] = set()

    def write(letter: str) -> None:
        for _ in range(30):
            with atomic_write(path) as temporary:
                temporary.write_text(letter * 10_000)
            found.add(len(set(path.read_text())))

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {1}
    assert list(tmp_path.iterdir()) == [path]


def test_without_sighup_a_program_ends_by_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGHUP")  # as on Windows
    monkeypatch.setattr(signal_watch, "LIMIT", 0.01)
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    watch, ended = SignalWatch(), list[int]()
    watch.end = ended.append
    os.kill(os.getpid(), signal.SIGTERM)
    wait(lambda: ended == [128 + signal.SIGTERM])
    watch.close()
    signal.signal(signal.SIGTERM, before)


def test_without_termios_there_are_no_modes_to_restore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "termios", None)  # as on Windows
    assert _terminal_attributes() == []


def test_without_proc_the_free_memory_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: Path, **_: str) -> str:
        raise FileNotFoundError(path)  # as on macOS and Windows

    monkeypatch.setattr(Path, "read_text", missing)
    assert free_memory() is None
