"""Layer sums that the kernel adds up while it records equal those of the recorded signals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from engine.beta import read_batches
from engine.cells import LstmCell, cell_from_torch
from engine.network import Network, Vocabulary
from engine.recording import record, record_reference, record_with_sums

WORDS = 30
LAYERS = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


def make(kind: str = "lstm", size: int = 8, *, words: bool = True) -> Network:
    torch.manual_seed(size)
    return Network(
        cell_from_torch(LAYERS[kind](5, size)),
        torch.randn(1, size),
        torch.randn(1),
        embedding=torch.randn(WORDS, 5) if words else None,
        vocabulary=Vocabulary([f"word{k}" for k in range(WORDS - 2)]) if words else None,
    )


def reviews_of(lengths: list[int]) -> list[np.ndarray]:
    random = np.random.default_rng(sum(lengths))
    return [random.integers(1, WORDS, length) for length in lengths]


def assert_sums(sums: np.ndarray, values: np.ndarray) -> None:
    """Compare with plain sums in float64 of a signal (review, time, cell), which differ by rounding to float32."""
    assert sums.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(sums), np.isnan(values).any(axis=-1))
    plain = values.astype(np.float64).sum(axis=-1)
    np.testing.assert_allclose(sums, plain, rtol=6e-8, atol=1e-12 * values.shape[-1])


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(LAYERS)),
    st.integers(1, 40),
    st.lists(st.integers(1, 40), min_size=1, max_size=20),
    st.data(),
)
def test_sums_equal_those_of_the_recorded_signals(
    kind: str, size: int, lengths: list[int], data: st.DataObject
) -> None:
    network, ids = make(kind, size), reviews_of(lengths)
    known = [signal.name for signal in network.signals]
    names = data.draw(st.permutations(known))[: data.draw(st.integers(0, len(known)))]
    clamp = {"h": np.where(np.arange(size) % 3 == 0, 0.25, np.nan)} if data.draw(st.booleans()) else {}
    everything = record(network, ids, clamp=clamp)
    recording, sums = record_with_sums(network, ids, ["h"], names, clamp=clamp)
    assert recording.names == ("h",)
    np.testing.assert_array_equal(recording["h"], everything["h"])
    assert sums.shape == (len(names), len(ids), max(lengths))
    for name, values in zip(names, sums, strict=True):
        assert_sums(values, everything[name])


@pytest.mark.parametrize("size", [8, 64, 100])
def test_sums_of_many_reviews_equal_those_of_the_kernel_for_recordings_bit_for_bit(size: int) -> None:
    network, ids = make("lstm", size), reviews_of([300] * 20 + [77])
    everything = record(network, ids)
    _, sums = record_with_sums(network, ids, [], everything.names)
    for name, values in zip(everything.names, sums, strict=True):
        np.testing.assert_array_equal(values, everything.layer_sum(name), err_msg=name)


def test_sums_equal_those_of_the_reference() -> None:
    network, ids = make("gru", 17), reviews_of([60, 3])
    _, sums = record_with_sums(network, ids, [], ["x", "z"])
    plain = record_reference(network.to(dtype=torch.float64), ids)
    for name, values in zip(("x", "z"), sums, strict=True):
        np.testing.assert_allclose(values, plain.layer_sum(name), atol=2e-5, err_msg=name)


def test_networks_of_vectors_have_sums() -> None:
    network = make("lstm", 9, words=False)
    x = [np.random.default_rng(k).standard_normal((length, 5)).astype(np.float32) for k, length in enumerate((7, 4))]
    everything = record(network, x)
    _, sums = record_with_sums(network, x, ["h"], ["x", "c"])
    assert_sums(sums[0], everything["x"])
    assert_sums(sums[1], everything["c"])


def test_an_unknown_sum_is_refused() -> None:
    with pytest.raises(ValueError, match="no signal forget"):
        record_with_sums(make(), reviews_of([3]), ["h"], ["forget"])


def test_batches_hold_the_recorded_signals_that_are_asked_for() -> None:
    network = Network(
        LstmCell.from_torch(torch.nn.LSTM(5, 8)),
        torch.randn(1, 8),
        torch.zeros(1),
        embedding=torch.randn(WORDS, 5),
        vocabulary=Vocabulary([f"word{k}" for k in range(WORDS - 2)]),
    )
    (whole,) = read_batches(network, reviews_of([9, 4]), ("f", "c"))
    (sums,) = read_batches(network, reviews_of([9, 4]), ("f", "c"), recorded=())
    assert whole.recording is not None
    assert sums.recording is not None
    assert whole.recording.names == ("f", "c", "h")
    assert sums.recording.names == ("h",)
    for a, b in zip(whole.series, sums.series, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(whole.probability, sums.probability)
