"""Aggregates over networks: means per size, and the spreads over seeds and over reviews."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from scipy.stats import spearmanr

from engine.null import Null, null_exponents
from explorer.measure.one_over_f.means import MeanInterval, holm
from explorer.measure.one_over_f.published import EXTERNAL, INTERNAL
from explorer.measure.one_over_f.results import NetworkResult, Options, spread, summary
from explorer.measure.one_over_f.sample import ReviewSample


@dataclass(frozen=True)
class Spread:
    """Mean over networks.

    ``seeds`` is the standard deviation of the networks' means (NaN for one network), ``reviews`` the root mean square
    of the networks' standard deviations over reviews.
    """

    mean: float
    seeds: float
    reviews: float
    networks: int

    def __str__(self) -> str:
        seeds = "" if np.isnan(self.seeds) else f" ± {self.seeds:.2f}"
        return f"{self.mean:.2f}{seeds}"


def over_networks(networks: Iterable[NetworkResult], signal: str) -> Spread:
    """Return β of a signal's layer sum."""
    each = [summary(network.of(signal)) for network in networks]
    return _over([one["mean"] for one in each], [one["sd"] for one in each])


def of_control(networks: Iterable[NetworkResult], name: str) -> Spread:
    """Return β of h under a control; see `NetworkResult.controls`."""
    each = [network.controls[name] for network in networks if name in network.controls]
    return _over([one["mean"] for one in each], [one["sd"] for one in each])


def _over(means: Sequence[float], within: Sequence[float]) -> Spread:
    mean, seeds = spread(means)
    known = [sd for sd in within if np.isfinite(sd)]
    return Spread(mean, seeds, float(np.sqrt(np.mean(np.square(known)))) if known else float("nan"), len(means))


@dataclass(frozen=True)
class Trend:
    """Spearman's rank correlation of a quantity with n over networks, and its two-sided p-value."""

    rho: float
    p: float
    networks: int

    @classmethod
    def of(cls, networks: Sequence[NetworkResult], value: Callable[[NetworkResult], float]) -> Trend:
        sizes = [network.trained.size for network in networks]
        values = [value(network) for network in networks]
        if len(set(sizes)) < 3 or len(set(values)) < 2:
            return cls(float("nan"), float("nan"), len(networks))
        fit = spearmanr(sizes, values)
        return cls(float(fit.statistic), float(fit.pvalue), len(networks))

    def falls(self, significance: float) -> bool:
        """Return whether the quantity falls with n at this level of significance."""
        return self.rho < 0 and self.p < significance

    def __str__(self) -> str:
        if np.isnan(self.rho):
            return "too few sizes"
        return f"ρ = {self.rho:.2f}, two-sided p = {self.p:.2g}, {self.networks} networks"


def trends_with_size(networks: Sequence[NetworkResult]) -> dict[str, Trend]:
    """Return the trends that the claims test, with p-values corrected for their number (Holm).

    β of every signal but x, and ``dead``: the share of dead cells, with the sign reversed, so that it falls too.
    """
    values: dict[str, Callable[[NetworkResult], float]] = {
        name: partial(_mean_beta, name) for name in networks[0].signals if name != "x"
    }
    values["dead"] = lambda network: -float(network.dead.mean())
    trends = {name: Trend.of(networks, value) for name, value in values.items()}
    corrected = holm({name: trend.p for name, trend in trends.items()})
    return {name: replace(trend, p=corrected[name]) for name, trend in trends.items()}


def _mean_beta(signal: str, network: NetworkResult) -> float:
    return summary(network.of(signal))["mean"]


def mean_beta(networks: Iterable[NetworkResult], signal: str) -> MeanInterval:
    """Return the mean β of a signal's layer sum over networks, with its own error."""
    return MeanInterval.of([summary(network.of(signal)) for network in networks])


@dataclass(frozen=True, eq=False)
class StudyResults:
    """All results, grouped for tables, figures and claims.

    ``networks`` are finished networks of the most frequent recipe, ``variants`` those of other recipes and ``epochs``
    those saved during training. ``white`` and ``pink`` are the null for series of the same length and scales.
    """

    networks: tuple[NetworkResult, ...]
    variants: tuple[NetworkResult, ...]
    epochs: tuple[NetworkResult, ...]
    sample: ReviewSample
    options: Options

    @classmethod
    def of(cls, results: Sequence[NetworkResult], sample: ReviewSample, options: Options) -> StudyResults:
        """Group the results of networks."""
        finished = [result for result in results if result.trained.epoch is None]
        return cls(
            tuple(result for result in finished if not result.trained.variant),
            tuple(result for result in finished if result.trained.variant),
            tuple(result for result in results if result.trained.epoch is not None),
            sample,
            options,
        )

    @property
    def every(self) -> tuple[NetworkResult, ...]:
        """All networks: finished ones, other recipes, epochs."""
        return (*self.networks, *self.variants, *self.epochs)

    def null(self, beta: float, scales: tuple[int, ...] | None = None) -> Null:
        """Return what the estimator gives for 1/f^β noise."""
        return null_exponents(beta, self.sample.length, scales or self.options.scales)

    @cached_property
    def white(self) -> Null:
        return self.null(0.0)

    @cached_property
    def pink(self) -> Null:
        return self.null(1.0)

    def of_cell(self, cell: str) -> list[NetworkResult]:
        """Return the networks of one architecture, by size and seed."""
        return [network for network in self.networks if network.trained.cell == cell]

    @property
    def main(self) -> str:
        """Architecture of Table II and Figures 3 to 7: the LSTM, if there is one."""
        cells = [network.trained.cell for network in self.networks]
        return "lstm" if "lstm" in cells else cells[0]

    def by_size(self, cell: str | None = None) -> dict[int, list[NetworkResult]]:
        """Return the networks of an architecture by size, smallest first."""
        sizes: dict[int, list[NetworkResult]] = {}
        for network in self.of_cell(cell or self.main):
            sizes.setdefault(network.trained.size, []).append(network)
        return dict(sorted(sizes.items()))

    @property
    def shown(self) -> NetworkResult:
        """Network of Figures 3 and 4: the smallest of the main architecture, with the lowest seed."""
        return next(iter(self.by_size().values()))[0]

    def by_variant(self) -> dict[tuple[str, str, int], list[NetworkResult]]:
        """Return the networks of other recipes by recipe, architecture and size."""
        groups: dict[tuple[str, str, int], list[NetworkResult]] = {}
        for network in self.variants:
            one = network.trained
            groups.setdefault((one.variant, one.cell, one.size), []).append(network)
        return groups

    def trajectories(self) -> dict[str, list[NetworkResult]]:
        """Return the networks saved during training, by run, in the order of their epochs."""
        runs: dict[str, list[NetworkResult]] = {}
        for network in self.epochs:
            runs.setdefault(network.trained.name, []).append(network)
        return {name: run for name, run in runs.items() if len(run) > 2}

    def best_epoch(self, run: Sequence[NetworkResult]) -> int | None:
        """Return the epoch whose network is a finished one, that is, the epoch of lowest validation loss."""
        finished = {network.trained.digest for network in self.networks}
        return next((network.trained.epoch for network in run if network.trained.digest in finished), None)


def grouped(networks: Sequence[NetworkResult], internal: bool) -> Spread:
    """Return β of the internal or the external signals: the mean in each network, then over networks."""
    groups = INTERNAL if internal else EXTERNAL
    names = [[name for name in groups[network.trained.cell] if name in network.signals] for network in networks]
    each = [
        np.mean([summary(network.of(name))["mean"] for name in some]) if some else np.nan
        for network, some in zip(networks, names, strict=True)
    ]
    within = [summary(network.of(name))["sd"] for network, some in zip(networks, names, strict=True) for name in some]
    return _over([float(value) for value in each], within)
