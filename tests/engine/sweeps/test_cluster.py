"""A real dask cluster on this machine: a worker is killed in the middle, and the scheduler is started anew."""

from __future__ import annotations

import importlib
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from engine.sweeps.shards import Progress, Shard, Store, digest_of, run_shards

pytest.importorskip("distributed", reason="needs the extra cluster: pip install 'pinkx[cluster]'")

SHARDS = 12


WORK = """
import os, time
from engine.sweeps.shards import Result

def work(number, reviews):
    time.sleep(0.1)  # long enough that what happens does so in the middle
    return Result({"number": number, "sum": sum(reviews) + number}, {f"{number}.pid": str(os.getpid()).encode()})
"""


class Cluster:
    """A scheduler and two workers, each a process, at one address."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        self._stack, self._folder = stack, folder
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.scheduler = self._process("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", str(self._folder))
        self.workers = [self._process("dask_worker", f"tcp://{self.address}", *options) for _ in range(2)]

    def restart(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
        self.start()

    def _process(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        paths = os.pathsep.join((str(self._folder), str(Path(__file__).parents[3])))
        command = [sys.executable, "-m", f"distributed.cli.{name}", *arguments, "--no-dashboard"]
        process = subprocess.Popen(
            command, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process


def test_a_worker_is_killed_and_the_scheduler_starts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sweeps.executors.CONNECT", 100.0)
    (tmp_path / "cluster_work.py").write_text(WORK, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    work = importlib.import_module("cluster_work").work
    shards = [Shard(f"shard {k}", digest_of("cluster", k), work, (k,)) for k in range(SHARDS)]
    store = Store(tmp_path / "shards", tmp_path / "files")
    said: list[str] = []
    happened: list[str] = []
    with ExitStack() as stack:
        cluster = Cluster(stack, tmp_path)

        def disturb(now: Progress) -> None:
            if now.done == 3 and not happened:
                happened.append("a worker was killed")
                cluster.workers[0].kill()
            if now.done == 6 and len(happened) == 1:
                happened.append("the scheduler was started anew")
                cluster.restart()

        on = f"dask://{cluster.address}"
        values = run_shards(shards, on, store, shared=([1, 2, 3],), progress=disturb, report=said.append)
        processes = {int((store.files / f"{k}.pid").read_text()) for k in range(SHARDS)}
    assert values == [{"number": k, "sum": 6 + k} for k in range(SHARDS)]
    assert len(happened) == 2
    assert any(text.startswith("a worker was lost") for text in said)
    assert os.getpid() not in processes
    assert len(processes) >= 2
    assert run_shards(shards, on, store, shared=([1, 2, 3],)) == values  # nothing is left to compute
