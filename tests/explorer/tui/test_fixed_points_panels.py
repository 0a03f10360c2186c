"""The panels of fixed points and of the spectrum, by keys and the mouse, and the canvas they draw on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rich.style import Style
from textual.pilot import Pilot

from explorer.session.session import Session
from explorer.session.views.point_map import PointMap
from explorer.tui.app import Explorer
from explorer.tui.panels.fixed_points import MARGIN, FixedPointsPanel
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.canvas import Canvas
from tests.explorer.small import open_session, unbounded_session, wait
from tests.explorer.tui.harness import explorer, shown, text_of, until


@pytest.fixture
def session(searched: Session) -> Session:
    return searched


def found(session: Session) -> PointMap:
    assert session.fixed_points.point_map is not None
    return session.fixed_points.point_map


async def test_points_are_drawn_with_the_state_a_legend_and_a_spectrum(session: Session) -> None:
    async with shown(session) as (app, _):
        picture, spectrum = text_of(app, "#points"), text_of(app, "#spectrum")
        assert "●" in picture
        assert "◆" in picture
        assert "PC1" in picture
        assert "● stable ○ saddle ◌ slow ◆ now" in picture
        assert any("⠁" <= character <= "⣿" for character in picture)
        assert "τ" in spectrum
        assert "unstable" in spectrum
        assert "P(positive)" in spectrum
        assert "nearest" in str(app.query_one("#spectrum").border_title)


async def test_the_next_point_is_selected_labelled_and_described(session: Session) -> None:
    async with shown(session) as (app, pilot):
        await pilot.press("right_square_bracket")
        assert session.fixed_points.view.selected == 0
        assert "◉ zero" in text_of(app, "#points")
        assert "zero input" in text_of(app, "#spectrum")
        assert "selected" in str(app.query_one("#spectrum").border_title)
        await pilot.press("left_square_bracket")
        name = found(session).names[found(session).order[-1]]
        assert f"“{name}” repeated forever" in text_of(app, "#spectrum")
        await pilot.press("escape")
        assert "◉" not in text_of(app, "#points")


async def test_the_spectrum_shows_how_much_the_linear_map_explains(session: Session) -> None:
    session.fixed_points.request(session.update())
    wait(lambda: session.fixed_points.prediction(session.frame()) is not None)
    prediction = session.fixed_points.prediction(session.frame())
    assert prediction is not None
    shares = ["<0" if part < 0 else f"{part:.0%}" for part in prediction.explained]
    expected = " ".join(f"+{k} {share}" for k, share in zip((1, 5, 10), shares, strict=True))

    def drawn(app: Explorer) -> str:
        app.draw()
        return text_of(app, "#spectrum")

    async with shown(session) as (app, pilot):
        await until(pilot, lambda: f"linear {expected}" in drawn(app))
        before = text_of(app, "#points")
        await pilot.press("4", "z")
        await until(pilot, lambda: f"linear prediction {expected}" in drawn(app))
        await pilot.press("4", "home")
        await until(pilot, lambda: "+1 – +5 – +10 –" in drawn(app))
        await pilot.press("z")
        await until(pilot, lambda: drawn(app) != "" and text_of(app, "#points") != before)


async def test_rotating_changes_the_picture_and_the_angles(session: Session) -> None:
    async with shown(session) as (app, pilot):
        before = text_of(app, "#points")
        await pilot.press("full_stop", "full_stop", "greater_than_sign")
        assert text_of(app, "#points") != before
        assert "az 0° el 60°" in str(app.query_one("#points").border_subtitle)


async def test_a_key_changes_the_colours_and_the_legend(session: Session) -> None:
    async with shown(session) as (app, pilot):
        assert "neg" in text_of(app, "#points")
        await pilot.press("u")
        assert "1━━━1k words" in text_of(app, "#points")
        await pilot.press("u")
        styles = [s.style for line in app.query_one("#points", Panel).lines for s in line if s.text == " ● "]
        assert styles == [Style(color="#7fd1c7")]
        await pilot.press("u")
        assert "colour: input" in str(app.query_one("#points").border_title)


async def test_a_key_finds_points_with_the_current_word_as_input(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.look_at(1)
        await pilot.press("f")
        assert "'film'" in text_of(app, "#notice")
        wait(lambda: session.fixed_points.search.progress == "")
        app.draw()
        app.draw()
        assert "“film”" in text_of(app, "#spectrum")
        assert "◉ film" in text_of(app, "#points")


async def test_a_drag_rotates_and_does_not_select(session: Session) -> None:
    async with shown(session) as (_, pilot):
        await pilot.mouse_down("#points", offset=(20, 5))
        await pilot.hover("#points", offset=(23, 6))
        await pilot.mouse_up("#points", offset=(23, 6))
        view = session.fixed_points.view
        assert (view.azimuth, view.elevation, view.selected) == (-32, 58, None)
        await pilot.hover("#points", offset=(30, 3))  # the button is released
        assert session.fixed_points.view == view


async def test_a_click_selects_a_point_and_one_on_empty_space_deselects(session: Session) -> None:
    async with shown(session) as (app, pilot):
        panel = app.query_one("#points")
        scene = session.fixed_points.scene(session.frame())
        assert scene is not None
        x, y = scene.places[0] * MARGIN
        column, row = int((x + 1) / 2 * panel.size.width), int((1 - y) / 2 * (panel.size.height - 1))
        await pilot.click("#points", offset=(column + 1, row + 1))
        selected = session.fixed_points.view.selected
        assert selected is not None
        assert np.abs(scene.places[selected] - scene.places[0]).max() < 0.25
        await pilot.click("#points", offset=(44, 1))
        assert session.fixed_points.view.selected is None


async def test_the_wheel_steps_through_the_points(session: Session) -> None:
    async with shown(session) as (app, pilot):
        panel = app.query_one("#points", FixedPointsPanel)
        panel.on_mouse_scroll_down()
        panel.on_mouse_scroll_down()
        panel.on_mouse_scroll_up()
        await pilot.pause()
        assert session.fixed_points.view.selected == 0


async def test_without_points_the_panels_say_so() -> None:
    session = open_session()
    async with shown(session) as (app, _):
        assert "no search" in text_of(app, "#points")
        assert "none found yet" in text_of(app, "#spectrum")
    session.close()


async def test_a_search_that_found_no_point_says_so() -> None:
    for session in unbounded_session():
        async with shown(session) as (app, _):
            title = app.query_one("#points").border_subtitle
            assert "search ended: no point from 32 starts" in str(title)
            assert "none found from 32 starts" in text_of(app, "#spectrum")


async def test_visited_states_are_drawn_until_word_attractors_are_found(session: Session) -> None:
    from dataclasses import replace

    found_all = session.fixed_points.search.found
    assert found_all is not None
    session.fixed_points.search.found = replace(found_all, points=None, words=None)
    async with shown(session) as (app, _):
        picture = text_of(app, "#points")
        assert sum("⠁" <= character <= "⣿" for character in picture) > 20
        assert "none found yet" in text_of(app, "#spectrum")


async def test_every_panel_has_room_in_small_large_and_zoomed_terminals(session: Session) -> None:
    panels = ("heatmap", "points", "spectrum", "alpha", "cells")
    for width, height in ((100, 30), (120, 40), (200, 64)):
        async with shown(session, width, height) as (app, _):
            assert all(app.query_one(f"#{name}").size.height >= 3 for name in panels)
            assert "#000" in text_of(app, "#cells")
    async with shown(session, 80, 24) as (app, pilot):
        for key, name in (("3", "points"), ("4", "spectrum")):
            await pilot.press(key)
            await pilot.pause()
            assert app.query_one(f"#{name}").size.width > 70
            assert [other for other in panels if app.query_one(f"#{other}").size.height] == [name]
    async with shown(session) as (app, pilot):
        await pilot.press("3", "z")
        await pilot.pause()
        assert app.query_one("#points").size.width == 118
        assert app.query_one("#points").size.height == 35


async def test_without_colours_the_marks_remain(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown(session) as (app, pilot):
        for _ in range(4):
            assert "●" in text_of(app, "#points")
            await pilot.press("u")


PICTURES: list[tuple[str, tuple[int, int], tuple[str, ...]]] = [
    ("points", (120, 40), ("right_square_bracket",)),
    ("points_zoomed", (100, 30), ("3", "u", "z")),
    ("spectrum_tab", (80, 24), ("4",)),
]


@pytest.mark.parametrize(
    ("name", "size", "keys"),
    PICTURES,
    ids=[f"{name}-{width}x{height}" for name, (width, height), _ in PICTURES],
)
def test_picture(snap_compare: Any, session: Session, name: str, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    app = explorer(session)
    window, scales = session.stream.snapshot.window, session.stream.snapshot.scales
    session.noise_bands.request(window, scales)
    wait(lambda: session.noise_bands.result(window, scales) is not None)

    async def prepare(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        app.draw()
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=prepare), name


# ---- the canvas --------------------------------------------------------------------------------------------------


def text(canvas: Canvas) -> list[str]:
    return ["".join(segment.text for segment in line) for line in canvas.lines()]


def test_dots_are_at_their_places_and_those_outside_are_dropped() -> None:
    canvas = Canvas(2, 1)
    canvas.dots(np.array([[-1.0, 1.0], [1.0, -1.0], [1.5, 0.0], [np.nan, 0.0]]), Style())
    assert text(canvas) == ["⠁⢀"]


def test_a_stroke_has_no_gaps() -> None:
    canvas = Canvas(4, 2)
    canvas.strokes(np.array([[(-1.0, -1.0), (1.0, 1.0)]]), Style())
    assert text(canvas) == ["⠀⠀⡠⠊".replace("⠀", " "), "⡠⠊⠀⠀".replace("⠀", " ")]


def test_a_cloud_has_the_mean_colour_of_its_dots() -> None:
    canvas = Canvas(1, 1)
    styles = [Style(color=f"#0000{k:02x}") for k in range(3)]
    canvas.cloud(np.array([[-1.0, 1.0], [1.0, 1.0]]), np.array([0, 2]), styles)
    assert canvas.lines()[0][0].style == styles[1]


def test_marks_cover_dots_and_move_left_to_fit() -> None:
    canvas = Canvas(4, 1)
    canvas.dots(np.array([[1.0, 0.0]]), Style())
    canvas.mark((1.0, 0.0), "abc", Style())
    canvas.mark((-1.0, 5.0), "x", Style())
    canvas.mark((0.0, 0.0), "too long", Style())
    assert text(canvas) == [" abc"]
