"""Terminal for a new user: notices, footer, introduction, axis, and panel sizes that can be changed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual import events

from explorer.session.launcher import LaunchOptions
from explorer.session.saved_state import State
from explorer.session.session import Session
from explorer.session.views.introduction import ANNOTATIONS, FIRST_WORDS
from explorer.tui.app import Explorer
from explorer.tui.dialogs.introduction import IntroductionScreen
from explorer.tui.layout import NARROWEST, Shares, sizes
from tests.explorer.tui.harness import shown, snapshot, text_of, until


async def test_bars_notices_and_sizes(session: Session) -> None:
    async with shown(session) as (app, pilot):
        status = text_of(app, "#status")
        assert "one signal of every cell" in text_of(app, "#notice").lower()  # what the focused panel shows
        session.note = "a passing notice"
        app.draw()
        assert "a passing notice" in text_of(app, "#notice")
        assert text_of(app, "#status") == status
        session.note = ""
        # The footer names the focused panel's keys, and what the keys do now.
        await pilot.press("3")
        await until(pilot, lambda: "Turn left" in text_of(app, "#keys"))
        assert "the network's fixed points" in text_of(app, "#notice")
        assert "space Play" in text_of(app, "#keys")
        await pilot.press("z")
        await until(pilot, lambda: "z back" in text_of(app, "#keys"))
        await pilot.press("z")
        await until(pilot, lambda: "z Zoom" in text_of(app, "#keys"))
        # Keys and the mouse change the sizes.
        cells, right = app.query_one("#cells"), app.query_one("#right")
        rows, columns = cells.size.height, right.size.width
        await pilot.press("6", "ctrl+down", "ctrl+right")
        await until(pilot, lambda: cells.size.height > rows and right.size.width > columns)
        await pilot.press("0")
        await until(pilot, lambda: (cells.size.height, right.size.width) == (rows, columns))
        y = cells.region.y
        await pilot.mouse_down(offset=(100, y))
        drag(app, 100, y - 3)
        await until(pilot, lambda: cells.region.y == y - 3)
        app.on_mouse_up()
        x = right.region.x
        await pilot.mouse_down(offset=(x, y + 1))
        drag(app, x - 10, y + 1)
        await until(pilot, lambda: right.region.x == x - 10)
        app.on_mouse_up()
        kept = app.own_state()
        app._restore({})
        assert app.shares == Shares()
        app._restore(kept)
        assert app.shares.right == pytest.approx(kept["shares"]["right"])
        assert kept["shares"]["cells"] > Shares().cells


def drag(app: Explorer, x: int, y: int) -> None:
    """Move the mouse with a button held; `Pilot` has no such event."""
    app.screen._forward_event(events.MouseMove(None, x, y, 0, 0, 1, False, False, False, x, y))


async def test_the_main_keys_stay_at_80_columns(session: Session, tmp_path: Path) -> None:
    async with shown(session, 80, 24) as (app, pilot):
        keys = text_of(app, "#keys")
        assert all(part in keys for part in ("Play", "Step", "Signal", "Zoom", "Legend", "Help", "Quit"))
        session.select(1)
        session.perform("ablate")
        session.recorder.folder = tmp_path
        session.perform("record")
        await until(pilot, lambda: bool(snapshot(app).clamps))
        session.note = "a notice"
        app.draw()
        assert all(part in text_of(app, "#status") for part in ("∅ 1 ablated · U restores", "REC", "review 1/3"))


async def test_the_axis_numbers_words_and_names_the_dimmed_ones(session: Session) -> None:
    async with shown(session) as (app, pilot):
        panel = app.query_one("#heatmap")
        await pilot.press("j", "4", "0", "enter")
        await until(pilot, lambda: session.choices.cursor == 39)
        app.draw()
        axis = app.query_one("Axis").text  # type: ignore[attr-defined]
        assert "words to come" in axis
        view = panel._view  # type: ignore[attr-defined]
        for label in re.finditer(r"╵(\d+)", axis):
            assert view.axis.words[label.start() - 7] + 1 == int(label[1])
        dimmed = panel._tiles[-1].picture.dimmed  # type: ignore[attr-defined]
        assert dimmed.any()
        assert (view.axis.words[view.axis.dimmed] > 39).all()
        session.brush.open_at(41)
        session.brush.close_at(42)
        app.draw()
        assert session.brush.signs
        for cell, sign in session.brush.signs.items():
            assert f"#{cell:03d}{'+' if sign > 0 else '−'}" in text_of(app, "Gutter")
        assert "fire together" in str(app.query_one("#review").border_subtitle)


async def test_a_first_start_is_introduced_once(session: Session) -> None:
    async with shown(session) as (app, pilot):
        assert app.launcher is None
        app._introduce()
        await pilot.pause()
        assert isinstance(app.screen, IntroductionScreen)
        for annotation in ANNOTATIONS:
            box, panel = app.screen.query_one(f"#about-{annotation.panel}"), app.query_one(f"#{annotation.panel}")
            assert panel.region.overlaps(box.region)
            assert box.region.bottom <= 40
        assert not snapshot(app).playing
        await pilot.press("g")  # closes it, and no key is lost
        await until(pilot, lambda: session.choices.signal == "x")
        assert session.introduced


@pytest.mark.parametrize(
    ("options", "saved", "first"),
    [
        pytest.param(LaunchOptions(), {}, True, id="first"),
        pytest.param(LaunchOptions(), {"introduced": True}, False, id="later"),
        pytest.param(LaunchOptions(fresh=True), {}, False, id="fresh"),
        pytest.param(LaunchOptions(save=False), {}, False, id="not_saved"),
    ],
)
def test_only_a_first_start_is_introduced(options: LaunchOptions, saved: dict[str, bool], first: bool) -> None:
    launcher = Explorer(options).launcher
    assert launcher is not None
    launcher.state = State(session=saved)
    assert launcher.first_start == first


@pytest.mark.parametrize(("width", "height"), [(100, 30), (120, 40), (200, 64), (300, 90)])
def test_panels_grow_with_the_terminal(width: int, height: int) -> None:
    found = sizes(Shares(), width, height)
    assert found.right == max(NARROWEST + 2, round(0.38 * width))
    assert found.spectrum + found.cells + 4 <= found.body
    assert found.body + found.review + found.overview == height - 3
    if (width, height) == (120, 40):
        assert found.cells >= 9  # with five rows of cells


def test_damaged_shares_are_replaced() -> None:
    assert Shares.from_saved({"right": "wide", "cells": 0.3, "other": 1}) == Shares(cells=0.3)
    assert Shares.from_saved(None) == Shares()


async def test_a_user_who_already_acts_is_not_interrupted(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.introduced = False
        await pilot.press("g")
        app._introduce()
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert not session.introduced  # the next start explains


async def test_the_introduction_waits_for_words_to_introduce(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.stream.seek(0)
        await until(pilot, lambda: snapshot(app).time == 0)
        session.introduced, app._to_introduce = False, True  # only now: a frame before would have words to introduce
        app.draw()
        await pilot.pause()
        assert len(app.screen_stack) == 1
        session.stream.seek(FIRST_WORDS)
        await until(pilot, lambda: snapshot(app).time == FIRST_WORDS)
        app.draw()
        await until(pilot, lambda: isinstance(app.screen, IntroductionScreen))


async def test_the_introduction_survives_any_size(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.introduced = False
        app._introduce()
        await pilot.pause()
        assert isinstance(app.screen, IntroductionScreen)
        for size in ((9, 3), (1, 1), (60, 16), (200, 64), (4, 40), (120, 40)):
            await pilot.resize_terminal(*size)
            app.draw()
        assert app.is_running
        assert app.screen.query_one("#about-keys").size.width > 60
