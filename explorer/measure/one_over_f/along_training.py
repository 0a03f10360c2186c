"""How β changes along training: rank correlations over the epochs of a run, averaged over seeds.

The runs are those of `ingredients.document`.  Losses, accuracy and gap of a run all change with its epochs, so the
correlations of a row are not independent of each other; they say what β goes along with, and not what moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from scipy.stats import spearmanr

from explorer.measure.one_over_f.ingredients import Measured, group_betas
from explorer.measure.one_over_f.means import change
from explorer.measure.one_over_f.published import EXTERNAL, INTERNAL

QUANTITIES: Final[Mapping[str, Callable[[Measured], float]]] = {
    "epoch": lambda one: float(one["epoch"]),
    "training loss": lambda one: float(one["loss"]),
    "test accuracy": lambda one: float(one["test_accuracy"]),
    "gap": lambda one: float(one["test_loss"] - one["loss"]),
}
SIGNALS: Final = ("h", "c", "c_out", "i", "f", "g", "o", "x", "logit")
HEADINGS: Final = ("β of", "cells", "networks", *QUANTITIES)


def rows(runs: Mapping[int, Sequence[Measured]]) -> list[list[str]]:
    """Return the rows of the table for runs of one recipe, by the number of cells.

    A row has ρ with each of `QUANTITIES`, its mean over the networks and the 95 % interval of that mean (Student's t).
    """
    table = []
    for name in (*SIGNALS, "internal", "external", "internal − external", "dead cells"):
        for size, some in runs.items():
            found = [_correlations(run, name) for run in some]
            table.append(
                [name, str(size), str(len(some)), *(change(values, most=1) for values in zip(*found, strict=True))]
            )
    return table


def _correlations(run: Measured, name: str) -> list[float]:
    """Return ρ of a row's numbers with each of `QUANTITIES`, over the epochs of a run; NaN if they do not change."""
    epochs = [one for one in run["epochs"] if one["epoch"] > 0]
    values = _values(epochs, name)
    if len(set(values)) < 2:
        return [float("nan")] * len(QUANTITIES)
    return [float(spearmanr(values, list(map(of, epochs))).statistic) for of in QUANTITIES.values()]


def _values(epochs: Sequence[Measured], name: str) -> list[float]:
    internal, external = (group_betas(epochs, group["lstm"]) for group in (INTERNAL, EXTERNAL))
    if name == "internal − external":
        return [a - b for a, b in zip(internal, external, strict=True)]
    if name == "dead cells":
        return [float(one["dead"]) for one in epochs]
    groups = {"internal": internal, "external": external}
    return groups[name] if name in groups else [float(one["beta"][name]["mean"]) for one in epochs]
