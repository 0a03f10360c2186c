"""The attribution of the output to words: colours of the text, lines, and the strongest words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame, SignalReader
from explorer.session.palette import Role
from explorer.session.views.number_format import number
from explorer.session.views.readouts import word_colours_line
from explorer.session.views.runs import Line, Run, join
from explorer.session.views.text_layout import word_values

NEAR: Final = 3  # words shown before a word of the list
MEANING: Final = (
    "Positive: the word raises the logit. Integrated gradients add up to the difference between the logit and that of "
    "the baseline, a text of which every word has the same embedding; the error is that of the integral. "
    "∂logit/∂x · x is the gradient at the review itself, without a baseline, and does not add up to the logit."
)


class Method(NamedTuple):
    """Method of attributing the logit; ``baseline`` as `engine.attribution.integrated_gradients` takes it, None for
    gradient × input."""

    name: str
    short: str
    baseline: str | None


METHODS: Final = (
    Method("integrated gradients from the mean embedding", "integrated gradients (mean)", "mean"),
    Method("integrated gradients from the zero embedding", "integrated gradients (zero)", "zero"),
    Method("∂logit/∂x · x", "∂logit/∂x · x", None),
)


@dataclass(frozen=True, eq=False)
class WordAttribution:
    """``values`` (time,) of the words read, in units of the logit, whose name is ``output``.

    ``baseline_logit`` is NaN for a method without a baseline; ``points`` counts gradients along the path.
    """

    method: Method
    output: str
    values: NDArray[np.float64]
    logit: float
    baseline_logit: float
    points: int

    @property
    def word(self) -> int:
        """Index of the word after which the output is attributed."""
        return len(self.values) - 1

    @property
    def limit(self) -> float:
        """Largest magnitude; colours extend from minus this to this."""
        return float(np.abs(self.values).max())

    @property
    def residual(self) -> float:
        """Logit − baseline logit minus the sum of the attributions; NaN without a baseline."""
        return self.logit - self.baseline_logit - float(self.values.sum())

    def strongest(self) -> list[int]:
        """Return the indices of all words by falling magnitude."""
        return np.argsort(-np.abs(self.values), kind="stable").tolist()


class WordColours(NamedTuple):
    """``values`` of words, NaN where one has no colour, the ends of the colour map, and what the colours mean."""

    values: NDArray[np.float64]
    low: float
    high: float
    line: Line


def word_colours(
    reader: SignalReader, frame: Frame, attribution: WordAttribution | None, first: int, last: int
) -> WordColours:
    """Return what colours words ``first`` to ``last``: the attribution if there is one, or else the chosen signal."""
    if attribution is None:
        values, low, high = word_values(reader, frame, first, last)
        return WordColours(values, low, high, word_colours_line(frame, low, high))
    values = np.full(max(0, last - first), np.nan)
    known = attribution.values[first:last]
    values[: len(known)] = known
    limit = attribution.limit
    where = f", {attribution.output} after word {attribution.word + 1:,} (±{number(limit)})"
    line = (Run("colour: attribution by "), Run(attribution.method.short, "accent"), Run(where))
    return WordColours(values, -limit, limit, line)


def attribution_lines(found: WordAttribution | None, progress: str, width: int | None = None) -> tuple[Line, ...]:
    """Return lines with the attributed output, the method, and the error of the sum; or with the ``progress``."""
    if found is None:
        return ((Run(progress or "nothing is attributed yet", "warning"),),)
    head = join(((Run(_subject(found), "value"),), (Run(f"by {found.method.name}", "accent"),)), width)
    logit = (Run(f"{found.output} "), Run(number(found.logit), "value"))
    total = (Run("sum "), Run(number(float(found.values.sum())), "value"))
    if math.isnan(found.baseline_logit):
        return head, join((logit, total, (Run("no baseline: the sum need not be the logit"),)), width)
    baseline = (Run("baseline "), Run(number(found.baseline_logit), "value"))
    error = (Run("error "), Run(number(abs(found.residual)), "text"), Run(f" with {found.points} points"))
    return head, join((logit, baseline, total, error), width)


class AttributedWord(NamedTuple):
    """A row of the list: the word, counted from 0, its value, and the words before it as one text."""

    word: int
    text: str
    before: str
    value: float
    share: float
    role: Role


def attributed_word(found: WordAttribution, surface: Sequence[str], word: int) -> AttributedWord:
    """Return what the list shows of a word; ``share`` is its magnitude relative to the largest."""
    value, limit = float(found.values[word]), found.limit
    before = " ".join(surface[max(0, word - NEAR) : word])
    share = abs(value) / limit if limit else 0.0
    return AttributedWord(word, surface[word], before, value, share, "good" if value >= 0 else "bad")


def _subject(found: WordAttribution) -> str:
    name = found.output if found.output.startswith("output") else f"the {found.output}"
    return f"attribution of {name} after word {found.word + 1:,}"
