"""Introduction that a first start shows over the panels: a sentence on each of three panels, and three keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from explorer.gui.host import Host
from explorer.gui.text import as_html
from explorer.gui.theme import qcolor
from explorer.session.actions import key_of
from explorer.session.views.introduction import KEY_LABELS, KEYS, TITLE, annotations_for
from explorer.session.views.units import WORDS, unit_names

WIDTH = 380  # pixels of a note
SHADE = 120  # opacity of what covers the panels, of 255


class Introduction(QWidget):
    """Notes over the panels that they explain. Any key or click closes it.

    ``on_close`` is called then, and the key acts.

    Parameters
    ----------
    host : Host
    window : QWidget
        The window that the notes cover.
    panels : sequence of (str, QWidget)
        The panels in view by their names.
    on_close : callable
    """

    def __init__(
        self, host: Host, window: QWidget, panels: Sequence[tuple[str, QWidget]], on_close: Callable[[], None]
    ) -> None:
        super().__init__(window)
        self._host, self._window, self._panels, self._on_close = host, window, dict(panels), on_close
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        session = host.session
        names = WORDS if session is None else unit_names(session.stream.snapshot.network)
        self.notes = {note.panel: self._note(as_html(note.sentence)) for note in annotations_for(names)}
        rows = "".join(
            f"<tr><td align='right'><b>{as_html(key_of(host.table, name))}</b>&nbsp;&nbsp;</td>"
            f"<td>{as_html(KEY_LABELS[name])}</td></tr>"
            for name in KEYS
        )
        self.keys = self._note(f"<b>{as_html(TITLE)}</b><table>{rows}</table>Any key or click begins.")
        self.arrange()
        self.show()
        self.raise_()
        self.setFocus()

    def _note(self, html: str) -> QLabel:
        label = QLabel(html, self)
        label.setObjectName("annotation")
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setWordWrap(True)
        label.setFixedWidth(WIDTH)
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        return label

    def arrange(self) -> None:
        """Cover the window, and put every note on its panel."""
        window = self._window
        self.setGeometry(window.rect())
        for name, note in (*self.notes.items(), ("", self.keys)):
            panel = self._panels.get(name)
            note.adjustSize()
            centre = self.rect().center()
            if panel is not None:
                centre = panel.mapTo(window, panel.rect().center())
            elif name == "":
                centre.setY(self.height() - note.height() // 2 - 60)
            place = note.rect()
            place.moveCenter(centre)
            place.moveLeft(max(8, min(place.left(), self.width() - place.width() - 8)))
            note.move(place.topLeft())
            note.setVisible(panel is not None or name == "")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), qcolor(self._host.theme.ground, SHADE))
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # it comes to `keyPressEvent`, not to the shortcuts
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        pressed = QKeySequence(event.keyCombination())
        self.dismiss()
        for action in self._window.findChildren(QAction):
            if action.isEnabled() and pressed in action.shortcuts():
                action.trigger()
                break

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.dismiss()

    def dismiss(self) -> None:
        """Close it for good."""
        self.hide()
        self.deleteLater()
        self._on_close()
