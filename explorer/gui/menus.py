"""Menus, tool bar and keys, made from the one table of actions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from explorer.session.actions import GROUPS, SIGNS, WINDOW_ACTIONS, Action

if TYPE_CHECKING:
    from explorer.gui.window import Window

# Keys as the table writes them → as Qt does.
_NAMES = {**SIGNS, "escape": "Esc", "pageup": "PgUp", "pagedown": "PgDown"}
KEPT_BY_WINDOWS = ("ctrl+c",)  # copies in every window, and so here too, instead of leaving


def key_sequence(key: str) -> QKeySequence:
    """A key of the table as Qt takes it: ``shift+left`` → Shift+Left, ``G`` → Shift+G.

    Raises
    ------
    ValueError
        If Qt knows no such key.
    """
    *modifiers, name = key.split("+") if key != "+" else ["+"]
    if len(name) == 1 and name.isupper():
        modifiers.append("shift")
    text = "+".join([*(modifier.capitalize() for modifier in modifiers), _NAMES.get(name, name.capitalize())])
    sequence = QKeySequence(text)
    if sequence.isEmpty() or sequence.toString() == "":
        raise ValueError(f"no key is named {key!r}")
    return sequence


def window_keys(action: Action) -> list[str]:
    """The keys of an action that the window listens to."""
    own = action.id in {entry.id for entry in WINDOW_ACTIONS}
    return [key for key in action.keys if key not in KEPT_BY_WINDOWS or own]


def make_actions(window: Window) -> dict[str, QAction]:
    """Every action of the table for a window, by its id; keys work in all panels, docked or floating."""
    made = {}
    for entry in window.table:
        action = QAction(entry.label, window)
        action.setObjectName(entry.id)
        action.setShortcuts([key_sequence(key) for key in window_keys(entry)])
        shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{entry.help}  ({shown})" if shown else entry.help)
        action.setStatusTip(entry.help)
        action.triggered.connect(partial(_perform, window, entry.id))
        window.addAction(action)
        made[entry.id] = action
    return made


def _perform(window: Window, name: str, _: bool = False) -> None:
    window.perform(name)


def fill_menus(window: Window, made: dict[str, QAction]) -> dict[str, QMenu]:
    """A menu for every group of the table."""
    menus = {group: window.menuBar().addMenu(group) for group in GROUPS}
    for entry in window.table:
        menus[entry.group].addAction(made[entry.id])
    return menus
