"""`pinkx gui` where no window can be opened: a word on what to install, and no abort; needs no Qt itself."""

from __future__ import annotations

import ctypes.util
from pathlib import Path

import pytest
from click.testing import CliRunner

from explorer.cli import pinkx
from explorer.gui import libraries


@pytest.fixture(autouse=True)
def on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(libraries, "find_spec", lambda name: object())
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: f"lib{name}.so")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


def test_missing_python_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "find_spec", lambda name: None)
    done = CliRunner().invoke(pinkx, ["gui"])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: the window needs PySide6 and pyqtgraph: pip install 'pinkx[gui]'")
    assert "Traceback" not in done.output


def test_missing_system_libraries_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None if name in ("EGL", "xcb-cursor") else name)
    done = CliRunner().invoke(pinkx, ["gui"])
    assert done.exit_code == 1
    assert "apt install libegl1 libxcb-cursor0;" in done.stderr


def test_a_picture_needs_no_library_of_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None if "xcb" in name else name)
    libraries.check(on_screen=False)
    with pytest.raises(libraries.NoWindow, match="libxcb-cursor0"):
        libraries.check(on_screen=True)


def test_no_display_is_told() -> None:
    with pytest.raises(libraries.NoWindow, match="no display to open a window on"):
        libraries.check(on_screen=True)


def test_wayland_needs_no_x(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    with pytest.raises(libraries.NoWindow):
        libraries.check(on_screen=True)
    (tmp_path / "wayland-7").touch()
    libraries.check(on_screen=True)


def test_elsewhere_nothing_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    libraries.check(on_screen=True)
