"""Cached searches and basins: the results for the same network, inputs and starts are computed once, and then read.

The files are in the user's cache folder, named by a hash of the weights and of everything else that determines the
result, so a stale file is never opened.  A damaged file is computed again, and where the folder cannot be written
(read-only, full, of another user), nothing is cached.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from engine import basins as ends_of_states, completeness, cycles, fixed_points, word_attractors as attractors
from engine.basins import Basins, Ends, basins, uniform_states
from engine.files import user_folder
from engine.fixed_points import Method, find_fixed_points
from engine.network import Network
from engine.points import FixedPoints
from engine.start_states import input_from_name, visited_states
from engine.word_attractors import WordAttractors, word_attractors

Progress = Callable[[int, int], bool | None]
_T = TypeVar("_T")


def content_hash(network: Network) -> str:
    """Return the SHA-256 of the type of cell, its settings and all weights, whatever the network's name."""
    settings = json.dumps(network.cell.settings, sort_keys=True) if network.cell.settings else ""
    digest = hashlib.sha256(f"{network.cell.name}{settings}".encode())
    for name, tensor in sorted(
        {**network.tensors(), **({} if network.stack is None else network.stack.tensors())}.items()
    ):
        array = tensor.detach().cpu().contiguous().numpy()
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def network_points(
    network: Network,
    inputs: Sequence[str] = ("zero",),
    *,
    count: int = 1024,
    seed: int = 0,
    noise: float = 0.0,
    method: Method = "newton",
    reviews: Sequence[NDArray[Any]] | None = None,
    progress: Progress | None = None,
    cache: bool = True,
) -> FixedPoints:
    """Find the fixed and slow points of a network under inputs given by name, from states that it visits.

    Parameters
    ----------
    network : Network
    inputs : names, see ``engine.start_states.input_from_name``
    count, seed, noise, reviews
        See ``engine.start_states.visited_states``.
    method, progress
        See ``engine.fixed_points.find_fixed_points``.
    cache : bool
        True: read the result from the cache, or write it there; an interrupted search is not written.  False: search.
    """
    names = ("FIXED", "SLOW", "LEVEL", "MERGE", "MODES", "RELAX")
    tolerances = [getattr(fixed_points, name) for name in names]
    bounds = [completeness.ROUNDS, completeness.NEIGHBOURS]
    key = [network.task, list(inputs), count, seed, noise, method, _reviews_hash(reviews), tolerances, bounds]
    path = _path(network, "points", key)
    if cache and (cached := _open(FixedPoints.load, path)) is not None:
        return cached
    found = find_fixed_points(
        network.cell,
        torch.stack([input_from_name(network, name) for name in inputs]),
        visited_states(network, count, seed=seed, noise=noise, reviews=reviews),
        method=method,
        readout=(network.readout_weight, network.readout_bias),
        input_names=inputs,
        progress=progress,
    )
    if cache and found.starts == count * len(inputs):
        _store(found.save, path)
    return found


def network_ends(
    network: Network,
    points: FixedPoints,
    name: str,
    *,
    count: int,
    seed: int = 0,
    reviews: Sequence[NDArray[Any]] | None = None,
    progress: Progress | None = None,
    cache: bool = True,
) -> Ends | None:
    """Find where ``count`` visited and ``count`` uniformly drawn states end under one input.

    Parameters
    ----------
    network : Network
    points : FixedPoints
        Points of the network under one or several inputs; the stable ones under ``name`` are numbered by their rows.
    name : str
        One of their inputs.
    count, seed, reviews
        See ``engine.start_states.visited_states``.
    progress, cache
        See ``network_points``.

    Returns
    -------
    Ends or None
        None where ``progress`` stopped the computation.
    """
    rows = np.flatnonzero((points.input_names == name) & points.fixed & (points.unstable == 0))
    constant = points.inputs[points.input_names == name][0]
    read = [getattr(ends_of_states, part) for part in ("CHECK", "SETTLED", "NEAR")]
    read += [getattr(cycles, part) for part in ("STEPS", "LONGEST", "RETURNED", "CERTIFIED", "SAME")]
    # Basins are counted by the distance to a stable point, which rounding does not change.
    stable = np.round(points.states[rows], 6) + 0.0
    key = [network.task, constant.tolist(), hashlib.sha256(stable.tobytes()).hexdigest(), count, seed, read]
    found = []
    for kind, used in (("visited", _reviews_hash(reviews)), ("uniform", "")):
        path = _path(network, "basins", [*key, kind, used])
        one = _open(Basins.load, path) if cache else None
        if one is None:
            drawn = (
                visited_states(network, count, seed=seed, reviews=reviews)
                if kind == "visited"
                else uniform_states(network.cell, count, seed=seed)
            )
            x, states, starts = (
                part.to(network.cell.device)
                for part in (*map(torch.from_numpy, (constant, points.states[rows])), drawn)
            )
            one = basins(network.cell, x, states, starts, progress=progress)
            if one is None:
                return None
            if cache:
                _store(one.save, path)
        found.append(replace(one, points=rows))
    return Ends(*found)


def cached_word_attractors(
    network: Network, *, progress: Progress | None = None, cache: bool = True
) -> WordAttractors | None:
    """Return ``engine.word_attractors.word_attractors`` of a network, cached."""
    words = [] if network.vocabulary is None else list(network.vocabulary.words)
    path = _path(network, "words", [words, attractors.REPETITIONS, attractors.NEAR])
    if cache and (cached := _open(WordAttractors.load, path)) is not None:
        return cached
    found = word_attractors(network, progress=progress)
    if cache and found is not None:
        _store(found.save, path)
    return found


def _reviews_hash(reviews: Sequence[NDArray[Any]] | None) -> str:
    read = hashlib.sha256()
    for ids in reviews or ():
        kind = np.int32 if np.ndim(ids) == 1 else np.float32
        read.update(np.asarray(ids, dtype=kind).tobytes() + b";")
    return read.hexdigest()


def _path(network: Network, what: str, key: object) -> Path:
    decided_by = hashlib.sha256(f"{content_hash(network)} {json.dumps(key)}".encode()).hexdigest()
    return user_folder("cache") / "fixed_points" / f"{what}-{decided_by[:32]}.npz"


def _store(save: Callable[[Path], None], path: Path) -> None:
    with suppress(OSError):
        save(path)


def _open(load: Callable[[Path], _T], path: Path) -> _T | None:
    try:
        return load(path)
    except (OSError, ValueError):  # missing or damaged: compute it
        return None
