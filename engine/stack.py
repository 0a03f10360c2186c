"""Several recurrent layers on top of each other, each in one direction or in two, as in files of other programs.

The outputs of a whole stack are those of `engine.stack_outputs`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from engine.cells import CELLS, Cell, Clamps, build_cell
from engine.vocabulary import Vocabulary

Direction = Literal["forward", "backward"]
Reads = Literal["final", "last", "each"]
DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)
READS: Final[tuple[Reads, ...]] = get_args(Reads)
Position = tuple[int, Direction]
"""A layer, counted from 0, and its direction."""
ARROWS: Final[Mapping[Direction, str]] = {"forward": "→", "backward": "←"}


@dataclass(frozen=True, eq=False)
class Stack:
    """Embedding → layers → readout.

    Attributes
    ----------
    layers : tuple of (forward,) or (forward, backward) cells
        From the bottom. A layer of two directions puts out both hidden states, the forward one first.
    readout : (weight (k, n), bias (k,)) or None
        Of the top layer: of both directions, the forward one first, if it has two.
    embedding, vocabulary : (V, inputs) tensor and Vocabulary, or None
        None for a network that takes vectors.
    reads : {"final", "last", "each"}
        Which states of two directions the readout reads: ``final``, the last state of each direction, so the backward
        one after the first word; ``last``, both states at the last word; ``each``, both states at every word.

    Raises
    ------
    ValueError
        If a layer does not fit the one below or the readout, or a weight is not finite.
    """

    layers: tuple[tuple[Cell, ...], ...]
    readout: tuple[Tensor, Tensor] | None
    embedding: Tensor | None
    vocabulary: Vocabulary | None
    reads: Reads = "final"

    def __post_init__(self) -> None:
        if self.reads not in READS:
            raise ValueError(f"the readout reads {self.reads!r}, expected one of {', '.join(READS)}")
        width = self.inputs if self.embedding is None else self.embedding.shape[-1]
        for number, cells in enumerate(self.layers, 1):
            if any(cell.inputs != width for cell in cells):
                raise ValueError(f"layer {number} takes {cells[0].inputs} numbers, but it is given {width}")
            width = sum(cell.size for cell in cells)
        if self.readout is not None and self.readout[0].shape[-1] != width:
            raise ValueError(f"expected a readout of {width} cells, got {tuple(self.readout[0].shape)}")
        if (self.embedding is None) != (self.vocabulary is None):
            raise ValueError("expected both an embedding and a vocabulary, or neither")
        for name, tensor in self.tensors().items():
            if not torch.isfinite(tensor).all():
                raise ValueError(f"{name} has NaN or infinite values")

    @property
    def inputs(self) -> int:
        """The length of the vectors that the first layer takes."""
        return self.layers[0][0].inputs

    @property
    def bidirectional(self) -> bool:
        """Whether a layer has two directions."""
        return any(len(cells) > 1 for cells in self.layers)

    @property
    def positions(self) -> tuple[Position, ...]:
        """Every layer in each of its directions, from the bottom."""
        return tuple(
            (level, direction)
            for level, cells in enumerate(self.layers)
            for direction, _ in zip(DIRECTIONS, cells, strict=False)
        )

    def cell(self, level: int, direction: Direction) -> Cell:
        """Return a layer in one direction; ValueError if there is none."""
        if (level, direction) not in self.positions:
            raise ValueError(f"there is no layer {level}, counted from 0, in the {direction} direction")
        return self.layers[level][DIRECTIONS.index(direction)]

    def is_read_alone(self, level: int) -> bool:
        """Return whether the readout reads the states of this layer in one direction, and no others."""
        return self.readout is not None and level == len(self.layers) - 1 and len(self.layers[level]) == 1

    def label(self, level: int, direction: Direction) -> str:
        """Return the name of a layer: ``layer 2 of 2``, and ``layer 2 of 2 ←`` if it has two directions."""
        number = f"layer {level + 1} of {len(self.layers)}" if len(self.layers) > 1 else "direction"
        return f"{number} {ARROWS[direction]}" if len(self.layers[level]) > 1 else number

    def embed(self, ids: NDArray[Any] | Tensor) -> Tensor:
        """Return the vectors (..., inputs) of ids (...); without an embedding, return the given vectors."""
        if self.embedding is None:
            return torch.as_tensor(ids).to(self.layers[0][0].weight_ih)
        return self.embedding[torch.as_tensor(ids, dtype=torch.long, device=self.embedding.device)]

    def vectors(self, ids: NDArray[Any] | Tensor, level: int) -> Tensor:
        """Return the input vectors (time, inputs) of a layer for ids (time,), or vectors, of a whole review."""
        x = self.embed(ids)
        return hidden_states(self, x[None], levels=level)[0] if level and len(x) else x

    def replacing(self, level: int, direction: Direction, cell: Cell) -> Stack:
        """Return the same stack with another cell in one direction of a layer."""
        layers = [list(cells) for cells in self.layers]
        layers[level][DIRECTIONS.index(direction)] = cell
        return replace(self, layers=tuple(map(tuple, layers)))

    # ---- files and processes ---------------------------------------------------------------------------------

    def description(self) -> list[dict[str, Any]]:
        """Return what `of_tensors` needs besides the tensors, in JSON types: one object a layer."""
        return [
            {"cell": cells[0].name, "settings": [cell.settings for cell in cells], "cells": cells[0].size}
            for cells in self.layers
        ]

    def tensors(self) -> dict[str, Tensor]:
        """Return every weight by its name in a file: ``1.forward.weight_ih``, with the layers counted from 0."""
        found = {
            f"{level}.{direction}.{name}": weight
            for level, cells in enumerate(self.layers)
            for direction, cell in zip(DIRECTIONS, cells, strict=False)
            for name, weight in cell.weights().items()
        }
        if self.readout is not None:
            found |= {"readout_weight": self.readout[0], "readout_bias": self.readout[1]}
        return found if self.embedding is None else found | {"embedding": self.embedding}

    @classmethod
    def of_tensors(
        cls,
        description: Sequence[Mapping[str, Any]],
        tensors: Mapping[str, Tensor],
        vocabulary: Vocabulary | None,
        reads: Reads = "final",
    ) -> Stack:
        """Assemble a stack.

        Raises
        ------
        KeyError
            If a tensor is missing.
        ValueError
            If shapes do not match, or a cell is unknown.
        """
        layers = []
        for level, layer in enumerate(description):
            if layer["cell"] not in CELLS or not 1 <= len(layer["settings"]) <= len(DIRECTIONS):
                raise ValueError(f"unknown cell {layer['cell']!r}, expected one of {', '.join(CELLS)}")
            cells = []
            for direction, settings in zip(DIRECTIONS, layer["settings"], strict=False):
                prefix = f"{level}.{direction}."
                own = {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
                cells.append(build_cell(layer["cell"], own, settings))
            layers.append(tuple(cells))
        if not layers:
            raise ValueError("expected at least one layer")
        read = (tensors["readout_weight"], tensors["readout_bias"]) if "readout_weight" in tensors else None
        return cls(tuple(layers), read, tensors.get("embedding"), vocabulary, reads)

    @classmethod
    def of_header(cls, header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> tuple[Stack, Position]:
        """Assemble the stack of a file; return it and the layer to watch.

        Raises
        ------
        ValueError
            If the file is inconsistent.
        """
        vocabulary = Vocabulary(header["vocabulary"].split("\n")) if "vocabulary" in header else None
        reads = next((one for one in READS if one == header.get("reads", "final")), None)
        direction = next((one for one in DIRECTIONS if one == header.get("direction", "forward")), None)
        if reads is None or direction is None:
            raise ValueError(f"the header reads {header.get('reads')!r} in the direction {header.get('direction')!r}")
        try:
            stack = cls.of_tensors(json.loads(header["layers"]), tensors, vocabulary, reads)
            level = int(header["layer"])
        except KeyError as error:
            raise ValueError(f"{error} is missing") from None
        except (TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"the list of layers is damaged ({error})") from None
        stack.cell(level, direction)
        return stack, (level, direction)

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Stack:
        """Return the same stack in another precision or on another device."""
        moved = {key: tensor.to(dtype=dtype, device=device) for key, tensor in self.tensors().items()}
        return self.of_tensors(self.description(), moved, self.vocabulary, self.reads)

    def __reduce__(self) -> tuple[Callable[..., Stack], tuple[object, ...]]:
        """Pickle the weights as arrays: PyTorch would share memory, which disappears with the sending process."""
        arrays = {key: tensor.detach().cpu().numpy() for key, tensor in self.tensors().items()}
        return _from_arrays, (self.description(), arrays, self.vocabulary, self.reads, str(self.layers[0][0].device))


@dataclass(frozen=True, eq=False)
class Held:
    """Changes of one layer by the user while the stack runs: clamped signals, and vectors added to the state.

    Attributes
    ----------
    level, direction : the layer
    clamps : mapping of str to (n,) tensor
        Values that replace a signal, NaN for a free cell.
    pushes : mapping of int to (S,) tensor
        Vectors added to the state after a word, by the word's place in the review.
    """

    level: int
    direction: Direction
    clamps: Clamps
    pushes: Mapping[int, Tensor]

    @classmethod
    def of_arrays(
        cls,
        position: Position,
        clamps: Mapping[str, ArrayLike],
        pushes: Mapping[int, ArrayLike] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Held | None:
        """Return the changes as tensors on the CPU; None if there are none."""
        if not clamps and not pushes:
            return None
        by_signal = {name: torch.as_tensor(np.asarray(values), dtype=dtype) for name, values in clamps.items()}
        by_word = {word: torch.as_tensor(np.asarray(values), dtype=dtype) for word, values in (pushes or {}).items()}
        return cls(*position, by_signal, by_word)


def hidden_states(
    stack: Stack, x: Tensor, lengths: Tensor | None = None, *, held: Held | None = None, levels: int | None = None
) -> Tensor:
    """Run whole reviews, differentiably.

    Parameters
    ----------
    stack : Stack
    x : (review, time, inputs) tensor
        Inputs of the first layer, with anything after the end of a review.
    lengths : (review,) tensor, optional
        Number of words of each review; all have the full time by default.
    held : Held, optional
    levels : int, optional
        Number of layers to run from the bottom; all by default.

    Returns
    -------
    (review, time, n) tensor
        The hidden states of the highest of them, both directions next to each other; in the backward direction the
        state at a word is that after the words from the last one to this.
    """
    for level, cells in enumerate(stack.layers[:levels]):
        parts = []
        for direction, cell in zip(DIRECTIONS, cells, strict=False):
            own = held if held is not None and (held.level, held.direction) == (level, direction) else None
            parts.append(_run(cell, x, lengths, direction, own))
        x = torch.cat(parts, dim=-1)
    return x


def turned(values: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Return (review, time, …) with the words of each review in the opposite order; what follows its end stays."""
    if lengths is None:
        return values.flip(1)
    time = torch.arange(values.shape[1], device=values.device)
    order = lengths.to(values.device)[:, None] - 1 - time
    return values[torch.arange(len(values), device=values.device)[:, None], torch.where(order >= 0, order, time)]


def _run(cell: Cell, x: Tensor, lengths: Tensor | None, direction: Direction, held: Held | None) -> Tensor:
    """Return the hidden states (review, time, n) of one layer in one direction."""
    backward = direction == "backward"
    inputs = turned(x, lengths) if backward else x
    if held is not None and held.pushes:
        return _run_with_pushes(cell, x, lengths, backward, held)
    if cell.in_torch and (held is None or not held.clamps):
        h = cell.to_torch()(inputs.transpose(0, 1))[0].transpose(0, 1)
    else:
        h = cell.run(inputs, clamps={} if held is None else held.clamps)[1]["h"]
    return turned(h, lengths) if backward else h


def _run_with_pushes(cell: Cell, x: Tensor, lengths: Tensor | None, backward: bool, held: Held) -> Tensor:
    time = torch.arange(x.shape[1]).expand(len(x), -1)
    words = turned(time, lengths) if backward else time
    inputs, state, rows = turned(x, lengths) if backward else x, cell.initial_state(len(x)), []
    for t in range(x.shape[1]):
        state, _ = cell.step(inputs[:, t], state, held.clamps)
        for word, addition in held.pushes.items():
            state = torch.where((words[:, t] == word).to(state.device)[:, None], state + addition, state)
        rows.append(state[:, : cell.size])  # h comes first in every state
    h = torch.stack(rows, dim=1)
    return turned(h, lengths) if backward else h


def _from_arrays(
    description: Sequence[Mapping[str, Any]],
    arrays: Mapping[str, NDArray[np.floating]],
    vocabulary: Vocabulary | None,
    reads: Reads,
    device: str,
) -> Stack:
    tensors = {key: torch.from_numpy(array).to(device) for key, array in arrays.items()}
    return Stack.of_tensors(description, tensors, vocabulary, reads)
