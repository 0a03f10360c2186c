"""The terminal front end without a terminal: opening, mouse, dialogs, sizes, and text from outside."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from textual.widgets import Static, TextArea

import engine.catalogue
from explorer.session.launcher import LaunchOptions
from explorer.session.session import Session
from explorer.tui.app import Explorer
from explorer.tui.dialogs.base import LegendDialog
from explorer.tui.dialogs.rows import Rows
from explorer.tui.panels.heatmap import HeatmapPanel, Tile
from explorer.tui.terminal.styles import braille, fit, safe
from tests.explorer.small import small_file
from tests.explorer.tui.harness import choices, shown, snapshot, text_of, until


def test_importing_the_front_end_loads_no_heavy_library() -> None:
    heavy = "{'torch', 'numba', 'scipy', 'matplotlib', 'plotext'}"
    code = f"import sys, explorer.tui.app, explorer.tui.launch; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# ---- the mouse -----------------------------------------------------------------------------------------------


async def test_clicks_select_cells_and_look_at_words(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.click("#cells", offset=(4, 5))
        assert choices(app).selected == 2
        await pilot.click("#cells", offset=(4, 5))
        assert choices(app).selected is None
        await pilot.click("#review", offset=(8, 2))
        assert choices(app).cursor is not None
        session.perform("live")
        app.draw()
        await pilot.click("#heatmap", offset=(20, 1))
        assert choices(app).selected == 0
        assert choices(app).cursor == 100 - app.query_one(HeatmapPanel).words_shown + 12
        await pilot.click("#overview", offset=(115, 1))  # reads up to there
        await until(pilot, lambda: snapshot(app).time > 130)
        await pilot.click("#keys", offset=(2, 0))  # the first entry of the footer: play
        await until(pilot, lambda: snapshot(app).finished)


async def test_a_drag_over_words_brushes_them(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.perform("start")
        app.draw()
        await pilot.mouse_down("#review", offset=(20, 1))
        await pilot.mouse_up("#review", offset=(50, 1))
        assert len(session.brush.words) > 2
        app.draw()
        assert "[" in text_of(app, "#review")


async def test_tabs_of_a_small_terminal_can_be_clicked(session: Session) -> None:
    async with shown(session, 80, 24) as (app, pilot):
        assert not app.query_one("#alpha").size.height
        await pilot.click("#tabs", offset=(50, 0))
        await until(pilot, lambda: app.query_one("#alpha").size.height > 3)
        assert not app.query_one("#heatmap").size.height


# ---- dialogs -------------------------------------------------------------------------------------------------


async def test_an_ablated_cell_is_marked_and_a_second_network_is_drawn(session: Session, tmp_path: Path) -> None:
    async with shown(session, 120, 60) as (app, pilot):
        await pilot.press("down", "x")
        await until(pilot, lambda: "#000∅" in text_of(app, "#cells"))
        session.comparison.compare_with(str(small_file(tmp_path, 5)))
        await until(pilot, lambda: "━" in text_of(app, "#overview"))
        assert "difference" in str(app.query_one("#overview").border_title)


async def test_the_palette_performs_the_chosen_action(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("colon", *"viridis", "escape")
        await pilot.press("colon", *"colour map", "enter")
        await until(pilot, lambda: choices(app).colour_map == "viridis")


async def test_a_typed_review_is_read_and_one_without_words_is_refused(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("t", "exclamation_mark", "enter")
        await until(pilot, lambda: "at least one word" in str(app.screen.query_one(".dialog").border_subtitle))
        assert snapshot(app).review.name == "first"
        await pilot.press("backspace", *"A warm film", "enter")
        await until(pilot, lambda: snapshot(app).words == 3 and snapshot(app).finished)
        assert snapshot(app).review.text == "A warm film"


async def test_a_review_of_a_hundred_thousand_words_is_read(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("t")
        app.screen.query_one(TextArea).text = "slowly but then " * 33_334
        await pilot.press("enter")
        await until(pilot, lambda: snapshot(app).time > 5000)
        app.draw()
        assert snapshot(app).words == 100_002


async def test_escape_closes_a_dialog_without_a_choice(session: Session) -> None:
    async with shown(session) as (app, pilot):
        for key in ("t", "j", "r", "w", "question_mark"):
            await pilot.press(key)
            assert len(app.screen_stack) == 2
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)
            assert snapshot(app).review.name == "first"


async def test_jumping_goes_to_the_word_and_refuses_other_input(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("j", "1", "2", "enter")
        await until(pilot, lambda: choices(app).cursor == 11)
        await pilot.press("j", "x", "enter")
        await until(pilot, lambda: "'x'" in str(app.screen.query_one(".dialog").border_subtitle))
        assert choices(app).cursor == 11
        await pilot.press("backspace", "5", "enter")  # the dialog stays open for a valid entry
        await until(pilot, lambda: choices(app).cursor == 4)


async def test_reviews_are_found_by_their_text(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("r", *"dull")
        await until(pilot, lambda: app.screen.query_one(Rows).count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: snapshot(app).review.name == "second")


async def test_another_network_is_chosen_from_the_list(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_file(tmp_path, 5), small_file(tmp_path, 7)
    monkeypatch.setattr(engine.catalogue, "SHIPPED", tmp_path)
    async with shown(session, 120, 60) as (app, pilot):
        await pilot.press("w", "down", "enter")
        await until(pilot, lambda: snapshot(app).network.name == "lstm-7")
        await until(pilot, lambda: "#006" in text_of(app, "#cells"))


async def test_control_c_quits_from_a_dialog_too(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("t", "a")
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not app.is_running)
        assert app.return_code == 0


# ---- sizes and terminals -------------------------------------------------------------------------------------


async def test_a_tiny_terminal_shows_the_size_needed(session: Session) -> None:
    async with shown(session, 59, 16) as (app, pilot):
        for width, height in [(59, 16), (60, 15), (20, 5)]:
            await pilot.resize_terminal(width, height)
            message = app.query_one("#message", Static)
            assert "60 × 16" in str(message.content)
            assert f"{width} × {height}" in str(message.content)
            assert message.display
            assert not app.query_one("#main").display


async def test_the_application_survives_many_resizes(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("space")
        for width, height in [(200, 64), (61, 17), (10, 3), (99, 29), (100, 30), (1, 1), (300, 100), (120, 40)]:
            await pilot.resize_terminal(width, height)
            app.draw()
        await until(pilot, lambda: snapshot(app).finished)
        assert "P(positive)" in text_of(app, "#review")


async def test_a_tick_after_the_panels_were_removed_draws_nothing(session: Session) -> None:
    async with shown(session) as (app, _pilot):
        await app.push_screen(LegendDialog())
        await app.screen_stack[0].query_one("#main").remove()
        app.held = False
        app._tick()
        app.draw()


async def test_without_colours_values_are_glyphs(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown(session) as (app, _):
        assert app.glyphs
        pictures = [tile.picture for tile in app.query(Tile) if tile.picture is not None]
        glyphs = {
            character
            for picture in pictures
            for y in range(picture.height)
            for segment in picture.line(y)
            for character in segment.text
        }
        assert glyphs <= set(" .:-=+*#%@|")
        assert len(glyphs) > 4


async def test_a_review_cannot_control_the_terminal(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.open_text("good \x1b[2J\x1b]0;owned\x07 film \u202eevil\u202c wide 漢字 e\u0301 👩‍👩‍👧 end")
        await until(pilot, lambda: snapshot(app).review.name == "typed" and snapshot(app).finished)
        app.draw()
        drawn = text_of(app, "#review")
        assert all(character.isprintable() or character == "\n" for character in drawn)
        assert "owned" in drawn


async def test_an_error_of_the_engine_is_shown_and_the_application_goes_on(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.use_network("nowhere")
        await until(pilot, lambda: "nowhere" in text_of(app, "#notice"))
        await pilot.press("g")
        assert choices(app).signal == "x"


# ---- opening -------------------------------------------------------------------------------------------------


async def test_the_application_opens_a_session_and_plays(tmp_path: Path) -> None:
    app = Explorer(LaunchOptions(network=str(small_file(tmp_path)), speed=None))
    async with app.run_test(size=(120, 40)) as pilot:
        assert app.query_one("#message").display
        await until(pilot, lambda: app.session is not None)
        await until(pilot, lambda: snapshot(app).time > 0)
        await until(pilot, lambda: not app.query_one("#message").display)
    assert app.session is not None
    app.session.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(LaunchOptions(network="no-such"), "no network 'no-such'", id="network"),
        pytest.param(LaunchOptions(reviews="/no/such/place"), "no such file", id="reviews"),
        pytest.param(LaunchOptions(review=99), "the source has", id="review"),
    ],
)
async def test_what_cannot_be_opened_ends_the_application_with_the_reason(
    options: LaunchOptions, message: str, tmp_path: Path
) -> None:
    app = Explorer(replace(options, network=options.network or str(small_file(tmp_path))))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.failure is not None)
    assert message in str(app.failure)
    assert app.return_code == 1


# ---- characters ----------------------------------------------------------------------------------------------


def test_braille_draws_a_rising_line() -> None:
    assert braille(np.array([0.0, 1.0, 2.0, 3.0]), 1, 0.0, 3.0) == ["⡠⠊"]
    assert braille(np.full(4, np.nan), 2, 0.0, 1.0) == ["⠀⠀", "⠀⠀"]


def test_text_is_cut_by_columns_and_control_characters_are_removed() -> None:
    assert fit("漢字漢字", 5) == "漢字…"
    assert fit("abc", 5) == "abc  "
    assert safe("a\x1b[31mb\u200b", 20) == "a[31mb"
    assert fit("a" * 1_000_000, 5) == safe("a" * 1_000_000, 5) == "aaaa…"  # in quadratic time: minutes
    assert fit("e\u0301" * 5, 5) == "e\u0301" * 5
