"""`pinkx gui` where Qt cannot start: the error says what to install or where to start it; needs no Qt."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from explorer.cli import pinkx
from explorer.gui.libraries import (
    PACKAGES,
    QT_LIBRARIES,
    QT_X11_LIBRARIES,
    GuiUnavailable,
    Probe,
    check,
    missing_packages,
    platform_settings,
)


@dataclass(frozen=True)
class Machine(Probe):
    """A Linux machine with everything but what is listed as missing."""

    platform: str = "linux"
    missing: Collection[str] = ()
    answers: bool = True

    def has_package(self, name: str) -> bool:
        return name not in self.missing

    def has_library(self, name: str) -> bool:
        return name not in self.missing

    def display_answers(self) -> bool:
        return self.answers


X11 = {"DISPLAY": ":0"}


def test_missing_python_packages_are_named() -> None:
    with pytest.raises(GuiUnavailable, match=r"needs PySide6 and pyqtgraph: pip install 'pinkx\[gui\]'"):
        check(on_screen=True, probe=Machine(environment=X11, missing=("PySide6", "pyqtgraph")))


def test_missing_system_libraries_are_named_with_their_packages() -> None:
    machine = Machine(environment=X11, missing=("EGL", "xcb-cursor"))
    with pytest.raises(GuiUnavailable, match="apt install libegl1 libxcb-cursor0;"):
        check(on_screen=True, probe=machine)
    assert missing_packages(["EGL", "GL", "xcb-cursor"], machine) == ["libegl1", "libxcb-cursor0"]


def test_a_picture_needs_no_library_of_a_display() -> None:
    machine = Machine(environment=X11, missing=QT_X11_LIBRARIES)
    check(on_screen=False, probe=machine)
    with pytest.raises(GuiUnavailable, match="libxcb-cursor0"):
        check(on_screen=True, probe=machine)


@pytest.mark.parametrize("missing", [(), ("xcb-icccm", "xcb-keysyms", "xcb-xinerama")], ids=["complete", "without xcb"])
def test_a_missing_display_is_named_whatever_libraries_there_are(missing: tuple[str, ...]) -> None:
    with pytest.raises(GuiUnavailable, match="no display to open a window on") as error:
        check(on_screen=True, probe=Machine(environment={}, missing=missing))
    assert "--screenshot" in str(error.value)


def test_a_display_that_does_not_answer_is_named() -> None:
    check(on_screen=True, probe=Machine(environment=X11))
    with pytest.raises(GuiUnavailable, match="the display ':0' does not answer"):
        check(on_screen=True, probe=Machine(environment=X11, answers=False))
    with pytest.raises(GuiUnavailable, match="libxcb-icccm4"):  # the libraries come first: they are needed to ask
        check(on_screen=True, probe=Machine(environment=X11, answers=False, missing=("xcb-icccm",)))


def test_wayland_needs_no_x(tmp_path: Path) -> None:
    machine = Machine(environment={"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "wayland-7"})
    with pytest.raises(GuiUnavailable, match="the Wayland display 'wayland-7' does not answer"):
        check(on_screen=True, probe=machine)
    (tmp_path / "wayland-7").touch()  # what a compositor that crashed leaves
    with pytest.raises(GuiUnavailable, match="does not answer"):
        check(on_screen=True, probe=machine)
    (tmp_path / "wayland-7").unlink()
    with socket.socket(socket.AF_UNIX) as compositor:
        compositor.bind(str(tmp_path / "wayland-7"))
        compositor.listen()
        check(on_screen=True, probe=machine)
        assert platform_settings(machine) == {}


def test_x11_is_used_where_wayland_does_not_answer() -> None:
    stale = {"WAYLAND_DISPLAY": "wayland-7", "XDG_RUNTIME_DIR": "/nonexistent"}
    check(on_screen=True, probe=Machine(environment=X11 | stale))
    assert platform_settings(Machine(environment=X11 | stale)) == {"QT_QPA_PLATFORM": "xcb"}
    assert platform_settings(Machine(environment=X11)) == {}
    assert platform_settings(Machine(environment=X11 | stale | {"QT_QPA_PLATFORM": "vnc"})) == {}


def test_another_qt_binding_in_the_environment_is_not_used() -> None:
    code = "import explorer.gui, os; print(os.environ['PYQTGRAPH_QT_LIB'])"
    known = os.environ | {"PYQTGRAPH_QT_LIB": "PyQt5"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=known)
    assert done.stdout.strip() == "PySide6"


def test_other_systems_need_only_the_packages() -> None:
    check(on_screen=True, probe=Machine(platform="darwin", environment={}, missing=QT_X11_LIBRARIES))


# ---- the command -------------------------------------------------------------------------------------------------


def run_gui(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    """Run `pinkx gui` with these variables of the display; return its error."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(pinkx, ["gui"])
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    return done.stderr


@pytest.mark.skipif(Probe().platform != "linux", reason="elsewhere there is always a display")
class TestCommand:
    def test_without_a_display_it_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        error = run_gui(monkeypatch)
        absent = [name for name in PACKAGES if not Probe().has_package(name)]
        assert error.startswith("error: the desktop explorer needs" if absent else "error: no display to open a window")
        assert "or use pinkx tui" in error

    def test_a_display_that_does_not_answer_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        absent = [name for name in PACKAGES if not Probe().has_package(name)]
        absent += missing_packages([*QT_LIBRARIES, *QT_X11_LIBRARIES])
        if absent:
            pytest.skip(f"needs {' '.join(absent)}")
        assert "the display ':6543' does not answer" in run_gui(monkeypatch, DISPLAY=":6543")
