"""Choices are restored in the next session, and an unusable file does no harm."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from explorer.session.launcher import Launcher, LaunchOptions
from explorer.session.saved_state import State, captured, load_state, restore, save_state, state_path
from explorer.session.session import Session
from explorer.shutdown import save_choices
from explorer.tui.app import Explorer
from tests.explorer.small import deep_network, open_session, small_file, wait
from tests.explorer.tui.harness import explorer, until


@pytest.fixture
def session() -> Iterator[Session]:
    opened = open_session()
    yield opened
    opened.close()


CHOSEN = (
    "g",
    "order",
    "bins",
    "colour-map",
    "contrast",
    "scaling",
    "select-down",
    "pin",
    "select-down",
    "pin",
    "point-colour",
)


def choose(session: Session) -> None:
    for name in ("signal-back", *CHOSEN[1:], "turn-left", "tilt-up", "tilt-up"):
        session.perform(name)
    session.stream.set_speed(250)
    wait(lambda: session.stream.snapshot.speed == 250)


def test_choices_are_saved_and_restored(session: Session, tmp_path: Path) -> None:
    choose(session)
    save_state(captured(session, State(window={"docks": "AAE="})), tmp_path / "new" / "state.json")
    loaded = load_state(tmp_path / "new" / "state.json")
    assert loaded.note == ""
    assert loaded.window == {"docks": "AAE="}
    assert loaded.session["speed"] == 250
    other = open_session()
    try:
        restore(other, loaded)
        assert other.choices == session.choices
        assert other.choices.signal == "c_out"
        assert len(other.choices.pins) == 2
        assert other.fixed_points.view == session.fixed_points.view
        wait(lambda: other.stream.snapshot.watched == "c_out")
        assert captured(other, State()).session == {**loaded.session, "speed": None}
    finally:
        other.close()


def test_choices_that_the_network_does_not_allow_are_left_out(session: Session) -> None:
    restore(
        session,
        State(
            {"signal": "z", "selected": 99, "pins": [3, 400, 3], "order": "beauty", "colour": "none", "azimuth": 1e6}
        ),
    )
    choices = session.choices
    assert (choices.signal, choices.selected, choices.pins, choices.order) == ("h", None, (3,), "number")
    assert -180 <= session.fixed_points.view.azimuth <= 180


def nested(depth: int) -> object:
    """Return lists in lists."""
    value: object = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '"state"',
        "[" * 100_000,
        json.dumps({"version": 2}),
        "x" * 2_000_000,
    ],
)
def test_an_unusable_file_is_renamed(text: str, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    state = load_state(path)
    assert state == State(note=state.note)
    assert "renamed to state.json.broken" in state.note
    assert not path.exists()
    assert (tmp_path / "state.json.broken").read_text() == text


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        *(("session", name, value) for name, value in [("pins", [1.5]), ("review", -1), ("speed", "fast")]),
        *(("session", name, value) for name, value in [("azimuth", math.nan), ("speed", 10**400), ("review", 10**80)]),
        *(("terminal", name, value) for name, value in [("tab", "\ud800"), ("zoomed", "\x1b[2J"), ("tab", 1e300)]),
        *(("window", name, value) for name, value in [("docks", "\udcff"), ("panels", nested(200))]),
    ],
)
def test_an_unusable_part_is_ignored_and_named(part: str, name: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    good: dict[str, dict[str, object]] = {
        "session": {"order": "number"},
        "terminal": {"shares": {}},
        "window": {"theme": "dark"},
    }
    text = json.dumps({"version": 1, **good, part: good[part] | {name: value}})
    path.write_text(text)
    state = load_state(path)
    assert state == State(**good, note=f"unusable parts of the saved state are ignored: {part} {name}")
    assert path.read_text() == text


@pytest.mark.parametrize("part", ["session", "terminal", "window"])
def test_a_part_that_is_no_object_is_ignored_and_named(part: str, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"version": 1, part: [1]}))
    assert load_state(path) == State(note=f"unusable parts of the saved state are ignored: {part}")


def test_a_binary_file_is_renamed(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_bytes(b"\xff\xfe\x00")
    assert "renamed to" in load_state(tmp_path / "state.json").note


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = (
    "network",
    "reviews",
    "review",
    "speed",
    "signal",
    "order",
    "colour_map",
    "scaling",
    "selected",
    "pins",
    "azimuth",
    "colour",
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Session]:
    opened = open_session()
    yield opened
    opened.close()


@settings(deadline=None, max_examples=200)
@given(choices=st.dictionaries(st.sampled_from(NAMES), JSON))
def test_every_accepted_state_can_be_restored(shared: Session, choices: dict[str, object]) -> None:
    path = state_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 1, "session": choices}))
    state = load_state()
    restore(shared, state)
    frame = shared.frame()
    assert frame.choices.signal in [signal.name for signal in frame.snapshot.network.signals]
    assert Launcher(LaunchOptions())._with_state().review is not None


# ---- from one session to the next --------------------------------------------------------------------------------


def start_session(options: LaunchOptions) -> Session:
    launcher = Launcher(options)
    launcher.begin()
    wait(lambda: launcher.done)
    assert launcher.error is None, launcher.error
    assert launcher.session is not None
    launcher.session.close()
    return launcher.session


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.txt").write_text(f"a warm film number {number}")
    return folder


def write_state(**session: object) -> None:
    save_state(State(session))


def test_options_win_and_the_rest_is_as_it_was(tmp_path: Path, texts: Path) -> None:
    write_state(
        network=str(small_file(tmp_path, 5)), reviews=str(texts), review=2, speed=None, signal="f", colour_map="viridis"
    )
    session = start_session(LaunchOptions())
    assert session.stream.snapshot.network.name == "lstm-5"
    assert (session.index, session.stream.snapshot.speed) == (2, None)
    assert (session.choices.signal, session.choices.colour_map, session.note) == ("f", "viridis", "")
    session = start_session(LaunchOptions(network=str(small_file(tmp_path, 7)), review=1, speed=3))
    assert session.stream.snapshot.network.name == "lstm-7"
    assert (session.index, session.stream.snapshot.speed) == (0, 3)
    (tmp_path / "one.txt").write_text("another film")
    session = start_session(LaunchOptions(reviews=str(tmp_path / "one.txt")))
    assert (session.index, len(session.reviews)) == (0, 1)


def test_the_watched_layer_is_restored_unless_options_name_one(tmp_path: Path, texts: Path) -> None:
    file = tmp_path / "deep.safetensors"
    deep_network(bidirectional=True).save(file)

    def title(**options: Any) -> str:
        session = start_session(LaunchOptions(reviews=str(texts), **options))
        saved = captured(session, State()).session
        network = session.stream.snapshot.network
        assert (saved.get("layer", 1), saved.get("direction", "forward")) == (network.level + 1, network.direction)
        assert session.note == ""
        return network.title

    write_state(network=str(file), layer=1, direction="backward")
    assert title() == title(network=str(file)) == "deep · layer 1 of 2 ←"
    assert title(layer=2) == "deep · layer 2 of 2 →"
    assert title(network=str(small_file(tmp_path))) == "lstm-12"
    for layer, direction in ((3, "forward"), (0, "backward"), (2, "sideways")):  # no such layer: as the file says
        write_state(network=str(file), layer=layer, direction=direction)
        assert title(fresh=layer < 3, network=str(file)) == "deep · layer 2 of 2 →"


def test_a_missing_network_is_reported_and_defaults_are_used(tmp_path: Path, texts: Path) -> None:
    network = str(small_file(tmp_path, 5))
    for choices in ({"network": "gone.safetensors"}, {"reviews": "gone/"}, {"reviews": str(texts), "review": 9}):
        write_state(signal="f", **choices)
        session = start_session(LaunchOptions(network=network if "network" not in choices else None))
        assert "could not be continued" in session.note
        assert session.choices.signal == "h"


def test_a_fresh_session_ignores_the_saved_state(tmp_path: Path) -> None:
    write_state(signal="f", speed=3)
    session = start_session(LaunchOptions(network=str(small_file(tmp_path)), fresh=True))
    assert (session.choices.signal, session.stream.snapshot.speed) == ("h", 8)


async def test_the_terminal_restores_its_layout(tmp_path: Path) -> None:
    options = LaunchOptions(network=str(small_file(tmp_path)), speed=None)
    for keys, tab, zoomed in ((("5", "z", "g", "g"), "heatmap", None), ((), "alpha", "alpha")):
        app = Explorer(options)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: app.session is not None)
            await pilot.pause()
            assert (app.tab, app.zoomed) == (tab, zoomed)
            assert (app.query_one("#heatmap").size.height == 0) == (zoomed == "alpha")
            await pilot.press(*keys)
            await pilot.pause()
        assert app.session is not None
        assert app.session.choices.signal == "i"
        save_choices(app)
        app.session.close()
    assert load_state().terminal.items() >= {"tab": "alpha", "zoomed": "alpha"}.items()


async def test_a_picture_neither_loads_nor_saves_the_state(tmp_path: Path) -> None:
    app = Explorer(replace(LaunchOptions(network=str(small_file(tmp_path))), save=False))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.session is not None)
    assert app.session is not None
    save_choices(app)
    app.session.close()
    assert not state_path().exists()


async def test_the_terminal_ignores_values_of_other_types(session: Session) -> None:
    app = explorer(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app._restore({"tab": [], "zoomed": {}, "shares": [3]})
        app._restore({"tab": {}, "zoomed": ["review"], "shares": {"alpha": "wide", "cells": [], "review": -1}})
        app.draw()
        assert (app.tab, app.zoomed) == ("heatmap", None)
