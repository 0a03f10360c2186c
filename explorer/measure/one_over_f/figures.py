"""The paper's figures 3 to 7 and its appendices, with bands that show the null of the estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.activity import deviation, is_dead
from engine.fluctuation import exponents, fluctuations
from engine.null import Null
from engine.recording import record
from explorer.measure.one_over_f.aggregates import Spread, StudyResults, grouped, over_networks
from explorer.measure.one_over_f.published import BETA_H, BETA_X, NAMES
from explorer.measure.one_over_f.results import NetworkResult, summary
from explorer.measure.one_over_f.selection import TrainedNetwork

PINK: Final = "#c2387a"
WHITE: Final = "#6b7480"
BLUE: Final = "#1f5fa8"
ORANGE: Final = "#c96a12"
GREEN: Final = "#2c8a57"


def panels(width: float, height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure, and its axes from left to right and top to bottom."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False, **options).flat)


def legend_below(figure: Figure, axes: Axes, columns: int) -> None:
    """Place the legend of one panel below all panels."""
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns, fontsize="small")


def draw_nulls(axes: Axes, white: Null, pink: Null, *, vertical: bool = False, label: bool = True) -> None:
    """Draw the 90% intervals and the means of white and of 1/f noise on the axis of β."""
    band, line = (axes.axvspan, axes.axvline) if vertical else (axes.axhspan, axes.axhline)
    for null, colour, name in ((pink, PINK, "1/f noise, 90%"), (white, WHITE, "white noise, 90%")):
        band(2 * null.low - 1, 2 * null.high - 1, color=colour, alpha=0.13, lw=0, label=name if label else None)
        line(2 * null.alpha - 1, color=colour, lw=0.8, ls="--")


# ---- one network ---------------------------------------------------------------------------------------------------


def figure_3(results: StudyResults, ids: NDArray[np.integer]) -> Figure:
    """Draw the layer sum of one review, its F(s), and the histograms of β over all long reviews."""
    shown, scales = results.shown, results.options.scales
    series = record(shown.trained.network, ids, ("h",)).layer_sum("h")[0]
    F = fluctuations(series, scales)
    fit = exponents(F, scales)
    figure, (activity, spread, histogram) = panels(10, 3.2, 1, 3, width_ratios=(1.2, 0.9, 1.2))
    activity.plot(series, color=BLUE, lw=0.9)
    activity.set(xlabel="word", ylabel="Σ h", title=f"(a) layer sum of h, {shown.trained.name}")
    s = np.array(scales, dtype=float)
    spread.loglog(s, F, "o-", color=BLUE, ms=3, lw=1, label=f"Σ h: α = {fit.alpha:.2f}, β = {fit.beta:.2f}")
    spread.loglog(s, F[0] * s / s[0], "--", color=PINK, lw=1, label="slope 1: 1/f noise")
    spread.set_xticks(ticks := [scales[0], scales[len(scales) // 2], scales[-1]], [str(tick) for tick in ticks])
    spread.minorticks_off()
    spread.set(xlabel="scale s, words", ylabel="F(s)", title="(b) its fluctuation function")
    spread.legend(fontsize="small")
    draw_nulls(histogram, results.white, results.pink, vertical=True, label=False)
    for name, colour, published in (("x", WHITE, BETA_X), ("h", BLUE, BETA_H)):
        values = shown.of(name)
        about = summary(values)
        histogram.hist(
            values[np.isfinite(values)],
            bins=40 if len(values) > 200 else 12,
            color=colour,
            alpha=0.75,
            label=f"{name}: {about['mean']:.3f} ± {about['sd']:.3f}\n(published {published[0]} ± {published[1]})",
        )
    histogram.set(xlabel="β", ylabel="reviews", title=f"(c) β of {len(results.sample.long):,} reviews")
    histogram.set_ylim(0, 1.6 * histogram.get_ylim()[1])
    histogram.legend(fontsize="small", loc="upper right")
    return figure


def figure_4(results: StudyResults) -> Figure:
    """Draw β of h against β of the input; each dot is a review."""
    shown = results.shown
    figure, (axes,) = panels(4.6, 3.8)
    draw_nulls(axes, results.white, results.pink)
    axes.scatter(shown.of("x"), shown.of("h"), s=5, color=BLUE, alpha=0.35, lw=0)
    axes.set(xlabel="β of x", ylabel="β of h", title=f"{shown.trained.name}: R² = {shown.r2:.3f}")
    legend_below(figure, axes, 2)
    return figure


# ---- sizes ---------------------------------------------------------------------------------------------------------


def figure_5(results: StudyResults) -> Figure:
    """Draw β of h against n: networks, their means, and both spreads."""
    figure, (axes,) = panels(7.2, 4)
    _against_size(axes, results, "h")
    first = min(results.by_size())
    axes.errorbar(
        [first - 3], [BETA_H[0]], [BETA_H[1]], fmt="s", ms=5, color=PINK, capsize=2, label="published, one network"
    )
    axes.set(xlabel="cells n", ylabel="β of Σ h", title="β of the layer sum of h")
    legend_below(figure, axes, 2)
    return figure


def appendix_a(results: StudyResults) -> Figure:
    """Draw the same for every other signal."""
    names = [name for name in results.shown.signals if name != "h"]
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure, all_axes = panels(2.5 * columns, 2.3 * rows, rows, columns, sharex=True, sharey=True)
    for axes, name in zip(all_axes, names, strict=False):
        _against_size(axes, results, name)
        axes.set_title(f"{NAMES.get(name, name)}")
    for axes in all_axes[len(names) :]:
        axes.set_visible(False)
    legend_below(figure, all_axes[0], 2)
    for axes in all_axes[max(0, len(names) - columns) : len(names)]:
        axes.set_xlabel("cells n")
        axes.tick_params(labelbottom=True)
    figure.supylabel("β of the layer sum", fontsize=9)
    return figure


def _against_size(axes: Axes, results: StudyResults, name: str) -> None:
    draw_nulls(axes, results.white, results.pink)
    sizes = results.by_size()
    dots = [(n, summary(network.of(name))["mean"]) for n, some in sizes.items() for network in some]
    axes.plot(*zip(*dots, strict=True), "o", color=BLUE, ms=2.5, alpha=0.5, label="a network (mean over reviews)")
    spreads = [over_networks(some, name) for some in sizes.values()]
    _error_bars(axes, list(sizes), spreads, BLUE, "mean over networks")
    axes.set_ylim(-0.4, 2.3)
    axes.set_xticks(list(sizes)[:: -(-len(sizes) // 9)])


def _error_bars(axes: Axes, x: Sequence[float], spreads: Sequence[Spread], colour: str, label: str) -> None:
    means = [one.mean for one in spreads]
    axes.errorbar(x, means, [one.reviews for one in spreads], fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.7)
    axes.errorbar(x, means, [one.seeds for one in spreads], fmt="none", ecolor=colour, elinewidth=2.6, alpha=0.55)
    axes.plot(x, means, "D-", color=colour, ms=4, lw=1.1, label=f"{label}; thick: s.d. over seeds, thin: over reviews")


def figure_7(results: StudyResults) -> Figure:
    """Draw β of the internal and of the external signals against n."""
    figure, (axes,) = panels(7.2, 4)
    draw_nulls(axes, results.white, results.pink)
    sizes = results.by_size()
    for internal, colour, label, offset in (
        (False, GREEN, "external: c_out, h", 1),
        (True, ORANGE, "internal: i, f, c̃, o", -1),
    ):
        _error_bars(
            axes, [n + offset for n in sizes], [grouped(some, internal) for some in sizes.values()], colour, label
        )
    axes.set(xlabel="cells n", ylabel="β of the layer sum", title="Internal and external signals", ylim=(-0.4, 2.3))
    axes.set_xticks(list(sizes))
    legend_below(figure, axes, 2)
    return figure


# ---- cells ---------------------------------------------------------------------------------------------------------


def figure_6(results: StudyResults, ids: NDArray[np.integer], every: bool) -> Figure:
    """Draw h of the first eight cells for one review: the smallest and the largest layer, or all (Appendix B)."""
    firsts = [some[0].trained for some in results.by_size().values()]
    chosen = firsts if every else firsts[:: max(1, len(firsts) - 1)]
    columns = min(3, len(chosen)) if every else len(chosen)
    rows = -(-len(chosen) // columns)
    figure, all_axes = panels(3.4 * columns, 2.6 * rows, rows, columns, sharex=True)
    for axes, candidate in zip(all_axes, chosen, strict=False):
        _cells(axes, candidate, ids)
    for axes in all_axes[len(chosen) :]:
        axes.set_visible(False)
    figure.supxlabel("word", fontsize=9)
    return figure


def _cells(axes: Axes, candidate: TrainedNetwork, ids: NDArray[np.integer]) -> None:
    h = record(candidate.network, ids, ("h",))["h"][0, :, :8]
    quiet = is_dead(deviation(h))
    for k in range(h.shape[1]):
        axes.plot(h[:, k] - k, lw=0.8, color=WHITE if quiet[k] else BLUE)
    axes.set_yticks([-k for k in range(h.shape[1])], [f"{k}{'†' if quiet[k] else ''}" for k in range(h.shape[1])])
    axes.set(title=candidate.name, ylim=(-h.shape[1], 1))


def dead_cells(results: StudyResults) -> Figure:
    """Draw the fraction of dead cells and the participation ratio against n, and the activity of all cells."""
    figure, (share, work, sorted_) = panels(10, 3.2, 1, 3)
    sizes = results.by_size()
    networks = [network for some in sizes.values() for network in some]
    n = [network.trained.size for network in networks]
    share.plot(n, [100 * network.dead.mean() for network in networks], "o", ms=4, color=BLUE, alpha=0.6)
    share.set(xlabel="cells n", ylabel="dead cells, %", title="(a) dead cells", ylim=(-3, 100))
    work.plot(n, [network.participation for network in networks], "o", ms=4, color=GREEN, alpha=0.6)
    work.plot(list(sizes), list(sizes), ":", color=WHITE, lw=0.9, label="all cells equally active")
    work.set(xlabel="cells n", ylabel="participation ratio", title="(b) effective number of cells", ylim=(0, 24))
    work.legend(fontsize="small")
    for (size, some), shade in zip(sizes.items(), np.linspace(0.25, 1, len(sizes)), strict=True):
        moved = np.sort(np.concatenate([network.deviation for network in some]))[::-1]
        sorted_.semilogy(np.linspace(0, 100, len(moved)), moved, color=BLUE, alpha=float(shade), lw=1, label=str(size))
    sorted_.axhline(0.02, color=WHITE, lw=0.8, ls="--")
    sorted_.set(xlabel="cells, % (most active first)", ylabel="s.d. of h", title="(c) activity, for each n")
    sorted_.legend(fontsize="x-small", ncols=2)
    return figure


def architectures(results: StudyResults) -> Figure:
    """Draw β of every signal for each architecture at one size."""
    cells = sorted({network.trained.cell for network in results.networks}, key=("lstm", "gru", "rnn").index)
    figure, all_axes = panels(3.2 * len(cells), 3.3, 1, len(cells), sharey=True)
    for axes, cell in zip(all_axes, cells, strict=True):
        networks = compared(results, cell)
        draw_nulls(axes, results.white, results.pink)
        names = networks[0].signals
        spreads = [over_networks(networks, name) for name in names]
        for k, name in enumerate(names):
            means = [summary(network.of(name))["mean"] for network in networks]
            axes.plot([k] * len(means), means, "o", color=BLUE, ms=3.5, alpha=0.5)
        axes.errorbar(range(len(names)), [one.mean for one in spreads], fmt="_", ms=14, color=BLUE)
        axes.set_xticks(range(len(names)), [NAMES.get(name, name).split()[0] for name in names])
        axes.set(title=f"{cell.upper()}, n = {networks[0].trained.size}, {len(networks)} seeds")
    all_axes[0].set_ylabel("β of the layer sum")
    return figure


def compared(results: StudyResults, cell: str) -> list[NetworkResult]:
    """Return the networks of one architecture at the size that the architectures share, or nearest to it."""
    others = [network.trained.size for network in results.networks if network.trained.cell != results.main]
    wanted = others[0] if others else results.shown.trained.size
    sizes = results.by_size(cell)
    return sizes[min(sizes, key=lambda size: abs(size - wanted))]
