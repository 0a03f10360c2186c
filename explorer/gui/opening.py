"""Open other reviews, a network of the user's own or a recording, and start the engine again, while pinkx runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog

from engine.sources.options import ReadOptions
from engine.zarr_store import is_store
from explorer.gui.dialogs.action_dialogs import ActionDialogs
from explorer.session.action_dispatch import Handler
from explorer.session.core import SessionError
from explorer.session.launcher import Launcher, LaunchOptions

REVIEWS = (
    "Reviews (*.txt *.csv *.tsv *.jsonl *.ndjson *.json *.parquet *.arrow *.npz *.pos *.neg *.gz *.bz2 *.xz *.zip "
    "*.tar *.tgz);;All files (*)"
)
NETWORKS = "Networks (*.safetensors *.pt *.pth *.onnx *.keras *.h5);;All files (*)"
RECORDINGS = "Recordings (*.safetensors);;All files (*)"


class Opening(ActionDialogs):
    """The part of the main window that replaces its session.

    The present session stays on the screen until the new one is open, and for good if it cannot be opened.
    """

    launcher: Launcher | None
    next_launcher: Launcher | None = None

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **super().handlers(),
            "open-reviews": lambda: self._ask_for("Open reviews", REVIEWS, lambda path: self.open_next(reviews=path)),
            "open-folder": lambda: self._ask_for("Open a folder of reviews", "", self._open_folder),
            "open-network": lambda: self._ask_for("Open a network", NETWORKS, self._use_network),
            "open-recording": lambda: self._ask_for(
                "Open a recording", RECORDINGS, lambda path: self.open_next(replay=Path(path))
            ),
            "restart-engine": self._restart_engine,
        }

    def open_next(self, *, reviews: str | None = None, replay: Path | None = None) -> None:
        """Open a session with the present choices: of other reviews, of a recording, or with a new engine.

        Raises
        ------
        SessionError
            If another one is being opened.
        """
        if self.next_launcher is not None:
            raise SessionError("pinkx is opening something already: wait until it is on the screen")
        session, launcher = self.opened_session, self.launcher
        options = LaunchOptions(save=False) if launcher is None else launcher.options
        options = replace(
            options, network=None, reviews=reviews, review=None, replay=replay, speed=None, reading=ReadOptions(),
            follow=None,
        )  # fmt: skip
        self.next_launcher = Launcher(options, session, None if launcher is None else launcher.state)
        self.next_launcher.begin()

    def adopt_next(self) -> bool:
        """Show the session that was being opened, if it is open now; return whether it is."""
        launcher = self.next_launcher
        if launcher is None or not launcher.done:
            return False
        self.next_launcher = None
        if launcher.session is None:
            self.opened_session.note = f"not opened: {launcher.error}"
            return False
        before, playing = self.opened_session, self.opened_session.stream.snapshot.playing
        for dialog in self.findChildren(QDialog):
            dialog.close()  # it belongs to the session before
        self.session = launcher.session
        self.session.actions = self.table
        if self.launcher is not None:  # else the owner of the session closes it
            threading.Thread(target=before.close, name="pinkx closing", daemon=True).start()
        self.launcher = launcher
        if playing or launcher.options.reviews is not None or launcher.options.replay is not None:
            self.session.play()
        return True

    def _restart_engine(self) -> None:
        if self.opened_session.replaying:
            raise SessionError("this is a recording: open it again, or open reviews to start an engine")
        self.open_next()

    def _open_folder(self, path: str) -> None:
        """Open a folder of reviews, or a recording in a Zarr store."""
        if is_store(Path(path)):
            self.open_next(replay=Path(path))
        else:
            self.open_next(reviews=path)

    def _use_network(self, path: str) -> None:
        self.opened_session.check_allowed("networks")
        self.opened_session.use_network(path)

    def _ask_for(self, title: str, filters: str, on_choose: Callable[[str], object]) -> None:
        """Ask for a file, or without ``filters`` for a folder; call ``on_choose`` with its path."""
        dialog = QFileDialog(self, title, str(Path.cwd()), filters)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        folder = QFileDialog.FileMode.Directory
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile if filters else folder)
        dialog.fileSelected.connect(lambda path: self.run_guarded(lambda: on_choose(path)))
        dialog.open()
