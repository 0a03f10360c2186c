"""The tool bar: play and step, the reading speed, and networks A and B."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QLabel, QSlider, QToolBar, QWidget

from explorer.gui.host import Host
from explorer.session.controllers.playback import SPEEDS
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.number_format import reading_speed
from explorer.session.views.units import WORDS, UnitNames, unit_names

# Labels of the buttons; "" stands for the label in the table of actions.
BUTTONS = {
    "start": "|◂", "step-back": "◂", "play": "", "step": "▸", "live": "", "restart": "",
    "previous-review": "◂ Review", "next-review": "Review ▸", "type": "",
}  # fmt: skip
NONE = "none"


class Transport(QToolBar):
    """Buttons for actions of the table, a slider over the speeds, network A (which reads) and B (compared with A)."""

    def __init__(self, host: Host, parent: QWidget, actions: dict[str, QAction]) -> None:
        super().__init__("Transport", parent)
        self.setObjectName("transport")
        self._host = host
        for name, label in BUTTONS.items():
            self.addAction(actions[name])
            actions[name].setIconText(label or actions[name].iconText())
            self.widgetForAction(actions[name]).setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._play, self._actions = actions["play"], actions
        self.addSeparator()
        self.speed = QSlider(Qt.Orientation.Horizontal)
        self.speed.setRange(0, len(SPEEDS) - 1)
        self.speed.setFixedWidth(150)
        self.speed.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.speed.valueChanged.connect(self._set_speed)
        self._speed_label = QLabel()
        self._speed_label.setFixedWidth(115)
        self.a, self.b = QComboBox(), QComboBox()
        for widget in (QLabel(" Speed "), self.speed, self._speed_label):
            self.addWidget(widget)
        self.addSeparator()
        self._add_network(" Network A ", self.a, "The network that reads")
        self._add_network(" B ", self.b, "A second network that reads the same review, for comparison")
        self.a.activated.connect(self._use)
        self.b.activated.connect(self._compare)
        self._shown: tuple[object, ...] = ()
        self.name_units(WORDS)

    def _add_network(self, label: str, box: QComboBox, tip: str) -> None:
        box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        box.setToolTip(tip)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.addWidget(QLabel(label))
        self.addWidget(box)

    def set_networks(self, networks: list[tuple[str, str]]) -> None:
        """List the networks to choose from, (path, description that begins with the name)."""
        for box in (self.a, self.b):
            box.clear()
        self.b.addItem(NONE, "")
        for path, description in networks:
            name = description.split()[0]
            for box in (self.a, self.b):
                box.addItem(name, path)
                box.setItemData(box.count() - 1, description, Qt.ItemDataRole.ToolTipRole)

    def name_units(self, names: UnitNames) -> None:
        """Name the buttons after what the network reads."""
        for name in ("previous-review", "next-review"):
            self._actions[name].setIconText(names.reword(BUTTONS[name]))
        self.speed.setToolTip(names.reword("Words per second; the right end has no limit"))

    def show_frame(self, session: Session, frame: Frame) -> None:
        """Show the state of a frame, whether it was changed here or elsewhere."""
        snapshot = frame.snapshot
        shown = (snapshot.playing, snapshot.speed, snapshot.network.name, session.comparison.network)
        if shown == self._shown:
            return
        self._shown = shown
        self._play.setText("&Pause" if snapshot.playing else "&Play")
        self._play.setIconText(self._play.text()[1:])
        nearest = min(range(len(SPEEDS)), key=lambda k: abs((SPEEDS[k] or 1e9) - (snapshot.speed or 1e9)))
        self.speed.blockSignals(True)
        self.speed.setValue(nearest)
        self.speed.blockSignals(False)
        self._speed_label.setText(reading_speed(snapshot.speed, unit_names(snapshot.network).unit))
        if self.a.findText(snapshot.network.name) < 0:  # from a file
            self.a.addItem(snapshot.network.name, "")
        self.a.setCurrentIndex(self.a.findText(snapshot.network.name))
        self.b.setCurrentIndex(max(0, self.b.findData(session.comparison.network or "")))

    def _set_speed(self, position: int) -> None:
        session = self._host.session
        if session is not None:
            self._host.run_guarded(lambda: session.stream.set_speed(SPEEDS[position]))

    def _use(self, row: int) -> None:
        session, path = self._host.session, self.a.itemData(row)

        def use() -> None:
            assert session is not None
            session.check_allowed("networks")
            session.use_network(path)

        if session is not None and path:
            self._host.run_guarded(use)
        self._shown = ()  # if that was refused, show the network that still reads

    def _compare(self, row: int) -> None:
        session, path = self._host.session, self.b.itemData(row)
        if session is not None:
            self._host.run_guarded(lambda: session.comparison.compare_with(path or None))
