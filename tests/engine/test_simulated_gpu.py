"""Every computation for a GPU on a simulated card: no tensor on a wrong device, and the same results as on the CPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.ablation_accuracy import count_correct, mean_states
from engine.beta import measure_encoded
from engine.cells import RnnCell
from engine.corpus_statistics import corpus_statistics
from engine.device_stepper import DeviceStepper
from engine.eigensystems import eigensystems
from engine.fixed_points import find_fixed_points
from engine.fluctuation import fluctuations
from engine.lyapunov import lyapunov_spectrum, memory_decay
from engine.network import Network
from engine.points_cache import network_ends, network_points
from engine.recipes import Recipe
from engine.recording import Stepper, record, record_reference
from engine.reviews import Review
from engine.rolling_traces import rolling_exponents
from engine.source_measurement import _Sums
from engine.sweeps.side_by_side import train_side_by_side
from engine.sweeps.tasks_side_by_side import train_tasks_side_by_side
from engine.task_training import TaskRecipe, train_task
from engine.training import EncodedReviews, train_sentiment
from tests.engine.random_cells import random_cell
from tests.engine.simulated_gpu import CudaTensor, simulated_gpu

IDS = [np.random.default_rng(k).integers(2, 50, n) for k, n in enumerate((3, 7, 6))]


@pytest.fixture(scope="module")
def lstm() -> Network:
    return Network.load("lstm-8")


@pytest.fixture
def card() -> Iterator[None]:
    with simulated_gpu():
        yield


@pytest.fixture
def kernels() -> None:
    pytest.importorskip("triton", reason="Triton, which compiles the GPU kernels, is not installed")
    if os.environ["TRITON_INTERPRET"] == "0":
        pytest.skip("the kernels are compiled for the card that is here")


def task_network() -> Network:
    """Return a random network for a task, with two stable points under zero input."""
    weights = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    recurrent = torch.diag(torch.tensor([1.5, 0.5, 0.4, 0.3]))
    cell = RnnCell(weights, recurrent, torch.zeros(4), torch.zeros(4))
    return Network(cell, weights.T, torch.zeros(3), task="flip-flop-3", name="small")


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-6)


@pytest.mark.usefixtures("card")
def test_the_card_refuses_what_a_card_refuses() -> None:
    there = torch.zeros(2, device="cuda")
    assert (there.device.type, there.is_cuda, isinstance(there + 1, CudaTensor)) == ("cuda", True, True)
    here = torch.ones(2)
    wrong: list[Callable[[], Tensor]] = [
        lambda: there + here,
        lambda: here[there.long()],
        lambda: torch.stack((there, here)),
    ]
    for operation in wrong:
        with pytest.raises(RuntimeError, match="same device"):
            operation()
    with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
        np.asarray(there)
    assert (there.cpu().numpy() == torch.ones(2).to(there).add_(-1).cpu().numpy()).all()


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
def test_fixed_points_and_lyapunov_exponents(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    cell = random_cell(name, 3, generator)
    x, starts = torch.randn(2, 24, 3, generator=generator), torch.rand(2, cell.state_size, generator=generator)
    there = cell.to(device="cuda")
    close(lyapunov_spectrum(there, x, count=2), lyapunov_spectrum(cell, x, count=2))
    close(memory_decay(there, x, lags=4).norm, memory_decay(cell, x, lags=4).norm)
    complete = name == "rnn"  # the slowest part, and the same for all
    found, expected = (find_fixed_points(one, torch.zeros(3), starts, complete=complete) for one in (there, cell))
    close(found.states, expected.states)
    matrices = torch.randn(3, 4, 4, dtype=torch.float64, generator=generator)
    close(eigensystems(matrices.to("cuda"), batched=True).values, eigensystems(matrices).values)


@pytest.mark.usefixtures("card")
def test_basins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.completeness.ROUNDS", 0)
    network = task_network()
    points = network_points(network, count=9, cache=False)
    pairs = [network_ends(one, points, "zero", count=9, cache=False) for one in (network.to(device="cuda"), network)]
    assert len(points) == 3
    for found, expected in zip(*(pair for pair in pairs if pair is not None), strict=True):
        assert (found.counts.tolist(), found.elsewhere) == (expected.counts.tolist(), expected.elsewhere)
        assert found.counts.sum() > 0


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_training(cell: str, tmp_path: Path) -> None:
    task = TaskRecipe(task="integration-1", cell=cell, size=3, steps=4, batch=4, batches=2)
    reviews = [Review(str(k), "a good one" if k % 2 else "bad", bool(k % 2)) for k in range(24)]
    corpus, recipe = EncodedReviews.from_reviews(reviews, 9), Recipe(cell, 3, epochs=2, batch=8, validation=8)
    tasks, recipes = [task, replace(task, seed=1)], [recipe, replace(recipe, seed=1)]
    path = tmp_path / "state"

    def trained(device: str) -> list[Network]:
        train_sentiment(corpus, recipe, device=device, checkpoint=path)
        resumed = train_sentiment(corpus, recipe, device=device, checkpoint=path)
        path.unlink()
        return [
            resumed,
            train_task(task, device=device),
            *train_tasks_side_by_side(tasks, device=device),
            *train_side_by_side(corpus, recipes, device=device),
        ]

    for found, expected in zip(trained("cuda"), trained("cpu"), strict=True):
        assert not isinstance(found.cell.weight_hh, CudaTensor)
        close(found.cell.weight_hh, expected.cell.weight_hh)
        assert found.info["recipe"] == expected.info["recipe"]


@pytest.mark.usefixtures("card")
def test_plain_steps(lstm: Network) -> None:
    there = lstm.to(device="cuda")
    close(record_reference(there, IDS)["h"], record(lstm, IDS)["h"])
    close(there.classify(IDS), lstm.classify(IDS))


@pytest.mark.usefixtures("card", "kernels")
def test_recordings_live_runs_and_the_corpus(lstm: Network) -> None:
    there = lstm.to(device="cuda")
    found, expected = record(there, IDS), record(lstm, IDS)
    assert isinstance(found.tensor("h"), CudaTensor)
    for name in expected.names:
        close(found[name], expected[name])
    close(found.layer_sum("f"), expected.layer_sum("f"))
    close(found.probability, expected.probability)
    close(DeviceStepper(there).advance(IDS[0])["f"], Stepper(lstm).advance(IDS[0])["f"])
    labels, options = [True, False, None], {"signals": ("h", "x"), "scales": (4, 5, 6)}
    (rows,), (wanted,) = (measure_encoded(one, IDS, labels, **options) for one in (there, lstm))  # type: ignore[arg-type]
    for column in ("beta", "beta_stderr", "r2", "probability", "deviation"):
        np.testing.assert_allclose(rows[column], wanted[column], rtol=1e-3, atol=1e-5)
    assert rows["reason"].tolist() == wanted["reason"].tolist()


@pytest.mark.usefixtures("card", "kernels")
def test_statistics_and_accuracy_of_a_corpus(lstm: Network) -> None:
    there, reviews = lstm.to(device="cuda"), np.stack([IDS[1]] * 2)
    found, expected = (corpus_statistics(one, reviews, ("f", "x"), (4, 5, 6)) for one in (there, lstm))
    for values in ("F", "mean", "deviation", "probability"):
        close(getattr(found, values), getattr(expected, values))
    sums = [_Sums(one, ("h", "i")) for one in (there, lstm)]
    for one in sums:
        one.add(IDS)
    for values in ("deviation", "saturated", "moving", "words", "probabilities"):
        close(*(getattr(one, values) for one in sums))
    means = mean_states(lstm, IDS)
    close(mean_states(there, IDS), means)
    counts, wanted = (count_correct(one, IDS[:1], [True], means) for one in (there, lstm))
    assert counts is not None
    assert wanted is not None
    assert counts.without.tolist() == wanted.without.tolist()


@pytest.mark.usefixtures("card", "kernels")
def test_vectors_and_series() -> None:
    network, x = Network.load("rnn-16-flip-flop-3"), np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    there = network.to(device="cuda")
    close(record(there, [x, x[:2]])["h"], record(network, [x, x[:2]])["h"])
    close(DeviceStepper(there).advance(x)["h"], Stepper(network).advance(x)["h"])
    series = np.random.default_rng(0).standard_normal((1, 33))
    on_card = torch.as_tensor(series, device="cuda")
    found, expected = (fluctuations(one[:, :9], (5, 8), 2, False, backward=True) for one in (on_card, series))
    close(found, expected)
    close(rolling_exponents(on_card, 32, (4, 5, 6)).alpha, rolling_exponents(series, 32, (4, 5, 6)).alpha)
    with pytest.raises(ValueError, match="expected real samples, got a tensor of torch.complex64"):
        fluctuations(on_card.to(torch.complex64))
