"""Test whether a network that reads reviews is a line attractor.

Maheswaranathan et al. (NeurIPS 2019) report for such networks: two or three components explain about 90 % of the
variance of the states, the slowest mode has a time constant of about 1,000 words and the next of about 100, and the
readout is aligned with the slow direction.  Here the networks read the bundled reviews, and the constant input is the
mean embedding.

==================  ==============================================================================================
field               meaning
==================  ==============================================================================================
states              variance of h over the reviews explained by its first three components
fixed, slow         number of fixed and slow points under the mean embedding
stable              number of stable fixed points
line                variance of the points explained by their own first component
slowest, next       time constants of the first two modes in words: medians over stable fixed points, weighted by hits
                    (slow points are left out: where q has a valley, one λ is 1 by construction)
aligned             |cosine| between the readout and the slowest mode's right eigenvector (its h part), same median
words               variance of the words' attractors explained by their first component
words_correlation   |r| of that component with the logit
==================  ==============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.catalogue import NetworkInfo
from engine.network import Network
from engine.points import FixedPoints
from engine.points_cache import cached_word_attractors, content_hash, network_points
from engine.projection import Projection
from engine.reviews import CUT, open_reviews
from engine.start_states import visited_states
from explorer.measure.study.cache import cache_file, cached
from explorer.measure.study.progress import ShowFraction

VERSION: Final = 2  # of cached results: increase it when the numbers change


@dataclass(frozen=True)
class LineAttractor:
    """Measurements of a network, see the table of the module; NaN without a (stable) point."""

    network: str
    states: tuple[float, ...]
    fixed: int
    slow: int
    stable: int
    line: float
    slowest: float
    next: float
    aligned: float
    words: float
    words_correlation: float


def measure_line(
    info: NetworkInfo, starts: int, seed: int, folder: Path, show: ShowFraction = lambda fraction: None
) -> LineAttractor:
    """Measure a network over the bundled reviews, or read the cached result."""
    network = Network.load(info.path)
    vocabulary = network.vocabulary
    assert vocabulary is not None, "a network that reads reviews has a vocabulary"
    texts = [review.words[:CUT] for review in open_reviews(None)]
    path = cache_file(folder, f"{info.cell}-{info.size}-line", VERSION, content_hash(network), starts, seed, texts)

    def restore(values: dict[str, Any]) -> LineAttractor:
        return LineAttractor(**values | {"network": info.name, "states": tuple(values["states"])})

    return cached(
        path,
        lambda: asdict(line_attractor(network, [vocabulary.encode(t) for t in texts], starts, seed, show)),
        restore,
    )


def line_attractor(
    network: Network,
    reviews: Sequence[NDArray[np.integer]],
    starts: int = 256,
    seed: int = 0,
    show: ShowFraction = lambda fraction: None,
) -> LineAttractor:
    """Search for points under the mean embedding and for the attractors of words, and measure them.

    Raises
    ------
    ValueError
        If the network does not read words.
    """

    def half(number: int) -> Callable[[int, int], None]:
        return lambda done, total: show((number + done / max(1, total)) / 2)

    found = network_points(network, ["mean"], count=starts, seed=seed, reviews=reviews, progress=half(0))
    stable = found[found.fixed & (found.unstable == 0)]
    attractors = cached_word_attractors(network, progress=half(1))
    assert attractors is not None, "a search without a stop signal has a result"
    n = network.cell.size
    visited = visited_states(network, 4096, reviews=reviews)
    words = Projection.of(attractors.states[:, :n], 1)
    along = words.transform(attractors.states[:, :n])[:, 0]
    return LineAttractor(
        network=network.name,
        states=tuple(Projection.of(visited[:, :n].numpy(), min(3, n)).explained.tolist()),
        fixed=int(found.fixed.sum()),
        slow=int((~found.fixed).sum()),
        stable=len(stable),
        line=float(Projection.of(found.states[:, :n], 1).explained[0]) if len(found) else float("nan"),
        slowest=_median(stable.time_constants[:, 0], stable.hits),
        next=_median(stable.time_constants[:, 1], stable.hits),
        aligned=_median(_alignment(network, stable), stable.hits),
        words=float(words.explained[0]),
        words_correlation=abs(float(np.corrcoef(along, attractors.logit)[0, 1])),
    )


def _alignment(network: Network, points: FixedPoints) -> NDArray[np.float64]:
    """Return |cosine| between the first readout and each point's slowest mode, or the plane of a complex pair."""
    readout = network.readout_weight[0].double().numpy()
    slow = points.right[:, : network.cell.size, 0]
    cosines = np.empty(len(points))
    for k, vector in enumerate(slow):
        plane = np.stack([vector.real, vector.imag], axis=1)
        left, size, _ = np.linalg.svd(plane, full_matrices=False)
        cosines[k] = np.linalg.norm(left[:, size > 1e-9 * size[0]].T @ readout) / np.linalg.norm(readout)
    return cosines


def _median(values: NDArray[np.float64], weights: NDArray[np.int64]) -> float:
    return float(np.median(np.repeat(values, weights))) if len(values) else float("nan")
