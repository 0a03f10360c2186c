"""A trained network: embedding (or raw input), one recurrent layer, readout, vocabulary and provenance."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from engine.catalogue import FORMAT, STACK_FORMAT, NetworkError, describe, find
from engine.cells import CELLS, INPUT, Cell, Setting, Signal, build_cell
from engine.file_formats import file_format
from engine.files import atomic_write
from engine.importers.parts import ImportOptions, Parts, own_tensors
from engine.importers.read import import_module, import_network
from engine.probability import Activation
from engine.readout import logits_of, sigmoid
from engine.stack import Direction, Stack
from engine.stack_outputs import final_outputs
from engine.text import split_words
from engine.vocabulary import PADDING as PADDING, UNKNOWN as UNKNOWN, Vocabulary as Vocabulary, as_reviews, pad as pad

Unit = Literal["word", "character", "step"]


class Network:
    """Embedding → recurrent layer → sigmoid readout.

    If the network has a `Stack` of layers, ``cell`` is the watched one, in one direction. An upper layer has no
    ``embedding`` and no ``vocabulary``: it takes the vectors that `inputs` computes with the layers below.

    Parameters
    ----------
    cell : Cell
        The recurrent layer, n cells.
    readout_weight : (k, n) array
    readout_bias : (k,) array
        k outputs, each the logit of a probability.
    embedding : (V, inputs) array, optional
        One row for each id of ``vocabulary``; None for a network that takes vectors.
    vocabulary : Vocabulary, optional
    name, task : str
    info : mapping of str to str
        Further entries of the file header: recipe, text rules, seed, accuracy, date.
    stack : Stack, optional
        All layers, of which ``cell`` is one; see `watching`.
    level : int
        The number of the watched layer in the stack, from 0.
    direction : {"forward", "backward"}
        The backward one reads the words from the last to the first.

    Raises
    ------
    NetworkError
        If the shapes do not match, or a weight is not finite.
    """

    def __init__(
        self,
        cell: Cell,
        readout_weight: Tensor,
        readout_bias: Tensor,
        *,
        embedding: Tensor | None = None,
        vocabulary: Vocabulary | None = None,
        name: str = "unnamed",
        task: str = "sentiment",
        info: Mapping[str, str] | None = None,
        stack: Stack | None = None,
        level: int = 0,
        direction: Direction = "forward",
    ) -> None:
        self.stack, self.level, self.direction = stack, level, direction
        self.cell = cell
        self.readout_weight = readout_weight
        self.readout_bias = readout_bias
        self.embedding = embedding
        self.vocabulary = vocabulary
        self.name = name
        self.task = task
        self.info = dict(info or {})
        self.activation: Activation = self._known_activation()
        self._check()

    def _known_activation(self) -> Activation:
        name = self.info.get("activation", "sigmoid")
        for known in _ACTIVATIONS:
            if name == known:
                return known
        raise NetworkError(f"{self.name}: unknown activation {name!r}, expected one of {', '.join(_ACTIVATIONS)}")

    def _check(self) -> None:
        outputs = self.readout_bias.shape[0] if self.readout_bias.ndim == 1 else -1
        if not self.cell.size or not self.cell.inputs or not outputs:
            raise NetworkError(
                f"{self.name}: {self.cell.size} cells, {self.cell.inputs} inputs and {outputs} outputs; "
                "expected at least one of each"
            )
        if tuple(self.readout_weight.shape) != (outputs, self.cell.size):
            raise NetworkError(
                f"{self.name}: expected a readout (k, {self.cell.size}) with a bias (k,) for {self.cell.size} cells, "
                f"got {tuple(self.readout_weight.shape)} and {tuple(self.readout_bias.shape)}"
            )
        if (self.embedding is None) != (self.vocabulary is None):
            raise NetworkError(f"{self.name}: expected both an embedding and a vocabulary, or neither")
        if self.embedding is not None and self.vocabulary is not None:
            expected = (len(self.vocabulary), self.cell.inputs)
            if tuple(self.embedding.shape) != expected:
                raise NetworkError(f"{self.name}: expected an embedding {expected}, got {tuple(self.embedding.shape)}")
        for key, tensor in self.tensors().items():
            if not torch.isfinite(tensor).all():
                raise NetworkError(f"{self.name}: {key} has NaN or infinite values")

    # ---- properties ------------------------------------------------------------------------------------------

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals of the cell, and its input ``x``."""
        return (*self.cell.signals, INPUT)

    @property
    def text_vocabulary(self) -> Vocabulary | None:
        """The vocabulary of the whole network, whichever layer is watched; None if it takes vectors."""
        return self.vocabulary if self.stack is None else self.stack.vocabulary

    @property
    def backward(self) -> bool:
        """Whether the watched layer reads the words from the last to the first."""
        return self.direction == "backward"

    @property
    def shares_readout(self) -> bool:
        """Whether there is a readout, but the outputs along a review are no function of the watched layer's states."""
        stack = self.stack
        if stack is None or stack.readout is None:
            return False
        return not stack.is_read_alone(self.level) or (stack.bidirectional and stack.reads != "each")

    @property
    def output(self) -> Activation:
        """Activation of the whole network's outputs; ``activation`` is theirs as a function of ``cell``'s h."""
        name = self.info.get("output", "none")
        return next((one for one in _ACTIVATIONS if one == name), "none") if self.shares_readout else self.activation

    @property
    def unit(self) -> Unit:
        """Unit that the network reads at a step: a word, a character (``info["unit"]``), or a vector of numbers."""
        if self.text_vocabulary is None:
            return "step"
        return "character" if self.info.get("unit") == "character" else "word"

    def split(self, text: str) -> list[str]:
        """Return what the network reads of a text, one step each: its words, or its characters."""
        return list(text) if self.unit == "character" else split_words(text)

    @property
    def title(self) -> str:
        """The name, with the watched layer if there are several: ``mine · layer 2 of 2``."""
        return self.name if self.stack is None else f"{self.name} · {self.stack.label(self.level, self.direction)}"

    @property
    def channels(self) -> int:
        """Number of input channels: the length of the vectors that a network without a vocabulary reads."""
        return self.cell.inputs if self.stack is None else self.stack.inputs

    @property
    def outputs(self) -> int:
        """k, the number of outputs of the whole network."""
        stack = self.stack
        return len(stack.readout[1]) if stack is not None and stack.readout is not None else len(self.readout_bias)

    def tensors(self) -> dict[str, Tensor]:
        """Return every weight by its name in the file."""
        named = {**self.cell.weights(), "readout_weight": self.readout_weight, "readout_bias": self.readout_bias}
        return named if self.embedding is None else named | {"embedding": self.embedding}

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Network:
        """Return the same network in another precision or on another device."""
        if self.stack is not None:
            stack = self.stack.to(dtype=dtype, device=device)
            return self.of_stack(stack, self.level, self.name, self.task, self.info, self.direction)
        moved = {key: tensor.to(dtype=dtype, device=device) for key, tensor in self.tensors().items()}
        return _assemble(self.cell.name, self.cell.settings, moved, self.vocabulary, self.name, self.task, self.info)

    def __reduce__(self) -> tuple[Callable[..., Network], tuple[object, ...]]:
        """Pickle the weights as arrays: PyTorch would share memory, which disappears with the sending process."""
        if self.stack is not None:
            return Network.of_stack, (self.stack, self.level, self.name, self.task, self.info, self.direction)
        arrays = {key: tensor.detach().cpu().numpy() for key, tensor in self.tensors().items()}
        words = None if self.vocabulary is None else self.vocabulary.words
        cell = self.cell.name, self.cell.settings
        return _from_arrays, (*cell, arrays, words, self.name, self.task, self.info, str(self.cell.device))

    # ---- files -----------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, path_or_name: str | Path) -> Network:
        """Read a network file, or a shipped network by its name (``lstm-8``).

        A file of PyTorch or Keras is read like one of pinkx if it leaves nothing open; otherwise the error names the
        options of ``pinkx import`` to give.

        Raises
        ------
        NetworkError
            If the file is missing, damaged, not a network, or has weights of a wrong shape or not finite.
        """
        path = find(path_or_name)
        if file_format(path) != "pinkx":
            return cls.from_parts(import_network(path))
        info = describe(path)
        tensors, header = own_tensors(info.path), info.metadata
        if "layers" in header:
            try:
                stack, (level, direction) = Stack.of_header(header, tensors)
                return cls.of_stack(stack, level, info.name, info.task, header, direction)
            except ValueError as error:
                raise NetworkError(f"{info.path}: {error}") from None
        if info.cell not in CELLS:
            raise NetworkError(f"{info.path}: unknown cell {info.cell!r}, expected one of {', '.join(CELLS)}")
        words = header["vocabulary"].split("\n") if "vocabulary" in header else None
        vocabulary = None if words is None else Vocabulary(words)
        try:
            settings = json.loads(header.get("cell_settings", "{}"))
            network = _assemble(info.cell, settings, tensors, vocabulary, info.name, info.task, header)
        except KeyError as error:
            raise NetworkError(f"{info.path}: the tensor {error} is missing") from None
        except (ValueError, TypeError, RecursionError) as error:
            raise NetworkError(f"{info.path}: {error}") from None
        for key, count in (("size", network.cell.size), ("inputs", network.cell.inputs), ("outputs", network.outputs)):
            if header.get(key, str(count)) != str(count):
                raise NetworkError(f"{info.path}: the header has {header[key]} {_COUNTED[key]} but the weights {count}")
        return network

    @classmethod
    def of_stack(
        cls,
        stack: Stack,
        level: int,
        name: str,
        task: str,
        info: Mapping[str, str],
        direction: Direction = "forward",
    ) -> Network:
        """Return the network of a stack, watched at a layer.

        Only the top layer of one direction has ``probability``: elsewhere it is NaN, and
        `engine.stack_outputs.outputs_along` runs all layers.
        """
        cell = stack.cell(level, direction)
        read = stack.readout if stack.is_read_alone(level) else None
        info = {**info, "output": info.get("output", info.get("activation", "sigmoid"))}
        info["activation"] = "none" if read is None else info["output"]
        weight, bias = read or (cell.weight_ih.new_zeros(1, cell.size), cell.weight_ih.new_zeros(1))
        first = level == 0
        return cls(
            cell,
            weight,
            bias,
            embedding=stack.embedding if first else None,
            vocabulary=stack.vocabulary if first else None,
            name=name,
            task=task,
            info=info,
            stack=stack,
            level=level,
            direction=direction,
        )

    def watching(self, level: int, direction: Direction = "forward") -> Network:
        """Return the same network, watched at another layer of its stack; ValueError if it has no such layer."""
        if self.stack is None:
            raise ValueError(f"{self.name} has one layer in one direction")
        try:
            return self.of_stack(self.stack, level, self.name, self.task, self.info, direction)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    @classmethod
    def from_torch(
        cls,
        module: torch.nn.Module,
        *,
        vocabulary: Vocabulary | Sequence[str] | Mapping[str, int] | str | Path | None = None,
        name: str = "unnamed",
        **options: str,
    ) -> Network:
        """Take the recurrent layers, the embedding and the readout of a PyTorch module.

        Parameters
        ----------
        module : nn.Module
            Holds an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM`` (or a cell), a linear readout, and an embedding if it
            reads words.
        vocabulary : optional
            The words in the order of the embedding's rows, a mapping of word to row, or a file of either.
        name : str
        **options : str
            As in ``pinkx import``: ``layer``, ``direction``, ``readout`` and so on.

        Raises
        ------
        NetworkError
            If the module holds another network, or leaves something open; names the option.
        """
        words: object = vocabulary
        if isinstance(vocabulary, str | Path):
            options, words = {**options, "vocabulary": str(vocabulary)}, None
        elif isinstance(vocabulary, Vocabulary):
            words = ["<pad>", "<unk>", *vocabulary.words]
        return cls.from_parts(import_module(module, name, words, ImportOptions(**options)))

    @classmethod
    def from_keras(cls, path: str | Path, **options: str) -> Network:
        """Read a Keras file (.keras, .h5, .hdf5); needs h5py, but neither Keras nor TensorFlow.

        ``options`` are ``vocabulary`` and the others, as in ``pinkx import``.

        Raises
        ------
        NetworkError
            If the file holds another network, or leaves something open; names the option.
        """
        path = find(path)
        if file_format(path) not in ("keras", "hdf5"):
            raise NetworkError(f"{path}: not a file of Keras; Network.load opens the others")
        return cls.from_parts(import_network(path, ImportOptions(**options)))

    @classmethod
    def from_parts(cls, parts: Parts) -> Network:
        """Put together what `engine.importers` read from a file of another program."""
        if parts.layers:
            vocabulary = None if parts.words is None else Vocabulary(parts.words)
            read = (parts.readout_weight, parts.readout_bias) if parts.has_readout else None
            stack = Stack(parts.layers, read, parts.embedding, vocabulary, parts.reads)
            return cls.of_stack(stack, parts.level, parts.name, parts.task, parts.info, parts.direction)
        return cls(
            parts.cell,
            parts.readout_weight,
            parts.readout_bias,
            embedding=parts.embedding,
            vocabulary=None if parts.words is None else Vocabulary(parts.words),
            name=parts.name,
            task=parts.task,
            info=parts.info,
        )

    def save(self, path: str | Path) -> None:
        """Write one ``.safetensors`` file; an interrupted write leaves the old file."""
        path = Path(path)
        header = {
            **self.info,
            "format": FORMAT,
            "cell": self.cell.name,
            "size": str(self.cell.size),
            "inputs": str(self.cell.inputs),
            "outputs": str(self.outputs),
            "task": self.task,
        }
        vocabulary, tensors = self.vocabulary, self.tensors()
        if self.stack is not None:
            vocabulary, tensors = self.stack.vocabulary, self.stack.tensors()
            header |= {"format": STACK_FORMAT, "inputs": str(self.stack.inputs), "reads": self.stack.reads}
            header |= {"layer": str(self.level), "direction": self.direction}
            header["layers"] = json.dumps(self.stack.description())
        elif self.cell.settings:
            header["cell_settings"] = json.dumps(self.cell.settings)
        if vocabulary is not None:
            header["vocabulary"] = "\n".join(vocabulary.words)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            save_file({key: t.detach().cpu().contiguous() for key, t in tensors.items()}, temporary, header)

    # ---- evaluation ------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def inputs(self, ids: NDArray[np.integer] | NDArray[np.floating] | Tensor) -> Tensor:
        """Return the input vectors (time, inputs) of the watched layer, for ids (time,) of a review, or for vectors.

        They stand in the order of the text, also for a layer that reads from its end. The layers below read all first.
        """
        return self.embed(ids) if self.stack is None else self.stack.vectors(ids, self.level)

    def embed(self, ids: NDArray[np.integer] | NDArray[np.floating] | Tensor) -> Tensor:
        """Return the input vectors (..., inputs) of ids (...); without an embedding, return the given vectors.

        ValueError for ids, or vectors of another length, if the network takes vectors.
        """
        if self.embedding is None:
            vectors = torch.as_tensor(ids)
            if not vectors.is_floating_point() or vectors.shape[-1] != self.cell.inputs:
                raise ValueError(
                    f"{self.name} takes vectors of {self.cell.inputs} numbers, not words, and has no embedding"
                )
            return vectors.to(self.cell.weight_ih)
        return self.embedding[torch.as_tensor(ids, dtype=torch.long, device=self.embedding.device)]

    def readout(self, h: Tensor) -> Tensor:
        """Return the logits (..., k) of hidden states (..., n)."""
        return logits_of(h, self.readout_weight, self.readout_bias)

    def probability(self, h: Tensor) -> Tensor:
        """Return P(positive) of hidden states (..., n): σ(readout), one for each of the k outputs, (..., k).

        An imported network may have another ``activation``: softmax over the k outputs, linear outputs, or none (NaN)
        of a layer that the readout does not read.
        """
        logits = self.readout(h)
        if self.activation == "none":
            return torch.full_like(logits, torch.nan)
        if self.activation == "softmax":
            return logits.softmax(dim=-1)
        return logits if self.activation == "linear" else sigmoid(logits)

    @property
    def threshold(self) -> float:
        """Output from which on an answer counts as positive: 0 of a linear readout, else 0.5."""
        return 0.0 if self.activation == "linear" else 0.5

    def classify(self, ids: NDArray[np.integer] | Sequence[int] | Sequence[NDArray[np.integer]]) -> NDArray[np.float64]:
        """Return P(positive) after the last word of one review, () for ids (time,), or (review,) of several.

        ValueError for a review without words, or an unknown id.
        """
        reviews, single = as_reviews(self.text_vocabulary, ids, self.name)
        order = np.argsort([len(review) for review in reviews], kind="stable")
        probability = np.empty(len(reviews))
        with torch.inference_mode():
            for block in np.array_split(order, math.ceil(len(order) / _BLOCK)):
                probability[block] = self._classify_block([reviews[k] for k in block])
        return probability[0] if single else probability

    def _classify_block(self, reviews: list[NDArray[np.int32]]) -> NDArray[np.float64]:
        if self.stack is not None and self.stack.readout is not None:
            return final_outputs(self.stack, self.output, reviews)[:, 0]
        last = torch.tensor([len(review) - 1 for review in reviews], device=self.cell.device)
        hidden = self.hidden(self.embed(pad(reviews)))
        return self.probability(hidden[torch.arange(len(reviews)), last])[:, 0].double().cpu().numpy()

    def hidden(self, x: Tensor) -> Tensor:
        """Return the hidden state (review, time, n) after every step of inputs (review, time, inputs)."""
        if self.cell.in_torch:
            return self._layer(x.transpose(0, 1))[0].transpose(0, 1)
        return self.cell.run(x)[1]["h"]

    @cached_property
    def _layer(self) -> torch.nn.RNNBase:
        return self.cell.to_torch()


_ACTIVATIONS: Final[tuple[Activation, ...]] = ("sigmoid", "softmax", "linear", "none")
_COUNTED: Final = {"size": "cells", "inputs": "inputs", "outputs": "outputs"}
_BLOCK: Final = 256  # reviews classified together; sorted by length, so that blocks need little padding


def _assemble(
    kind: str,
    settings: Mapping[str, Setting],
    tensors: Mapping[str, Tensor],
    vocabulary: Vocabulary | None,
    name: str,
    task: str,
    info: Mapping[str, str],
) -> Network:
    return Network(
        build_cell(kind, tensors, settings),
        tensors["readout_weight"],
        tensors["readout_bias"],
        embedding=tensors.get("embedding"),
        vocabulary=vocabulary,
        name=name,
        task=task,
        info=info,
    )


def _from_arrays(
    kind: str,
    settings: Mapping[str, Setting],
    arrays: Mapping[str, NDArray[np.floating]],
    words: Sequence[str] | None,
    name: str,
    task: str,
    info: Mapping[str, str],
    device: str,
) -> Network:
    vocabulary = None if words is None else Vocabulary(words)
    tensors = {key: torch.from_numpy(array).to(device) for key, array in arrays.items()}
    return _assemble(kind, settings, tensors, vocabulary, name, task, info)
