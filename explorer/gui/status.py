"""The last line: what went wrong or was done, where the run stands, how fast, and what the pictures leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel, QStatusBar

from explorer.gui.text import as_html
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.number_format import reading_speed

if TYPE_CHECKING:
    from explorer.gui.window import Window

BADGES = {"LIVE": "● LIVE", "PAUSED": "‖ PAUSED", "LOOKING": "◂ LOOKING BACK", "END": "■ END"}


class Status(QStatusBar):
    """A note at the left; state, place, speeds, reduction and loss at the right."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self.note, self.state = QLabel(), QLabel()
        self.note.setMinimumWidth(0)
        self.note.setSizePolicy(self.note.sizePolicy().Policy.Ignored, self.note.sizePolicy().Policy.Fixed)
        self.addWidget(self.note, 1)
        self.addPermanentWidget(self.state)
        self._shown: tuple[object, ...] = ()

    def show_frame(self, session: Session, frame: Frame, fps: float, reduction: int) -> None:
        """Tell about a frame; ``reduction``: cells that share a row of a picture, ``fps`` the pictures a second."""
        snapshot, theme = frame.snapshot, self._window.theme
        colour = {"LIVE": theme.good, "END": theme.dim}.get(frame.status, theme.warn)
        parts = [
            f"<b>{as_html(snapshot.network.name, 40)}</b> · {as_html(snapshot.network.task, 20)}",
            f"review {snapshot.index + 1}/{snapshot.reviews}" if snapshot.reviews > 1 else "",
            f"<b style='color:{colour}'>{BADGES[frame.status]}</b>",
            f"word <b>{frame.word + 1}</b>/{snapshot.words}",
            reading_speed(snapshot.speed),
        ]
        if self._window.show_rates:
            if snapshot.playing:
                parts.append(f"now {snapshot.words_per_second:,.0f} words/s")
            parts.append(f"{fps:.0f} fps")
        if reduction > 1:
            parts.append(f"<span style='color:{theme.warn}'>up to {reduction} cells/row</span>")
        lost = snapshot.time - len(session.read("probability", 0, snapshot.time))
        if lost > 0:
            parts.append(f"<span style='color:{theme.warn}'>{lost:,} words no longer kept</span>")
        runs = session.recorder.runs
        if runs:
            parts.append(f"<b style='color:{theme.dead}'>● REC {runs} run{'s'[: runs > 1]}</b>")
        shown = ("&nbsp;&nbsp; ".join(filter(None, parts)), frame.note)
        if shown != self._shown:
            self._shown = shown
            self.state.setText(shown[0])
            self.note.setText(f"<span style='color:{theme.warn}'>&nbsp;{as_html(frame.note, 300)}</span>")
            self.note.setToolTip(as_html(frame.note, 2000))
