"""Looking closer in the terminal: holding, comparing, editing, searching, by keys and clicks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.widgets import Input, Static, TextArea

from explorer.session.holding import held_cells
from explorer.session.model import Session
from explorer.tui.rows import Rows
from explorer.tui.words import WordsDialog
from tests.explorer.small import open_session, wait
from tests.explorer.test_tui import shown, snapshot, text_of, until


@pytest.fixture
def session() -> Iterator[Session]:
    """100 of 144 words read, paused."""
    opened = open_session()
    opened.stream.seek(100)
    wait(lambda: opened.stream.snapshot.time == 100)
    yield opened
    opened.close()


async def test_a_gate_is_held_by_keys_seen_everywhere_and_let_go_by_one(session: Session) -> None:
    async with shown(session, 80, 24) as (app, pilot):
        await pilot.press("g", "g", "g", "down", "H")
        assert "f of cell #0" in str(app.screen.query_one(".dialog").border_title)
        await pilot.press("0", "full_stop", "5", "enter")
        await until(pilot, lambda: held_cells(snapshot(app)) == {0: ("f",)} and snapshot(app).time == 100)
        session.note = ""
        app.draw()
        assert "f held 1" in text_of(app, "#status")
        assert "▸#000=" in text_of(app, "#heatmap Gutter")
        await pilot.press("6")
        await until(pilot, lambda: "▸#000=" in text_of(app, "#cells"))
        await pilot.press("U")
        await until(pilot, lambda: not snapshot(app).held)


async def test_the_input_cannot_be_held_and_escape_holds_nothing(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("g", "H")
        assert "x is the input" in text_of(app, "#status")
        await pilot.press("G", "H", "escape")
        assert len(app.screen_stack) == 1
        assert not snapshot(app).held


async def test_another_review_is_drawn_on_the_same_axis(session: Session) -> None:
    async with shown(session, 120, 60) as (app, pilot):
        await pilot.press("C", *"dull")
        assert app.screen.query_one(Input).value == "dull"
        await pilot.press("enter")
        await until(pilot, lambda: "━" in text_of(app, "#overview"))
        app.draw()
        assert "⇄ second" in text_of(app, "#status")
        assert "difference" in str(app.query_one("#overview").border_title)
        assert "━ other" in text_of(app, "#review")
        await pilot.press("C", "enter")  # none comes first
        await until(pilot, lambda: "⇄" not in text_of(app, "#status"))


async def test_an_edit_is_shown_word_by_word_and_a_click_goes_there(session: Session) -> None:
    async with shown(session, 80, 24) as (app, pilot):
        await pilot.press("T")
        editor = app.screen.query_one(TextArea)
        editor.text = editor.text.replace("wonderful", "dull", 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, WordsDialog) and app.screen.rows.count == 144)
        rows = app.screen.query_one(Rows)
        await until(pilot, lambda: rows.highlighted == 9)
        assert "cells moved most" in str(app.screen.query_one("#summary", Static).content)
        drawn = [rows.render_line(y).text for y in range(rows.size.height)]
        marked = next(line for line in drawn if line.startswith("▸"))
        assert "wonderful" in marked
        assert "dull" in marked
        await pilot.click(Rows, offset=(5, drawn.index(marked) + 1))
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await until(pilot, lambda: session.frame().word == 9 or snapshot(app).finished)
        await pilot.press("W", "escape")
        assert len(app.screen_stack) == 1


async def test_an_edit_without_words_is_refused_and_escape_edits_nothing(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("T", "escape")
        assert snapshot(app).review.name == "first"
        await pilot.press("T")
        app.screen.query_one(TextArea).text = "…"
        await pilot.press("enter")
        await until(pilot, lambda: "at least one word" in text_of(app, "#status"))
        assert len(app.screen_stack) == 1
