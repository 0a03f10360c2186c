"""DFA on a GPU; without one, the kernels run in Triton's interpreter, and the tests are small for its sake."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.fluctuation import exponents, fluctuations
from engine.kernels.reference import fluctuations_reference

pytest.importorskip("triton", reason="Triton, which compiles the GPU kernels, is not installed")
from engine.kernels.cuda import dfa as dfa_cuda
from engine.kernels.cuda.dfa import RaggedScales, fluctuations_cuda, fluctuations_ragged, fluctuations_scaled

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
METHODS = pytest.mark.parametrize(("unbiased", "backward"), [(True, False), (False, False), (False, True)])
LENGTH = 31


@METHODS
@pytest.mark.parametrize("order", [1, 2, 3])
def test_it_equals_the_plain_version(order: int, unbiased: bool, backward: bool) -> None:
    white = np.random.default_rng(0).standard_normal((2, LENGTH))
    smooth = np.sin(np.arange(LENGTH) / 60 + white[:, :1]) + 1e-3 * white
    series = np.concatenate((white, white.cumsum(axis=1), 0.5 + 1e-9 * white, smooth))
    if order > 1:
        series = series[:, :16]
    scales = np.array([6, 7, 30] if order == 1 else [6, 9])
    found = fluctuations_cuda(torch.tensor(series, device=DEVICE), scales, order, unbiased, backward)
    np.testing.assert_allclose(found, fluctuations_reference(series, scales, order, unbiased, backward), rtol=1e-9)


def test_a_series_whose_sums_cancel_is_fitted_box_by_box() -> None:
    t = np.linspace(0, 1, LENGTH)
    series = np.stack((np.random.default_rng(0).standard_normal(LENGTH), t**3, 1e8 * np.exp(-(t**2))))
    scales = np.array([6, 7])
    found = fluctuations_cuda(torch.tensor(series, device=DEVICE), scales, 1, True)
    np.testing.assert_allclose(found, fluctuations_reference(series, scales, 1, True), rtol=1e-7)


def test_chunks_and_parts_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    series = torch.randn(3, LENGTH, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    scales = np.array([5, 8])
    monkeypatch.setattr(dfa_cuda, "PROGRAMS", 8)
    whole = fluctuations_cuda(series, scales, 1, True)
    monkeypatch.setattr(dfa_cuda, "CHUNK", 2 * LENGTH)
    monkeypatch.setattr(dfa_cuda, "PROGRAMS", 1)
    np.testing.assert_allclose(fluctuations_cuda(series, scales, 1, True), whole, rtol=1e-13)


def test_series_of_unequal_lengths_have_scales_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    lengths = np.array([31, 31, 25, 20, 12])
    scales = np.array([[4, 6, 7], [4, 6, 7], [5, 6, 0], [4, 5, 0], [4, 0, 0]])
    series = np.full((2, 5, 31), np.nan)
    for rows in series:
        for row, length in zip(rows, lengths, strict=True):
            row[:length] = random.standard_normal(length)
    series[1, 1, 10] = np.inf
    prepared = RaggedScales.of(lengths, scales, torch.device(DEVICE))
    found, cancelled = (part.cpu().numpy() for part in fluctuations_ragged(torch.tensor(series).to(DEVICE), prepared))
    assert not cancelled.any()
    assert np.isnan(found[1, 1]).all()
    for signal, k in {(signal, k) for signal in range(2) for k in range(5)} - {(1, 1)}:
        own = scales[k][scales[k] > 0]
        expected = fluctuations_reference(series[signal, k : k + 1, : lengths[k]], own, 1, True)[0]
        np.testing.assert_allclose(found[signal, k][: len(own)], expected, rtol=1e-9)
        assert not found[signal, k][len(own) :].any()
    monkeypatch.setattr(dfa_cuda, "CANCELLED", 0.0)
    few = RaggedScales.of(lengths[1:3], scales[1:3], torch.device(DEVICE))
    assert fluctuations_ragged(torch.tensor(series[:, 1:3]).to(DEVICE), few)[1].tolist() == [
        [True, True],
        [False, True],
    ]
    nothing = RaggedScales.of(lengths[:1], np.zeros((1, 2), dtype=np.int64), torch.device(DEVICE))
    assert not fluctuations_ragged(torch.tensor(series[:, :1]).to(DEVICE), nothing)[0].any()


def test_samples_of_any_amplitude_and_type() -> None:
    white = np.random.default_rng(0).standard_normal((3, LENGTH))
    scales, factors = np.array([6, 8]), np.array([[1.0], [1e-200], [1e300]])
    F, largest, step = fluctuations_scaled(torch.tensor(white * factors, device=DEVICE), scales, 1, True)
    np.testing.assert_allclose(F / factors, fluctuations_reference(white, scales, 1, True), rtol=1e-9)
    np.testing.assert_allclose(largest, np.abs(white * factors).max(-1))
    assert step == 0
    whole = torch.tensor(white[:1] > 0, device=DEVICE)
    F, _, step = fluctuations_scaled(whole, scales, 1, True)
    np.testing.assert_allclose(F, fluctuations_reference(whole.cpu().double().numpy(), scales, 1, True), rtol=1e-9)
    half = torch.tensor(white[:1]).bfloat16().to(DEVICE)
    assert fluctuations_scaled(half, scales, 1, True)[2] == 2**-7


def test_more_series_than_a_grid_has_blocks_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    series = torch.randn(3, LENGTH, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    whole = fluctuations_cuda(series, np.array([6]), 1, True)
    monkeypatch.setattr(dfa_cuda, "MOST", 2)
    np.testing.assert_array_equal(fluctuations_cuda(series, np.array([6]), 1, True), whole)


@METHODS
def test_flat_and_bad_series(unbiased: bool, backward: bool) -> None:
    series = torch.randn(4, LENGTH, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    series[1], series[2, 15], series[3, 0] = 0.1, torch.nan, torch.inf
    found = fluctuations_cuda(series.to(DEVICE), np.array([6, 8, 12]), 1, unbiased, backward)
    assert list(exponents(found, (6, 8, 12)).reason) == ["", "flat", "not finite", "not finite"]


@pytest.mark.skipif(DEVICE == "cpu", reason="no CUDA device")
def test_tensors_on_a_gpu_are_measured_there() -> None:
    series = torch.randn(2, 3, 100, dtype=torch.float64, device="cuda")
    expected = fluctuations(series.cpu(), (8, 16, 320))
    np.testing.assert_allclose(fluctuations(series, (8, 16, 320)), expected, rtol=1e-12)
