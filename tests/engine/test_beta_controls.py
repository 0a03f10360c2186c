"""Each control experiment for β changes one thing only."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.beta import series_beta
from engine.beta_controls import (
    beta_of_other_estimators,
    beta_of_other_sums,
    beta_with_padding,
    clamped_probability,
    layer_series,
    shuffle_words,
    untrained_twin,
)
from engine.cells import LstmCell
from engine.fluctuation import log_spaced_scales
from engine.network import Network, Vocabulary
from engine.noise import power_law_noise
from engine.recipes import Recipe
from engine.recording import record, record_reference
from engine.training import untrained_network

SCALES = (10, 14, 20, 28, 40)
N = 12


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return Network(
        LstmCell.from_torch(torch.nn.LSTM(4, N)),
        torch.randn(1, N),
        torch.zeros(1),
        embedding=torch.randn(52, 4),
        vocabulary=Vocabulary([f"w{k}" for k in range(50)]),
        name="small",
    )


@pytest.fixture(scope="module")
def reviews() -> np.ndarray:
    return np.random.default_rng(0).integers(2, 52, (5, 200))


def plain_beta(series: np.ndarray) -> np.ndarray:
    return series_beta(series.sum(axis=-1, dtype=np.float64), SCALES)


def turned(network: Network, signs: np.ndarray) -> Network:
    """The network with the signs of some cells, and of the weights to their candidate and from their h, turned."""
    weights = {key: value.clone() for key, value in network.cell.weights().items()}
    s = torch.as_tensor(signs, dtype=torch.float32)
    for key in ("weight_ih", "weight_hh", "bias"):
        rows = weights[key][2 * N : 3 * N]
        weights[key][2 * N : 3 * N] = rows * (s if rows.ndim == 1 else s[:, None])
    weights["weight_hh"] = weights["weight_hh"] * s
    cell = LstmCell(weights["weight_ih"], weights["weight_hh"], weights["bias"])
    return Network(
        cell,
        network.readout_weight * s,
        network.readout_bias,
        embedding=network.embedding,
        vocabulary=network.vocabulary,
        name="turned",
    )


def test_turned_signs_leave_the_answers_and_change_the_sum(network: Network, reviews: np.ndarray) -> None:
    found = beta_of_other_sums(network, reviews, SCALES, np.zeros(N, bool), flips=3, seed=5)
    signs = np.random.default_rng(5).choice((-1.0, 1.0), (N, 3))
    for k in range(3):
        other = turned(network, signs[:, k])
        np.testing.assert_allclose(other.classify(list(reviews)), network.classify(list(reviews)), atol=1e-6)
        mine = plain_beta(record(other, list(reviews), ("h",))["h"])
        np.testing.assert_allclose(found["flipped"][:, k], mine, atol=1e-3)
        assert np.abs(mine - plain_beta(record(network, list(reviews), ("h",))["h"])).max() > 0.05
        again = beta_of_other_sums(other, reviews, SCALES, np.zeros(N, bool), flips=1)
        np.testing.assert_allclose(again["readout"], found["readout"], atol=1e-3)
        np.testing.assert_allclose(again["cells"], found["cells"], atol=1e-3)


def test_other_sums_of_h(network: Network, reviews: np.ndarray) -> None:
    dead = np.arange(N) % 3 == 0
    found = beta_of_other_sums(network, reviews, SCALES, dead)
    h = record_reference(network, list(reviews), ("h",))["h"].astype(float)
    np.testing.assert_allclose(found["live"], plain_beta(h[..., ~dead]), atol=1e-3)
    np.testing.assert_allclose(found["normalised"], plain_beta(h / h.std(axis=1, keepdims=True)), atol=1e-3)
    np.testing.assert_allclose(found["readout"], plain_beta(h * network.readout_weight[0].numpy()), atol=1e-3)
    each = np.mean([series_beta(h[..., k], SCALES) for k in range(N)], axis=0)
    np.testing.assert_allclose(found["cells"], each, atol=1e-3)


def test_nothing_is_left_where_all_cells_are_dead(network: Network, reviews: np.ndarray) -> None:
    assert np.isnan(beta_of_other_sums(network, reviews, SCALES, np.ones(N, bool))["live"]).all()


def test_shuffled_reviews_have_the_same_words(reviews: np.ndarray) -> None:
    mixed = shuffle_words(reviews)
    assert not np.array_equal(mixed, reviews)
    np.testing.assert_array_equal(np.sort(mixed), np.sort(reviews))
    np.testing.assert_array_equal(mixed, shuffle_words(reviews))
    assert not np.array_equal(mixed, shuffle_words(reviews, seed=1))


def test_padding(network: Network, reviews: np.ndarray) -> None:
    found = beta_with_padding(network, reviews, SCALES, 120)
    pad = np.zeros((5, 80), int)
    alone = record_reference(network, list(reviews[:, :120]), ("h",)).layer_sum("h")
    before = record_reference(network, list(np.hstack((pad, reviews[:, :120]))), ("h",)).layer_sum("h")
    after = record_reference(network, list(np.hstack((reviews[:, :120], pad))), ("h",)).layer_sum("h")
    expected = {
        "none": alone,
        "before": before,
        "after": after,
        "before, masked": np.hstack((0.0 * pad, alone)),
        "after, masked": np.hstack((alone, np.tile(alone[:, -1:], 80))),
    }
    assert list(found) == list(expected)
    for name, series in expected.items():
        np.testing.assert_allclose(found[name], series_beta(series, SCALES), atol=1e-3, err_msg=name)


def test_clamped_cells_and_reviews_of_any_length(network: Network, reviews: np.ndarray) -> None:
    ragged = [review[:length] for review, length in zip(reviews, (7, 200, 1, 90, 90), strict=True)]
    np.testing.assert_allclose(clamped_probability(network, ragged), network.classify(ragged), atol=1e-6)
    clamp = {"h": np.where(np.arange(N) < 6, 0.5, np.nan)}
    one_by_one = [record(network, review, ("h",), clamp=clamp).probability[0, -1] for review in ragged]
    np.testing.assert_allclose(clamped_probability(network, ragged, clamp), one_by_one, atol=1e-6)
    assert not np.allclose(one_by_one, network.classify(ragged), atol=1e-3)


def test_the_untrained_twin(network: Network) -> None:
    assert untrained_twin(network) is None  # no recipe
    recipe = Recipe(size=N, seed=3, embedding=4, vocabulary=50)
    assert network.vocabulary is not None
    begun = untrained_network(recipe, network.vocabulary)
    twin = untrained_twin(begun)
    assert twin is not None
    assert torch.equal(twin.cell.weights()["weight_hh"], begun.cell.weights()["weight_hh"])
    assert twin.info["recipe"] == begun.info["recipe"]


def test_other_estimates_agree_on_pink_noise() -> None:
    series = power_law_noise(1.0, 500, 200, np.random.default_rng(0))
    found = beta_of_other_estimators(series, log_spaced_scales(10, 125), [(4, 16), (10, 250)])
    assert list(found) == ["4–16", "10–250", "standard", "order 2", "spectrum"]
    for name, values in found.items():
        assert values.mean() == pytest.approx(0.95, abs=0.2), name


def test_layer_series_are_the_sums(network: Network, reviews: np.ndarray) -> None:
    found = layer_series(network, reviews, ("h", "x"))
    plain = record_reference(network, list(reviews))
    for name in ("h", "x"):
        np.testing.assert_allclose(found[name], plain.layer_sum(name), atol=1e-4)
