"""The states of a network after the last words of many reviews, without recording any signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from engine.kernels.cpu import steps
from engine.network import Network
from engine.recording import InputSequences, checked_clamps, gpu_reader, record_reference


class FinalStates:
    """Reads reviews to their last words and records nothing: the fastest pass, for many runs with different clamps.

    Parameters
    ----------
    network : Network
        A network that reads words.
    reviews : sequence of (time,) ids
        Each with a word.
    """

    def __init__(self, network: Network, reviews: Sequence[NDArray[np.integer]]) -> None:
        self.network = network
        self._sequences = InputSequences(network, reviews)
        cell = network.cell
        self._reader = gpu_reader(network, {})
        on_cpu = cell.device.type == "cpu" and steps.supports(cell)
        self._layer = steps.arrange(cell) if on_cpu else None
        self._order = np.argsort(-self._sequences.lengths, kind="stable")

    def read(self, clamp: Mapping[str, ArrayLike]) -> Tensor:
        """Return ``h`` after the last word, (review, cell), with these clamps."""
        sequences, cell = self._sequences, self.network.cell
        clamps = checked_clamps(self.network, clamp)
        h = cell.state_parts.index("h") * cell.size
        if self._reader is not None and self._reader.use(clamps):
            state = cell.initial_state(len(sequences.lengths)).float().contiguous()
            self._reader.run(sequences.tokens, sequences.lengths, state=state)
            return state[:, h : h + cell.size]
        if self._layer is None:
            reviews = [row[:length] for row, length in zip(sequences.tokens, sequences.lengths, strict=True)]
            recorded = record_reference(self.network, reviews, ["h"], clamp=clamps).tensor("h")
            return recorded[torch.arange(len(reviews)), torch.as_tensor(sequences.lengths - 1)]
        start = cell.initial_state(len(sequences.lengths)).float().numpy()
        nothing = np.full(len(cell.signals), -1, dtype=np.intp)
        out = np.empty((0, *sequences.tokens.shape, cell.size), dtype=np.float32)
        held = steps.clamp(cell, clamps)
        tokens, lengths = sequences.tokens, sequences.lengths
        arrays = sequences.vectors, tokens, lengths, self._order, start, held, nothing, out
        steps.run(self._layer, *arrays, *steps.NOTHING)
        return torch.from_numpy(start[:, h : h + cell.size])
