"""A Textual driver that sends only the cells that changed, and no faster than the terminal takes them."""

from __future__ import annotations

import time
from typing import IO, Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from explorer.tui.terminal.direct_renderer import DirectRenderer
from explorer.tui.terminal.screen_buffer import ScreenBuffer
from explorer.tui.terminal.textual_internals import (
    has_writer,
    supports_synchronised_output,
    wrap_output,
    writer_queue_empty,
)
from explorer.tui.terminal.throttle import MAX_BACKLOG, Throttle

BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"  # the terminal shows what lies between them at once


class DiffOutput:
    """The terminal as a text file that, on each flush, sends the differences of a `ScreenBuffer`.

    It survives a terminal that was closed (``gone``).
    """

    def __init__(self, file: IO[str], buffer: ScreenBuffer, throttle: Throttle) -> None:
        self._file = file
        self._buffer = buffer
        self._throttle = throttle
        self.synchronised = False
        self.closing = False
        self.writing = False
        self.gone = False
        self.characters = 0

    def write(self, text: str) -> int:
        self.writing = True
        self.characters += len(text)
        try:
            return self._file.write(text)
        except OSError:  # the terminal was closed; the application checks `gone`
            self.gone = True
            return 0

    def flush(self) -> None:
        """Send all differences. Textual's writer thread calls this when its queue is empty, so it may wait here."""
        try:
            self._file.flush()
            while not (self.closing or self.gone):
                if (wait := self._throttle.backlog(time.monotonic()) - MAX_BACKLOG) > 0:
                    time.sleep(min(wait, MAX_BACKLOG))
                    continue
                part = self._buffer.take(self._throttle.chunk_size)
                if not part:
                    break
                began = time.monotonic()
                text = f"{BEGIN}{part}{END}" if self.synchronised else part
                self.write(text)
                self._file.flush()
                self._throttle.record_write(len(text.encode()), began, time.monotonic())
        except OSError:
            self.gone = True
        self.writing = False

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()


class DiffDriver(LinuxDriver):
    """Textual's driver with a `ScreenBuffer` between what is drawn and what is sent.

    Textual queues its output for a writer thread and blocks the event loop when the queue is full. Here drawing only
    changes cells, and the thread sends the differences as fast as the terminal takes them.
    """

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._application = app
        self.throttle = Throttle()
        self.cells = ScreenBuffer(*app.size)
        self.renderer = DirectRenderer(app, self.cells)
        wrap_output(self, self._open_output)

    def _open_output(self, file: IO[str]) -> DiffOutput:
        self.output = DiffOutput(file, self.cells, self.throttle)
        return self.output

    def start_application_mode(self) -> None:
        self.output.closing = False
        self.cells.invalidate()
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        self.output.closing = True  # what was not sent yet is dropped
        super().stop_application_mode()

    def write(self, data: str) -> None:
        size = self._application.size
        if size != (self.cells.width, self.cells.height):
            self.cells.resize(*size)
        self._send(data if self.output.closing else self.cells.write(data))

    def flush_cells(self) -> None:
        if not self.output.closing:
            self._send("")

    def _send(self, passed_through: str) -> None:
        if has_writer(self) and (passed_through or (self.cells.waiting and writer_queue_empty(self))):
            self.output.synchronised = supports_synchronised_output(self._application)
            super().write(passed_through)

    def invalidate(self) -> None:
        self.cells.invalidate()

    def run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except OSError:
            self.output.gone = True

    @property
    def gone(self) -> bool:
        return self.output.gone

    @property
    def pending(self) -> bool:
        return has_writer(self) and (self.output.writing or self.cells.waiting or not writer_queue_empty(self))
