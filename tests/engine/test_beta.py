"""β of many reviews equals that of the reference recording and the reference DFA."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from engine.beta import UNLABELLED, measure_reviews, read_batches
from engine.cells import LstmCell
from engine.fluctuation import default_scales
from engine.kernels.reference import fluctuations_reference
from engine.network import Network, Vocabulary
from engine.recording import record, record_reference
from engine.text import Review

WORDS = [f"w{k}" for k in range(50)]
SIGNALS = ("h", "f", "x")


def network() -> Network:
    torch.manual_seed(0)
    return Network(
        LstmCell.from_torch(torch.nn.LSTM(4, 12)),
        torch.randn(1, 12),
        torch.zeros(1),
        embedding=torch.randn(52, 4),
        vocabulary=Vocabulary(WORDS),
        name="small",
    )


def reviews(*lengths: int) -> list[Review]:
    random = np.random.default_rng(0)
    labels = (True, False, None)
    return [Review(str(k), " ".join(random.choice(WORDS, n)), labels[k % 3]) for k, n in enumerate(lengths)]


def all_rows(*batches: np.ndarray) -> np.ndarray:
    return np.concatenate(batches)


def test_every_row_equals_the_reference() -> None:
    read = reviews(200, 90, 333, 80)
    rows = all_rows(*measure_reviews(network(), read, SIGNALS))
    assert rows["review"].tolist() == [0, 1, 2, 3]
    assert rows["words"].tolist() == [200, 90, 333, 80]
    assert rows["label"].tolist() == [1, 0, UNLABELLED, 1]
    for row, review in zip(rows, read, strict=True):
        plain = record_reference(network(), network().vocabulary.encode(review.words))  # type: ignore[union-attr]
        scales = default_scales(len(review.words))
        series = np.stack([plain.layer_sum(name)[0] for name in SIGNALS])
        F = fluctuations_reference(series, np.array(scales), 1, True)
        alpha = [np.polyfit(np.log(scales), np.log(f), 1)[0] for f in F]
        assert row["beta"] == pytest.approx(2 * np.array(alpha) - 1, abs=1e-4)
        assert row["probability"] == pytest.approx(plain.probability[0, -1], abs=1e-6)
        assert (row["r2"] <= 1).all()
        assert (row["reason"] == "").all()


def test_a_short_review_has_a_reason_instead_of_an_exponent() -> None:
    rows = all_rows(*measure_reviews(network(), [*reviews(79, 3), Review("nothing", "?!")]))
    assert np.isnan(rows["beta"]).all()
    assert (rows["reason"] == "too short").all()
    assert np.isfinite(rows["probability"]).tolist() == [True, True, False]
    assert rows["words"].tolist() == [79, 3, 0]


def test_scales_and_a_cut_are_the_callers_choice() -> None:
    read = reviews(300, 100)
    scales = (10, 15, 25, 50)
    rows = all_rows(*measure_reviews(network(), read, ("h",), scales=scales, cut=120))
    assert rows["words"].tolist() == [120, 100]
    plain = record_reference(network(), network().vocabulary.encode(read[0].words[:120]))  # type: ignore[union-attr]
    F = fluctuations_reference(plain.layer_sum("h").astype(np.float64), np.array(scales), 1, True)[0]
    assert rows["beta"][0, 0] == pytest.approx(2 * np.polyfit(np.log(scales), np.log(F), 1)[0] - 1, abs=1e-4)
    assert all_rows(*measure_reviews(network(), read, ("h",), scales=(10, 20, 200)))["reason"][:, 0].tolist() == [
        "",
        "too short",
    ]


def test_clamped_cells_are_clamped_in_every_review() -> None:
    clamps = {"h": np.where(np.arange(12) == 3, 0.5, np.nan)}
    ids = [np.arange(2, 42, dtype=np.int32)] * 2
    (part,) = read_batches(network(), ids, ("h", "x"), clamp=clamps)
    expected = record(network(), ids[0], clamp=clamps)
    assert part.series[1][0] == pytest.approx(expected.layer_sum("h")[0])
    assert part.probability == pytest.approx(expected.probability[0, -1])
    (free,) = measure_reviews(network(), reviews(100))
    (clamped,) = measure_reviews(network(), reviews(100), clamp=clamps)
    assert clamped["beta"][0, 0] != free["beta"][0, 0]
    assert clamped["beta"][0, 1] == free["beta"][0, 1]


def test_batches_have_at_most_the_given_words_and_keep_the_order() -> None:
    lengths = [5, 40, 7, 30, 200, 8, 8, 8, 8]
    ids = [np.full(n, 3, dtype=np.int32) for n in lengths]
    parts = list(read_batches(network(), ids, ("h",), words=80))
    assert [part.first for part in parts] == [0, 2, 4, 5]
    assert [series.shape for part in parts for series in part.series] == [(1, n) for n in lengths]
    whole = next(read_batches(network(), ids, ("h",), words=10**6))
    assert np.allclose(np.concatenate([part.probability for part in parts]), whole.probability)


def test_reviews_are_taken_only_as_they_are_asked_for() -> None:
    taken = []

    def endless() -> Iterator[np.ndarray]:
        while True:
            taken.append(1)
            yield np.full(10, 2, dtype=np.int32)

    next(read_batches(network(), endless(), ("h",), words=100))
    assert len(taken) == 11


def test_a_network_of_vectors_and_an_unknown_signal_are_refused() -> None:
    numbers = Network(LstmCell.from_torch(torch.nn.LSTM(4, 3)), torch.randn(1, 3), torch.zeros(1))
    with pytest.raises(ValueError, match="reads no reviews"):
        next(measure_reviews(numbers, reviews(90)))
    with pytest.raises(ValueError, match="no signal q"):
        next(measure_reviews(network(), reviews(90), ("q",)))
