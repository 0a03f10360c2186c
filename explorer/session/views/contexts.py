"""The places where the signal of a cell is highest and lowest, as lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from explorer.session.views.number_format import cell_name, count
from explorer.session.views.runs import Line, Run, join

if TYPE_CHECKING:
    from engine.contexts import Extremes, Place

BEFORE, AFTER = 6, 3  # words shown around a place
End = Literal["highest", "lowest"]
ENDS: Final[tuple[End, ...]] = ("highest", "lowest")


@dataclass(frozen=True, eq=False)
class Contexts:
    """The extremes of a signal of a cell in a sample of a source with ``source`` reviews."""

    signal: str
    cell: int
    source: int
    sample: int
    extremes: Extremes

    def places(self, end: End) -> tuple[Place, ...]:
        """Return the places of one end, best first."""
        return self.extremes.highest if end == "highest" else self.extremes.lowest


class Text(Protocol):
    """Part of a review that a context needs."""

    @property
    def surface(self) -> Sequence[str]: ...


def contexts_line(found: Contexts | None, end: End, progress: str, width: int | None = None) -> Line:
    """Return a line with the listed places and the number of reviews; or with the ``progress``."""
    if found is None:
        return (Run(progress or "nothing is searched yet", "warning"),)
    sample = f"a sample of {found.sample:,} of {count(found.source, 'review')}"
    whole = f"all {count(found.source, 'review')}" if found.source > 1 else "the only review"
    read = found.extremes
    return join(
        (
            (Run(f"{end} {found.signal}", "value"), Run(" of "), Run(cell_name(found.cell), "accent")),
            (Run(f"in {sample if found.sample < found.source else whole}"),),
            (Run(progress, "warning"),) if progress else (),
            (Run(f"n = {count(read.reviews, 'review')}, {count(read.words, 'word')}"),),
        ),
        width,
    )


def context(text: Text, word: int) -> tuple[str, str, str]:
    """Return the words before a word, the word, and those after it; from a file: not safe to print."""
    surface = text.surface
    return (
        " ".join(surface[max(0, word - BEFORE) : word]),
        surface[word],
        " ".join(surface[word + 1 : word + 1 + AFTER]),
    )
