"""The terminal as a driver that knows whether the terminal keeps up."""

from __future__ import annotations

from typing import IO, Any, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


class Meter:
    """A text file that knows whether a write is under way, counts what was written, and outlives its terminal."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.busy = False
        self.gone = False
        self.characters = 0

    def write(self, text: str) -> int:
        self.busy = True
        self.characters += len(text)
        try:
            return self._file.write(text)
        except OSError:  # nobody is there to read it; the face sees that and leaves
            self.gone = True
            return 0

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self.gone = True
        self.busy = False

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()


class MeteredDriver(LinuxDriver):
    """Textual's driver, whose backlog can be seen.

    Textual queues its output for a writer thread and blocks the event loop when the queue is full; so a face must look
    before it draws. ``_file`` and ``_writer_thread`` are private to Textual: only this class touches them.
    """

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self.meter = Meter(cast("IO[str]", self._file))
        self._file = cast("Any", self.meter)

    def run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except OSError:
            self.meter.gone = True

    @property
    def gone(self) -> bool:
        """Whether the terminal was closed."""
        return self.meter.gone

    @property
    def busy(self) -> bool:
        """Whether output waits for the terminal."""
        writer = self._writer_thread
        return writer is not None and (self.meter.busy or not writer._queue.empty())
