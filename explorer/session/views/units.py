"""Names on the screen of one step of a sequence and of a whole sequence; they are defined only here.

A network of words reads the words of a review, one of characters the characters of a text, and one over real-valued
input the steps of a sequence. Texts are written for words and reviews; `UnitNames.reword` adapts them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from explorer.session.views.number_format import count
from explorer.session.views.runs import Line, Run

if TYPE_CHECKING:
    from engine.network import Network

_NOUN: Final = re.compile(r"\b(word|review)(s?)\b", re.IGNORECASE)


@dataclass(frozen=True)
class UnitNames:
    """``unit`` is one step of a sequence (``word``), ``sequence`` the whole (``review``); both in the singular."""

    unit: str
    sequence: str

    @property
    def units(self) -> str:
        return f"{self.unit}s"

    @property
    def sequences(self) -> str:
        return f"{self.sequence}s"

    def count(self, items: int) -> str:
        """Format a count of units: ``1 word``, ``1,204 steps``."""
        return count(items, self.unit)

    def reword(self, text: str) -> str:
        """Return a text of the program, written for words and reviews, with these names; not for text of the user."""
        return text if self == WORDS else _NOUN.sub(self._renamed, text)

    def line(self, line: Line) -> Line:
        """Return a line with the same change; not for one with text of the user."""
        return line if self == WORDS else tuple(Run(self.reword(run.text), run.role) for run in line)

    def _renamed(self, noun: re.Match[str]) -> str:
        name = self.unit if noun[1].lower() == "word" else self.sequence
        return (name.capitalize() if noun[1][0].isupper() else name) + noun[2]


WORDS: Final = UnitNames("word", "review")
CHARACTERS: Final = UnitNames("character", "text")
STEPS: Final = UnitNames("step", "sequence")
_NAMES: Final[Mapping[str, UnitNames]] = {names.unit: names for names in (WORDS, CHARACTERS, STEPS)}


def unit_names(network: Network) -> UnitNames:
    """Return the names of a network's inputs."""
    return _NAMES[network.unit]
