"""A session over sequences of vectors: curves, names, refusals, comparison and points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.live.stream import Stream
from engine.network import Network
from engine.recording import record
from engine.sequences import InputSequence, content_of
from explorer.session.alignment import counterparts
from explorer.session.availability import described
from explorer.session.controllers.fixed_points import input_at
from explorer.session.controllers.point_search import first_inputs, start_inputs
from explorer.session.controllers.text_diff import word_by_word
from explorer.session.core import SessionError
from explorer.session.launcher import Launcher, LaunchOptions
from explorer.session.menu_items import networks, reviews
from explorer.session.reading import read_words
from explorer.session.saved_state import State
from explorer.session.session import Session
from explorer.session.views.channels import output_lines, traces
from explorer.session.views.legend import legend, sentence
from explorer.session.views.readouts import estimator_line, status_parts
from explorer.session.views.runs import plain
from explorer.session.views.tables import words_table
from explorer.session.views.units import STEPS
from tests.explorer.sequences import READ, drawn, flip_flop, flip_flop_session
from tests.explorer.small import replayed, small_file, wait


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    yield from flip_flop_session()


def test_the_curves_are_the_inputs_outputs_and_targets(session: Session) -> None:
    found, sequence = traces(session, session.frame()), drawn()[0]
    expected = record(flip_flop(), sequence.inputs, ["h"]).probability[0]
    assert sequence.targets is not None
    assert [trace.name for trace in found.order] == ["in 1", "out 1", "in 2", "out 2", "in 3", "out 3"]
    for k, (given, answer) in enumerate(zip(found.inputs, found.outputs, strict=True)):
        np.testing.assert_array_equal(given.values, sequence.inputs[:, k])
        np.testing.assert_allclose(answer.values[:READ], expected[:READ, k], atol=1e-6)
        assert np.isnan(answer.values[READ:]).all()
        np.testing.assert_array_equal(answer.target, sequence.targets[:, k])
    known = np.isfinite(sequence.targets[:READ])
    right = ((expected[:READ] >= 0.5) == (sequence.targets[:READ] >= 0.5))[known]
    share, answers = found.accuracy
    assert share == pytest.approx(float(right.mean()))
    assert answers == known.sum()


def test_the_outputs_stand_beside_their_targets(session: Session) -> None:
    found = traces(session, session.frame())
    first, *_, last = map(plain, output_lines(found, READ - 1))
    target = drawn()[0].targets
    assert target is not None
    assert first == f"out 1 {found.outputs[0].values[READ - 1]:.3f}  target {target[READ - 1, 0]:.0f} ✓"
    assert last == f"right 100% of {found.accuracy[1]}"
    assert plain(output_lines(found, 0)[0]).endswith("no target yet")


def test_a_signal_without_targets_says_so() -> None:
    bare = InputSequence("noise", "", inputs=drawn()[0].inputs[:40], channels=("left", "right", "reset"))
    for session in flip_flop_session([bare]):
        found = traces(session, session.frame())
        assert [trace.name for trace in found.order][:3] == ["in left", "in right", "in reset"]
        assert plain(output_lines(found, 10)[-1]) == "targets unknown"


def test_panels_speak_of_steps(session: Session) -> None:
    frame = session.frame()
    parts = {name: plain(line) for name, line in status_parts(frame).items()}
    assert (parts["review"], parts["word"]) == ("sequence 1/256", "step 120/200")
    assert "64 steps" in plain(estimator_line(frame.snapshot))
    assert "targets of the sequence" in sentence("review", STEPS)
    words = " ".join(f"{t.shown} {t.meaning}" for section in legend(STEPS) for t in section.terms)
    assert not {"word", "words", "review", "reviews"} & set(words.replace(",", "").split())
    session.perform("faster")
    with pytest.raises(SessionError, match="there is no step 999: this sequence has steps 1 to 200"):
        session.jump_to("999")


def test_what_needs_words_is_refused_with_the_reason(session: Session) -> None:
    without = ("search", "next-found", "type", "attribution", "contexts", "corpus", "follow-input", "focus-word-map")
    for name in without:
        assert session.refusal(name).startswith("this network reads numbers")
        with pytest.raises(SessionError, match="reads numbers"):
            session.check_allowed(name)
    assert "trained on a task" in session.refusal("epochs")
    helps = {entry.id: entry.help for entry in described(session.actions, STEPS, session.refusal)}
    assert helps["search"] == "Not now: this network reads numbers: there are no words to search for."
    assert helps["step"] == "Look at the next step; at the newest step, read one more."
    assert session.refusal("ablate") == ""


def test_lists_offer_what_fits(session: Session) -> None:
    assert {label.split()[0].split("-", 1)[0] for _, label in networks(session)[1]} == {"rnn", "gru", "lstm"}
    assert all(label.split()[0].endswith("-3") for _, label in networks(session)[1])
    assert reviews(session)[6][1].endswith("flip-flop-3, seed 7   200 steps: channel 1, channel 2, channel 3")


def test_the_points_are_those_of_zero_or_the_present_input(session: Session) -> None:
    snapshot, network = session.stream.snapshot, flip_flop()
    pulse = int(np.flatnonzero(snapshot.ids.any(axis=1))[0])
    rest = int(np.flatnonzero(~snapshot.ids.any(axis=1))[0])
    assert input_at(network, snapshot, rest) == "zero"
    assert [float(part) for part in input_at(network, snapshot, pulse).split(",")] == snapshot.ids[pulse].tolist()
    assert first_inputs(network) == ("zero",)
    unknown = Network(network.cell, network.readout_weight, network.readout_bias, task="unknown")
    assert list(start_inputs(network, (snapshot.ids,))) == []  # its task draws others
    assert start_inputs(unknown, (snapshot.ids,)) == (snapshot.ids,)


def test_two_sequences_correspond_step_by_step() -> None:
    one, other = (sequence.inputs for sequence in drawn()[:2])
    assert content_of(drawn()[0]) is one
    network, scales = flip_flop(), (4, 6, 9)
    np.testing.assert_array_equal(counterparts(one[:50], other), [*range(50), *[-1] * 150])
    before, after = (read_words(network, content, 64, scales, {}) for content in (one, other))
    assert before is not None
    assert after is not None
    np.testing.assert_allclose(after.output, record(network, other, ["h"]).probability[0, :, 0], atol=1e-6)
    pairs = word_by_word(before, after).pairs
    assert len(pairs) == 200
    assert (pairs[0].before, pairs[0].after) == (drawn()[0].words[0], drawn()[1].words[0])


def test_a_table_names_the_vectors(session: Session) -> None:
    table = words_table(session, session.frame())
    assert table.column("text")[:3] == list(drawn()[0].words[:3])
    np.testing.assert_allclose(table.column("output_1"), session.read("probability", 0, READ)[:, 0])
    shown = traces(session, session.frame()).outputs
    for number, trace in enumerate(shown, 1):
        np.testing.assert_allclose(table.column(f"output_{number}"), trace.values[:READ], atol=1e-6)
        assert trace.target is not None
        np.testing.assert_array_equal(table.column(f"target_{number}"), trace.target[:READ])


def test_a_recorded_run_plays_with_its_targets(session: Session, tmp_path: Path) -> None:
    session.recorder.folder = tmp_path
    before = traces(session, session.frame())
    session.perform("export-run")
    wait(lambda: any(tmp_path.iterdir()) and "saved" in session.note)
    played = replayed(next(tmp_path.iterdir()))
    played.stream.seek(READ)
    wait(lambda: played.stream.snapshot.time == READ)
    after = traces(played, played.frame())
    for one, other in zip(before.order, after.order, strict=True):
        assert one.name == other.name
        np.testing.assert_allclose(one.values[:READ], other.values, atol=1e-6)
        if one.target is not None:
            np.testing.assert_array_equal(one.target[:READ], other.target)
    assert played.refusal("ablate").startswith("this is a recording")
    played.close()


def test_the_next_sequence_has_the_next_seed() -> None:
    for session in flip_flop_session():
        session.perform("next-review")
        wait(lambda: session.stream.snapshot.review is drawn()[1])
        assert session.stream.snapshot.review.name == "flip-flop-3, seed 2"


@pytest.mark.parametrize(("saved", "kept"), [("rnn-16-flip-flop-3", "signal.csv"), ("lstm-8", None)])
def test_saved_sources_are_dropped_for_another_kind_of_network(saved: str, kept: str | None) -> None:
    launcher = Launcher(LaunchOptions(network="gru-100-flip-flop-3"))
    launcher.state = State(session={"network": saved, "reviews": "signal.csv"})
    assert launcher._with_state().reviews == kept


def test_the_command_line_opens_sequences(tmp_path: Path) -> None:
    file = tmp_path / "signal.csv"
    file.write_text("a,b,c\n" + "0,1,-1\n" * 70)
    opening = Launcher(LaunchOptions(network="rnn-16-flip-flop-3", reviews=str(file), fresh=True))
    opening.begin()
    wait(lambda: opening.done)
    assert opening.error is None
    assert opening.session is not None
    review = opening.session.reviews[0]
    assert isinstance(review, InputSequence)
    assert review.channels == ("a", "b", "c")
    opening.session.close()


def test_a_network_of_words_is_not_given_a_signal(tmp_path: Path) -> None:
    stream = Stream(Network.load(small_file(tmp_path)))
    session = Session(stream, drawn()[:1])
    wait(lambda: "reads words, and 'flip-flop-3, seed 1' is a sequence of vectors" in session.update().note)
    session.close()


def test_an_edited_step_is_read_and_compared() -> None:
    for session in flip_flop_session():
        assert session.text_diff.text.startswith("120: ")
        session.text_diff.edit("20: 1 1 1")
        wait(lambda: session.stream.snapshot.review.name == "flip-flop-3, seed 1, edited")
        assert session.stream.snapshot.ids[19].tolist() == [1, 1, 1]
        assert session.comparison.review is drawn()[0]
        with pytest.raises(SessionError, match="expected a step and 3 numbers"):
            session.text_diff.edit("nothing")
