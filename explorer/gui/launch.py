"""Start the desktop explorer, and end the process when its window is closed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer import signal_watch
from explorer.gui.libraries import check, platform_settings
from explorer.session.launcher import LaunchOptions
from explorer.shutdown import shut_down

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

LAYOUT_DELAY = 50  # milliseconds in which Qt lays out what was drawn
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
PATIENCE = 1.2  # seconds for an orderly exit after a signal


def run(options: LaunchOptions) -> None:
    """Show the window until it is closed, then end the process.

    Raises
    ------
    GuiUnavailable
        If Qt cannot open a window here.
    ValueError, OSError
        If the network, the reviews or the recording cannot be opened.
    """
    check(on_screen=not _offscreen())
    os.environ.update(platform_settings())
    app = _application()
    from PySide6.QtCore import QTimer

    from explorer.gui.window import Window

    window = Window(options)
    if signal_watch.current is not None:
        signal_watch.current.limit = PATIENCE
    code = 0

    def close(number: int, _frame: Any) -> None:
        nonlocal code
        code = 128 + number
        QTimer.singleShot(0, window, window.close)  # not while the window is being drawn

    # Python runs signal handlers between bytecodes; the window's timer makes sure that some are executed.
    for name in SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), close)
    window.show()
    app.exec()
    shut_down(window, code)


def take_picture(options: LaunchOptions, path: Path, after: float, size: tuple[int, int]) -> None:
    """Save a picture of the window, ``after`` seconds of reading, at ``size`` (width, height); needs no display.

    Raises
    ------
    GuiUnavailable
        If Qt cannot start here.
    ValueError, OSError
        If the network, the reviews or the recording cannot be opened, or the picture cannot be written.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    check(on_screen=not _offscreen())
    app = _application()
    from PySide6.QtCore import QTimer

    from explorer.gui.export.save import save_picture
    from explorer.gui.window import Window

    window = Window(options.for_picture(), show_rates=False)
    window.resize(*size)

    def draw() -> None:
        window.redraw()
        QTimer.singleShot(LAYOUT_DELAY, window, save)

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
    from PySide6.QtCore import Qt, qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    qInstallMessageHandler(_print_message)
    app = QApplication(["pinkx"])
    app.setApplicationName("pinkx")
    app.setDesktopFileName("pinkx")
    app.styleHints().setContextMenuTrigger(Qt.ContextMenuTrigger.Release)  # a drag with the right button pans
    return app


def _print_message(kind: object, context: object, message: str) -> None:
    """Print a message of Qt to stderr, except the one that its offscreen platform always prints."""
    if "propagateSizeHints" not in message:
        print(message, file=sys.stderr)
