"""Memory while random actions are done: ``python -m tests.robustness.soak [MINUTES] [--desktop]``.

An explorer reads the bundled reviews at full speed, and a random action follows another. Prints the memory of its
processes (Pss: pages that they share count once) once in half a minute, and by how much it grows an hour in the second
half, by a line fitted to it.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.robustness.kills import KEYS, Program, descendants

MIB = 1 << 20
EVERY, SHOWN = 2.0, 15  # seconds between samples, samples a line


def memory(pid: int) -> int:
    """Return the memory of a process and its children in bytes."""
    total = 0
    for one in (pid, *descendants(pid)):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:  # it has ended
            continue
        total += 1024 * int(text.partition("\nPss:")[2].split()[0])
    return total


def soak(minutes: float, desktop: bool, seed: int) -> None:
    dice = random.Random(seed)
    samples: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        program = Program(Path(folder), "--speed", "inf", "--network", "lstm-64", desktop=desktop)
        try:
            while b"LIVE" not in program.output:
                program.take(0.5)
            began = time.monotonic()
            while (passed := time.monotonic() - began) < 60 * minutes:
                if not samples or passed > samples[-1][0] + EVERY:
                    samples.append((passed, memory(program.process.pid) / MIB))
                    if len(samples) % SHOWN == 1:
                        print(f"{passed:6.0f} s {samples[-1][1]:7.0f} MiB", flush=True)
                program.take(0.3)
                program.press(dice.choice(KEYS))
                if program.process.poll() is not None:
                    raise SystemExit(f"the program ended: {program.output[-2000:].decode(errors='replace')}")
            program.press(b"\x03")
            print("ended" if program.ends() else "DID NOT END")
        finally:
            program.close()
    seconds, used = np.array(samples).T
    half = seconds > seconds[-1] / 2
    slope = 3600 * np.polyfit(seconds[half], used[half], 1)[0]
    print(f"maximum {used.max():.0f} MiB; second half {used[half].min():.0f} to {used[half].max():.0f} MiB, "
          f"{slope:+.0f} MiB an hour")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=10.0)
    parser.add_argument("--desktop", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    soak(options.minutes, options.desktop, options.seed)


if __name__ == "__main__":
    main()
