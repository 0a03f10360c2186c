"""Every colour of both front ends as RGB, and the colour maps; a front end only converts them.

The maps rise in lightness, so that they keep their order in grey and for every kind of colour vision. Cividis is by
Nuñez, Anderton and Renslow (PLoS ONE 13 (2018) e0199239), viridis by Smith and van der Walt (matplotlib, CC0).
Seventeen points of each are stored; interpolation between them stays within 7 of 255 of the originals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray


class RGB(NamedTuple):
    """One colour, 0…255 a channel."""

    red: int
    green: int
    blue: int

    @property
    def hex(self) -> str:
        """The form ``#rrggbb``."""
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"


def _rgb(digits: str) -> RGB:
    return RGB(*bytes.fromhex(digits))


def _several(digits: str) -> tuple[RGB, ...]:
    return tuple(map(_rgb, digits.split()))


# ---- the two themes ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Palette:
    """Colours by meaning, on dark or on light ground.

    Surfaces: ``ground``, ``raised`` (bars), ``dialog``, ``border``, ``selected`` (background of what is selected).
    Text: ``text``, ``title`` and ``subtitle`` (in borders), ``dim`` (names, units, axes), ``faint`` (rules and guide
    lines), ``bright`` (main numbers and the selection), ``on_pink`` (text on pink). Meaning: ``pink`` (cursor, focus,
    pinned cells, pink noise, β), ``good`` (positive, stable), ``bad`` (negative), ``warning`` (also: slow points,
    clamped cells), ``dead`` (dead cells, points that move), ``other`` (the other side of a comparison), ``found``
    (search hits); ``white_band`` and ``pink_band`` (exact noise behind α and β). ``trail``: the trajectory from old to
    new.

    Scales, as points at equal distances: ``readout`` from negative to positive, ``time_constant`` from short to long.
    ``series`` colours the curves of several cells, ``inputs`` the inputs of fixed points.
    """

    name: Literal["dark", "light"]
    ground: RGB
    raised: RGB
    dialog: RGB
    border: RGB
    selected: RGB
    text: RGB
    title: RGB
    subtitle: RGB
    dim: RGB
    faint: RGB
    bright: RGB
    pink: RGB
    on_pink: RGB
    good: RGB
    bad: RGB
    warning: RGB
    dead: RGB
    other: RGB
    found: RGB
    white_band: RGB
    pink_band: RGB
    trail: tuple[RGB, ...]
    readout: tuple[RGB, ...]
    time_constant: tuple[RGB, ...]
    series: tuple[RGB, ...]
    inputs: tuple[RGB, ...]

    @property
    def stability(self) -> tuple[RGB, ...]:
        """The colours of stable points, saddles, slow points, states that still move and cycles, as
        `point_map.STATES`."""
        return self.good, self.pink, self.warning, self.dead, self.other


DARK = Palette(
    name="dark",
    ground=_rgb("0f1318"),
    raised=_rgb("182028"),
    dialog=_rgb("151b22"),
    border=_rgb("34404c"),
    selected=_rgb("2b3a52"),
    text=_rgb("d7dde4"),
    title=_rgb("aab6c2"),
    subtitle=_rgb("6f7b88"),
    dim=_rgb("8692a0"),
    faint=_rgb("3a4450"),
    bright=_rgb("ffffff"),
    pink=_rgb("ff8fc0"),
    on_pink=_rgb("14080e"),
    good=_rgb("7fd1c7"),
    bad=_rgb("f4a46b"),
    warning=_rgb("ffb86b"),
    dead=_rgb("e06c75"),
    other=_rgb("c792ea"),
    found=_rgb("ffe08a"),
    white_band=_rgb("1b222a"),
    pink_band=_rgb("2c1a25"),
    trail=_several("6b3f55 b0648a ff8fc0"),
    readout=_several("c4622d e8a87c b8b8b4 8fdfd2 b4fff2"),
    time_constant=_several("5a4fa2 b05fa8 f08a7d ffd27a fff7c2"),
    series=_several("ffd166 7fd1c7 c792ea 82aaff f78c6c b5e48c ff8fc0 9fb4c7 e9c46a 64dfdf"),
    inputs=_several("ffffff ffd166 7fd1c7 c792ea 82aaff f78c6c b5e48c ff8fc0 9fb4c7 e9c46a"),
)
LIGHT = Palette(
    name="light",
    ground=_rgb("ffffff"),
    raised=_rgb("eef1f4"),
    dialog=_rgb("f6f8fa"),
    border=_rgb("c3ccd5"),
    selected=_rgb("d3e3fb"),
    text=_rgb("1d2630"),
    title=_rgb("3d4853"),
    subtitle=_rgb("6f7b88"),
    dim=_rgb("5c6875"),
    faint=_rgb("c9d1d9"),
    bright=_rgb("000000"),
    pink=_rgb("c2185b"),
    on_pink=_rgb("ffffff"),
    good=_rgb("00796b"),
    bad=_rgb("b4540a"),
    warning=_rgb("9a5b00"),
    dead=_rgb("b3261e"),
    other=_rgb("7b2cbf"),
    found=_rgb("9a5b00"),
    white_band=_rgb("e9edf1"),
    pink_band=_rgb("fde4ee"),
    trail=_several("efc4d6 d86f9a c2185b"),
    readout=_several("8a3208 c9733f adada6 3d9d90 00524a"),  # these grow darker from the middle outwards
    time_constant=_several("eeb04a e5735f b0508f 6d3d9c 2a1a5e"),  # and these from short to long
    series=_several("a06b00 00796b 7b2cbf 1d4fd7 b4540a 3f7d00 c2185b 455a70 7a5c00 00707a"),
    inputs=_several("000000 a06b00 00796b 7b2cbf 1d4fd7 b4540a 3f7d00 c2185b 455a70 7a5c00"),
)
PALETTES: Mapping[str, Palette] = {palette.name: palette for palette in (DARK, LIGHT)}
ON_LIGHT, ON_DARK = _rgb("101418"), _rgb("f2f4f7")  # text on a light and on a dark place of a colour map

# ---- roles of text -----------------------------------------------------------------------------------------------

Role = Literal[
    "label", "text", "value", "accent", "pink", "good", "bad", "warning", "dead", "other", "faint", "unknown"
]  # fmt: skip


class Look(NamedTuple):
    """Style of a role of text: the `Palette` field of its colour, bold or not, italic and underlined or not."""

    colour: str
    bold: bool = False
    marked: bool = False


LOOKS: Mapping[Role, Look] = {
    "label": Look("dim"),  # names and units
    "text": Look("text"),
    "value": Look("bright", bold=True),  # a main number
    "accent": Look("pink", bold=True),  # β, and the name of what is selected
    "pink": Look("pink"),
    "good": Look("good"),
    "bad": Look("bad"),
    "warning": Look("warning", bold=True),
    "dead": Look("dead"),
    "other": Look("other"),
    "faint": Look("faint"),
    "unknown": Look("dim", marked=True),  # words outside the vocabulary
}

# ---- colour maps -------------------------------------------------------------------------------------------------

LEVELS = 256
_POINTS = {
    "cividis": "00204d 002c69 06366e 2d426c 414d6b 52596c 61646f 6f7073 7d7c78 8b8779 9b9477 aca174 bcaf6f cebc68 "
    "e0cb5e f2da50 ffea46",
    "viridis": "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1f9f88 27ad81 3dbc74 5cc863 81d34d "
    "aadc32 d5e21a fde725",
}
MAPS = tuple(_POINTS)
# Characters of rising density, for terminals without colours.
RAMP = " .:-=+*#%@"
BARS = "▁▂▃▄▅▆▇█"


def gradient(colours: Sequence[RGB]) -> NDArray[np.uint8]:
    """Interpolate between colours at equal distances, (256, 3)."""
    points, at = np.array(colours, dtype=float), np.linspace(0, LEVELS - 1, len(colours))
    channels = [np.interp(np.arange(LEVELS), at, channel) for channel in points.T]
    return np.stack(channels, axis=1).round().astype(np.uint8)


DIMMED = "dimmed "
"""Before the name of a colour map: its colours mixed with the dark ground, for words of another time."""


def colour_map(name: str) -> NDArray[np.uint8]:
    """One of ``MAPS``, or a `DIMMED` one, as (256, 3) RGB."""
    colours = gradient(_several(_POINTS[name.removeprefix(DIMMED)]))
    if not name.startswith(DIMMED):
        return colours
    return (0.4 * colours + 0.6 * np.array(DARK.ground)).round().astype(np.uint8)


def hex_colours(name: str) -> tuple[str, ...]:
    """One of ``MAPS`` as 256 strings ``#rrggbb``."""
    return tuple(RGB(*colour).hex for colour in colour_map(name).tolist())


def text_on(colour: Sequence[int]) -> RGB:
    """Dark or light text, whichever reads better on this colour."""
    red, green, blue = colour
    return ON_LIGHT if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else ON_DARK


def codes(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint8]:
    """Scale values to map positions 0…255; values outside ``low``…``high`` take the ends, NaN takes 0."""
    width = high - low if high > low else 1.0
    scaled = np.nan_to_num((values - low) / width * (LEVELS - 1), nan=0.0)
    return scaled.clip(0, LEVELS - 1).round().astype(np.uint8)


def glyph(code: int, ramp: str = RAMP) -> str:
    """Return the character of a ramp for a map position."""
    return ramp[code * len(ramp) // LEVELS]
