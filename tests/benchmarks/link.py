"""pinkx on a pseudo-terminal behind a link with a limited data rate."""

from __future__ import annotations

import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

SIZE = (64, 200)  # rows, columns
QUIET, DRAWS = 0.2, 3  # seconds without output, and draws in them, after which a key is answered
FIRST_START_SEEN = '{"version": 1, "session": {"introduced": true}}'
_DRAW = struct.Struct("dd")
# The program; it reports the time of each draw and the words per second at that time.
_PROGRAM = """
import os, struct, sys, time
from explorer.tui.app import Explorer
pipe, again, draw = int(sys.argv.pop(1)), int(sys.argv.pop(1)), Explorer.draw
def reported(self, **options):
    draw(self, **options)
    if self.session is not None:
        self.session.stream.set_continuous(bool(again))
        os.write(pipe, struct.pack("dd", time.monotonic(), self.session.stream.snapshot.words_per_second))
Explorer.draw = reported
from explorer.cli import main
main()
"""


class Link:
    """A running program and its link.

    ``rate`` is in bytes per second; None is as fast as this process reads. With ``again`` the text is read repeatedly.
    """

    def __init__(self, *arguments: str, rate: float | None = None, again: bool = False) -> None:
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, SIZE)
        self._draws, draws_end = os.pipe()
        os.set_blocking(self._draws, False)
        self._state = tempfile.TemporaryDirectory()
        state = Path(self._state.name) / "pinkx" / "state.json"
        state.parent.mkdir()
        state.write_text(FIRST_START_SEEN)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(draws_end), str(int(again)), "tui", "--fresh", *arguments],
            stdin=slave, stdout=slave, stderr=slave, pass_fds=[draws_end], start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_STATE_HOME": self._state.name},
        )  # fmt: skip
        os.close(slave)
        os.close(draws_end)
        self.rate = rate
        self.output = bytearray()
        self._allowed, self._asked, self.came = 0.0, time.monotonic(), 0.0

    def take(self, seconds: float) -> int:
        """Read for ``seconds``; return the number of bytes."""
        end, before = time.monotonic() + seconds, len(self.output)
        while (now := time.monotonic()) < end:
            room = 1 << 16
            if self.rate is not None:
                self._allowed = min(self._allowed + (now - self._asked) * self.rate, self.rate / 50)
                self._asked = now
                room = int(self._allowed)
                if room < 64:
                    time.sleep(0.001)
                    continue
            if not select.select([self.master], [], [], min(0.005, end - now))[0]:
                continue
            try:
                data = os.read(self.master, min(room, 1 << 16))
            except OSError:  # the program has ended
                break
            if b"\x1b[?2026$p" in data:
                os.write(self.master, b"\x1b[?2026;2$y")  # this terminal supports synchronised output
            if self.rate is not None:  # bytes sent before the rate was limited do not count
                self._allowed -= len(data)
            self.output += data
            self.came = time.monotonic()
        return len(self.output) - before

    def wait_for(self, text: bytes, since: int = 0, seconds: float = 120) -> float:
        """Wait until a text appears; return the time (monotonic clock)."""
        end = time.monotonic() + seconds
        while text not in re.sub(rb"\x1b\[[\d;?]*[a-zA-Z]", b"", self.output[since:]):
            if time.monotonic() > end:
                raise TimeoutError(f"{text!r} did not appear: {bytes(self.output[-500:])!r}")
            self.take(0.002)
        return self.came

    def press(self, key: bytes, seconds: float = 10.0) -> tuple[float, float, int]:
        """Press a key at rest; return the seconds to the first and last byte of the response, and its bytes.

        A busy program is quiet, too: a layout takes longer than `QUIET`. Only one that draws nothing new has answered.
        """
        before, pressed, first, draws = len(self.output), time.monotonic(), 0.0, 0
        os.write(self.master, key)
        while time.monotonic() - pressed < seconds:
            got = self.take(0.002)
            if got and not first:
                first = self.came
            draws = len(self.draws()) + (0 if got else draws)
            if first and time.monotonic() - self.came > QUIET and draws >= DRAWS:
                break
        return first - pressed, self.came - pressed, len(self.output) - before

    def draws(self) -> list[tuple[float, float]]:
        """Return (time, words per second) of each draw since the last call."""
        data = b""
        while True:
            try:
                part = os.read(self._draws, 1 << 16)
            except BlockingIOError:
                break
            if not part:
                break
            data += part
        return list(_DRAW.iter_unpack(data))

    def quit(self) -> float:
        """Quit; return the seconds until the program has ended."""
        pressed = time.monotonic()
        os.write(self.master, b"q")
        while self.process.poll() is None and time.monotonic() - pressed < 30:
            self.take(0.005)
        took = time.monotonic() - pressed
        self.close()
        return took

    @property
    def memory(self) -> int:
        """The memory of the program and its child processes in bytes; pages that they share count once (Pss)."""
        return self._memory("Pss")

    @property
    def resident(self) -> int:
        """The same with shared pages, mostly those of libraries, counted once for each process (Rss)."""
        return self._memory("Rss")

    def _memory(self, kind: str) -> int:
        own = self.process.pid
        children = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _parent(pid) == own]
        return sum(_share(pid, kind) for pid in (own, *children))

    def close(self) -> None:
        """Kill the program and release the terminal."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for end in (self.master, self._draws):
            os.close(end)
        self._state.cleanup()


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has just ended
        return 0


def _share(pid: int, kind: str) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return 1024 * int(text.partition(f"\n{kind}:")[2].split()[0])


def long_review(folder: Path, words: int) -> Path:
    """Write a text of n words that repeats the bundled reviews; return its path."""
    from engine.reviews import open_reviews

    bundled = [word for review in open_reviews(None) for word in review.words]
    path = folder / "long.txt"
    with path.open("w") as file:
        for first in range(0, words, len(bundled)):
            file.write(" ".join(bundled[: words - first]) + "\n")
    return path
