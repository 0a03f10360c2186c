"""Colour maps that rise in lightness, so that they keep their order in greys and for every kind of colour vision.

Cividis is by Nuñez, Anderton and Renslow (PLoS ONE 13 (2018) e0199239), viridis by Smith and van der Walt (matplotlib,
CC0). Seventeen points of each are kept; between them the colours are interpolated, within 7 of 255 of the originals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVELS = 256
_POINTS = {
    "cividis": "00204d 002c69 06366e 2d426c 414d6b 52596c 61646f 6f7073 7d7c78 8b8779 9b9477 aca174 bcaf6f cebc68 "
    "e0cb5e f2da50 ffea46",
    "viridis": "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1f9f88 27ad81 3dbc74 5cc863 81d34d "
    "aadc32 d5e21a fde725",
}
MAPS = tuple(_POINTS)
# Points, on dark ground: opinions from negative to positive and memories from short to long, both rising in lightness;
# and one colour for each input that was held.
OPINIONS = ("#c4622d", "#e8a87c", "#b8b8b4", "#8fdfd2", "#b4fff2")
MEMORY = ("#5a4fa2", "#b05fa8", "#f08a7d", "#ffd27a", "#fff7c2")
INPUTS = ("#ffffff", "#ffd166", "#7fd1c7", "#c792ea", "#82aaff", "#f78c6c")
# For terminals without colours: the same order told by how much ink a character has.
RAMP = " .:-=+*#%@"
BARS = "▁▂▃▄▅▆▇█"


def colour_map(name: str) -> NDArray[np.uint8]:
    """The map as (256, 3) RGB."""
    points = np.array([list(bytes.fromhex(point)) for point in _POINTS[name].split()], dtype=float)
    at = np.linspace(0, LEVELS - 1, len(points))
    return (
        np.stack([np.interp(np.arange(LEVELS), at, channel) for channel in points.T], axis=1).round().astype(np.uint8)
    )


def hex_colours(name: str) -> tuple[str, ...]:
    """The map as 256 strings ``#rrggbb``."""
    return tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colour_map(name).tolist())


def codes(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint8]:
    """Values as map positions 0…255; below ``low`` and above ``high`` take the ends, NaN takes 0."""
    span = high - low if high > low else 1.0
    scaled = np.nan_to_num((values - low) / span * (LEVELS - 1), nan=0.0)
    return scaled.clip(0, LEVELS - 1).round().astype(np.uint8)


def glyph(code: int, ramp: str = RAMP) -> str:
    """The character of a ramp that stands for a map position."""
    return ramp[code * len(ramp) // LEVELS]
