"""A hand on a plot: real mouse events, given in the coordinates of what is drawn."""

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
PAUSE = 15  # milliseconds: pyqtgraph passes over moves that come faster than a hundred a second

Place = tuple[float, float]
P = TypeVar("P", bound=Panel)


def at(picture: Any, place: Place) -> QPointF:
    """A place of the drawing in pixels of the plot."""
    view = picture.getPlotItem().getViewBox()
    scene = view.mapViewToScene(QPointF(*place))
    return QPointF(picture.mapFromScene(scene))


def drag(qtbot: Any, picture: Any, places: Sequence[Place], clamps: Qt.KeyboardModifier | None = None) -> None:
    """Press at the first place, move over the others, release at the last."""
    points = [at(picture, place) for place in places]
    _send(picture, QEvent.Type.MouseMove, points[0], NONE, NONE, clamps)
    _send(picture, QEvent.Type.MouseButtonPress, points[0], LEFT, LEFT, clamps)
    for begin, end in pairwise(points):
        for part in (0.25, 0.5, 0.75, 1.0):
            qtbot.wait(PAUSE)
            _send(picture, QEvent.Type.MouseMove, begin + (end - begin) * part, NONE, LEFT, clamps)
    qtbot.wait(PAUSE)
    _send(picture, QEvent.Type.MouseButtonRelease, points[-1], LEFT, NONE, clamps)


def raise_panel(qtbot: Any, window: Any, name: str) -> Any:
    """Bring a panel to the front; when it has its place, it."""
    window.raise_panel(name)
    qtbot.waitUntil(window.panels[name].isVisible)
    qtbot.wait(PAUSE)  # its plots take theirs a moment later
    return window.panels[name]


def raised(qtbot: Any, window: Any, kind: type[P]) -> P:
    """The same for the panel of a class."""
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
    """What a mouse sends for two fast clicks."""
    click(qtbot, picture, place)
    _send(picture, QEvent.Type.MouseButtonDblClick, at(picture, place), LEFT, LEFT)
    _send(picture, QEvent.Type.MouseButtonRelease, at(picture, place), LEFT, NONE)


def hover(qtbot: Any, picture: Any, place: Place) -> None:
    """Move to a place."""
    qtbot.wait(PAUSE)
    _send(picture, QEvent.Type.MouseMove, at(picture, place), NONE, NONE)


def _send(
    picture: Any,
    kind: QEvent.Type,
    point: QPointF,
    button: Qt.MouseButton,
    buttons: Qt.MouseButton,
    clamps: Qt.KeyboardModifier | None = None,
) -> None:
    viewport = picture.viewport()
    modifiers = clamps or Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(kind, point, QPointF(viewport.mapToGlobal(point)), button, buttons, modifiers)
    QApplication.sendEvent(viewport, event)
