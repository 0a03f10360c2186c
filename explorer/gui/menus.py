"""Menus and keyboard shortcuts, built from the table of actions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from explorer.gui.host import Host
from explorer.session.actions import GROUPS, SIGNS, WINDOW_ACTIONS, Action

_QT_NAMES = {**SIGNS, "escape": "Esc", "pageup": "PgUp", "pagedown": "PgDown"}
STANDARD_KEYS = ("ctrl+c",)  # copies in every desktop program; only the desktop's own actions may use it


def key_sequence(key: str) -> QKeySequence:
    """Return the Qt key of a key of the table: ``shift+left`` → Shift+Left, ``G`` → Shift+G.

    Raises
    ------
    ValueError
        If Qt knows no such key.
    """
    *modifiers, name = key.split("+") if key != "+" else ["+"]
    if len(name) == 1 and name.isupper():
        modifiers.append("shift")
    text = "+".join([*(modifier.capitalize() for modifier in modifiers), _QT_NAMES.get(name, name.capitalize())])
    sequence = QKeySequence(text)
    if sequence.isEmpty() or sequence.toString() == "":
        raise ValueError(f"no key is named {key!r}")
    return sequence


def window_keys(action: Action) -> list[str]:
    """Return the keys of an action that work in the desktop."""
    own = action.id in {entry.id for entry in WINDOW_ACTIONS}
    return [key for key in action.keys if key not in STANDARD_KEYS or own]


def make_actions(host: Host, widget: QWidget) -> dict[str, QAction]:
    """Return a QAction for every action of the table, by its id, whose shortcuts work in ``widget`` and its docks."""
    actions = {}
    for entry in host.table:
        action = QAction(entry.label, widget)
        action.setObjectName(entry.id)
        action.setShortcuts([key_sequence(key) for key in window_keys(entry)])
        key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{entry.help}  ({key})" if key else entry.help)
        action.setStatusTip(entry.help)
        action.triggered.connect(partial(_perform, host, entry.id))
        widget.addAction(action)
        actions[entry.id] = action
    return actions


def _perform(host: Host, name: str, _checked: bool = False) -> None:
    host.perform(name)


def fill_menus(bar: QMenuBar, table: Sequence[Action], actions: dict[str, QAction]) -> dict[str, QMenu]:
    """Add a menu for every group of the table."""
    menus = {group: bar.addMenu(group) for group in GROUPS}
    for entry in table:
        menus[entry.group].addAction(actions[entry.id])
    return menus
