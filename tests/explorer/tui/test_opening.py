"""Opening and changing from inside the terminal front end: sources, networks, the window, a trace, a table."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from engine.fluctuation import rolling_scales
from explorer.session.core import SessionError
from explorer.session.launcher import parsed_window
from explorer.session.menu_items import networks
from explorer.session.saved_state import State, captured
from explorer.session.session import Session
from explorer.tui.panels.corpus import CorpusHelp, CorpusScreen
from tests.explorer.small import small_file, wait
from tests.explorer.tui.harness import rows_text, shown, snapshot, text_of, until


async def test_reviews_are_opened_and_a_missing_file_keeps_the_dialog_open(session: Session, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("A warm film about a town")
    async with shown(session) as (app, pilot):
        await pilot.press("ctrl+o", *"nowhere", "enter")
        await until(pilot, lambda: "no such file" in str(app.screen.query_one(".dialog").border_subtitle))
        await pilot.press("escape")
        app.open_path(str(tmp_path / "mine.txt"))
        with pytest.raises(SessionError, match="already"):
            app.open_path(str(tmp_path / "mine.txt"))
        await until(pilot, lambda: app.session is not session)
        await until(pilot, lambda: snapshot(app).words == 6 and snapshot(app).finished)
        assert app.session is not None
        app.session.close()


async def test_an_own_network_stays_in_the_list_and_the_present_one_is_marked(session: Session, tmp_path: Path) -> None:
    file = small_file(tmp_path, 7)
    async with shown(session) as (app, pilot):
        app.open_path(str(file))
        await until(pilot, lambda: snapshot(app).network.name == "lstm-7")
        await pilot.press("w")
        await until(pilot, lambda: any(f"● lstm-7   {tmp_path}"[:40] in row for row in rows_text(app.screen)))
        assert sum("●" in row for row in rows_text(app.screen)) == 1
    assert networks(session)[0] == str(file)
    assert captured(session, State()).session["own_networks"] == [str(file)]


async def test_the_window_is_changed(session: Session) -> None:
    async with shown(session) as (app, pilot):
        app.change_window("40")
        await until(pilot, lambda: app.session is not session)
        await until(pilot, lambda: snapshot(app).time >= 100)
        assert (snapshot(app).window, snapshot(app).scales) == (40, rolling_scales(40))
        assert app.session is not None
        app.session.close()


def test_a_window_is_read_as_it_is_written() -> None:
    assert parsed_window("128") == (128, None)
    assert parsed_window("64: 16 4, 8") == (64, (4, 8, 16))
    for text, reason in (
        ("wide", "whole numbers"),
        ("8", "32 to"),
        ("64: 4 8", "three scales"),
        ("64: 4 8 40", "half"),
    ):
        with pytest.raises(SessionError, match=reason):
            parsed_window(text)


async def test_a_trace_of_the_selected_cell_replaces_alpha(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("V")
        await until(pilot, lambda: "no cell is selected" in text_of(app, "#notice"))
        session.select(3)
        await pilot.press("V")
        await until(pilot, lambda: "h of cell #003" in str(app.query_one("#alpha").border_title))
        value = float(session.read("h", 99, 100)[0, 3])
        assert f"{value:.2f}".replace("-", "−") in text_of(app, "#alpha")
        assert any("⠁" <= character <= "⣿" for character in text_of(app, "#alpha"))
        await pilot.press("V")
        await until(pilot, lambda: "Rolling α" in str(app.query_one("#alpha").border_title))


def test_the_other_side_of_a_comparison_has_a_trajectory(searched: Session) -> None:
    points = searched.fixed_points
    searched.comparison.compare_review(searched.reviews[0])
    wait(lambda: searched.comparison.result(searched.update()) is not None)
    frame = searched.frame()
    scene = points.scene(frame, searched.comparison.result(frame))
    assert scene is not None
    np.testing.assert_allclose(scene.other[-1], scene.trail[-1], atol=1e-5)  # the same review by the same network
    alone = points.scene(frame)
    assert alone is not None
    assert len(alone.other) == 0


async def test_the_corpus_is_saved_explained_and_closed(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shown(session) as (app, pilot):
        await pilot.press("h")
        await until(pilot, lambda: len(session.corpus.rows(session.frame())) == 3)
        await until(pilot, lambda: len(app.screen._listed) == 3)  # type: ignore[attr-defined]
        await pilot.press("e")
        (file,) = tmp_path.glob("*corpus*.csv")
        with file.open() as saved:
            assert len(list(csv.reader(saved))) == 1 + 3
        assert str(file.name) in str(app.screen.query_one("#corpus").border_subtitle)
        await pilot.press("question_mark")
        assert isinstance(app.screen, CorpusHelp)
        await pilot.press("q")
        assert isinstance(app.screen, CorpusScreen)
        await pilot.press("q")
        assert len(app.screen_stack) == 1


async def test_the_export_says_where_it_goes(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with shown(session) as (app, pilot):
        await pilot.press("e")
        assert str(tmp_path)[:40] in str(app.screen.query_one(".dialog").border_title)
        assert {"suspend", "open", "window", "trace"} <= {action.id for action in app.actions}
