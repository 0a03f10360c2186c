"""Dialogs of the terminal, by keys and clicks: clamping, comparing, editing, searching, help."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from textual.widgets import Input, Static, TextArea

from engine.reviews import Review
from explorer.session.controllers.brush import Pattern
from explorer.session.session import Session
from explorer.session.views.clamps import clamped_cells
from explorer.tui.dialogs.rows import Rows
from explorer.tui.dialogs.search_dialogs import PatternDialog
from explorer.tui.dialogs.text_diff import TextDiffDialog
from tests.explorer.tui.harness import rows_text, shown, snapshot, text_of, until


async def test_a_gate_is_clamped_marked_in_every_panel_and_restored(session: Session) -> None:
    async with shown(session, 80, 24) as (app, pilot):
        await pilot.press("g", "g", "g", "down", "H")
        assert "f of cell #0" in str(app.screen.query_one(".dialog").border_title)
        await pilot.press("0", "full_stop", "5", "enter")
        await until(pilot, lambda: clamped_cells(snapshot(app)) == {0: ("f",)} and snapshot(app).time == 100)
        session.note = ""
        app.draw()
        assert "f clamped in 1" in text_of(app, "#status")
        assert "▸#000=" in text_of(app, "#heatmap Gutter")
        await pilot.press("6")
        await until(pilot, lambda: "▸#000=" in text_of(app, "#cells"))
        await pilot.press("U")
        await until(pilot, lambda: not snapshot(app).clamps)


async def test_the_input_cannot_be_clamped_and_escape_clamps_nothing(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("g", "H")
        assert "x is the input" in text_of(app, "#notice")
        await pilot.press("G", "H", "escape")
        assert len(app.screen_stack) == 1
        assert not snapshot(app).clamps


async def test_a_dialog_that_is_closed_twice_closes_nothing_else(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("question_mark")
        dialog = app.screen
        dialog.dismiss()
        dialog.dismiss()  # a key that was pressed before it disappeared
        await pilot.pause()
        assert app.is_running
        assert len(app.screen_stack) == 1


async def test_behind_a_dialog_the_status_says_that_the_pictures_are_held(session: Session) -> None:
    session.stream.set_speed(4)
    session.stream.play()
    async with shown(session) as (app, pilot):
        assert "● LIVE" in text_of(app, "#status")
        await pilot.press("question_mark")
        await until(pilot, lambda: "HELD" in text_of(app, "#status"))
        word = re.search(r"word (\d+)/", text_of(app, "#status"))
        await until(pilot, lambda: snapshot(app).time > int(word[1] if word else 0) + 1)
        assert "LIVE" not in text_of(app, "#status")
        assert word is not None
        assert word[0] in text_of(app, "#status"), "the panels stand still at the word that they show"
        await pilot.press("escape")
        await until(pilot, lambda: "● LIVE" in text_of(app, "#status"))


async def test_a_picture_of_the_screen_holds_no_passing_notice(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shown(session) as (app, pilot):
        session.note = "a passing notice"
        app.draw()
        assert "passing" in text_of(app, "#notice")
        await pilot.press("e", *"screen", "enter")
        await until(pilot, lambda: session.note.startswith("saved"))
        (picture,) = tmp_path.glob("*.svg")
        text = picture.read_text(encoding="utf-8")
        assert "passing" not in text
        assert "PAUSED" in text


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


async def test_an_edit_is_shown_word_by_word_and_a_click_goes_to_the_word(session: Session) -> None:
    async with shown(session, 80, 24) as (app, pilot):
        await pilot.press("T")
        editor = app.screen.query_one(TextArea)
        editor.text = editor.text.replace("wonderful", "dull", 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextDiffDialog) and app.screen.rows.count == 144)
        rows = app.screen.query_one(Rows)
        await until(pilot, lambda: rows.highlighted == 9)
        assert "largest mean |Δh|" in str(app.screen.query_one("#summary", Static).content)
        drawn = rows_text(app.screen)
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
        await until(pilot, lambda: "at least one word" in str(app.screen.query_one(".dialog").border_subtitle))
        assert snapshot(app).review.name == "first"
        await pilot.press("escape")
        assert len(app.screen_stack) == 1


async def test_a_search_lists_other_reviews_and_opens_one(session: Session) -> None:
    async with shown(session, 80, 24) as (app, pilot):
        await pilot.press("slash", *"dull")
        await until(pilot, lambda: app.screen.query_one(Rows).count == 2)
        rows = app.screen.query_one(Rows)
        assert "not in this review" in rows.render_line(0).text
        assert "1×" in rows.render_line(1).text
        assert "film. I would" in rows.render_line(1).text
        dialog = app.screen.query_one(".dialog")
        await until(pilot, lambda: "in other reviews: 1× in 1" in str(dialog.border_subtitle))
        await pilot.press("down", "enter")
        await until(pilot, lambda: snapshot(app).review.name == "second" and snapshot(app).time == 2)
        await pilot.press("slash")
        await until(pilot, lambda: [field.value for field in app.screen.query(Input)] == ["dull"])
        await pilot.press("escape", "home", "d")
        await until(pilot, lambda: "place 1 of 1" in text_of(app, "#notice"))


async def test_enter_goes_to_a_phrase_of_this_review(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("home", "slash", *"human", "enter")  # before the pause that begins a search by itself
        await until(pilot, lambda: app.screen.query_one(Rows).count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: session.frame().word == 13)


async def test_matches_of_the_brushed_pattern_in_other_reviews_are_listed(session: Session) -> None:
    async with shown(session, 80, 24) as (app, pilot):
        await pilot.press("A")
        assert "brush words" in text_of(app, "#notice")
        session.brush.open_at(40)
        session.brush.close_at(41)
        level = float(session.read("h", 0, 100)[:, 5].min())
        session.brush._pattern = Pattern("h", (5,), (1,), (level,), ())
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, PatternDialog) and app.screen.query_one(Rows).count > 0)
        await until(pilot, lambda: session.pattern_search.results.finished)
        assert "second" not in snapshot(app).review.name
        await pilot.press("enter")
        await until(pilot, lambda: snapshot(app).review.name != "first")


async def test_a_list_of_25_000_reviews_scrolls_and_can_be_searched(session: Session) -> None:
    session.reviews = session.core.reviews = [Review(f"number {k}", f"A film {k}") for k in range(25_000)]
    session.core.index = 12_000
    async with shown(session) as (app, pilot):
        await pilot.press("r")
        rows = app.screen.query_one(Rows)
        await until(pilot, lambda: rows.scroll_offset.y > 11_000)
        assert (rows.count, rows.highlighted) == (25_000, 12_000)
        await pilot.press("pagedown", "down", *"23999")
        await until(pilot, lambda: rows.count == 2)  # by its name and by its number
        await pilot.press("down", "enter")
        await until(pilot, lambda: snapshot(app).review.name == "number 23999")


async def test_help_begins_with_the_focused_panel(session: Session) -> None:
    async with shown(session, 80, 24) as (app, pilot):
        for key, title in [("3", "Fixed points"), ("6", "Cells"), ("1", "Review")]:
            await pilot.press(key, "question_mark")
            printed = io.StringIO()
            Console(file=printed, width=70).print(app.screen.query(Static).first().content)
            assert printed.getvalue().split("\n")[1].strip() == f"In this panel: {title}"
            await pilot.press("escape")
