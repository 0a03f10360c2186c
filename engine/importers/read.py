"""Open a network file of another program, whatever its format."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from engine.catalogue import NetworkError
from engine.file_formats import Format, file_format
from engine.importers.keras import find_keras_network
from engine.importers.keras_file import read_keras
from engine.importers.named_tensors import Checkpoint, find_network, module_checkpoint
from engine.importers.onnx import find_onnx_network
from engine.importers.onnx_file import read_onnx
from engine.importers.parts import Found, ImportOptions, Parts, Reference, StoredTensor
from engine.importers.pytorch import read_old_torch_file, read_torch_archive
from engine.importers.sidecar import read_numpy_archive, read_sidecar
from engine.importers.vocabulary import match_vocabulary
from engine.probability import Activation
from engine.tasks import task_from_name
from engine.text import printable

_DAMAGE: Final = (ValueError, LookupError, OverflowError, EOFError, OSError, RuntimeError, BadZipFile, zlib.error)
"""Errors that the standard library raises for a damaged archive."""
CHARACTERS: Final = 0.9  # share of single characters among the words of a network that reads characters
_ACTIVATIONS: Final[tuple[Activation, ...]] = ("sigmoid", "softmax", "linear")


def import_network(path: Path, options: ImportOptions | None = None) -> Parts:
    """Read the parts of a network from a file of PyTorch, safetensors, Keras or ONNX, or as a .toml describes.

    Raises
    ------
    NetworkError
        If the file cannot be read, holds a network that pinkx cannot run, or leaves something open; the message names
        the file and the option to give.
    """
    options = options or ImportOptions()
    try:
        return complete(_find(path, file_format(path), options), path.stem, options)
    except NetworkError as error:
        message = str(error)
        raise NetworkError(message if message.startswith(f"{path}") else f"{path}: {message}") from None
    except _DAMAGE as error:
        raise NetworkError(f"{path}: damaged ({printable(str(error))[:200]}); fetch it again") from None


def import_module(module: nn.Module, name: str, vocabulary: object, options: ImportOptions) -> Parts:
    """Read the parts of a network from a module in memory; ``vocabulary`` is a list of words, or word → id."""
    checkpoint = module_checkpoint(module)
    if vocabulary is not None and not checkpoint.add_vocabulary(vocabulary):
        raise NetworkError(f"{name}: a vocabulary is a list of words or a mapping of word to id")
    return complete(find_network(checkpoint, options), name, options)


def complete(found: Found, name: str, options: ImportOptions) -> Parts:
    """Match the vocabulary, determine the readout's activation, and assemble the parts."""
    notes = list(found.notes)
    weight, bias, output, column = _output(found, options, notes)
    reference_weight, reference_bias = weight, bias
    if column is not None:
        weight, bias = weight[1:] - weight[:1], bias[1:] - bias[:1]
    matched = None
    if found.embedding is not None:
        matched = match_vocabulary(found, options.vocabulary)
        notes += matched.notes
        if options.task is not None:
            raise NetworkError(f"--task {options.task}: the network reads words, so it has no task")
    elif options.vocabulary is not None:
        raise NetworkError(f"--vocabulary {options.vocabulary}: the file has no embedding, so it takes no words")
    words = () if matched is None else matched.words
    of_characters = bool(words) and sum(len(word) == 1 for word in words) >= CHARACTERS * len(words)
    return Parts(
        cell=found.cell,
        readout_weight=weight.to(found.cell.dtype),
        readout_bias=bias.to(found.cell.dtype),
        embedding=None if matched is None else matched.embedding.to(found.cell.dtype),
        words=None if matched is None else matched.words,
        name=name,
        task="sentiment" if matched is not None else _task(options, found),
        info={
            "activation": "sigmoid" if column is not None else output,
            "imported_from": found.source,
            "imported_layer": found.layer,
            "import_notes": json.dumps(notes),
            **({"unit": "character"} if of_characters else {}),
        },
        notes=tuple(notes),
        reference=Reference(
            body=found.body,
            weight=reference_weight.double().numpy(),
            bias=reference_bias.double().numpy(),
            output="none" if found.silent else output,
            column=None if found.silent else column,
            embedding=None if found.embedding is None else found.embedding.double().numpy(),
            rows=None if matched is None else matched.rows,
        ),
        layers=found.layers,
        level=found.level,
        direction=found.direction,
        reads=found.reads,
        has_readout=found.readout is not None,
    )


def _task(options: ImportOptions, found: Found) -> str:
    name = options.task or found.task
    if name is None:
        return "imported"
    try:
        channels = task_from_name(name).channels
    except ValueError as error:
        raise NetworkError(f"--task: {error}") from None
    inputs = (found.layers[0][0] if found.layers else found.cell).inputs
    if channels != inputs:
        raise NetworkError(f"--task {name}: has {channels} inputs, the network takes {inputs}")
    return name


def _find(path: Path, kind: Format, options: ImportOptions) -> Found:
    if kind == "torch-zip":
        checkpoint = read_torch_archive(path)
        if path.name == "pytorch_model.bin":  # the layout of the hub
            _add_configuration(path.with_name("config.json"), checkpoint)
        return find_network(checkpoint, options)
    if kind == "torch-old":
        return find_network(read_old_torch_file(path), options)
    if kind == "safetensors":
        return find_network(_read_safetensors(path), options)
    if kind in ("keras", "hdf5"):
        return find_keras_network(read_keras(path), options)
    if kind == "onnx":
        return find_onnx_network(read_onnx(path), options)
    if kind == "sidecar":
        return read_sidecar(path.with_suffix(".toml"), _named_tensors, options)
    raise NetworkError("a network of pinkx already; open it with --network")


def _named_tensors(path: Path) -> Mapping[str, Callable[[], Tensor]]:
    """Return the tensors of a file of weights, for a description of it."""
    if path.suffix == ".npz":
        return read_numpy_archive(path)
    kind = file_format(path)
    readers = {"torch-zip": read_torch_archive, "torch-old": read_old_torch_file, "safetensors": _read_safetensors}
    if kind not in readers:
        raise NetworkError(f"{path}: expected weights in a NumPy archive, a PyTorch or a .safetensors file")
    return {name: tensor.read for name, tensor in readers[kind](path).tensors.items()}


def _read_safetensors(path: Path) -> Checkpoint:
    checkpoint = Checkpoint("safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
    except (SafetensorError, OSError) as error:
        raise NetworkError(f"not a whole .safetensors file ({error}); fetch it again") from None

    def reader(name: str) -> StoredTensor:
        def read() -> Tensor:
            with safe_open(path, framework="pt") as file:
                return file.get_tensor(name).clone()  # the original lies in the file's own pages

        return StoredTensor(shapes[name], read)

    checkpoint.tensors = {name: reader(name) for name in names}
    _add_configuration(path.with_name("config.json"), checkpoint)
    return checkpoint


def _add_configuration(path: Path, checkpoint: Checkpoint) -> None:
    """Take the vocabulary and the nonlinearity from a config.json next to the weights, if it has them."""
    if not path.is_file() or path.stat().st_size > 100_000_000:
        return
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError):
        return
    if not isinstance(values, dict):
        return
    for key in ("vocab", "vocabulary", "word2idx", "word_index", "stoi", "itos"):
        checkpoint.add_vocabulary(values.get(key))
    if isinstance(values.get("nonlinearity"), str):
        for name in checkpoint.tensors:
            layer, _, last = name.rpartition(".")
            if last.startswith("weight_hh"):
                checkpoint.scalars.setdefault(layer, {})["nonlinearity"] = values["nonlinearity"]


def _output(found: Found, options: ImportOptions, notes: list[str]) -> tuple[Tensor, Tensor, Activation, int | None]:
    """Return the readout, its activation, and which output is used: the second of two classes, else None for all."""
    if found.readout is None:
        notes.append("no readout: there is no output")
        size = sum(cell.size for cell in found.layers[-1]) if found.layers else found.cell.size
        weight = torch.zeros(1, size, dtype=found.cell.dtype)
        return weight, weight[:, 0].clone(), "none", None
    weight, bias = found.readout
    count = weight.shape[0]
    output = found.output
    if output is None and options.output is not None:
        output = next((one for one in _ACTIVATIONS if one == options.output), None)
        if output is None:
            raise NetworkError(f"--output {options.output}: expected one of {', '.join(_ACTIVATIONS)}")
    if output is None and count == 1:
        output = "sigmoid"
        notes.append("the file does not say what its one output is: it is read as the logit of P(positive)")
    if output is None:
        raise NetworkError(
            f"the readout has {count} outputs, and the file does not say what they are; give --output softmax "
            "(probabilities of classes), --output sigmoid (independent probabilities) or --output linear"
        )
    if output == "softmax" and count == 1:
        raise NetworkError("a softmax of one output is always 1; expected a sigmoid")
    if output == "softmax" and count == 2:
        notes.append("softmax of two classes: P(positive) is the probability of the second")
        return weight, bias, output, 1
    if output == "softmax":
        notes.append(f"softmax of {count} classes: the screen shows P(class 0)")
    if output == "linear":
        notes.append("linear outputs: the screen shows output 0, which is no probability")
    return weight, bias, output, None
