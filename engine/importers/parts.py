"""Options of an import, what an importer finds in a file, and the parts of a network that it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue import NetworkError
from engine.cells import Cell
from engine.probability import Activation, activate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ImportOptions:
    """What a file may leave open. None: take it from the file, or raise an error that names the option.

    ``layer``, ``readout`` and ``embedding`` are names in the file, or their last parts; ``readout`` and ``embedding``
    may be ``none``. ``vocabulary`` is a file, or ``keras-imdb:FILE``. ``task`` is that of a network that takes vectors,
    such as ``flip-flop-3``: its sequences give the start states of a fixed-point search.
    """

    vocabulary: str | None = None
    layer: str | None = None
    direction: str | None = None
    nonlinearity: str | None = None
    readout: str | None = None
    embedding: str | None = None
    output: str | None = None
    task: str | None = None


class Body(Protocol):
    """The recurrent layer as the file's own framework defines it, computed independently of `engine.cells`."""

    def states(self, x: Array) -> Array:
        """Hidden states (time, n) for inputs (time, inputs), from the zero state, in double precision."""


class StackBody:
    """Layers on top of each other: ``levels`` up to the watched one, each the bodies of one direction or of two."""

    def __init__(self, levels: Sequence[Sequence[Body]]) -> None:
        self.levels = levels

    def states(self, x: Array) -> Array:
        """Hidden states (time, n) of the watched layer in the forward direction, for inputs (time, inputs)."""
        for bodies in self.levels[:-1]:
            x = np.hstack([bodies[0].states(x)] + [body.states(x[::-1])[::-1] for body in bodies[1:]])
        return self.levels[-1][0].states(x)


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of a file: its shape, and a function that reads it."""

    shape: tuple[int, ...]
    read: Callable[[], Tensor]


@dataclass
class Found:
    """A network as it lies in the file, before its vocabulary is matched.

    Attributes
    ----------
    source : str
        The file's format, as it is shown to the user.
    cell : Cell
        The watched layer.
    body : Body
    layer : str
        Name of the recurrent layer in the file.
    layers : tuple of (forward,) or (forward, backward) cells
        All layers from the bottom, if there are several or two directions; else empty.
    level : int
        The number of the watched layer among them, from 0.
    readout : (weight (k, n), bias (k,)) or None
    embedding : (V, inputs) tensor or None
    vocabularies : list of mappings from id to word
        What the file itself holds.
    output : str or None
        The readout's activation; None if the file does not say.
    notes : list of str
        What was assumed or left out.
    task : str or None
        The task of a network that takes vectors, where the file names it.
    """

    source: str
    cell: Cell
    body: Body
    layer: str
    readout: tuple[Tensor, Tensor] | None
    embedding: Tensor | None
    vocabularies: list[Mapping[int, str]] = field(default_factory=list)
    output: Activation | None = None
    notes: list[str] = field(default_factory=list)
    task: str | None = None
    layers: tuple[tuple[Cell, ...], ...] = ()
    level: int = 0

    @property
    def silent(self) -> bool:
        """Whether this is a layer of a stack that no readout reads."""
        return bool(self.layers) and (self.readout is None or self.level < len(self.layers) - 1)


@dataclass(frozen=True)
class Reference:
    """The network of the file, computed independently: to compare an import with.

    Attributes
    ----------
    body : Body
    weight, bias : (k, n) and (k,) array
        The readout as it lies in the file.
    output : str
        Its activation.
    column : int or None
        The only output that the import uses; None for all.
    embedding : (V, inputs) array or None
        As it lies in the file.
    rows : (ids,) array or None
        The file's id for each id of the import; −1 for a zero row.
    """

    body: Body
    weight: Array
    bias: Array
    output: Activation
    column: int | None
    embedding: Array | None
    rows: NDArray[np.int64] | None

    def states(self, inputs: NDArray[np.integer] | Array) -> Array:
        """Hidden states (time, n) after every step, for ids (time,) of the import or inputs (time, inputs)."""
        x = np.asarray(inputs, dtype=np.float64)
        if self.embedding is not None and self.rows is not None:
            rows = self.rows[np.asarray(inputs)]
            x = np.where((rows < 0)[:, None], 0.0, self.embedding[rows])
        return self.body.states(x)

    def outputs(self, inputs: NDArray[np.integer] | Array) -> Array:
        """Outputs (time, k) after every step, for the inputs of `states`."""
        logits = self.states(inputs) @ self.weight.T + self.bias
        values = activate(logits, self.output)
        return values if self.column is None else values[:, [self.column]]


@dataclass(frozen=True)
class Parts:
    """What `engine.network.Network` is made of, from a file of another program."""

    cell: Cell
    readout_weight: Tensor
    readout_bias: Tensor
    embedding: Tensor | None
    words: tuple[str, ...] | None
    name: str
    task: str
    info: Mapping[str, str]
    notes: Sequence[str]
    reference: Reference
    layers: tuple[tuple[Cell, ...], ...] = ()
    level: int = 0
    has_readout: bool = True


def as_weights(tensor: Tensor, name: str) -> Tensor:
    """Return a weight in single or double precision with the same values.

    Half, bfloat16 and float8 become single precision, and so do integers that it holds exactly.

    Raises
    ------
    NetworkError
        If the values cannot be converted exactly, or are not finite; names the tensor.
    """
    if tensor.is_complex() or tensor.dtype == torch.bool or tensor.is_quantized:
        raise NetworkError(f"the tensor {name} has type {tensor.dtype}; expected floating-point numbers")
    wanted = tensor.dtype if tensor.dtype in (torch.float32, torch.float64) else torch.float32
    try:
        converted = tensor.to(wanted)
        same = tensor.is_floating_point() or torch.equal(converted.to(tensor.dtype), tensor)
    except (RuntimeError, TypeError, NotImplementedError):
        same = False
    if not same:
        raise NetworkError(f"the tensor {name} of type {tensor.dtype} cannot be converted to float32 exactly")
    if not torch.isfinite(converted).all():
        raise NetworkError(f"the tensor {name} holds values that are not finite (NaN or infinite)")
    return converted


def one_precision(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert weights by `as_weights`, and all to double precision if one of them has it."""
    converted = {name: as_weights(tensor, name) for name, tensor in tensors.items()}
    double = any(tensor.dtype == torch.float64 for tensor in converted.values())
    return {name: tensor.double() if double else tensor for name, tensor in converted.items()}
