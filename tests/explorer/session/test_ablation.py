"""Ablated cells and clamped gates: their effects, their notices, and that one action undoes them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.network import Network
from engine.recording import record
from explorer.session.controllers.point_search import PointSearch, Sequences
from explorer.session.core import SessionError
from explorer.session.session import Session
from explorer.session.views.clamps import clamp_summary, clamped_cells
from explorer.session.views.traces import cell_table, output_at
from tests.explorer.small import SHARED_JOBS, open_session, small_network, wait


def changed(session: Session, clamps: dict[int, tuple[str, ...]]) -> None:
    """Wait until these signals of cells are clamped and the review is read to the word it had reached."""
    wait(lambda: clamped_cells(session.stream.snapshot) == clamps and session.stream.snapshot.time == 100)


def test_a_cell_is_ablated_and_restored(read: Session) -> None:
    before = read.stream.snapshot.probability
    strongest = int(np.argmax(np.abs(read.stream.snapshot.network.readout_weight[0].numpy())))
    mean = float(read.read("h", 0, 100)[:, strongest].mean())
    read.select(strongest)
    read.perform("ablate")
    changed(read, {strongest: ("h",)})
    assert read.stream.snapshot.probability != pytest.approx(before)
    assert read.stream.snapshot.dead[strongest]
    assert read.read("h", 0, 100)[:, strongest] == pytest.approx(mean)
    read.perform("ablate")
    changed(read, {})
    assert read.stream.snapshot.probability == pytest.approx(before)


def test_without_a_selection_all_ablated_cells_are_restored(read: Session) -> None:
    with pytest.raises(SessionError, match="no cell is selected"):
        read.perform("ablate")
    for cell in (0, 3):  # the second before the engine has applied the first
        read.select(cell)
        read.perform("ablate")
    changed(read, {0: ("h",), 3: ("h",)})
    read.select(None)
    read.perform("ablate")
    changed(read, {})


def test_all_dead_cells_are_ablated_together() -> None:
    session = open_session(threshold=10)  # so that every cell counts as dead
    session.stream.seek(100)
    wait(lambda: session.stream.snapshot.time == 100)
    session.perform("ablate-dead")
    changed(session, dict.fromkeys(range(12), ("h",)))
    session.perform("ablate-dead")
    changed(session, {})
    session.close()


def test_ablating_dead_cells_frees_no_cell_that_was_ablated_by_itself(read: Session) -> None:
    deviation = np.sort(read.stream.snapshot.activity)
    read.display.set_threshold(float(deviation[2:4].mean()))  # three cells are dead
    wait(lambda: read.stream.snapshot.dead.sum() == 3)
    dead = set(np.flatnonzero(read.stream.snapshot.dead).tolist())
    alone = int(read.stream.snapshot.activity.argmax())
    read.select(alone)
    read.perform("ablate")
    changed(read, {alone: ("h",)})
    read.perform("ablate-dead")
    wait(lambda: len(clamped_cells(read.stream.snapshot)) > 1 and read.stream.snapshot.time == 100)
    assert {alone} | dead <= set(clamped_cells(read.stream.snapshot))
    read.perform("ablate-dead")
    changed(read, {alone: ("h",)})
    read.perform("undo-ablation")
    changed(read, {})


def test_a_gate_is_clamped_at_a_typed_value_and_everything_follows(read: Session) -> None:
    before = read.stream.snapshot
    read.choose_signal("f")
    read.select(4)
    assert read.ablation.question.startswith("f of cell #004")
    read.ablation.clamp_at(" 0.25 ")
    changed(read, {4: ("f",)})
    now = read.stream.snapshot
    assert read.read("f", 0, 100)[:, 4] == pytest.approx(0.25)
    clamps = record(now.network, now.ids[:100], clamp=now.clamps)
    assert read.read("h", 0, 100) == pytest.approx(clamps["h"][0], abs=1e-6)
    assert now.probability == pytest.approx(clamps.probability[0, -1], abs=1e-6)
    assert now.probability != pytest.approx(before.probability)
    assert now.alpha["h"] != pytest.approx(before.alpha["h"])
    assert clamp_summary(now.clamps) == "f clamped in 1"
    row = next(row for row in cell_table(read, read.frame()) if row.cell == 4)
    assert (row.clamps, row.mark) == (("f",), "=")
    assert read.ablation.network(now) is read.ablation.network(now)  # otherwise every frame would start a search
    assert read.ablation.network(now) is not now.network
    read.perform("undo-ablation")
    changed(read, {})
    assert read.stream.snapshot.probability == pytest.approx(before.probability)
    assert read.ablation.network(read.stream.snapshot) is now.network


def test_an_empty_value_clamps_every_cell_at_its_mean(read: Session) -> None:
    means = read.read("o", 0, 100).mean(axis=0)
    read.choose_signal("o")
    assert read.ablation.question.startswith("o of all 12 cells")
    read.ablation.clamp_at("")
    changed(read, dict.fromkeys(range(12), ("o",)))
    assert read.read("o", 99, 100)[0] == pytest.approx(means)
    read.select(1)
    read.perform("ablate")
    changed(read, {cell: ("o", "h") if cell == 1 else ("o",) for cell in range(12)})
    assert clamp_summary(read.stream.snapshot.clamps) == "o clamped in 12, 1 ablated"


@pytest.mark.parametrize(
    ("signal", "text", "reason"),
    [("f", "1.5", "between 0 and 1"), ("f", "much", "no number"), ("h", "nan", "finite number"), ("x", "0", "input")],
)
def test_values_that_a_signal_cannot_take_are_refused(read: Session, signal: str, text: str, reason: str) -> None:
    read.choose_signal(signal)
    with pytest.raises(SessionError, match=reason):
        read.ablation.clamp_at(text)
    assert not read.stream.snapshot.clamps


def test_the_oldest_of_many_changes_cannot_be_undone(read: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.session.controllers.ablation.UNDOABLE", 2)
    for cell in range(3):
        read.select(cell)
        read.perform("ablate")
    for _ in range(2):
        read.perform("undo")
    changed(read, {0: ("h",)})
    with pytest.raises(SessionError, match="nothing to undo"):
        read.perform("undo")
    read.perform("undo-ablation")


def test_there_is_nothing_to_undo_and_no_mean_at_first() -> None:
    session = open_session()
    with pytest.raises(SessionError, match="as it was trained"):
        session.perform("undo-ablation")
    with pytest.raises(SessionError, match="no mean"):
        session.ablation.clamp_at("")
    session.close()


def test_another_network_has_no_clamps(read: Session) -> None:
    read.select(0)
    read.perform("ablate")
    changed(read, {0: ("h",)})
    read.stream.use_network(small_network(12, seed=1))
    changed(read, {})


def test_cells_are_clamped_on_a_device() -> None:
    session = open_session(device="cpu:0")  # stepped as accelerators are
    session.stream.seek(10)
    wait(lambda: session.stream.snapshot.time == 10)
    session.select(3)
    session.perform("ablate")
    wait(lambda: "h" in session.stream.snapshot.clamps and session.stream.snapshot.time == 10)
    assert np.ptp(session.stream.read("h")[:, 3]) == 0
    session.perform("undo-ablation")
    wait(lambda: not session.stream.snapshot.clamps and session.stream.snapshot.time == 10)
    assert np.ptp(session.stream.read("h")[:, 3]) > 0
    session.close()


def test_the_word_looked_at_stays_while_the_network_is_changed(read: Session) -> None:
    read.look_at(30)
    before = output_at(read, read.frame())
    read.ablation.clamp_at("0")
    changed(read, dict.fromkeys(range(12), ("h",)))
    assert read.frame().word == 30
    assert output_at(read, read.frame()) != pytest.approx(before)
    read.open_review(read.index)
    wait(lambda: read.stream.snapshot.time == 0)
    assert read.frame().following


class NotingSearch(PointSearch):
    """Search that lists the networks it is asked to search."""

    def __init__(self) -> None:
        super().__init__(SHARED_JOBS)
        self.networks: list[Network] = []

    def begin(self, network: Network, sequences: Sequences = ()) -> None:
        self.networks.append(network)


def test_fixed_points_are_searched_in_the_network_with_its_clamps() -> None:
    search = NotingSearch()
    session = open_session(search=search)
    session.stream.seek(100)
    wait(lambda: session.stream.snapshot.time == 100)
    session.fixed_points.request(session.frame())
    session.choose_signal("i")
    session.ablation.clamp_at("0.5")
    changed(session, dict.fromkeys(range(12), ("i",)))
    session.fixed_points.request(session.frame())
    whole, clamped = search.networks
    assert whole is session.stream.snapshot.network
    assert clamped is session.ablation.network(session.stream.snapshot)
    session.close()
