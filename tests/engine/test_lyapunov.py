"""Lyapunov exponents and memory decay, against closed forms and automatic differentiation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.cells import CELLS, RnnCell
from engine.lyapunov import lyapunov_spectrum, memory_decay

F64 = torch.float64


def test_exponents_at_a_fixed_point_are_the_logs_of_the_moduli() -> None:
    matrix = torch.tensor([[0.5, 0.3], [-0.2, 0.4]], dtype=F64)
    cell = RnnCell(torch.zeros(2, 1, dtype=F64), matrix, torch.zeros(2, dtype=F64))  # 0 is fixed; J there is the matrix
    spectrum = lyapunov_spectrum(cell, torch.zeros(1, 600, 1, dtype=F64), count=2)
    expected = np.sort(np.log(np.abs(np.linalg.eigvals(matrix.numpy()))))[::-1]
    assert np.allclose(spectrum[0], expected, atol=5e-3)


def test_the_exponents_sum_to_the_mean_log_determinant() -> None:
    rng = np.random.default_rng(1)
    cell = RnnCell(*(torch.from_numpy(rng.normal(0, 1, shape)) for shape in ((3, 2), (3, 3), (3,))))
    x = torch.from_numpy(rng.normal(size=(2, 200, 2)))
    spectrum = lyapunov_spectrum(cell, x, count=3, transient=0)
    for run in range(2):
        h, logs = np.zeros(3), []
        for step in x[run].numpy():
            a = cell.weight_ih.numpy() @ step + cell.weight_hh.numpy() @ h + cell.bias.numpy()
            h, before = np.tanh(a), h
            logs.append(
                np.linalg.slogdet(
                    (1 - np.tanh(cell.weight_hh.numpy() @ before + a - cell.weight_hh.numpy() @ before) ** 2)[:, None]
                    * cell.weight_hh.numpy()
                )[1]
            )
        assert np.isclose(spectrum[run].sum(), np.mean(logs), atol=1e-9)


def test_a_run_that_is_too_short_is_refused() -> None:
    cell = RnnCell([[1.0]], [[0.5]], [0.0])
    with pytest.raises(ValueError, match="more than the transient"):
        lyapunov_spectrum(cell, torch.zeros(1, 5, 1))


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_memory_decay_is_the_gradient_that_autograd_finds(name: str) -> None:
    rng = np.random.default_rng(2)
    kind = CELLS[name]
    shapes = [(kind.gates * 3, 2), (kind.gates * 3, 3), (kind.gates * 3,), (kind.gates * 3,)]
    cell = kind(*(torch.from_numpy(rng.normal(0, 0.7, shape)) for shape in shapes))
    x = torch.from_numpy(rng.normal(size=(1, 12, 2))).requires_grad_()
    state = cell.run(x)[0]
    rows = [torch.autograd.grad(state[0, k], x, retain_graph=True)[0][0] for k in range(3)]
    expected = torch.stack(rows).square().sum(dim=(0, 2)).sqrt().flip(0).numpy()
    decay = memory_decay(cell, x.detach(), lags=12)
    assert np.allclose(decay.norm[0], expected, rtol=1e-9)
    assert decay.lag.tolist() == list(range(12))


def test_a_linear_unit_forgets_at_its_own_rate() -> None:
    cell = RnnCell([[1e-6]], [[0.9]], [0.0]).to(dtype=F64)  # so small that tanh is linear
    decay = memory_decay(cell, torch.ones(1, 60, 1, dtype=F64), lags=40)
    assert np.allclose(decay.norm[0] / decay.norm[0, 0], 0.9 ** np.arange(40), rtol=1e-6)
    assert decay.half_life[0] == np.ceil(np.log(0.5) / np.log(0.9))
