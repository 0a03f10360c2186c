"""The search under five inputs: one row of the table for each, and where the points lie in a picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from engine.fixed_points import Method
from engine.network import Network
from engine.points import FixedPoints
from engine.points_cache import network_points
from engine.projection import Projection

INPUTS: Final = ("zero", "+1", "-1", "+0.1", "-0.1")
STABLE, SADDLE, SLOW = 0, 1, 2


@dataclass(frozen=True)
class Search:
    """One row: a network under one held input.

    ``fixed``, ``slow``, ``moving``: how many starts ended at a certified root, at a certified minimum of the speed q,
    and at neither.  ``by_unstable[k]``: distinct fixed points with k unstable directions.  ``slow_points``: distinct
    slow ones.  ``q``, ``step``: the worst of the fixed points; ``slow_q``, ``slope``: of the slow ones; None where
    there is none.  ``explained``: share of the points' variance (h) along each of their first three components.
    ``seconds``: of the processor, on one thread.
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

    @property
    def certified(self) -> float:
        """The fraction of starts that ended at a point."""
        return (self.fixed + self.slow) / self.starts


@dataclass(frozen=True)
class Cloud:
    """Points of one input as a picture needs them: place (P, 3), logits (P, channels), kind (P,), hits (P,)."""

    places: list[list[float]]
    readout: list[list[float]]
    kind: list[int]
    hits: list[int]


def search(
    network: Network, name: str, starts: int, seed: int, progress: Callable[[int, int], None] | None = None
) -> tuple[FixedPoints, Search]:
    """Search afresh under one input, from ``starts`` visited states that ``seed`` draws."""
    begin = time.process_time()
    found = network_points(network, [name], count=starts, seed=seed, progress=progress, cache=False)
    return found, row(network, name, found, time.process_time() - begin)


def both_ways(network: Network, starts: int, seed: int) -> list[Search]:
    """Newton and the paper's method (Adam on q; slow by q alone) under zero input and +1, from the same starts."""
    rows = []
    methods: tuple[Method, ...] = ("newton", "adam")
    for name in ("zero", "+1"):
        for method in methods:
            begin = time.process_time()
            found = network_points(network, [name], count=starts, seed=seed, method=method, cache=False)
            taken = time.process_time() - begin
            rows.append(replace(row(network, name, found, taken), input=f"{method}, {name}"))
    return rows


def row(network: Network, name: str, found: FixedPoints, seconds: float) -> Search:
    """What the table says of a search."""
    fixed, slow = found[found.fixed], found[~found.fixed]
    return Search(
        input=name,
        starts=found.starts,
        fixed=int(fixed.hits.sum()),
        slow=int(slow.hits.sum()),
        moving=found.lost,
        by_unstable=tuple(np.bincount(fixed.unstable).tolist()) if len(fixed) else (),
        slow_points=len(slow),
        q=_worst(fixed.q),
        step=_worst(fixed.newton_step),
        slow_q=_worst(slow.q),
        slope=_worst(slow.slope),
        explained=tuple(Projection.of(hidden(network, found)).explained.tolist()) if len(found) > 1 else (),
        seconds=round(seconds, 2),
    )


def hidden(network: Network, points: FixedPoints) -> NDArray[np.float64]:
    """h of every point: what is read out, and bounded, where an LSTM's memory is not."""
    return network.cell.split(torch.from_numpy(points.states))["h"].numpy()


def cloud(network: Network, points: FixedPoints, components: Projection) -> Cloud:
    """The points along the components."""
    kind = np.where(~points.fixed, SLOW, np.where(points.unstable > 0, SADDLE, STABLE))
    return Cloud(
        components.transform(hidden(network, points)).round(5).tolist(),
        points.readout.round(4).tolist(),
        kind.tolist(),
        points.hits.tolist(),
    )


def _worst(values: NDArray[np.float64]) -> float | None:
    return float(values.max()) if len(values) else None
