"""Introduction that a first start shows over the panels: three sentences and three keys."""

from __future__ import annotations

from typing import Final, NamedTuple

from explorer.session.core import Frame
from explorer.session.views.units import STEPS, WORDS, UnitNames

TITLE: Final = "What you see"


class Annotation(NamedTuple):
    """A sentence about a panel, which is named as in `explorer.session.actions.PANELS`."""

    panel: str
    sentence: str


ANNOTATIONS: Final = (
    Annotation(
        "review",
        "A trained network reads this review word by word and judges it; each word has the colour of the signal that "
        "panel 2 shows.",
    ),
    Annotation(
        "heatmap",
        "Each row is a cell of the network and each column a word: what one gate or state did in every cell, lighter "
        "where it was higher.",
    ),
    Annotation(
        "points",
        "The state of all cells at once, ◆, moves among the network's fixed points: it is drawn to a stable one ● and "
        "passes a saddle ○.",
    ),
)
FIRST_WORDS: Final = 8  # an introduction to fewer would show almost empty panels
_STEPS: Final = (
    Annotation(
        "review",
        "A trained network reads these inputs step by step; its outputs are green where they are on the side of the "
        "target, which is shaded where it is 1.",
    ),
    *(Annotation(each.panel, STEPS.reword(each.sentence)) for each in ANNOTATIONS[1:]),
)


def annotations_for(names: UnitNames = WORDS) -> tuple[Annotation, ...]:
    """Return the sentences, for what the network reads."""
    if names == STEPS:
        return _STEPS
    return tuple(Annotation(each.panel, names.reword(each.sentence)) for each in ANNOTATIONS)


def something_to_introduce(frame: Frame) -> bool:
    """Return whether the first words are read, so that a first start can explain what they look like."""
    return frame.snapshot.time >= min(FIRST_WORDS, frame.snapshot.words)


KEYS: Final = ("play", "legend", "help")
"""The actions whose keys are shown; `KEY_LABELS` says what for."""
KEY_LABELS: Final = {
    "play": "pause or read on",
    "legend": "explain the terms",
    "help": "list all keys",
}
