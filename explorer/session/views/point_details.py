"""Everything known of one fixed point or word attractor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PointDetails:
    """One entry of a `PointMap`.

    ``certified`` marks a fixed or slow point from a search with the input ``name`` clamped, reached from ``hits`` of
    ``starts`` start states; otherwise the entry is where the network goes when the word ``name`` is repeated forever.
    ``eigenvalues`` (S,) of the Jacobian by falling modulus; ``time_constant`` of the slowest mode in words; ``q`` and
    ``newton_step`` as `engine.fixed_points` defines them; ``logit`` is the first readout.
    """

    name: str
    number: int
    certified: bool
    kind: str
    stability: str
    eigenvalues: NDArray[np.complex128]
    time_constant: float
    q: float
    newton_step: float
    logit: float
    hits: int
    starts: int

    @property
    def unstable(self) -> int:
        """The number of unstable directions, |λ| > 1."""
        return int((np.abs(self.eigenvalues) > 1).sum())

    @property
    def probability(self) -> float:
        """P(positive)."""
        return float(0.5 * (1 + np.tanh(0.5 * self.logit)))
