"""Figures of the controls that the paper lacks: signs, scales, epochs, word order, padding, dead cells, recipes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from engine.fluctuation import log_spaced_scales
from explorer.measure.one_over_f.aggregates import StudyResults, of_control
from explorer.measure.one_over_f.figures import BLUE, GREEN, ORANGE, PINK, WHITE, draw_nulls, legend_below, panels
from explorer.measure.one_over_f.published import BETA_H
from explorer.measure.one_over_f.results import NetworkResult, ranges, summary

CONTROLS: Final = {
    "plain": "plain layer sum",
    "shuffled": "words shuffled",
    "untrained": "before training",
    "live": "without dead cells",
    "normalised": "cells normalised first",
    "cells": "single cells, mean β",
    "readout": "weighted as in the readout",
    "standard": "standard DFA",
    "order 2": "DFA of order 2",
    "spectrum": "multitaper spectrum",
    "padding none": "60 % of the words",
    "padding before": "… padded before",
    "padding after": "… padded after",
    "padding before, masked": "… padded before, masked",
    "padding after, masked": "… padded after, masked",
}
"""Labels of the controls, in the order of table and figure."""


def with_controls(results: StudyResults) -> list[NetworkResult]:
    """Return the networks of the main architecture that have controls."""
    return [network for network in results.of_cell(results.main) if network.controls]


def all_controls(results: StudyResults) -> Figure:
    """Draw the mean β of h under every control: dots are networks, diamonds their means."""
    networks = with_controls(results)
    names = [name for name in CONTROLS if any(name in network.controls for network in networks)]
    figure, (axes,) = panels(7.6, 0.32 * len(names) + 1.1)
    draw_nulls(axes, results.white, results.pink, vertical=True)
    for row, name in enumerate(names):
        means = [network.controls[name]["mean"] for network in networks if name in network.controls]
        axes.plot(means, [row] * len(means), "o", color=BLUE, ms=3, alpha=0.4)
        axes.plot(np.nanmean(means), row, "D", color=ORANGE, ms=6)
    plain = of_control(networks, "plain").mean
    axes.axvline(plain, color=ORANGE, lw=0.8, ls=":")
    axes.set_yticks(range(len(names)), [CONTROLS[name] for name in names])
    axes.invert_yaxis()
    axes.set(xlabel="mean β of h", title=f"{len(networks)} networks, one change at a time")
    legend_below(figure, axes, 2)
    return figure


def signs(results: StudyResults) -> Figure:
    """Draw β of sums of h with random signs of the cells: networks that give the same output."""
    networks = with_controls(results)
    figure, (axes,) = panels(7.6, 4)
    draw_nulls(axes, results.white, results.pink)
    place, ticks = 0.0, {}
    for size, some in results.by_size().items():
        begin = place
        for network in (one for one in some if one.controls):
            flipped = network.controls["flipped"]
            axes.plot([place] * len(flipped), flipped, "_", color=BLUE, ms=5, alpha=0.55)
            axes.plot(place, network.controls["plain"]["mean"], "o", color=ORANGE, ms=4)
            axes.plot(place, network.controls["readout"]["mean"], "D", color=GREEN, ms=3.5)
            place += 1
        ticks[(begin + place - 1) / 2] = str(size)
        place += 1
    for marker, colour, label in (
        ("_", BLUE, "random signs of the cells"),
        ("o", ORANGE, "Σ h as trained"),
        ("D", GREEN, "logit"),
    ):
        axes.plot([], [], marker, color=colour, ms=5, label=label)
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.set(xlabel="cells n; each column is a network", ylabel="mean β", ylim=(-0.4, 2.4))
    axes.set_title(f"{len(networks)} networks, {len(networks[0].controls['flipped'])} draws of signs each: same output")
    legend_below(figure, axes, 5)
    return figure


def by_scales(results: StudyResults) -> Figure:
    """Draw β of h and of the input over other ranges of scales, each with its own null."""
    networks = with_controls(results)
    names = [f"{low}–{high}" for low, high in ranges(results.sample.length)]
    figure, (axes,) = panels(7.2, 3.8)
    for k, (low, high) in enumerate(ranges(results.sample.length)):
        for beta, colour in ((1.0, PINK), (0.0, WHITE)):
            null = results.null(beta, log_spaced_scales(low, high))
            axes.bar(k, 2 * (null.high - null.low), 0.8, 2 * null.low - 1, color=colour, alpha=0.16, lw=0)
            axes.hlines(2 * null.alpha - 1, k - 0.4, k + 0.4, color=colour, lw=0.9, ls="--")
    for offset, (suffix, colour, label) in zip((0.08, -0.08), (("", BLUE, "h"), (", x", "#222222", "x")), strict=True):
        for network in networks:
            means = [network.controls[name + suffix]["mean"] for name in names]
            axes.plot(np.arange(len(names)) + offset, means, "o-", color=colour, ms=3, lw=0.5, alpha=0.35)
        means = [of_control(networks, name + suffix).mean for name in names]
        axes.plot(np.arange(len(names)) + offset, means, "D", color=colour, ms=6, label=f"{label}, mean over networks")
    axes.bar(0, 0, color=PINK, alpha=0.16, label="1/f noise, 90%")
    axes.bar(0, 0, color=WHITE, alpha=0.16, label="white noise, 90%")
    axes.set_xticks(range(len(names)), names)
    axes.set(xlabel="scales fitted, words", ylabel="mean β", title="β over other ranges of scales")
    legend_below(figure, axes, 4)
    return figure


def by_recipe(results: StudyResults) -> Figure:
    """Draw β of h and accuracy of networks of other recipes."""
    figure, (beta, accuracy) = panels(8.6, 3.6, 1, 2)
    draw_nulls(beta, results.white, results.pink)
    groups: dict[str, list[NetworkResult]] = {"": results.of_cell(results.main)}
    for network in results.variants:
        if network.trained.cell == results.main:
            groups.setdefault(network.trained.variant, []).append(network)
    for (variant, networks), colour in zip(groups.items(), _colours(len(groups)), strict=True):
        sizes = [network.trained.size for network in networks]
        label = variant or "most frequent recipe"
        beta.plot(
            sizes, [summary(network.of("h"))["mean"] for network in networks], "o", color=colour, ms=4, label=label
        )
        right = [100 * (network.trained.accuracy or np.nan) for network in networks]
        accuracy.plot(sizes, right, "o", color=colour, ms=4)
    beta.axhline(BETA_H[0], color=PINK, lw=1.2, label=f"published, n = 8: {BETA_H[0]}")
    beta.set(xlabel="cells n", ylabel="mean β of Σ h", title="(a) β; each dot is a network", ylim=(-0.7, 2.3))
    accuracy.set(xlabel="cells n", ylabel="test accuracy, %", title="(b) accuracy")
    legend_below(figure, beta, 2)
    return figure


def by_epoch(results: StudyResults) -> Figure:
    """Draw β of h and accuracy during training."""
    runs = results.trajectories()
    figure, (beta, accuracy) = panels(8.6, 3.4, 1, 2)
    draw_nulls(beta, results.white, results.pink)
    for (name, run), colour in zip(runs.items(), _colours(len(runs)), strict=True):
        epochs = [network.trained.epoch or 0 for network in run]
        about = [summary(network.of("h")) for network in run]
        beta.errorbar(
            epochs, [one["mean"] for one in about], [one["sd"] for one in about],
            fmt="o-", color=colour, ms=3.5, lw=1.2, elinewidth=0.6, label=name,
        )  # fmt: skip
        right = [100 * (network.trained.accuracy or np.nan) for network in run]
        accuracy.plot(epochs, right, "o-", color=colour, ms=3.5, lw=1.2, label=name)
        best = results.best_epoch(run)
        for axes, values in ((beta, [one["mean"] for one in about]), (accuracy, right)):
            if best is not None:
                axes.plot(best, values[epochs.index(best)], "o", ms=10, mfc="none", mec=colour)
    beta.set(xlabel="epochs of training", ylabel="β of Σ h", title="(a) β; bars: s.d. over reviews", ylim=(-0.4, 2.3))
    accuracy.set(xlabel="epochs of training", ylabel="test accuracy, %", title="(b) accuracy; ring: best epoch")
    legend_below(figure, beta, 4)
    return figure


def _colours(count: int) -> Sequence[str]:
    return [(BLUE, ORANGE, GREEN, PINK, WHITE)[k % 5] for k in range(count)]
