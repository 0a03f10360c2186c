"""The saturation of each gate as points, one a cell: right-saturated against left-saturated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame, SignalReader
from explorer.session.views.number_format import cell_name, count, percent
from explorer.session.views.runs import Line, Run, join

if TYPE_CHECKING:
    from engine.gate_saturation import GateSaturation

Scope = Literal["review", "corpus"]
SCOPES: Final[tuple[Scope, ...]] = ("review", "corpus")
X_LABEL, Y_LABEL = "fraction left-saturated (< 0.1)", "fraction right-saturated (> 0.9)"
MEANING: Final = (
    "One point a cell. Right-saturated: the gate is open (> 0.9); left-saturated: it is closed (< 0.1). A cell at the "
    "origin is never saturated, one on the diagonal line always. After Karpathy, Johnson & Fei-Fei (2015)."
)


@dataclass(frozen=True, eq=False)
class Saturation:
    """The saturation over ``sample`` of ``source`` reviews, or over the words of the present one up to the cursor."""

    scope: Scope
    gates: GateSaturation
    source: int = 1
    sample: int = 1

    def places(self, gate: int) -> NDArray[np.float64]:
        """Return left and right of every cell, (cell, 2)."""
        return np.stack([self.gates.left[gate], self.gates.right[gate]], axis=1)


def review_saturation(reader: SignalReader, frame: Frame) -> Saturation | None:
    """Return the saturation up to the word looked at, as far as words are stored; None without a word or a gate."""
    from engine.gate_saturation import gate_names, saturation_of

    gates = {name: reader.read(name, 0, frame.word + 1) for name in gate_names(frame.snapshot.network.cell)}
    if not gates or not all(len(values) for values in gates.values()):
        return None
    return Saturation("review", saturation_of(gates))


def saturation_lines(
    found: Saturation | None, progress: str, cell: int | None, width: int | None = None
) -> tuple[Line, ...]:
    """Over which words; then of each gate the mean over cells, or the fractions of the selected cell."""
    if found is None:
        return ((Run(progress or "no word is read yet", "warning"),),)
    gates = found.gates
    if found.scope == "review":
        over = f"{count(gates.words, 'word')} of this review, up to the one looked at"
    else:
        over = f"n = {count(gates.reviews, 'review')}, {count(gates.words, 'word')}"
        if found.sample < found.source:
            over += f", of a sample of {found.sample:,} of {count(found.source, 'review')}"
    known = cell is not None and cell < gates.left.shape[1]
    whose = cell_name(cell) if known and cell is not None else "mean of cells"
    parts: list[Line] = [(Run(whose, "accent"),)]
    for k, gate in enumerate(gates.gates):
        right, left = (
            float(side[k, cell]) if known and cell is not None else float(side[k].mean())
            for side in (gates.right, gates.left)
        )
        parts.append((Run(f"{gate} ", "value"), Run(f"right {percent(right)} left {percent(left)}", "text")))
    head = join(((Run(over, "text"),), (Run(progress, "warning"),) if progress else ()), width)
    return head, join(parts, width)


_TITLES: Final = {"i": "input", "f": "forget", "o": "output", "r": "reset", "z": "update"}


def gate_title(found: Saturation, gate: int) -> str:
    """Return the title of one chart."""
    name = found.gates.gates[gate]
    return f"{name}, {_TITLES[name]} gate"
