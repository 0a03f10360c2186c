"""What the dialogs of analyses share: lines of numbers above, a clock that updates them, and a button that saves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialogButtonBox, QLabel, QWidget

from explorer.gui.dialogs.base import Dialog
from explorer.gui.text import rich_text
from explorer.gui.theme import Theme
from explorer.session.core import SessionError
from explorer.session.save_table import save_table
from explorer.session.session import Session
from explorer.session.views.runs import Line, Run
from explorer.session.views.tables import Table

POLL = 100  # milliseconds


class AnalysisDialog(Dialog):
    """A dialog that shows the newest result of an analysis.

    Subclasses set ``name``, which the saved file has in its name, and implement `update_view` and `table`.
    """

    name = ""

    def __init__(self, parent: QWidget, title: str, theme: Theme, session: Session) -> None:
        super().__init__(parent, title, 860, 620)
        self.session, self.theme = session, theme
        self.message = ""
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setWordWrap(True)
        self.column.addWidget(self.text)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self.update_view)
        self._clock.start(POLL)

    def add_buttons(self) -> None:
        """Add the buttons below everything else."""
        buttons = QDialogButtonBox()
        save = buttons.addButton("Save as CSV", QDialogButtonBox.ButtonRole.ActionRole)
        save.clicked.connect(self.save)
        close = buttons.addButton(QDialogButtonBox.StandardButton.Close)
        close.clicked.connect(self.reject)
        for button in (save, close):
            button.setAutoDefault(False)  # Enter belongs to the list
        self.column.addWidget(buttons)

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show lines of text above, and below them what was saved."""
        shown: Iterable[Line] = (*lines, (Run(self.message),)) if self.message else lines
        text = "<br>".join(rich_text(line, self.theme) for line in shown)
        if text != self.text.text():
            self.text.setText(text)

    def save(self) -> None:
        """Save the numbers as CSV in the working directory."""
        try:
            self.message = save_table(self.session, self.name, self.table)
        except (SessionError, OSError) as error:
            self.message = str(error)
        self.update_view()

    def update_view(self) -> None:
        """Show the newest result."""
        raise NotImplementedError

    def table(self) -> Table:
        """Return the numbers."""
        raise NotImplementedError
