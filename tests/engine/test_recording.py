"""The fast kernels equal plain PyTorch steps for every cell, size, length and thread."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from numba import njit

from engine.catalogue import shipped_networks
from engine.cells import TRAINED, GruCell, cell_from_torch
from engine.device_stepper import DeviceStepper
from engine.kernels.cpu import steps
from engine.kernels.cpu.simd import FLOATS, load, store
from engine.network import Network, Vocabulary
from engine.recording import Recording, Stepper, record, record_reference
from engine.reviews import open_reviews

WORDS = 40
kinds = pytest.mark.parametrize("kind", TRAINED)


def make(kind: str = "lstm", size: int = 8, *, inputs: int = 8, outputs: int = 1, words: bool = True) -> Network:
    torch.manual_seed(size)
    layer = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind](inputs, size)
    vocabulary = Vocabulary([f"word{k}" for k in range(WORDS - 2)]) if words else None
    return Network(
        cell_from_torch(layer),
        torch.randn(outputs, size),
        torch.randn(outputs),
        embedding=torch.randn(WORDS, inputs) if words else None,
        vocabulary=vocabulary,
    )


def reviews_of(*lengths: int) -> list[np.ndarray]:
    random = np.random.default_rng(sum(lengths))
    return [random.integers(1, WORDS, length) for length in lengths]


def truth(network: Network, ids: list[np.ndarray]) -> Recording:
    return record_reference(network.to(dtype=torch.float64), ids)


def assert_same(recording: Recording, expected: Recording, tolerance: float) -> None:
    assert recording.names == expected.names
    for name in expected.names:
        np.testing.assert_allclose(recording[name], expected[name], rtol=0, atol=tolerance, err_msg=name)


# ---- record --------------------------------------------------------------------------------------------------------


@kinds
@pytest.mark.parametrize("size", [1, 8, 13, 16, 100, 128])
def test_equals_the_reference_for_500_steps(kind: str, size: int) -> None:
    network, ids = make(kind, size), reviews_of(500, 3, 1, 77, 300, 40, 40, 40, 9, 10, 500)
    assert_same(record(network, ids), truth(network, ids), 2e-6)


@kinds
@settings(deadline=None, max_examples=25)
@given(size=st.integers(1, 40), lengths=st.lists(st.integers(1, 12), min_size=1, max_size=20))
def test_equals_the_reference_for_any_lengths(kind: str, size: int, lengths: list[int]) -> None:
    network, ids = make(kind, size), reviews_of(*lengths)
    recording = record(network, ids)
    assert_same(recording, truth(network, ids), 1e-6)
    for name in recording.names:
        assert recording[name].dtype == np.float32
        for row, length in zip(recording[name], lengths, strict=True):
            assert np.isfinite(row[:length]).all()
            assert np.isnan(row[length:]).all()


@pytest.mark.parametrize(("size", "count"), [(8, 76), (32, 20), (40, 20)])
def test_equals_the_reference_when_it_is_large(size: int, count: int) -> None:
    """Whole vectors are written past the caches from 8 MB on (for 8 cells, those of several steps)."""
    network, ids = make("lstm", size), reviews_of(*[501] * count, 3, 470, 1, 8, 17)
    recording = record(network, ids)
    assert recording["f"].size * 7 > 2**21
    assert_same(recording, truth(network, ids), 2e-6)


@pytest.mark.parametrize("network", [info.name for info in shipped_networks() if info.task == "sentiment"])
def test_equals_the_reference_for_shipped_networks(network: str) -> None:
    loaded = Network.load(network)
    assert loaded.vocabulary is not None
    ids = [loaded.vocabulary.encode(review.words)[:500] for review in list(open_reviews(None))[:3]]
    recording = record(loaded, ids)
    assert_same(recording, truth(loaded, ids), 1e-5)
    last = recording.probability[np.arange(len(ids)), recording.lengths - 1]
    np.testing.assert_allclose(last, loaded.classify(ids), atol=1e-5)


def test_threads_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    network, ids = make("lstm", 24), reviews_of(*range(1, 200))
    expected = record(network, ids)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert_same(record(network, ids), expected, 0)


@kinds
def test_vectors_in_place_of_words(kind: str) -> None:
    network = make(kind, 9, inputs=3, outputs=2, words=False)
    sequences = [np.random.default_rng(length).normal(size=(length, 3)) for length in (30, 4, 17)]
    recording = record(network, sequences)
    assert_same(recording, truth(network, sequences), 1e-6)
    assert recording["x"].shape == (3, 30, 3)
    assert recording.probability.shape == (3, 30, 2)
    np.testing.assert_array_equal(record(network, sequences[1])["h"][0], recording["h"][1, :4])
    batch = np.stack([sequences[0], sequences[0][::-1]])
    np.testing.assert_array_equal(record(network, batch)["h"][0], recording["h"][0])


def test_signals_lengths_mask_and_sums_of_a_recording() -> None:
    network, ids = make("lstm", 6), reviews_of(5, 9)
    recording = record(network, ids)
    assert recording.names == ("i", "f", "g", "o", "c", "c_out", "h", "x")
    assert recording.lengths.tolist() == [5, 9]
    assert recording.mask.tolist() == [[True] * 5 + [False] * 4, [True] * 9]
    np.testing.assert_array_equal(recording["x"][1], network.embed(ids[1]))
    assert np.isnan(recording["x"][0, 5:]).all()
    sums = recording.layer_sum("f")
    assert sums.dtype == np.float32  # DFA needs to know the precision of the recording
    np.testing.assert_allclose(sums[1], recording["f"][1].astype(float).sum(axis=1), rtol=1e-7)
    assert np.isnan(sums[0, 5:]).all()
    assert recording.probability.shape == (2, 9)
    np.testing.assert_allclose(recording.probability[[0, 1], [4, 8]], network.classify(ids), atol=1e-6)
    np.testing.assert_array_equal(record(network, ids[1])["h"], recording["h"][1:])


def test_only_some_signals() -> None:
    network, ids = make("lstm", 6), reviews_of(5, 9)
    everything, some = record(network, ids), record(network, ids, ["h", "f"])
    assert some.names == record_reference(network, ids, ["h", "f"]).names == ("f", "h")
    for name in some.names:
        np.testing.assert_array_equal(some[name], everything[name])
    with pytest.raises(KeyError, match="no signal 'c' in this recording; it holds f, h"):
        some["c"]
    assert record(network, ids, ["x"]).names == ("x",)
    with pytest.raises(KeyError, match="no signal 'h'"):
        _ = record(network, ids, ["x"]).probability


def test_what_cannot_be_recorded_is_refused() -> None:
    words, vectors = make(), make(inputs=3, words=False)
    with pytest.raises(ValueError, match="has no signal b, q; it has i, f, g, o, c, c_out, h, x"):
        record(words, reviews_of(3), ["q", "b", "h"])
    with pytest.raises(ValueError, match="review 1 has no words"):
        record(words, [np.array([3]), np.array([], dtype=int)])
    with pytest.raises(ValueError, match="review 0 has ids from 3 to 40; unnamed knows 0 to 39"):
        record(words, np.array([3, 40]))
    with pytest.raises(ValueError, match=r"sequence 0 of unnamed must be \(time, 3\), got \(4, 2\)"):
        record(vectors, np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"must be \(time, 3\), got \(4,\)"):
        record(vectors, np.zeros(4))
    with pytest.raises(ValueError, match="nothing to record"):
        record(vectors, [])
    with pytest.raises(ValueError, match=r"clamp of 'h': expected \(8,\) values, one a cell, got \(3,\)"):
        record(words, reviews_of(3), clamp={"h": np.zeros(3)})


# ---- word by word --------------------------------------------------------------------------------------------------


@kinds
@settings(deadline=None, max_examples=25)
@given(size=st.integers(1, 40), pieces=st.lists(st.integers(0, 6), min_size=1, max_size=6))
def test_pieces_are_the_whole(kind: str, size: int, pieces: list[int]) -> None:
    network, (ids,) = make(kind, size), reviews_of(sum(pieces) + 1)
    stepper = Stepper(network)
    parts = [stepper.advance(part) for part in np.split(ids, np.cumsum(pieces))]
    whole = record(network, ids)
    for name in whole.names:
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), whole[name][0], err_msg=name)


@kinds
def test_a_stepper_continues_from_any_state(kind: str) -> None:
    network, (ids,) = make(kind, 7), reviews_of(20)
    stepper = Stepper(network)
    stepper.advance(ids[:10])
    middle = stepper.state
    expected = stepper.advance(ids[10:])
    stepper.reset()
    assert not stepper.state.any()
    stepper.state = torch.from_numpy(middle)
    np.testing.assert_array_equal(stepper.advance(ids[10:])["h"], expected["h"])
    with torch.inference_mode():
        state, _ = network.cell.run(network.embed(ids[10:]), torch.from_numpy(middle))
    np.testing.assert_allclose(stepper.state, state, atol=1e-6)
    with pytest.raises(ValueError, match=rf"expected a state of shape \({len(middle)},\) for unnamed, got \(3,\)"):
        stepper.state = np.zeros(3)


def test_steps_through_vectors() -> None:
    network = make("gru", 7, inputs=2, words=False)
    x = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
    stepper = Stepper(network)
    parts = [stepper.advance_inputs(x[:5]), stepper.advance_inputs(x[5:])]
    whole = record(network, x)
    for name in whole.names:
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), whole[name][0])
    with pytest.raises(ValueError, match="takes vectors, not words"):
        stepper.advance([1, 2])
    with pytest.raises(ValueError, match=r"the input of unnamed must be \(time, 2\), got \(2,\)"):
        stepper.advance_inputs(x[0])
    x[3] = np.nan
    assert np.isnan(stepper.advance_inputs(x)["h"]).all(axis=1).tolist() == [False] * 3 + [True] * 9


def test_unknown_inputs_are_refused() -> None:
    for ids in ([3, WORDS], [-1]):
        with pytest.raises(ValueError, match="unnamed knows 0 to 39"):
            Stepper(make()).advance(ids)


# ---- clamps --------------------------------------------------------------------------------------------------------


def logistic(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def by_hand(network: Network, ids: np.ndarray, clamp: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Take all steps in NumPy; a clamp replaces a signal as soon as it is computed, so that later signals use it."""
    cell, n = network.cell, network.cell.size
    U = cell.weight_hh.double().numpy()
    recorded: dict[str, list[np.ndarray]] = {signal.name: [] for signal in cell.signals}
    h, c = np.zeros(n), np.zeros(n)

    def put(name: str, value: np.ndarray) -> np.ndarray:
        clamps = clamp.get(name, np.full(n, np.nan))
        recorded[name].append(np.where(np.isnan(clamps), value, clamps))
        return recorded[name][-1]

    for x in network.embed(ids).double().numpy():
        a = cell.weight_ih.double().numpy() @ x + cell.bias.double().numpy()
        if cell.name == "rnn":
            h = put("h", np.tanh(a + U @ h))
        elif isinstance(cell, GruCell):
            r, z = (put(k, logistic(v)) for k, v in zip("rz", (a + U @ h)[: 2 * n].reshape(2, n), strict=True))
            candidate = put("n", np.tanh(a[2 * n :] + r * (U[2 * n :] @ h + cell.bias_hn.double().numpy())))
            h = put("h", (1 - z) * candidate + z * h)
        else:
            a = (a + U @ h).reshape(4, n)
            i, f, g, o = (put(k, np.tanh(v) if k == "g" else logistic(v)) for k, v in zip("ifgo", a, strict=True))
            c = put("c", f * c + i * g)
            h = put("h", o * put("c_out", np.tanh(c)))
    return {name: np.array(values) for name, values in recorded.items()}


@kinds
@settings(deadline=None, max_examples=25)
@given(size=st.integers(1, 20), data=st.data())
def test_clamped_signals_affect_the_later_signals(kind: str, size: int, data: st.DataObject) -> None:
    network, (ids,) = make(kind, size), reviews_of(15)
    stepper, clamp = Stepper(network), {}
    for signal in data.draw(st.lists(st.sampled_from([s.name for s in network.cell.signals]), max_size=3, unique=True)):
        cells = data.draw(st.lists(st.integers(0, size - 1), min_size=1, unique=True))
        clamp[signal] = np.full(size, np.nan)
        level = data.draw(st.floats(-1, 1, width=32))
        clamp[signal][cells] = level
        stepper.clamp(signal, cells, level)
    together, expected = record(network, [ids, ids[:4]], clamp=clamp), by_hand(network, ids, clamp)
    step_by_step = stepper.advance(ids)
    plainly, on_a_device = record_reference(network, [ids, ids[:4]], clamp=clamp), DeviceStepper(network)
    on_a_device.clamps = clamp
    there = on_a_device.advance(ids)
    for name, value in expected.items():
        atol = 2e-6 * max(1.0, np.abs(value).max())  # z clamped to −1 lets h grow, and its rounding with it
        np.testing.assert_allclose(step_by_step[name], value, atol=atol, err_msg=name)
        np.testing.assert_allclose(plainly[name][0], value, atol=atol, err_msg=name)
        np.testing.assert_allclose(there[name], value, atol=atol, err_msg=name)
        np.testing.assert_array_equal(together[name][0], step_by_step[name], err_msg=name)
    stepper.release()
    stepper.reset()
    np.testing.assert_array_equal(stepper.advance(ids)["h"], record(network, ids)["h"][0])


def test_clamps_accumulate_and_wrong_ones_are_refused() -> None:
    network, (ids,) = make("lstm", 6), reviews_of(4)
    stepper = Stepper(network)
    stepper.clamp("f", [1, 2], [0.25, 0.5])
    stepper.clamp("f", 2, 1.0)
    stepper.clamp("h", np.array([True, False, False, False, False, True]), 0)
    for ill, message in (
        (("q", [0], 0), "has no signal q"),
        (("x", [0], 0), "cannot be clamped; clamp a signal of the cells"),
        (("f", [6], 0), r"cells 0 to 5, got \[6\]"),
    ):
        with pytest.raises(ValueError, match=message):
            stepper.clamp(*ill)
    signals = stepper.advance(ids)
    assert (signals["f"][:, 1:3] == [0.25, 1.0]).all()
    assert (signals["h"][:, [0, 5]] == 0).all()
    assert (np.std(signals["f"], axis=0) > 0).tolist() == [True, False, False, True, True, True]


# ---- functions of one number ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fast", "exact", "relative"),
    [(steps.sigmoid, logistic, 4e-6), (steps.tanh, np.tanh, 3e-7)],
    ids=["sigmoid", "tanh"],
)
def test_nonlinearities_to_2e7(
    fast: Callable[[float], float], exact: Callable[[np.ndarray], np.ndarray], relative: float
) -> None:
    @njit
    def apply(x: np.ndarray) -> np.ndarray:
        y = np.empty_like(x)
        for k in range(0, x.size, FLOATS):
            store(y, k, fast(load(x, k)))
        return y

    x = np.concatenate((np.linspace(-80, 80, 2_000_001), np.geomspace(1e-30, 80, 100_007))).astype(np.float32)
    y, expected = apply(x), exact(x.astype(np.float64))
    np.testing.assert_allclose(y, expected, rtol=0, atol=2e-7)
    np.testing.assert_allclose(y, expected, rtol=relative, atol=0)
    ends = np.array([-np.inf, np.inf, np.nan, -0.0, 0.0, 1e30, -1e30, np.nan])
    np.testing.assert_allclose(apply(ends.astype(np.float32)), exact(ends.clip(-1e2, 1e2)), atol=1e-37)
