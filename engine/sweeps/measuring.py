"""Measure the networks of a sweep, one shard a network, into the table of its folder."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from engine.activity import is_dead
from engine.corpus_statistics import corpus_statistics
from engine.devices import or_on_the_cpu
from engine.fluctuation import default_scales
from engine.network import Network
from engine.points import FixedPoints
from engine.points_cache import content_hash, network_points
from engine.reviews import CUT, Review
from engine.state_runs import last_probability
from engine.sweeps.shards import Progress, Result, Shard, Store, digest_of, run_shards
from engine.sweeps.table import read_table, table_file, write_table
from engine.training import EncodedReviews, network_recipe

VERSION: Final = 2  # of measurements: increase it when the numbers change
INPUT: Final = "zero"  # constant input of the search for fixed points
LEVEL: Final = 0.95


@dataclass(frozen=True)
class MeasureOptions:
    """Options of a measurement: β of reviews cut at ``words``, and the points from ``starts`` visited states (0: none).

    ``device`` computes β and the points ("cpu" or "cuda").
    """

    words: int = CUT
    starts: int = 128
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True)
class MeasuredReviews:
    """Reviews encoded for one vocabulary: ``long`` (review, time) for β, ``labelled`` for loss and accuracy."""

    long: NDArray[np.int32]
    labelled: EncodedReviews
    digest: str


def measure_sweep(
    folder: Path,
    reviews: Sequence[Review],
    options: MeasureOptions,
    *,
    on: str | None = None,
    progress: Callable[[Progress], None] = lambda now: None,
    report: Callable[[str], None] = lambda text: None,
) -> list[dict[str, Any]]:
    """Measure every network of a folder's table, and write and return the table with the results.

    Parameters
    ----------
    folder : Path
        A folder of `engine.sweeps.sweep.train_sweep`, or any folder of networks.
    reviews : sequence of Review
        Those of ``options.words`` or more are measured for β, all with a label for loss and accuracy.
    on, progress, report
        See `engine.sweeps.shards.run_shards`.

    Raises
    ------
    ValueError
        If the folder has no network, no review is long enough, or a shard fails.
    """
    rows = table_rows(folder)
    networks = [Network.load(folder / str(row["file"])) for row in rows]
    encoded: dict[str, MeasuredReviews] = {}
    shards = []
    for row, network in zip(rows, networks, strict=True):
        read = _encode(network, reviews, options.words, encoded)
        digest = digest_of("measure", VERSION, content_hash(network), network.task, read, asdict(options))
        shards.append(Shard(str(row["name"]), digest, _measure, (network, read, options)))
    store = Store(folder / "shards", folder / "networks")
    values = run_shards(shards, on, store, shared=(encoded,), progress=progress, report=report)
    rows = [{**row, **found} for row, found in zip(rows, values, strict=True)]
    write_table(folder, rows)
    return rows


def table_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of a folder's table, or without a table one for each network file.

    Raises
    ------
    ValueError
        If there is neither.
    """
    if table_file(folder) is not None:
        return [dict(row) for row in read_table(folder)]
    from engine.catalogue import describe

    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ValueError(f"{folder} has no table and no .safetensors file: train a sweep with `pinkx train --grid`")
    described = [(path, describe(path)) for path in files]
    return [
        {"name": path.stem, "file": path.name, "cell": info.cell, "size": info.size, "seed": info.seed}
        for path, info in described
    ]


def _encode(network: Network, reviews: Sequence[Review], words: int, encoded: dict[str, MeasuredReviews]) -> str:
    """Encode the reviews once for each vocabulary; returns the name of the result, "" for a network of a task."""
    vocabulary = network.vocabulary
    if vocabulary is None:
        return ""
    name = hashlib.sha256("\n".join(vocabulary.words).encode()).hexdigest()
    if name not in encoded:
        long = [vocabulary.encode(review.words[:words]) for review in reviews if len(review.words) >= words]
        if not long:
            longest = max(len(review.words) for review in reviews)
            raise ValueError(f"no review has {words} words, the longest has {longest}; use --words {longest} or less")
        labelled = EncodedReviews.from_reviews([one for one in reviews if one.label is not None], vocabulary)
        content = hashlib.sha256(np.stack(long).tobytes() + labelled.labels.tobytes())
        content.update(b";".join(ids.tobytes() for ids in labelled.ids))
        encoded[name] = MeasuredReviews(np.stack(long), labelled, content.hexdigest())
    return f"{name} {encoded[name].digest}"


def _measure(network: Network, read: str, options: MeasureOptions, encoded: Mapping[str, MeasuredReviews]) -> Result:
    start = time.process_time()
    found: dict[str, Any] = {}
    reviews: list[NDArray[np.int32]] | None = None
    if read:
        given = encoded[read.partition(" ")[0]]
        reviews = list(given.long[:100])
        found |= _labels(network, given.labelled) | _exponents(network, given.long, options.device)
    if options.starts:
        found |= _points(network, options, reviews)
    return Result({**found, "measure_seconds": time.process_time() - start})


def _labels(network: Network, labelled: EncodedReviews) -> dict[str, float]:
    """Return loss and accuracy on the labelled reviews, as the network reads them."""
    if not len(labelled):
        return {}
    recipe = network_recipe(network)
    ids = labelled.ids if recipe is None else labelled.padded(recipe).ids
    right = labelled.labels > 0.5
    p = np.clip(last_probability(network, ids), 1e-7, 1 - 1e-7)
    loss = float(-np.mean(np.log(np.where(right, p, 1 - p))))
    return {"measured_accuracy": float(np.mean((p >= 0.5) == right)), "measured_loss": loss}


def _exponents(network: Network, long: NDArray[np.int32], device: str) -> dict[str, float | None]:
    """Return the mean β of each signal's layer sum with its interval over reviews, and the share of dead cells."""
    scales = default_scales(long.shape[1])
    statistics = or_on_the_cpu(device, lambda name: corpus_statistics(network.to(device=name), long, None, scales))
    found: dict[str, float | None] = {}
    for signal in statistics.signals:
        beta = statistics.exponents(signal).beta
        known = beta[np.isfinite(beta)]
        mean = float(known.mean()) if len(known) else None
        half = (
            t.ppf((1 + LEVEL) / 2, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)) if len(known) > 1 else None
        )
        found[f"beta_{signal}"] = mean
        found[f"beta_{signal}_low"] = None if mean is None or half is None else mean - float(half)
        found[f"beta_{signal}_high"] = None if mean is None or half is None else mean + float(half)
    return found | {"dead": float(is_dead(statistics.deviation.mean(axis=0)).mean())}


def _points(
    network: Network, options: MeasureOptions, reviews: list[NDArray[np.int32]] | None
) -> dict[str, float | None]:
    """Return the numbers of fixed and of stable points, Σ of their indices, and the largest |λ|, under one input."""

    def search(device: str) -> FixedPoints:
        there = network.to(device=device)
        return network_points(there, [INPUT], count=options.starts, seed=options.seed, reviews=reviews, cache=False)

    found = or_on_the_cpu(options.device, search)
    fixed = found[found.fixed]
    largest = float(np.abs(fixed.eigenvalues[:, 0]).max()) if len(fixed) else None
    return {
        "points": len(fixed),
        "stable": int((fixed.unstable == 0).sum()),
        "index_sum": int(fixed.index.sum()),
        "largest_eigenvalue": largest,
    }
