"""F(s) of one series over the present window: what the exponent was fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame, SignalReader
from explorer.session.views.number_format import cell_name


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


def scaling(session: SignalReader, frame: Frame, bounds: tuple[float, float] | None = None) -> Scaling:
    """F(s) of the selected cell, or else of the layer sum, over the window that ends at the word looked at.

    ``bounds``: fit to every scale between these (words, as `fine_scales` has them) instead of the scales that the
    rolling exponent is fitted to.
    """
    from engine.fluctuation import exponents, fluctuations  # numba: loaded when there is a frame

    snapshot = frame.snapshot
    values, name = _series(session, frame)
    scales = np.array(snapshot.scales, dtype=np.float64)
    if bounds is not None:
        scales = np.array([s for s in fine_scales(snapshot.window) if bounds[0] <= s <= bounds[1]], dtype=np.float64)
    nothing = np.full(len(scales), np.nan)
    if len(values) < snapshot.window:
        reason = f"needs {snapshot.window} words, {frame.word + 1} read"
        return Scaling(name, scales, nothing, np.nan, np.nan, np.nan, reason)
    if len(scales) < 3:
        reason = f"{len(scales)} scales are too few for a slope: leave at least three between the bounds"
        return Scaling(name, scales, nothing, np.nan, np.nan, np.nan, reason)
    lengths = [int(s) for s in scales]
    fluctuation = fluctuations(values, lengths)
    fit = exponents(fluctuation, lengths)
    alpha = float(fit.alpha)
    with np.errstate(divide="ignore"):
        offset = float(np.mean(np.log(fluctuation) - alpha * np.log(scales)))
    return Scaling(name, scales, fluctuation, alpha, offset, float(fit.r2), str(fit.reason))


def fine_scales(window: int) -> tuple[int, ...]:
    """Every scale that bounds can choose from: whole words, from 4 to half the window."""
    return tuple(range(4, window // 2 + 1))


def fine_fluctuation(session: SignalReader, frame: Frame) -> NDArray[np.float64]:
    """F at all the `fine_scales`, (scale,); NaN before the window is full."""
    from engine.fluctuation import fluctuations

    values, _ = _series(session, frame)
    scales = fine_scales(frame.snapshot.window)
    return fluctuations(values, scales) if len(values) == frame.snapshot.window else np.full(len(scales), np.nan)


def _series(session: SignalReader, frame: Frame) -> tuple[NDArray[np.float64], str]:
    """The words of the window, (time,), and what they are of."""
    choices = frame.choices
    values = session.read(choices.signal, frame.word + 1 - frame.snapshot.window, frame.word + 1).astype(np.float64)
    cell = choices.selected
    if cell is not None and cell < values.shape[1]:
        return values[:, cell], f"{choices.signal} of cell {cell_name(cell)}"
    return values.sum(axis=1), f"Σ{choices.signal}"
