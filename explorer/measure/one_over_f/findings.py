"""From networks to sizes: means, the spread over seeds and the spread over reviews, each apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import spearmanr

from engine.null import Null, null_exponents
from explorer.measure.one_over_f.choosing import Corpus
from explorer.measure.one_over_f.measured import Measured, Options, spread, summary
from explorer.measure.one_over_f.published import EXTERNAL, INTERNAL


@dataclass(frozen=True)
class Spread:
    """A mean over networks; ``seeds`` is the standard deviation of the networks' means (NaN for one network),
    ``reviews`` the root mean square of the networks' standard deviations over reviews."""

    mean: float
    seeds: float
    reviews: float
    networks: int

    def __str__(self) -> str:
        seeds = "" if np.isnan(self.seeds) else f" ± {self.seeds:.2f}"
        return f"{self.mean:.2f}{seeds}"


def over_networks(networks: Iterable[Measured], signal: str) -> Spread:
    """β of a signal's layer sum."""
    each = [summary(network.of(signal)) for network in networks]
    return _over([one["mean"] for one in each], [one["sd"] for one in each])


def of_control(networks: Iterable[Measured], name: str) -> Spread:
    """β of h under a control; see `Measured.controls`."""
    each = [network.controls[name] for network in networks if name in network.controls]
    return _over([one["mean"] for one in each], [one["sd"] for one in each])


def _over(means: Sequence[float], within: Sequence[float]) -> Spread:
    mean, seeds = spread(means)
    known = [sd for sd in within if np.isfinite(sd)]
    return Spread(mean, seeds, float(np.sqrt(np.mean(np.square(known)))) if known else float("nan"), len(means))


@dataclass(frozen=True)
class Trend:
    """Spearman's rank correlation of something with n over networks, and the chance of one so far below 0."""

    rho: float
    p: float

    @classmethod
    def of(cls, networks: Sequence[Measured], value: Callable[[Measured], float]) -> Trend:
        sizes = [network.candidate.size for network in networks]
        values = [value(network) for network in networks]
        if len(set(sizes)) < 3 or len(set(values)) < 2:
            return cls(float("nan"), float("nan"))
        fit = spearmanr(sizes, values, alternative="less")
        return cls(float(fit.statistic), float(fit.pvalue))

    def __str__(self) -> str:
        return "too few sizes" if np.isnan(self.rho) else f"ρ = {self.rho:.2f}, p = {self.p:.2g}"


@dataclass(frozen=True, eq=False)
class Findings:
    """Everything measured, ready for tables, figures and claims.

    ``networks`` are finished ones, ``variants`` finished ones trained by another recipe than most, ``epochs`` those
    kept during training; ``white`` and ``pink`` are the null of series of the same length at the same scales.
    """

    networks: tuple[Measured, ...]
    variants: tuple[Measured, ...]
    epochs: tuple[Measured, ...]
    corpus: Corpus
    options: Options

    @classmethod
    def of(cls, results: Sequence[Measured], corpus: Corpus, options: Options) -> Findings:
        """Sort out what was measured."""
        finished = [result for result in results if result.candidate.epoch is None]
        return cls(
            tuple(result for result in finished if not result.candidate.variant),
            tuple(result for result in finished if result.candidate.variant),
            tuple(result for result in results if result.candidate.epoch is not None),
            corpus,
            options,
        )

    def null(self, beta: float, scales: tuple[int, ...] | None = None) -> Null:
        """What the estimator gives for 1/f^β noise."""
        return null_exponents(beta, self.corpus.length, scales or self.options.scales)

    @cached_property
    def white(self) -> Null:
        return self.null(0.0)

    @cached_property
    def pink(self) -> Null:
        return self.null(1.0)

    def of_cell(self, cell: str) -> list[Measured]:
        """The networks of one architecture, by size and seed."""
        return [network for network in self.networks if network.candidate.cell == cell]

    @property
    def main(self) -> str:
        """The architecture that Table II and Figures 3 to 7 are about: the LSTM, if there is one."""
        cells = [network.candidate.cell for network in self.networks]
        return "lstm" if "lstm" in cells else cells[0]

    def by_size(self, cell: str | None = None) -> dict[int, list[Measured]]:
        """Networks of an architecture by size, smallest first."""
        sizes: dict[int, list[Measured]] = {}
        for network in self.of_cell(cell or self.main):
            sizes.setdefault(network.candidate.size, []).append(network)
        return dict(sorted(sizes.items()))

    @property
    def shown(self) -> Measured:
        """The network of Figures 3 and 4: the smallest of the main architecture, of its first seed."""
        return next(iter(self.by_size().values()))[0]

    def by_variant(self) -> dict[tuple[str, str, int], list[Measured]]:
        """Networks of other recipes by recipe, architecture and size."""
        groups: dict[tuple[str, str, int], list[Measured]] = {}
        for network in self.variants:
            one = network.candidate
            groups.setdefault((one.variant, one.cell, one.size), []).append(network)
        return groups

    def trajectories(self) -> dict[str, list[Measured]]:
        """Networks kept during training, by run, in the order of their epochs."""
        runs: dict[str, list[Measured]] = {}
        for network in self.epochs:
            runs.setdefault(network.candidate.name, []).append(network)
        return {name: run for name, run in runs.items() if len(run) > 2}

    def best_epoch(self, run: Sequence[Measured]) -> int | None:
        """The epoch whose network is one of the finished ones, that is, the one of lowest loss."""
        finished = {network.candidate.digest for network in self.networks}
        return next((network.candidate.epoch for network in run if network.candidate.digest in finished), None)


def grouped(networks: Sequence[Measured], internal: bool) -> Spread:
    """β of the internal or the external signals: their mean in each network, then over networks."""
    groups = INTERNAL if internal else EXTERNAL
    names = [[name for name in groups[network.candidate.cell] if name in network.signals] for network in networks]
    each = [
        np.mean([summary(network.of(name))["mean"] for name in some]) if some else np.nan
        for network, some in zip(networks, names, strict=True)
    ]
    within = [summary(network.of(name))["sd"] for network, some in zip(networks, names, strict=True) for name in some]
    return _over([float(value) for value in each], within)
