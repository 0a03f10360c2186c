"""Errors of means over networks, and corrections for many tests.

The spread of single series says how much one review scatters, not how well a mean is known.  The error of a mean comes
from a hierarchical bootstrap: networks (seeds) are drawn with replacement, and in each its reviews.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

DRAWS = 4000
FEWEST = 3  # networks with an interval in tables: of two, Student's t makes twelve standard errors


@dataclass(frozen=True)
class MeanInterval:
    """Mean over networks with its 95 % interval; of a single network, the interval is over reviews alone."""

    mean: float
    low: float
    high: float
    networks: int

    @classmethod
    def of(cls, summaries: Sequence[Mapping[str, float]], level: float = 0.95, seed: int = 0) -> MeanInterval:
        """Return the interval of the mean of networks with these means, standard deviations and counts of reviews.

        The mean of a network's resampled reviews is drawn from its normal limit.  The standard error of the bootstrap,
        corrected for the number of networks, is multiplied by Student's t: percentiles of five networks cover too
        little.
        """
        known = [one for one in summaries if np.isfinite(one["mean"])]
        if not known:
            return cls(float("nan"), float("nan"), float("nan"), 0)
        mean, sd, count = (np.array([one[name] for one in known], dtype=float) for name in ("mean", "sd", "count"))
        within = np.nan_to_num(sd) / np.sqrt(count)
        n = len(known)
        if n == 1:
            half = norm.ppf((1 + level) / 2) * within[0]
        else:
            random = np.random.default_rng(seed)
            drawn = random.integers(0, n, (DRAWS, n))
            means = (mean[drawn] + within[drawn] * random.standard_normal((DRAWS, n))).mean(axis=1)
            half = t.ppf((1 + level) / 2, n - 1) * means.std(ddof=1) * np.sqrt(n / (n - 1))
        centre = float(mean.mean())
        return cls(centre, centre - float(half), centre + float(half), n)

    def within(self, target: float, margin: float) -> bool | None:
        """Return whether the mean lies within ``margin`` of ``target``; None if the interval does not decide it."""
        if target - margin <= self.low and self.high <= target + margin:
            return True
        if self.high < target - margin or self.low > target + margin:
            return False
        return None

    def in_table(self) -> str:
        """Return the mean and, of `FEWEST` networks or more, its interval in brackets."""
        return f"{self.mean:.2f}" if self.networks < FEWEST else f"{self.mean:.2f} ({self.low:.2f} … {self.high:.2f})"

    def __str__(self) -> str:
        networks = f"{self.networks} network" + "s" * (self.networks != 1)
        return f"{self.mean:.2f} (95% interval {self.low:.2f} … {self.high:.2f}, {networks})"


def change(values: Sequence[float], most: float = np.inf) -> str:
    """Return the mean of one signed value a network and, of `FEWEST` or more, its 95% interval by Student's t.

    Values that are not finite are left out; no value exceeds ``most`` in size.
    """
    known = np.array([value for value in values if np.isfinite(value)])
    n = len(known)
    if n < FEWEST:
        return f"{known.mean():+.2f}" if n else "–"
    mean, half = known.mean(), t.ppf(0.975, n - 1) * known.std(ddof=1) / np.sqrt(n)
    return f"{mean:+.2f} ({max(mean - half, -most):+.2f} … {min(mean + half, most):+.2f})"


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Return p-values corrected for their number (Holm, Scand. J. Stat. 6 (1979) 65); NaN stays NaN and counts not."""
    known = sorted((value, name) for name, value in p.items() if np.isfinite(value))
    corrected, largest = dict(p), 0.0
    for rank, (value, name) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * value))
        corrected[name] = largest
    return corrected
