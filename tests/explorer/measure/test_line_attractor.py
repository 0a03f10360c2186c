"""Line attractors, measured on a network whose answers are known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import platformdirs
import pytest
import torch

from engine.cells import RnnCell
from engine.network import Network, Vocabulary
from explorer.measure.line_attractor import line_attractor


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: tmp_path / name)


def leaky(readout: list[float], first: float = 0.99) -> Network:
    """Two uncoupled cells with a fixed point at 0: a slow one (λ = 0.99) and a fast one (λ = 0.5)."""
    cell = RnnCell(torch.eye(2), torch.diag(torch.tensor([first, 0.5])), torch.zeros(2))
    push = 1e-4 * torch.tensor([[0.0, 0], [0, 0], [1, 1], [-1, -1], [2, 1], [-2, -1]])
    return Network(
        cell, torch.tensor([readout]), torch.zeros(1), embedding=push, vocabulary=Vocabulary(["a", "b", "c", "d"])
    )


def test_a_leaky_integrator_is_a_line() -> None:
    reviews = [np.random.default_rng(k).integers(2, 6, 100) for k in range(4)]
    found = line_attractor(leaky([1.0, 0.0]), reviews, starts=16)
    assert (found.fixed, found.slow, found.stable) == (1, 0, 1)
    assert found.slowest == pytest.approx(-1 / math.log(0.99), rel=1e-3)
    assert found.next == pytest.approx(-1 / math.log(0.5), rel=1e-3)
    assert found.aligned == pytest.approx(1, abs=1e-6)
    assert found.words > 0.99
    assert found.words_correlation == pytest.approx(1, abs=1e-4)
    assert sum(found.states) == pytest.approx(1)
    assert found.states[0] > 0.9


def test_a_readout_across_the_line_is_not_aligned() -> None:
    reviews = [np.array([2, 3, 4, 5, 5, 2])]
    assert line_attractor(leaky([0.0, 1.0]), reviews, starts=8).aligned == pytest.approx(0, abs=1e-6)
    assert line_attractor(leaky([1.0, 1.0]), reviews, starts=8).aligned == pytest.approx(math.sqrt(0.5), abs=1e-6)


def test_a_network_that_never_rests_has_no_time_constants() -> None:
    found = line_attractor(
        leaky([1.0, 0.0], first=-1.5), [np.array([2, 3, 4, 5, 5, 2])], starts=8
    )  # h and −h take turns
    assert (found.fixed, found.stable) == (1, 0)
    assert math.isnan(found.slowest)
    assert math.isnan(found.aligned)
    assert found.words > 0
