"""The tool bar: play and step, how fast, and which networks read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QLabel, QSlider, QToolBar

from explorer.session.controllers.playback import SPEEDS
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.number_format import reading_speed

if TYPE_CHECKING:
    from explorer.gui.window import Window

# Shorter names on buttons, where those of the table are long.
BUTTONS = {
    "start": "|◂", "step-back": "◂", "play": "", "step": "▸", "live": "", "restart": "",
    "previous-review": "◂ Review", "next-review": "Review ▸", "type": "",
}  # fmt: skip
NONE = "none"


class Transport(QToolBar):
    """Buttons of the table's actions, a slider over the speeds, and networks A (reads) and B (is compared)."""

    def __init__(self, window: Window, actions: dict[str, QAction]) -> None:
        super().__init__("Transport", window)
        self.setObjectName("transport")
        self._window = window
        for name, short in BUTTONS.items():
            self.addAction(actions[name])
            actions[name].setIconText(short or actions[name].text())
            button = self.widgetForAction(actions[name])
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._play = actions["play"]
        self.addSeparator()
        self.speed = QSlider(Qt.Orientation.Horizontal)
        self.speed.setRange(0, len(SPEEDS) - 1)
        self.speed.setFixedWidth(150)
        self.speed.setToolTip("words a second; at the right end as fast as it goes")
        self.speed.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.speed.valueChanged.connect(self._set_speed)
        self._told = QLabel()
        self._told.setFixedWidth(115)
        self.a, self.b = QComboBox(), QComboBox()
        for widget in (QLabel(" speed "), self.speed, self._told):
            self.addWidget(widget)
        self.addSeparator()
        self._add_network(" network A ", self.a, "the network that reads")
        self._add_network(" B ", self.b, "a second network that reads along")
        self.a.activated.connect(self._use)
        self.b.activated.connect(self._compare)
        self._shown: tuple[object, ...] = ()

    def _add_network(self, label: str, box: QComboBox, tip: str) -> None:
        box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        box.setToolTip(tip)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.addWidget(QLabel(label))
        self.addWidget(box)

    def fill(self, networks: list[tuple[str, str]]) -> None:
        """Offer networks, (path, what is told of it)."""
        for box in (self.a, self.b):
            box.clear()
        self.b.addItem(NONE, "")
        for path, told in networks:
            name = told.split()[0]
            for box in (self.a, self.b):
                box.addItem(name, path)
                box.setItemData(box.count() - 1, told, Qt.ItemDataRole.ToolTipRole)

    def show_frame(self, session: Session, frame: Frame) -> None:
        """Show what is the case, whoever changed it."""
        snapshot = frame.snapshot
        shown = (snapshot.playing, snapshot.speed, snapshot.network.name, session.comparison.network)
        if shown == self._shown:
            return
        self._shown = shown
        self._play.setText("Pause" if snapshot.playing else "Play")
        self._play.setIconText(self._play.text())
        nearest = min(range(len(SPEEDS)), key=lambda k: abs((SPEEDS[k] or 1e9) - (snapshot.speed or 1e9)))
        self.speed.blockSignals(True)
        self.speed.setValue(nearest)
        self.speed.blockSignals(False)
        self._told.setText(reading_speed(snapshot.speed))
        if self.a.findText(snapshot.network.name) < 0:  # one from a file, or with silenced cells
            self.a.addItem(snapshot.network.name, "")
        self.a.setCurrentIndex(self.a.findText(snapshot.network.name))
        self.b.setCurrentIndex(max(0, self.b.findData(session.comparison.network or "")))

    def _set_speed(self, place: int) -> None:
        session = self._window.session
        if session is not None:
            self._window.run_guarded(lambda: session.stream.set_speed(SPEEDS[place]))

    def _use(self, row: int) -> None:
        session, path = self._window.session, self.a.itemData(row)

        def use() -> None:
            assert session is not None
            session.check_allowed("networks")
            session.use_network(path)

        if session is not None and path:
            self._window.run_guarded(use)
        self._shown = ()  # show again what is the case, if that was refused

    def _compare(self, row: int) -> None:
        session, path = self._window.session, self.b.itemData(row)
        if session is not None:
            self._window.run_guarded(lambda: session.comparison.compare_with(path or None))
