"""F(s) of one series over the present window: what the exponent was fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.session.model import Frame, Session


@dataclass(frozen=True)
class Scaling:
    """``fluctuation`` (scale,) at the ``scales``, the fit ln F = ``alpha`` ln s + ``offset`` and its r²; NaN and a
    ``reason`` where there is no exponent. ``series`` names what was measured."""

    series: str
    scales: NDArray[np.float64]
    fluctuation: NDArray[np.float64]
    alpha: float
    offset: float
    r2: float
    reason: str


def scaling(session: Session, frame: Frame) -> Scaling:
    """F(s) of the selected cell, or else of the layer sum, over the window that ends at the word looked at."""
    from engine.fluctuation import exponents, fluctuations  # numba: loaded when there is a frame

    snapshot, choices = frame.snapshot, frame.choices
    values = session.read(choices.signal, frame.word + 1 - snapshot.window, frame.word + 1).astype(np.float64)
    cell = choices.selected
    own = cell is not None and cell < values.shape[1]
    series = values[:, cell] if own else values.sum(axis=1)
    name = f"{choices.signal} of cell #{cell}" if own else f"Σ{choices.signal}"
    scales = np.array(snapshot.scales, dtype=np.float64)
    if len(series) < snapshot.window:
        nothing = np.full(len(scales), np.nan)
        reason = f"after {snapshot.window} words: {frame.word + 1} read"
        return Scaling(name, scales, nothing, np.nan, np.nan, np.nan, reason)
    fluctuation = fluctuations(series, snapshot.scales)
    fit = exponents(fluctuation, snapshot.scales)
    alpha = float(fit.alpha)
    with np.errstate(divide="ignore"):
        offset = float(np.mean(np.log(fluctuation) - alpha * np.log(scales)))
    return Scaling(name, scales, fluctuation, alpha, offset, float(fit.r2), str(fit.reason))
