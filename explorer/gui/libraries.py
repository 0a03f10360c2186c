"""Check that Qt can start, without loading Qt, which aborts if a system library or the display is missing."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import socket
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

# Libraries that PySide6 loads on Linux and does not ship: linker name → Debian package.
QT_LIBRARIES = {
    "glib-2.0": "libglib2.0-0",
    "GL": "libgl1",
    "EGL": "libegl1",
    "xkbcommon": "libxkbcommon0",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
    "freetype": "libfreetype6",
}
# What it needs in addition to draw on an X11 display.
QT_X11_LIBRARIES = {
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-keysyms": "libxcb-keysyms1",
    "xkbcommon-x11": "libxkbcommon-x11-0",
    "xcb-shape": "libxcb-shape0",
    "xcb-xkb": "libxcb-xkb1",
    "xcb-image": "libxcb-image0",
    "xcb-render-util": "libxcb-render-util0",
    "xcb-randr": "libxcb-randr0",
    "xcb-xinerama": "libxcb-xinerama0",
    "X11-xcb": "libx11-xcb1",
}
PACKAGES = ("PySide6", "pyqtgraph")


class GuiUnavailable(ValueError):
    """The desktop explorer cannot start here; the message says what to install or where to start it instead."""


@dataclass(frozen=True)
class Probe:
    """System properties that `check` reads."""

    platform: str = sys.platform
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def has_package(self, name: str) -> bool:
        """Return whether a Python package is installed."""
        return find_spec(name) is not None

    def has_library(self, name: str) -> bool:
        """Return whether the linker finds a shared library."""
        return ctypes.util.find_library(name) is not None

    def has_wayland(self) -> bool:
        """Return whether the Wayland compositor of WAYLAND_DISPLAY accepts a connection."""
        name, folder = self.environment.get("WAYLAND_DISPLAY"), self.environment.get("XDG_RUNTIME_DIR", "/")
        if not name:
            return False
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(Path(folder) / name))
        except OSError:
            return False
        return True

    def display_answers(self) -> bool:
        """Return whether the X server of DISPLAY accepts a connection."""
        xcb = ctypes.CDLL("libxcb.so.1")  # the X11 libraries depend on it
        xcb.xcb_connect.restype = ctypes.c_void_p
        connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
        answers = not xcb.xcb_connection_has_error(connection)
        xcb.xcb_disconnect(connection)
        return answers


def missing_packages(libraries: Iterable[str], probe: Probe | None = None) -> list[str]:
    """Return the Debian packages of those ``libraries`` that are missing."""
    probe, packages = probe or Probe(), QT_LIBRARIES | QT_X11_LIBRARIES
    return [packages[library] for library in libraries if not probe.has_library(library)]


def check(*, on_screen: bool, probe: Probe | None = None) -> None:
    """Check that Qt can start; ``on_screen``: that it can also open a window on a display.

    Raises
    ------
    GuiUnavailable
        If Python packages, system libraries or a display are missing.
    """
    probe = probe or Probe()
    absent = [name for name in PACKAGES if not probe.has_package(name)]
    if absent:
        raise GuiUnavailable(
            f"the desktop explorer needs {' and '.join(absent)}: pip install 'pinkx[gui]'; or use pinkx tui"
        )
    binding = probe.environment.get("PYQTGRAPH_QT_LIB", "")
    if binding not in ("", "PySide6"):
        raise GuiUnavailable(f"PYQTGRAPH_QT_LIB={binding}, but pinkx draws with PySide6: unset PYQTGRAPH_QT_LIB")
    if probe.platform != "linux":
        return  # elsewhere the wheel is complete and there is always a display
    on_x11 = on_screen and not probe.has_wayland()
    display = probe.environment.get("DISPLAY")
    wayland = probe.environment.get("WAYLAND_DISPLAY")
    if on_x11 and not display and wayland:
        raise GuiUnavailable(
            f"the Wayland display {wayland!r} does not answer: check WAYLAND_DISPLAY and XDG_RUNTIME_DIR, or "
            "use pinkx tui"
        )
    if on_x11 and not display:
        raise GuiUnavailable(
            "no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set): start pinkx gui in a desktop "
            "session, through ssh -X or with xvfb-run; save a picture with --screenshot; or use pinkx tui"
        )
    missing = missing_packages([*QT_LIBRARIES, *(QT_X11_LIBRARIES if on_x11 else ())], probe)
    if missing:
        raise GuiUnavailable(
            f"Qt needs system libraries that are not installed; Debian, Ubuntu: apt install {' '.join(missing)}; "
            "or use pinkx tui"
        )
    if on_x11 and not probe.display_answers():
        raise GuiUnavailable(
            f"the display {display!r} does not answer: check DISPLAY and your permission to draw there (xauth), or use "
            "pinkx tui"
        )


def platform_settings(probe: Probe | None = None) -> dict[str, str]:
    """Return environment variables that let Qt use X11 where WAYLAND_DISPLAY names a compositor that does not run."""
    probe = probe or Probe()
    known = probe.environment.get("QT_QPA_PLATFORM")
    stale = probe.platform == "linux" and "WAYLAND_DISPLAY" in probe.environment and not probe.has_wayland()
    return {"QT_QPA_PLATFORM": "xcb"} if stale and not known else {}
