"""`engine.source_measurement` against measuring review by review."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

from engine.activity import deviation, is_dead, saturation
from engine.beta import measure_reviews
from engine.network import Network
from engine.recording import record
from engine.review_stream import ReviewStream
from engine.reviews import open_reviews
from engine.source_measurement import Moments, SourceMeasurement, measure_source


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundled reviews cut to different lengths, the shortest of one word."""
    path = tmp_path_factory.mktemp("source") / "a.jsonl"
    rows = [
        {"text": " ".join(review.words[: [1, 30, 100, 150][k % 4]]), "label": int(bool(review.label))}
        for k, review in enumerate(open_reviews())
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def measured(source: Path) -> SourceMeasurement:
    return measure_source(Network.load("lstm-8"), ReviewStream(source, batch=5))


def test_beta_accuracy_and_loss_are_those_of_single_reviews(source: Path, measured: SourceMeasurement) -> None:
    network, reviews = Network.load("lstm-8"), open_reviews(source)
    signals = [signal.name for signal in network.signals]
    rows = np.concatenate(list(measure_reviews(network, reviews, signals)))
    assert (measured.reviews, measured.words) == (14, rows["words"].sum())
    for k, signal in enumerate(signals):
        beta = rows["beta"][:, k]
        beta = beta[np.isfinite(beta)]
        moments = measured.beta[signal]
        assert moments.count == len(beta) == 6
        assert moments.mean == pytest.approx(beta.mean(), abs=1e-6)
        half = t.ppf(0.975, len(beta) - 1) * beta.std(ddof=1) / math.sqrt(len(beta))
        assert moments.interval == pytest.approx((beta.mean() - half, beta.mean() + half), abs=1e-6)
    positive = rows["label"] == 1
    assert measured.labelled == 14
    assert measured.accuracy == np.mean((rows["probability"] >= network.threshold) == positive)
    right = np.where(positive, rows["probability"], 1 - rows["probability"])
    assert measured.loss == pytest.approx(-np.log(right).mean(), rel=1e-5)


def test_dead_cells_and_saturation_are_those_of_single_reviews(source: Path, measured: SourceMeasurement) -> None:
    network = Network.load("lstm-8")
    assert network.vocabulary is not None
    recordings = [record(network, network.vocabulary.encode(review.words)) for review in open_reviews(source)]
    moved = [deviation(one["h"][0]) for one in recordings if one.lengths[0] > 1]
    assert measured.dead == is_dead(np.mean(moved, axis=0)).mean()
    closed, opened = zip(
        *(saturation(np.concatenate([one[gate][0] for one in recordings])) for gate in ("i", "f", "o")), strict=True
    )
    assert measured.closed == pytest.approx(np.mean(closed))
    assert measured.open == pytest.approx(np.mean(opened))


def test_the_size_of_a_batch_does_not_change_the_result(source: Path, measured: SourceMeasurement) -> None:
    whole = measure_source(Network.load("lstm-8"), ReviewStream(source)).row()
    assert {key: whole[key] for key in whole if key != "seconds"} == pytest.approx(
        {key: value for key, value in measured.row().items() if key != "seconds"}, abs=1e-6
    )


def test_short_unlabelled_reviews_have_neither_beta_nor_accuracy(tmp_path: Path) -> None:
    path = tmp_path / "short.jsonl"
    path.write_text('{"text": "a fine film"}\n{"text": "dull"}\n')
    seen: list[tuple[int, float | None]] = []
    found = measure_source(
        Network.load("rnn-64"), ReviewStream(path), ["h"], progress=lambda done, fraction: seen.append((done, fraction))
    )
    row = found.row()
    assert [row[name] for name in ("beta_h", "beta_h_low", "accuracy", "loss", "open")] == [None] * 5
    assert (row["reviews"], row["reviews_with_beta"], row["words"], row["labelled"]) == (2, 0, 4, 0)
    assert 0 <= found.dead <= 1
    assert seen[-1][0] == 2


def test_a_network_over_numbers_is_refused(source: Path) -> None:
    with pytest.raises(ValueError, match="reads no reviews"):
        measure_source(Network.load("gru-100-integration-1"), ReviewStream(source))


def test_moments_of_parts_are_those_of_the_whole() -> None:
    values = np.random.default_rng(0).normal(3, 2, 100)
    values[7] = np.nan
    moments = Moments()
    for part in np.split(values, [1, 7, 8, 60]):
        moments.add(part)
    known = values[np.isfinite(values)]
    assert moments.count == 99
    assert moments.mean == pytest.approx(known.mean())
    assert moments.squares == pytest.approx(known.var() * 99)
