"""The process aside: what comes back, what is forgotten, and that nothing outlives anybody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.session.jobs import Worker
from tests.explorer.jobs import die, fail, forever, read, square, who
from tests.explorer.small import small_network, wait


@pytest.fixture
def aside() -> Iterator[Worker]:
    opened = Worker()
    yield opened
    opened.close()


class Heard:
    """What came back of one job."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.trouble: str | None = None

    def end(self, trouble: str) -> None:
        self.trouble = trouble


def start(aside: Worker, work: Any, *arguments: Any) -> tuple[Heard, Any]:
    heard = Heard()
    return heard, aside.start(work, *arguments, heed=heard.parts.append, end=heard.end)


def test_parts_come_back_in_order_and_then_the_end(aside: Worker) -> None:
    heard, _ = start(aside, square, np.arange(4))
    wait(lambda: heard.trouble is not None)
    assert heard.trouble == ""
    assert heard.parts[0].tolist() == [0, 1, 4, 9]
    assert heard.parts[1:] == ["done"]


def test_it_is_one_process_of_low_priority_and_one_thread_away_from_the_terminal(
    aside: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.session.jobs.NICE", 3)
    both = [start(aside, who)[0] for _ in range(2)]
    wait(lambda: all(heard.trouble == "" for heard in both))
    assert both[0].parts == both[1].parts
    pid, parent, nice, threads, group = both[0].parts[0]
    assert parent == os.getpid() != pid
    assert (nice, threads) == (min(19, os.nice(0) + 3), "1")
    assert group == pid != os.getpgid(0)


def test_a_network_that_is_no_file_crosses_whole(aside: Worker) -> None:
    network, ids = small_network(), np.array([2, 3, 4])
    network.info["seed"] = "5"
    heard, _ = start(aside, read, network, ids)
    wait(lambda: heard.trouble is not None)
    assert heard.trouble == ""
    name, words, info, probability = heard.parts[0]
    assert (name, words, info) == (network.name, network.vocabulary.words, network.info)  # type: ignore[union-attr]
    assert probability == pytest.approx(network.classify(ids))


def test_what_goes_wrong_is_told_and_the_next_job_is_done(aside: Worker) -> None:
    heard, _ = start(aside, fail)
    wait(lambda: heard.trouble == "'bad'")
    heard, _ = start(aside, lambda tell: None)
    wait(lambda: heard.trouble is not None and "pickle" in heard.trouble)
    heard, _ = start(aside, die)
    wait(lambda: heard.trouble == "its process ended by itself, with code 7")
    heard, _ = start(aside, square, np.ones(1))
    wait(lambda: heard.trouble == "")


def test_where_no_process_can_be_begun_the_job_ends_with_the_reason(
    aside: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/nowhere/python")
        heard, _ = start(aside, fail)
        wait(lambda: heard.trouble is not None and "/nowhere/python" in heard.trouble)
    heard, _ = start(aside, square, np.ones(1))
    wait(lambda: heard.trouble == "")


def test_a_forgotten_job_is_silent_and_ends(aside: Worker) -> None:
    heard, job = start(aside, forever, True)
    wait(lambda: bool(heard.parts))
    aside.forget(job)
    aside.forget(job)
    after, _ = start(aside, square, np.ones(1))
    wait(lambda: after.trouble == "")
    assert (len(heard.parts), heard.trouble) == (1, None)


def test_closing_ends_a_job_that_never_asks_at_once_and_leaves_nothing(aside: Worker) -> None:
    heard, _ = start(aside, forever, False)
    wait(lambda: bool(heard.parts))
    began = time.monotonic()
    aside.close()
    assert time.monotonic() - began < 0.5
    with pytest.raises(ProcessLookupError):  # not even a zombie
        os.kill(heard.parts[0], 0)
    assert not [thread for thread in threading.enumerate() if thread in (aside._sender, aside._listener)]
    start(aside, square, np.ones(1))
    assert heard.trouble is None


def test_closing_while_orders_wait_is_quiet() -> None:
    for _ in range(5):
        aside = Worker()
        heard, job = start(aside, forever, True)
        wait(lambda: bool(heard.parts))
        jobs = [start(aside, square, np.ones(1))[1] for _ in range(50)]
        for other in (job, *jobs):
            aside.forget(other)
        aside.close()
        assert aside._sender is not None
        assert not aside._sender.is_alive()


def test_closing_what_was_never_used_or_has_only_begun() -> None:
    Worker().close()
    aside = Worker()
    start(aside, forever, False)
    aside.close()


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_its_parent_however_that_ends(ending: signal.Signals) -> None:
    # From a program given on the command line, which another process could not import.
    program = (
        "import time; from explorer.session.jobs import Worker; from tests.explorer.jobs import forever\n"
        "Worker().start(forever, False, heed=lambda pid: print(pid, flush=True), end=print)\n"
        "time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(ending)
    parent.wait()
    parent.stdout.close()
    wait(lambda: not Path(f"/proc/{child}").exists() or "zombie" in Path(f"/proc/{child}/status").read_text(), 5)
