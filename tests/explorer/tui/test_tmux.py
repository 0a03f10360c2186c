"""Two sessions of a user in tmux, end to end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.explorer.small import small_file

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Tmux:
    """A private tmux server with one window."""

    def __init__(self, folder: Path) -> None:
        self.base = ["tmux", "-S", str(folder / "socket"), "-f", "/dev/null"]
        environment = {key: value for key, value in os.environ.items() if key not in ("TMUX", "NO_COLOR")}
        environment |= {"COLUMNS": "80", "LINES": "24"}  # wrong on purpose: the program must use the size of the window
        size = ["-x", "120", "-y", "40"]
        subprocess.run([*self.base, "new-session", "-d", *size, "sh"], check=True, env=environment)

    def type(self, *keys: str) -> None:
        subprocess.run([*self.base, "send-keys", *keys], check=True)

    def screen(self) -> str:
        return subprocess.run([*self.base, "capture-pane", "-p"], check=True, capture_output=True, text=True).stdout

    def wait_for(self, text: str, seconds: float = 60) -> str:
        end = time.monotonic() + seconds
        while text not in (screen := self.screen()):
            assert time.monotonic() < end, f"{text!r} did not appear on\n{screen}"
            time.sleep(0.1)
        return screen

    def wait_until_gone(self, text: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while text in (screen := self.screen()):
            assert time.monotonic() < end, f"{text!r} is still on\n{screen}"
            time.sleep(0.1)

    def close(self) -> None:
        subprocess.run([*self.base, "kill-server"], check=False)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    opened = Tmux(tmp_path)
    yield opened
    opened.close()


def test_reading_and_typing(tmux: Tmux, tmp_path: Path) -> None:
    pinkx = f'{sys.executable} -c "from explorer.cli import main; main()" tui --network {small_file(tmp_path)}'
    tmux.type(f"cd {Path(__file__).parents[3]}; {pinkx}; echo left with $?; stty -a", "Enter")
    screen = tmux.wait_for("● LIVE")
    assert "review 1/" in screen
    tmux.wait_for("P(positive) 0.")

    tmux.type("t")
    tmux.wait_for("Type or paste a review")
    tmux.type("-l", "What a warm and wonderful film about a town, and so very human")
    tmux.type("Enter")
    tmux.wait_for("review typed")
    tmux.wait_for("■ END")
    assert "word 13/13" in tmux.screen()

    tmux.type("Left")
    tmux.wait_for("◂ LOOKING BACK")
    assert "▐very▌" in tmux.wait_for("word 12/13")
    tmux.type("End")
    tmux.wait_for("■ END")

    tmux.type("Down", "p")
    tmux.wait_for("▸#000")
    tmux.type("g")
    tmux.wait_for("input after embedding")

    tmux.type("n")
    tmux.wait_for("review 2/")
    tmux.type("Space")
    tmux.wait_for("● LIVE")
    tmux.type("Space")
    tmux.wait_for("‖ PAUSED")

    tmux.type("?")
    tmux.wait_for("In this panel: Cells × time")
    tmux.type("Escape")
    tmux.wait_until_gone("In this panel: Cells × time")  # escape and q at once would be alt+q
    tmux.type("q")
    screen = tmux.wait_for("left with 0")
    assert "P(positive)" not in screen  # the alternate screen is gone
    modes = tmux.wait_for("iutf8").split()
    assert {"icanon", "echo", "isig", "ixon"} <= set(modes)


@pytest.mark.timeout(600)
def test_an_analysis(tmux: Tmux, tmp_path: Path) -> None:
    """Type a review, pause, scrub, brush, pin, ablate, compare, select a fixed point, export, quit."""
    network, root = small_file(tmp_path), Path(__file__).parents[3]
    pinkx = f'PYTHONPATH={root} {sys.executable} -c "from explorer.cli import main; main()"'
    tmux.type(f"cd {tmp_path}; {pinkx} tui --network {network}; echo left with $?", "Enter")
    tmux.wait_for("● LIVE")

    tmux.type("t")
    tmux.wait_for("Type or paste a review")
    tmux.type("-l", "What a warm and wonderful film about a town, " + "and then a dull one, " * 20)
    tmux.type("Enter")
    tmux.wait_for("review typed")
    tmux.wait_for("● LIVE")
    tmux.type("Space")
    tmux.wait_for("‖ PAUSED")

    tmux.type("j")
    tmux.wait_for("percentage such as")
    tmux.type("30", "Enter")
    tmux.wait_for("word 30/")
    tmux.type("Left", "Left")
    tmux.wait_for("◂ LOOKING BACK")
    tmux.type("b")
    tmux.wait_for("go to the other end")
    tmux.type("Left", "b")
    tmux.wait_for("brushed words")

    tmux.type("Down", "p")
    tmux.wait_for("#000*")
    tmux.type("x")
    tmux.wait_for("#000∅")
    tmux.type("U")
    tmux.wait_until_gone("#000∅")

    tmux.type("c")
    tmux.wait_for("Compare with")
    tmux.type("lstm-8", "Enter")
    tmux.wait_until_gone("Compare with")
    tmux.wait_for("lstm-8")

    tmux.wait_for("128 starts", 300)  # the search runs in a worker process
    tmux.type("]")
    tmux.wait_for("◉ zero", 120)
    tmux.type("e")
    tmux.wait_for("Focused panel")
    tmux.type("Enter")
    tmux.wait_for("saved")
    assert {".svg", ".csv"} <= {path.suffix for path in tmp_path.iterdir()}

    tmux.type("Escape")
    tmux.wait_until_gone("◉ zero")
    tmux.type("q")
    tmux.wait_for("left with 0")
