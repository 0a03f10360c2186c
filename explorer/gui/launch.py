"""Start the window, and end the process when it is closed."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.gui.libraries import check
from explorer.session.launcher import LaunchOptions
from explorer.shutdown import shut_down

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

SETTLING = 50  # milliseconds in which Qt gives what was drawn its room
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def run(wishes: LaunchOptions) -> None:
    """Show the window until it is closed, then end the process.

    Raises
    ------
    NoWindow
        If no window can be opened here.
    ValueError, OSError
        Whatever kept the session from opening.
    """
    check(on_screen=not _offscreen())
    app = _application()
    from PySide6.QtCore import QTimer

    from explorer.gui.window import Window

    window = Window(wishes)
    code = 0

    def heed(number: int, _: Any) -> None:
        nonlocal code
        code = 128 + number
        QTimer.singleShot(0, window, window.close)  # not in the middle of what it may be drawing

    # Python heeds signals between two of its own lines: the window's clock runs some all the time.
    for name in SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), heed)
    window.show()
    app.exec()
    shut_down(window, code)


def take_picture(wishes: LaunchOptions, path: Path, after: float, size: tuple[int, int]) -> None:
    """Save the window as it is some seconds after the reading began; needs no display.

    Raises
    ------
    NoWindow
        If Qt cannot start here.
    ValueError, OSError
        Whatever kept the session from opening, or the picture from being written.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    check(on_screen=not _offscreen())
    app = _application()
    from PySide6.QtCore import QTimer

    from explorer.gui.export.save import save_picture
    from explorer.gui.window import Window

    window = Window(replace(wishes, fresh=True, keep=False), show_rates=False)
    window.resize(*size)

    def draw() -> None:
        window.redraw()
        QTimer.singleShot(SETTLING, window, save)

    def save() -> None:
        try:
            save_picture(window, path)
        except (ValueError, OSError) as error:
            window.failure = error
        window.close()

    window.opened.connect(lambda: QTimer.singleShot(round(1000 * after), window, draw))
    signal.signal(signal.SIGINT, lambda *_: window.close())
    window.show()
    app.exec()
    shut_down(window, 0)


def _offscreen() -> bool:
    return os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0] in ("offscreen", "minimal", "vnc")


def _application() -> QApplication:
    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    qInstallMessageHandler(_tell)
    app = QApplication(["pinkx"])
    app.setApplicationName("pinkx")
    app.setDesktopFileName("pinkx")
    return app


def _tell(kind: object, context: object, message: str) -> None:
    """What Qt has to say, without what it always says where there is no screen."""
    if "propagateSizeHints" not in message:
        print(message, file=sys.stderr)
