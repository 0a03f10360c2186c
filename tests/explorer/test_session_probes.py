"""Brushing, silencing, comparing, exporting: what a person does to a run to understand it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.cells import GruCell, LstmCell, RnnCell
from engine.network import Network, Vocabulary
from engine.recording import record
from explorer.session.brush import find_pattern
from explorer.session.export import write_csv
from explorer.session.model import Session, SessionError
from explorer.session.silencing import silenced
from tests.explorer.small import open_session, small_file, wait


@pytest.fixture
def read() -> Iterator[Session]:
    """100 of 144 words read, paused."""
    opened = open_session()
    opened.stream.seek(100)
    wait(lambda: opened.stream.snapshot.time == 100)
    yield opened
    opened.close()


# ---- the brush -----------------------------------------------------------------------------------------------


def test_a_pattern_is_the_cells_that_fire_there_and_not_around() -> None:
    values = np.random.default_rng(0).normal(0, 0.05, (60, 6))
    values[20:24, 2] += 3  # fires in the brush and once more
    values[40:43, 2] += 3
    values[20:24, 4] -= 3  # falls silent at the same places
    values[40:43, 4] -= 3
    values[15:30, 5] += 3  # fires all around
    found = find_pattern(values, 20, 24)
    assert set(found.cells) == {2, 4}
    assert dict(zip(found.cells, found.signs, strict=True)) == {2: 1, 4: -1}
    assert found.places == ((40, 43),)


def test_flat_cells_and_noise_make_no_pattern() -> None:
    assert find_pattern(np.ones((30, 3)), 5, 8).cells == ()


def test_the_brush_is_opened_closed_followed_and_cleared(read: Session) -> None:
    read.look_at(39)
    read.perform("brush")
    assert list(read.brushed.words) == [39]
    read.perform("step")
    assert list(read.brushed.words) == [39, 40]
    read.perform("brush")
    pattern = read.brushed.pattern
    assert pattern is not None
    if pattern.cells:  # this review repeats itself every 18 words, and so do its cells
        assert len(pattern.places) > 1
        read.perform("next-place")
        assert read.choices.cursor == pattern.places[0][0]
    read.perform("brush")
    assert not read.brushed.words


def test_there_is_nothing_to_follow_without_a_brush(read: Session) -> None:
    read.perform("next-place")
    assert "brush some words first" in read.note


def test_words_that_are_not_read_cannot_be_brushed(read: Session) -> None:
    read.brushed.open_at(90)
    read.brushed.close_at(120)
    assert not read.brushed.words
    assert "are read" in read.note


# ---- silencing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [LstmCell, GruCell, RnnCell])
def test_a_silenced_cell_is_heard_as_a_constant(kind: type[LstmCell] | type[GruCell] | type[RnnCell]) -> None:
    torch.manual_seed(1)
    gates, n, inputs = kind.gates, 5, 3
    hidden = {"bias_hh": torch.randn(gates * n)} if kind is GruCell else {}
    cell = kind(torch.randn(gates * n, inputs), torch.randn(gates * n, n), torch.randn(gates * n), **hidden)
    network = Network(
        cell, torch.randn(1, n), torch.randn(1), embedding=torch.randn(6, inputs), vocabulary=Vocabulary("abcd")
    )
    deaf = silenced(network, {1: 0.3, 4: -0.2})
    state, x = cell.initial_state(), torch.randn(7, inputs)
    own, others = state, [0, 2, 3]
    for t in range(7):
        heard = state.clone()
        heard[1], heard[4] = 0.3, -0.2  # the first n entries of a state are h
        expected, signals = cell.step(x[t], heard)
        own, deaf_signals = deaf.cell.step(x[t], own)
        assert torch.allclose(deaf_signals["h"][others], signals["h"][others], atol=1e-5)
        state = expected
        h = signals["h"].clone()
        h[1], h[4] = 0.3, -0.2
        assert torch.allclose(deaf.readout(deaf_signals["h"]), network.readout(h), atol=1e-5)


def test_one_key_silences_a_cell_and_undoes_it(read: Session) -> None:
    whole, before = read.stream.snapshot.network, read.stream.snapshot.probability
    strongest = int(np.argmax(np.abs(whole.readout_weight[0].numpy())))
    read.select(strongest)
    read.perform("silence")
    wait(lambda: read.silencing.cells == {strongest} and read.stream.snapshot.time == 100)
    assert read.stream.snapshot.probability != pytest.approx(before)
    read.perform("silence")
    wait(lambda: read.stream.snapshot.network is whole and read.stream.snapshot.time == 100)
    assert read.stream.snapshot.probability == pytest.approx(before)
    assert not read.silencing.cells


def test_silencing_without_a_selection_lets_all_speak_or_is_refused(read: Session) -> None:
    with pytest.raises(SessionError, match="no cell is selected"):
        read.perform("silence")
    read.select(0)
    read.perform("silence")
    wait(lambda: bool(read.silencing.cells))
    read.select(None)
    read.perform("silence")
    wait(lambda: not read.silencing.cells)


def test_all_dead_cells_are_silenced_at_once() -> None:
    session = open_session(threshold=10)  # so that every cell counts as dead
    session.stream.seek(50)
    wait(lambda: session.stream.snapshot.time == 50)
    session.perform("silence-dead")
    wait(lambda: len(session.silencing.cells) == 12)
    session.perform("silence-dead")
    wait(lambda: not session.silencing.cells)
    session.close()


# ---- comparing -----------------------------------------------------------------------------------------------


def test_another_network_reads_along(read: Session, tmp_path: Path) -> None:
    path = small_file(tmp_path, 5)
    read.comparing.compare_with(str(path))
    wait(lambda: read.comparing.comparison(read.frame()) is not None)
    other = read.comparing.comparison(read.frame())
    assert other is not None
    network = Network.load(path)
    assert network.vocabulary is not None
    ids = network.vocabulary.encode(read.stream.snapshot.review.words)
    assert other.probability == pytest.approx(record(network, ids).probability[0])
    read.comparing.compare_with(None)
    assert read.comparing.comparison(read.frame()) is None


def test_a_network_that_cannot_be_compared_is_told(read: Session) -> None:
    read.comparing.compare_with("nowhere")
    assert read.comparing.comparison(read.frame()) is None
    wait(lambda: "nowhere" in read.note)
    assert read.comparing.network is None


# ---- exporting -----------------------------------------------------------------------------------------------


def test_the_table_holds_the_words_read_and_their_numbers(read: Session, tmp_path: Path) -> None:
    write_csv(read, read.frame(), tmp_path / "run.csv")
    with (tmp_path / "run.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["word"] for row in rows] == list(read.stream.snapshot.review.words[:100])
    assert float(rows[-1]["probability"]) == pytest.approx(read.stream.snapshot.probability, rel=1e-5)
    assert float(rows[-1]["alpha_h"]) == pytest.approx(read.stream.snapshot.alpha["h"], rel=1e-5)
    assert float(rows[40]["h_3"]) == pytest.approx(float(read.read("h", 40, 41)[0, 3]), rel=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["run.csv"]
