"""Lyapunov spectrum under driven input, and the decay of the memory of a word.

The tangent map along a run is the product of the Jacobians J_t = ∂s_{t+1}/∂s_t.  Benettin's method multiplies an
orthonormal frame by J_t, re-orthonormalises it by QR at every step and averages ln|R_kk|: the exponents, in nats a
step.  A negative largest exponent means that the run forgets where it began and follows its input alone.

Sources: Benettin et al., Meccanica 15 (1980) 9; Engelken, Wolf & Abbott, Phys. Rev. Research 5 (2023) 043044.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine import interruption
from engine.cells import Cell

Array = NDArray[np.float64]

TRANSIENT = 20
"""Steps left out of the average, while the frame turns towards the fastest directions."""


@torch.no_grad()
def lyapunov_spectrum(
    cell: Cell, x: Tensor, *, state: Tensor | None = None, count: int = 8, transient: int = TRANSIENT
) -> Array:
    """Return the ``count`` largest Lyapunov exponents of each run, (B, count), nats a step, falling.

    Parameters
    ----------
    cell : Cell
        The computation is in float64, on its device.
    x : (B, T, inputs) tensor
        The driving inputs, runs of equal length.
    state : (B, S) tensor, optional
        Where the runs begin; at zero otherwise.
    count : int
        Exponents, at most S.
    transient : int
        Steps left out at the beginning.

    Raises
    ------
    ValueError
        If the runs are not longer than the transient.
    """
    cell, x = cell.to(dtype=torch.float64), x.to(cell.device, torch.float64)
    runs, steps, _ = x.shape
    if steps <= transient:
        raise ValueError(f"runs of {steps} steps, expected more than the transient of {transient}")
    count = min(count, cell.state_size)
    s = cell.initial_state(runs) if state is None else state.to(x)
    generator = torch.Generator().manual_seed(0)
    random = torch.randn(runs, cell.state_size, count, generator=generator, dtype=torch.float64)
    frame = torch.linalg.qr(random.to(x.device))[0]
    total = x.new_zeros(runs, count)
    for t in range(steps):
        interruption.allow()
        frame, upper = torch.linalg.qr(cell.jacobian(x[:, t], s) @ frame)
        if t >= transient:
            total += upper.diagonal(dim1=-2, dim2=-1).abs().clamp_min(1e-300).log()
        s = cell.step(x[:, t], s)[0]
    return np.sort((total / (steps - transient)).cpu().numpy(), axis=-1)[:, ::-1].copy()


class MemoryDecay(NamedTuple):
    """Decay of the effect of an input on the final state with its distance from the end.

    ``lag`` (L,) counts steps back from the last input; ``norm`` (B, L) is ‖∂h_T/∂x_{T−lag}‖ (Frobenius);
    ``half_life`` (B,) is the first lag from which the norm stays below half of its largest value, NaN where it never
    does.
    """

    lag: NDArray[np.int64]
    norm: Array
    half_life: Array


@torch.no_grad()
def memory_decay(cell: Cell, x: Tensor, *, lags: int = 100) -> MemoryDecay:
    """Return ‖∂h_T/∂x_t‖ against the lag T − t for runs from the zero state.

    Parameters
    ----------
    cell : Cell
    x : (B, T, inputs) tensor
    lags : int
        Number of inputs back from the last.
    """
    cell, x = cell.to(dtype=torch.float64), x.to(cell.device, torch.float64)
    runs, steps, _ = x.shape
    lags = min(lags, steps)
    states = [cell.initial_state(runs)]
    for t in range(steps):
        interruption.allow()
        states.append(cell.step(x[:, t], states[-1])[0])
    last = slice(steps - lags, steps)
    before = torch.stack(states[:-1], dim=1)[:, last]
    by_input, by_state = _by_input(cell, x[:, last], before), cell.jacobian(x[:, last], before)
    backward = torch.eye(cell.size, cell.state_size, dtype=x.dtype, device=x.device).expand(runs, -1, -1)  # ∂h_T/∂s_T
    norm = np.empty((runs, lags))
    for lag in range(lags):
        interruption.allow()
        norm[:, lag] = (backward @ by_input[:, -1 - lag]).flatten(1).norm(dim=-1).cpu().numpy()
        backward = backward @ by_state[:, -1 - lag]
    half = np.full(runs, np.nan)
    for run, values in enumerate(norm):
        above = np.flatnonzero(values >= values.max() / 2)
        if above[-1] + 1 < lags:
            half[run] = above[-1] + 1
    return MemoryDecay(np.arange(lags), norm, half)


def _by_input(cell: Cell, x: Tensor, state: Tensor) -> Tensor:
    """∂F(s, x)/∂x, (B, T, S, inputs)."""
    columns = []
    for k in torch.arange(cell.inputs):
        interruption.allow()
        along = torch.zeros_like(x).index_fill(-1, k, 1.0)
        with torch.enable_grad():
            columns.append(torch.autograd.functional.jvp(lambda inputs: cell.step(inputs, state)[0], x, along)[1])
    return torch.stack(columns, dim=-1)
