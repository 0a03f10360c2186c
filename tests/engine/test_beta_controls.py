"""Each control experiment for β changes one thing only."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from engine.beta import series_beta
from engine.beta_controls import (
    beta_of_other_estimators,
    beta_of_other_sums,
    beta_with_padding,
    layer_inputs,
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
from engine.state_runs import last_probability, run_on
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


def other_sums(network: Network, reviews: np.ndarray, dead: np.ndarray, **options: int) -> dict[str, np.ndarray]:
    h = record(network, list(reviews), ("h",))["h"]
    return beta_of_other_sums(h, network.readout_weight[0].double().numpy(), SCALES, dead, **options)


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
    found = other_sums(network, reviews, np.zeros(N, bool), flips=3, seed=5)
    signs = np.random.default_rng(5).choice((-1.0, 1.0), (N, 3))
    for k in range(3):
        other = turned(network, signs[:, k])
        np.testing.assert_allclose(other.classify(list(reviews)), network.classify(list(reviews)), atol=1e-6)
        mine = plain_beta(record(other, list(reviews), ("h",))["h"])
        np.testing.assert_allclose(found["flipped"][:, k], mine, atol=1e-3)
        assert np.abs(mine - plain_beta(record(network, list(reviews), ("h",))["h"])).max() > 0.05
        again = other_sums(other, reviews, np.zeros(N, bool), flips=1)
        np.testing.assert_allclose(again["readout"], found["readout"], atol=1e-3)
        np.testing.assert_allclose(again["cells"], found["cells"], atol=1e-3)


def test_other_sums_of_h(network: Network, reviews: np.ndarray) -> None:
    dead = np.arange(N) % 3 == 0
    found = other_sums(network, reviews, dead)
    h = record_reference(network, list(reviews), ("h",))["h"].astype(float)
    np.testing.assert_allclose(found["live"], plain_beta(h[..., ~dead]), atol=1e-3)
    np.testing.assert_allclose(found["normalised"], plain_beta(h / h.std(axis=1, keepdims=True)), atol=1e-3)
    np.testing.assert_allclose(found["readout"], plain_beta(h * network.readout_weight[0].numpy()), atol=1e-3)
    each = np.mean([series_beta(h[..., k], SCALES) for k in range(N)], axis=0)
    np.testing.assert_allclose(found["cells"], each, atol=1e-3)


def test_nothing_is_left_where_all_cells_are_dead(network: Network, reviews: np.ndarray) -> None:
    assert np.isnan(other_sums(network, reviews, np.ones(N, bool))["live"]).all()


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


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_clamped_cells_and_reviews_of_any_length(kind: str, reviews: np.ndarray) -> None:
    network = untrained_network(
        Recipe(cell=kind, size=N, seed=3, embedding=4, vocabulary=50), Vocabulary([f"w{k}" for k in range(50)])
    )
    network.readout_weight.mul_(4)
    ragged = [review[:length] for review, length in zip(reviews, (7, 200, 1, 90, 90), strict=True)]
    np.testing.assert_allclose(last_probability(network, ragged), network.classify(ragged), atol=1e-6)
    for clamped in (0, 6, N):
        clamp = np.where(np.arange(N) < clamped, np.linspace(0.5, -0.2, N), np.nan)
        one_by_one = [record(network, review, ("h",), clamp={"h": clamp}).probability[0, -1] for review in ragged]
        np.testing.assert_allclose(last_probability(network, ragged, clamp), one_by_one, atol=1e-6)
        assert np.allclose(one_by_one, network.classify(ragged), atol=1e-3) == (clamped == 0)


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


@given(
    st.lists(st.tuples(st.integers(4, 20), st.integers(40, 300)), max_size=4, unique=True),
    st.integers(150, 260),
    st.integers(0, 100),
)
@settings(deadline=None, max_examples=20)
def test_ranges_that_share_scales_have_the_exponents_of_each_alone(
    ranges: list[tuple[int, int]], length: int, seed: int
) -> None:
    series = np.random.default_rng(seed).standard_normal((2, 3, length)).astype(np.float32)
    series[0, 0], series[1, 1, 7] = 0, np.nan
    found = beta_of_other_estimators(series, SCALES, ranges)
    assert list(found) == [*(f"{low}–{high}" for low, high in ranges), "standard", "order 2", "spectrum"]
    for low, high in ranges:
        alone = series_beta(series, log_spaced_scales(low, high))
        np.testing.assert_array_equal(found[f"{low}–{high}"], alone)


def test_layer_series_are_the_sums(network: Network, reviews: np.ndarray) -> None:
    found = layer_series(network, reviews, ("h", "x"))
    plain = record_reference(network, list(reviews))
    for name in ("h", "x"):
        np.testing.assert_allclose(found[name], plain.layer_sum(name), atol=1e-4)
    np.testing.assert_array_equal(layer_inputs(network, reviews), record(network, list(reviews)).layer_sum("x"))


@pytest.mark.parametrize("standard", [True, False])
def test_runs_go_on_from_a_state(standard: bool, network: Network, reviews: np.ndarray) -> None:
    if not standard:  # another nonlinearity
        cell = LstmCell(network.cell.weight_ih, network.cell.weight_hh, network.cell.bias, gate="hard_sigmoid_5")
        network = Network(
            cell,
            network.readout_weight,
            network.readout_bias,
            embedding=network.embedding,
            vocabulary=network.vocabulary,
        )
        clamp = np.where(np.arange(N) < 6, 0.5, np.nan)
        found = record(network, list(reviews), ("h",), clamp={"h": clamp}).probability[:, -1]
        np.testing.assert_allclose(last_probability(network, list(reviews), clamp), found, atol=1e-6)
    plain = record_reference(network, list(reviews))
    assert run_on(network, reviews[:, :0], None, ("h",))[0]["h"].shape == (5, 0, N)
    begun, state = run_on(network, reviews[:, :70])
    assert begun == {}
    ended, last = run_on(network, reviews[:, 70:], state, ("c", "h"))
    for name in ("c", "h"):
        np.testing.assert_allclose(ended[name], plain[name][:, 70:], atol=1e-5)
    np.testing.assert_allclose(last, np.hstack((plain["h"][:, -1], plain["c"][:, -1])), atol=1e-5)
