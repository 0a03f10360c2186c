"""A window without a screen, and the check that each test closes its windows and engine threads."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from explorer.session.session import Session
from tests.explorer.small import wait


@pytest.fixture
def qapp(qapp: Any) -> Iterator[Any]:
    """Shorten the time between two clicks that are not a double click: each would wait for 0.4 s."""
    before = qapp.doubleClickInterval()
    qapp.setDoubleClickInterval(20)
    yield qapp
    qapp.setDoubleClickInterval(before)


@pytest.fixture
def qtbot(qtbot: Any) -> Any:
    """Wait up to a minute for a condition, not five seconds: on a busy machine the first frame takes that long."""
    qtbot.waitUntil = partial(qtbot.waitUntil, timeout=60_000)
    return qtbot


@pytest.fixture
def window(
    session: Session, qtbot: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Yield a window of that session in which two frames are drawn.

    It has the panels that the marker ``panels`` names, by default all: building and drawing all takes most of a test.
    """
    from explorer.gui import window as module
    from explorer.gui.panels.registry import PANELS

    marker = request.node.get_closest_marker("panels")
    panels = tuple(kind for kind in PANELS if marker is None or kind.name in marker.args)
    assert marker is None or len(panels) == len(marker.args)
    monkeypatch.setattr(module, "RATE", 15)  # tests redraw what they look at, and frames cost more than all else
    opened = module.Window(session=session, panels=panels, show_rates=False)
    opened.resize(1400, 900)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    qtbot.waitUntil(lambda: opened.isActiveWindow() and opened.fps > 0)
    yield opened
    opened.close()
    opened.deleteLater()


@pytest.fixture(autouse=True)
def nothing_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check after each test that its windows are closed and the engine threads of its sessions have ended."""
    before = set(threading.enumerate())
    qapp = request.getfixturevalue("qapp") if "qapp" in request.fixturenames else None
    yield
    if qapp is not None:
        from PySide6.QtCore import QCoreApplication, QEvent, Qt

        gc.collect()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        qapp.processEvents()
        assert [widget for widget in qapp.topLevelWidgets() if widget.isVisible()] == []
        assert qapp.mouseButtons() == Qt.MouseButton.NoButton  # a window of the next test would take it for a drag
    wait(lambda: not [t for t in set(threading.enumerate()) - before if t.name == "pinkx engine"], 10)
