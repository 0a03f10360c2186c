"""The fixed-point paper's figures as numbers: ``python -m explorer.measure.fixed_points [NETWORK …]``.

Cheng, Schmid & Lange (2021) read claims off pictures of points in three principal components; each becomes a number
here, for every network named (without names: the nine that ship).

=======  ==================================================================  ==========================================
figure   claim                                                               column
=======  ==================================================================  ==========================================
3        three components explain above 90 % of the points' variance         PC1, PC1–3 (points under zero input)
4        1 channel: PC1 alone above 90 %, and it is the readout              PC1; r, its correlation with the logit
5        points under +1 and −1 continue the line at its ends                ends: they lie beyond the points of zero
6, 7     3 channels: three perpendicular axes, not the cube of Sussillo &    corner, edge, face, centre: points with
         Barak (2013)                                                        3, 2, 1, 0 decided channels; cos, the
                                                                             largest cosine between two channels'
                                                                             directions
8, 9     under ±1 the clusters are mirrored along PC1 and repeat zero's      mirror: −cosine of the two displacements
         structure                                                           in PC1–3; +1, −1: how many points
10       points say nothing about trajectories                               linear: variance that the linear map at
                                                                             the nearest point explains of the next
                                                                             1, 5 and 10 steps, with its inputs
=======  ==================================================================  ==========================================
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations

import click
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from engine.catalogue import shipped
from engine.linearised import predict_linearly
from engine.network import Network
from engine.points import FixedPoints
from engine.points_cache import network_points
from engine.projection import Projection
from engine.tasks import task_from_name
from engine.visits import TASK_SEED, task_runs, visited_states

AHEAD = (1, 5, 10)


@dataclass(frozen=True)
class Findings:
    """One network's answers; see the module's table for what each means."""

    network: str
    accuracy: float
    fixed: int
    slow: int
    pc1: float
    pc3: float
    readout_correlation: float
    beyond_the_ends: bool
    corner: int
    edge: int
    face: int
    centre: int
    channel_cosine: float
    mirror: float
    plus: int
    minus: int
    linear: tuple[float, ...]


def findings(network: Network, starts: int = 512) -> Findings:
    """Search under 0, +1 and −1 and answer every question.

    Raises
    ------
    ValueError
        If the network performs no task, or has no point under one of the inputs.
    """
    zero, plus, minus = (network_points(network, [name], count=starts) for name in ("zero", "+1", "-1"))
    if not (len(zero) and len(plus) and len(minus)):
        raise ValueError(f"{network.name}: an input without any fixed or slow point; try more starts")
    components = Projection.of(zero.states)
    at = components.transform(zero.states)
    here, up, down = (np.average(components.transform(p.states), axis=0, weights=p.hits) for p in (zero, plus, minus))
    decided = _decided_channels(zero)
    return Findings(
        network=network.name,
        accuracy=float(network.info["accuracy"]),
        fixed=int(zero.fixed.sum()),
        slow=int((~zero.fixed).sum()),
        pc1=float(components.explained[0]),
        pc3=float(components.explained.sum()),
        readout_correlation=max(_correlation(at[:, 0], logit) for logit in zero.readout.T),
        beyond_the_ends=bool(max(up[0], down[0]) > at[:, 0].max() and min(up[0], down[0]) < at[:, 0].min()),
        corner=int((decided == 3).sum()),
        edge=int((decided == 2).sum()),
        face=int((decided == 1).sum()),
        centre=int((decided == 0).sum()),
        channel_cosine=_channel_cosine(network),
        mirror=-_cosine(up - here, down - here),
        plus=len(plus),
        minus=len(minus),
        linear=_linear(network, zero),
    )


def _decided_channels(points: FixedPoints) -> NDArray[np.int64]:
    """In how many channels each point's logit is over half of the largest any fixed point has there."""
    size = np.abs(points.readout)
    return (size > 0.5 * size.max(axis=0)).sum(axis=1)


def _channel_cosine(network: Network) -> float:
    """The channels' directions run from the mean state that answers 0 to the one that answers 1."""
    states = visited_states(network, 4096)
    logits = network.to(dtype=torch.float64).readout(network.cell.split(states)["h"])
    directions = [(states[up].mean(0) - states[~up].mean(0)).numpy() for up in (logits > 0).T]
    return max((abs(_cosine(a, b)) for a, b in combinations(directions, 2)), default=float("nan"))


def _linear(network: Network, points: FixedPoints) -> tuple[float, ...]:
    inputs, _ = task_from_name(network.task).sequences(32, 60, TASK_SEED + 1)
    x, states = task_runs(network, inputs)
    explained = predict_linearly(network.cell, points, states, x, max(AHEAD)).explained
    return tuple(float(explained[k - 1]) for k in AHEAD)


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return abs(float(np.corrcoef(a, b)[0, 1])) if len(a) > 2 else float("nan")


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


@click.command
@click.argument("networks", nargs=-1)
@click.option("--starts", type=click.IntRange(8), default=512, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="A list of objects, for scripts.")
def main(networks: tuple[str, ...], starts: int, as_json: bool) -> None:
    """Remake the fixed-point paper's figures 3 to 10 as numbers."""
    import json

    torch.set_num_threads(1)
    names = networks or [str(info.path) for info in shipped() if info.size == 100 and info.task != "sentiment"]
    answers = [findings(Network.load(name), starts) for name in names]
    if as_json:
        click.echo(json.dumps([asdict(answer) for answer in answers], indent=2))
        return
    table = Table()
    table.add_column("network")
    headings = "fixed slow PC1 PC1–3 r ends corner edge face centre cos mirror +1 −1 linear"
    for heading in headings.split():
        table.add_column(heading, justify="right")
    for answer in answers:
        a = answer
        table.add_row(
            *(a.network, str(a.fixed), str(a.slow), f"{a.pc1:.0%}", f"{a.pc3:.0%}", f"{a.readout_correlation:.2f}"),
            *("yes" if a.beyond_the_ends else "no", str(a.corner), str(a.edge), str(a.face), str(a.centre)),
            *(f"{a.channel_cosine:.2f}", f"{a.mirror:.2f}", str(a.plus), str(a.minus)),
            " ".join(f"{part:.2f}" for part in a.linear),
        )
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
