"""Options of an export: the panel, the kind of file, its resolution and ground, and its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from explorer.gui.dialogs.base import Dialog
from explorer.gui.panels.panel import Panel

KINDS: Mapping[str, str] = {
    "Picture (PNG)": ".png",
    "Drawing (SVG)": ".svg",
    "Document (PDF)": ".pdf",
    "Table (CSV)": ".csv",
}
SCALES: Mapping[str, float] = {"as on the screen": 1.0, "2 × the screen": 2.0, "4 × the screen": 4.0}


@dataclass(frozen=True)
class Export:
    """The choices of the dialog. ``light``: on light ground; ``every_signal``: a table of all gates."""

    panel: Panel
    path: Path
    scale: float
    light: bool
    every_signal: bool


class ExportDialog(Dialog):
    """Ask what to export; ``on_save`` is called with the choices. ``path_for`` proposes a file for a panel and a
    suffix."""

    def __init__(
        self,
        parent: QWidget,
        panels: Mapping[str, Panel],
        panel: Panel,
        path_for: Callable[[Panel, str], Path],
        on_save: Callable[[Export], None],
    ) -> None:
        super().__init__(parent, "Export", 560, 240)
        self._panels, self._path_for, self._on_save = panels, path_for, on_save
        self.panel, self.kind, self.scale = QComboBox(), QComboBox(), QComboBox()
        for name, each in panels.items():
            self.panel.addItem(each.title, name)
        self.panel.setCurrentIndex(self.panel.findData(panel.name))
        self.kind.addItems(list(KINDS))
        self.scale.addItems(list(SCALES))
        self.light, self.every_signal = QCheckBox("on light ground"), QCheckBox("all gates and states")
        self.path = QLineEdit()
        browse = QPushButton("Browse …")
        browse.clicked.connect(self._browse)
        place = QHBoxLayout()
        place.addWidget(self.path, 1)
        place.addWidget(browse)
        form = QFormLayout()
        form.addRow("Panel", self.panel)
        form.addRow("Kind", self.kind)
        form.addRow("Resolution", self.scale)
        form.addRow("", self.light)
        form.addRow("", self.every_signal)
        form.addRow("File", place)
        self.column.addLayout(form)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._save)
        buttons.rejected.connect(self.reject)
        self.column.addWidget(buttons)
        self.panel.currentIndexChanged.connect(self._propose)
        self.kind.currentIndexChanged.connect(self._propose)
        self._propose()

    @property
    def _chosen(self) -> Panel:
        return self._panels[self.panel.currentData()]

    def _propose(self) -> None:
        """Propose a file, and switch off what the kind of file does not have."""
        suffix = KINDS[self.kind.currentText()]
        self.path.setText(str(self._path_for(self._chosen, suffix)))
        self.scale.setEnabled(suffix == ".png")
        self.light.setEnabled(suffix != ".csv")
        self.every_signal.setEnabled(suffix == ".csv" and self._chosen.one_signal)

    def _browse(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Export to", self.path.text())
        if name:
            self.path.setText(name)

    def _save(self) -> None:
        path = Path(self.path.text()).expanduser()
        if not path.suffix:
            path = path.with_suffix(KINDS[self.kind.currentText()])
        chosen = Export(
            self._chosen,
            path,
            SCALES[self.scale.currentText()],
            self.light.isEnabled() and self.light.isChecked(),
            self.every_signal.isEnabled() and self.every_signal.isChecked(),
        )
        self.accept()
        self._on_save(chosen)
