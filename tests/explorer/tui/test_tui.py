"""The terminal face, driven by keys and clicks without a terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import TextArea

import engine.catalogue
from explorer.session.actions import ACTIONS
from explorer.session.launcher import LaunchOptions
from explorer.session.session import Session
from explorer.tui.app import Explorer
from explorer.tui.dialogs.base import AskDialog, ChooseDialog, HelpDialog, TypeDialog
from explorer.tui.dialogs.rows import Rows
from explorer.tui.dialogs.search_dialogs import SearchDialog
from explorer.tui.panels.corpus import PopulationScreen
from explorer.tui.panels.heatmap import HeatmapPanel
from explorer.tui.terminal.styles import braille, fit, safe
from tests.explorer.small import small_file

Check = Callable[[Explorer, Pilot[Any]], Awaitable[None]]


@asynccontextmanager
async def shown(session: Session, width: int = 120, height: int = 40):  # type: ignore[no-untyped-def]
    app = Explorer(session=session, show_rates=False)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause()
        app.draw()
        yield app, pilot


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not happen")


def text_of(app: Explorer, selector: str = "Screen") -> str:
    """The characters on the screen."""
    lines = app.screen_stack[0].query_one(selector)._lines  # type: ignore[attr-defined]
    return "\n".join("".join(segment.text for segment in line) for line in lines)


def test_importing_the_face_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'numba', 'scipy', 'matplotlib'}"
    code = f"import sys, explorer.tui.app, explorer.tui.launch; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# ---- every action by its key ---------------------------------------------------------------------------------

EFFECTS: dict[str, Check] = {}


def expect(name: str, condition: Callable[[Explorer], bool]) -> None:
    async def check(app: Explorer, pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: condition(app))

    EFFECTS[name] = check


def choices(app: Explorer):  # type: ignore[no-untyped-def]
    assert app.session is not None
    return app.session.choices


def snapshot(app: Explorer):  # type: ignore[no-untyped-def]
    assert app.session is not None
    return app.session.stream.snapshot


def view(app: Explorer):  # type: ignore[no-untyped-def]
    assert app.session is not None
    return app.session.points.view


expect("play", lambda app: snapshot(app).finished)
expect("step", lambda app: snapshot(app).time == 101)
expect("step-back", lambda app: choices(app).cursor == 98)
expect("page-back", lambda app: choices(app).cursor == 89)
expect("page-on", lambda app: snapshot(app).time == 110)
expect("start", lambda app: choices(app).cursor == 0)
expect("live", lambda app: choices(app).cursor is None)
expect("restart", lambda app: snapshot(app).time == 0)
expect("jump", lambda app: isinstance(app.screen, AskDialog))
expect("slower", lambda app: snapshot(app).speed == 1000)
expect("faster", lambda app: snapshot(app).speed is None)
expect("signal", lambda app: choices(app).signal == "x")
expect("signal-back", lambda app: choices(app).signal == "c_out")
expect("select-down", lambda app: choices(app).selected == 0)
expect("select-up", lambda app: choices(app).selected == 11)
expect("pin", lambda app: "no cell is selected" in app.session.note)  # type: ignore[union-attr]
expect("deselect", lambda app: choices(app).selected is None)
expect("threshold-down", lambda app: snapshot(app).threshold == 0.01)
expect("threshold-up", lambda app: snapshot(app).threshold == 0.05)
expect("order", lambda app: choices(app).order == "activity")
expect("bins", lambda app: choices(app).bins == "mean")
expect("map", lambda app: choices(app).map == "viridis")
expect("contrast", lambda app: choices(app).contrast == "range")
expect("turn-left", lambda app: view(app).azimuth == -30)
expect("turn-right", lambda app: view(app).azimuth == -10)
expect("tilt-up", lambda app: view(app).elevation == 60)
expect("tilt-down", lambda app: view(app).elevation == 40)
expect("point-colour", lambda app: view(app).colour == "memory")
# what these do once points are found is in test_tui_points.py
expect("next-point", lambda app: "wait for the search" in app.session.note)  # type: ignore[union-attr]
expect("previous-point", lambda app: "wait for the search" in app.session.note)  # type: ignore[union-attr]
expect("find-points", lambda app: "not done yet" in app.session.note)  # type: ignore[union-attr]
expect("brush", lambda app: list(app.session.brush.words) == [99])  # type: ignore[union-attr]
expect("next-place", lambda app: "brush some words first" in app.session.note)  # type: ignore[union-attr]
expect("ablate", lambda app: "no cell is selected" in app.session.note)  # type: ignore[union-attr]
expect("ablate-dead", lambda app: "cell" in app.session.note)  # type: ignore[union-attr]
expect("clamp", lambda app: isinstance(app.screen, AskDialog))
expect("undo-ablation", lambda app: "as it was trained" in app.session.note)  # type: ignore[union-attr]
expect("compare", lambda app: isinstance(app.screen, ChooseDialog))
expect("compare-reviews", lambda app: isinstance(app.screen, ChooseDialog))
expect("agree-elsewhere", lambda app: "brush words" in app.session.note)  # type: ignore[union-attr]
expect("search", lambda app: isinstance(app.screen, SearchDialog))
expect("next-found", lambda app: "search for words first" in app.session.note)  # type: ignore[union-attr]
expect("previous-found", lambda app: "search for words first" in app.session.note)  # type: ignore[union-attr]
expect("edit", lambda app: isinstance(app.screen, TypeDialog) and "film" in app.screen.query_one(TextArea).text)
expect("word-by-word", lambda app: "nothing is compared" in app.session.note)  # type: ignore[union-attr]
expect("palette", lambda app: isinstance(app.screen, ChooseDialog))
expect("export", lambda app: isinstance(app.screen, ChooseDialog))
expect("scaling", lambda app: choices(app).scaling and "white" in text_of(app, "#alpha"))
expect("next-review", lambda app: snapshot(app).review.name == "second")
expect("previous-review", lambda app: snapshot(app).review.name == "third")
expect("reviews", lambda app: isinstance(app.screen, ChooseDialog))
expect("corpus", lambda app: isinstance(app.screen, PopulationScreen))
expect("networks", lambda app: isinstance(app.screen, ChooseDialog))
expect("type", lambda app: isinstance(app.screen, TypeDialog))
expect("focus-review", lambda app: app.focused is not None and app.focused.id == "review")
expect("focus-heatmap", lambda app: app.focused is not None and app.focused.id == "heatmap")
expect("focus-points", lambda app: app.focused is not None and app.focused.id == "points")
expect("focus-spectrum", lambda app: app.focused is not None and app.focused.id == "spectrum")
expect("focus-alpha", lambda app: app.focused is not None and app.focused.id == "alpha")
expect("focus-cells", lambda app: app.focused is not None and app.focused.id == "cells")
expect("zoom", lambda app: app.query_one("#heatmap").size.height > 25)
expect("help", lambda app: isinstance(app.screen, HelpDialog))
expect("quit", lambda app: app.return_code == 0 and not app.is_running)


async def record(app: Explorer, pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: app.session.recorder.active)  # type: ignore[union-attr]
    await pilot.press("R")
    await until(pilot, lambda: Path("pinkx-lstm-12-first-1.safetensors").exists())


EFFECTS["record"] = record
expect("export-run", lambda app: Path("pinkx-lstm-12-first-1.safetensors").exists())


def test_every_action_has_an_effect_that_is_checked() -> None:
    assert set(EFFECTS) == {action.id for action in ACTIONS}


@pytest.mark.parametrize(("name", "key"), [(action.id, action.keys[0]) for action in ACTIONS])
async def test_a_key_does_what_the_table_says(
    session: Session, name: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where an export goes
    async with shown(session) as (app, pilot):
        await pilot.press(key)
        await EFFECTS[name](app, pilot)


# ---- the mouse -----------------------------------------------------------------------------------------------


async def test_a_click_on_a_word_looks_at_it(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.click("#review", offset=(8, 2))
        assert choices(app).cursor is not None


async def test_a_click_in_the_picture_selects_the_cell_and_looks_at_the_word(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.click("#heatmap", offset=(20, 1))
        assert choices(app).selected == 0
        assert choices(app).cursor == 100 - app.query_one(HeatmapPanel).words_shown + 12


async def test_clicks_in_the_table_select_and_let_go(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.click("#cells", offset=(4, 5))
        assert choices(app).selected == 2
        await pilot.click("#cells", offset=(4, 5))
        assert choices(app).selected is None


async def test_a_click_in_the_overview_reads_on_to_that_place(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.click("#overview", offset=(115, 1))
        await until(pilot, lambda: snapshot(app).time > 130)


async def test_a_click_on_the_footer_does_what_it_says(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.click("#keys", offset=(2, 0))
        await until(pilot, lambda: snapshot(app).finished)


async def test_tabs_of_a_small_terminal_can_be_clicked(session: Session) -> None:
    async with shown(session, 80, 24) as (app, pilot):
        assert not app.query_one("#alpha").size.height
        await pilot.click("#tabs", offset=(50, 0))
        await until(pilot, lambda: app.query_one("#alpha").size.height > 3)
        assert not app.query_one("#heatmap").size.height


async def test_a_drag_over_words_brushes_them(session: Session) -> None:
    async with shown(session) as (app, pilot):
        app.session.perform("start")
        app.draw()
        await pilot.mouse_down("#review", offset=(20, 1))
        await pilot.mouse_up("#review", offset=(50, 1))
        assert len(session.brush.words) > 2
        app.draw()
        assert "[" in text_of(app, "#review")


async def test_a_silenced_cell_is_marked_and_a_second_network_is_drawn(session: Session, tmp_path: Path) -> None:
    async with shown(session, 120, 60) as (app, pilot):
        await pilot.press("down", "x")
        await until(pilot, lambda: "#000∅" in text_of(app, "#cells"))
        session.comparison.compare_with(str(small_file(tmp_path, 5)))
        await until(pilot, lambda: "━" in text_of(app, "#overview"))
        assert "difference" in str(app.query_one("#overview").border_title)


async def test_the_palette_does_what_was_chosen(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("colon", *"viridis", "escape")
        await pilot.press("colon", *"colour map", "enter")
        await until(pilot, lambda: choices(app).map == "viridis")


# ---- dialogues -----------------------------------------------------------------------------------------------


async def test_a_typed_review_is_read(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("t", *"A warm film", "enter")
        await until(pilot, lambda: snapshot(app).words == 3 and snapshot(app).finished)
        assert snapshot(app).review.text == "A warm film"


async def test_a_review_without_words_is_refused_in_the_face(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("t", "exclamation_mark", "enter")
        await until(pilot, lambda: "at least one word" in text_of(app, "#status"))
        assert snapshot(app).review.name == "first"


async def test_a_hundred_thousand_words_are_read_and_the_oldest_are_let_go(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("t")
        app.screen.query_one(TextArea).text = "slowly but then " * 33_334
        await pilot.press("enter")
        await until(pilot, lambda: snapshot(app).time > 5000)
        app.draw()
        assert snapshot(app).words == 100_002


async def test_escape_leaves_a_dialogue_without_a_choice(session: Session) -> None:
    for key in ("t", "j", "r", "w", "question_mark"):
        async with shown(session) as (app, pilot):
            await pilot.press(key)
            assert len(app.screen_stack) == 2
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)
            assert snapshot(app).review.name == "first"


async def test_jumping_goes_to_the_place_and_refuses_others(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("j", "1", "2", "enter")
        await until(pilot, lambda: choices(app).cursor == 11)
        await pilot.press("j", "x", "enter")
        await until(pilot, lambda: "no place" in text_of(app, "#status"))


async def test_reviews_are_found_by_what_is_in_them(session: Session) -> None:
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


async def test_control_c_leaves_from_a_dialogue_too(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("t", "a")
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not app.is_running)
        assert app.return_code == 0


# ---- sizes and terminals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(59, 16), (60, 15), (20, 5)])
async def test_a_tiny_terminal_says_what_it_needs(session: Session, width: int, height: int) -> None:
    async with shown(session, width, height) as (app, _):
        assert "60 × 16" in str(app.query_one("#message").content)
        assert app.query_one("#message").display
        assert not app.query_one("#face").display


async def test_a_resize_storm_leaves_the_face_alive(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("space")
        for width, height in [(200, 64), (61, 17), (10, 3), (99, 29), (100, 30), (1, 1), (300, 100), (120, 40)]:
            await pilot.resize_terminal(width, height)
            app.draw()
        await until(pilot, lambda: snapshot(app).finished)
        assert "P(positive)" in text_of(app, "#review")


async def test_without_colours_there_are_glyphs(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown(session) as (app, _):
        assert app.glyphs
        tiles = "".join(
            segment.text
            for tile in app.query("Tile")
            for line in map(tile.picture.line, range(tile.picture.height))
            for segment in line
        )
        assert set(tiles) <= set(" .:-=+*#%@|")
        assert len(set(tiles)) > 4


async def test_a_review_that_tries_to_control_the_terminal_cannot(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.open_text("good \x1b[2J\x1b]0;owned\x07 film \u202eevil\u202c wide 漢字 e\u0301 👩‍👩‍👧 end")
        await until(pilot, lambda: snapshot(app).review.name == "typed" and snapshot(app).finished)
        app.draw()
        drawn = text_of(app, "#review")
        assert all(character.isprintable() or character == "\n" for character in drawn)
        assert "owned" in drawn


async def test_an_error_of_the_engine_is_told_and_the_face_goes_on(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.use_network("nowhere")
        await until(pilot, lambda: "nowhere" in text_of(app, "#status"))
        await pilot.press("g")
        assert choices(app).signal == "x"


# ---- opening -------------------------------------------------------------------------------------------------


async def test_the_face_opens_by_itself_and_plays(tmp_path: Path) -> None:
    app = Explorer(LaunchOptions(network=str(small_file(tmp_path)), speed=None))
    async with app.run_test(size=(120, 40)) as pilot:
        assert app.query_one("#message").display
        await until(pilot, lambda: app.session is not None)
        await until(pilot, lambda: snapshot(app).time > 0)
        await pilot.pause(0.2)
        assert not app.query_one("#message").display
    assert app.session is not None
    app.session.close()


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (LaunchOptions(network="no-such"), "no network 'no-such'"),
        (LaunchOptions(reviews="/no/such/place"), "no such file"),
        (LaunchOptions(review=99), "the source has"),
    ],
)
async def test_what_cannot_be_opened_ends_the_face_with_the_reason(
    wishes: LaunchOptions, message: str, tmp_path: Path
) -> None:
    from dataclasses import replace

    network = wishes.network or str(small_file(tmp_path))
    app = Explorer(replace(wishes, network=network))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.failure is not None)
    assert message in str(app.failure)
    assert app.return_code == 1


# ---- ink -----------------------------------------------------------------------------------------------------


def test_braille_draws_a_rising_line() -> None:
    import numpy as np

    assert braille(np.array([0.0, 1.0, 2.0, 3.0]), 1, 0.0, 3.0) == ["⡠⠊"]
    assert braille(np.full(4, np.nan), 2, 0.0, 1.0) == ["⠀⠀", "⠀⠀"]


def test_text_is_cut_by_columns_and_made_safe() -> None:
    assert fit("漢字漢字", 5) == "漢字…"
    assert fit("abc", 5) == "abc  "
    assert safe("a\x1b[31mb\u200b", 20) == "a[31mb"
