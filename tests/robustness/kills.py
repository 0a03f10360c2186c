"""Kill an explorer, its engine or its worker at random moments: ``python -m tests.robustness.kills [COUNT]``.

The explorer is that of the terminal, or with ``--desktop`` that of the desktop, without a screen.

After each kill no process, no shared memory and no temporary file of it may be left, the saved state must load, and,
unless the front end itself was killed, `q` must leave the terminal as it was. At the end the program starts once more.
The victim ``signalled`` is the front end, which gets SIGTERM instead and must end within two seconds.
"""

from __future__ import annotations

import argparse
import os
import pty
import random
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from explorer.session.saved_state import load_state
from explorer.shutdown import WRITE_LIMIT

KEYS = (b"g", b" ", b"+", b"h", b"p", b"b", b"t", b"R", b"x", b"n", b"]", b"z", b"?", b"\x1b", b"F", b"M", b"i", b"K")
SIGNALLED = "signalled"  # the front end gets SIGTERM
VICTIMS = ("front end", "engine", "worker", SIGNALLED)
LIMIT = 2.0  # seconds to end after SIGTERM
PRINTED = 10  # trials a line
PATIENCE = 10.0  # seconds that processes may take to end on a busy machine

# The stacks of the threads are written at the signal USR1.
_STACKS = 'import faulthandler, signal; faulthandler.register(signal.SIGUSR1, open("stacks", "a"))'

# The desktop explorer, which does something several times a second.
_DESKTOP = """
import contextlib, random, sys
from explorer.cli import main
from explorer.gui import window
from explorer.session.actions import ACTIONS
from explorer.session.core import SessionError
from PySide6.QtCore import QTimer
begin = window.Window.__init__
def begun(self, *given, **options):
    begin(self, *given, **options)
    self.acting = QTimer(self)
    self.acting.timeout.connect(lambda: act(self.session))
    if EVERY < 1e6:
        self.acting.start(int(1000 * EVERY))
def act(session):
    if session is not None:
        print("LIVE", flush=True)
        with contextlib.suppress(SessionError):
            session.perform(random.choice([action.id for action in ACTIONS if action.id not in OMITTED]))
window.Window.__init__ = begun
main()
"""


class Program:
    """An explorer on a pseudo-terminal, with folders of its own; Python code runs before it.

    The desktop explorer acts by itself after each ``every`` seconds; it does not do ``omitted``, ids of actions.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        desktop: bool = False,
        prelude: str = "",
        every: float = 0.1,
        omitted: Sequence[str] = (),
    ) -> None:
        self.desktop = desktop
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self.state = folder / "pinkx" / "state.json"
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (40, 120))
        self.slave, self.before = slave, termios.tcgetattr(slave)
        self.output = b""
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "QT_QPA_PLATFORM": "offscreen",
            "TMPDIR": str(self.temporary),
        }
        environment |= dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(folder))
        code, verb = (_DESKTOP, "gui") if desktop else ("from explorer.cli import main; main()", "tui")
        settings = f"EVERY, OMITTED = float('{every}'), {tuple(omitted)}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"{_STACKS}\n{settings}\n{prelude}{code}", verb, *arguments],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=environment, cwd=folder,
        )  # fmt: skip

    def take(self, seconds: float) -> None:
        """Read the output for some time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.master], [], [], left)[0]:
                return
            try:
                self.output = (self.output + os.read(self.master, 1 << 16))[-(1 << 16) :]
            except OSError:
                return

    def press(self, key: bytes) -> None:
        """Press a key; the desktop explorer takes none, and Ctrl-C as a signal."""
        if not self.desktop:
            os.write(self.master, key)
        elif key == b"\x03":
            self.process.send_signal(signal.SIGINT)

    def ends(self, seconds: float = PATIENCE) -> bool:
        """Read the output until the program ends; return whether it does in time."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self.take(0.05)
        return self.process.poll() is not None

    def stacks(self) -> str:
        """Return the stacks of the threads of the front end."""
        self.process.send_signal(signal.SIGUSR1)
        time.sleep(1)
        return (self.folder / "stacks").read_text()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for handle in (self.master, self.slave):
            os.close(handle)


def descendants(pid: int) -> dict[int, str]:
    """Return the command line of each process below one, by its number."""
    found: dict[int, str] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                found[int(entry)] = Path(f"/proc/{entry}/cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def processes(program: Program, part: str) -> list[int]:
    """Return the processes below a program whose command line has that part."""
    return [pid for pid, command in descendants(program.process.pid).items() if part in command]


def trial(victim: str, dice: random.Random, folder: Path, desktop: bool) -> list[str]:
    """Start the program, kill one of its processes at a random moment, and return what is wrong afterwards."""
    wrong = []
    before = set(os.listdir("/dev/shm"))
    program = Program(folder, "--speed", dice.choice(("5", "500", "inf")), "--network", "lstm-8", desktop=desktop)
    try:
        wanted = {"engine": "engine_server", "worker": "session.jobs"}.get(victim, "")
        deadline = time.monotonic() + 120
        while wanted and not processes(program, wanted) and time.monotonic() < deadline:
            program.take(0.2)
            if b"LIVE" in program.output or b"PAUSED" in program.output:  # the first computation starts the worker
                program.press(dice.choice(KEYS))
        end = time.monotonic() + dice.uniform(0.0, 4.0 if wanted else 9.0)
        while time.monotonic() < end and program.process.poll() is None:
            program.take(dice.uniform(0.05, 0.5))
            if b"LIVE" in program.output:
                program.press(dice.choice(KEYS))
        children = descendants(program.process.pid)
        pids = processes(program, wanted) if wanted else [program.process.pid]
        if not pids:
            return [f"no {victim} to kill"]
        pid = pids[0]
        sent = time.monotonic()
        os.kill(pid, signal.SIGTERM if victim == SIGNALLED else signal.SIGKILL)
        if victim == SIGNALLED:
            ended = program.ends()
            if (took := time.monotonic() - sent) > LIMIT:
                wrong.append(f"SIGTERM took {took:.1f} s" if ended else "did not end")
        elif wanted:
            program.take(dice.uniform(0.2, 1.5))
            refused = b"LIVE" not in program.output and b"error: the engine's process ended" in program.output
            if program.process.poll() is not None and not refused:  # without an engine it cannot start
                wrong.append(f"the front end ended with the {victim}")
            program.process.send_signal(signal.SIGTERM) if dice.random() < 0.3 else program.press(b"\x03")
            if not program.ends(WRITE_LIMIT + PATIENCE):  # a recording may have to be written
                wrong.append("the front end did not end: " + program.stacks())
            elif termios.tcgetattr(program.slave) != program.before:
                wrong.append("the terminal has other modes")
            children |= descendants(program.process.pid)
            program.take(0.1)
            if b"Traceback" in program.output:
                wrong.append("a traceback: " + program.output.decode(errors="replace")[-1500:])
        deadline = time.monotonic() + PATIENCE
        while any(map(is_running, children)) and time.monotonic() < deadline:
            time.sleep(0.05)
        wrong += [f"still running: {children[pid][:80]}" for pid in children if is_running(pid)]
    finally:
        program.close()
    made = set(os.listdir("/dev/shm")) - before
    wrong += [f"shared memory {name}" for name in made if not name.startswith("sem.")]  # those are of other programs
    wrong += [f"temporary file {path.name}" for path in program.temporary.iterdir()]
    if program.state.exists() and (note := load_state(program.state).note):
        wrong.append(note)
    return wrong


def starts_again(folder: Path, desktop: bool) -> bool:
    """Return whether the program starts in a folder and ends by `q`."""
    program = Program(folder, desktop=desktop)
    try:
        deadline = time.monotonic() + 120
        while b"LIVE" not in program.output and b"PAUSED" not in program.output and time.monotonic() < deadline:
            program.take(0.2)
            if program.process.poll() is not None:
                return False
        program.press(b"\x03")
        return program.ends() and program.process.returncode == (128 + signal.SIGINT if desktop else 0)
    finally:
        program.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--desktop", action="store_true")
    parser.add_argument("--victims", nargs="+", choices=VICTIMS, default=VICTIMS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for victim in options.victims:
            found: Counter[str] = Counter()
            for seed in range(options.first, options.first + options.count):
                for problem in trial(victim, random.Random(seed), Path(name), options.desktop):
                    if not found[problem]:
                        print(f"  {victim} {seed}: {problem}", flush=True)
                    found[problem] += 1
                if (done := seed - options.first + 1) % PRINTED == 0:
                    print(f"  {victim} {done}: {found.total()} problems", flush=True)
            again = "starts again" if starts_again(Path(name), options.desktop) else "DOES NOT START AGAIN"
            print(f"{victim:10} {options.count} kills, {found.total()} problems; {again}", flush=True)


if __name__ == "__main__":
    main()
