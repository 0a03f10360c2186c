"""The private parts of Textual in use are still there, and the terminal works without most of them."""

from __future__ import annotations

import gc
import io
import queue
from contextlib import suppress
from typing import Any
from weakref import ref

import pytest
from textual.drivers.linux_driver import LinuxDriver
from textual.widget import Widget
from textual.widgets import Static, TextArea

from explorer.session.session import Session
from explorer.tui.app import Explorer
from explorer.tui.terminal import textual_internals
from explorer.tui.terminal.driver import DiffDriver
from tests.explorer.tui.harness import shown, text_of, until

HINT = "Textual changed a private part that pinkx uses: adapt explorer/tui/terminal/textual_internals.py"


class OutputRecorder(io.StringIO):
    """A file that a driver can write to."""

    def fileno(self) -> int:
        return 2


async def test_driver_of_returns_the_driver(session: Session) -> None:
    async with shown(session) as (app, _):
        driver = textual_internals.driver_of(app)
        assert driver is not None, HINT
        assert driver.__class__.__name__ == "HeadlessDriver", HINT
        line = textual_internals.rendered_lines(app.screen)[1]
        assert "1 Review" in line.text, HINT
        assert len(textual_internals.rendered_lines(app.screen)) == 40, HINT


async def test_the_output_of_a_driver_can_be_wrapped_and_its_writer_observed(session: Session) -> None:
    async with shown(session) as (app, pilot):
        driver = LinuxDriver(app)
        output = OutputRecorder()
        textual_internals.wrap_output(driver, lambda file: output if file.fileno() >= 0 else file)
        assert vars(driver)["_file"] is output, HINT
        assert not textual_internals.has_writer(driver)
        assert textual_internals.writer_queue_empty(driver)

        from textual.drivers._writer_thread import WriterThread

        writer = driver._writer_thread = WriterThread(output)
        assert isinstance(writer._queue, queue.Queue), HINT
        driver.write("waits")  # the thread is not started
        assert textual_internals.has_writer(driver), HINT
        assert not textual_internals.writer_queue_empty(driver), HINT
        writer.start()
        await until(pilot, lambda: textual_internals.writer_queue_empty(driver))
        writer.stop()
        assert output.getvalue() == "waits", HINT


async def test_a_terminal_that_reports_mode_2026_supports_synchronised_output(session: Session) -> None:
    from textual.messages import TerminalSupportsSynchronizedOutput

    async with shown(session) as (app, pilot):
        assert textual_internals.supports_synchronised_output(app) is False, HINT
        app.post_message(TerminalSupportsSynchronizedOutput())
        await pilot.pause()
        assert textual_internals.supports_synchronised_output(app) is True, HINT


async def test_discarded_lines_are_rendered_again(session: Session) -> None:
    renders = 0

    class Counter(Static):
        def render_line(self, y: int) -> Any:
            nonlocal renders
            renders += 1
            return super().render_line(y)

    async with shown(session) as (app, pilot):
        widget = Counter("text")
        await app.mount(widget)
        await pilot.pause()
        textual_internals.rendered_lines(app.screen)
        before = renders
        textual_internals.rendered_lines(app.screen)
        assert renders == before, "Textual no longer caches lines: discard_cached_lines is not needed"
        textual_internals.discard_cached_lines(widget)
        textual_internals.rendered_lines(app.screen)
        assert renders > before, HINT


async def test_a_closed_dialog_is_freed_with_the_lines_of_its_widgets(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("t", "a")
        assert app.screen.query(TextArea)
        widgets: list[ref[Any]] = [ref(widget) for widget in (app.screen, *app.screen.walk_children(Widget))]
        caches: list[ref[Any]] = [
            ref(widget._styles_cache) for widget in (app.screen, *app.screen.walk_children(Widget))
        ]
        await pilot.press("escape")
        await until(pilot, lambda: not any((widget := each()) and widget.is_attached for each in widgets))

        def freed() -> bool:
            gc.collect()
            return not any(each() for each in widgets + caches)

        # asyncio keeps a cancelled timer, and with it the widget that started it, until its time has come
        with suppress(AssertionError):
            await until(pilot, freed)
        assert [each() for each in widgets + caches] == [None] * 2 * len(widgets), HINT


@pytest.mark.parametrize(("value", "plain"), [("1", True), ("0", False), ("", False)])
def test_the_environment_chooses_the_driver(monkeypatch: pytest.MonkeyPatch, value: str, plain: bool) -> None:
    monkeypatch.setenv("PINKX_PLAIN_TEXTUAL", value)
    assert textual_internals.plain_textual() is plain
    assert (Explorer().driver_class is DiffDriver) is not plain


async def test_plain_textual_shows_the_panels(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINKX_PLAIN_TEXTUAL", "1")
    async with shown(session) as (app, pilot):
        assert app.renderer is None
        assert not app.output_pending
        await pilot.press("g", "space")
        await until(pilot, lambda: session.stream.snapshot.finished)
        app.draw()
        assert "END" in text_of(app, "#status")
        screen = "\n".join(line.text for line in textual_internals.rendered_lines(app.screen))
        assert "P(positive)" in screen
        assert "6 Cells" in screen
