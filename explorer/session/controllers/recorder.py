"""Recording runs to a file that plays without the network.

Runs stay in memory until the recording ends: at the second press of its key, at the limit, or when pinkx closes. A
thread of this process writes the file, because sending the runs to a worker process would copy up to a gigabyte.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.live.inheritance import free_unused_memory
from explorer.session.core import Core
from explorer.session.filenames import free_path

if TYPE_CHECKING:
    from engine.live.replay import RecordedReview

LIMIT: Final = 1 << 30  # bytes of runs in memory; some thousand reviews through 128 cells
PATIENCE: Final = 30.0  # seconds; the engine answers after its present block, or after loading a network
NEEDS_NETWORK: Final = frozenset({
    "networks", "layer", "type", "edit", "ablate", "ablate-dead", "clamp", "undo", "undo-ablation", "find-points",
    "corpus", "compare-reviews", "agree-elsewhere", "word-by-word", "follow-input", "memory", "attribution",
    "attributions", "steer", "steering-vector", "contexts", "epochs", "accuracy-without",
})  # fmt: skip


class Recorder:
    """Records runs and writes them.

    Parameters
    ----------
    core : Core
    limit : int
        Bytes of runs at which a recording is written.

    Attributes
    ----------
    folder : Path or None
        Where files are written; None for the working directory.
    """

    def __init__(self, core: Core, limit: int = LIMIT) -> None:
        self._core = core
        self._limit = limit
        self.folder: Path | None = None
        self._runs: list[RecordedReview] | None = None
        self._writers: list[threading.Thread] = []

    @property
    def active(self) -> bool:
        """Whether runs are being recorded."""
        return self._runs is not None

    @property
    def busy(self) -> bool:
        """Whether a file is being written, or will have to be."""
        return self.active or any(thread.is_alive() for thread in self._writers)

    @property
    def runs(self) -> int:
        """The number of runs in the recording, with the present one; 0 without a recording."""
        return 0 if self._runs is None else len(self._runs) + 1

    def record(self) -> None:
        """Begin to record; or end the recording and write it."""
        if self.active:
            self._finish()
        else:
            runs: list[RecordedReview] = []
            self._runs = runs
            self._core.stream.record_runs(lambda run: self._add(runs, run))
            again = self._core.key_of("record")
            self._core.note = f"recording this run and those after it; {again} again writes them to a file"

    def export_run(self) -> None:
        """Write the present run alone."""
        self._write_with_present([])

    def close(self) -> None:
        """End a recording, and wait until everything is written; call it before the stream is closed."""
        if self.active:
            self._finish()
        for thread in self._writers:
            thread.join()

    # ---- internals -------------------------------------------------------------------------------------------

    def _add(self, runs: list[RecordedReview], run: RecordedReview) -> None:
        """Add a run that has ended; called in the thread that listens to the engine."""
        runs.append(run)
        if runs is self._runs and sum(v.nbytes for r in runs for v in r.network.values.values()) > self._limit:
            self._finish()

    def _finish(self) -> None:
        runs, self._runs = self._runs, None
        self._core.stream.record_runs(None)
        self._write_with_present(runs or [])

    def _write_with_present(self, runs: list[RecordedReview]) -> None:
        taken = self._core.stream.take_recording()

        def write() -> None:
            present = taken.result(PATIENCE)  # by now the engine has sent every run before it
            self._core.note = self._write([*runs, *([present] if present is not None else [])])
            runs.clear()
            del present
            free_unused_memory()  # the heap of the thread that received the runs

        thread = threading.Thread(target=_reporting_errors(write, self._core), name="pinkx recorder", daemon=True)
        self._writers = [*(other for other in self._writers if other.is_alive()), thread]
        thread.start()

    def _write(self, runs: list[RecordedReview]) -> str:
        """Write runs and return the notice for the user."""
        from engine.live.replay import save_recording

        if not runs:
            return "nothing to save: no word is read yet"
        folder = Path.cwd() if self.folder is None else self.folder
        what = runs[0].name if len(runs) == 1 else f"{len(runs)}-runs"
        path = free_path(folder, runs[0].network.title, what, ".safetensors")
        save_recording(path, runs, version("pinkx"))
        return f"saved {path.name} in {folder}: pinkx tui --replay plays it"


def _reporting_errors(work: Callable[[], None], core: Core) -> Callable[[], None]:
    """Wrap work so that its errors become the session's notice."""

    def run() -> None:
        try:
            work()
        except Exception as error:  # such as a full disk or a folder without write access: reading goes on
            core.note = f"the recording was not saved: {str(error) or repr(error)}"

    return run
