"""What panels draw straight on the terminal is what Textual would draw there."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from textual import events
from textual.driver import Driver
from textual.geometry import Size

from engine.reviews import Review
from explorer.session.session import Session
from explorer.tui.app import Explorer
from explorer.tui.terminal.direct_renderer import DirectRenderer
from explorer.tui.terminal.screen_buffer import ScreenBuffer
from tests.explorer.small import open_session, wait

KEYS = ["g", "G", "v", "o", "k", "m", "left", "right", "down", "p", "comma", "]", "s", "z", "b", "h", "space"]
KEYS += ["tab", "1", "2", "3", "5", "6", "f1", "question_mark", "escape", "pageup", "end", "home"]
WIDE = "这部 电影 很好 the 🎬 film is good and e\u0301lan " * 9


class Recorder(Driver):
    """A terminal that takes everything at once."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        assert self._size is not None
        self.cells = ScreenBuffer(*self._size)
        self.ink = DirectRenderer(app, self.cells)

    def write(self, data: str) -> None:
        self.cells.write(data)

    def send(self) -> None: ...

    def start_application_mode(self) -> None:
        size = Size(self.cells.width, self.cells.height)
        told = self._app._post_message(events.Resize(size, size))
        asyncio.run_coroutine_threadsafe(told, loop=asyncio.get_running_loop())

    def stop_application_mode(self) -> None: ...

    def disable_input(self) -> None: ...


def by_textual(app: Explorer, screen: ScreenBuffer) -> ScreenBuffer:
    """The present picture as Textual renders it."""
    whole = ScreenBuffer(screen.width, screen.height)
    whole.write(app.screen._compositor.render_full_update().render_segments(app.console))
    return whole


def seen(screen: ScreenBuffer) -> list[list[Any]]:
    return [[screen._cells[code] for code in line] for line in screen._wanted.tolist()]


@pytest.mark.parametrize(
    ("size", "environment", "text"),
    [
        ((120, 40), {}, ""),
        ((120, 40), {}, WIDE),
        ((200, 64), {"TEXTUAL_COLOR_SYSTEM": "256"}, ""),
        ((80, 24), {}, ""),
        ((80, 24), {"NO_COLOR": "1"}, WIDE),
    ],
)
async def test_both_ways_draw_the_same(
    size: tuple[int, int], environment: dict[str, str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", environment.get("TEXTUAL_COLOR_SYSTEM", "truecolor"))
    monkeypatch.setattr(Explorer, "get_driver_class", lambda _: Recorder)
    session: Session = open_session(search=True)
    try:
        if text:
            session.stream.open(Review("wide", text))
            wait(lambda: session.stream.snapshot.review.name == "wide")
        session.stream.seek(40)
        wait(lambda: session.stream.snapshot.time == min(40, session.stream.snapshot.words))
        app = Explorer(session=session, show_rates=False)
        dice = random.Random(1)
        async with app.run_test(headless=False, size=size) as pilot:
            driver = app._driver
            assert isinstance(driver, Recorder)
            drawn = 0
            for key in dice.choices(KEYS, k=15):
                session.stream.seek(dice.randrange(1, session.stream.snapshot.words))
                await pilot.press(key)
                await pilot.pause()
                app.draw()
                await pilot.pause()
                await pilot.pause(0.02)
                there = seen(driver.cells)
                assert there == seen(by_textual(app, driver.cells)), key
                drawn += len({cell for line in there for cell in line})
            assert drawn > 500
    finally:
        session.close()


async def test_where_something_lies_above_textual_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Explorer, "get_driver_class", lambda _: Recorder)
    session = open_session()
    try:
        app = Explorer(session=session, show_rates=False)
        async with app.run_test(headless=False, size=(120, 40)) as pilot:
            await pilot.pause()
            assert app.ink is not None
            assert app.ink.place(app.query_one("#review")) is not None
            await pilot.press("question_mark")
            await pilot.pause()
            assert app.ink.place(app.screen_stack[0].query_one("#review")) is None
    finally:
        session.close()
