"""The paper's claims, each decided by a criterion, which is ours.

*holds*: everything measured meets the criterion.  *depends on a choice*: some of it does, or another reasonable way to
measure.  *does not hold*: nothing does.  *undecided*: the error of the mean is too large.  *not measured*: the networks
or controls it needs are missing.

A mean over networks is compared by its own 95 % interval (see `means`), with the
mean of the estimator for exact noise of the same length (ARFIMA) as the target and `MARGIN` as the tolerance.  Trends
with n are tested two-sided, with p-values corrected for the number of trends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from engine.activity import THRESHOLD
from engine.fluctuation import log_spaced_scales
from engine.null import Null
from explorer.measure.one_over_f.aggregates import (
    StudyResults,
    grouped,
    mean_beta,
    of_control,
    over_networks,
    trends_with_size,
)
from explorer.measure.one_over_f.means import MeanInterval
from explorer.measure.one_over_f.published import ACCURACY, BETA_H, BETA_X, R2
from explorer.measure.one_over_f.results import NetworkResult, ranges, spread, summary
from explorer.measure.study.claims import DEPENDS, FAILS, HOLDS, OPEN, UNDECIDED, Claim, verdict

SIGNIFICANCE: Final = 0.01  # corrected p-value below which a trend counts
_SIGNIFICANT: Final = f"two-sided p < {SIGNIFICANCE}, corrected for the number of trends (Holm)"
MARGIN: Final = 0.2  # a fifth of the distance between white and 1/f noise


def decide_claims(results: StudyResults) -> list[Claim]:
    """Return every claim of the paper that numbers can decide, in the paper's order."""
    return [claim for part in (_the_task, _pink, _capacity, _cells, _groups, _training) for claim in part(results)]


def near(beta: float, null: Null) -> bool:
    """Return whether a mean β lies within `MARGIN` of the mean of the estimator for the noise of ``null``."""
    return abs(beta - _centre(null)) <= MARGIN


def _centre(null: Null) -> float:
    return 2 * null.alpha - 1


def by_mean(mean: MeanInterval, null: Null) -> str:
    """Return the verdict for a mean that should be that of noise."""
    if not mean.networks:
        return OPEN
    return {True: HOLDS, False: FAILS, None: UNDECIDED}[mean.within(_centre(null), MARGIN)]


def _mean(network: NetworkResult, signal: str) -> float:
    return summary(network.of(signal))["mean"]


def _the_task(results: StudyResults) -> Iterator[Claim]:
    pairs = [
        (size, mean, 100 * spread([n.trained.accuracy for n in networks if n.trained.accuracy is not None])[0])
        for size, networks in results.by_size().items()
        if (mean := ACCURACY.get(size)) and any(n.trained.accuracy is not None for n in networks)
    ]
    off = [ours - theirs for _, theirs, ours in pairs]
    yield Claim(
        "The networks learn the task",
        "Table II",
        "88.24 % (n = 128) to 88.97 % (n = 16)",
        "the mean accuracy of every size lies within one percentage point of Table II",
        f"{min(off):+.2f} to {max(off):+.2f} points relative to Table II, below it at {sum(one < 0 for one in off)} of "
        f"{len(off)} sizes; {len(results.of_cell(results.main))} networks"
        if off
        else "no accuracy in the networks' files",
        verdict([abs(difference) <= 1 for difference in off]),
    )


def _pink(results: StudyResults) -> Iterator[Claim]:
    small = next(iter(results.by_size().items()))
    mean = mean_beta(small[1], "h")
    among = [near(value, null) for network in small[1] for value, null in _other_ways(results, network)]
    otherwise = [
        _mean(n, "h") for n in results.variants if (n.trained.cell, n.trained.size) == (results.main, small[0])
    ]
    retrained = [near(value, results.pink) for value in otherwise]
    found = by_mean(mean, results.pink)
    yield Claim(
        f"The layer sum of h is 1/f noise in a small network (n = {small[0]})",
        "Figure 3(c)",
        f"β = {BETA_H[0]} ± {BETA_H[1]} (reviews), one network",
        f"the mean over networks is that of the estimator for 1/f noise, {_centre(results.pink):.2f}, to ±{MARGIN}, by "
        "its 95% interval; other choices: flipped signs, normalised cells, single cells, other scales (with their own "
        "null), another training recipe",
        f"{mean}"
        + (f"; with other choices {sum(among)} of {len(among)} near" if among else "")
        + (f"; with other recipes {_listed(otherwise)}" if otherwise else ""),
        DEPENDS if found == FAILS and (any(among) or any(retrained)) else found,
    )
    inputs = mean_beta(results.networks, "x")
    yield Claim(
        "The input is white noise",
        "Section III B, Figure 3(c)",
        f"β = {BETA_X[0]} ± {BETA_X[1]} (reviews)",
        f"the mean over networks is that of the estimator for white noise, {_centre(results.white):.2f}, to ±{MARGIN}, "
        "by its 95% interval",
        f"{inputs}",
        by_mean(inputs, results.white),
    )
    r2 = [network.r2 for network in results.of_cell(results.main) if np.isfinite(network.r2)]
    yield Claim(
        "β of h does not follow β of the input",
        "Figure 4",
        f"R² = {R2}, one network",
        "R² < 0.1 in every network",
        f"R² {min(r2):.3f} to {max(r2):.3f}, below 0.1 in {sum(value < 0.1 for value in r2)} of {len(r2)} networks"
        if r2
        else "too few reviews",
        verdict([value < 0.1 for value in r2]),
    )
    changes = _changes(results.networks, "shuffled")
    yield Claim(
        "The noise comes from the network, not from the text",
        "Section III B",
        "inferred from the white input",
        "shuffling the words of every review changes no network's mean β of h by 0.1 or more",
        f"{_range(changes)} over {len(changes)} networks" if changes else "–",
        verdict([abs(change) < 0.1 for change in changes]),
    )
    padded = {
        name: [
            network.controls[name]["mean"] - network.controls["padding none"]["mean"]
            for network in results.of_cell(results.main)
            if name in network.controls
        ]
        for name in ("padding before", "padding after", "padding before, masked", "padding after, masked")
    }
    means = {name.removeprefix("padding "): over(values) for name, values in padded.items() if values}
    yield Claim(
        "Padding lowers β",
        "Section III A",
        "stated, no number",
        "the mean change of β of h is negative, by its 95% interval, for padding before and after the words, read and "
        "masked",
        "; ".join(f"{name} {change.mean:+.2f} ({_signed(change)})" for name, change in means.items())
        + f"; {next(iter(means.values())).networks} networks"
        if means
        else "–",
        verdict([change.high < 0 for change in means.values()]),
    )


def _capacity(results: StudyResults) -> Iterator[Claim]:
    networks = results.of_cell(results.main)
    trends = trends_with_size(networks)
    trend = trends["h"]
    sizes = results.by_size()
    ends = f"{over_networks(sizes[min(sizes)], 'h')} at n = {min(sizes)}, {over_networks(sizes[max(sizes)], 'h')} at "
    yield Claim(
        "β of h falls as the layer grows",
        "Figure 5",
        "falls from pink at n = 8 to white at n = 128",
        f"Spearman's ρ of n and the networks' β is negative, {_SIGNIFICANT}",
        f"{ends}n = {max(sizes)} (± seeds); {trend}",
        OPEN if np.isnan(trend.rho) else HOLDS if trend.falls(SIGNIFICANCE) else FAILS,
    )
    largest = sizes[max(sizes)]
    mean = mean_beta(largest, "h")
    yield Claim(
        "The largest layer's sum is effectively white",
        "Section III C, Figure 5",
        "β near 0 at n = 128",
        f"the mean over networks of 128 cells or more is that of white noise, {_centre(results.white):.2f}, to "
        f"±{MARGIN}, by its 95% interval",
        f"{mean} at n = {max(sizes)}",
        by_mean(mean, results.white) if max(sizes) >= 128 else OPEN,
    )
    known = {name: one for name, one in trends.items() if name not in ("h", "dead") and np.isfinite(one.rho)}
    yield Claim(
        "The other signals fall in the same way",
        "Section III C, Appendix A",
        "figures only",
        "the same criterion for each of the other signals",
        "; ".join(f"{name} ρ = {one.rho:.2f}, p = {one.p:.2g}" for name, one in known.items())
        + f"; {len(networks)} networks"
        if known
        else "too few sizes",
        verdict([one.falls(SIGNIFICANCE) for one in known.values()]),
    )


def _cells(results: StudyResults) -> Iterator[Claim]:
    networks, sizes = results.of_cell(results.main), results.by_size()
    trend = trends_with_size(networks)["dead"]
    shares = {size: np.mean([network.dead.mean() for network in some]) for size, some in sizes.items()}
    yield Claim(
        "Large layers have many dead cells",
        "Figure 6, Appendix B",
        "seen in 8 cells of each network, one review",
        f"the share of cells whose h moves by less than {THRESHOLD} (s.d. over a review, mean over reviews) grows with "
        f"n, {_SIGNIFICANT}, and exceeds a half in the largest",
        f"{shares[min(sizes)]:.0%} at n = {min(sizes)}, {shares[max(sizes)]:.0%} at n = {max(sizes)}, "
        f"{len(networks)} networks",
        OPEN if np.isnan(trend.rho) else HOLDS if trend.falls(SIGNIFICANCE) and shares[max(sizes)] > 0.5 else FAILS,
    )
    crowded = [network for network in networks if network.dead.mean() > 0.5 and "live" in network.controls]
    changes = _changes(crowded, "live")
    mean, seeds = spread(changes)
    yield Claim(
        "Dead cells lower β of the sum",
        "Section IV",
        "given as the reason for Figure 5",
        "without dead cells, β of h is higher by 0.1 or more in every network with more dead than live cells",
        f"change {mean:+.2f} ± {seeds:.2f} (networks), {_range(changes)}; 0.1 or more in "
        f"{sum(change >= 0.1 for change in changes)} of {len(changes)}"
        if changes
        else "–",
        verdict([change >= 0.1 for change in changes]),
    )
    ablations = [
        network.controls["ablation"] for network in networks if network.dead.any() and network.controls.get("ablation")
    ]
    lost = [100 * (one["dead"] - one["none"]) for one in ablations]
    yield Claim(
        "Dead cells take no part in the task",
        "Section IV",
        "inferred from little activity",
        "ablating them at their mean changes the accuracy by less than half a percentage point in every network",
        f"{_range(lost)} points over {len(lost)} networks; live cells ablated instead: "
        f"{100 * spread([one['live'] for one in ablations])[0]:.1f} % correct"
        if ablations
        else "–",
        verdict([abs(change) < 0.5 for change in lost]),
    )


def _groups(results: StudyResults) -> Iterator[Claim]:
    if results.main == "rnn":
        return
    pairs = {size: (grouped(some, True), grouped(some, False)) for size, some in results.by_size().items()}
    below = [inner.mean < outer.mean for inner, outer in pairs.values() if np.isfinite(inner.mean + outer.mean)]
    gaps = [outer.mean - inner.mean for inner, outer in pairs.values()]
    each = [grouped([one], False).mean - grouped([one], True).mean for one in results.of_cell(results.main)]
    mean = over(each)
    yield Claim(
        "Internal signals have a smaller β than external ones",
        "Figure 7",
        "at every n, figure only",
        "at every n the mean over i, f, c̃, o is below that over c_out, h, and over all networks by its 95% interval",
        f"below at {sum(below)} of {len(below)} sizes, by {_range(gaps)}; over all {mean.networks} networks by "
        f"{mean.mean:+.2f} ({_signed(mean)})"
        if below
        else "–",
        verdict([*below, mean.low > 0]) if below else OPEN,
    )


def _training(results: StudyResults) -> Iterator[Claim]:
    centre = 2 * results.pink.alpha - 1
    margin = 0.05  # resolution of a mean over some hundred reviews
    twins = [network for network in results.networks if "untrained" in network.controls]
    trained, raw = of_control(twins, "plain").mean, of_control(twins, "untrained").mean
    nearer = [_distance(n, "plain", centre) < _distance(n, "untrained", centre) - margin for n in twins]
    yield Claim(
        "1/f noise is a signature of learning",
        "Abstract, Section IV",
        "the paper's hypothesis",
        f"β of h is nearer to that of 1/f noise ({centre:.2f} by this estimator) after training than before, by "
        f"{margin} or more, in every network",
        f"{raw:.2f} untrained, {trained:.2f} trained (means); nearer after training in {sum(nearer)} of {len(twins)} "
        "networks"
        if twins
        else "–",
        verdict(nearer),
    )
    runs = [([n for n in run if n.trained.epoch], results.best_epoch(run)) for run in results.trajectories().values()]
    judged = [
        abs(_at(run, best) - centre) < min(abs(_mean(end, "h") - centre) for end in (run[0], run[-1])) - margin
        for run, best in runs
        if best is not None
    ]
    shown = [
        f"epoch {run[0].trained.epoch}: {_mean(run[0], 'h'):.2f}, best ({best}): {_at(run, best):.2f}, "
        f"last: {_mean(run[-1], 'h'):.2f}"
        for run, best in runs
        if best is not None
    ]
    yield Claim(
        "… of optimal learning",
        "Abstract",
        "the paper's hypothesis",
        f"β of h is nearer to that of 1/f noise at the best epoch than at the first and at the last, by {margin} or "
        "more, in every run",
        "; ".join(shown) or "no run with networks of every epoch",
        verdict(judged),
    )


def _at(run: Sequence[NetworkResult], epoch: int) -> float:
    return next(_mean(network, "h") for network in run if network.trained.epoch == epoch)


def _distance(network: NetworkResult, control: str, centre: float) -> float:
    return abs(network.controls[control]["mean"] - centre)


def _other_ways(results: StudyResults, network: NetworkResult) -> list[tuple[float, Null]]:
    """Return β of h for other sums and at other scales, each with the null to compare it with."""
    if not network.controls:
        return []
    sums = [network.controls[name]["mean"] for name in ("normalised", "cells")] + network.controls["flipped"]
    scales = ranges(results.sample.length)
    return [(value, results.pink) for value in sums] + [
        (network.controls[f"{low}–{high}"]["mean"], results.null(1.0, log_spaced_scales(low, high)))
        for low, high in scales
    ]


def _changes(networks: Sequence[NetworkResult], control: str) -> list[float]:
    return [
        network.controls[control]["mean"] - network.controls["plain"]["mean"]
        for network in networks
        if control in network.controls and np.isfinite(network.controls[control]["mean"])
    ]


def over(values: Sequence[float]) -> MeanInterval:
    """Return the mean of one value a network, with its error."""
    return MeanInterval.of([{"mean": value, "sd": 0.0, "count": 1} for value in values])


def _signed(mean: MeanInterval) -> str:
    return f"{mean.low:+.2f} … {mean.high:+.2f}"


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def _range(values: Sequence[float]) -> str:
    return f"{min(values):+.2f} to {max(values):+.2f}" if values else "–"
