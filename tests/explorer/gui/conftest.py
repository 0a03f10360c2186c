"""Windows of the tests: opened without a screen, closed, and looked after: nothing of them may stay."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from explorer.session.session import Session
from tests.explorer.small import wait

pytest.importorskip("PySide6.QtWidgets", reason="the window's libraries are not here", exc_type=ImportError)


@pytest.fixture
def window(session: Session, qtbot: Any) -> Iterator[Any]:
    """A window around that session, in which two frames are drawn."""
    from explorer.gui.window import Window

    opened = Window(session=session, show_rates=False)
    opened.resize(1400, 900)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    qtbot.waitUntil(lambda: opened.isActiveWindow() and opened.fps > 0)
    yield opened
    opened.close()
    opened.deleteLater()


@pytest.fixture(autouse=True)
def nothing_stays(qapp: Any) -> Iterator[None]:
    """After every test all its windows are gone, and all threads of its sessions have ended."""
    yield
    from PySide6.QtCore import QCoreApplication, QEvent

    gc.collect()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    qapp.processEvents()
    assert [widget for widget in qapp.topLevelWidgets() if widget.isVisible()] == []
    wait(lambda: not [thread for thread in threading.enumerate() if thread.name == "pinkx engine"], 10)
