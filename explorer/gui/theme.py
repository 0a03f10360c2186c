"""The session's palette for Qt: colours, the style sheet and colour-map tables."""

from __future__ import annotations

from functools import lru_cache
from string import Template

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from explorer.session.palette import DARK, LIGHT, LOOKS, PALETTES as THEMES, RGB, Palette as Theme, Role, colour_map

__all__ = ["DARK", "LIGHT", "THEMES", "Theme", "configure", "qcolor", "role_colour", "style_sheet", "table"]

_STYLE = Template("""
QMainWindow, QDialog, QWidget { background: $ground; color: $text; font-size: 9.5pt; }
QMainWindow::separator { background: $ground; width: 5px; height: 5px; }
QMainWindow::separator:hover { background: $pink; }
QDockWidget { color: $dim; }
QDockWidget::title { background: $raised; padding: 3px 6px; }
QToolBar, QMenuBar, QStatusBar { background: $raised; border: 0; spacing: 4px; }
QMenuBar::item:selected, QMenu::item:selected { background: $selected; color: $bright; }
QMenu { background: $raised; border: 1px solid $border; }
QToolButton, QPushButton { background: $raised; border: 1px solid $border; border-radius: 3px; padding: 2px 8px; }
QToolButton:hover, QPushButton:hover { border-color: $pink; }
QToolButton:checked, QPushButton:checked { background: $pink; color: $on_pink; }
QLineEdit, QPlainTextEdit, QTextBrowser, QComboBox, QAbstractItemView {
    background: $ground; border: 1px solid $border; border-radius: 3px; selection-background-color: $selected;
    selection-color: $bright; alternate-background-color: $raised; }
QLineEdit:focus, QPlainTextEdit:focus, QAbstractItemView:focus { border-color: $pink; }
QComboBox { padding: 2px 6px; }
QHeaderView::section { background: $raised; color: $dim; border: 0; padding: 3px 4px; }
QTabBar::tab { background: $raised; color: $dim; padding: 4px 10px; border: 0; }
QTabBar::tab:selected { color: $pink; border-bottom: 2px solid $pink; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; }
QScrollBar { background: $ground; border: 0; width: 10px; height: 10px; }
QScrollBar::handle { background: $border; border-radius: 4px; min-height: 20px; min-width: 20px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
Panel { border: 1px solid transparent; }
Panel:focus { border-color: $pink; }
QToolBar QLabel, QStatusBar QLabel, QToolBar QSlider { background: transparent; }
QToolBar QToolButton { padding: 2px 6px; }
QLabel#annotation { background: $raised; border: 1px solid $pink; border-radius: 4px; padding: 8px 12px; }
QLabel#progress { font-size: 15pt; color: $text; background: $raised; border: 1px solid $border; padding: 24px 40px; }
""")


def style_sheet(theme: Theme) -> str:
    """Return the style sheet of all widgets; plots set their own colours."""
    return _STYLE.substitute({name: value.hex for name, value in vars(theme).items() if isinstance(value, RGB)})


def qcolor(colour: RGB, alpha: int = 255) -> QColor:
    """Return a colour of the palette for Qt, ``alpha`` 0 (transparent) to 255."""
    return QColor(*colour, alpha)


def role_colour(theme: Theme, role: Role) -> QColor:
    """Return the colour of text in a role."""
    return qcolor(getattr(theme, LOOKS[role].colour))


def configure() -> None:
    """Set pyqtgraph's options; call it once, before the first plot."""
    pg.setConfigOptions(antialias=False, imageAxisOrder="row-major")


@lru_cache(maxsize=8)
def table(name: str) -> NDArray[np.uint8]:
    """Return a colour map as a look-up table, (256, 3)."""
    return colour_map(name)
