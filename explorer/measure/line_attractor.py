"""Is a sentiment network a line attractor?  ``python -m explorer.measure.line_attractor [NETWORK …]``.

Maheswaranathan et al. (NeurIPS 2019) report for such networks: two or three components carry about 90 % of the
states' variance, the slowest mode lasts about 1,000 words and the next about 100, and the readout lies along the slow
direction.  Here, for every network named (without names: those that ship), over the bundled reviews and with the mean
embedding as input:

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

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import click
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from engine.catalogue import shipped
from engine.network import Network
from engine.points import FixedPoints
from engine.points_cache import cached_word_attractors, network_points
from engine.projection import Projection
from engine.reviews import CUT, open_reviews
from engine.visits import visited_states


@dataclass(frozen=True)
class Line:
    """One network's answers; see the module's table."""

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


def line(network: Network, reviews: Sequence[NDArray[np.integer]], starts: int = 256) -> Line:
    """Search under the mean word, follow every word, and measure.

    Raises
    ------
    ValueError
        If the network does not read words, or no stable point is found.
    """
    found = network_points(network, ["mean"], count=starts, reviews=reviews)
    stable = found[found.fixed & (found.unstable == 0)]
    if not len(stable):
        raise ValueError(f"{network.name}: no stable fixed point under the mean word; try more starts")
    attractors = cached_word_attractors(network)
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
        line=float(Projection.of(found.states[:, :n], 1).explained[0]),
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
    return float(np.median(np.repeat(values, weights)))


@click.command
@click.argument("networks", nargs=-1)
@click.option("--starts", type=click.IntRange(8), default=256, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="A list of objects, for scripts.")
def main(networks: tuple[str, ...], starts: int, as_json: bool) -> None:
    """Ask of sentiment networks whether they are line attractors."""
    torch.set_num_threads(1)
    texts = [review.words[:CUT] for review in open_reviews()]
    answers = []
    for name in networks or [str(info.path) for info in shipped() if info.task == "sentiment"]:
        network = Network.load(name)
        if network.vocabulary is None:
            raise click.ClickException(f"{network.name} does not read words")
        answers.append(line(network, [network.vocabulary.encode(words) for words in texts], starts))
    if as_json:
        click.echo(json.dumps([asdict(answer) for answer in answers], indent=2))
        return
    table = Table()
    table.add_column("network")
    for heading in ("states", "points", "stable", "line", "slowest", "next", "aligned", "words", "r"):
        table.add_column(heading, justify="right")
    for a in answers:
        table.add_row(
            *(a.network, " ".join(f"{part:.0%}" for part in a.states), f"{a.fixed} + {a.slow}", str(a.stable)),
            *(f"{a.line:.0%}", f"{a.slowest:.0f}", f"{a.next:.0f}", f"{a.aligned:.2f}"),
            *(f"{a.words:.0%}", f"{a.words_correlation:.2f}"),
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
