"""The page docs/one_over_f.md, written from the JSON of the study, so that every number in it is a measured one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from explorer.measure.one_over_f import ingredients_page
from explorer.measure.one_over_f.aggregates import StudyResults, of_control, trends_with_size
from explorer.measure.one_over_f.published import ACCURACY, BETA_H, BETA_X
from explorer.measure.one_over_f.results import NetworkResult, spread, summary
from explorer.measure.one_over_f.stored import stored_results
from explorer.measure.study.documentation import ROOT, fill, shipped_results, table
from explorer.measure.study.page import typeset

PAGE = ROOT / "docs" / "one_over_f.md"


def write_page(document: dict[str, Any], recipes: dict[str, Any]) -> str:
    """Return the page for the results of the study, ``document``, and of single ``recipes``."""
    results = stored_results(document)
    parts = (
        *(_head(results, document), ingredients_page.changes(recipes, results)),
        *(ingredients_page.claims(recipes, results), _sizes(document, results), _claims(document)),
        *(_findings(results), ingredients_page.by_epoch(recipes)),
    )
    return typeset("\n\n".join(fill(part.strip()) for part in parts) + "\n")


def _head(results: StudyResults, document: dict[str, Any]) -> str:
    of_cell = {cell: len(results.of_cell(cell)) for cell in ("lstm", "gru", "rnn")}
    white, pink = results.white, results.pink
    return f"""# 1/f noise: results

<!-- Written by `python -m explorer.measure.one_over_f.documentation`; change the text there. -->

Chong & Ling (2024) find 1/f noise in the summed activity of LSTM layers that read film reviews. `pinkx measure
one-over-f` reproduces their tables and figures and decides which of their claims hold. The answer depends on how
the networks are trained, so this page first shows what each ingredient of the published recipe does to β, and then
which claims hold under that recipe, and which for {of_cell["lstm"]} LSTM networks (five seeds of each size),
{of_cell["gru"]} GRU and {of_cell["rnn"]} RNN networks of the recipe of pinkx. All numbers are in
`assets/measured/ingredients.json` and `one_over_f.json`.

## Method

β of the layer sum, by unbiased DFA over twenty scales from 10 to 125 words, for each of the
{document["reviews"]:,} test reviews of 500 words or more, cut at 500. For exact white noise this estimator
gives {2 * white.alpha - 1:.2f} ± {2 * white.alpha_spread:.2f}, and for exact 1/f noise {2 * pink.alpha - 1:.2f}
± {2 * pink.alpha_spread:.2f}: standard deviation of single series; the null process is ARFIMA, see [Scales and
null](fluctuations.md). A mean over networks is compared with the mean of the null by its own 95% interval: a
bootstrap over seeds and, within each, over reviews, times Student's t. Trends with n are tested two-sided, with
p-values corrected for the number of trends (Holm). A cell is dead if the standard deviation of its h over a
review, averaged over reviews, is below 0.02.
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
    return f"""## The claims under the recipe of pinkx

```
pinkx train --size 8 --seed 0 --epochs 12 --every-epoch --out nets/lstm-8-s0.safetensors     and so on
pinkx measure one-over-f --networks 'nets/*.safetensors' --out one-over-f
```

Without `--networks`, the shipped networks are measured. Results are cached in `one-over-f/cache`: the same
command resumes an interrupted run, and measures only networks that are new. The report is `index.html`, next to
its figures (PNG, PDF), the numbers (JSON) and tables (CSV).

{table(headings, rows)}

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


def current_page() -> str:
    """Return the page for the shipped results."""
    return write_page(shipped_results("one_over_f"), shipped_results("ingredients"))


if __name__ == "__main__":
    PAGE.write_text(current_page(), encoding="utf-8")
