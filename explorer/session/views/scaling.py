"""F(s) of one series over the present window, and the exponent fitted to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.samples import sum_over_cells
from explorer.session.core import Frame, SignalReader
from explorer.session.views.number_format import cell_name


@dataclass(frozen=True)
class Scaling:
    """``fluctuation`` (scale,) at the ``scales``, the fit ln F = ``alpha`` ln s + ``offset`` and its r²; NaN and a
    ``reason`` where there is no exponent. ``series`` names the signal; ``cell`` is None for the layer sum. ``interval``
    is the 90 % interval of β, and ``straight`` whether F is as straight as that of noise with one exponent: None at
    scales of which the limits are not tabulated. ``halves`` are β over the shorter and over the longer scales."""

    series: str
    scales: NDArray[np.float64]
    fluctuation: NDArray[np.float64]
    alpha: float
    offset: float
    r2: float
    reason: str
    cell: int | None = None
    interval: tuple[float, float] | None = None
    halves: tuple[float, float] | None = None
    straight: bool | None = None


def scaling(reader: SignalReader, frame: Frame, bounds: tuple[float, float] | None = None) -> Scaling:
    """Return F(s) of the selected cell, or else of the layer sum, over the window that ends at the word looked at.

    With ``bounds`` in words, the fit uses all `fine_scales` between them instead of the scales of the rolling exponent.
    """
    from engine.fluctuation import exponents, fluctuations  # numba: loaded once there is a frame

    snapshot = frame.snapshot
    values, name, cell = _series(reader, frame)
    scales = np.array(snapshot.scales, dtype=np.float64)
    if bounds is not None:
        scales = np.array([s for s in fine_scales(snapshot.window) if bounds[0] <= s <= bounds[1]], dtype=np.float64)
    nothing = np.full(len(scales), np.nan)
    if len(values) < snapshot.window:
        reason = too_short(snapshot.window, frame.word + 1)
        return Scaling(name, scales, nothing, np.nan, np.nan, np.nan, reason, cell)
    if len(scales) < 3:
        reason = f"{len(scales)} scales are too few for a slope: leave at least three between the bounds"
        return Scaling(name, scales, nothing, np.nan, np.nan, np.nan, reason, cell)
    lengths = [int(s) for s in scales]
    fluctuation = fluctuations(values, lengths)
    fit = exponents(fluctuation, lengths)
    alpha = float(fit.alpha)
    with np.errstate(divide="ignore"):
        offset = float(np.mean(np.log(fluctuation) - alpha * np.log(scales)))
    found = Scaling(name, scales, fluctuation, alpha, offset, float(fit.r2), str(fit.reason), cell)
    return found if np.isnan(alpha) else _with_errors(found, snapshot.window, lengths)


def _with_errors(found: Scaling, window: int, scales: list[int]) -> Scaling:
    from engine.fluctuation import half_betas
    from engine.intervals import is_straight, is_tabulated

    short, long = half_betas(found.fluctuation, scales)
    straight = bool(is_straight(long - short, window, scales)) if is_tabulated(window, scales) else None
    return replace(
        found,
        interval=interval_of_beta(2 * found.alpha - 1, window, tuple(scales)),
        halves=(float(short), float(long)) if np.isfinite(short) else None,
        straight=straight,
    )


def interval_of_beta(beta: float, window: int, scales: tuple[int, ...]) -> tuple[float, float] | None:
    """Return the 90 % interval of a β; None at scales of which it is not tabulated, or for NaN."""
    from engine.intervals import beta_interval, is_tabulated

    if np.isnan(beta) or not is_tabulated(window, scales):
        return None
    low, high = beta_interval(beta, window, scales).tolist()
    return low, high


def too_short(window: int, read: int) -> str:
    """Explain that the window is not full yet."""
    return f"needs {window} words, {read} read"


def fine_scales(window: int) -> tuple[int, ...]:
    """Return the scales that bounds choose from: whole words from 4 to half the window."""
    return tuple(range(4, window // 2 + 1))


def fine_fluctuation(reader: SignalReader, frame: Frame) -> NDArray[np.float64]:
    """Return F at all `fine_scales`, (scale,); NaN before the window is full."""
    from engine.fluctuation import fluctuations

    values = _series(reader, frame)[0]
    scales = fine_scales(frame.snapshot.window)
    return fluctuations(values, scales) if len(values) == frame.snapshot.window else np.full(len(scales), np.nan)


def series_until(reader: SignalReader, frame: Frame, words: int) -> tuple[NDArray[np.floating], str, int | None]:
    """Return the series over the last ``words`` words read, (time,), its name and its cell, None for the layer sum."""
    choices = frame.choices
    values = reader.read(choices.signal, frame.word + 1 - words, frame.word + 1)
    cell = choices.cell
    if cell is not None and cell < values.shape[1]:
        return values[:, cell], f"{choices.signal} of cell {cell_name(cell)}", cell
    return sum_over_cells(values), f"Σ{choices.signal}", None


def _series(reader: SignalReader, frame: Frame) -> tuple[NDArray[np.floating], str, int | None]:
    return series_until(reader, frame, frame.snapshot.window)
