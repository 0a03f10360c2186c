"""The networks of one training run after each of its epochs, as ``pinkx train --every-epoch`` saves them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from engine.activity import deviation
from engine.catalogue import NetworkError
from engine.network import Network
from engine.points_cache import network_points
from engine.recording import record

INPUTS: Final = ("zero", "mean")  # inputs under which points are sought
STARTS: Final = 128  # start states of a search
VISITED: Final = 300  # hidden states that a map shows
_EPOCH = re.compile(r"(?P<run>.+)-e(?P<epoch>\d+)")


def epoch_file(out: Path, epoch: int) -> Path:
    """Return the file of an epoch of the run that is saved as ``out``; 0 is the untrained network."""
    return out.with_stem(f"{out.stem}-e{epoch:02}")


def epoch_files(path: str | Path) -> dict[int, Path]:
    """Return the files of all epochs of a run by their number, in order.

    ``path`` is the file of the run, ``OUT.safetensors``, or that of one epoch, ``OUT-e03.safetensors``; empty if none
    of an epoch is there.
    """
    path = Path(path)
    named = _EPOCH.fullmatch(path.stem)
    run = named["run"] if named is not None else path.stem
    found = {}
    for file in path.parent.glob(f"*{path.suffix}"):
        match = _EPOCH.fullmatch(file.stem)
        if match is not None and match["run"] == run:
            found[int(match["epoch"])] = file
    return dict(sorted(found.items()))


@dataclass(frozen=True, eq=False)
class EpochPoints:
    """Fixed and slow points under ``INPUTS``: ``h`` (point, n), their input, logit, and whether fixed and stable."""

    h: NDArray[np.float64]
    inputs: tuple[str, ...]
    logit: NDArray[np.float64]
    fixed: NDArray[np.bool_]
    stable: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Epoch:
    """Results of the network of one epoch on labelled reviews.

    Attributes
    ----------
    number : int
        0 is the untrained network.
    path : Path
    loss, accuracy : float
        Mean cross entropy in nats and fraction correct of the reviews.
    validation_loss : float
        That of the training run, from the header of the file; NaN if there is none.
    activity : (n,) array
        Standard deviation of h over a review, averaged over reviews.
    visited : (state, n) array
        Hidden states, at even distances.
    """

    number: int
    path: Path
    loss: float
    accuracy: float
    validation_loss: float
    activity: NDArray[np.float64]
    visited: NDArray[np.float32]


def measure_epoch(number: int, path: Path, words: Sequence[Sequence[str]], labels: Sequence[bool]) -> Epoch:
    """Load the network of an epoch, and measure it with reviews given as words.

    Raises
    ------
    NetworkError
        If the file is no network with one output that reads words.
    ValueError
        If there is no review.
    """
    network = _load(path)
    assert network.vocabulary is not None
    recording = record(network, [network.vocabulary.encode(each) for each in words], ["h"])
    h, lengths = recording["h"], recording.lengths
    last = torch.from_numpy(h[np.arange(len(lengths)), lengths - 1]).to(network.readout_weight)
    logits, targets = network.readout(last)[:, 0], torch.tensor(labels, dtype=network.readout_weight.dtype)
    validation_loss = json.loads(network.info.get("measured", "{}")).get("validation_loss")
    states = h[recording.mask]
    return Epoch(
        number,
        path,
        float(functional.binary_cross_entropy_with_logits(logits, targets)),
        float(((logits >= 0) == (targets > 0.5)).double().mean()),
        float(validation_loss) if isinstance(validation_loss, int | float) else math.nan,
        deviation(h).mean(axis=0),
        states[:: max(1, math.ceil(len(states) / VISITED))],
    )


def epoch_points(
    path: Path,
    reviews: Callable[[Network], list[NDArray[np.int32]]],
    progress: Callable[[int, int], bool | None] | None = None,
) -> EpochPoints:
    """Find the points of the network of an epoch, or read them from the cache.

    ``reviews`` returns the reviews whose states are the start states, as ids of a network.
    """
    network = _load(path)
    found = network_points(network, INPUTS, count=STARTS, reviews=reviews(network), progress=progress)
    stable = found.fixed & (np.abs(found.eigenvalues).max(axis=1) < 1)
    return EpochPoints(
        found.states[:, : network.cell.size],
        tuple(found.input_names.tolist()),
        found.readout[:, 0],
        found.fixed,
        stable,
    )


def _load(path: Path) -> Network:
    network = Network.load(path)
    if network.vocabulary is None or network.outputs != 1 or network.activation != "sigmoid":
        raise NetworkError(f"{path}: expected a network that reads words and has one output, P(positive)")
    return network
