"""The CUDA kernel, on the CPU where there is no GPU: the code is the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.fluctuation import exponents, fluctuations
from engine.kernels.cuda import dfa as dfa_cuda
from engine.kernels.cuda.dfa import fluctuations_cuda
from engine.kernels.reference import fluctuations_reference

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
METHODS = pytest.mark.parametrize(("unbiased", "backward"), [(True, False), (False, False), (False, True)])


@METHODS
@pytest.mark.parametrize("order", [1, 2, 3])
def test_it_equals_the_plain_version(order: int, unbiased: bool, backward: bool) -> None:
    white = np.random.default_rng(0).standard_normal((6, 230))
    kinds = (white, white.cumsum(axis=1), 0.5 + 1e-9 * white, np.sin(np.arange(230) / 60 + white[:, :1]) + 1e-3 * white)
    series = np.concatenate(kinds)
    scales = np.array([6, 7, 20, 51, 115, 229, 230])
    found = fluctuations_cuda(torch.tensor(series, device=DEVICE), scales, order, unbiased, backward)
    np.testing.assert_allclose(found, fluctuations_reference(series, scales, order, unbiased, backward), rtol=1e-9)


def test_chunks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    series = torch.randn(10, 100, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    scales = np.array([8, 16, 32])
    whole = fluctuations_cuda(series, scales, 1, True)
    monkeypatch.setattr(dfa_cuda, "CHUNK", 300)
    np.testing.assert_allclose(fluctuations_cuda(series, scales, 1, True), whole, rtol=1e-14)


@METHODS
def test_flat_and_bad_series(unbiased: bool, backward: bool) -> None:
    series = torch.randn(4, 100, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    series[1], series[2, 50], series[3, 0] = 0.1, torch.nan, torch.inf
    found = fluctuations_cuda(series.to(DEVICE), np.array([8, 16, 32]), 1, unbiased, backward)
    assert list(exponents(found, (8, 16, 32)).reason) == ["", "flat", "not finite", "not finite"]


@pytest.mark.skipif(DEVICE == "cpu", reason="no CUDA device")
def test_tensors_on_a_gpu_are_measured_there() -> None:
    series = torch.randn(2, 3, 100, dtype=torch.float64, device="cuda")
    expected = fluctuations(series.cpu(), (8, 16, 320))
    np.testing.assert_allclose(fluctuations(series, (8, 16, 320)), expected, rtol=1e-12)
