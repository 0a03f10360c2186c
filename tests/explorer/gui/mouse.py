"""Mouse events on plots, given in plot coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeVar

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from explorer.gui.panels.panel import Panel

NONE, LEFT, RIGHT = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
PAUSE = 15  # milliseconds; pyqtgraph drops moves that come faster than 100 per second

Place = tuple[float, float]
P = TypeVar("P", bound=Panel)


def at(picture: Any, place: Place) -> QPointF:
    """Return the pixel of a place in a plot."""
    view = picture.getPlotItem().getViewBox()
    scene = view.mapViewToScene(QPointF(*place))
    return QPointF(picture.mapFromScene(scene))


def drag(qtbot: Any, picture: Any, places: Sequence[Place], modifiers: Qt.KeyboardModifier | None = None) -> None:
    """Press at the first place, move to the others, release at the last."""
    points = [at(picture, place) for place in places]
    _send(picture, QEvent.Type.MouseMove, points[0], NONE, NONE, modifiers)
    _send(picture, QEvent.Type.MouseButtonPress, points[0], LEFT, LEFT, modifiers)
    for begin, end in pairwise(points):
        for part in (0.25, 0.5, 0.75, 1.0):
            qtbot.wait(PAUSE)
            _send(picture, QEvent.Type.MouseMove, begin + (end - begin) * part, NONE, LEFT, modifiers)
    qtbot.wait(PAUSE)
    _send(picture, QEvent.Type.MouseButtonRelease, points[-1], LEFT, NONE, modifiers)


def raise_panel(qtbot: Any, window: Any, name: str) -> Any:
    """Raise a panel; return it after its layout."""
    window.raise_panel(name)
    qtbot.waitUntil(window.panels[name].isVisible)
    qtbot.wait(PAUSE)  # plots are laid out later
    return window.panels[name]


def raised(qtbot: Any, window: Any, kind: type[P]) -> P:
    """Raise the panel of a class."""
    panel = raise_panel(qtbot, window, kind.name)
    assert isinstance(panel, kind)
    return panel


def click(qtbot: Any, picture: Any, place: Place) -> None:
    """Press and release at a place."""
    point = at(picture, place)
    hover(qtbot, picture, place)
    _send(picture, QEvent.Type.MouseButtonPress, point, LEFT, LEFT)
    _send(picture, QEvent.Type.MouseButtonRelease, point, LEFT, NONE)


def double_click(qtbot: Any, picture: Any, place: Place) -> None:
    """Send the events of a double click."""
    click(qtbot, picture, place)
    _send(picture, QEvent.Type.MouseButtonDblClick, at(picture, place), LEFT, LEFT)
    _send(picture, QEvent.Type.MouseButtonRelease, at(picture, place), LEFT, NONE)


def hover(qtbot: Any, picture: Any, place: Place) -> None:
    """Move the mouse to a place."""
    qtbot.wait(PAUSE)
    _send(picture, QEvent.Type.MouseMove, at(picture, place), NONE, NONE)


def _send(
    picture: Any,
    kind: QEvent.Type,
    point: QPointF,
    button: Qt.MouseButton,
    buttons: Qt.MouseButton,
    modifiers: Qt.KeyboardModifier | None = None,
) -> None:
    viewport = picture.viewport()
    pressed = modifiers or Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(kind, point, QPointF(viewport.mapToGlobal(point)), button, buttons, pressed)
    QApplication.sendEvent(viewport, event)
