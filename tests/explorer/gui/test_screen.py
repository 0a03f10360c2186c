"""A window on a virtual display (Xvfb), driven by real key and mouse events (xdotool)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from explorer.gui.libraries import QT_LIBRARIES, QT_X11_LIBRARIES, missing_packages
from tests.explorer.small import small_file
from tests.forking import PROCESS

MISSING = missing_packages([*QT_LIBRARIES, *QT_X11_LIBRARIES])

SIZE = "1280x900"
PATIENCE = 120.0  # seconds, on a busy machine

pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux" or shutil.which("Xvfb") is None or shutil.which("xdotool") is None,
        reason="needs Xvfb and xdotool (Debian, Ubuntu: apt install xvfb xdotool)",
    ),
    pytest.mark.skipif(MISSING != [], reason=f"system libraries are missing: {' '.join(MISSING)}"),
    pytest.mark.timeout(400),
]


@pytest.fixture
def screen() -> Iterator[str]:
    """The name of a virtual display."""
    read, write = os.pipe()
    # Without -noreset it starts anew, and refuses connections, whenever its last client leaves, as each xdotool does.
    command = ["Xvfb", "-noreset", "-displayfd", str(write), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(10)


class Driven:
    """A window in its own process, with keyboard and mouse."""

    def __init__(self, display: str, folder: Path, process: type[subprocess.Popen[Any]], *arguments: str) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"},
            "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder),
        }  # fmt: skip
        code = "from explorer.cli import main; main()"
        command = [sys.executable, "-c", code, "gui", "--network", str(small_file(folder)), *arguments]
        self.process = process(command, env=self.environment, stderr=subprocess.PIPE, text=True)
        self.window = ""

    def open(self) -> None:
        """Wait until the session is open, which the title shows."""
        self.wait(lambda: bool(self.tool("search", "--onlyvisible", "--name", "lstm-12 · pinkx")))
        self.window = self.tool("search", "--onlyvisible", "--name", "lstm-12 · pinkx").split()[0]
        self.tool("windowsize", self.window, *SIZE.split("x"))
        self.tool("windowfocus", self.window)
        time.sleep(1.0)

    def tool(self, *arguments: str) -> str:
        done = subprocess.run(
            ["xdotool", *arguments], env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def key(self, *names: str) -> None:
        for name in names:
            self.tool("key", "--window", self.window, name)
            time.sleep(0.3)

    def wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "timed out"
            assert self.process.poll() is None, self.process.communicate()[1]
            time.sleep(0.1)

    def wait_for_exit(self) -> tuple[int, str, dict[str, dict[str, object]]]:
        """Return exit status, standard error and saved state."""
        _, errors = self.process.communicate(timeout=PATIENCE)
        path = self.folder / "pinkx" / "state.json"
        return self.process.returncode, errors, json.loads(path.read_text()) if path.exists() else {}


@pytest.fixture
def process() -> type[subprocess.Popen[Any]]:
    """Class that starts the program; a test may replace it by its parameter."""
    return PROCESS


@pytest.fixture
def driven(screen: str, tmp_path: Path, process: type[subprocess.Popen[Any]]) -> Iterator[Driven]:
    window = Driven(screen, tmp_path, process, "--speed", "500")
    with window.process:
        try:
            window.open()
            yield window
        finally:
            window.process.kill()


def test_keys_and_mouse_reach_a_window_on_a_screen(driven: Driven) -> None:
    driven.key("g", "L", "Down", "Down", "p")
    width, height = map(int, SIZE.split("x"))
    driven.tool("mousemove", "--window", driven.window, str(int(width * 0.4)), str(int(height * 0.35)), "click", "1")
    time.sleep(0.5)
    driven.key("q")
    code, errors, state = driven.wait_for_exit()
    assert (code, errors) == (0, "")
    assert state["session"]["signal"] == "x"
    assert state["session"]["pins"] == [1]
    assert state["window"]["theme"] == "light"


@pytest.mark.parametrize(("number", "process"), [(signal.SIGINT, subprocess.Popen), (signal.SIGTERM, PROCESS)])
def test_a_signal_closes_the_window_and_saves_the_state(driven: Driven, number: signal.Signals) -> None:
    driven.process.send_signal(number)
    code, errors, state = driven.wait_for_exit()
    assert (code, errors) == (128 + number, "")
    assert state["session"]["signal"] == "h"
