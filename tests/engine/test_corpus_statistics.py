"""Statistics of a corpus equal those of the reference recording and the reference DFA."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.beta import read_batches
from engine.cells import LstmCell
from engine.corpus_statistics import corpus_statistics
from engine.kernels.reference import fluctuations_reference
from engine.network import Network, Vocabulary
from engine.recording import record_reference

SCALES = (10, 14, 20, 28, 40)


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return Network(
        LstmCell.from_torch(torch.nn.LSTM(4, 12)),
        torch.randn(1, 12),
        torch.zeros(1),
        embedding=torch.randn(52, 4),
        vocabulary=Vocabulary([f"w{k}" for k in range(50)]),
        name="small",
    )


@pytest.fixture(scope="module")
def reviews() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 52, (120, 200))  # more than one batch


def test_every_number_equals_the_reference(network: Network, reviews: np.ndarray) -> None:
    steps: list[tuple[int, int]] = []
    found = corpus_statistics(network, reviews, scales=SCALES, progress=lambda *step: steps.append(step))
    assert found.signals == ("i", "f", "g", "o", "c", "c_out", "h", "x")
    assert len(steps) > 1
    assert steps[-1] == (120, 120)
    assert found.F.shape == (8, 120, 5)
    for k in (0, 81, 119):
        plain = record_reference(network, reviews[k])
        for signal, F in zip(found.signals, found.F[:, k], strict=True):
            expected = fluctuations_reference(plain.layer_sum(signal).astype(np.float64), np.array(SCALES), 1, True)[0]
            np.testing.assert_allclose(F, expected, rtol=1e-4)
            slope = np.polyfit(np.log(SCALES), np.log(expected), 1)[0]
            assert found.exponents(signal).beta[k] == pytest.approx(2 * slope - 1, abs=1e-3)
        np.testing.assert_allclose(found.mean[k], plain["h"][0].mean(0), atol=1e-6)
        np.testing.assert_allclose(found.deviation[k], plain["h"][0].std(0), atol=1e-6)
        assert found.probability[k] == pytest.approx(network.classify(reviews[k]), abs=1e-6)


def test_only_what_was_asked_for(network: Network, reviews: np.ndarray) -> None:
    found = corpus_statistics(network, reviews[:3], ["x", "f"], SCALES)
    assert found.signals == ("f", "x")
    assert found.F.shape == (2, 3, 5)
    with pytest.raises(KeyError, match="no signal 'h' in these statistics; they hold f, x"):
        found.exponents("h")


def test_cells_can_be_clamped(network: Network, reviews: np.ndarray) -> None:
    clamp = {"h": np.where(np.arange(12) < 4, 0.25, np.nan)}
    ends = []
    for batch in read_batches(network, reviews, ["h"], clamp=clamp):
        recording = batch.recording
        assert recording is not None
        ends.append(batch.first + len(batch))
        assert (recording["h"][..., :4] == 0.25).all()
        assert (recording["h"][..., 4:].std(axis=1) > 0).all()
    assert ends == sorted(ends)
    assert ends[-1] == 120


@pytest.mark.parametrize(
    ("reviews", "signals", "message"),
    [
        (np.empty((0, 200), int), None, "small: no reviews"),
        (np.full((2, 200), 52), None, "ids from 52 to 52"),
        (np.zeros((2, 200), int), ["z"], "no signal z"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    network: Network, reviews: np.ndarray, signals: list[str] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        corpus_statistics(network, reviews, signals, SCALES)
