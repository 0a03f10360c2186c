"""The page docs/one_over_f.md, written from the JSON of the study, so that every number in it is a measured one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr, t as student

from engine.recipes import PINKX
from explorer.measure.one_over_f import along_training
from explorer.measure.one_over_f.aggregates import StudyResults, of_control, trends_with_size
from explorer.measure.one_over_f.ingredients import (
    EPOCH_HEADINGS,
    HEADINGS,
    Measured,
    by_changes,
    chosen,
    epoch_rows,
    paired_changes,
    published_by_size,
    rows,
    size_trend,
)
from explorer.measure.one_over_f.means import MeanInterval
from explorer.measure.one_over_f.published import ACCURACY, BETA_H, BETA_X
from explorer.measure.one_over_f.published_recipe import HEADINGS as CLAIM_HEADINGS, claim_rows
from explorer.measure.one_over_f.results import NetworkResult, spread, summary
from explorer.measure.one_over_f.stored import stored_results
from explorer.measure.study.documentation import ROOT, fill, shipped_results, table
from explorer.measure.study.page import typeset

PAGE = ROOT / "docs" / "one_over_f.md"
STUDY_SIZES = (8, 16, 32, 64, 128)  # numbers of cells of which the study wants SEEDS networks each
SEEDS = 5


def write_page(document: dict[str, Any], recipes: dict[str, Any]) -> str:
    """Return the page for the results of the study, ``document``, and of single ``recipes``."""
    results = stored_results(document)
    parts = (
        *(_head(results, document), _sizes(document, results), _claims(document), _findings(results)),
        _ingredients(recipes, results),
    )
    return typeset("\n\n".join(fill(part.strip()) for part in parts) + "\n")


def _head(results: StudyResults, document: dict[str, Any]) -> str:
    of_cell = {cell: len(results.of_cell(cell)) for cell in ("lstm", "gru", "rnn")}
    white, pink = results.white, results.pink
    return f"""# 1/f noise: results

<!-- Written by `python -m explorer.measure.one_over_f.documentation`; change the text there. -->

Chong & Ling (2024) find 1/f noise in the summed activity of LSTM layers that read film reviews. `pinkx measure
one-over-f` reproduces their tables and figures and decides which of their claims hold. This page shows the
results for {of_cell["lstm"]} LSTM networks (five seeds of each size), {of_cell["gru"]} GRU and {of_cell["rnn"]}
RNN networks, all trained by the recipe of pinkx, and then what the ingredients of the published recipe change.
A verdict is about the recipe of its networks. All numbers are in `assets/measured/one_over_f.json` and
`ingredients.json`.

```
pinkx train --size 8 --seed 0 --epochs 12 --every-epoch --out nets/lstm-8-s0.safetensors     and so on
pinkx measure one-over-f --networks 'nets/*.safetensors' --out one-over-f
```

Without `--networks`, the shipped networks are measured. Results are cached in `one-over-f/cache`: the same
command resumes an interrupted run, and measures only networks that are new. The report is `index.html`, next to
its figures (PNG, PDF), the numbers (JSON) and tables (CSV).

## Method

β of the layer sum, by unbiased DFA over twenty scales from 10 to 125 words, for each of the
{document["reviews"]:,} test reviews of 500 words or more, cut at 500. For exact white noise this estimator
gives {2 * white.alpha - 1:.2f} ± {2 * white.alpha_spread:.2f}, and for exact 1/f noise {2 * pink.alpha - 1:.2f}
± {2 * pink.alpha_spread:.2f}: standard deviation of single series; the null process is ARFIMA, see [Scales and
null](fluctuations.md). A mean over networks is compared with the mean of the null by its own 95% interval: a
bootstrap over seeds and, within each, over reviews, times Student's t. Trends with n are tested two-sided, with
p-values corrected for the number of trends (Holm). A cell is dead if the standard deviation of its h over a
review, averaged over reviews, is below 0.02.

## Published and measured
"""


def _sizes(document: dict[str, Any], results: StudyResults) -> str:
    rows = []
    for one in document["sizes"]:
        if one["cell"] != "lstm":
            continue
        mean, sd = one["accuracy"]
        spreads = (one["beta"]["h"], one["internal"], one["external"], one["beta"]["x"])
        rows.append(
            [
                *(str(one["size"]), str(one["networks"]), f"{ACCURACY[one['size']]:.2f}"),
                f"{100 * mean:.2f} ± {100 * sd:.2f}",
                *(f"{value['mean']:.2f} ± {value['seeds']:.2f}" for value in spreads),
                f"{one['dead'][0]:.0%}",
            ]
        )
    within = [summary(network.of("h"))["sd"] for network in results.of_cell("lstm")]
    below = [ACCURACY[one["size"]] - 100 * one["accuracy"][0] for one in document["sizes"] if one["cell"] == "lstm"]
    headings = (
        "n",
        "networks",
        "accuracy, %: published",
        "measured",
        "β of h",
        "internal",
        "external",
        "β of x",
        "dead",
    )
    return f"""{table(headings, rows)}

± is the standard deviation over seeds; that of β of h over reviews is {min(within):.2f} to {max(within):.2f}
within a network. Of {len(below)} accuracies, {sum(value > 0 for value in below)} lie below Table II, by
{min(below):.2f} to {max(below):.2f} points. Published: β of h {BETA_H[0]} ± {BETA_H[1]} (over reviews) in one
network, falling to about 0 at n = 128 in a figure; β of the input {BETA_X[0]} ± {BETA_X[1]}; internal below
external.
"""


def _claims(document: dict[str, Any]) -> str:
    rows = [[one["claim"], one["published"], one["measured"], f"**{one['verdict']}**"] for one in document["claims"]]
    return f"""{table(("claim", "published", "measured", "verdict"), rows)}

The criteria are in `explorer/measure/one_over_f/claims.py`, and next to each claim in the report. They are
ours; those of means and trends were changed after the networks had been measured, when a band for single series
turned out to be no test of a mean.
"""


def _mean(values: Iterable[float]) -> str:
    mean, sd = spread(list(values))
    return f"{mean:.2f}" if np.isnan(sd) else f"{mean:.2f} ± {sd:.2f}"


def _beta(network: NetworkResult) -> float:
    return summary(network.of("h"))["mean"]


def _control(name: str) -> Callable[[NetworkResult], float]:
    return lambda network: float(network.controls[name]["mean"])


def _findings(results: StudyResults) -> str:
    lstm = results.of_cell("lstm")
    sizes = results.by_size("lstm")
    flips = [network.controls["flipped"] for network in lstm]
    logit = {size: _mean(map(_control("readout"), some)) for size, some in sizes.items()}
    rho = spearmanr([n.trained.size for n in lstm], [_control("readout")(n) for n in lstm])
    other = {cell: _mean(map(_control("readout"), results.of_cell(cell))) for cell in ("gru", "rnn")}
    shuffled = [_control("shuffled")(n) - _control("plain")(n) for n in results.networks]
    crowded = [n for n in lstm if n.dead.mean() > 0.5]
    with_dead = [n for n in lstm if n.dead.any()]

    def change(networks: Sequence[NetworkResult]) -> list[float]:
        return [_control("live")(n) - _control("plain")(n) for n in networks]

    def without_dead(networks: Sequence[NetworkResult]) -> list[float]:
        return [100 * (n.controls["ablation"]["dead"] - n.controls["ablation"]["none"]) for n in networks]

    ablated, at_largest = without_dead(with_dead), np.mean(without_dead(sizes[max(sizes)]))
    live = np.mean([100 * n.controls["ablation"]["live"] for n in with_dead])
    short, long = (of_control(lstm, name).mean for name in ("4–16", "41–250"))
    table_one = results.variants
    accuracies = [100 * n.trained.accuracy for n in table_one if n.trained.accuracy is not None]
    listed = ", ".join(f"{_beta(n):.2f} (n = {n.trained.size})" for n in table_one)
    dead = {size: np.mean([n.dead.mean() for n in some]) for size, some in sizes.items()}
    trend = trends_with_size(lstm)["h"]
    return f"""## Three findings

**The layer sum has no fixed exponent.** tanh is odd: flip the sign of a cell, together with the weights into
its candidate and out of its h, and the network gives the same output for every review, but its layer sum is a
different series. Over 16 random draws of signs, β of one network has a range of
{np.mean([max(some) - min(some) for some in flips]):.1f} on average, and can be anything from
{min(map(min, flips)):.1f} to {max(map(max, flips)):.1f}; over the {len(lstm)} trained networks it is
{_mean(map(_beta, lstm))}, without a trend with n ({trend}). The logit, the sum weighted by the readout, does
not depend on these signs: its β is {logit[min(sizes)]} at n = {min(sizes)} and {logit[max(sizes)]} at n =
{max(sizes)} (ρ = {rho.statistic:.2f} over {len(lstm)} networks, two-sided p = {rho.pvalue:.2g}, one test),
{other["gru"]} in {len(results.of_cell("gru"))} GRUs and {other["rnn"]} in {len(results.of_cell("rnn"))} RNNs.
So the exponent comes from the task, not from the LSTM: evidence is accumulated, which turns a white signal into
a nearly Brownian one.

**The exponent comes from the network, not from the text.** With the words of every review shuffled, β of h
falls by {-np.mean(shuffled):.2f} on average, and in none of {len(shuffled)} networks by more than
{-min(shuffled):.2f}. Before training it is {_mean(map(_control("untrained"), results.networks))} (over
seeds and sizes), and so in most networks nearer to 1/f noise than after training.

**Dead cells are real, and do not whiten the sum.** Their fraction rises from {dead[min(sizes)]:.0%} at
{min(sizes)} cells to {dead[max(sizes)]:.0%} at {max(sizes)}. Ablating all of them at their mean changes the
accuracy by {at_largest:.2f} points there, and by {min(ablated):.2f} to {max(ablated):+.2f} points in the
{len(with_dead)} networks that have dead cells; ablating the live cells instead leaves {live:.1f} %. Without the
dead cells, β of the sum is higher by {np.mean(change(with_dead)):.2f} on average over these {len(with_dead)}
networks, and by {np.mean(change(crowded)):.2f} ({min(change(crowded)):.2f} to {max(change(crowded)):+.2f}) over
the {len(crowded)} of which they are the larger part: many small movements add up, in either direction.

## Possible reasons for the differences

The paper does not state its scales or its padding. Several choices change β: the signs of cells (see above);
the scales, from {short:.2f} for 4 to 16 words to {long:.2f} for 41 to 250; normalising cells before the sum, to
{of_control(lstm, "normalised").mean:.2f}; and the training. {len(table_one)} networks trained by Table I alone
(no omitted words, no clipping, no averaging; six epochs, no padding) reach {min(accuracies):.1f} to
{max(accuracies):.1f} %; their β is {listed}.
"""


def _ingredients(document: dict[str, Any], results: StudyResults) -> str:
    low, high = 2 * results.pink.low - 1, 2 * results.pink.high - 1  # 1/f noise
    groups = by_changes(document)
    published = groups["published"]
    size = min(run["size"] for run in document["runs"])
    epochs = published[0]["recipe"]["epochs"]
    counts = "; ".join(f"{name}: {len(runs)}" for name, runs in groups.items())
    h = [chosen(run)["beta"]["h"]["mean"] for run in document["runs"] if run["size"] == size]
    inside = sum(low <= chosen(run)["beta"]["h"]["mean"] <= high for run in published)
    later = {
        name: [
            float(np.subtract(*(chosen(run, by)["beta"][name]["mean"] for by in ("training", "test"))))
            for run in published
        ]
        for name in ("h", "logit")
    }
    gaps = [
        [one["test_loss"] - one["loss"] for run in published for one in run["epochs"] if one["epoch"] == epoch]
        for epoch in (1, epochs)
    ]
    pairs = {name: found for name, found in paired_changes(document).items() if len(found) > 1}
    moved = [f"{name} {_mean_change(found)}" for name, found in pairs.items()]
    certain = [name for name, found in pairs.items() if abs(np.mean(found)) > _half_interval(found)]
    published_sizes = published_by_size(document)
    every = [runs for runs in groups.values() if runs[0]["changes"] == "published"]
    along = {runs[0]["size"]: runs for runs in every if runs[0]["size"] in (size, STUDY_SIZES[-1])}
    without_zero = f"The interval excludes zero for {', '.join(certain)}." if certain else "No interval excludes zero."
    without_zero += f" These are {len(pairs)} intervals, not corrected for their number."
    return f"""
## The published recipe, and single ingredients of it

`pinkx train --recipe published` trains as the authors' public code does; every ingredient is an option. LSTMs of
{size} cells and {epochs} epochs unless stated otherwise, every epoch stored and measured: β over {document["reviews"]}
long test reviews, loss and accuracy over {document["test_reviews"]:,} test reviews.
Number of networks, each with a seed of its own: {counts}.

```
pinkx train --recipe published --every-epoch --grid 'seed=0..4 switch=all' --out runs
pinkx measure ingredients runs --out ingredients
```

Both commands continue where they were interrupted. The epoch is that of the lowest training loss, as published, unless
the row says otherwise; the lowest test loss uses test reviews and so is optimistic. "Internal" and "external" are means
over the signals i, f, g, o and over c_out, h; "dead" is the number of dead cells of each network; the "gap" is test
loss − training loss, where the training loss includes dropout and the L2 penalty. With "selection validation", the
epoch is that of the lowest loss on {PINKX.validation:,} training reviews that are held out; with "split joined", the
networks are trained on 40,000 reviews of both official parts, and measured on others. The 95% interval of the mean is
that of a bootstrap over seeds and reviews, times Student's t; ± is the standard deviation over seeds.

{table(HEADINGS, rows(document))}

Change of β of h by one ingredient, for the same seeds, with the 95% interval of the mean (Student's t):
{"; ".join(moved) or "not known"}. {without_zero}
β of h is {min(h):.2f} to {max(h):.2f} over all these networks at the epoch of the
lowest training loss; {inside} of the {len(published)} published ones lie where 90% of single series of
1/f noise do, {low:.2f} … {high:.2f}. Overfitting is large: under the
published recipe, the gap grows from {np.mean(gaps[0]):.2f} after the first epoch to {np.mean(gaps[1]):.2f} after the
last. Training beyond the epoch of the lowest test loss, to that of the lowest training loss, changes β in the published
networks: {"; ".join(f"{name} {_mean_change(values)}" for name, values in later.items())}.

{_by_size(published_sizes)}The criteria and null processes of the study above decide these claims; the 95% interval of
their difference decides the one on groups of signals:

{table(CLAIM_HEADINGS, claim_rows(published_sizes, results))}

What β goes along with during training under the published recipe: the rank correlation over the epochs of a run, its
mean over networks and the 95% interval of that mean (Student's t). Losses, accuracy and gap all change with the epoch,
so no column stands for a cause.

{table(along_training.HEADINGS, along_training.rows(along))}

By epoch, means over the networks:

{table(EPOCH_HEADINGS, epoch_rows(document))}

{_missing(groups, size)}
"""


def _missing(groups: Mapping[str, Sequence[Measured]], smallest: int) -> str:
    """Return the sentence on the runs that the study wants and ``groups`` lack."""
    largest = STUDY_SIZES[-1]
    wanted = [name for name, runs in groups.items() if runs[0]["size"] == smallest and "epochs" not in name]
    wanted += [f"{name}, {largest} cells" for name in wanted]
    wanted += [f"published, {size} cells" for size in STUDY_SIZES[1:-1]]
    few = [f"{name} ({len(groups.get(name, ()))})" for name in wanted if len(groups.get(name, ())) < SEEDS]
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


def _half_interval(differences: Sequence[float]) -> float:
    """Return half of the 95% interval of the mean of differences, by Student's t."""
    n = len(differences)
    return float(student.ppf(0.975, n - 1) * np.std(differences, ddof=1) / np.sqrt(n))


def _mean_change(differences: Sequence[float]) -> str:
    mean, half = float(np.mean(differences)), _half_interval(differences)
    return f"{mean:+.2f} ({mean - half:+.2f} … {mean + half:+.2f}, n = {len(differences)})"


def current_page() -> str:
    """Return the page for the shipped results."""
    return write_page(shipped_results("one_over_f"), shipped_results("ingredients"))


if __name__ == "__main__":
    PAGE.write_text(current_page(), encoding="utf-8")
