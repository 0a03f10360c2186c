"""Recording a session, and the numbers shown when the recording is played."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from engine.live.pushes import Push, same_pushes
from engine.network import Network
from engine.zarr_recording import record_to_zarr
from explorer.cli import pinkx
from explorer.session.actions import ACTIONS
from explorer.session.controllers.recorder import NEEDS_NETWORK, Recorder
from explorer.session.core import Frame, SessionError
from explorer.session.launcher import Launcher, LaunchOptions
from explorer.session.session import Session
from explorer.session.views.heatmap import heatmap
from explorer.session.views.readouts import changes_line
from explorer.session.views.runs import plain
from explorer.session.views.scaling import scaling
from explorer.session.views.tables import words_table
from explorer.session.views.traces import cell_table, overview
from explorer.tui.app import Explorer
from tests.explorer.small import open_session, replayed, wait
from tests.explorer.tui.harness import shown, text_of, until


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """100 of 144 words read, paused."""
    opened = open_session()
    opened.recorder.folder = tmp_path
    opened.stream.seek(100)
    wait(lambda: opened.stream.snapshot.time == 100)
    yield opened
    opened.close()


def read_all(session: Session) -> Frame:
    words = session.stream.snapshot.words
    session.stream.seek(words)
    wait(lambda: session.stream.snapshot.time == words and not session.stream.snapshot.playing)
    return session.frame()


def test_every_number_in_view_is_that_of_the_live_run(session: Session, tmp_path: Path) -> None:
    session.perform("export-run")
    wait(lambda: "saved" in session.note)
    played = replayed(tmp_path / "pinkx-lstm-12-first-1.safetensors")
    try:
        live, there = session.frame(), read_all(played)
        assert there.word == live.word == 99
        for signal in [s.name for s in live.snapshot.network.signals]:
            for one in (session, played):
                one.choose_signal(signal)
                wait(lambda: one.stream.snapshot.watched == signal)
            here, other = (replace(f, choices=replace(f.choices, signal=signal)) for f in (live, there))
            pictures = heatmap(session, here, 60, 24), heatmap(played, other, 60, 24)
            np.testing.assert_array_equal(pictures[0].codes, pictures[1].codes)
            assert str(cell_table(played, other)) == str(cell_table(session, here))  # NaN is NaN
            np.testing.assert_equal(vars(scaling(played, other)), vars(scaling(session, here)))
            assert str(words_table(played, other)) == str(words_table(session, here))
        values = overview(played, there, 50).values, overview(session, live, 72).values
        assert np.isfinite(values[0]).all()
        assert values[0][0] == values[1][0]
    finally:
        played.close()


def test_what_is_read_while_recording_goes_into_one_file(session: Session, tmp_path: Path) -> None:
    session.perform("record")
    assert session.recorder.active
    for _ in range(2):
        run = session.stream.snapshot.run
        session.perform("next-review")
        wait(lambda: session.stream.snapshot.run > run)
        read_all(session)
    assert session.recorder.runs == 3
    session.perform("record")
    wait(lambda: "saved" in session.note)
    assert session.recorder.runs == 0
    played = replayed(tmp_path / "pinkx-lstm-12-3-runs-1.safetensors")
    try:
        assert [(run.name, len(run.words)) for run in played.reviews] == [("first", 100), ("second", 13), ("third", 3)]
        assert played.replaying
        played.perform("next-review")
        wait(lambda: played.stream.snapshot.review.name == "second")
        assert read_all(played).snapshot.unknown == 0
    finally:
        played.close()


def test_a_replay_says_how_the_run_was_steered(session: Session, tmp_path: Path) -> None:
    size = session.stream.snapshot.network.cell.state_size
    session.stream.steer([Push(57, np.linspace(-1, 1, size, dtype=np.float32), "1 × (some words)")])
    wait(lambda: bool(session.stream.snapshot.pushes) and session.stream.snapshot.time == 100)
    session.perform("export-run")
    wait(lambda: "saved" in session.note)
    played = replayed(tmp_path / "pinkx-lstm-12-first-1.safetensors")
    try:
        live, there = session.frame(), read_all(played)
        assert same_pushes(there.snapshot.pushes, live.snapshot.pushes)
        assert plain(changes_line(there.snapshot)) == "∅ steered after word 58"
        np.testing.assert_array_equal(played.read("h", 0, 100), session.read("h", 0, 100))  # not added twice
        assert words_table(played, there).column("added_to_state")[57] == "1 × (some words)"
    finally:
        played.close()


def test_closing_writes_the_recording(tmp_path: Path) -> None:
    session = open_session()
    session.recorder.folder = tmp_path
    read_all(session)
    session.perform("record")
    session.close()
    assert [path.name for path in tmp_path.iterdir()] == ["pinkx-lstm-12-first-1.safetensors"]


def test_an_unwritable_folder_and_an_empty_run_are_reported(session: Session, tmp_path: Path) -> None:
    session.recorder.folder = tmp_path / "nowhere"
    session.perform("export-run")
    wait(lambda: "the recording was not saved" in session.note)
    session.perform("restart")
    wait(lambda: session.stream.snapshot.time == 0)
    session.perform("export-run")
    wait(lambda: "no word is read" in session.note)


def test_at_the_limit_the_recording_ends_by_itself(session: Session, tmp_path: Path) -> None:
    recorder = Recorder(session.core, limit=1000)
    recorder.folder = tmp_path
    recorder.record()
    session.perform("next-review")
    wait(lambda: "saved" in session.note)
    assert not recorder.active
    recorder.close()


def test_a_replay_shows_the_saturation_of_its_own_words(session: Session, tmp_path: Path) -> None:
    session.recorder.folder = tmp_path
    session.perform("export-run")
    wait(lambda: any(tmp_path.iterdir()) and not session.recorder.busy)
    played = replayed(next(tmp_path.iterdir()))
    played.stream.seek(100)
    wait(lambda: played.stream.snapshot.time == 100)
    played.saturation.begin()
    played.saturation.switch()  # there is no network that could read a corpus
    assert played.saturation.scope == "review"
    here, there = (each.saturation.result(each.frame()) for each in (session, played))
    assert here is not None
    assert there is not None
    assert there.gates.right == pytest.approx(here.gates.right)
    played.close()


def test_a_replay_refuses_what_needs_the_network(session: Session, tmp_path: Path) -> None:
    session.perform("export-run")
    wait(lambda: "saved" in session.note)
    played = replayed(next(tmp_path.iterdir()))
    try:
        played.stream.set_speed(20)
        played.play()
        wait(lambda: played.stream.snapshot.playing)
        assert played.frame().status == "REPLAY"
        for name in NEEDS_NETWORK & {action.id for action in ACTIONS}:
            with pytest.raises(SessionError, match="recording"):
                played.perform(name)
        played.open_text("another text")
        wait(lambda: "played without its network" in played.update().note)
    finally:
        played.close()


async def test_the_terminal_plays_a_recording(session: Session, tmp_path: Path) -> None:
    session.perform("export-run")
    wait(lambda: "saved" in session.note)
    played = replayed(next(tmp_path.iterdir()))
    played.recorder.folder = tmp_path
    played.stream.set_speed(100)  # several frames are drawn on the way
    try:
        async with shown(played) as (app, pilot):
            await pilot.press("space")
            await until(pilot, lambda: played.stream.snapshot.finished)
            app.draw()
            assert "searching" not in text_of(app, "#points")
            assert "◆" in text_of(app, "#points")  # where it went
            assert "no network to search" in text_of(app, "#spectrum")
            await pilot.press("t")
            assert len(app.screen_stack) == 1
            assert "this is a recording" in text_of(app, "#notice")
            await pilot.press("R")
            await until(pilot, lambda: "recording this run" in text_of(app, "#notice"))
            await pilot.press("left")
            await until(pilot, lambda: "REC 1 run" in text_of(app, "#status"))
    finally:
        played.close()


def test_a_recording_in_a_zarr_store_is_played(tmp_path: Path) -> None:
    pytest.importorskip("zarr", reason="Zarr stores need zarr")
    network = Network.load("lstm-8")
    record_to_zarr(network, [np.arange(2, 40), np.arange(5, 20)], tmp_path / "x.zarr")
    launcher = Launcher(LaunchOptions(replay=tmp_path / "x.zarr", save=False))
    launcher.begin()
    wait(lambda: launcher.done)
    assert launcher.session is not None, launcher.error
    assert [len(review.words) for review in launcher.session.reviews] == [38, 15]
    assert launcher.session.replaying
    launcher.session.close()


async def test_a_file_that_is_no_recording_is_reported(tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"no recording")
    for name, message in (("broken.safetensors", "incomplete recording"), ("nowhere", "no such recording")):
        app = Explorer(LaunchOptions(replay=tmp_path / name))
        async with app.run_test() as pilot:
            await until(pilot, lambda: app.failure is not None)
        assert message in str(app.failure)


def test_a_recording_and_a_network_cannot_both_be_asked_for() -> None:
    done = CliRunner().invoke(pinkx, ["tui", "--replay", "run.safetensors", "--network", "lstm-8"])
    assert done.exit_code == 2
    assert "without --network" in done.output
