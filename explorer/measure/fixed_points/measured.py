"""Everything that is measured of one network, and how it is kept so that no work is done twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from glob import glob
from pathlib import Path
from typing import Any

from engine.catalogue import NetworkInfo, describe, shipped_networks
from engine.files import atomic_write
from engine.network import Network
from engine.points import FixedPoints
from engine.points_cache import content_hash
from engine.projection import Projection
from explorer.measure.fixed_points.geometry import Geometry, channel_directions, geometry, joint_components
from explorer.measure.fixed_points.searched import INPUTS, Cloud, Search, cloud, hidden, search
from explorer.measure.fixed_points.trajectories import Trajectories, sample_paths, trajectories

VERSION = 1
"""Of what is kept: raise it when numbers come to mean something else."""

PATHS = 6


@dataclass(frozen=True)
class Pictures:
    """What figures draw: clouds by input along zero's components, and along those of 0, +1 and −1 together.

    ``explained``, ``joint_explained`` (3,): the components' shares; ``paths`` (run, time, 3); ``directions``
    (channel, 3): the channels' along zero's components; all in units of h.
    """

    clouds: dict[str, Cloud]
    joint: dict[str, Cloud]
    explained: list[float]
    joint_explained: list[float]
    paths: list[list[list[float]]]
    directions: list[list[float]]


@dataclass(frozen=True)
class Measured:
    """One network: who it is, the table's rows, the geometry of its points, its trajectories, its pictures."""

    name: str
    cell: str
    size: int
    task: str
    seed: int | None
    accuracy: float | None
    digest: str
    searches: tuple[Search, ...]
    geometry: Geometry
    trajectories: Trajectories
    pictures: Pictures

    def search(self, name: str) -> Search:
        """The row of one input."""
        return next(row for row in self.searches if row.input == name)


def choose_networks(patterns: Sequence[str], seeds: Sequence[int] = ()) -> list[NetworkInfo]:
    """Networks by task, cell and seed, each file once.

    Parameters
    ----------
    patterns : sequence of str
        Patterns of files (``nets/*.safetensors``) or of shipped networks (``*-100-*``).
    seeds : sequence of int
        If there is one, only networks trained from these.

    Raises
    ------
    ValueError
        If a pattern fits nothing, or nothing is left.
    """
    found: dict[Path, NetworkInfo] = {}
    for pattern in patterns:
        files = [Path(name) for name in sorted(glob(pattern, recursive=True)) if name.endswith(".safetensors")]
        infos = [describe(file) for file in files] or [
            one for one in shipped_networks() if fnmatchcase(one.name, pattern)
        ]
        if not infos:
            raise ValueError(
                f"no network fits {pattern!r}: give .safetensors files, such as 'nets/*.safetensors', or the name of "
                "a shipped network, such as gru-100-flip-flop-3 or '*-100-*'"
            )
        found |= {one.path.resolve(): one for one in infos if not seeds or one.seed in seeds}
    if not found:
        raise ValueError(f"no network of seed {', '.join(map(str, seeds))} among those named")
    return sorted(found.values(), key=lambda one: (one.task, one.cell != "lstm", one.cell, one.size, one.seed or 0))


def measure(
    info: NetworkInfo, starts: int, seed: int, folder: Path, progress: Callable[[float], None] | None = None
) -> Measured:
    """Measure a task network, or open what is kept of it.

    Parameters
    ----------
    info : NetworkInfo
    starts, seed
        Visited states for each input, and what draws them.
    folder : Path
        Where results are kept, under the contents of the network and the options.
    progress : callable, optional
        Called with the fraction done.
    """
    network = Network.load(info.path)
    digest = content_hash(network)
    key = hashlib.sha256(json.dumps([VERSION, digest, info.task, starts, seed]).encode()).hexdigest()[:24]
    path = folder / f"{info.cell}-{info.size}-{info.task}-{key}.json"
    try:
        return _restored(json.loads(path.read_text(encoding="utf-8")), info)
    except (OSError, ValueError, KeyError, TypeError):  # not there yet, or damaged: either way it is made anew
        pass
    points, rows = {}, []
    for number, name in enumerate(INPUTS):

        def show(done: int, total: int, number: int = number) -> None:
            if progress is not None:
                progress((number + done / max(1, total)) / len(INPUTS))

        points[name], row = search(network, name, starts, seed, show)
        rows.append(row)
    found = Measured(
        *(info.name, info.cell, info.size, info.task, info.seed, info.accuracy, digest, tuple(rows)),
        geometry(network, points, seed),
        trajectories(network, points["zero"], seed),
        _pictures(network, points, seed),
    )
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as beside:
        beside.write_text(json.dumps(asdict(found)), encoding="utf-8")
    return found


def _pictures(network: Network, points: Mapping[str, FixedPoints], seed: int) -> Pictures:
    own, joint = Projection.of(hidden(network, points["zero"])), joint_components(network, points)
    return Pictures(
        {name: cloud(network, found, own) for name, found in points.items()},
        {name: cloud(network, points[name], joint) for name in ("zero", "+1", "-1")},
        own.explained.tolist(),
        joint.explained.tolist(),
        own.transform(sample_paths(network, PATHS, seed)).round(4).tolist(),
        own.directions(channel_directions(network, seed)).round(4).tolist(),
    )


def _restored(kept: dict[str, Any], info: NetworkInfo) -> Measured:
    """What ``measure`` kept; the file may be called otherwise by now."""
    rows = tuple(
        Search(**row | {"by_unstable": tuple(row["by_unstable"]), "explained": tuple(row["explained"])})
        for row in kept["searches"]
    )
    seen = kept["pictures"]
    clouds = {part: {name: Cloud(**one) for name, one in seen[part].items()} for part in ("clouds", "joint")}
    tested = kept["trajectories"]
    return Measured(
        *(info.name, info.cell, info.size, info.task, info.seed, info.accuracy, kept["digest"], rows),
        Geometry(**kept["geometry"] | {"decided": tuple(kept["geometry"]["decided"])}),
        Trajectories(**tested | {part: tuple(tested[part]) for part in ("linear", "elsewhere")}),
        Pictures(**seen | clouds),
    )
