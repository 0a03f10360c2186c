"""Tests of the executors of shards: what --on accepts, and processes of this machine."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from engine.sweeps.executors import InProcess, check, open_pool, use_one_thread
from engine.sweeps.shards import Shard, Store, digest_of, map_shards, run_shards


@pytest.mark.parametrize(
    ("on", "says"),
    [
        ("nowhere", "expected local:N, dask://HOST:PORT or slurm:KEY=VALUE"),
        ("local", "expected local:N"),
        ("local:0", "expected the number of processes"),
        ("local:two", "expected the number of processes"),
        ("dask:host:1", "expected local:N, dask://HOST:PORT"),
        ("slurm:nodes=4", "cannot read 'nodes=4'; expected KEY=VALUE with partition, account,"),
        ("slurm:time=long", "cannot read 'time=long'"),
    ],
)
def test_an_unknown_place_is_one_sentence(on: str, says: str) -> None:
    with pytest.raises(ValueError, match="--on") as error:
        check(on)
    assert says in str(error.value)


@pytest.mark.parametrize(("on", "package"), [("dask://host:8786", "distributed"), ("slurm:time=5", "submitit")])
def test_a_missing_package_is_named(on: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(ValueError, match=rf"needs the package {package}: pip install 'pinkx\[cluster\]'"):
        check(on)


def test_this_process_is_an_executor() -> None:
    with open_pool(None) as pool:
        assert isinstance(pool.executor, InProcess)
        assert pool.width == 1
        assert pool.executor.submit(divmod, 7, 2).result() == (3, 1)
        assert isinstance(pool.executor.submit(divmod, 7, 0).exception(), ZeroDivisionError)
        assert pool.share("reviews") == "reviews"


WORK = """
import os, signal
from pathlib import Path
from engine.sweeps.shards import Result

def square(number, flag):
    if number == 2 and flag and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Result(number * number, {f"{number}.txt": str(os.getpid()).encode()})
"""


def test_two_processes_give_the_results_of_one_though_a_process_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "local_work.py").write_text(WORK, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    square = importlib.import_module("local_work").square
    shards = [Shard(f"square of {k}", digest_of("square", k), square, (k,)) for k in range(6)]
    store = Store(tmp_path / "shards", tmp_path / "files")
    said: list[str] = []
    values = run_shards(shards, "local:2", store, shared=(str(tmp_path / "died"),), report=said.append)
    assert values == run_shards(shards, shared=("",)) == [k * k for k in range(6)]
    assert (tmp_path / "died").exists()
    assert said[0].startswith(
        "a worker was lost (A worker process managed by the executor was unexpectedly terminated)"
    )
    assert os.getpid() not in {int(path.read_text()) for path in store.files.iterdir()}


def test_an_interrupt_ends_the_processes_and_says_nothing_of_their_semaphores() -> None:
    code = (
        "import os\n"
        "from engine.sweeps.executors import open_pool\n"
        "try:\n"
        "    with open_pool('local:1') as pool:\n"
        "        print(pool.executor.submit(os.getpid).result(), flush=True)\n"
        "        raise KeyboardInterrupt\n"
        "except KeyboardInterrupt:\n"
        "    os._exit(130)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "")  # the trackers write to it, and end after the program
    command = Path(f"/proc/{done.stdout.strip()}/cmdline")
    assert not command.exists() or command.read_bytes() == b""  # of an ended process that nobody waited for


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # submitit leaves its logs open
def test_slurm_jobs_are_an_executor(tmp_path: Path) -> None:
    """The debug executor of submitit runs a job in this process when it is asked for its result."""
    pytest.importorskip("submitit", reason="needs the extra cluster: pip install 'pinkx[cluster]'")
    on = f"slurm:cluster=debug,folder={tmp_path / 'jobs'},time=1,jobs=2"
    assert map_shards(divmod, {"a": (7, 2), "b": (9, 4), "c": (1, 1)}, on) == [(3, 1), (2, 1), (1, 0)]


def test_every_library_of_a_shard_has_one_thread() -> None:
    """Sums of OpenBLAS differ in the last bits between one thread and two."""
    with threadpool_limits(2):
        use_one_thread()
        assert {library["num_threads"] for library in threadpool_info()} == {1}
