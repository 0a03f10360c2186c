"""Test of the paper's claims for networks of the published recipe, by the criteria of `claims`.

The 95 % interval of a difference decides only the claims about groups of signals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from explorer.measure.one_over_f.aggregates import StudyResults
from explorer.measure.one_over_f.claims import by_mean, over
from explorer.measure.one_over_f.ingredients import Measured, group_betas
from explorer.measure.one_over_f.means import MeanInterval
from explorer.measure.one_over_f.published import EXTERNAL, INTERNAL
from explorer.measure.study.claims import FAILS, HOLDS, UNDECIDED

HEADINGS: Final = ("claim, under the published recipe", "cells", "measured", "verdict")


def claim_rows(published: Mapping[int, Sequence[Measured]], results: StudyResults) -> list[list[str]]:
    """Return the rows of a table: every claim that these runs can decide, for each number of cells.

    Parameters
    ----------
    published : mapping
        The chosen epoch of every run, by the number of cells.
    results : StudyResults
        The study, whose null processes are the targets.
    """
    rows = []
    for name, signal, null in (
        ("The layer sum of h is 1/f noise", "h", results.pink),
        ("The input is white noise", "x", results.white),
    ):
        for size, ones in published.items():
            mean = MeanInterval.of([one["beta"][signal] for one in ones])
            verdict = by_mean(mean, null) if len(ones) > 1 else UNDECIDED  # the interval of one lacks the seeds' share
            rows.append([name, str(size), str(mean), f"**{verdict}**"])
    for size, ones in published.items():
        pairs = zip(*(group_betas(ones, group["lstm"]) for group in (INTERNAL, EXTERNAL)), strict=True)
        differences = [internal - external for internal, external in pairs]
        mean = over(differences)
        verdict = UNDECIDED if len(ones) == 1 else HOLDS if mean.high < 0 else FAILS if mean.low > 0 else UNDECIDED
        below = sum(one < 0 for one in differences)
        measured = f"difference {mean}; below in {below} of {len(differences)}"
        rows.append(["Internal signals have a smaller β than external ones", str(size), measured, f"**{verdict}**"])
    return rows
