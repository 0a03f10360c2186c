"""Panels that draw directly show the same as when Textual draws them."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from rich.style import Style
from textual import events
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size

from engine.reviews import Review
from explorer.session.session import Session
from explorer.tui.app import Explorer
from explorer.tui.terminal.direct_renderer import DirectRenderer
from explorer.tui.terminal.screen_buffer import ScreenBuffer
from explorer.tui.terminal.textual_internals import driver_of
from explorer.tui.terminal.throttle import Throttle
from tests.explorer.small import open_session, wait
from tests.explorer.tui.harness import explorer

KEYS = ["g", "G", "v", "o", "k", "m", "left", "right", "down", "p", "comma", "]", "s", "z", "b", "h", "space"]
KEYS += ["tab", "1", "2", "3", "5", "6", "f1", "question_mark", "escape", "pageup", "end", "home"]
WIDE = "这部 电影 很好 the 🎬 film is good and e\u0301lan " * 9


class MemoryTerminal(Driver):
    """A terminal in memory that takes everything at once."""

    gone = pending = False

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        assert self._size is not None
        self.throttle = Throttle()
        self.cells = ScreenBuffer(*self._size)
        self.renderer = DirectRenderer(app, self.cells)

    def write(self, data: str) -> None:
        self.cells.write(data)

    def flush_cells(self) -> None: ...

    def invalidate(self) -> None: ...

    def start_application_mode(self) -> None:
        size = Size(self.cells.width, self.cells.height)
        self._app.post_message(events.Resize(size, size))

    def stop_application_mode(self) -> None: ...

    def disable_input(self) -> None: ...


def by_textual(app: Explorer, screen: ScreenBuffer) -> ScreenBuffer:
    """The current picture as Textual renders it."""
    whole = ScreenBuffer(screen.width, screen.height)
    whole.write(app.screen._compositor.render_full_update().render_segments(app.console))
    return whole


@pytest.mark.parametrize(
    ("size", "environment", "text"),
    [
        pytest.param((120, 40), {}, "", id="120x40"),
        pytest.param((120, 40), {}, WIDE, id="wide-characters-120x40"),
        pytest.param((200, 64), {"TEXTUAL_COLOR_SYSTEM": "256"}, "", id="256-colours-200x64"),
        pytest.param((80, 24), {}, "", id="80x24"),
        pytest.param((80, 24), {"NO_COLOR": "1"}, WIDE, id="no-colour-80x24"),
    ],
)
async def test_direct_drawing_and_textual_draw_the_same(
    size: tuple[int, int], environment: dict[str, str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", environment.get("TEXTUAL_COLOR_SYSTEM", "truecolor"))
    session: Session = open_session(search=True)
    try:
        if text:
            session.stream.open(Review("wide", text))
            wait(lambda: session.stream.snapshot.review.name == "wide")
        session.stream.seek(40)
        wait(lambda: session.stream.snapshot.time == min(40, session.stream.snapshot.words))
        app = explorer(session, driver_class=MemoryTerminal)
        dice = random.Random(1)
        async with app.run_test(headless=False, size=size) as pilot:
            driver = driver_of(app)
            assert isinstance(driver, MemoryTerminal)
            drawn = 0
            for key in dice.choices(KEYS, k=15):
                session.stream.seek(dice.randrange(1, session.stream.snapshot.words))
                await pilot.press(key)
                await pilot.pause()
                app.draw()
                await pilot.pause()
                await pilot.pause(0.02)
                there = driver.cells.wanted()
                assert there == by_textual(app, driver.cells).wanted(), key
                drawn += len({cell for line in there for cell in line})
            assert drawn > 500
    finally:
        session.close()


def test_many_pairs_of_colours_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = ScreenBuffer(120, 40)
    renderer = DirectRenderer(App(), screen)
    upper, lower = (part.ravel().astype(np.uint8) for part in np.mgrid[:30, :30])
    ground = Style(bgcolor="#101010")
    expected = renderer.blocks("cividis", upper, lower, ground)
    monkeypatch.setattr("explorer.tui.terminal.direct_renderer.MAX_STYLES", 10)
    renderer = DirectRenderer(App(), screen)
    np.testing.assert_array_equal(renderer.blocks("cividis", upper, lower, ground), expected)
    assert len(renderer._styles) <= 10


async def test_textual_draws_where_a_dialog_covers_a_panel() -> None:
    session = open_session()
    try:
        app = explorer(session, driver_class=MemoryTerminal)
        async with app.run_test(headless=False, size=(120, 40)) as pilot:
            await pilot.pause()
            assert app.renderer is not None
            assert app.renderer.place(app.query_one("#review")) is not None
            await pilot.press("question_mark")
            await pilot.pause()
            assert app.renderer.place(app.screen_stack[0].query_one("#review")) is None
    finally:
        session.close()
