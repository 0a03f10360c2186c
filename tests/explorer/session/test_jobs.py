"""Background jobs: their results, cancelling them, and that no process or thread is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.session.jobs import THREADS, Job, JobRunner, JobThreads, Report, _Start
from tests.explorer.jobs import describe_process, die, fail, forever, read, square
from tests.explorer.small import small_network, wait


@pytest.fixture
def runner() -> Iterator[JobRunner]:
    opened = JobRunner()
    yield opened
    opened.close()


class Received:
    """The results of one job, and the error it ended with."""

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.error: str | None = None

    def on_end(self, error: str) -> None:
        self.error = error


def start(runner: JobRunner, work: Callable[..., None], *arguments: Any) -> tuple[Received, Job]:
    received = Received()
    return received, runner.start(work, *arguments, on_result=received.results.append, on_end=received.on_end)


def test_results_come_in_order_and_then_the_end(runner: JobRunner) -> None:
    received, _ = start(runner, square, np.arange(4))
    wait(lambda: received.error is not None)
    assert received.error == ""
    assert received.results[0].tolist() == [0, 1, 4, 9]
    assert received.results[1:] == ["done"]


def test_jobs_share_one_process_of_low_priority_with_single_threaded_libraries_and_its_own_group(
    runner: JobRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.session.jobs.NICE", 3)
    both = [start(runner, describe_process)[0] for _ in range(2)]
    wait(lambda: all(received.error == "" for received in both))
    assert both[0].results == both[1].results
    pid, parent, nice, threads, group = both[0].results[0]
    assert parent == os.getpid() != pid
    assert (nice, threads) == (min(19, os.nice(0) + 3), "1")
    assert group == pid != os.getpgid(0)


def test_a_network_without_a_file_arrives_complete(runner: JobRunner) -> None:
    network, ids = small_network(), np.array([2, 3, 4])
    network.info["seed"] = "5"
    received, _ = start(runner, read, network, ids)
    wait(lambda: received.error is not None)
    assert received.error == ""
    name, words, info, probability = received.results[0]
    assert network.vocabulary is not None
    assert (name, words, info) == (network.name, network.vocabulary.words, network.info)
    assert probability == pytest.approx(network.classify(ids))


def test_errors_are_reported_and_the_next_job_runs(runner: JobRunner) -> None:
    failed, _ = start(runner, fail)
    wait(lambda: failed.error == "'bad'")
    unpicklable, _ = start(runner, lambda report: None)
    wait(lambda: unpicklable.error is not None and "pickle" in unpicklable.error)
    died, _ = start(runner, die)
    wait(lambda: died.error == "its process ended by itself, with code 7")
    succeeded, _ = start(runner, square, np.ones(1))
    wait(lambda: succeeded.error == "")


def test_a_job_whose_process_cannot_start_ends_with_the_reason(
    runner: JobRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/nowhere/python")
        failed, _ = start(runner, fail)
        wait(lambda: failed.error is not None and "/nowhere/python" in failed.error)
    succeeded, _ = start(runner, square, np.ones(1))
    wait(lambda: succeeded.error == "")


def test_a_cancelled_job_reports_nothing_more_and_ends(runner: JobRunner) -> None:
    cancelled, job = start(runner, forever, True)
    wait(lambda: bool(cancelled.results))
    runner.cancel(job)
    runner.cancel(job)
    after, _ = start(runner, square, np.ones(1))
    wait(lambda: after.error == "")
    assert (len(cancelled.results), cancelled.error) == (1, None)


def test_cancelled_jobs_do_not_pile_up_and_those_that_wait_never_start() -> None:
    begun: list[int] = []
    ended: list[int] = []
    release = threading.Event()

    def work(report: Report, number: int) -> None:
        begun.append(number)
        release.wait()
        report(None)
        ended.append(number)

    sent: list[Any] = []
    threads = JobThreads(sent.append)
    last = THREADS + 5
    for number in range(THREADS):
        threads.start(_Start(number, work, (number,)))
    wait(lambda: len(begun) == THREADS)
    for number in range(THREADS, last + 1):
        threads.start(_Start(number, work, (number,)))
    for number in range(last):
        threads.cancel(number)
    release.set()
    wait(lambda: bool(sent))
    assert (sorted(begun[:-1]), begun[-1]) == ([*range(THREADS)], last)
    assert (ended, [message.number for message in sent]) == ([last], [last])


def test_close_ends_at_once_a_job_that_never_reports(runner: JobRunner) -> None:
    received, _ = start(runner, forever, False)
    wait(lambda: bool(received.results))
    worker = runner._worker
    assert worker is not None
    began = time.monotonic()
    runner.close()
    assert time.monotonic() - began < 0.5
    with pytest.raises(ProcessLookupError):  # not even a zombie
        os.kill(received.results[0], 0)
    assert not worker.running
    start(runner, square, np.ones(1))
    assert received.error is None


def test_close_while_messages_wait_reports_nothing() -> None:
    for _ in range(5):
        runner = JobRunner()
        received, job = start(runner, forever, True)
        wait(lambda: bool(received.results))
        jobs = [start(runner, square, np.ones(1))[1] for _ in range(50)]
        worker = runner._worker
        assert worker is not None
        for other in (job, *jobs):
            runner.cancel(other)
        runner.close()
        assert not worker.running


def test_close_before_the_first_job_or_right_after_it() -> None:
    JobRunner().close()
    runner = JobRunner()
    start(runner, forever, False)
    runner.close()


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_the_process_ends_with_its_parent(ending: signal.Signals) -> None:
    # From a program on the command line, which another process cannot import.
    program = (
        "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from explorer.session.jobs import JobRunner; from tests.explorer.jobs import forever\n"
        "JobRunner().start(forever, False, on_result=lambda pid: print(pid, flush=True), on_end=print)\n"
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
