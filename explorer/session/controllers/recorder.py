"""Recording: every run that is read from a key on, or the present one alone, in a file that plays without the network.

Runs stay in memory until the recording ends, which is when another key, the limit, or leaving pinkx ends it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.session.filenames import free_path

if TYPE_CHECKING:
    from engine.live.replay import RecordedReview
    from explorer.session.session import Session

LIMIT = 1 << 30  # bytes of runs in memory; some thousand reviews through 128 cells
PATIENCE = 30.0  # seconds; the engine answers after its present block, or after loading a network
NEEDS_NETWORK = frozenset({
    "networks", "type", "edit", "ablate", "ablate-dead", "clamp", "undo-ablation", "find-points", "corpus",
    "compare-reviews", "agree-elsewhere", "word-by-word",
})  # fmt: skip


class Recorder:
    """What is being recorded. Actions of the table that record are methods here.

    ``folder`` is where files go, None the present one.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.folder: Path | None = None
        self._kept: list[RecordedReview] | None = None
        self._writing: list[threading.Thread] = []

    @property
    def replaying(self) -> bool:
        """Whether what is watched is a recording itself."""
        from engine.live.replay import RecordedNetwork

        return isinstance(self._session.stream.snapshot.network, RecordedNetwork)

    @property
    def active(self) -> bool:
        """Whether runs are being kept."""
        return self._kept is not None

    @property
    def busy(self) -> bool:
        """Whether something is, or will have to be, written."""
        return self.active or any(thread.is_alive() for thread in self._writing)

    @property
    def runs(self) -> int:
        """How many runs the recording holds, with the present one."""
        return 0 if self._kept is None else len(self._kept) + 1

    def record(self) -> None:
        """Begin to record, or end it and write the file."""
        if self.active:
            self._finish()
        else:
            kept: list[RecordedReview] = []
            self._kept = kept
            self._session.stream.record_runs(lambda run: self._keep(kept, run))
            again = self._session.key_of("record")
            self._session.note = f"recording this run and those after it; {again} again writes them to a file"

    def export_run(self) -> None:
        """Write the present run alone."""
        self._write_with_present([])

    def close(self) -> None:
        """End a recording before the engine ends, and wait for what is being written."""
        if self.active:
            self._finish()
        for thread in self._writing:
            thread.join()

    # ---- inside ----------------------------------------------------------------------------------------------

    def _keep(self, kept: list[RecordedReview], run: RecordedReview) -> None:
        """Called in the engine's thread with every run that another replaces."""
        kept.append(run)
        if kept is self._kept and sum(v.nbytes for r in kept for v in r.network.values.values()) > LIMIT:
            self._finish()

    def _finish(self) -> None:
        kept, self._kept = self._kept, None
        self._session.stream.record_runs(None)
        self._write_with_present(kept or [])

    def _write_with_present(self, kept: list[RecordedReview]) -> None:
        taken = self._session.stream.take_recording()

        def write() -> None:
            present = taken.result(PATIENCE)  # whatever the engine still kept is in the list by now
            self._session.note = self._written([*kept, *([present] if present is not None else [])])

        thread = threading.Thread(target=_telling(write, self._session), name="pinkx recorder", daemon=True)
        self._writing = [*(other for other in self._writing if other.is_alive()), thread]
        thread.start()

    def _written(self, runs: list[RecordedReview]) -> str:
        from engine.live.replay import save_recording

        if not runs:
            return "nothing to save: no word is read yet"
        folder = Path.cwd() if self.folder is None else self.folder
        what = runs[0].name if len(runs) == 1 else f"{len(runs)}-runs"
        path = free_path(folder, runs[0].network.name, what, ".safetensors")
        save_recording(path, runs, version("pinkx"))
        return f"saved {path.name} in {folder}: pinkx tui --replay plays it"


def _telling(work: Callable[[], None], session: Session) -> Callable[[], None]:
    """The same work, of which whatever goes wrong is told."""

    def do() -> None:
        try:
            work()
        except Exception as error:  # a full disk, a folder that may not be written: the run goes on
            session.note = f"nothing is recorded: {str(error) or repr(error)}"

    return do
