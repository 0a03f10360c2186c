"""The session: what its actions do to the run and to the view."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.live.commands import Command
from explorer.session.actions import ACTIONS, GROUPS, PANELS, action, sections, shown_key
from explorer.session.controllers.playback import SPEEDS
from explorer.session.core import SessionError
from explorer.session.session import Session
from explorer.session.views.number_format import number, reading_speed
from tests.explorer.small import REVIEWS, CountingJobs, open_session, small_file, wait


@pytest.fixture
def session() -> Iterator[Session]:
    opened = open_session()
    yield opened
    opened.close()


def read_to(session: Session, time: int) -> None:
    session.stream.seek(time)
    wait(lambda: session.stream.snapshot.time == time)


def test_the_session_imports_no_toolkit_and_no_torch() -> None:
    code = (
        "import sys, pkgutil, importlib, explorer.session as s\n"
        "[importlib.import_module(m.name) for m in pkgutil.walk_packages(s.__path__, 'explorer.session.')]\n"
        "print(*sorted({'torch', 'numba', 'textual', 'PySide6', 'pyqtgraph', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# ---- the table of actions ------------------------------------------------------------------------------------


def test_no_two_actions_share_an_id_or_a_key() -> None:
    ids = [entry.id for entry in ACTIONS]
    keys = [key for entry in ACTIONS for key in entry.keys]
    assert len(set(ids)) == len(ids)
    assert len(set(keys)) == len(keys)


def test_every_action_is_in_a_group_and_explains_itself() -> None:
    assert {entry.group for entry in ACTIONS} == set(GROUPS)
    assert all(entry.keys and entry.label and entry.help.endswith(".") for entry in ACTIONS)


def test_keys_are_shown_by_their_symbols() -> None:
    assert [shown_key(k) for k in ("space", "left", "question_mark", "ctrl+c", "g")] == ["space", "←", "?", "^c", "g"]


@pytest.mark.parametrize("panel", [*PANELS, ""])
def test_help_shows_every_action_once_and_those_of_the_panel_first(panel: str) -> None:
    shown = sections(ACTIONS, panel)
    listed = [entry.id for _, entries in shown for entry in entries]
    assert sorted(listed) == sorted(entry.id for entry in ACTIONS)
    if panel:
        assert {entry.id for entry in shown[0][1]} == set(PANELS[panel])
        assert action(f"focus-{panel}").label in shown[0][0]


def test_an_unknown_action_is_an_error(session: Session) -> None:
    with pytest.raises(KeyError):
        session.perform("fly")


FRONT_END_ACTIONS = {
    "jump", "reviews", "corpus", "networks", "compare", "compare-reviews", "type", "edit", "word-by-word", "search",
    "agree-elsewhere", "clamp", "follow-input", "memory", "zoom", "export", "palette", "help", "legend", "quit",
    "attributions", "steering-vector", "contexts", "saturation", "surrogates", "arrange", "epochs",
    *(entry.id for entry in ACTIONS if entry.id.startswith("focus-")),
}  # fmt: skip


@pytest.mark.parametrize("name", [entry.id for entry in ACTIONS])
def test_the_session_performs_every_action_but_those_of_the_front_ends(
    session: Session, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # recordings are written here
    read_to(session, 20)
    try:
        performed = session.perform(name)
    except SessionError:  # the session performs it, but not now
        performed = True
    assert performed == (name not in FRONT_END_ACTIONS)


# ---- reading has no effect -----------------------------------------------------------------------------------


def test_reading_results_starts_no_job_and_changes_nothing() -> None:
    jobs = CountingJobs()
    session = open_session(search=True, jobs=jobs)
    read_to(session, 50)
    session.comparison.compare_review(REVIEWS[1])
    choices = session.choices
    for _ in range(2):
        frame = session.frame()
        snapshot = frame.snapshot
        assert session.comparison.result(frame) is None
        assert session.text_diff.result(frame) is None
        assert session.noise_bands.result(snapshot.window, snapshot.scales) is None
        assert session.fixed_points.point_map is None
        assert session.fixed_points.scene(frame) is None
        assert session.fixed_points.details(frame) is None
        assert session.fixed_points.prediction(frame) is None
        assert session.brush.pattern is None
    assert session.choices is choices
    assert jobs.started == []
    session.update()
    session.update()
    assert jobs.started == ["read_review"]
    session.close()


def test_a_frame_is_valid_before_the_update_that_stores_its_choices(session: Session, tmp_path: Path) -> None:
    read_to(session, 30)
    session.select(11)
    session.use_network(str(small_file(tmp_path, size=5)))
    wait(lambda: session.stream.snapshot.network.cell.size == 5)
    assert session.frame().choices.selected is None
    assert sorted(session.frame().order.tolist()) == list(range(5))
    assert session.choices.selected == 11
    session.update()
    assert session.choices.selected is None


# ---- reading -------------------------------------------------------------------------------------------------


def test_play_reads_to_the_end_and_pause_stops(session: Session) -> None:
    session.perform("play")
    wait(lambda: session.stream.snapshot.finished)
    assert session.frame().status == "END"
    assert session.frame().word == len(REVIEWS[0].words) - 1


def test_step_reads_one_word_more_and_steps_back_look_without_forgetting(session: Session) -> None:
    for time in (1, 2, 3):
        session.perform("step")
        wait(lambda: session.stream.snapshot.time == time)
    session.perform("step-back")
    frame = session.frame()
    assert (frame.word, frame.status, frame.snapshot.time) == (1, "LOOKING", 3)
    session.perform("step")
    assert session.frame().status == "PAUSED"
    assert session.frame().word == 2


def test_looking_back_stays_put_while_words_keep_coming_and_end_returns(session: Session) -> None:
    read_to(session, 40)
    session.stream.set_speed(200)
    session.perform("play")
    wait(lambda: session.stream.snapshot.playing)
    session.look_at(10)
    before = session.stream.snapshot.time
    wait(lambda: session.stream.snapshot.time > before)
    assert session.frame().word == 10
    session.perform("live")
    assert session.frame().word == session.frame().snapshot.time - 1
    assert session.frame().following


def test_play_reads_on_from_the_word_looked_at(session: Session) -> None:
    read_to(session, 50)
    session.stream.set_speed(1)
    wait(lambda: session.stream.snapshot.speed == 1)
    session.look_at(9)
    session.perform("play")
    wait(lambda: session.stream.snapshot.playing)
    assert session.stream.snapshot.time in (10, 11)
    assert session.choices.cursor is None


def test_pages_start_and_restart(session: Session) -> None:
    read_to(session, 40)
    session.perform("page-back")
    assert session.frame().word == 29
    session.perform("page-on")
    assert session.frame().word == 39
    session.perform("start")
    assert session.frame().word == 0
    session.perform("restart")
    wait(lambda: session.stream.snapshot.time == 0)
    assert session.frame().word == -1


def test_speeds_go_up_to_full_speed_and_down_to_one(session: Session) -> None:
    for wanted in [*reversed(SPEEDS[:-1]), 1]:
        session.perform("slower")
        wait(lambda: session.stream.snapshot.speed == wanted)
    for wanted in [*SPEEDS[1:], None]:
        session.perform("faster")
        wait(lambda: session.stream.snapshot.speed == wanted)


def test_every_one_of_quick_key_presses_counts(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[Command] = []
    engine = session.stream._engine
    with monkeypatch.context() as slow:  # the engine is busy with words and answers later
        slow.setattr(engine, "send", held.append)
        for name in ("slower", "slower", "slower", "faster", "threshold-up", "threshold-up", "threshold-down"):
            session.perform(name)
        assert "0.05" in session.note
    for command in held:
        engine.send(command)
    wait(lambda: session.stream.snapshot.speed == SPEEDS[-3] and session.stream.snapshot.threshold == 0.05)


@pytest.mark.parametrize(("place", "word"), [("1", 0), (" 20 ", 19), ("50%", 72), ("100%", 143)])
def test_jump_takes_numbers_and_percentages(session: Session, place: str, word: int) -> None:
    session.jump_to(place)
    wait(lambda: session.stream.snapshot.time >= word + 1)
    assert session.frame().word == word


@pytest.mark.parametrize("place", ["", "x", "0", "145", "-3", "120%", "nan%", "1e9"])
def test_jump_refuses_places_outside_the_review(session: Session, place: str) -> None:
    with pytest.raises(SessionError, match="word"):
        session.jump_to(place)


# ---- choices -------------------------------------------------------------------------------------------------


def test_next_and_previous_review_wrap_around(session: Session) -> None:
    for name in ("second", "third", "first"):
        session.perform("next-review")
        wait(lambda: session.stream.snapshot.review.name == name)
    session.perform("previous-review")
    wait(lambda: session.stream.snapshot.review.name == "third")
    assert session.stream.snapshot.unknown == 3


def test_a_typed_review_is_read_and_the_source_is_there_afterwards(session: Session) -> None:
    session.open_text("a warm film")
    wait(lambda: session.stream.snapshot.finished and session.stream.snapshot.words == 3)
    session.perform("next-review")
    wait(lambda: session.stream.snapshot.review.name == "second")


@pytest.mark.parametrize("text", ["", "  \n ", "!!! … ???"])
def test_a_typed_review_without_words_is_refused(session: Session, text: str) -> None:
    with pytest.raises(SessionError, match="at least one word"):
        session.open_text(text)


def test_signals_turn_in_a_ring_and_are_watched(session: Session) -> None:
    seen = []
    for _ in range(8):
        session.perform("signal")
        seen.append(session.choices.signal)
    assert seen == ["x", "i", "f", "g", "o", "c", "c_out", "h"]
    session.perform("signal-back")
    wait(lambda: session.stream.snapshot.watched == "c_out")
    with pytest.raises(SessionError, match="no signal 'q'"):
        session.choose_signal("q")


def test_a_review_that_is_not_there_is_refused() -> None:
    session = open_session()
    with pytest.raises(SessionError, match="no review 4: the source has 3"):
        Session(session.stream, REVIEWS, 3)
    session.close()


def test_another_network_reads_the_same_words_and_drops_cells_it_lacks(session: Session, tmp_path: Path) -> None:
    read_to(session, 30)
    session.select(11)
    session.perform("pin")
    session.use_network(str(small_file(tmp_path, size=5)))
    wait(lambda: session.stream.snapshot.network.cell.size == 5 and session.stream.snapshot.time == 30)
    frame = session.update()
    assert frame.choices.selected is None
    assert frame.choices.pins == ()
    assert sorted(frame.order.tolist()) == list(range(5))


def test_a_network_that_cannot_be_loaded_is_reported_and_the_run_goes_on(session: Session) -> None:
    session.use_network("no-such-network")
    wait(lambda: "no-such-network" in session.update().note)
    assert session.stream.snapshot.network.name == "lstm-12"


# ---- cells ---------------------------------------------------------------------------------------------------


def test_cells_are_selected_in_the_order_shown_and_pinned_ones_come_first(session: Session) -> None:
    session.frame()
    session.perform("select-down")
    session.perform("select-down")
    assert session.choices.selected == 1
    session.perform("pin")
    assert session.frame().order.tolist()[:3] == [1, 0, 2]
    session.perform("pin")
    assert session.frame().order.tolist() == list(range(12))
    session.perform("deselect")
    assert session.frame().choices.selected is None
    with pytest.raises(SessionError, match="no cell is selected"):
        session.perform("pin")


def test_orders_put_the_highest_first(session: Session) -> None:
    read_to(session, 80)
    session.perform("order")
    frame = session.frame()
    assert np.all(np.diff(frame.snapshot.activity[frame.order]) <= 0)
    for _ in range(2):
        session.perform("order")
    assert session.choices.order == "value"
    values = session.read("h", 79, 80)[0]
    assert np.all(np.diff(values[session.frame().order]) <= 0)
    session.perform("order")
    weights = np.abs(session.stream.snapshot.network.readout_weight[0].numpy())
    assert np.all(np.diff(weights[session.frame().order]) <= 0)
    session.choose_signal("f")
    session.perform("order")
    f = session.read("f", 80 - session.stream.snapshot.window, 80)
    saturated = np.mean((f < 0.1) | (f > 0.9), axis=0)
    assert np.all(np.diff(saturated[session.frame().order]) <= 0)


def test_a_signal_that_the_network_lacks_has_no_values(session: Session) -> None:
    assert session.read("z", 0, 10).shape == (0, 1)


# ---- numbers -------------------------------------------------------------------------------------------------


def test_numbers_are_short() -> None:
    values = (0.934, -0.071, 1.2, float("nan"), 0.0, -0.001)
    assert [number(v) for v in values] == ["0.93", "−0.071", "1.20", "–", "0.00", "−0.001"]
    assert [reading_speed(1), reading_speed(1000), reading_speed(None)] == ["1 word/s", "1,000 words/s", "full speed"]


def test_every_action_has_an_entry_by_its_id() -> None:
    assert all(action(entry.id) is entry for entry in ACTIONS)
