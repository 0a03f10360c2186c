"""Panels repaint only what changed; the result equals a full repaint."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from explorer.gui.window import Window
from tests.explorer.small import wait

NAMES = ("review", "heatmap", "alpha", "overview", "cells", "scaling")


@pytest.mark.panels(*NAMES)
def test_what_is_drawn_piece_by_piece_looks_as_if_drawn_at_once(window: Window, qapp: Any) -> None:
    window._timer.stop()
    for name in NAMES:
        window.raise_panel(name)
        compare_drawings(window, qapp, name)


def compare_drawings(window: Window, qapp: Any, name: str) -> None:
    """Do what a user may do with a panel; after each step, compare the panel with a full repaint of it."""
    session, dice, chosen = window.opened_session, random.Random(0), window.panels[name]

    def read_on() -> None:
        time = min(144, session.stream.snapshot.time + dice.randrange(1, 4))
        session.stream.seek(time)
        wait(lambda: session.stream.snapshot.time == time)

    def go_back() -> None:
        session.stream.seek(90)
        wait(lambda: session.stream.snapshot.time == 90)

    deeds: tuple[Callable[[], object], ...] = (
        read_on,
        read_on,
        read_on,
        go_back,
        lambda: session.look_at(dice.randrange(90)),
        lambda: window.brush(dice.randrange(60), dice.randrange(60)),
        lambda: window.hover(dice.randrange(90), dice.choice([None, 3])),
        lambda: session.word_search.look_for(dice.choice(["film", "a", "very human"])),
        lambda: session.perform(dice.choice(["colour-map", "live", "order", "bins", "signal", "contrast"])),
        lambda: window.visible_range.zoom(50, dice.choice([80, 100, 130])),
    )

    def seen() -> QImage:
        qapp.processEvents()
        place = chosen.mapTo(window, QPoint(0, 0))
        picture = window.screen().grabWindow(window.winId(), place.x(), place.y(), chosen.width(), chosen.height())
        return picture.toImage()

    for _ in range(3):  # axes take the room they need when they are first painted
        window.redraw()
        seen()
    for _ in range(40):
        dice.choice(deeds)()
        window.redraw()
        piecewise = seen()
        for widget in chosen.findChildren(QWidget):
            widget.update()
        assert piecewise == seen(), name
