"""Word attractors: the limit of a repeated word, its logit and its time constant."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.cells import LstmCell, RnnCell
from engine.network import Network, Vocabulary
from engine.word_attractors import WordAttractors, word_attractors

WORDS = ["dull", "plain", "fine"]


def reader(gain: float = 0.5, cells: int = 1) -> Network:
    """Uncoupled tanh cells; the words push by −1, 0 and +1."""
    cell = RnnCell(torch.ones(cells, 1), gain * torch.eye(cells), torch.zeros(cells))
    embedding = torch.tensor([[7.0], [7], [-1], [0], [1]])
    return Network(
        cell,
        torch.full((1, cells), 2.0),
        torch.ones(1),
        embedding=embedding,
        vocabulary=Vocabulary(WORDS),
        name="reader",
    )


def test_attractors_of_one_leaky_cell_by_hand() -> None:
    found = word_attractors(reader())
    assert found is not None
    assert found.words == tuple(WORDS)
    h = 0.0
    for _ in range(200):
        h = math.tanh(0.5 * h + 1)
    np.testing.assert_allclose(found.states[:, 0], [-h, 0, h], atol=1e-12)
    np.testing.assert_allclose(found.logit, [1 - 2 * h, 1, 1 + 2 * h], atol=1e-12)
    slope = 0.5 * (1 - np.array([h, 0, h]) ** 2)
    np.testing.assert_allclose(found.time_constant, -1 / np.log(slope), rtol=1e-9)
    assert found.fixed.all()
    assert found.order_by_logit().tolist() == [0, 1, 2]


def test_an_attractor_is_the_limit_of_the_repetitions() -> None:
    # gain 2: under "plain" 0 is a root too, and unstable; from the zero state the network stays there
    found = word_attractors(reader(gain=2.0))
    assert found is not None
    state = torch.zeros(1, dtype=torch.float64)
    for _ in range(500):
        state = torch.tanh(2 * state + 1)
    assert found.states[2, 0] == pytest.approx(float(state))
    assert found.states[1, 0] == 0


def test_a_network_with_a_limit_cycle_has_no_certified_root() -> None:
    angle = 2.0
    turn = 3 * torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    cell = RnnCell(torch.ones(2, 1), turn, torch.zeros(2))
    embedding = torch.tensor([[0.0], [0.0], [0.3]])
    network = Network(cell, torch.ones(1, 2), torch.zeros(1), embedding=embedding, vocabulary=Vocabulary(["round"]))
    found = word_attractors(network)
    assert found is not None
    assert not found.fixed.any()
    assert not found.slow.any()
    assert found.q[0] > 0.01
    assert found.kind.tolist() == ["cycle"]
    assert found.period.tolist() == [7]  # the angle is locked to a seventh of three turns
    assert np.isnan(found.time_constant[0])


def test_a_word_that_alternates_has_a_period_and_an_amplitude_and_no_time_constant() -> None:
    """h' = tanh(−2 h) alternates between ± 0.9575, from any start but 0."""
    cell = RnnCell(torch.ones(1, 1), torch.full((1, 1), -2.0), torch.zeros(1))
    embedding = torch.tensor([[0.0], [0.0], [0.01], [3.0]])
    network = Network(cell, torch.ones(1, 1), torch.zeros(1), embedding=embedding, vocabulary=Vocabulary(["a", "b"]))
    found = word_attractors(network)
    assert found is not None
    assert found.kind.tolist() == ["cycle", "fixed"]
    assert found.period.tolist() == [2, 1]
    assert found.amplitude == pytest.approx([2 * 0.9575, 0], abs=0.01)
    assert np.isfinite(found.time_constant).tolist() == [False, True]


def test_an_lstms_attractor_is_a_fixed_point_of_h_and_c() -> None:
    random = torch.Generator().manual_seed(2)
    cell = LstmCell(*(torch.randn(*shape, generator=random) for shape in [(16, 3), (16, 4), (16,)]))
    network = Network(
        cell,
        torch.ones(1, 4),
        torch.zeros(1),
        embedding=torch.randn(402, 3, generator=random),
        vocabulary=Vocabulary([f"word{k}" for k in range(400)]),
    )
    found = word_attractors(network)
    assert found is not None
    assert found.fixed.mean() > 0.9
    assert network.embedding is not None
    x = network.embedding[2:].double()
    state = torch.from_numpy(found.states)
    moved, _ = network.cell.to(dtype=torch.float64).step(x, state)
    np.testing.assert_allclose(moved[found.fixed], state[found.fixed], atol=1e-7)


def test_a_search_can_be_stopped_and_saved(tmp_path: Path) -> None:
    assert word_attractors(reader(), progress=lambda done, total: False) is None
    seen: list[tuple[int, int]] = []
    found = word_attractors(reader(), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(3, 3)]
    assert found is not None
    found.save(tmp_path / "words.npz")
    again = WordAttractors.load(tmp_path / "words.npz")
    assert again.words == found.words
    np.testing.assert_array_equal(again.states, found.states)
    np.testing.assert_array_equal(again.time_constant, found.time_constant)


def test_a_network_without_words_has_none() -> None:
    network = Network(reader().cell, torch.ones(1, 1), torch.zeros(1), task="integration-1", name="adder")
    with pytest.raises(ValueError, match="adder takes vectors, not words"):
        word_attractors(network)
