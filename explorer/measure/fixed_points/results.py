"""Measurements of one network: its searches, the geometry of its points, its trajectories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from engine.catalogue import NetworkInfo
from engine.network import Network
from engine.points import FixedPoints
from engine.points_cache import content_hash
from engine.probability import Activation
from engine.projection import Projection
from explorer.measure.fixed_points.geometry import Geometry, channel_directions, geometry, joint_components
from explorer.measure.fixed_points.searches import INPUTS, Cloud, SearchRow, cloud, hidden, search_input
from explorer.measure.fixed_points.trajectories import Estimate, Trajectories, sample_paths, trajectories
from explorer.measure.study.cache import cache_file, cached
from explorer.measure.study.networks import matching_networks
from explorer.measure.study.progress import ShowFraction

SHIPPED: Final = ("*-100-*", "*-64")
"""Networks that are measured by default."""

VERSION: Final = 5  # of cached results: increase it when the numbers change
PATHS: Final = 6  # sample paths of Figure 10


@dataclass(frozen=True)
class Pictures:
    """Data of the figures, in units of h.

    ``clouds``: the points under each input, in the components of the points under zero input; ``joint``: the points
    under 0, +1 and −1 in the components of all three.  ``explained``, ``joint_explained`` (3,): explained variance.
    ``paths`` (run, time, 3): sample paths.  ``directions`` (channel, 3): directions of the channels.
    """

    clouds: dict[str, Cloud]
    joint: dict[str, Cloud]
    explained: list[float]
    joint_explained: list[float]
    paths: list[list[list[float]]]
    directions: list[list[float]]


@dataclass(frozen=True)
class NetworkResult:
    """Measurements of a network."""

    name: str
    cell: str
    size: int
    task: str
    seed: int | None
    accuracy: float | None
    digest: str
    activation: Activation
    searches: tuple[SearchRow, ...]
    geometry: Geometry
    trajectories: Trajectories
    pictures: Pictures

    def search(self, name: str) -> SearchRow:
        """Return the row of one input."""
        return next(row for row in self.searches if row.input == name)


def select_networks(patterns: Sequence[str], seeds: Sequence[int] = ()) -> list[NetworkInfo]:
    """Return networks by task, cell and seed, each file once.

    Parameters
    ----------
    patterns : sequence of str
        See `matching_networks`; by default `SHIPPED`.
    seeds : sequence of int
        Only networks trained with these seeds, if there are any.

    Raises
    ------
    ValueError
        If a pattern matches nothing, or no network is left.
    """
    found = matching_networks(patterns, SHIPPED, "gru-100-flip-flop-3")
    found = [info for info in found if not seeds or info.seed in seeds]
    if not found:
        raise ValueError(f"none of these networks was trained with seed {', '.join(map(str, seeds))}")
    return sorted(found, key=lambda info: (info.task, info.cell != "lstm", info.cell, info.size, info.seed or 0))


def measure(
    info: NetworkInfo,
    starts: int,
    seed: int,
    folder: Path,
    show: ShowFraction = lambda fraction: None,
    device: str = "cpu",
) -> NetworkResult:
    """Measure a task network, or read the cached result.

    Parameters
    ----------
    info : NetworkInfo
    starts, seed
        Number of start states for each input, and the seed that draws them.
    folder : Path
        Folder of cached results.
    show : callable
        Called with the fraction done.
    device : str
        Where to search; the rest is computed on the CPU.
    """
    network = Network.load(info.path)
    digest = content_hash(network)
    path = cache_file(folder, f"{info.cell}-{info.size}-{info.task}", VERSION, digest, info.task, starts, seed)
    return cached(
        path,
        lambda: _measured(network, digest, starts, seed, show, device),
        lambda values: _restored(values, info),
    )


def _measured(network: Network, digest: str, starts: int, seed: int, show: ShowFraction, device: str) -> dict[str, Any]:
    points, rows = {}, []
    for number, name in enumerate(INPUTS):

        def progress(done: int, total: int, number: int = number) -> None:
            show((number + done / max(1, total)) / len(INPUTS))

        points[name], row = search_input(network, name, starts, seed, progress, device)
        rows.append(asdict(row))
    return {
        "task": network.task,
        "digest": digest,
        "activation": network.activation,
        "searches": rows,
        "geometry": asdict(geometry(network, points, seed)),
        "trajectories": asdict(trajectories(network, points["zero"], seed)),
        "pictures": asdict(_pictures(network, points, seed)),
    }


def _pictures(network: Network, points: Mapping[str, FixedPoints], seed: int) -> Pictures:
    own, joint = Projection.of(hidden(network, points["zero"])), joint_components(network, points)
    return Pictures(
        {name: cloud(network, some, own) for name, some in points.items()},
        {name: cloud(network, points[name], joint) for name in ("zero", "+1", "-1")},
        own.explained.tolist(),
        joint.explained.tolist(),
        own.transform(sample_paths(network, PATHS, seed)).round(4).tolist(),
        own.directions(channel_directions(network, seed)).round(4).tolist(),
    )


def _restored(values: dict[str, Any], info: NetworkInfo) -> NetworkResult:
    rows = tuple(
        SearchRow(**row | {"by_unstable": tuple(row["by_unstable"]), "explained": tuple(row["explained"])})
        for row in values["searches"]
    )
    pictures, measured = values["pictures"], values["geometry"]
    clouds = {part: {name: Cloud(**one) for name, one in pictures[part].items()} for part in ("clouds", "joint")}
    return NetworkResult(
        *(info.name, info.cell, info.size, info.task, info.seed, info.accuracy, values["digest"]),
        *(values["activation"], rows),
        Geometry(**measured | {"decided": tuple(measured["decided"])}),
        _restored_trajectories(values["trajectories"]),
        Pictures(**pictures | clouds),
    )


def _restored_trajectories(values: dict[str, Any]) -> Trajectories:
    def estimate(one: dict[str, Any]) -> Estimate:
        return Estimate(tuple(map(_number, one["draws"])), _number(one["error"]))

    parts: dict[str, Any] = {
        name: tuple(map(estimate, value)) if isinstance(value, list) else estimate(value)
        for name, value in values.items()
    }
    return Trajectories(**parts)


def _number(value: float | None) -> float:
    """Return a number of a JSON file, in which NaN is null."""
    return float("nan") if value is None else value
