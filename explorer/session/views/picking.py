"""Entries of a picture that the mouse points at: the nearest one, or those inside an outline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def nearest(places: Floats, place: tuple[float, float], unit: tuple[float, float], reach: float) -> int | None:
    """Return the index of the entry nearest to a place, or None if all are farther than ``reach``; NaN is no place.

    Parameters
    ----------
    places : (entry, 2)
    place : (x, y)
    unit : (x, y)
        What counts as distance 1 along each axis, such as the size of a pixel.
    reach : float
        In these units.
    """
    if not len(places):
        return None
    distance = np.hypot(*((places - place) / unit).T)
    found = int(np.nan_to_num(distance, nan=np.inf).argmin())
    return found if distance[found] <= reach else None


def inside(places: Floats, outline: Floats) -> NDArray[np.intp]:
    """Return the indices of the ``places`` (entry, 2) inside a closed ``outline`` (corner, 2), by the even–odd rule.

    An outline of two corners is the rectangle between them.
    """
    if len(outline) == 2:
        low, high = outline.min(axis=0), outline.max(axis=0)
        return np.flatnonzero(((places >= low) & (places <= high)).all(axis=1))
    x, y = places[:, 0], places[:, 1]
    odd = np.zeros(len(places), dtype=bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y0 != y1:  # a horizontal ray crosses no horizontal edge
            odd ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return np.flatnonzero(odd)
