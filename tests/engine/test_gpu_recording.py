"""Recordings on a GPU; without one, on CPU tensors in Triton's interpreter."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine import beta, device_stepper
from engine.beta import measure_encoded
from engine.corpus_statistics import corpus_statistics
from engine.device_stepper import DeviceStepper
from engine.network import Network
from engine.ragged import REASONS, Part, StoredReviews, fits_of, fluctuations_by_length, scales_of
from engine.recording import Stepper, record

pytest.importorskip("triton", reason="Triton, which compiles the GPU kernels, is not installed")
from engine import gpu_corpus, gpu_recording
from engine.gates_by_product import record_by_product
from engine.gpu_corpus import DeviceReviews
from engine.gpu_recording import Reader, record_signals, review_statistics
from engine.kernels.cuda import launch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
LENGTHS = np.array([3, 1, 2])


def tokens() -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    return np.random.default_rng(0).integers(2, 50, (3, 3)).astype(np.int32)


@pytest.fixture(scope="module")
def lstm() -> Network:
    return Network.load("lstm-8")


def reader(network: Network) -> Reader:
    return Reader(network.to(device=DEVICE), {})


def test_a_recording_in_parts_equals_one_at_once(lstm: Network) -> None:
    ids = tokens()
    expected = record(lstm, [row[:length] for row, length in zip(ids, LENGTHS, strict=True)], ["f", "h"])
    parts = record_signals(reader(lstm), ids, LENGTHS, ("f", "h"), free=2 * 2 * 3 * 8 * 4)
    for name, values in parts.items():
        np.testing.assert_allclose(values.cpu(), expected[name], atol=1e-6)


def test_out_of_memory_halves_the_part_and_says_so(lstm: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    run = launch.run

    def little_memory(layer: launch.Layer, table: Tensor, ids: Tensor, *rest: Any, **options: Any) -> launch.Outputs:
        if len(ids) > 2:
            raise torch.OutOfMemoryError
        return run(layer, table, ids, *rest, **options)

    expected = record_signals(reader(lstm), tokens(), LENGTHS, ("h",), free=10**9)
    monkeypatch.setattr(launch, "run", little_memory)
    with pytest.warns(RuntimeWarning, match="too little memory for the recording; it continues in parts of 1 reviews"):
        found = record_signals(reader(lstm), tokens(), LENGTHS, ("h",), free=10**9)
    np.testing.assert_array_equal(found["h"], expected["h"].cpu())


def test_the_memory_of_a_part_is_free_before_the_next(lstm: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    run, records = launch.run, list[weakref.ref[Tensor]]()

    def alone(*given: Any, **options: Any) -> launch.Outputs:
        assert all(record() is None for record in records), "the record of the part before is still there"
        found = run(*given, **options)
        assert found.record is not None
        records.append(weakref.ref(found.record))
        return found

    monkeypatch.setattr(launch, "run", alone)
    record_signals(reader(lstm), tokens(), LENGTHS, ("f", "h"), free=1)
    assert len(records) == 3


def test_a_corpus_that_runs_out_of_memory_is_halved_and_says_so(lstm: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    run = launch.run

    def little_memory(layer: launch.Layer, table: Tensor, ids: Tensor, *rest: Any, **options: Any) -> launch.Outputs:
        if len(ids) > 1:
            raise torch.OutOfMemoryError
        return run(layer, table, ids, *rest, **options)

    reviews = [row[:length] for row, length in zip(tokens(), LENGTHS, strict=True)]
    corpus = DeviceReviews(reviews, torch.device(DEVICE), (4, 5, 6))
    expected = corpus.measure(reader(lstm), ("h",))
    monkeypatch.setattr(launch, "run", little_memory)
    messages: list[str] = []
    found = corpus.measure(reader(lstm), ("h",), messages.append)
    assert messages == [f"the GPU has too little memory for {count} reviews; it continues with 1" for count in (3, 2)]
    np.testing.assert_allclose(found.probability, expected.probability, rtol=1e-6)
    np.testing.assert_allclose(found.deviation, expected.deviation, rtol=1e-5)
    with pytest.warns(RuntimeWarning, match="too little memory for 2 reviews; it continues with 1"):
        review_statistics(reader(lstm), np.array([[2, 3, 4, 5]] * 2), ["h"], (4,), lambda *step: None)


def test_vectors_are_read_in_parts_too() -> None:
    network = Network.load("rnn-16-flip-flop-3")
    inputs = np.random.default_rng(0).standard_normal((6, network.cell.inputs)).astype(np.float32)
    lengths, ids = np.array([2, 3, 1]), np.array([[0, 1, 0], [2, 3, 4], [5, 0, 0]], dtype=np.int32)
    expected = record(network, [inputs[:2], inputs[2:5], inputs[5:]], ["h"])["h"]
    found = record_signals(Reader(network.to(device=DEVICE), {}, inputs), ids, lengths, ("h",), free=1)
    np.testing.assert_allclose(found["h"], expected, atol=1e-6)


def test_a_recording_by_one_product_equals_the_kernels(lstm: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def noted(cell: Any, layer: Any, vectors: Tensor, ids: Tensor, *rest: Any) -> Tensor:
        calls.append(len(ids))
        return record_by_product(cell, layer, vectors, ids, *rest)

    monkeypatch.setattr(gpu_recording, "record_by_product", noted)
    by_kernels, by_product = reader(lstm), reader(lstm)
    by_product.by_product = True
    expected = record_signals(by_kernels, tokens(), LENGTHS, ("c", "h", "i"), free=10**9)
    assert not calls
    for free, parts in ((10**9, [3]), (2 * 4 * 3 * 8 * 4, [2, 1])):
        found = record_signals(by_product, tokens(), LENGTHS, ("c", "h", "i"), free=free)
        for name, values in found.items():
            np.testing.assert_allclose(values.cpu(), expected[name].cpu(), atol=1e-6)
        assert calls == parts
        calls.clear()
    by_product.run(tokens(), LENGTHS, record=("h",), sums=("h",))
    by_product.run(tokens(), LENGTHS, record=("h",), state=torch.zeros(3, 16, device=DEVICE))
    by_product.use({"h": np.full(8, 0.5, dtype=np.float32)})
    by_product.run(tokens(), LENGTHS, record=("h",))
    assert not calls  # the kernels sum, continue from a state, and clamp


def test_vectors_are_read_by_one_product_too() -> None:
    network, inputs = Network.load("rnn-16-flip-flop-3"), np.eye(3, dtype=np.float32)
    ids, lengths = np.array([[0, 1], [2, 0]], dtype=np.int32), np.array([2, 1])
    read = Reader(network.to(device=DEVICE), {}, inputs)
    read.by_product = True
    found = record_signals(read, ids, lengths, ("h",), free=1)["h"]
    np.testing.assert_allclose(found, record(network, [inputs[:2], inputs[2:]], ["h"])["h"], atol=1e-6)


def test_a_clamp_too_large_for_float16_is_refused() -> None:
    network = Network.load("lstm-32").to(device=DEVICE)
    clamp = np.full(32, np.nan, dtype=np.float32)
    clamp[0] = 7e4
    with pytest.raises(ValueError, match="a clamp of h at 7e\\+04 is above 60,000; use the CPU"):
        Reader(network, {"h": clamp})


def test_statistics_of_a_corpus_equal_those_of_the_cpu(lstm: Network) -> None:
    reviews = np.random.default_rng(0).integers(2, 50, (2, 20))
    scales, names = (4, 5, 6), ("f", "h", "x")
    expected = corpus_statistics(lstm, reviews, names, scales)
    steps: list[tuple[int, int]] = []
    found = review_statistics(reader(lstm), reviews, names, scales, lambda *step: steps.append(step))
    for values, name in zip(found, ("F", "mean", "deviation", "probability"), strict=True):
        np.testing.assert_allclose(values, getattr(expected, name), rtol=1e-4, atol=1e-6)
    assert steps == [(2, 2)]
    with pytest.raises(ValueError, match="ids from 0 to 9999; lstm-8 knows 0 to"):
        review_statistics(reader(lstm), np.array([[0, 9999]]), names, scales, lambda *step: None)


def test_reviews_of_any_length_are_measured_as_on_the_cpu(lstm: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    reviews = [random.integers(2, 50, length) for length in (10, 5, 0, 13, 10)]
    labels, scales = [True, False, None, True, False], (4, 5, 6)
    clamp = {"h": np.where(np.arange(8) == 2, 0.5, np.nan)}
    (expected,) = measure_encoded(lstm, reviews, labels, ("x", "h"), scales=scales, clamp=clamp)
    if DEVICE == "cpu":
        monkeypatch.setattr(beta, "gpu_reader", Reader)
    monkeypatch.setattr(gpu_corpus, "PART_WORDS", 26)  # blocks of two reviews
    stored = StoredReviews(reviews)
    on_device = lstm.to(device=DEVICE)
    (found,) = measure_encoded(on_device, stored, labels, ("x", "h"), scales=scales, clamp=clamp)
    monkeypatch.setattr(gpu_corpus, "DeviceReviews", None)  # no longer needed
    (again,) = measure_encoded(on_device, stored, labels, ("x", "h"), scales=scales, clamp=clamp)
    assert again.tobytes() == found.tobytes()
    for name in ("review", "words", "label", "reason"):
        assert found[name].tolist() == expected[name].tolist()
    assert found["reason"][1].tolist() == ["too short"] * 2
    for name in ("beta", "beta_stderr", "r2", "probability", "deviation"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-3, atol=1e-5)


def test_a_series_without_an_exponent_has_the_reason_of_the_cpu() -> None:
    random = np.random.default_rng(0)
    lengths, scales = np.array([40, 39, 38, 37, 36, 8, 5]), (4, 5, 8)
    series = np.full((7, 40), np.nan, dtype=np.float32)
    for row, length in zip(series, lengths, strict=True):
        row[:length] = random.standard_normal(length)
    series[1, :39] = 3.0
    series[2, :38] = 1 + 2e-8 * random.standard_normal(38)
    series[3, 7] = np.inf
    series[4, :36] = np.linspace(0, 1, 36) ** 3  # its sums cancel
    chosen = scales_of(lengths, scales)
    each: list[Any] = [row[None, :length] for row, length in zip(series, lengths, strict=True)]
    F = fluctuations_by_length(each, chosen)
    beta, stderr, r2, reason = fits_of(F, chosen)
    part = Part.empty(lengths, 1, 1)
    block = gpu_corpus.Block.of(np.arange(7), lengths, torch.zeros(7, 40, dtype=torch.int32, device=DEVICE), chosen)
    gpu_corpus._fit(part, block, torch.from_numpy(series)[None].to(DEVICE))
    assert [REASONS[k] for k in reason[:, 0]] == ["", "flat", "flat to rounding", "not finite", "", "", "too short"]
    np.testing.assert_array_equal(part.reason, reason)
    for found, expected in zip((part.beta, part.beta_stderr, part.r2), (beta, stderr, r2), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def test_what_is_free_on_a_card_includes_what_pytorch_holds_unused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (100, 1000))
    monkeypatch.setattr("torch.cuda.memory_reserved", lambda device: 500)
    monkeypatch.setattr("torch.cuda.memory_allocated", lambda device: 100)
    assert gpu_recording.free_on(torch.device("cuda")) == 400


def test_a_live_run_continues_from_block_to_block(lstm: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    if DEVICE == "cpu":
        monkeypatch.setattr(device_stepper, "gpu_reader", Reader)
    ids = np.random.default_rng(0).integers(2, 50, 6)
    live, expected = DeviceStepper(lstm.to(device=DEVICE)), Stepper(lstm)
    live.clamps = expected.clamps = {"f": np.where(np.arange(8) == 3, 0.5, np.nan)}
    wanted = expected.advance(ids)
    for block in (slice(0, 4), slice(4, 6)):
        for name, values in live.advance(ids[block]).items():
            np.testing.assert_allclose(values, wanted[name][block], atol=1e-6)
    np.testing.assert_allclose(live.state, expected.state, atol=1e-6)


@pytest.mark.skipif(DEVICE == "cpu", reason="no CUDA device")
def test_record_stores_tensors_on_the_gpu(lstm: Network) -> None:
    ids = [row[:length] for row, length in zip(tokens(), LENGTHS, strict=True)]
    found, expected = record(lstm.to(device="cuda"), ids), record(lstm, ids)
    assert found.tensor("h").device.type == "cuda"
    for name in expected.names:
        np.testing.assert_allclose(found[name], expected[name], atol=2e-6)
    np.testing.assert_allclose(found.layer_sum("f"), expected.layer_sum("f"), atol=1e-5)
