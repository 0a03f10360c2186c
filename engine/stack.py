"""Several recurrent layers on top of each other, each in one direction or in two, as the files of others hold them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.cells import CELLS, Cell, build_cell
from engine.vocabulary import Vocabulary

DIRECTIONS: Final = ("forward", "backward")


@dataclass(frozen=True, eq=False)
class Stack:
    """Embedding → layers → readout.

    Attributes
    ----------
    layers : tuple of (forward,) or (forward, backward) cells
        From the bottom. A layer of two directions puts out both hidden states, the forward one first.
    readout : (weight (k, n), bias (k,)) or None
        Of the top layer in the forward direction.
    embedding, vocabulary : (V, inputs) tensor and Vocabulary, or None
        None for a network that takes vectors.

    Raises
    ------
    ValueError
        If a layer does not fit the one below or the readout, or a weight is not finite.
    """

    layers: tuple[tuple[Cell, ...], ...]
    readout: tuple[Tensor, Tensor] | None
    embedding: Tensor | None
    vocabulary: Vocabulary | None

    def __post_init__(self) -> None:
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

    def label(self, level: int) -> str:
        """Return what a layer is called: ``layer 2 of 2``, and ``forward`` if it has two directions."""
        number = f"layer {level + 1} of {len(self.layers)}" if len(self.layers) > 1 else ""
        return ", ".join(filter(None, (number, "forward" if len(self.layers[level]) > 1 else "")))

    def vectors(self, ids: NDArray[Any] | Tensor, level: int) -> Tensor:
        """Return the input vectors (time, inputs) of a layer for ids (time,), or vectors, of a whole review."""
        if self.embedding is None:
            x = torch.as_tensor(ids).to(self.layers[0][0].weight_ih)
        else:
            x = self.embedding[torch.as_tensor(ids, dtype=torch.long, device=self.embedding.device)]
        for cells in self.layers[:level]:
            states = [_states(cells[0], x)] + [_states(cell, x.flip(0)).flip(0) for cell in cells[1:]]
            x = torch.cat(states, dim=-1)
        return x

    def replacing(self, level: int, cell: Cell) -> Stack:
        """Return the same stack with another cell in the forward direction of a layer."""
        layers = list(self.layers)
        layers[level] = (cell, *layers[level][1:])
        return replace(self, layers=tuple(layers))

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
        cls, description: Sequence[Mapping[str, Any]], tensors: Mapping[str, Tensor], vocabulary: Vocabulary | None
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
        return cls(tuple(layers), read, tensors.get("embedding"), vocabulary)

    @classmethod
    def of_header(cls, header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> tuple[Stack, int]:
        """Assemble the stack of a file; return it and the layer to watch.

        Raises
        ------
        ValueError
            If the file is inconsistent.
        """
        vocabulary = Vocabulary(header["vocabulary"].split("\n")) if "vocabulary" in header else None
        try:
            stack, level = cls.of_tensors(json.loads(header["layers"]), tensors, vocabulary), int(header["layer"])
        except KeyError as error:
            raise ValueError(f"{error} is missing") from None
        except (TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"the list of layers is damaged ({error})") from None
        if not 0 <= level < len(stack.layers):
            raise ValueError(f"there is no layer {level}, counted from 0")
        return stack, level

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Stack:
        """Return the same stack in another precision or on another device."""
        moved = {key: tensor.to(dtype=dtype, device=device) for key, tensor in self.tensors().items()}
        return self.of_tensors(self.description(), moved, self.vocabulary)

    def __reduce__(self) -> tuple[Callable[..., Stack], tuple[object, ...]]:
        """Pickle the weights as arrays: PyTorch would share memory, which disappears with the sending process."""
        arrays = {key: tensor.detach().cpu().numpy() for key, tensor in self.tensors().items()}
        return _from_arrays, (self.description(), arrays, self.vocabulary, str(self.layers[0][0].device))


def _states(cell: Cell, x: Tensor) -> Tensor:
    """Return the hidden states (time, n) of inputs (time, inputs)."""
    if cell.in_torch and len(x):
        return torch.as_tensor(cell.to_torch()(x)[0])
    return cell.run(x)[1]["h"] if len(x) else x.new_empty(0, cell.size)


def _from_arrays(
    description: Sequence[Mapping[str, Any]],
    arrays: Mapping[str, NDArray[np.floating]],
    vocabulary: Vocabulary | None,
    device: str,
) -> Stack:
    tensors = {key: torch.from_numpy(array).to(device) for key, array in arrays.items()}
    return Stack.of_tensors(description, tensors, vocabulary)
