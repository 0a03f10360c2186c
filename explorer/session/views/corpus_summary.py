"""Accuracy and dead cells over a corpus."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.void]


@dataclass(frozen=True)
class CorpusSummary:
    """The corpus in two numbers.

    Attributes
    ----------
    accuracy : float
        Share of the ``labelled`` reviews that the network classifies correctly; NaN without one.
    labelled : int
    intact : float
        The same without clamps, over those of the reviews that were measured so; NaN if there are none.
    dead : int or None
        Cells whose standard deviation of h within a review, averaged over reviews, is below the threshold.
    """

    accuracy: float
    labelled: int
    intact: float
    dead: int | None


def summarise(
    rows: Rows, threshold: float, before: tuple[Rows, NDArray[np.intp]] | None, *, positive: bool
) -> CorpusSummary:
    """Summarise rows of `engine.beta.measure_encoded`.

    ``before`` are rows measured without clamps, and the place of each review among them, −1 if it has none; without
    ``positive`` the output is no P(positive), and there is no accuracy.
    """
    labelled = rows[(rows["label"] >= 0) & np.isfinite(rows["probability"])] if positive else rows[:0]
    intact = math.nan
    if len(labelled) and before is not None:
        places = before[1][labelled["review"]]
        intact = _accuracy(before[0][places[places >= 0]])
    with_words = rows["deviation"][rows["words"] > 0]
    dead = int((with_words.mean(axis=0, dtype=np.float64) < threshold).sum()) if len(with_words) else None
    return CorpusSummary(_accuracy(labelled), len(labelled), intact, dead)


def _accuracy(rows: Rows) -> float:
    return float(((rows["probability"] >= 0.5) == rows["label"]).mean()) if len(rows) else math.nan
