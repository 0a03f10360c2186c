"""Options of an import, what an importer finds in a file, and the parts of a network that it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.catalogue import NetworkError
from engine.cells import Cell
from engine.probability import Activation, activate
from engine.stack import READS, Direction, Reads

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ImportOptions:
    """Options for what a file may leave open. None: take it from the file, or raise an error that names the option.

    ``layer``, ``readout`` and ``embedding`` are names in the file, or their last parts; ``readout`` and ``embedding``
    may be ``none``. ``vocabulary`` is a file, or ``keras-imdb:FILE``. ``task`` is that of a network that takes vectors,
    such as ``flip-flop-3``: its sequences give the start states of a fixed-point search. ``reads`` says which states of
    two directions the readout reads, see `engine.stack.Stack`. ``reset`` is where the reset gate of a GRU acts:
    ``before`` or ``after`` the recurrent product.
    """

    vocabulary: str | None = None
    layer: str | None = None
    direction: str | None = None
    nonlinearity: str | None = None
    readout: str | None = None
    embedding: str | None = None
    output: str | None = None
    task: str | None = None
    reads: str | None = None
    reset: str | None = None

    @property
    def watched(self) -> Direction:
        """The direction to watch first."""
        return "backward" if self.direction == "backward" else "forward"


class Body(Protocol):
    """The recurrent layer as the file's own framework defines it, computed independently of `engine.cells`."""

    def states(self, x: Array) -> Array:
        """Hidden states (time, n) for inputs (time, inputs), from the zero state, in double precision."""


class StackBody:
    """Layers on top of each other, each the bodies of one direction or of two; one is watched.

    Parameters
    ----------
    levels : sequence of (forward,) or (forward, backward) bodies
    level, direction : the watched layer, from 0
    reads : which states of two directions the readout reads
    """

    def __init__(
        self, levels: Sequence[Sequence[Body]], level: int, direction: Direction = "forward", reads: Reads = "final"
    ) -> None:
        self.levels, self.level, self.direction, self.reads = levels, level, direction, reads

    def states(self, x: Array) -> Array:
        """Hidden states (time, n) of the watched layer, in the order of the text, for inputs (time, inputs)."""
        both = self._layers(x)[self.level]
        size = both.shape[1] // len(self.levels[self.level])
        return both[:, size:] if self.direction == "backward" else both[:, :size]

    def read(self, x: Array) -> Array:
        """Return the readout's input after each word, (time, n); the review is cut there unless all states are read."""
        if all(len(bodies) == 1 for bodies in self.levels) or self.reads == "each":
            return self._layers(x)[-1]
        rows = []
        for last in range(1, len(x) + 1):
            top = self._layers(x[:last])[-1]
            size = top.shape[1] // len(self.levels[-1])
            backward = top[0 if self.reads == "final" else -1, size:]
            rows.append(np.concatenate((top[-1, :size], backward)))
        return np.array(rows)

    def _layers(self, x: Array) -> list[Array]:
        """Hidden states (time, n) of every layer, both directions next to each other."""
        found = []
        for bodies in self.levels:
            x = np.hstack([bodies[0].states(x)] + [body.states(x[::-1])[::-1] for body in bodies[1:]])
            found.append(x)
        return found


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
    level, direction : int, {"forward", "backward"}
        The watched layer among them, from 0, and its direction.
    reads : {"final", "last", "each"}
        See `engine.stack.Stack`.
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
    direction: Direction = "forward"
    reads: Reads = "final"

    @property
    def silent(self) -> bool:
        """Whether these are several layers or directions without a readout."""
        return bool(self.layers) and self.readout is None


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
        return self.body.states(self._embedded(inputs))

    def outputs(self, inputs: NDArray[np.integer] | Array) -> Array:
        """Outputs (time, k) after every step, for the inputs of `states`."""
        x = self._embedded(inputs)
        read = self.body.read(x) if isinstance(self.body, StackBody) else self.body.states(x)
        logits = read @ self.weight.T + self.bias
        values = activate(logits, self.output)
        return values if self.column is None else values[:, [self.column]]

    def _embedded(self, inputs: NDArray[np.integer] | Array) -> Array:
        if self.embedding is None or self.rows is None:
            return np.asarray(inputs, dtype=np.float64)
        rows = self.rows[np.asarray(inputs)]
        return np.where((rows < 0)[:, None], 0.0, self.embedding[rows])


@dataclass(frozen=True)
class Parts:
    """Parts of an `engine.network.Network`, from a file of another program."""

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
    direction: Direction = "forward"
    reads: Reads = "final"
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


def own_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a network file of pinkx, in one precision.

    Raises
    ------
    NetworkError
        If the file cannot be read, or a tensor is not finite.
    """
    try:
        # Copies, because the loaded tensors are mapped from the file, and change when it is overwritten.
        tensors = {key: tensor.clone() for key, tensor in load_file(path).items()}
    except (SafetensorError, OSError) as error:
        raise NetworkError(f"{path}: cannot be read ({error}); download or train it again") from None
    try:
        return one_precision(tensors)
    except NetworkError as error:
        raise NetworkError(f"{path}: {error}") from None


def states_read(
    options: ImportOptions, name: str, found: Reads | None = None, *, directions: int, readout: bool
) -> Reads:
    """Return which states the readout of a layer reads: as the file says, or the options.

    Raises
    ------
    NetworkError
        If it reads two directions, and neither says how.
    """
    given = next((one for one in READS if one == options.reads), None)
    if options.reads is not None and given is None:
        raise NetworkError(f"--reads {options.reads}: expected one of {', '.join(READS)}")
    if directions == 1 or not readout:
        if given is not None:
            raise NetworkError(f"--reads {given}: {name} has no readout of two directions")
        return found or "final"  # which only layers of two directions below distinguish
    if found is not None and given not in (None, found):
        raise NetworkError(f"--reads {given}: the file says {found}")
    reads = found or given
    if reads is None:
        raise NetworkError(
            f"the readout reads both directions of {name}, and the file does not say at which words; give --reads "
            "final (the last state of each direction, as in torch.cat((h_n[-2], h_n[-1]), 1)), --reads last (both "
            "states at the last word, output[-1]) or --reads each (both at every word)"
        )
    return reads
