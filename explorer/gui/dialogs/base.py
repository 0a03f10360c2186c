"""The dialogs from which the others are built: help, a list to choose from, a line or a text to type."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from explorer.gui.menus import key_sequence, window_keys
from explorer.gui.text import as_html, safe
from explorer.session.actions import GROUPS, Action
from explorer.session.views.legend import legend, sentence
from explorer.session.views.units import WORDS, UnitNames

MAX_ENTRIES = 500  # of a list; the search box narrows it
LEGEND = (
    "While the network reads, words are coloured by the chosen signal. In the heat maps each row is a cell and each "
    "column a word. α is the exponent of detrended fluctuation analysis; β = 2α − 1 is 0 for white, 1 for pink (1/f) "
    "and 2 for Brownian noise. † marks dead cells, whose h hardly moves. In plots over time a click moves the cursor, "
    "a drag brushes words, the wheel zooms, a drag with the middle or right button or the wheel with Shift pans, and a "
    "double click resets the zoom. Drag a panel by its title to move it, also out of the window; the layout is saved."
)


def return_focus(dialog: QDialog, parent: QWidget) -> None:
    """Let the widget that has the keyboard focus have it again when a dialog is closed."""
    before: QWidget | None = parent.focusWidget()

    def give(_result: int) -> None:
        if before is not None and isValid(before):
            before.setFocus(Qt.FocusReason.ActiveWindowFocusReason)

    dialog.finished.connect(give)


class Dialog(QDialog):
    """A dialog that is deleted when it is closed and reports the user's choice to a callback."""

    def __init__(self, parent: QWidget, title: str, width: int, height: int) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(min(width, parent.width()), min(height, parent.height()))
        return_focus(self, parent)
        self.column = QVBoxLayout(self)

    def _add_close_button(self) -> None:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self.column.addWidget(buttons)


class HelpDialog(Dialog):
    """Every action of the table with its keys."""

    def __init__(self, parent: QWidget, actions: Sequence[Action]) -> None:
        super().__init__(parent, "Help", 760, 800)
        text = QTextBrowser()
        rows = []
        for group in GROUPS:
            rows.append(f"<tr><td></td><td><h3>{group}</h3></td></tr>")
            for action in actions:
                if action.group == group:
                    keys = "&nbsp; ".join(as_html(key_sequence(key).toString()) for key in window_keys(action))
                    rows.append(
                        f"<tr><td align='right'><b>{keys}</b>&nbsp;&nbsp;</td><td>{as_html(action.help)}</td></tr>"
                    )
        text.setHtml(f"<p>{LEGEND}</p><table cellpadding='2'>{''.join(rows)}</table>")
        self.column.addWidget(text)
        self._add_close_button()


class LegendDialog(Dialog):
    """Legend of the terms on the screen."""

    def __init__(self, parent: QWidget, names: UnitNames = WORDS) -> None:
        super().__init__(parent, "Legend", 760, 800)
        text, rows = QTextBrowser(), []
        for section in legend(names):
            shown = as_html(sentence(section.panel, names))
            rows.append(f"<tr><td colspan='2'><h3>{as_html(section.title)}</h3>{shown}</td></tr>")
            rows += [
                f"<tr><td><b>{as_html(term.shown)}</b>&nbsp;&nbsp;</td><td>{as_html(term.meaning)}</td></tr>"
                for term in section.terms
            ]
        text.setHtml(f"<table cellpadding='2'>{''.join(rows)}</table>")
        self.column.addWidget(text)
        self._add_close_button()


class SearchBox(QLineEdit):
    """A line edit whose ↑ and ↓ keys move the current row of a list."""

    def __init__(self, rows: QListWidget, text: str = "") -> None:
        super().__init__(text)
        self._rows = rows
        rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = (event.key() == Qt.Key.Key_Down) - (event.key() == Qt.Key.Key_Up)
        if step and self._rows.count():
            self._rows.setCurrentRow((self._rows.currentRow() + step) % self._rows.count())
        else:
            super().keyPressEvent(event)


class ChooseDialog(Dialog):
    """A searchable list of entries (key, label); ``on_choose`` is called with the key of the chosen entry."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        entries: Sequence[tuple[str, str]],
        current: str,
        on_choose: Callable[[str], None],
    ) -> None:
        super().__init__(parent, title, 820, 560)
        self._entries = [(key, safe(label)) for key, label in entries]
        self._current, self._on_choose = current, on_choose
        self.list = QListWidget()
        self.search = SearchBox(self.list)
        self.search.setPlaceholderText("Type to search; ↑ ↓ select, Enter chooses, Esc closes")
        self.column.addWidget(self.search)
        self.column.addWidget(self.list)
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self._choose)
        self.list.itemClicked.connect(self._choose)
        self._fill("")

    def _fill(self, search: str) -> None:
        parts = search.lower().split()
        found = [entry for entry in self._entries if all(part in entry[1].lower() for part in parts)]
        self.list.clear()
        for key, label in found[:MAX_ENTRIES]:
            item = QListWidgetItem(label)
            item.setData(Qt.ItemDataRole.UserRole, key)
            self.list.addItem(item)
        keys = [key for key, _ in found[:MAX_ENTRIES]]
        self.list.setCurrentRow(keys.index(self._current) if self._current in keys else 0)
        if len(found) > MAX_ENTRIES:
            more = QListWidgetItem(f"… {len(found) - MAX_ENTRIES} more: type to search")
            more.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(more)

    def _choose(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < min(MAX_ENTRIES, self.list.count()):
            key = self.list.item(row).data(Qt.ItemDataRole.UserRole)
            self.accept()
            self._on_choose(key)


class PromptDialog(Dialog):
    """A prompt and a line to type; ``on_enter`` is called with the line."""

    def __init__(self, parent: QWidget, title: str, prompt: str, on_enter: Callable[[str], None]) -> None:
        super().__init__(parent, title, 460, 90)
        self._on_enter = on_enter
        self.line = QLineEdit()
        self.line.returnPressed.connect(self._enter)
        label = QLabel(safe(prompt))
        label.setWordWrap(True)
        self.column.addWidget(label)
        self.column.addWidget(self.line)

    def _enter(self) -> None:
        self.accept()
        self._on_enter(self.line.text())


class TextDialog(Dialog):
    """A review to type, paste or edit; Enter accepts, Shift+Enter starts a new line."""

    def __init__(self, parent: QWidget, title: str, text: str, on_accept: Callable[[str], None]) -> None:
        super().__init__(parent, title, 760, 420)
        self._on_accept = on_accept
        self.text = QPlainTextEdit(text)
        self.text.setPlaceholderText("A review in English. Enter reads it, Shift+Enter starts a new line")
        self.text.installEventFilter(self)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton("Read (Enter)", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        self.column.addWidget(self.text)
        self.column.addWidget(buttons)
        self.text.setFocus()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            if not shift and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._accept()
                return True
        return False

    def _accept(self) -> None:
        self.accept()
        self._on_accept(self.text.toPlainText())
