"""A spectrum with a knee: S(f) ∝ 1/(f_k^χ + f^χ), flat below the knee f_k and a power law of exponent χ above it.

A layer sum with one time constant has such a spectrum.  Where its knee lies inside the frequencies of DFA, a single β
is an average over both sides.  `other_knee` fits the same model by specparam or fooof (Donoghue et al., Nat. Neurosci.
23 (2020) 1655), if one is installed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

Array = NDArray[np.float64]

_PACKAGES = {"specparam": "SpectralModel", "fooof": "FOOOF"}


@dataclass(frozen=True)
class KneeFit:
    """``exponent`` χ, ``frequency`` f_k of the knee in cycles a word (0: no knee), and r² of the fit of ln S."""

    exponent: float
    frequency: float
    r2: float


def knee_fit(frequency: ArrayLike, power: ArrayLike) -> KneeFit:
    """Fit the model to ln S by least squares.

    Parameters
    ----------
    frequency : (f,) array
        Above 0.
    power : (f,) array
        A mean spectrum, such as exp of the mean of ln S over reviews.
    """
    x, y = np.log(np.asarray(frequency, dtype=np.float64)), np.log(np.asarray(power, dtype=np.float64))

    def left(p: Array) -> Array:
        offset, exponent, knee = p
        return np.asarray(offset - np.logaddexp(exponent * knee, exponent * x) - y)

    starts = [np.array([y[0], exponent, knee]) for exponent in (0.5, 2.0) for knee in (x[0] - 2, x.mean())]
    bounds = ((-np.inf, 0, x[0] - 5), (np.inf, 10, x[-1]))
    best = min((least_squares(left, start, bounds=bounds) for start in starts), key=lambda fit: float(fit.cost))
    return _result(float(best.x[1]), float(np.exp(best.x[2])), x, y, left(best.x))


def _result(exponent: float, frequency: float, x: Array, y: Array, left: Array) -> KneeFit:
    r2 = 1 - float(left @ left) / float(np.sum((y - y.mean()) ** 2))
    return KneeFit(exponent, frequency if frequency > np.exp(x[0]) else 0.0, r2)


def other_knee(frequency: ArrayLike, power: ArrayLike) -> KneeFit | None:
    """Fit the model by specparam or fooof; None if neither is installed."""
    package = next((name for name in _PACKAGES if find_spec(name) is not None), None)
    if package is None:
        return None
    f, S = np.asarray(frequency, dtype=np.float64), np.asarray(power, dtype=np.float64)
    with warnings.catch_warnings(record=True):  # fooof names its successor, whatever the filters say
        kind = getattr(import_module(package), _PACKAGES[package])
    model = kind(aperiodic_mode="knee", max_n_peaks=0, verbose=False)
    model.fit(f, S)
    stored = getattr(model, "aperiodic_params_", None)
    offset, knee, exponent = model.get_params("aperiodic") if stored is None else stored
    x, y = np.log(f), np.log(S)
    left = np.log(10) * (offset - np.log10(np.maximum(knee + f**exponent, 1e-300))) - y
    return _result(float(exponent), float(max(knee, 0) ** (1 / exponent)) if exponent > 0 else 0.0, x, y, left)
