"""Is a sentiment network a line attractor?

Maheswaranathan et al. (NeurIPS 2019) report for such networks: two or three components carry about 90 % of the
states' variance, the slowest mode lasts about 1,000 words and the next about 100, and the readout lies along the slow
direction.  Here, over the bundled reviews and with the mean embedding as input:

==============  ==================================================================================================
column          meaning
==============  ==================================================================================================
states          variance of h over the reviews along its first three components
points          fixed + slow points under the mean word; and how many are fixed and stable
line            variance of the points along their own first component
slowest, next   time constants of the first two modes in words, median over points, weighted by hits; of the points
                that are fixed and stable (where a slow point ends a valley of q, one λ is 1 by construction)
aligned         |cosine| between the readout and the slowest mode's right eigenvector (its h part), same median
words           variance of the 4,000 words' attractors along their first component, and |r| of that with the logit
==============  ==================================================================================================
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.catalogue import NetworkInfo
from engine.files import atomic_write
from engine.network import Network
from engine.points import FixedPoints
from engine.points_cache import cached_word_attractors, content_hash, network_points
from engine.projection import Projection
from engine.reviews import CUT, open_reviews
from engine.start_states import visited_states

VERSION = 1
"""Of what is kept: raise it when numbers come to mean something else."""


@dataclass(frozen=True)
class Line:
    """One network's answers; see the module's table. NaN where there is no (stable) point."""

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
    info: NetworkInfo, starts: int, seed: int, folder: Path, progress: Callable[[float], None] | None = None
) -> Line:
    """``line`` of a network's file over the bundled reviews, or what is kept of it in a folder."""
    network = Network.load(info.path)
    assert network.vocabulary is not None, "sentiment is told from words"
    texts = [review.words[:CUT] for review in open_reviews(None)]
    key = hashlib.sha256(json.dumps([VERSION, content_hash(network), starts, seed, texts]).encode()).hexdigest()[:24]
    path = folder / f"{info.cell}-{info.size}-line-{key}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Line(**kept | {"network": info.name, "states": tuple(kept["states"])})
    except (OSError, ValueError, KeyError, TypeError):  # not there yet, or damaged: either way it is made anew
        pass
    found = line(network, [network.vocabulary.encode(words) for words in texts], starts, seed, progress)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as beside:
        beside.write_text(json.dumps(asdict(found)), encoding="utf-8")
    return found


def line(
    network: Network,
    reviews: Sequence[NDArray[np.integer]],
    starts: int = 256,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Line:
    """Search under the mean word, follow every word, and measure.

    Raises
    ------
    ValueError
        If the network does not read words.
    """

    def show(half: int) -> Callable[[int, int], None]:
        return lambda done, total: None if progress is None else progress((half + done / max(1, total)) / 2)

    found = network_points(network, ["mean"], count=starts, seed=seed, reviews=reviews, progress=show(0))
    stable = found[found.fixed & (found.unstable == 0)]
    attractors = cached_word_attractors(network, progress=show(1))
    assert attractors is not None, "only an interrupted search has no result"
    n = network.cell.size
    visited = visited_states(network, 4096, reviews=reviews)
    words = Projection.of(attractors.states[:, :n], 1)
    along = words.transform(attractors.states[:, :n])[:, 0]
    return Line(
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
    """|cosine| of the first readout and each point's slowest mode; a complex pair spans a plane, taken whole."""
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
