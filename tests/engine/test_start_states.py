"""Starts are states that the network visits; inputs have names."""

import numpy as np
import pytest
import torch

from engine.cells import LstmCell, RnnCell
from engine.network import Network, Vocabulary
from engine.start_states import input_from_name, visited_states


def reader() -> Network:
    """Return a network of three LSTM cells with two words."""
    random = torch.Generator().manual_seed(0)
    cell = LstmCell(*(torch.randn(*shape, generator=random) for shape in [(12, 2), (12, 3), (12,)]))
    embedding = torch.tensor([[9.0, 9], [8, 8], [1, 2], [3, -4]])
    return Network(cell, torch.ones(1, 3), torch.zeros(1), embedding=embedding, vocabulary=Vocabulary(["good", "bad"]))


def performer() -> Network:
    random = torch.Generator().manual_seed(1)
    cell = RnnCell(*(torch.randn(*shape, generator=random) for shape in [(4, 3), (4, 4), (4,)]))
    return Network(cell, torch.ones(3, 4), torch.zeros(3), task="flip-flop-3", name="performer")


def test_starts_of_a_network_of_words_are_its_states_over_reviews() -> None:
    network = reader()
    reviews = [np.array([2, 3, 3, 2]), np.array([3]), np.array([], dtype=int)]
    visited = set()
    for review in reviews:
        state = network.cell.initial_state()
        for number in review:
            state, _ = network.cell.step(network.embed(np.array([number]))[0], state)
            visited.add(tuple(np.round(state.numpy(), 5)))
    starts = visited_states(network, 200, reviews=reviews)
    assert starts.shape == (200, 6)
    assert starts.dtype == torch.float64
    assert {tuple(np.round(row, 5).astype(np.float32)) for row in starts.numpy()} == visited


def test_starts_of_a_task_network_come_from_its_task() -> None:
    starts = visited_states(performer(), 300)
    assert starts.shape == (300, 4)
    assert len(starts.unique(dim=0)) >= 290  # drawn without replacement; only saturated ones coincide
    assert torch.equal(starts, visited_states(performer(), 300))
    assert not torch.equal(starts, visited_states(performer(), 300, seed=1))


def test_noise_is_added_on_demand() -> None:
    difference = visited_states(performer(), 2000, noise=0.1) - visited_states(performer(), 2000)
    assert float(difference.std()) == pytest.approx(0.1, rel=0.05)
    assert abs(float(difference.mean())) < 0.01


def test_a_network_of_words_needs_reviews() -> None:
    with pytest.raises(ValueError, match="at least one review"):
        visited_states(reader(), 5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("zero", [0, 0]),
        ("mean", [2, -1]),
        ("good", [1, 2]),
        ("bad", [3, -4]),
        ("-0.5", [-0.5, -0.5]),
        ("1,-2", [1, -2]),
    ],
)
def test_inputs_have_names(name: str, expected: list[float]) -> None:
    x = input_from_name(reader(), name)
    assert x.dtype == torch.float64
    assert x.tolist() == expected


@pytest.mark.parametrize("name", ["mean", "good", "1,2", "nan", "inf", "", "1,2,3,4"])
def test_an_unknown_input_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="performer"):
        input_from_name(performer(), name)


def test_a_network_of_vectors_without_a_task_names_the_option_to_give() -> None:
    network = performer()
    network.task = "imported"
    with pytest.raises(ValueError, match=r"performer takes vectors, .* import FILE --task flip-flop-3"):
        visited_states(network, 5)
