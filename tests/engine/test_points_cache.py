"""A search is cached, and repeated when any parameter of it changes."""

import errno
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest
import torch

from engine import points_cache
from engine.basins import basins
from engine.cells import Cell, RnnCell
from engine.fixed_points import find_fixed_points
from engine.network import Network, Vocabulary
from engine.points import FixedPoints
from engine.points_cache import cached_word_attractors, content_hash, network_ends, network_points


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: tmp_path / name)
    return tmp_path / "pinkx" / "fixed_points"


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each real search."""
    done: list[int] = []
    real = find_fixed_points

    def counted(*args: Any, **options: Any) -> FixedPoints:
        done.append(1)
        return real(*args, **options)

    monkeypatch.setattr(points_cache, "find_fixed_points", counted)
    return done


@pytest.fixture
def network() -> Network:
    return Network.load("rnn-16-flip-flop-3")


def test_the_second_search_reads_the_cache(network: Network, searches: list[int]) -> None:
    first = network_points(network, ["zero", "+1"], count=50)
    second = network_points(network, ["zero", "+1"], count=50)
    assert len(searches) == 1
    np.testing.assert_array_equal(first.eigenvalues, second.eigenvalues)
    np.testing.assert_array_equal(first.readout, second.readout)
    assert set(first.input_names) == {"zero", "+1"}
    assert first.readout.shape == (len(first), 3)


def test_every_parameter_of_a_search_is_part_of_the_cache_key(searches: list[int]) -> None:
    torch.manual_seed(0)
    cell = RnnCell.from_torch(torch.nn.RNN(3, 3))
    network = Network(cell, torch.randn(3, 3), torch.zeros(3), task="flip-flop-3")
    network_points(network, count=20)
    changes: tuple[dict[str, Any], ...] = (
        {"seed": 1},
        {"noise": 0.1},
        {"count": 21},
        {"inputs": ["+1"]},
        {"method": "adam"},
        {"cache": False},
    )
    for options in changes:
        network_points(network, **{"count": 20} | options)
    network.cell.weight_hh[0, 0] += 1
    network_points(network, count=20)
    assert len(searches) == 8


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of starts of each real computation of basins."""
    done: list[int] = []

    def counted(cell: Cell, x: torch.Tensor, stable: torch.Tensor, starts: torch.Tensor, **options: Any) -> Any:
        done.append(len(starts))
        return basins(cell, x, stable, starts, **options)

    monkeypatch.setattr(points_cache, "basins", counted)
    return done


def one_attractor_and_a_cycle() -> tuple[Network, FixedPoints]:
    """Two uncoupled units: under zero every state ends on a cycle of two, under +1 at one point."""
    cell = RnnCell(torch.tensor([[1.0], [4.0]]), torch.diag(torch.tensor([0.5, -2.0])), torch.zeros(2))
    network = Network(cell, torch.eye(2), torch.zeros(2), task="flip-flop-1")
    starts = torch.rand(8, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = torch.tensor([[0.0], [1.0]])
    return network, find_fixed_points(network.cell, x, starts, input_names=["zero", "+1"])


def test_basins_are_read_from_the_cache(runs: list[int]) -> None:
    network, points = one_attractor_and_a_cycle()
    for name, cycles in (("zero", 1), ("+1", 0)):
        first, second = (network_ends(network, points, name, count=6) for _ in range(2))
        assert first is not None
        assert second is not None
        for one, other in zip(first, second, strict=True):
            assert (one.states, one.elsewhere, len(one.cycles)) == (6, 0, cycles)
            assert (other.states, other.elsewhere) == (6, 0)
            np.testing.assert_array_equal(one.points, other.points)
            np.testing.assert_array_equal(one.counts, other.counts)
            for before, after in zip(one.cycles, other.cycles, strict=True):
                np.testing.assert_array_equal(before.states, after.states)
                np.testing.assert_array_equal(before.multipliers, after.multipliers)
                assert (before.newton_step, before.hits) == (after.newton_step, after.hits)
    assert runs == [6] * 4  # visited and uniform states of two inputs


def test_every_parameter_of_basins_is_part_of_the_cache_key(runs: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    network, points = one_attractor_and_a_cycle()
    network_ends(network, points, "zero", count=6)
    changes: tuple[dict[str, Any], ...] = ({"seed": 1}, {"count": 7}, {"name": "+1"}, {"cache": False})
    for options in changes:
        arguments: dict[str, Any] = {"name": "zero", "count": 6} | options
        network_ends(network, points, **arguments)
    assert len(runs) == 2 * (1 + len(changes))
    monkeypatch.setattr("engine.basins.NEAR", 2e-2)
    network_ends(network, points, "zero", count=6)
    network.cell.weight_hh[0, 0] = 0.6
    network_ends(network, points, "zero", count=6)
    assert len(runs) == 2 * (3 + len(changes))


def test_interrupted_basins_are_not_cached(folder: Path) -> None:
    network, points = one_attractor_and_a_cycle()
    assert network_ends(network, points, "zero", count=6, progress=lambda done, total: False) is None
    assert not folder.exists()


def test_an_interrupted_search_is_not_cached(network: Network, folder: Path) -> None:
    found = network_points(network, count=500, progress=lambda done, total: False)
    assert 0 < found.starts < 500
    assert not folder.exists()


def test_a_damaged_cache_file_is_computed_again(network: Network, searches: list[int], folder: Path) -> None:
    first = network_points(network, count=20)
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    second = network_points(network, count=20)
    assert len(searches) == 2
    np.testing.assert_array_equal(first.states, second.states)


def test_the_hash_is_of_the_content(network: Network) -> None:
    same = Network.load("rnn-16-flip-flop-3")
    same.name = "another name"
    assert content_hash(network) == content_hash(same)
    same.readout_bias[0] += 1e-6
    assert content_hash(network) != content_hash(same)
    assert content_hash(network.to(dtype=torch.float64)) != content_hash(network)


def test_word_attractors_are_cached(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    network = Network.load("lstm-8")
    assert network.vocabulary is not None
    assert network.embedding is not None
    short = network.vocabulary.words[:20]
    network = Network(
        network.cell,
        network.readout_weight,
        network.readout_bias,
        embedding=network.embedding[:22],
        vocabulary=Vocabulary(short),
    )
    first = cached_word_attractors(network)
    monkeypatch.setattr(points_cache, "word_attractors", None)  # calling it again would fail
    second = cached_word_attractors(network)
    assert first is not None
    assert second is not None
    assert first.words == second.words == short
    np.testing.assert_array_equal(first.states, second.states)


def test_a_cache_that_cannot_be_written_changes_nothing(
    network: Network, folder: Path, searches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only folder, a full disk, a folder of another user."""
    folder.parent.write_text("a file where the folder should be")
    assert len(network_points(network, ["zero"], count=20)) > 0
    folder.parent.unlink()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.arrays.np.savez_compressed", full)
    assert len(network_points(network, ["zero"], count=20)) > 0
    assert len(searches) == 2
    assert list(folder.iterdir()) == []
