"""Shares of the states that end at each attractor, and the cycles among the attractors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.basins import Basins, Ends
    from engine.cycles import Cycle
    from engine.points import FixedPoints

SAME = 1e-4  # cycles whose states are nearer than this are one cycle


class Share(NamedTuple):
    """Share of start states that end at an attractor, and its 95% confidence interval."""

    share: float
    low: float
    high: float


class Basin(NamedTuple):
    """Shares of the states that reviews visit, and of uniformly drawn states."""

    visited: Share
    uniform: Share


@dataclass(frozen=True, eq=False)
class AttractingCycle:
    """A certified cycle at which start states ended, and the name of its input."""

    name: str
    cycle: Cycle
    basin: Basin

    @property
    def time_constant(self) -> float:
        """Words in which the slowest deviation from the cycle shrinks e-fold."""
        slowest = abs(self.cycle.multipliers[0])
        return float(self.cycle.period / abs(np.log(slowest))) if 0 < slowest != 1 else 0.0 if not slowest else np.inf


def point_basins(points: FixedPoints | None, ends: Mapping[str, Ends]) -> dict[int, Basin]:
    """Return the basin of each stable point by its row."""
    found: dict[int, Basin] = {}
    for name, each in ends.items() if points is not None else ():
        assert points is not None
        rows = np.flatnonzero(points.input_names == name)
        for k, number in enumerate(each.visited.points.tolist()):
            found[int(rows[number])] = Basin(
                *(_share(int(part.counts[k]), part) for part in (each.visited, each.uniform))
            )
    return found


def attracting_cycles(ends: Mapping[str, Ends]) -> tuple[AttractingCycle, ...]:
    """Return the cycles at which visited or uniform states ended, each once."""
    found: list[AttractingCycle] = []
    for name, each in ends.items():
        uniform = list(each.uniform.cycles)
        for cycle in each.visited.cycles:
            also = next((k for k, other in enumerate(uniform) if _same(cycle, other)), None)
            hits = 0 if also is None else uniform.pop(also).hits
            found.append(_attracting(name, cycle, each, cycle.hits, hits))
        found += [_attracting(name, cycle, each, 0, cycle.hits) for cycle in uniform]
    return tuple(found)


def _attracting(name: str, cycle: Cycle, ends: Ends, visited: int, uniform: int) -> AttractingCycle:
    return AttractingCycle(name, cycle, Basin(_share(visited, ends.visited), _share(uniform, ends.uniform)))


def _share(count: int, part: Basins) -> Share:
    from engine.basins import wilson

    low, high = wilson(np.array([count]), part.states)[0].tolist()
    return Share(count / max(part.states, 1), low, high)


def _same(cycle: Cycle, other: Cycle) -> bool:
    distance = np.linalg.norm(cycle.states - other.states[0], axis=1)  # in whichever phase the other begins
    return cycle.period == other.period and bool(distance.min() < SAME)


def cycle_states(cycles: Sequence[AttractingCycle], size: int) -> NDArray[np.float64]:
    """Return h of every state of the cycles, (state, size)."""
    return np.concatenate([each.cycle.states[:, :size] for each in cycles]) if cycles else np.empty((0, size))
