"""Processes share files, memory and priorities on systems without the calls of POSIX, too."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from multiprocessing import connection
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.live import inheritance
from engine.live.codec import Decoder
from engine.live.engine_server import _Publisher
from engine.live.inheritance import NamedMemory, end_with, free_unused_memory, inherit, lower_priority, pipe_end
from engine.live.shared_state import SharedState, shared_file
from tests.engine.live.test_stream import make

WIDTHS = {"h": 2}


def test_posix_passes_open_files_by_number() -> None:
    for platform in ("linux", "darwin"):
        assert inherit([5, 7], platform) == {"pass_fds": (5, 7), "process_group": 0}


def test_windows_inherits_handles(monkeypatch: pytest.MonkeyPatch) -> None:
    inheritable: list[tuple[int, bool]] = []
    monkeypatch.setattr(os, "set_handle_inheritable", lambda *args: inheritable.append(args), raising=False)
    monkeypatch.setattr(subprocess, "STARTUPINFO", lambda **given: given, raising=False)
    for name in ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW"):
        monkeypatch.setattr(subprocess, name, 512, raising=False)
    options = inherit([5, 7], "win32")
    assert options == {"startupinfo": {"lpAttributeList": {"handle_list": [5, 7]}}, "creationflags": 512}
    assert inheritable == [(5, True), (7, True)]


def test_a_pipe_of_windows_has_its_own_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PipeConnection", lambda handle: ("pipe", handle), raising=False)
    end: Any = pipe_end(9)
    assert end == ("pipe", 9)


def test_without_nice_the_priority_is_that_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    kernel = SimpleNamespace(GetCurrentProcess=lambda: 1, SetPriorityClass=lambda *args: called.append(args))
    monkeypatch.delattr(os, "nice")
    lower_priority(10)  # neither of the two: nothing happens
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    lower_priority(10)
    assert called == [(1, 0x4000)]


def test_named_memory_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    written = NamedMemory(create=True, size=SharedState.size(WIDTHS, 4, 64))
    try:
        writer, reader = SharedState(written, WIDTHS, 4, 64), SharedState(NamedMemory(written.name), WIDTHS, 4, 64)
        writer.ring.write({"h": np.ones((3, 2), dtype=np.float32)})
        writer.publish({"time": 3})
        assert reader.ring.read("h", 0).sum() == 6
        assert reader.read() == (1, {"time": 3})
    finally:
        written.unlink()


def test_without_memfd_the_memory_is_a_file_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")  # as on macOS
    state = SharedState(shared_file(SharedState.size(WIDTHS, 4, 64)), WIDTHS, 4, 64)
    state.publish("found")
    assert state.read() == (1, "found")


def test_an_engine_that_cannot_send_open_files_sends_the_name_of_its_memory() -> None:
    """Test by hand: a whole run with `inheritance.PASSES_FILES` false reads, and changes its network."""
    sent: list[Any] = []
    parent: Any = SimpleNamespace(send=sent.append)
    publisher = _Publisher(parent, None, Decoder(sent.append))
    network = make()
    publisher.allocate(network, WIDTHS, 4).write({"h": np.ones((3, 2), dtype=np.float32)})
    memory = NamedMemory(sent[0].name)
    try:
        assert SharedState(memory, sent[0].widths, 4, sent[0].room).ring.read("h", 0).sum() == 6
    finally:
        memory.unlink()


def test_a_process_that_loads_for_long_ends_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    parents, ended = iter([5, 5, 1]), threading.Event()
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(os, "_exit", lambda code: ended.set())
    monkeypatch.setattr(inheritance, "_LOOK", 0)
    end_with(5)
    assert ended.wait(5)
    assert next(parents, None) is None


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_unused_memory_is_freed_where_the_c_library_can(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=calls.append))
    free_unused_memory()
    assert calls == [0] * (platform == "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())  # as of musl
    free_unused_memory()
