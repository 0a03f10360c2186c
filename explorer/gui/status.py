"""The lines below the panels: the focused panel and its keys, the state of the run, and the latest notice."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStatusBar, QVBoxLayout, QWidget

from explorer.gui.host import Host
from explorer.gui.panels.readout_line import ReadoutLine
from explorer.gui.text import as_html, rich_text
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.readouts import status_parts
from explorer.session.views.runs import Line, Run

WIDTH_STEP = 40  # pixels


class Status(QStatusBar):
    """Two lines: what the focused panel shows, with its keys, and the state of the run; below, the notice alone."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = host
        self.hint, self.note, self.state = ReadoutLine(), QLabel(), QLabel()
        self.setSizeGripEnabled(False)  # an empty box; the frame resizes the window
        self.state.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.note.setMinimumWidth(0)
        self.note.setSizePolicy(self.note.sizePolicy().Policy.Ignored, self.note.sizePolicy().Policy.Fixed)
        lines = QWidget()
        column = QVBoxLayout(lines)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(1)
        first = QHBoxLayout()
        first.addWidget(self.hint, 1)
        first.addWidget(self.state)
        column.addLayout(first)
        column.addWidget(self.note)
        self.addWidget(lines, 1)
        self._shown: tuple[object, ...] = ()
        self._hinted: tuple[object, ...] = ()

    def show_frame(self, session: Session, frame: Frame, fps: float, reduction: int, hint: Line) -> None:
        """Show a frame, the frame rate, the largest number of cells that share one row of a plot, and the ``hint``."""
        snapshot, theme = frame.snapshot, self._host.theme
        parts = status_parts(
            frame,
            comparison=session.comparison.name if session.comparison.result(frame) is not None else "",
            recorded=session.recorder.runs,
            cells_per_row=reduction,
            lost=snapshot.time - len(session.read("probability", 0, snapshot.time)),
            fps=fps if self._host.show_rates else None,
            skipped=session.skipped,
            restore_key=session.key_of("undo-ablation"),
        )
        shown = (tuple(parts.values()), frame.note, theme)
        if shown != self._shown:
            self._shown = shown
            self.state.setText("&nbsp;&nbsp; ".join(rich_text(line, theme) for line in parts.values()))
            needed = self.state.sizeHint()
            # A label of fixed size does not lay out the whole window, 3 ms, for every number that gains a digit.
            self.state.setFixedSize(-(-needed.width() // WIDTH_STEP) * WIDTH_STEP, needed.height())
            self.note.setText("&nbsp;" + rich_text((Run(frame.note, "warning"),), theme))
            self.note.setToolTip(as_html(frame.note, 2000))
        if (hint, theme) != self._hinted:
            self._hinted = hint, theme
            self.hint.apply_theme(theme)
            self.hint.set_line(hint)
