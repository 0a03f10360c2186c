"""Any sequence of actions on any terminal: the session stays valid and the front end runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.color import Color, ColorSystem

from explorer.session.actions import ACTIONS
from explorer.session.core import Frame, SessionError
from explorer.session.palette import LEVELS, MAPS, hex_colours
from explorer.session.session import Session
from explorer.session.views.heatmap import heatmap
from explorer.session.views.tables import alpha_table, cells_table, words_table
from explorer.session.views.time_axis import time_axis
from explorer.session.views.traces import alpha_trace, cell_table, overview
from explorer.tui.app import Explorer
from explorer.tui.panels.heatmap import LEVELS_OF_256_COLOURS, Tile
from tests.explorer.small import TEXT, open_session, small_file, wait
from tests.explorer.tui.harness import explorer, shown, text_of, until

STEPS = 1200
ODD = "wide 漢字 e\u0301 👩\u200d👩\u200d👧 \u202eevil\u202c \x1b[2J\x1b]0;owned\x07 ıİ ﬁ 한국 ا film"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = open_session(capacity=96)  # shorter than the first review: words are forgotten on the way
    opened.recorder.folder = tmp_path
    yield opened
    opened.close()


def check(session: Session, frame: Frame) -> None:
    """Assert what must hold for every frame."""
    snapshot, choices = frame.snapshot, frame.choices
    size = snapshot.network.cell.size
    assert choices.signal in [signal.name for signal in snapshot.network.signals]
    assert choices.selected is None or 0 <= choices.selected < size
    assert len(set(choices.pins)) == len(choices.pins)
    assert all(0 <= pin < size for pin in choices.pins)
    assert choices.cursor is None or choices.cursor >= 0
    assert -1 <= frame.word < max(1, snapshot.time)
    if len(frame.order) == size:
        assert sorted(frame.order.tolist()) == list(range(size))
    assert -180 <= session.fixed_points.view.azimuth <= 180
    assert -90 <= session.fixed_points.view.elevation <= 90
    brushed = session.brush.words
    assert 0 <= brushed.start <= brushed.stop <= snapshot.words


def look(session: Session, frame: Frame, dice: random.Random) -> None:
    """Compute the pictures and tables that front ends show of a frame, and check their sizes."""
    width, height = dice.randrange(1, 90), dice.randrange(1, 40)
    picture = heatmap(session, frame, width, height)
    assert picture.codes.shape == (height, width)
    assert len(alpha_trace(session, frame, time_axis(frame, width))) == width
    assert len(overview(session, frame, width).values) <= width
    if len(frame.order) == frame.snapshot.network.cell.size:
        assert len(cells_table(cell_table(session, frame), frame.choices.signal).rows) == len(frame.order)
    for table in (words_table(session, frame), alpha_table(session, frame)):
        assert all(len(row) == len(table.columns) for row in table.rows)


def deeds(session: Session, networks: list[str], dice: random.Random) -> list[Callable[[], object]]:
    """Return random actions of the user: mostly those of the table."""
    name = dice.choice([action.id for action in ACTIONS])
    return [
        *[lambda: session.perform(name)] * 12,
        lambda: session.look_at(dice.randrange(-5, 200)),
        lambda: session.jump_to(dice.choice(["1", "50%", "100%", "-3", "1e9%", "", "nan%", "zehn"])),
        lambda: session.select(dice.randrange(5)),
        lambda: session.open_text(dice.choice([ODD, "", "a warm film", TEXT])),
        lambda: session.open_review(dice.randrange(3)),
        lambda: session.use_network(dice.choice(networks)),
        lambda: session.choose_signal(dice.choice("ifgochxrzn")),
        lambda: session.brush.open_at(dice.randrange(20)),
        lambda: session.brush.close_at(dice.randrange(20)),
        lambda: session.fixed_points.rotate(dice.uniform(-999, 999), dice.uniform(-999, 999)),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_actions_leaves_the_session_valid(session: Session, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    networks = [str(small_file(tmp_path, size)) for size in (3, 12)] + ["nowhere"]
    refused = 0
    for step in range(STEPS):
        try:
            dice.choice(deeds(session, networks, dice))()
        except SessionError:
            refused += 1
        frame = session.frame()
        check(session, frame)
        if step % 8 == 0:
            look(session, frame, dice)
    assert 0 < refused < STEPS / 2
    session.use_network(networks[1])
    session.open_text("a warm film")  # and it still reads
    stream = session.stream  # has a long queue of commands before that
    wait(lambda: stream.snapshot.words == 3 and stream.snapshot.finished, 120)


@pytest.mark.parametrize("seed", range(2))
async def test_the_front_end_survives_any_sequence_of_keys(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = tmp_path / "networks"
    shipped.mkdir()
    small_file(shipped, 5)
    monkeypatch.setattr("engine.catalogue.SHIPPED", shipped)
    dice = random.Random(seed)
    leaves = ("q", "ctrl+c", "ctrl+q")
    keys = [key for action in ACTIONS for key in action.keys if key not in leaves]
    keys += ["enter", "tab", "shift+tab", "escape", "a", "1", "down", "end"]
    async with shown(session) as (app, pilot):
        for step in range(150):
            key = dice.choice(keys if len(app.screen_stack) == 1 else [*keys, *["escape"] * 30])
            await pilot.press(key)
            if step % 25 == 24:
                await pilot.resize_terminal(dice.randrange(1, 160), dice.randrange(1, 60))
            check(session, session.frame())
        assert app.is_running
        await pilot.resize_terminal(120, 40)
        while len(app.screen_stack) > 1:
            await pilot.press("escape")
            await pilot.pause(0.05)
        session.open_text("a warm film")
        await until(pilot, lambda: session.stream.snapshot.words == 3 and session.stream.snapshot.finished)
        app.draw()
        assert "film" in (text_of(app, "#review") if app.zoomed in (None, "review") else "film")


async def test_a_resize_storm_while_words_go_by(session: Session) -> None:
    dice = random.Random(0)
    session.stream.set_speed(200)
    async with shown(session) as (app, pilot):
        await pilot.press("space")
        for _ in range(40):
            tiny = dice.random() < 0.3
            width, height = dice.randrange(1, 20 if tiny else 160), dice.randrange(1, 6 if tiny else 60)
            await pilot.resize_terminal(width, height)
            app.draw()
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: session.stream.snapshot.finished)
        await until(pilot, lambda: "P(positive)" in text_of(app, "#review"))


# ---- terminals of few colours --------------------------------------------------------------------------------------


async def drawn(session: Session, kind: str | None) -> tuple[Explorer, str, set[Any]]:
    """The picture of cells × time on a terminal of a kind: its characters and its styles."""
    app = explorer(session)
    app.console._color_system = None if kind is None else ColorSystem[kind]
    async with app.run_test(size=(120, 40)) as pilot:
        session.stream.seek(60)
        await until(pilot, lambda: session.stream.snapshot.time == 60)
        app.draw()
        await pilot.pause()
        pictures = [tile.picture for tile in app.query(Tile) if tile.picture is not None]
        segments = [s for picture in pictures for y in range(picture.height) for s in picture.line(y)]
    return app, "".join(segment.text for segment in segments), {segment.style for segment in segments}


@pytest.mark.parametrize("kind", [None, "STANDARD"])
async def test_with_few_colours_character_density_shows_values(session: Session, kind: str | None) -> None:
    app, characters, _ = await drawn(session, kind)
    assert app.glyphs
    assert set(characters) <= set(" .:-=+*#%@|")
    assert len(set(characters)) > 4


async def test_256_colours_rise_in_lightness(session: Session) -> None:
    app, characters, styles = await drawn(session, "EIGHT_BIT")
    assert not app.glyphs
    assert "▀" in characters
    assert 2 <= len({style.color for style in styles if style and style.bgcolor}) <= LEVELS_OF_256_COLOURS
    for name in MAPS:
        step = LEVELS // LEVELS_OF_256_COLOURS
        colours = [hex_colours(name)[code] for code in range(step // 2, LEVELS, step)]
        shades = [Color.parse(colour).downgrade(ColorSystem.EIGHT_BIT).get_truecolor() for colour in colours]
        lightness = np.array(shades) @ [0.2126, 0.7152, 0.0722]
        assert (np.diff(lightness) >= 0).all(), name


async def test_a_slow_terminal_gets_fewer_colours_and_a_badge_says_so(
    session: Session,
) -> None:
    many = (await drawn(session, "TRUECOLOR"))[2]
    async with shown(session) as (app, pilot):
        app.throttle.rate = 50_000.0  # bytes/s
        app.draw()
        await pilot.pause()
        assert "slow terminal: fewer colours" in text_of(app, "#status")
        pictures = [tile.picture for tile in app.query(Tile) if tile.picture is not None]
        few = {s.style for picture in pictures for y in range(picture.height) for s in picture.line(y)}
    colours, fewer = ({style.color for style in styles if style} for styles in (many, few))
    assert len(fewer) < 0.6 * len(colours)


async def test_odd_characters_are_drawn_and_harm_nothing(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.open_text(ODD)
        await until(pilot, lambda: session.stream.snapshot.review.name == "typed" and session.stream.snapshot.finished)
        for width in (120, 101, 64, 61):
            await pilot.resize_terminal(width, 40)
            app.draw()
            characters = text_of(app, "#review")
            assert all(character.isprintable() or character == "\n" for character in characters)
        assert "漢字" in characters
