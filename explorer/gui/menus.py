"""Menus and keyboard shortcuts, built from the table of actions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from explorer.gui.host import Host
from explorer.session.actions import SIGNS, WINDOW_ACTIONS, Action

_QT_NAMES = {**SIGNS, "escape": "Esc", "pageup": "PgUp", "pagedown": "PgDown"}
STANDARD_KEYS = ("ctrl+c",)  # copies in every desktop program; only the desktop's own actions may use it
# Keys that desktop programs share, in addition to those of the table.
ADDITIONAL_KEYS = {"export": "ctrl+s", "undo": "ctrl+z", "search": "ctrl+f"}

MENUS = ("&File", "&Edit", "&View", "&Playback", "&Cells", "P&oints", "&Reviews", "Pa&nels", "&Help")
_SEPARATED = ("record", "restart-engine", "export", "quit", "light", "copy", "search", "compare")  # a line above these
_MENU_OF = {
    **dict.fromkeys(
        (
            *("open-reviews", "open-folder", "open-network", "open-recording"),
            *("record", "export-run", "export", "restart-engine", "quit"),
        ),
        "File",
    ),
    **dict.fromkeys(
        ("undo", "undo-ablation", "copy", "type", "edit", "search", "next-found", "previous-found"), "Edit"
    ),
    **dict.fromkeys(("light", "full-screen", "zoom"), "View"),
    **dict.fromkeys(("help", "legend", "palette", "introduction"), "Help"),
}
"""The menu of an action, where it is not that of its group."""


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
    keys = [key for key in action.keys if key not in STANDARD_KEYS or own]
    return keys + [key for key in (ADDITIONAL_KEYS.get(action.id),) if key is not None]


def make_actions(host: Host, widget: QWidget) -> dict[str, QAction]:
    """Return a QAction for every action of the table, by its id, whose shortcuts work in ``widget`` and its docks."""
    actions = {}
    chosen = {key for entry in host.table for key in entry.keys}  # a key of the user's wins over an additional one
    for entry in host.table:
        keys = [key for key in window_keys(entry) if key in entry.keys or key not in chosen]
        action = QAction(entry.label, widget)
        action.setObjectName(entry.id)
        action.setShortcuts([key_sequence(key) for key in keys])
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
    """Add the menus of a desktop program; every entry of the table is in one. Each line gets a letter of its own."""
    menus = {title.replace("&", ""): bar.addMenu(title) for title in MENUS}
    entries: dict[str, list[Action]] = {name: [] for name in menus}
    for entry in table:
        entries[_MENU_OF.get(entry.id, entry.group)].append(entry)
    for name, found in entries.items():
        order = [each for each, menu in _MENU_OF.items() if menu == name]
        found.sort(key=lambda entry: order.index(entry.id) if entry.id in order else -1)
        texts = with_mnemonics([entry.label for entry in found])
        for entry, text in zip(found, texts, strict=True):
            if entry.id in _SEPARATED and not menus[name].isEmpty():
                menus[name].addSeparator()
            action = actions[entry.id]
            action.setIconText(entry.label)  # of a button, which shows no letter
            action.setText(text)
            menus[name].addAction(action)
    return menus


def with_mnemonics(labels: Sequence[str]) -> list[str]:
    """Return labels with ``&`` before the letter that chooses each in a menu: its first one that is still free."""
    taken: set[str] = set()
    texts = []
    for label in labels:
        plain = label.replace("&", "&&")
        at = next((k for k, c in enumerate(plain) if c.isascii() and c.isalpha() and c.lower() not in taken), None)
        if at is not None:
            taken.add(plain[at].lower())
            plain = f"{plain[:at]}&{plain[at:]}"
        texts.append(plain)
    return texts
