"""Searches for fixed points under five constant inputs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from engine.devices import or_on_the_cpu
from engine.fixed_points import Method
from engine.network import Network
from engine.points import FixedPoints
from engine.points_cache import network_points
from engine.projection import Projection

INPUTS: Final = ("zero", "+1", "-1", "+0.1", "-0.1")
STABLE, SADDLE, SLOW = 0, 1, 2


@dataclass(frozen=True)
class SearchRow:
    """Result of a search under one constant input.

    ``fixed``, ``slow``, ``moving``: number of starts that ended at a certified root, at a certified minimum of the
    speed q, and at neither.  ``by_unstable[k]``: number of distinct fixed points with k unstable directions.
    ``slow_points``: number of distinct slow points.  ``q``, ``step``: maximum over the fixed points; ``slow_q``,
    ``slope``: over the slow points; None without points.  ``explained``: variance of the points (h) along each of
    their first three components.  ``seconds``: processor time on one thread.  ``index_sum``: Σ of the fixed points,
    see ``engine.completeness``.  ``certified_points``: fixed points with a radius in which they are proved to be the
    only root.
    """

    input: str
    starts: int
    fixed: int
    slow: int
    moving: int
    by_unstable: tuple[int, ...]
    slow_points: int
    q: float | None
    step: float | None
    slow_q: float | None
    slope: float | None
    explained: tuple[float, ...]
    seconds: float
    index_sum: int
    certified_points: int

    @property
    def certified(self) -> float:
        """Fraction of starts that ended at a point."""
        return (self.fixed + self.slow) / self.starts


@dataclass(frozen=True)
class Cloud:
    """The points of one input for a figure: places (P, 3), logits (P, channels), kind (P,), hits (P,)."""

    places: list[list[float]]
    readout: list[list[float]]
    kind: list[int]
    hits: list[int]


def search_input(
    network: Network,
    name: str,
    starts: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    device: str = "cpu",
) -> tuple[FixedPoints, SearchRow]:
    """Search under one input from ``starts`` visited states drawn with ``seed``, without the points cache."""
    begin = time.process_time()
    found = or_on_the_cpu(
        device,
        lambda on: network_points(
            network.to(device=on), [name], count=starts, seed=seed, progress=progress, cache=False
        ),
    )
    return found, row(network, name, found, time.process_time() - begin)


def compare_methods(network: Network, starts: int, seed: int) -> list[SearchRow]:
    """Search by Newton's and by the paper's method (Adam on q) under zero input and +1, from the same starts."""
    rows = []
    methods: tuple[Method, ...] = ("newton", "adam")
    for name in ("zero", "+1"):
        for method in methods:
            begin = time.process_time()
            found = network_points(network, [name], count=starts, seed=seed, method=method, cache=False)
            taken = time.process_time() - begin
            rows.append(replace(row(network, name, found, taken), input=f"{method}, {name}"))
    return rows


def row(network: Network, name: str, found: FixedPoints, seconds: float) -> SearchRow:
    """Summarize a search."""
    fixed, slow = found[found.fixed], found[~found.fixed]
    return SearchRow(
        input=name,
        starts=found.starts,
        fixed=int(fixed.hits.sum()),
        slow=int(slow.hits.sum()),
        moving=found.lost,
        by_unstable=tuple(np.bincount(fixed.unstable).tolist()) if len(fixed) else (),
        slow_points=len(slow),
        q=_max(fixed.q),
        step=_max(fixed.newton_step),
        slow_q=_max(slow.q),
        slope=_max(slow.slope),
        explained=tuple(Projection.of(hidden(network, found)).explained.tolist()) if len(found) > 1 else (),
        seconds=round(seconds, 2),
        index_sum=int(fixed.index.sum()),
        certified_points=int(np.isfinite(fixed.unique_within).sum()),
    )


def hidden(network: Network, points: FixedPoints) -> NDArray[np.float64]:
    """Return h of every point, which is bounded, unlike the c of an LSTM."""
    return network.cell.split(torch.from_numpy(points.states))["h"].numpy()


def cloud(network: Network, points: FixedPoints, components: Projection) -> Cloud:
    """Return the points in the coordinates of some components."""
    kind = np.where(~points.fixed, SLOW, np.where(points.unstable > 0, SADDLE, STABLE))
    return Cloud(
        components.transform(hidden(network, points)).round(5).tolist(),
        points.readout.round(4).tolist(),
        kind.tolist(),
        points.hits.tolist(),
    )


def _max(values: NDArray[np.float64]) -> float | None:
    return float(values.max()) if len(values) else None
