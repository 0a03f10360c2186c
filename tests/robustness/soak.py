"""Memory while random actions are done: ``python -m tests.robustness.soak [MINUTES] [--desktop] [--json FILE]``.

An explorer reads long reviews at full speed, and a random action follows another. Prints the memory of its
processes (Pss: pages that they share count once) and the words read, and by how much the memory grows an hour in the
second half, by a line fitted to it.
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

import numpy as np

from engine.reviews import open_reviews
from tests.robustness.kills import KEYS, Program, descendants

MIB = 1 << 20
EVERY, SHOWN = 2.0, 15  # seconds between samples, samples a line
STILL = 10  # samples without a word that are reported

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
        Path("counting").write_text(str(words))
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
faulthandler.register(signal.SIGUSR1, open(os.path.join({folder!r}, f"stacks-{{os.getpid()}}"), "w"))
"""
_NAMES = {"engine_server": "engine", "session.jobs": "background jobs"}


def memory(pid: int) -> dict[str, int]:
    """Return the memory of a process and its children in bytes, by what they do."""
    found: dict[str, int] = {}
    for one, command in {pid: "front end", **descendants(pid)}.items():
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:  # it has ended
            continue
        name = next((name for part, name in _NAMES.items() if part in command), "front end" if one == pid else "other")
        found[name] = found.get(name, 0) + 1024 * int(text.partition("\nPss:")[2].split()[0])
    return found


def write_reviews(path: Path, words: int, dice: random.Random) -> None:
    """Write 20 reviews of about that many words, of bundled ones: opening a short one takes longer than reading it."""
    texts = [review.text for review in open_reviews(None)]
    mean = sum(len(review.words) for review in open_reviews(None)) / len(texts)
    rows = [json.dumps({"text": " ".join(dice.choices(texts, k=max(1, round(words / mean))))}) for _ in range(20)]
    path.write_text("\n".join(rows), encoding="utf-8")


def stacks(folder: Path, pid: int) -> str:
    """Return the stacks of all threads of a process and its children."""
    names = {pid: "front end", **descendants(pid)}
    for one in names:
        os.kill(one, signal.SIGUSR1)
    time.sleep(1)
    found = {name: folder / f"stacks-{one}" for one, name in names.items()}
    return "\n".join(f"== {name[-60:]}\n{path.read_text()}" for name, path in found.items() if path.exists())


def soak(options: argparse.Namespace) -> dict[str, object]:
    """Return the samples: ``seconds``, ``words``, and ``mib`` of each process."""
    dice = random.Random(options.seed)
    keys = [key for key in KEYS if key != b"R" or not options.no_recordings]
    seconds: list[float] = []
    words: list[int] = []
    used: list[dict[str, int]] = []
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
            while not (folder / "words").exists() and program.process.poll() is None:
                program.take(0.5)
            began = acted = time.monotonic()
            while (passed := time.monotonic() - began) < 60 * options.minutes:
                if not seconds or passed > seconds[-1] + EVERY:
                    seconds.append(round(passed, 1))
                    used.append(memory(program.process.pid))
                    words.append(int((folder / "words").read_text()))
                    if len(seconds) % SHOWN == 1:
                        parts = ", ".join(f"{name} {size / MIB:.0f}" for name, size in used[-1].items())
                        print(f"{passed:6.0f} s {words[-1]:12,} words {sum(used[-1].values()) / MIB:7.0f} MiB: {parts}",
                              flush=True)  # fmt: skip
                    if len(words) % STILL == 0 and words[-1] == words[-STILL]:
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
    total = np.array([sum(one.values()) / MIB for one in used])
    half = np.array(seconds) > seconds[-1] / 2
    slope = 3600 * np.polyfit(np.array(seconds)[half], total[half], 1)[0]
    print(f"{words[-1]:,} words; maximum {total.max():.0f} MiB; second half {total[half].min():.0f} to "
          f"{total[half].max():.0f} MiB, {slope:+.0f} MiB an hour")  # fmt: skip
    mib = {name: [round(one.get(name, 0) / MIB) for one in used] for name in names}
    explorer = "desktop" if options.desktop else "terminal"
    return {"explorer": explorer, "every": options.every, "seconds": seconds, "words": words, "mib": mib}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=10.0)
    parser.add_argument("--desktop", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=float, default=0.3, help="seconds between actions; inf: none")
    parser.add_argument(
        "--no-recordings", action="store_true", help="none in the terminal: they stay in memory until they are written"
    )
    parser.add_argument("--words", type=int, default=6000, help="words a review")
    parser.add_argument("--network", default="lstm-64")
    parser.add_argument("--json", type=Path, help="store the samples, for tests.robustness.soak_picture")
    options = parser.parse_args()
    found = soak(options)
    if options.json is not None:
        options.json.write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
