"""The status bar: the last message at the left, the state of the run at the right."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from explorer.gui.host import Host
from explorer.gui.text import as_html, rich_text
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.readouts import status_parts
from explorer.session.views.runs import Run


class Status(QStatusBar):
    """Message at the left; network, place, speeds, and what the plots leave out at the right."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = host
        self.note, self.state = QLabel(), QLabel()
        self.note.setMinimumWidth(0)
        self.note.setSizePolicy(self.note.sizePolicy().Policy.Ignored, self.note.sizePolicy().Policy.Fixed)
        self.addWidget(self.note, 1)
        self.addPermanentWidget(self.state)
        self._shown: tuple[object, ...] = ()

    def show_frame(self, session: Session, frame: Frame, fps: float, reduction: int) -> None:
        """Show a frame, the frame rate, and the largest number of cells that share one row of a plot."""
        snapshot, theme = frame.snapshot, self._host.theme
        parts = status_parts(
            frame,
            comparison=session.comparison.name if session.comparison.result(frame) is not None else "",
            recorded=session.recorder.runs,
            cells_per_row=reduction,
            lost=snapshot.time - len(session.read("probability", 0, snapshot.time)),
            fps=fps if self._host.show_rates else None,
            restore_key=session.key_of("undo-ablation"),
        )
        shown = (tuple(parts.values()), frame.note, theme)
        if shown != self._shown:
            self._shown = shown
            self.state.setText("&nbsp;&nbsp; ".join(rich_text(line, theme) for line in parts.values()))
            self.note.setText("&nbsp;" + rich_text((Run(frame.note, "warning"),), theme))
            self.note.setToolTip(as_html(frame.note, 2000))
