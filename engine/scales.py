"""Checks of the scales of DFA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ORDERS: Final = (1, 2, 3)


def check_scales(scales: Sequence[int], order: int) -> NDArray[np.int64]:
    """Return the scales as an array; ValueError if a scale or the order is out of range."""
    if order not in ORDERS:
        raise ValueError(f"expected order 1, 2 or 3, got {order!r}")
    lengths = whole_scales(scales)
    if lengths.min() < order + 3:
        raise ValueError(f"a fit of order {order} needs scales of {order + 3} samples or more, got {lengths.min()}")
    return lengths


def whole_scales(scales: Sequence[int]) -> NDArray[np.int64]:
    """Return the scales as an array; ValueError unless they are different whole numbers."""
    given = np.asarray(scales)
    if given.ndim != 1 or not len(given):
        raise ValueError(f"expected scales as a sequence of box lengths, got {scales!r}")
    lengths = given.astype(np.int64) if given.dtype.kind in "iuf" and np.isfinite(given).all() else None
    if lengths is None or (lengths != given).any():
        raise ValueError(f"scales are numbers of samples: expected whole numbers, got {_listed(given)}")
    if len(np.unique(lengths)) < len(lengths):
        raise ValueError(f"expected different scales, got {_listed(given)}")
    return lengths


def _listed(values: NDArray[Any]) -> str:
    return ", ".join(map(str, values.tolist()))
