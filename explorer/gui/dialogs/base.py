"""What opens over the window: help, lists to choose from, a place to type."""

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

from explorer.gui.menus import key_sequence, window_keys
from explorer.gui.text import as_html, safe
from explorer.session.actions import GROUPS, Action

SHOWN = 500  # entries of a list at a time; the search finds the others
LEGEND = (
    "The words light up with the chosen signal while the network reads. In the pictures each row is a cell and each "
    "column a word. α is the exponent of detrended fluctuation analysis; β = 2α − 1 is 0 for white noise, 1 for pink "
    "(1/f), 2 for Brownian. † marks dead cells, whose h hardly moves. In pictures over time a click looks at a word, "
    "a drag brushes words, the wheel zooms, a drag with the right button moves, a double click shows all. Panels can "
    "be moved by their titles, also out of the window; the arrangement is kept."
)


class Dialog(QDialog):
    """A dialogue that ends with itself and calls back with what was chosen."""

    def __init__(self, parent: QWidget, title: str, width: int, height: int) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(min(width, parent.width()), min(height, parent.height()))
        self.column = QVBoxLayout(self)


class HelpDialog(Dialog):
    """Every action with its keys, made from the table."""

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
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self.column.addWidget(buttons)


class ChooseDialog(Dialog):
    """A list of entries (key, label) that narrows while one types; ``then`` is called with the key of the chosen."""

    def __init__(
        self, parent: QWidget, title: str, entries: Sequence[tuple[str, str]], present: str, then: Callable[[str], None]
    ) -> None:
        super().__init__(parent, title, 820, 560)
        self._entries = [(key, safe(label)) for key, label in entries]
        self._present, self._then = present, then
        self.search = QLineEdit()
        self.search.setPlaceholderText("type to search, ↑ ↓ and Enter choose, Esc closes")
        self.search.installEventFilter(self)
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.column.addWidget(self.search)
        self.column.addWidget(self.list)
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self._choose)
        self.list.itemClicked.connect(self._choose)
        self._fill("")

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Move in the list while the search keeps the keys."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = (event.key() == Qt.Key.Key_Down) - (event.key() == Qt.Key.Key_Up)
            if step and self.list.count():
                self.list.setCurrentRow((self.list.currentRow() + step) % self.list.count())
                return True
        return False

    def _fill(self, search: str) -> None:
        wanted = search.lower().split()
        found = [entry for entry in self._entries if all(part in entry[1].lower() for part in wanted)]
        self.list.clear()
        for key, label in found[:SHOWN]:
            item = QListWidgetItem(label)
            item.setData(Qt.ItemDataRole.UserRole, key)
            self.list.addItem(item)
        keys = [key for key, _ in found[:SHOWN]]
        self.list.setCurrentRow(keys.index(self._present) if self._present in keys else 0)
        if len(found) > SHOWN:
            more = QListWidgetItem(f"… {len(found) - SHOWN} more: type to search")
            more.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(more)

    def _choose(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < min(SHOWN, self.list.count()):
            key = self.list.item(row).data(Qt.ItemDataRole.UserRole)
            self.accept()
            self._then(key)


class AskDialog(Dialog):
    """Asks for a line of text; ``then`` is called with it."""

    def __init__(self, parent: QWidget, title: str, hint: str, then: Callable[[str], None]) -> None:
        super().__init__(parent, title, 460, 90)
        self._then = then
        self.line = QLineEdit()
        self.line.returnPressed.connect(self._done)
        label = QLabel(safe(hint))
        label.setWordWrap(True)
        self.column.addWidget(label)
        self.column.addWidget(self.line)

    def _done(self) -> None:
        self.accept()
        self._then(self.line.text())


class TypeDialog(Dialog):
    """A place to type or paste a review; Enter reads it, Shift and Enter begin a line."""

    def __init__(self, parent: QWidget, title: str, text: str, then: Callable[[str], None]) -> None:
        super().__init__(parent, title, 760, 420)
        self._then = then
        self.text = QPlainTextEdit(text)
        self.text.installEventFilter(self)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton("Read it (Enter)", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._done)
        buttons.rejected.connect(self.reject)
        self.column.addWidget(self.text)
        self.column.addWidget(buttons)
        self.text.setFocus()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            plain = not event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            if plain and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._done()
                return True
        return False

    def _done(self) -> None:
        self.accept()
        self._then(self.text.toPlainText())
