"""The section of the README on the 1/f paper, written from the JSON of both studies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from explorer.measure.one_over_f.ingredients import EARLIER, Measured, paired_changes, published_by_size, size_trend
from explorer.measure.one_over_f.means import MeanInterval, change
from explorer.measure.one_over_f.published import ACCURACY, BETA_H, BETA_H_SIZE
from explorer.measure.one_over_f.results import NetworkResult, summary
from explorer.measure.one_over_f.stored import stored_results
from explorer.measure.study.documentation import ROOT, fill, shipped_results, table
from explorer.measure.study.page import typeset
from explorer.measure.study.written_sections import write_section

MODULE: Final = "explorer.measure.one_over_f.readme"
PAGE: Final = ROOT / "README.md"

HEADINGS: Final = (
    *("cells", "β of h: pinkx's recipe", "published recipe", "accuracy, %: pinkx's recipe", "published recipe"),
    "in the paper",
)


def section(study: dict[str, Any], recipes: dict[str, Any]) -> str:
    """Return the section for the results of the study and of the recipes."""
    ours = stored_results(study).by_size("lstm")
    theirs = published_by_size(recipes)
    small, *_, large = sorted(ours)
    networks = [network for some in ours.values() for network in some]
    changes = paired_changes(recipes, lambda one: float(one["beta"]["h"]["mean"]))
    earlier = [value for group, values in changes.items() if group.changes == EARLIER for value in values]
    logits = [float(network.controls["readout"]["mean"]) for network in networks]
    text = f"""
`pinkx measure one-over-f` reproduces every table and figure of the first paper from trained networks, adds what the
paper leaves open, and decides which of its claims hold. It writes a report (`index.html`), its figures and all numbers.

The result depends on how the networks are trained. β of the layer sum of h and the test accuracy, for pinkx's recipe
and for that of the authors' public code (`pinkx train --recipe published`), as means over networks; in brackets the 95%
interval of the mean. The paper reports a β of {BETA_H[0]} ± {BETA_H[1]} (over reviews) for one network of
{BETA_H_SIZE} cells.

{table(HEADINGS, [_row(size, ours[size], theirs[size]) for size in sorted(ours.keys() & theirs.keys())])}

Under the published recipe, β and the number of cells have {size_trend(theirs)}. That recipe trains far beyond the
lowest test loss; ended there, β of h changes by {change(earlier)}, over {len(earlier)} networks of all sizes.
What each ingredient of the published recipe changes is in [docs/one_over_f.md](docs/one_over_f.md). The figures below
show {len(networks)} LSTM networks of pinkx's recipe and the 1,871 test reviews of 500 words or more:

![β of the layer sum of h against the number of cells](assets/pictures/one-over-f-sizes.png)

Under this recipe, β of the layer sum does not fall to white noise as the layer grows: it is {_beta(ours[small])} at
{small} cells and {_beta(ours[large])} at {large}. The bands contain nine in ten series of exact white and 1/f noise,
measured in the same way.

![β of sums with the signs of cells drawn at random](assets/pictures/one-over-f-signs.png)

The sign of a cell is arbitrary: flip it together with its weights, and every output stays the same. But the layer sum
changes, and β with it. The logit does not depend on these signs: its β is {min(logits):.2f} to {max(logits):.2f} over
these networks.
"""
    return typeset(fill(text.strip()))


def _beta(networks: Sequence[NetworkResult]) -> MeanInterval:
    return MeanInterval.of([summary(network.of("h")) for network in networks])


def _row(size: int, ours: Sequence[NetworkResult], theirs: Sequence[Measured]) -> list[str]:
    intervals = (_beta(ours), MeanInterval.of([one["beta"]["h"] for one in theirs]))
    ours_accurate = np.mean([network.trained.accuracy for network in ours if network.trained.accuracy is not None])
    theirs_accurate = np.mean([one["test_accuracy"] for one in theirs])
    return [
        str(size),
        *(f"{one.in_table()}, n = {one.networks}" for one in intervals),
        *(f"{100 * ours_accurate:.1f}", f"{100 * theirs_accurate:.1f}", f"{ACCURACY[size]:.1f}"),
    ]


def current_section() -> str:
    """Return the section for the shipped results."""
    return section(shipped_results("one_over_f"), shipped_results("ingredients"))


if __name__ == "__main__":
    write_section(PAGE, MODULE, current_section())
