"""The terminal as a driver that sends only what changed, and knows whether the terminal keeps up."""

from __future__ import annotations

import time
from typing import IO, Any, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from explorer.tui.terminal.direct_renderer import DirectRenderer
from explorer.tui.terminal.screen_buffer import ScreenBuffer
from explorer.tui.terminal.throttle import AHEAD, Flow

BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"  # what lies between appears at once


class Meter:
    """A text file that counts what was written, outlives its terminal, and when it is flushed sends what changed."""

    def __init__(self, file: IO[str], screen: ScreenBuffer) -> None:
        self._file = file
        self._screen = screen
        self.at_once = False
        self.leaving = False
        self.writing = False
        self.gone = False
        self.characters = 0
        self.flow = Flow()

    @property
    def busy(self) -> bool:
        """Whether the terminal has not taken yet what was sent."""
        return self.writing or self.flow.ahead(time.monotonic()) > AHEAD

    def write(self, text: str) -> int:
        self.writing = True
        self.characters += len(text)
        try:
            return self._file.write(text)
        except OSError:  # nobody is there to read it; the face sees that and leaves
            self.gone = True
            return 0

    def flush(self) -> None:
        """Called by Textual's writer thread when its queue is empty: the place to wait for a slow terminal."""
        try:
            self._file.flush()
            while not (self.leaving or self.gone):
                if (wait := self.flow.ahead(time.monotonic()) - AHEAD) > 0:
                    time.sleep(min(wait, AHEAD))
                    continue
                part = self._screen.take(self.flow.part)
                if not part:
                    break
                began = time.monotonic()
                text = f"{BEGIN}{part}{END}" if self.at_once else part
                self.write(text)
                self._file.flush()
                self.flow.wrote(len(text.encode()), began, time.monotonic())
        except OSError:
            self.gone = True
        self.writing = False

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()


class MeteredDriver(LinuxDriver):
    """Textual's driver, with a `ScreenBuffer` between what Textual draws and what is sent.

    Textual queues its output for a writer thread and blocks the event loop when the queue is full; here what it draws
    only changes cells, and the thread sends differences as the terminal takes them. ``_file``, ``_writer_thread`` and
    ``_sync_available`` are private to Textual: only this class touches them.
    """

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self.cells = ScreenBuffer(*app.size)
        self.ink = DirectRenderer(app, self.cells)
        self.meter = Meter(cast("IO[str]", self._file), self.cells)
        self._file = cast("Any", self.meter)

    def start_application_mode(self) -> None:
        self.meter.leaving = False
        self.cells.forget()
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        self.meter.leaving = True  # what was not sent yet never will be
        super().stop_application_mode()

    def write(self, data: str) -> None:
        size = self._app.size
        if size != (self.cells.width, self.cells.height):
            self.cells.resize(*size)
        self._send(data if self.meter.leaving else self.cells.write(data))

    def send(self) -> None:
        """Send what panels drew themselves."""
        if not self.meter.leaving:
            self._send("")

    def _send(self, through: str) -> None:
        writer = self._writer_thread
        if writer is not None and (through or (self.cells.waiting and writer._queue.empty())):
            self.meter.at_once = self._app._sync_available
            super().write(through)

    def forget(self) -> None:
        """Send everything anew: the terminal may have lost what it showed."""
        self.cells.forget()

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
    def rate(self) -> float:
        """How many bytes a second the terminal takes, infinite for one that is not slow."""
        return self.meter.flow.rate

    @property
    def busy(self) -> bool:
        """Whether output waits for the terminal."""
        writer = self._writer_thread
        return writer is not None and (self.meter.busy or self.cells.waiting or not writer._queue.empty())
