"""Kill commands at random moments and run them again: ``python -m tests.robustness.resumes [NAME …] [--kills N]``.

A command that was killed N times (SIGKILL) must write the same numbers as one that was not. Then each must end within
two seconds of SIGTERM, and leave no temporary file. Figures and durations are not compared.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.local_server import serve

LIMIT: Final = 2.0  # seconds to end after SIGTERM
DURATIONS: Final = ("seconds", "date")
COMPARED: Final = (".json", ".csv", ".safetensors")
_PROGRAM: Final = "from explorer.cli import main; main()"
_TWO: Final = ("--networks", "lstm-8", "--networks", "lstm-16")
_SMALL: Final = ("--reviews", "bundled", "--words", "120", "--scales", "10,14,20,30")
_TINY: Final = ("--size", "4", "--epochs", "12", "--every-epoch")

COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "train": ("train", *_TINY, "--imdb", "{imdb}", "--out", "{out}/n.safetensors"),
    "train-task": ("train", "--task", "flip-flop-3", "--batches", "120", "--out", "{out}/n.safetensors"),
    "one-over-f": ("measure", "one-over-f", *_TWO, *_SMALL, "--out", "{out}"),
    "fixed-points": ("measure", "fixed-points", "--networks", "gru-100-flip*", "--starts", "8", "--out", "{out}"),
    "line": ("measure", "fixed-points", "--networks", "gru-64", "--starts", "8", "--out", "{out}"),
    "intervals": ("calibrate", "--write-intervals", "{out}/intervals.json", "--count", "40"),
    "calibrate": ("calibrate", "--count", "300", "--json"),
}  # fmt: skip


class Place:
    """A folder for a command, with caches and temporary files of its own."""

    def __init__(self, folder: Path, imdb: Path) -> None:
        self.out, self.temporary, self.imdb = folder / "out", folder / "tmp", imdb
        self.out.mkdir(parents=True)
        self.temporary.mkdir()
        own = dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(folder / "home"))
        self.environment = {**os.environ, **own, "TMPDIR": str(self.temporary), "OMP_NUM_THREADS": "1"}

    def start(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        given = [argument.format(out=self.out, imdb=self.imdb) for argument in arguments]
        with (
            (self.out.parent / "printed.json").open("wb") as printed,
            (self.out.parent / "errors").open("wb") as errors,
        ):
            return subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, *given],
                stdout=printed,
                stderr=errors,
                env=self.environment,
                cwd=self.out,
            )

    def numbers(self) -> dict[str, Any]:
        """Return what the command wrote and printed, without figures and durations."""
        found = {}
        for path in [self.out.parent / "printed.json", *sorted(self.out.rglob("*"))]:
            if path.suffix in COMPARED and "cache" not in path.parts:
                found[path.name] = _without_durations(path, self.out.parent)
        return found

    def left(self) -> list[str]:
        """Return the temporary files, without PyTorch's cache."""
        temporary = (p for p in self.temporary.rglob("*") if not p.name.startswith("torchinductor_"))
        hidden = [p for p in self.out.parent.rglob("*") if p.name.startswith((".", "tmp")) and p != self.temporary]
        return sorted({p.name for p in (*temporary, *hidden)})


def _without_durations(path: Path, folder: Path) -> Any:
    """Return what a file holds, without the durations and the name of the folder."""
    data = path.read_bytes()
    if path.suffix == ".safetensors":
        length = int.from_bytes(data[:8], "little")
        return _strip(json.loads(data[8 : 8 + length])), data[8 + length :]
    if path.suffix == ".csv":
        rows = list(csv.reader(io.StringIO(data.decode())))
        compared = [k for k, name in enumerate(rows[0]) if name not in DURATIONS]
        return [[row[k] for k in compared] for row in rows]
    try:
        return _strip(json.loads(data)) if path.suffix == ".json" else data
    except ValueError:
        return data.replace(str(folder).encode(), b"")


def _strip(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strip(one) for key, one in value.items() if key not in DURATIONS}
    return [_strip(one) for one in value] if isinstance(value, list) else value


def small_archive(path: Path) -> Path:
    """Write an IMDb archive of 1,700 training and 100 test reviews of made-up words."""
    place = Path(__file__).parents[1] / "engine" / "small_archive.py"
    spec = importlib.util.spec_from_file_location("small_archive", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dice, texts = np.random.default_rng(0), {}
    for number in range(1800):
        split, label = ("test" if number >= 1700 else "train"), ("pos", "neg")[number % 2]
        words = dice.permutation([{"pos": "good", "neg": "bad"}[label], *(f"w{k}" for k in dice.integers(0, 30, 40))])
        texts[f"aclImdb/{split}/{label}/{number}_{9 if label == 'pos' else 2}.txt"] = " ".join(words)
    return Path(module.pack(path, texts))


def resumed(name: str, kills: int, folder: Path, imdb: Path, dice: random.Random) -> list[str]:
    """Compare a run that was killed with one that was not; return what is wrong."""
    whole = Place(folder / f"{name}-whole", imdb)
    began = time.monotonic()
    if whole.start(COMMANDS[name]).wait() != 0:
        return ["failed: " + (whole.out.parent / "errors").read_text()[-300:]]
    took = time.monotonic() - began
    killed = Place(folder / f"{name}-killed", imdb)
    ended = 0
    for _ in range(kills):
        process = killed.start(COMMANDS[name])
        try:
            process.wait(dice.uniform(0.1, 0.8) * took)
            ended += 1
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    print(f"  {name}: {took:.1f} s; killed {kills - ended} times, ended {ended} times before its kill", flush=True)
    if killed.start(COMMANDS[name]).wait() != 0:
        return ["does not continue: " + (killed.out.parent / "errors").read_text()[-300:]]
    one, other = whole.numbers(), killed.numbers()
    wrong = [f"no {key}" for key in one.keys() - other.keys()]
    if name != "train" and one.get("printed.json") != other.get("printed.json"):  # a resumed run prints its own epochs
        wrong.append("prints other numbers")
    files = one.keys() & other.keys() - {"printed.json"}
    return wrong + [f"other numbers in {key}" for key in sorted(files) if one[key] != other[key]]


def terminated(arguments: Sequence[str], place: Place, after: float) -> tuple[float, list[str]]:
    """Send SIGTERM; return the seconds until the process ends, and what is wrong."""
    process = place.start(arguments)
    try:
        process.wait(after)
        return 0.0, []
    except subprocess.TimeoutExpired:
        pass
    sent = time.monotonic()
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    took = time.monotonic() - sent
    wrong = [f"took {took:.1f} s"] if took > LIMIT else []
    if process.returncode not in (128 + signal.SIGTERM, -signal.SIGTERM):
        wrong.append(f"exit status {process.returncode}")
    if b"Traceback" in (place.out.parent / "errors").read_bytes():
        wrong.append("a traceback: " + (place.out.parent / "errors").read_text()[-400:])
    return took, wrong + [f"temporary file {name}" for name in place.left()]


class Slow(BaseHTTPRequestHandler):
    """Sends an endless archive, slowly."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 30))
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(1 << 16))
                time.sleep(0.02)
        except OSError:
            pass

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[*COMMANDS, "download"])
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--signals", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary, serve(Slow) as address:
        folder = Path(temporary)
        imdb = small_archive(folder / "small.tar.gz")
        for name in options.names:
            arguments = COMMANDS.get(name, ("reviews", "fetch", "--url", f"{address}/a.tar.gz"))
            wrong = resumed(name, options.kills, folder, imdb, dice) if name in COMMANDS else []
            longest = 0.0
            for number in range(options.signals):
                place = Place(folder / f"{name}-signal-{number}", imdb)
                took, problems = terminated(arguments, place, dice.uniform(0.5, 6.0))
                longest, wrong = max(longest, took), wrong + problems
            print(f"{name:14} SIGTERM at most {longest:.2f} s; {'; '.join(wrong) or 'no problem'}", flush=True)


if __name__ == "__main__":
    main()
