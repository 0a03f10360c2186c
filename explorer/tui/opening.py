"""Open other reviews, a network or a recording, and change the window, while pinkx runs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from explorer.session.action_dispatch import Handler
from explorer.session.core import SessionError
from explorer.session.launcher import Launcher, LaunchOptions, parsed_window
from explorer.session.views.number_format import count
from explorer.tui.dialogs.action_dialogs import ActionDialogs

NETWORKS = (".pt", ".pth", ".onnx", ".keras", ".h5")
WEIGHTS = ".safetensors"  # a network or a recording


class Opening(ActionDialogs):
    """The part of the application that replaces its session.

    The present session stays on the screen until the new one is open, and for good if it cannot be opened.
    """

    launcher: Launcher | None
    next_launcher: Launcher | None = None

    def handlers(self) -> Mapping[str, Handler]:
        return {**super().handlers(), "open": self.do_open, "window": self.do_window}

    def do_open(self) -> None:
        hint = "a file or folder of reviews, imdb:test, a network file, or a recording"
        self.ask("Open", hint, "open", self.open_path)

    def do_window(self) -> None:
        session = self._session()
        session.check_allowed("networks")
        snapshot = session.stream.snapshot
        present = f"{snapshot.window}: {' '.join(map(str, snapshot.scales))}"
        hint = f"words, such as 128, or words and scales; now {present}"
        self.ask("Window of α, β and dead cells", hint, "read again", self.change_window)

    def open_path(self, text: str) -> None:
        """Open what a path or the name of a source means: a network, a recording, or else reviews.

        Raises
        ------
        SessionError, OSError
            If there is no such file, or another is being opened.
        """
        name = text.strip()
        path = Path(name).expanduser()
        if not name or not (path.exists() or name.partition(":")[0] == "imdb" or _part_of(name)):
            raise SessionError(f"no such file or folder: {name!r}; enter its path, or imdb:test")
        if path.suffix in NETWORKS or (path.suffix == WEIGHTS and not _is_recording(path)):
            self._session().check_allowed("networks")
            self._session().use_network(str(path.absolute()))
        elif path.suffix == WEIGHTS or (path.is_dir() and _is_store(path)):
            self._open_next(LaunchOptions(replay=path))
        else:
            self._open_next(LaunchOptions(reviews=str(path.absolute()) if path.exists() or _part_of(name) else name))

    def change_window(self, text: str) -> None:
        """Read the review again with another window, and other scales if any are given.

        Raises
        ------
        SessionError
            If they are not possible, or something is being opened.
        """
        window, scales = parsed_window(text)
        self._open_next(LaunchOptions(window=window, scales=scales))

    def _open_next(self, wanted: LaunchOptions) -> None:
        if self.next_launcher is not None:
            raise SessionError("pinkx is opening something already: wait until it is on the screen")
        session, launcher = self._session(), self.launcher
        options = LaunchOptions(save=False) if launcher is None else launcher.options
        options = replace(
            options, network=None, review=None, speed=None, reviews=wanted.reviews, replay=wanted.replay,
            window=wanted.window, scales=wanted.scales, reading=wanted.reading, follow=None,
        )  # fmt: skip
        self.next_launcher = Launcher(options, session, None if launcher is None else launcher.state)
        self.next_launcher.begin()
        session.note = "opening …"

    def adopt_next(self) -> None:
        """Show the session that was being opened, if it is open now."""
        launcher = self.next_launcher
        if launcher is None or not launcher.done:
            return
        self.next_launcher = None
        before = self._session()
        if launcher.session is None:
            before.note = f"not opened: {launcher.error}"
            return
        self.session = session = launcher.session
        session.actions, session.introduced = self.actions, before.introduced
        if self.launcher is not None:  # else the owner of the session closes it
            threading.Thread(target=before.close, name="pinkx closing", daemon=True).start()
            self.launcher = launcher
        session.play()
        if launcher.options.reviews is not None:
            notice = session.core.report.notice() if session.core.report is not None else ""
            session.note = "; ".join(filter(None, (f"opened {count(len(session.reviews), 'review')}", notice)))
        self.call_after_refresh(partial(self.draw, numbers=True))


def _part_of(name: str) -> bool:
    """Return whether a name is that of a part of a source, ``PATH:PART``."""
    return Path(name.rpartition(":")[0]).expanduser().exists() if ":" in name else False


def _is_recording(path: Path) -> bool:
    from engine.live.replay import is_recording

    return is_recording(path)


def _is_store(path: Path) -> bool:
    from engine.zarr_store import is_store

    return is_store(path)
