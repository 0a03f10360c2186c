"""What a hand means in a picture: the place nearest to it, or those inside an outline it draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def nearest(places: Floats, place: tuple[float, float], unit: tuple[float, float], reach: float) -> int | None:
    """The number of that of ``places`` (entry, 2) nearest to a ``place``, in steps of ``unit`` (such as a pixel) along
    the two axes; None beyond ``reach`` of them."""
    if not len(places):
        return None
    away = np.hypot(*((places - place) / unit).T)
    found = int(away.argmin())
    return found if away[found] <= reach else None


def inside(places: Floats, outline: Floats) -> NDArray[np.intp]:
    """The numbers of the ``places`` (entry, 2) inside a closed ``outline`` (corner, 2), by the even–odd rule.

    An outline of two corners is a rectangle between them.
    """
    if len(outline) == 2:
        low, high = outline.min(axis=0), outline.max(axis=0)
        return np.flatnonzero(((places >= low) & (places <= high)).all(axis=1))
    x, y = places[:, 0], places[:, 1]
    crossings = np.zeros(len(places), dtype=bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y0 != y1:  # a ray to the right crosses no edge that lies along it
            crossings ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return np.flatnonzero(crossings)
