"""What the rolling estimator gives for exact noise, at the window and scales in use: the band behind every α."""

from __future__ import annotations

import threading
from dataclasses import dataclass

Key = tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class Band:
    """Nine in ten α of exactly white and exactly pink series lie between these."""

    white: tuple[float, float]
    pink: tuple[float, float]


_known: dict[Key, Band | None] = {}
_lock = threading.Lock()


def band(window: int, scales: tuple[int, ...]) -> Band | None:
    """The band of a window and its scales; None until a thread of its own has worked it out, once."""
    key = (window, tuple(scales))
    with _lock:
        if key not in _known:
            _known[key] = None
            threading.Thread(target=_calibrate, args=(key,), name="pinkx calibration", daemon=True).start()
        return _known[key]


def _calibrate(key: Key) -> None:
    from engine.null import null_exponents  # numba and scipy load while the face already draws

    white, pink = (null_exponents(beta, *key) for beta in (0.0, 1.0))
    _known[key] = Band((white.low, white.high), (pink.low, pink.high))
