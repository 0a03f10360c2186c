"""The parts of docs/one_over_f.md about the published recipe, written from the JSON of `pinkx measure ingredients`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from scipy.stats import ttest_1samp

from engine.recipes import PINKX
from explorer.measure.one_over_f import along_training
from explorer.measure.one_over_f.aggregates import StudyResults
from explorer.measure.one_over_f.ingredients import (
    EPOCH_HEADINGS,
    HEADINGS,
    Group,
    Measured,
    chosen,
    epoch_rows,
    group_betas,
    grouped,
    paired_changes,
    published_by_size,
    rows,
    size_trend,
    smallest_size,
)
from explorer.measure.one_over_f.means import MeanInterval, change, holm
from explorer.measure.one_over_f.published import ACCURACY, BETA_H, BETA_H_SIZE, EXTERNAL, INTERNAL
from explorer.measure.one_over_f.published_recipe import HEADINGS as CLAIM_HEADINGS, claim_rows
from explorer.measure.one_over_f.results import summary
from explorer.measure.study.documentation import table

STUDY_SIZES: Final = (8, 16, 32, 64, 128)  # numbers of cells of which the study wants SEEDS networks each
SEEDS: Final = 5

Groups = Mapping[Group, Sequence[Measured]]

JUMP: Final = 0.1  # rise of the training loss, in nats, that counts as a jump

_HELD_OUT: Final = "… lowest loss on held-out reviews"
_SEPARATING: Final = {
    "published": "published recipe",
    "validation 1250, selection validation": _HELD_OUT,
    "split joined": "… joined split, as the authors have it",
}
_QUANTITIES: Final = {
    "β of h": lambda one: float(one["beta"]["h"]["mean"]),
    "logit": lambda one: float(one["beta"]["logit"]["mean"]),
    "internal": lambda one: group_betas([one], INTERNAL["lstm"])[0],
    "external": lambda one: group_betas([one], EXTERNAL["lstm"])[0],
    "accuracy, points": lambda one: 100 * float(one["test_accuracy"]),
}


def changes(document: dict[str, Any], results: StudyResults) -> str:
    """Return what every ingredient changes."""
    groups = grouped(document)
    size = smallest_size(document)
    published = groups[Group("published", size)]
    counts = "; ".join(f"{group.label(size)}: {len(runs)}" for group, runs in groups.items())
    h = [chosen(run)["beta"]["h"]["mean"] for run in document["runs"] if run["size"] == size]
    low, high = 2 * results.pink.low - 1, 2 * results.pink.high - 1  # 1/f noise
    inside = sum(low <= chosen(run)["beta"]["h"]["mean"] <= high for run in published)
    epochs = published[0]["recipe"]["epochs"]
    gaps = [
        [one["test_loss"] - one["loss"] for run in published for one in run["epochs"] if one["epoch"] == epoch]
        for epoch in (1, epochs)
    ]
    ends = (size, STUDY_SIZES[-1])
    along = {group.size: runs for group, runs in groups.items() if group.changes == "published" and group.size in ends}
    differences = "\n\n".join(filter(None, (_difference(groups, results, size) for size in ends)))
    return f"""
## What the ingredients of the published recipe change

`pinkx train --recipe published` trains as the authors' public code does; every ingredient is an option. LSTMs of
{size} cells and {epochs} epochs unless stated otherwise, every epoch stored and measured: β over {document["reviews"]}
long test reviews, loss and accuracy over {document["test_reviews"]:,} test reviews.
Number of networks, each with a seed of its own: {counts}.

```
pinkx train --recipe published --every-epoch --grid 'seed=0..4 switch=all' --out runs
pinkx measure ingredients runs --out ingredients
```

Both commands continue where they were interrupted. The epoch is that of the lowest training loss, as published, unless
the row says otherwise. With "selection validation", it is that of the lowest loss on {PINKX.validation:,} training
reviews that are held out; with "split joined", the networks are trained on 40,000 reviews of both official parts, and
measured on others.

Change by one ingredient, for the same seeds: the mean of the differences from the published recipe and its 95% interval
(Student's t). "Lowest test loss" is the published recipe, ended at that epoch. "Internal" and "external"
are means of β over the signals i, f, g, o and over c_out, h. p is that of a two-sided t test of β of h over all
networks of an ingredient, corrected for the number of ingredients (Holm).

{table(*_change_table(document))}

{differences}

{_jumps(document)}{_longer(groups, size)}{_missing(groups, size)}

The networks behind it: "dead" is the number of dead cells of each network; the "gap" is test loss − training loss,
where the training loss includes dropout and the L2 penalty; the lowest test loss uses test reviews and so is
optimistic. The 95% interval of the mean is that of a bootstrap over seeds and reviews, times Student's t; ± is the
standard deviation over seeds.

{table(HEADINGS, rows(document))}

β of h is {min(h):.2f} to {max(h):.2f} over all networks of {size} cells at the epoch that the recipe selects; {inside}
of the {len(published)} published ones lie where 90% of single series of 1/f noise do, {low:.2f} … {high:.2f}.
Overfitting is large: under the published recipe, the gap grows from {np.mean(gaps[0]):.2f} after the first epoch to
{np.mean(gaps[1]):.2f} after the last.

What β goes along with during training under the published recipe: the rank correlation over the epochs of a run, its
mean over networks and the 95% interval of that mean (Student's t). Losses, accuracy and gap all change with the epoch,
so no column stands for a cause.

{table(along_training.HEADINGS, along_training.rows(along))}
"""


def claims(document: dict[str, Any], results: StudyResults) -> str:
    """Return which claims hold under the published recipe."""
    published = published_by_size(document)
    return f"""
## The claims under the published recipe

{_by_size(published)}The criteria and null processes of `pinkx measure one-over-f` decide these claims; the 95% interval
of their difference decides the one on groups of signals:

{table(CLAIM_HEADINGS, claim_rows(published, results))}
"""


def by_epoch(document: dict[str, Any]) -> str:
    """Return the table of epochs."""
    return f"""
## The published recipe by epoch

Means over the networks; epoch 0 is the untrained network.

{table(EPOCH_HEADINGS, epoch_rows(document))}
"""


def _change_table(document: Measured) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return headings and rows of the table of changes; an ingredient of several sizes has a last row for all of them.

    An ingredient has one p, that of its last row, so that no network is tested twice.
    """
    found = {name: paired_changes(document, of) for name, of in _QUANTITIES.items()}
    smallest = smallest_size(document)
    ingredients: dict[str, list[Group]] = {}
    for group in found["β of h"]:
        ingredients.setdefault(group.changes, []).append(group)
    rows: dict[str, list[list[float]]] = {}  # the changes of each quantity
    p: dict[str, float] = {}
    for ingredient, groups in ingredients.items():
        rows |= {group.label(smallest): [changes[group] for changes in found.values()] for group in groups}
        last = groups[0].label(smallest) if len(groups) == 1 else f"{ingredient}, all sizes"
        rows[last] = [[value for group in groups for value in changes[group]] for changes in found.values()]
        if len(rows[last][0]) > 1:
            p[last] = float(ttest_1samp(rows[last][0], 0).pvalue)
    p = holm(p)
    return ("ingredient", "networks", *_QUANTITIES, "p"), [
        [name, str(len(values[0])), *map(change, values), f"{p[name]:.2g}" if name in p else "–"]
        for name, values in rows.items()
    ]


def _difference(groups: Groups, results: StudyResults, size: int) -> str:
    """Return what separates the paper, the published recipe and the recipe of pinkx at a size."""
    found: dict[str, tuple[MeanInterval, float]] = {}
    if ours := results.by_size("lstm").get(size):
        known = [network.trained.accuracy for network in ours if network.trained.accuracy is not None]
        found["recipe of pinkx"] = MeanInterval.of([summary(one.of("h")) for one in ours]), 100 * float(np.mean(known))
    for name, label in _SEPARATING.items():
        if ones := [chosen(run) for run in groups.get(Group(name, size), ())]:
            accuracy = 100 * float(np.mean([one["test_accuracy"] for one in ones]))
            found[label] = MeanInterval.of([one["beta"]["h"] for one in ones]), accuracy
    rows = [[label, str(h.networks), h.in_table(), f"{accuracy:.1f}"] for label, (h, accuracy) in found.items()]
    if len(rows) < 2:
        return ""
    if size in ACCURACY:
        beta = f"{BETA_H[0]} ± {BETA_H[1]} (reviews, 1 network)" if size == BETA_H_SIZE else "–"
        rows.insert(0, ["Chong & Ling", "–", beta, f"{ACCURACY[size]:.2f}"])
    headings = (f"training, {size} cells", "networks", "β of h", "accuracy, %")
    text = f"What separates the recipes at {size} cells:\n\n{table(headings, rows)}"
    base, held_out, pinkx = (found.get(label) for label in ("published recipe", _HELD_OUT, "recipe of pinkx"))
    if base and held_out and pinkx:
        low, middle, high = (one[0].mean for one in (base, held_out, pinkx))
        if low < held_out[0].low <= high <= held_out[0].high:
            share = "is enough to account for the difference in β"
        else:
            share = f"accounts for {middle - low:.2f} of the difference of {high - low:.2f} between the two recipes"
        text += f"\n\nAt {size} cells, the epoch that is selected {share}."
    return text


def _jumps(document: Measured) -> str:
    """Return the sentence on training losses that rise, with and without clipping, if there are networks of both."""
    rises: dict[bool, list[float]] = {}
    for run in document["runs"]:
        losses = np.array([one["loss"] for one in run["epochs"] if one["loss"] is not None])
        rise = float(np.max(losses - np.minimum.accumulate(losses)))
        rises.setdefault(run["recipe"]["clip"] > 0, []).append(rise)
    if len(rises) < 2:
        return ""
    jumping = {clipped: f"{sum(rise > JUMP for rise in some)} of {len(some)}" for clipped, some in rises.items()}
    return f"""Jumps: without clipping, the training loss rises by more than {JUMP} above its lowest so far in
{jumping[False]} networks, by {max(rises[False]):.2f} at most; with clipping
in {jumping[True]}, by {max(rises[True]):.2f} at most.

"""


def _longer(groups: Groups, size: int) -> str:
    """Return the sentence on longer runs of a size with padding behind, if there are any."""
    found: dict[int, list[Measured]] = {}
    for group, runs in groups.items():
        if runs[0]["recipe"]["padding"] == "behind" and group.size == size:
            found.setdefault(runs[0]["recipe"]["epochs"], []).extend(run["epochs"][-1] for run in runs)
    if len(found) < 2:
        return ""
    parts = []
    for epochs, ones in sorted(found.items()):
        accuracy, loss = (np.mean([one[name] for one in ones]) for name in ("test_accuracy", "loss"))
        networks = f"{len(ones)} network{'s' * (len(ones) > 1)}"
        parts.append(f"{100 * accuracy:.1f} % and {loss:.3f} after {epochs} epochs ({networks})")
    return f"""Longer training with padding behind: accuracy and training loss are {"; ".join(parts)}; chance is 50 %.

"""


def _missing(groups: Groups, smallest: int) -> str:
    """Return the sentence on the runs that the study wants and ``groups`` lack."""
    largest = STUDY_SIZES[-1]
    ingredients = [group.changes for group in groups if group.size == smallest and "epochs" not in group.changes]
    wanted = [Group(changes, size) for size in (smallest, largest) for changes in ingredients]
    wanted += [Group("published", size) for size in STUDY_SIZES[1:-1]]
    counts = {group: len(groups.get(group, ())) for group in wanted}
    few = [f"{group.label(smallest)} ({count})" for group, count in counts.items() if count < SEEDS]
    if not few:
        return f"Every ingredient has {SEEDS} networks of {smallest} and of {largest} cells."
    return f"Not trained with {SEEDS} seeds yet, in parentheses the networks there are: {'; '.join(few)}."


def _by_size(published: Mapping[int, Sequence[Measured]]) -> str:
    """Return the sentences on β of h under the published recipe against the number of cells."""
    if len(published) < 2:
        return ""
    betas = {size: [one["beta"]["h"] for one in ones] for size, ones in published.items()}
    means = "; ".join(f"{size} cells {MeanInterval.of(ones)}" for size, ones in betas.items())
    return f"""By size, β of h under the published recipe: {means}. β and size have {size_trend(published)}.

"""
