"""A hundred networks in one process, in two, and on dask: ``python -m tests.benchmarks.hundred_networks FOLDER``.

Trains and measures the sweep of docs/sweeps.md three times, compares the networks to the last bit and the rows, and
writes assets/measured/sweep.json and the table of the page.  The scheduler and two workers of dask run as processes on
127.0.0.1.  A step that is interrupted starts again in the next call; finished ones are in FOLDER/times.json.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from safetensors.numpy import load_file

from engine.files import atomic_write
from engine.sweeps.table import Row, read_table
from explorer.measure.study.documentation import MEASURED, ROOT, fill, table
from explorer.measure.study.written_sections import write_section
from tests.benchmarks.sweep_growth import processor

MODULE: Final = "tests.benchmarks.hundred_networks"
RESULTS: Final = MEASURED / "sweep.json"
PAGE: Final = ROOT / "docs" / "sweeps.md"

GRID: Final = "cell=lstm,gru size=4..20+4 seed=0..9 lr=0.02 cut=200"
OPTIONS: Final = "--reviews bundled --validation 0 --selection training --epochs 30"
PLACES: Final = ("this process", "local:2", "dask, 2 workers")
TIMES: Final = ("seconds", "measure_seconds")  # columns of the rows that differ from run to run
DIGITS: Final = 5


def run_all(folder: Path, grid: str, options: str) -> dict[str, Any]:
    """Run what ``folder`` does not have yet, and return the results as in assets/measured/sweep.json."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = folder / "times.json"
    runs: dict[str, dict[str, Any]] = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else {}
    if not runs:  # Numba may have to compile, which is not what is timed
        warm = str(folder / "warm")
        _pinkx(["train", *options.split(), "--epochs", "1", "--grid", "cell=lstm,gru size=4 cut=80", "--out", warm])
        _pinkx(["measure", "sweep", warm, "--reviews", "bundled"])
    for k, place in enumerate(PLACES):
        run, out = runs.setdefault(place, {"on": place}), folder / str(k)
        train = ["train", *options.split(), "--grid", grid, "--out", str(out)]
        measure = ["measure", "sweep", str(out), "--reviews", "bundled"]
        trained = folder / f"{k} trained"
        for step, command in (("train_seconds", train), ("measure_seconds", measure)):
            if step in run:
                continue
            # What an interrupted step left must not save time in this one.
            shutil.rmtree(out, ignore_errors=True)
            if step == "measure_seconds":
                shutil.copytree(trained, out)
            with _place(place, folder) as on:
                run["load"] = max(run.get("load", 0.0), round(os.getloadavg()[0], 1))
                start = time.perf_counter()
                _pinkx([*command, *on])
                run[step] = round(time.perf_counter() - start, 1)
            if step == "train_seconds":
                shutil.rmtree(trained, ignore_errors=True)
                shutil.copytree(out, trained)
            with atomic_write(stored) as temporary:
                temporary.write_text(json.dumps(runs, indent=1), encoding="utf-8")
            print(f"{place}: {step} {run[step]:.1f}, load before {run['load']}", flush=True)
    first = folder / "0"
    compared = [_equal(first, folder / str(k)) for k in range(len(PLACES))]
    return {
        "format": "pinkx sweep results 2",
        "grid": grid,
        "options": options,
        "processor": processor(),
        "cores": os.cpu_count(),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("pinkx", "numpy", "torch", "numba", "distributed", "loky")},
        },
        "runs": [runs[place] | equal for place, equal in zip(PLACES, compared, strict=True)],
        "rows": [{name: _rounded(value) for name, value in row.items()} for row in read_table(first)],
    }


@contextmanager
def _place(place: str, folder: Path) -> Iterator[Sequence[str]]:
    """Yield the option that names a place, whose processes run meanwhile."""
    if not place.startswith("dask"):
        yield ("--on", place) if place.startswith("local") else ()
        return
    with ExitStack() as stack:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        address = f"127.0.0.1:{port}"
        _start(stack, "dask_scheduler", "--host", "127.0.0.1", "--port", str(port))
        for _ in range(2):
            options = ("--nthreads", "1", "--no-nanny", "--local-directory", str(folder / "dask"))
            _start(stack, "dask_worker", f"tcp://{address}", *options)
        import distributed

        client: Any = distributed.Client
        with client(f"tcp://{address}", timeout=60, set_as_default=False) as opened:
            opened.wait_for_workers(2, timeout=60)
        yield ("--on", f"dask://{address}")


def _start(stack: ExitStack, name: str, *arguments: str) -> None:
    command = [sys.executable, "-m", f"distributed.cli.{name}", *arguments, "--no-dashboard"]
    process = subprocess.Popen(command, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)


def _pinkx(arguments: Sequence[str]) -> None:
    call = "from explorer.cli import main; main()"
    subprocess.run([sys.executable, "-c", call, *arguments], env=_environment(), check=True)


def _environment() -> dict[str, str]:
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": paths}


# ---- comparison ----------------------------------------------------------------------------------------------------


def _equal(first: Path, other: Path) -> dict[str, int]:
    """Return how many networks of two folders have equal weights to the last bit, and how many rows are equal."""
    names = sorted(path.name for path in (first / "networks").glob("*.safetensors"))
    weights = [[_bytes(folder / "networks" / name) for name in names] for folder in (first, other)]
    rows = [[_untimed(row) for row in read_table(folder)] for folder in (first, other)]
    return {
        "equal_networks": sum(a == b for a, b in zip(*weights, strict=True)),
        "equal_rows": sum(a == b for a, b in zip(*rows, strict=True)),
    }


def _bytes(path: Path) -> Mapping[str, bytes]:
    return {name: values.tobytes() for name, values in load_file(path).items()}


def _untimed(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in TIMES}


def _rounded(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


# ---- documentation -------------------------------------------------------------------------------------------------


def section(document: dict[str, Any]) -> str:
    """Return the section of docs/sweeps.md with the times."""
    count = len(document["rows"])
    rows = []
    shown = {"this process": "this process", "local:2": "`local:2`", "dask, 2 workers": "`dask://…`, two workers"}
    for number, run in enumerate(document["runs"]):
        equal = [f"{run[f'equal_{what}']} of {count}" if number else "–" for what in ("networks", "rows")]
        seconds = (f"{run[f'{what}_seconds']:.0f}" for what in ("train", "measure"))
        rows.append((shown[run["on"]], *seconds, f"{run['load']:g}", *equal))
    heads = ("where", "training, s", "measurement, s", "load", "networks equal to the last bit", "equal rows")
    text = f"""{table(heads, rows)}

Seconds are those of the clock, with the start of pinkx and of its processes, on {document["cores"]} cores
({document["processor"]}); the load is the average number of processes that wanted a core before the run. Rows were
compared without their times. All rows are in `assets/measured/sweep.json`, written by
`python -m {MODULE} FOLDER`."""
    return fill(text)


def main() -> None:
    """Run, compare and write the documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--grid", default=GRID)
    parser.add_argument("--options", default=OPTIONS)
    parser.add_argument("--trial", action="store_true", help="Only print the section.")
    options = parser.parse_args()
    document = run_all(options.folder, options.grid, options.options)
    if options.trial:
        print(section(document))
        return
    with atomic_write(RESULTS) as temporary:
        temporary.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    write_section(PAGE, MODULE, section(document))


if __name__ == "__main__":
    main()
