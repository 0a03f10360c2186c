"""What Qt needs of the system, looked for without loading Qt, which aborts where something is missing."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

# What PySide6 loads on Linux and does not bring, by the name a linker knows and the Debian package it comes from.
QT_LIBRARIES = {
    "glib-2.0": "libglib2.0-0",
    "GL": "libgl1",
    "EGL": "libegl1",
    "xkbcommon": "libxkbcommon0",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
    "freetype": "libfreetype6",
}
# And what it loads besides to draw on an X11 screen.
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


class NoWindow(ValueError):
    """No window can be opened here; the message says what to install or where to start it instead."""


def missing_packages(libraries: Iterable[str]) -> list[str]:
    """The Debian packages of those of Qt's libraries that are not there."""
    known = QT_LIBRARIES | QT_X11_LIBRARIES
    return [known[library] for library in libraries if ctypes.util.find_library(library) is None]


def check(*, on_screen: bool) -> None:
    """Make sure that Qt can start: with a window on a screen, or without one for a picture.

    Raises
    ------
    NoWindow
        If Python packages, system libraries or a display are missing.
    """
    absent = [name for name in PACKAGES if find_spec(name) is None]
    if absent:
        raise NoWindow(f"the window needs {' and '.join(absent)}: pip install 'pinkx[gui]'; or use pinkx tui")
    if sys.platform != "linux":
        return  # elsewhere Qt brings all it needs, and there is a screen
    on_x11 = on_screen and not _wayland()
    missing = missing_packages([*QT_LIBRARIES, *(QT_X11_LIBRARIES if on_x11 else ())])
    if missing:
        raise NoWindow(
            f"Qt needs system libraries that are not here; Debian, Ubuntu: apt install {' '.join(missing)}; "
            "or use pinkx tui"
        )
    if on_x11 and not os.environ.get("DISPLAY"):
        raise NoWindow(
            "there is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set): start pinkx gui in "
            "a desktop session, over ssh -X or by xvfb-run, save a picture with --screenshot, or use pinkx tui"
        )
    if on_x11 and not _display_answers():
        raise NoWindow(
            f"the display {os.environ['DISPLAY']!r} does not answer: see whether DISPLAY is right and whether you may "
            "draw there (xauth), or use pinkx tui"
        )


def _wayland() -> bool:
    """Whether a Wayland compositor is there to draw by."""
    name = os.environ.get("WAYLAND_DISPLAY")
    return bool(name) and (Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / str(name)).exists()


def _display_answers() -> bool:
    """Whether the X server of DISPLAY lets us in: Qt aborts where it does not."""
    xcb = ctypes.CDLL("libxcb.so.1")  # a dependency of the libraries looked for above
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    answers = not xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return answers
