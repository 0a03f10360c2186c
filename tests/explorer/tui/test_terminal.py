"""The program on a pseudo-terminal: how it starts and ends, and the state of the terminal afterwards."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.explorer.small import small_file
from tests.forking import PROCESS

PINKX = [sys.executable, "-c", "from explorer.cli import main; main()", "tui"]
ALTERNATE_ON, ALTERNATE_OFF, CURSOR_ON = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h"
# COLUMNS and LINES are wrong on purpose: the program must use the size of the terminal.
ENVIRONMENT = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "80", "LINES": "24"}
PROMPT = 6  # seconds; one or two on an idle machine


class Terminal:
    """A pseudo-terminal with the program on it, started or forked."""

    def __init__(
        self, *arguments: str, environment: dict[str, str] | None = None, process: type[subprocess.Popen[Any]] = PROCESS
    ) -> None:
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (40, 120))
        self.before = termios.tcgetattr(self.slave)
        self.output = b""
        self.process = process(
            [*PINKX, *arguments],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            env={**os.environ, **ENVIRONMENT, **(environment or {})},
        )

    def wait_for(self, text: bytes, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while text not in self.output:
            assert time.monotonic() < end, f"{text!r} did not appear in {self.output[-2000:]!r}"
            self._take(0.1)

    def ended(self, seconds: float) -> int:
        """Wait for the program to end; return its exit status."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, "the program did not end in time"
            self._take(0.05)
        self._take(0.05)
        return self.process.returncode

    def read(self, seconds: float) -> None:
        """Take all output for some time: a terminal that is not read counts as slow."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._take(left)

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def is_sane(self) -> bool:
        """Return whether the modes are as before, the alternate screen is off and the cursor is visible."""
        off = self.output.rfind(ALTERNATE_OFF)
        return (
            termios.tcgetattr(self.slave) == self.before
            and off > self.output.rfind(ALTERNATE_ON)
            and self.output.rfind(CURSOR_ON) > self.output.rfind(b"\x1b[?25l")
        )

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for end in (self.master, self.slave):
            if end >= 0:
                os.close(end)

    def _take(self, seconds: float) -> None:
        while select.select([self.master], [], [], seconds)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.output += data
            seconds = 0


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Any]:
    opened: list[Terminal] = []

    def start(*arguments: str, **options: Any) -> Terminal:
        opened.append(Terminal("--fresh", "--network", str(small_file(tmp_path)), *arguments, **options))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_program_and_leaves_the_terminal_sane(terminal: Any, number: signal.Signals) -> None:
    program = terminal(process=subprocess.Popen if number == signal.SIGTERM else PROCESS)
    program.wait_for(b"LIVE")
    program.process.send_signal(number)
    assert program.ended(PROMPT) == 128 + number
    assert program.is_sane()
    assert b"Traceback" not in program.output


def test_control_c_and_q_end_the_program_and_leave_the_terminal_sane(terminal: Any) -> None:
    for key in (b"\x03", b"q"):
        program = terminal()
        program.wait_for(b"LIVE")
        if key == b"q":
            suspend_and_continue(program)
        program.press(key)
        assert program.ended(PROMPT) == 0
        assert program.is_sane()


def suspend_and_continue(program: Terminal) -> None:
    """Return to the shell with Ctrl-Z, which gets its terminal back, and continue: the screen is drawn again."""
    program.press(b"\x1a")
    end = time.monotonic() + PROMPT
    while os.waitid(os.P_PID, program.process.pid, os.WSTOPPED | os.WNOHANG) is None:
        assert time.monotonic() < end, "the program did not stop"
        program.read(0.02)
    program.read(0.05)
    assert program.is_sane()
    drawn = len(program.output)
    program.process.send_signal(signal.SIGCONT)
    while b"Fixed points" not in program.output[drawn:]:
        assert time.monotonic() < end + PROMPT, "the screen was not drawn again"
        program.read(0.05)
    assert ALTERNATE_ON in program.output[drawn:]
    assert not program.is_sane()


def test_plain_textual_runs_end_to_end(terminal: Any) -> None:
    pyte = pytest.importorskip("pyte", reason="pyte, an independent terminal, is not installed")
    program = terminal("--speed", "1000", environment={"PINKX_PLAIN_TEXTUAL": "1"})
    screen = pyte.Screen(120, 40)
    stream = pyte.ByteStream(screen)
    program.wait_for(b"END")
    program.press(b"g")
    program.wait_for(b"input after embedding")
    stream.feed(program.output)
    lines = "\n".join(screen.display)
    assert screen.display[0].startswith(" pinkx")
    assert all(title in lines for title in ("1 Review", "3 Fixed points", "4 Spectrum", "5 Rolling", "6 Cells"))
    program.press(b"q")
    assert program.ended(PROMPT) == 0
    assert program.is_sane()


def test_q_quits_before_the_session_is_open(terminal: Any) -> None:
    program = terminal(process=subprocess.Popen)
    program.wait_for(ALTERNATE_ON)
    program.wait_for(b"quits")
    program.press(b"q")
    assert program.ended(PROMPT) == 0
    assert program.is_sane()


@pytest.mark.parametrize(("signalled", "plain"), [(True, "0"), (False, "0"), (False, "1")])
def test_a_closed_terminal_ends_the_program(terminal: Any, signalled: bool, plain: str) -> None:
    program = terminal(environment={"PINKX_PLAIN_TEXTUAL": plain})
    program.wait_for(b"LIVE")
    os.close(program.master)
    program.master = -1
    if signalled:
        program.process.send_signal(signal.SIGHUP)  # as the kernel does for the leader of the session
    program.process.wait(PROMPT + 1)
    assert program.process.returncode == 128 + signal.SIGHUP


def test_a_terminal_that_takes_no_output_does_not_block_the_exit(terminal: Any) -> None:
    program = terminal("--speed", "500")
    program.wait_for(b"LIVE")
    time.sleep(1.5)  # nothing reads the output: the buffer of the terminal is full
    program.process.send_signal(signal.SIGTERM)
    program.process.wait(PROMPT + 1)
    assert program.process.returncode == 128 + signal.SIGTERM


def test_the_first_frame_comes_before_torch(terminal: Any, tmp_path: Path) -> None:
    # A torch module that takes long to import, first on the path.
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "torch.py").write_text("import time; time.sleep(30)\n")
    program = terminal(environment={"PYTHONPATH": str(slow)}, process=subprocess.Popen)
    program.wait_for(b"loading PyTorch", 20)
    program.press(b"q")
    assert program.ended(PROMPT) == 0
    assert program.is_sane()


def test_an_error_on_opening_is_printed_on_a_sane_terminal(terminal: Any, tmp_path: Path) -> None:
    bad = tmp_path / "binary.txt"
    bad.write_bytes(b"caf\0 society")
    program = terminal("--reviews", str(bad))
    assert program.ended(60) == 1
    assert program.is_sane()
    assert b"error:" in program.output
    assert b"zero byte" in program.output
    assert b"Traceback" not in program.output


def test_cuda_without_a_device_is_an_error(terminal: Any) -> None:
    program = terminal("--device", "cuda", environment={"CUDA_VISIBLE_DEVICES": ""})
    assert program.ended(60) == 1
    assert b"error: --device cuda: " in program.output.replace(b"\r\n", b"")[-2000:]
    assert b"--device cpu" in program.output


def test_a_corrupt_network_is_an_error(terminal: Any, tmp_path: Path) -> None:
    corrupt = tmp_path / "corrupt.safetensors"
    corrupt.write_bytes(small_file(tmp_path).read_bytes()[:2000])
    program = terminal("--network", str(corrupt))
    assert program.ended(60) == 1
    assert b"damaged or not a .safetensors file" in program.output


def test_a_pipe_is_refused_with_advice() -> None:
    done = subprocess.run(PINKX, input="", capture_output=True, text=True)
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert "Traceback" not in done.stderr


def test_after_many_resizes_the_screen_is_correct(terminal: Any) -> None:
    pyte = pytest.importorskip("pyte", reason="pyte, an independent terminal, is not installed")
    program = terminal("--speed", "1000")
    program.wait_for(b"END")
    sizes = [(30, 100), (3, 9), (64, 200), (16, 60), (50, 80), (1, 1), (40, 120)]
    for size in sizes:
        termios.tcsetwinsize(program.slave, size)
        program.process.send_signal(signal.SIGWINCH)
        program.read(0.2)
    screen = pyte.Screen(120, 40)
    stream = pyte.ByteStream(screen)
    end = time.monotonic() + 20
    correct = False
    while not correct:
        assert time.monotonic() < end, screen.display
        before = len(program.output)
        for size in ((39, 120), (40, 120)):  # one more resize and back sends every cell
            termios.tcsetwinsize(program.slave, size)
            program.process.send_signal(signal.SIGWINCH)
            program.read(0.5)
        screen.reset()
        screen.reset_mode(pyte.modes.DECAWM)
        stream.feed(program.output[before:])
        lines = screen.display
        correct = (
            "pinkx" in lines[0] and lines[1].startswith("╭") and "6 Cells" in "".join(lines) and "Help" in lines[39]
        )
    assert program.process.poll() is None
