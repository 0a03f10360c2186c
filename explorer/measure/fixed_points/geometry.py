"""The geometry that Cheng, Schmid & Lange (2021) see in pictures of the points, as numbers.

=======  ==================================================================  ==========================================
figure   claim                                                               number
=======  ==================================================================  ==========================================
3        three components explain more than 90 % of the points' variance     ``pc1``, ``pc3``: points under zero input
4        1 channel: PC1 explains more than 90 %, and it is the readout       ``pc1``; ``readout``, |r| with the logit
5        points under +1 and −1 continue the line at its ends                ``beyond``: both lie beyond zero input's
6, 7     3 channels: three perpendicular axes, not the cube of Sussillo &    ``decided``: points with 0, 1, 2, 3
         Barak (2013)                                                        decided channels; ``corners``: answers
                                                                             with a stable point of their own;
                                                                             ``cosine``: largest between two channels
8        under ±1 the clusters are mirrored along PC1, equal in PC2 and 3    ``mirror``: −cosine of the displacements
                                                                             from zero input's centre; ``along_pc1``:
                                                                             fraction of the squared distance
9        under ±1 the points repeat the structure of zero input              ``plus``, ``minus``: distinct points
=======  ==================================================================  ==========================================

All in h.  PC1 to PC3 are those of the points under zero input; in figures 8 and 9, of those under 0, +1 and −1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray

from engine.network import Network
from engine.points import FixedPoints
from engine.projection import Projection
from engine.start_states import visited_states
from explorer.measure.fixed_points.searches import hidden

DECIDED = 0.5
"""A channel is decided at a point if its logit exceeds this fraction of the largest over all points."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Geometry:
    """Numbers of a network, see the table of the module; NaN where a number is undefined."""

    points: int
    pc1: float
    pc3: float
    readout: float
    beyond: bool
    decided: tuple[int, ...]
    corners: int
    cosine: float
    mirror: float
    along_pc1: float
    plus: int
    minus: int

    @property
    def on_axes(self) -> float:
        """Fraction of points with at most one decided channel, as on three axes."""
        return sum(self.decided[:2]) / sum(self.decided)


def geometry(network: Network, points: Mapping[str, FixedPoints], seed: int = 0) -> Geometry:
    """Compute the numbers from the points under ``zero``, ``+1`` and ``-1``.

    Raises
    ------
    ValueError
        If there is no point under one of them.
    """
    zero, plus, minus = (points[name] for name in ("zero", "+1", "-1"))
    if not (len(zero) and len(plus) and len(minus)):
        raise ValueError(f"{network.name}: no fixed or slow point under one of the inputs; use more --starts")
    components = Projection.of(hidden(network, zero))
    at = components.transform(hidden(network, zero))
    here, up, down = (_centre(network, p, components) for p in (zero, plus, minus))
    joint = joint_components(network, points)
    between = _centre(network, plus, joint) - _centre(network, minus, joint)
    decided = (np.abs(zero.readout) > DECIDED * np.abs(zero.readout).max(axis=0)).sum(axis=1)
    stable = zero[zero.fixed & (zero.unstable == 0)]
    return Geometry(
        points=len(zero),
        pc1=float(components.explained[0]),
        pc3=float(components.explained.sum()),
        readout=max(_correlation(at[:, 0], logit) for logit in zero.readout.T),
        beyond=bool(max(up[0], down[0]) > at[:, 0].max() and min(up[0], down[0]) < at[:, 0].min()),
        decided=tuple(np.bincount(decided, minlength=zero.readout.shape[1] + 1).tolist()),
        corners=len({tuple(signs) for signs in (stable.readout > 0).tolist()}),
        cosine=_largest_cosine(channel_directions(network, seed)),
        mirror=-_cosine(up - here, down - here),
        along_pc1=float(between[0] ** 2 / (between @ between)),
        plus=len(plus),
        minus=len(minus),
    )


def joint_components(network: Network, points: Mapping[str, FixedPoints]) -> Projection:
    """Return the components of the points under 0, +1 and −1, with equal weight for each input."""
    sets = [hidden(network, points[name]) for name in ("zero", "+1", "-1")]
    most = max(map(len, sets))
    return Projection.of(np.concatenate([np.resize(h, (most, h.shape[1])) for h in sets]))


def channel_directions(network: Network, seed: int = 0) -> Floats:
    """Return unit vectors from the mean state with answer 0 to that with answer 1, (channel, n)."""
    states = visited_states(network, 4096, seed=seed)
    h = network.cell.split(states)["h"]
    logits = network.to(dtype=torch.float64).readout(h)
    ways = np.stack([(h[up].mean(0) - h[~up].mean(0)).numpy() for up in (logits > 0).T])
    return ways / np.linalg.norm(ways, axis=1, keepdims=True)


def _centre(network: Network, points: FixedPoints, components: Projection) -> Floats:
    return np.average(components.transform(hidden(network, points)), axis=0, weights=points.hits)


def _largest_cosine(directions: Floats) -> float:
    return max((abs(float(a @ b)) for a, b in combinations(directions, 2)), default=float("nan"))


def _correlation(a: Floats, b: Floats) -> float:
    return abs(float(np.corrcoef(a, b)[0, 1])) if len(a) > 2 else float("nan")


def _cosine(a: Floats, b: Floats) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
