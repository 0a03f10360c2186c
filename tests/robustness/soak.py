"""Memory while random actions are done: ``python -m tests.robustness.soak [MINUTES] [--desktop] [--json FILE]``.

An explorer reads long reviews at full speed, and a random action follows another. Prints the memory of its
processes (Pss: pages that they share count once) and the words read. For each process it also prints by how much the
memory grows, by a line fitted to the last two thirds. That is memory without pages of files, because Pss counts those
differently whenever another program starts that uses the same libraries; and without the time of recordings, which the
front end keeps until they are written.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from engine.reviews import open_reviews
from tests.robustness.kills import KEYS, Program, descendants

MIB = 1 << 20
EVERY, SHOWN = 2.0, 15  # seconds between samples, samples a line
STILL = 10  # samples without a word that are reported
COMPILING = 180.0  # seconds in which the first word need not be read

# Counts the words, and reads on at full speed when an action has slowed or paused that. The words that a run reads
# after it was looked at last are missing: less than are read in 0.05 s.
_COUNT = """
import contextlib, threading, time, traceback
from pathlib import Path
from explorer.session.session import Session
def begun(self, *given, begin=Session.__init__, **options):
    begin(self, *given, **options)
    self.stream.set_continuous(True)
    threading.Thread(target=guarded, args=(self,), daemon=True).start()
def guarded(session):
    try:
        count(session)
    except BaseException:
        Path("failed").write_text(traceback.format_exc())
def count(session):
    words, before = 0, session.stream.snapshot
    for number in range(1 << 60):
        time.sleep(0.05)
        snapshot = session.stream.snapshot
        words += max(0, snapshot.time - (before.time if snapshot.run == before.run else 0))
        before = snapshot
        if number % 5:
            continue
        Path("counting").write_text(f"{words} {int(session.recorder.busy)}")
        Path("counting").replace("words")
        Path("state").write_text(f"run {snapshot.run}, word {snapshot.time} of {snapshot.words}, {snapshot.playing=}, "
            f"{snapshot.speed=}, {snapshot.network.name}, {snapshot.lost=}, {session.note!r}")
        with contextlib.suppress(Exception):
            if not snapshot.playing:
                session.playback.follow()
                session.play()
            elif snapshot.speed is not None:
                session.stream.set_speed(None)
Session.__init__ = begun
"""
# In every process: the stacks of its threads are written at the signal USR1.
_STACKS = """
import faulthandler, os, signal
faulthandler.register(signal.SIGUSR1, open(os.path.join({folder!r}, f"stacks-{{os.getpid()}}"), "a"))
"""
_NAMES = {"engine_server": "engine", "session.jobs": "background jobs"}


def memory(pid: int) -> dict[str, tuple[int, int]]:
    """Return the memory of a process and its children by what they do: bytes, and those that are no pages of files."""
    found: dict[str, tuple[int, int]] = {}
    for one, command in {pid: "front end", **descendants(pid)}.items():
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:  # it has ended
            continue
        name = next((name for part, name in _NAMES.items() if part in command), "front end" if one == pid else "other")
        every, files = (1024 * int(text.partition(f"\n{field}:")[2].split()[0]) for field in ("Pss", "Pss_File"))
        before = found.get(name, (0, 0))
        found[name] = before[0] + every, before[1] + every - files
    return found


def slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Fit a line; return its slope and half the width of the 95 % interval, with residuals that depend on the last."""
    fit = stats.linregress(x, y)
    rest = y - fit.intercept - fit.slope * x
    repeats = float(np.clip((rest[1:] @ rest[:-1]) / (rest @ rest), 0, 0.95))
    count = max(3.0, len(x) * (1 - repeats) / (1 + repeats))  # independent residuals
    error = fit.stderr * np.sqrt((len(x) - 2) / (count - 2))
    return float(fit.slope), float(error * stats.t.ppf(0.975, count - 2))


def growth(samples: dict[str, Any], name: str) -> str:
    """Return how the memory of a process grew in the last two thirds, outside recordings."""
    minute = np.array(samples["seconds"]) / 60
    words, own = np.array(samples["words"]) / 1e6, np.array(samples["own"][name])
    used = (minute > minute[-1] / 3) & ~np.array(samples["recording"]) & (own > 0)
    numbers = np.unique(minute[used].astype(int))
    if len(numbers) < 5:
        return f"{name}: too few minutes outside recordings"
    means = [
        np.mean([row[used & (minute.astype(int) == number)] for row in (minute, words, own)], 1) for number in numbers
    ]
    x, millions, y = np.array(means).T
    minutely = "{:+.2f} ± {:.2f} MiB a minute".format(*slope(x, y))
    by_words = "{:+.1f} ± {:.1f} MiB a million words".format(*slope(millions, y))
    return f"{name}: {minutely}, {by_words}; {y.min():.0f} to {y.max():.0f} MiB in the means of {len(y)} minutes"


def write_reviews(path: Path, words: int, dice: random.Random) -> None:
    """Write 20 reviews of about that many words, of bundled ones: opening a short one takes longer than reading it."""
    texts = [review.text for review in open_reviews(None)]
    mean = sum(len(review.words) for review in open_reviews(None)) / len(texts)
    rows = [json.dumps({"text": " ".join(dice.choices(texts, k=max(1, round(words / mean))))}) for _ in range(20)]
    path.write_text("\n".join(rows), encoding="utf-8")


def stacks(folder: Path, pid: int) -> str:
    """Return the stacks of all threads of a process and its children."""
    names = {pid: "front end", **descendants(pid)}
    found = {name: folder / f"stacks-{one}" for one, name in names.items()}
    for one, path in zip(names, found.values(), strict=True):
        path.write_text("")  # without earlier stacks
        os.kill(one, signal.SIGUSR1)
    time.sleep(1)
    return "\n".join(f"== {name[-60:]}\n{path.read_text()}" for name, path in found.items() if path.exists())


def soak(options: argparse.Namespace) -> dict[str, Any]:
    """Return the samples: ``seconds``, ``words``, ``recording``; of each process ``mib``, and ``own`` without files."""
    dice = random.Random(options.seed)
    keys = [key for key in KEYS if key != b"R" or not options.no_recordings]
    seconds: list[float] = []
    words: list[int] = []
    recording: list[bool] = []
    used: list[dict[str, tuple[int, int]]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_reviews(folder / "long.jsonl", options.words, dice)
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(_STACKS.format(folder=name))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder / "site"), os.environ.get("PYTHONPATH"))))
        arguments = ("--speed", "inf", "--network", options.network, "--reviews", "long.jsonl")
        omitted = ("record",) if options.no_recordings else ()
        program = Program(
            folder, *arguments, desktop=options.desktop, prelude=_COUNT, every=options.every, omitted=omitted
        )
        try:
            while not (folder / "words").exists():
                program.take(0.5)
                if program.process.poll() is not None:
                    raise SystemExit(f"the program ended: {program.output[-2000:].decode(errors='replace')}")
            began = acted = time.monotonic()
            while (passed := time.monotonic() - began) < 60 * options.minutes:
                if not seconds or passed > seconds[-1] + EVERY:
                    seconds.append(round(passed, 1))
                    used.append(memory(program.process.pid))
                    count, busy = (folder / "words").read_text().split()
                    words.append(int(count))
                    recording.append(busy == "1")
                    if len(seconds) % SHOWN == 1:
                        sizes = {name: size / MIB for name, (size, _) in used[-1].items()}
                        parts = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
                        print(f"{passed:6.0f} s {words[-1]:12,} words {sum(sizes.values()):7.0f} MiB: {parts}",
                              flush=True)  # fmt: skip
                    still = len(words) % STILL == 0 and words[-1] == words[-STILL]
                    if still and (words[-1] or passed > COMPILING):
                        print(f"{passed:6.0f} s NO WORD was read for {STILL * EVERY:.0f} s: "
                              f"{(folder / 'state').read_text()}\n{stacks(folder, program.process.pid)}",
                              flush=True)  # fmt: skip
                program.take(0.3)
                if time.monotonic() - acted > options.every:
                    acted = time.monotonic()
                    program.press(dice.choice(keys))
                if (folder / "failed").exists():
                    raise SystemExit(f"words are not counted any more:\n{(folder / 'failed').read_text()}")
                if program.process.poll() is not None:
                    raise SystemExit(f"the program ended: {program.output[-2000:].decode(errors='replace')}")
            program.press(b"\x03")
            print("ended" if program.ends() else "DID NOT END")
        finally:
            program.close()
    names = list(dict.fromkeys(name for one in used for name in one))
    samples = {
        "explorer": "desktop" if options.desktop else "terminal",
        "every": options.every,
        "seconds": seconds,
        "words": words,
        "recording": recording,
        "mib": {name: [round(one.get(name, (0, 0))[0] / MIB) for one in used] for name in names},
        "own": {name: [round(one.get(name, (0, 0))[1] / MIB, 1) for one in used] for name in names},
    }
    print(f"{words[-1]:,} words; recording in {np.mean(recording):.0%} of the time")
    for name in names:
        print(growth(samples, name))
    return samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=10.0)
    parser.add_argument("--desktop", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=float, default=0.3, help="seconds between actions; inf: none")
    parser.add_argument("--no-recordings", action="store_true", help="they stay in memory until they are written")
    parser.add_argument("--words", type=int, default=6000, help="words a review")
    parser.add_argument("--network", default="lstm-64")
    parser.add_argument("--json", type=Path, help="store the samples, for tests.robustness.soak_picture")
    options = parser.parse_args()
    found = soak(options)
    if options.json is not None:
        options.json.write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
