"""Steering in the session: a vector is chosen, added after a word, shown, undone and exported."""

from __future__ import annotations

import numpy as np
import pytest

from engine.recording import record
from explorer.session.controllers.steering import BRUSH, LABELS, Vector, compare_labels
from explorer.session.core import SessionError
from explorer.session.session import Session
from explorer.session.views.readouts import changes_line
from explorer.session.views.runs import plain
from explorer.session.views.steering import steering_summary
from explorer.session.views.tables import words_table
from tests.explorer.session.test_dynamics import HeldJobs, Results
from tests.explorer.small import small_network, wait


def steered(session: Session, count: int) -> None:
    wait(lambda: len(session.stream.snapshot.pushes) == count and session.stream.snapshot.time == 100)


def test_the_job_subtracts_the_mean_final_states() -> None:
    network, results = small_network(), Results()
    positive = [np.array([2, 3, 4], dtype=np.int32), np.array([5, 6], dtype=np.int32)]
    negative = [np.array([7, 8], dtype=np.int32)]
    compare_labels(results, network, positive, negative, {})
    vector = results.result()

    def last(ids: np.ndarray) -> np.ndarray:
        signals = record(network, ids)
        return np.concatenate([signals["h"][0, -1], signals["c"][0, -1]])

    expected = (last(positive[0]) + last(positive[1])) / 2 - last(negative[0])
    assert vector.values == pytest.approx(expected, abs=1e-6)
    assert vector.name == "2 positive − 1 negative reviews"
    assert ("progress", "3 of 3 reviews …") in results.parts


def test_brushed_words_steer_and_every_step_is_undone(session: Session) -> None:
    with pytest.raises(SessionError, match="no steering vector is chosen"):
        session.perform("steer")
    with pytest.raises(SessionError, match="brush words that are read first"):
        session.steering.choose(BRUSH)
    session.brush.open_at(40)
    session.brush.close_at(42)
    assert "words 41 to 43" in session.steering.entries()[1][1]
    session.steering.choose(BRUSH)
    session.steering.set_strength("−0.5")
    before = {part: session.read(part, 0, 100) for part in ("h", "c")}
    expected = np.concatenate([before[part][42] - before[part][39] for part in ("h", "c")])
    assert session.steering.vector is not None
    assert session.steering.vector.values == pytest.approx(expected, abs=1e-6)
    session.look_at(60)
    session.perform("steer")
    steered(session, 1)
    assert session.read("h", 59, 60) == pytest.approx(before["h"][59:60])
    assert session.read("h", 60, 61)[0] == pytest.approx(before["h"][60] - 0.5 * expected[:12], abs=1e-5)
    assert session.read("h", 61, 62)[0] != pytest.approx(before["h"][61], abs=1e-4)
    assert "‖Δh‖" in session.note
    assert session.note.endswith("after word 61 (U restores)")
    assert plain(changes_line(session.stream.snapshot)).startswith("∅ steered after word 61")
    session.look_at(70)
    session.perform("steer")
    steered(session, 2)
    assert steering_summary(session.stream.snapshot.pushes) == "steered 2 times, first after word 61"
    table = words_table(session, session.frame())
    label = "−0.5 × (words 41 to 43 of first)"
    assert {k: text for k, text in enumerate(table.column("added_to_state")) if text} == {60: label, 70: label}
    session.perform("undo")
    steered(session, 1)
    assert steering_summary(session.stream.snapshot.pushes) == "steered after word 61"
    session.perform("undo-ablation")
    steered(session, 0)
    assert session.read("h", 0, 100) == pytest.approx(before["h"], abs=1e-6)
    with pytest.raises(SessionError, match="as it was trained"):
        session.perform("undo-ablation")
    session.perform("undo")  # the restoration
    steered(session, 1)
    session.perform("undo")
    steered(session, 0)
    with pytest.raises(SessionError, match="nothing to undo"):
        session.perform("undo")


def test_a_vector_of_the_labels_is_computed_and_belongs_to_its_network(session: Session) -> None:
    session.steering._computation._jobs = HeldJobs()
    session.steering.choose(LABELS)
    with pytest.raises(SessionError, match="not there yet: starting"):
        session.perform("steer")
    session.steering._computation._result = Vector("1 positive − 1 negative reviews", np.ones(24, dtype=np.float32))
    session.perform("steer")
    steered(session, 1)
    assert session.stream.snapshot.pushes[0].label == "1 × (1 positive − 1 negative reviews)"
    session.select(0)
    session.perform("ablate")
    wait(lambda: bool(session.stream.snapshot.clamps) and session.stream.snapshot.time == 100)
    assert len(session.stream.snapshot.pushes) == 1  # a clamp keeps it
    assert session.read("h", 99, 100)[0, 0] == pytest.approx(session.stream.snapshot.clamps["h"][0])
    with pytest.raises(SessionError, match="network before"):
        session.perform("steer")
    session.perform("undo-ablation")  # one action restores everything
    wait(lambda: not session.stream.snapshot.clamps and not session.stream.snapshot.pushes)


def test_the_last_change_is_undone_first_whatever_it_was(session: Session) -> None:
    session.brush.open_at(40)
    session.brush.close_at(42)
    session.steering.choose(BRUSH)
    session.perform("steer")
    steered(session, 1)
    session.select(0)
    session.perform("ablate")
    wait(lambda: bool(session.stream.snapshot.clamps) and session.stream.snapshot.time == 100)
    session.perform("undo")
    wait(lambda: not session.stream.snapshot.clamps and session.stream.snapshot.time == 100)
    steered(session, 1)
    session.perform("undo")
    steered(session, 0)


@pytest.mark.parametrize("text", ["much", "nan", "0"])
def test_a_strength_is_a_number(session: Session, text: str) -> None:
    with pytest.raises(SessionError, match="no strength"):
        session.steering.set_strength(text)
    session.steering.set_strength("")
    assert session.steering.strength == 1
