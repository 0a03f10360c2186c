"""Convert named tensors in PyTorch's layout to a recurrent layer, an embedding and a readout."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise, product
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from engine.catalogue import NetworkError
from engine.cells import Cell, Setting, build_cell
from engine.importers.parts import (
    Array,
    Found,
    ImportOptions,
    StackBody,
    StoredTensor,
    one_precision,
    states_read,
)
from engine.importers.vocabulary import as_words
from engine.stack import DIRECTIONS
from engine.text import printable

_KINDS: Final = {1: "rnn", 3: "gru", 4: "lstm"}
_RECURRENT: Final = re.compile(r"^(?:(?P<path>.*)\.)?weight_hh(?:_l(?P<level>\d+))?(?P<reverse>_reverse)?$")
_SKIPPED: Final = re.compile(r"(^|\.)(optim\w*|optimizers?|\w*scheduler\w*|scaler|exp_avg\w*)(\.|$|_)", re.IGNORECASE)
_EMBEDDING: Final = re.compile(r"emb|encoder\.weight$|lookup|word_vec|wte", re.IGNORECASE)
_WRAPPERS: Final = re.compile(r"^((model_)?state_dict|model|net|network|module|_orig_mod|_module)\.")


@dataclass
class Checkpoint:
    """Contents of a file of PyTorch or safetensors.

    Attributes
    ----------
    source : str
        The format, as it is shown to the user.
    tensors : dict of str to StoredTensor
        By dotted name.
    scalars : dict of str to mapping
        Plain attributes of each module, by its dotted name, where the file has modules.
    vocabularies : list of mappings from id to word
    """

    source: str
    tensors: dict[str, StoredTensor] = field(default_factory=dict)
    scalars: dict[str, dict[str, Any]] = field(default_factory=dict)
    vocabularies: list[Mapping[int, str]] = field(default_factory=list)

    def add_vocabulary(self, value: object) -> bool:
        """Store an object that may be a vocabulary, and return whether it may be one."""
        words = as_words(value)
        if words is not None:
            self.vocabularies.append(words)
        return words is not None


class TorchBody:
    """`torch.nn`'s own layer with the weights as they lie in the file."""

    def __init__(self, gates: int, weights: Mapping[str, Tensor], nonlinearity: str = "tanh") -> None:
        kind: Any = {1: partial(nn.RNN, nonlinearity=nonlinearity), 3: nn.GRU, 4: nn.LSTM}[gates]
        size, inputs = weights["weight_hh"].shape[1], weights["weight_ih"].shape[1]
        self.module: nn.RNNBase = kind(inputs, size, bias="bias_ih" in weights).double()
        self.module.load_state_dict({f"{name}_l0": weight.double() for name, weight in weights.items()})

    def states(self, x: Array) -> Array:
        """Hidden states (time, n) for inputs (time, inputs)."""
        with torch.inference_mode():
            hidden, _ = self.module(torch.from_numpy(np.array(x, order="C")))
        return hidden.numpy()


def module_checkpoint(module: nn.Module) -> Checkpoint:
    """Return the tensors of a module in memory, and the nonlinearities of its RNN layers."""
    checkpoint = Checkpoint("PyTorch module")
    for name, tensor in module.state_dict().items():
        if isinstance(tensor, Tensor):
            copy = tensor.detach().cpu().clone()
            checkpoint.tensors[name] = StoredTensor(tuple(copy.shape), partial(torch.clone, copy))
    for name, part in module.named_modules():
        if isinstance(part, nn.RNN | nn.RNNCell):
            checkpoint.scalars[name] = {"nonlinearity": part.nonlinearity}
    return checkpoint


def find_network(file: Checkpoint, options: ImportOptions) -> Found:
    """Find the recurrent layer, the embedding and the readout among named tensors.

    Raises
    ------
    NetworkError
        If there is none, more than one, or one that pinkx cannot run; names the candidates and the option.
    """
    tensors = {name: tensor for name, tensor in file.tensors.items() if not _SKIPPED.search(name)}
    path, suffixes, level, notes = _layer(tensors, options)
    prefix = f"{path}." if path else ""
    raws = [[_layer_tensors(tensors, prefix, suffix, path) for suffix in directions] for directions in suffixes]
    gates = _gates(path, raws[0][0]["weight_hh"])
    nonlinearity = _nonlinearity(path, file.scalars, options, notes) if gates == 1 else "tanh"
    layers = tuple(tuple(_cell(path, raw, nonlinearity) for raw in directions) for directions in raws)
    _check_widths(path, layers)
    watched, inputs = options.watched, layers[0][0].inputs
    size = sum(cell.size for cell in layers[-1])
    if watched == "backward" and len(layers[0]) == 1:
        raise NetworkError(f"--direction backward: {_shown(path)} has the forward direction alone")
    bodies = [[TorchBody(gates, raw, nonlinearity) for raw in directions] for directions in raws]
    several = len(layers) > 1 or len(layers[0]) > 1
    used = {name for name in tensors if name.startswith((f"{prefix}weight_", f"{prefix}bias_"))}
    others = {name: tensor for name, tensor in tensors.items() if name not in used and _same_root(name, path)}
    readout_name = _readout(others, size, inputs, options)
    embedding_name = _embedding(others, inputs, readout_name, options)
    chosen = {name: tensors[name] for name in (readout_name, embedding_name) if name is not None}
    bias_name = None if readout_name is None else _bias_of(readout_name, others)
    if bias_name is not None:
        chosen[bias_name] = tensors[bias_name]
    _refuse_left_over(set(others) - set(chosen), path, readout_name, options, notes)
    reads = states_read(options, _shown(path), directions=len(layers[-1]), readout=readout_name is not None)
    if len(layers[-1]) > 1 and readout_name is not None:
        notes.append(f"the readout reads both directions, as given: {reads}")
    read = one_precision({name: tensor.read() for name, tensor in chosen.items()})
    readout = None
    if readout_name is not None:
        weight = read[readout_name].reshape(read[readout_name].shape[0], size)
        readout = weight, read[bias_name] if bias_name is not None else torch.zeros_like(weight[:, 0])
    return Found(
        source=file.source,
        cell=layers[level][DIRECTIONS.index(watched)],
        body=StackBody(bodies, level, watched, reads),
        layer=path or "weight_hh",
        layers=layers if several else (),
        level=level,
        direction=watched,
        reads=reads,
        readout=readout,
        embedding=None if embedding_name is None else read[embedding_name],
        vocabularies=file.vocabularies,
        notes=notes,
    )


# ---- the recurrent layer ------------------------------------------------------------------------------------------


def _layer(tensors: Collection[str], options: ImportOptions) -> tuple[str, list[list[str]], int, list[str]]:
    """Choose the layers: their path, the suffixes of the tensors' names by level and direction, the level to watch,
    and notes.
    """
    layers: dict[str, dict[tuple[int, bool], str]] = {}
    for name in tensors:
        if match := _RECURRENT.match(name):
            level, reverse = int(match["level"] or 0), match["reverse"] is not None
            suffix = name.rpartition("weight_hh")[2]
            layers.setdefault(match["path"] or "", {})[level, reverse] = suffix
    if not layers:
        raise NetworkError(
            f"not a network of pinkx, and none of its {len(tensors)} tensors is a recurrent layer in PyTorch's layout "
            "(weight_ih_l0, weight_hh_l0)"
        )
    wanted, chosen = options.layer, None
    if wanted is not None and wanted not in layers and (match := re.fullmatch(r"(.*)[.:](\d+)", wanted)):
        wanted, chosen = match[1], int(match[2])
    named = [path for path in layers if wanted is None or path == wanted or path.endswith(f".{wanted}")]
    if not named:
        raise NetworkError(f"no recurrent layer {options.layer!r} in the file; it has {_listed(layers)}")
    if len(named) > 1:
        raise NetworkError(f"the file has several recurrent layers: {_listed(named)}; choose one with --layer NAME")
    path = named[0]
    parts, notes = layers[path], []
    stack, both = max(level for level, _ in parts) + 1, any(reverse for _, reverse in parts)
    directions = (False, True) if both else (False,)
    if missing := [key for key in product(range(stack), directions) if key not in parts]:
        suffix = f"_l{missing[0][0]}{'_reverse' * missing[0][1]}"
        raise NetworkError(f"{_shown(path)}: the tensor weight_hh{suffix} is missing")
    if chosen is not None and chosen >= stack:
        raise NetworkError(f"{_shown(path)} has {stack} layer{'s' * (stack > 1)}, counted from 0; there is no {chosen}")
    level = chosen if chosen is not None else 0 if options.readout == "none" else stack - 1
    if stack > 1:
        notes.append(f"{stack} layers, of which layer {level + 1} is watched first")
    if both:
        notes.append(f"two directions, of which the {options.watched} one is watched first")
    return path, [[parts[number, reverse] for reverse in directions] for number in range(stack)], level, notes


def _gates(path: str, weight: Tensor) -> int:
    """Return the number of gates from the shape of a recurrent matrix."""
    gates, rest = divmod(weight.shape[0], weight.shape[1])
    if rest or gates not in _KINDS:
        raise NetworkError(
            f"{_shown(path)}: weight_hh has shape {tuple(weight.shape)}; expected (n, n) for an RNN, "
            "(3 n, n) for a GRU or (4 n, n) for an LSTM"
        )
    return gates


def _cell(path: str, raw: Mapping[str, Tensor], nonlinearity: str) -> Cell:
    gates = _gates(path, raw["weight_hh"])
    settings: dict[str, Setting] = {"activation": nonlinearity} if gates == 1 else {}
    zero = torch.zeros_like(raw["weight_hh"][:, 0])
    weights = {key: raw[key] for key in ("weight_ih", "weight_hh")}
    weights |= {"bias": raw.get("bias_ih", zero), "bias_hh": raw.get("bias_hh", zero)}
    try:
        return build_cell(_KINDS[gates], weights, settings)
    except ValueError as error:
        raise NetworkError(f"{_shown(path)}: {error}") from None


def _check_widths(path: str, layers: Sequence[Sequence[Cell]]) -> None:
    """Check that every layer takes what the one below puts out."""
    for level, (below, cells) in enumerate(pairwise(layers), 1):
        width = sum(cell.size for cell in below)
        if any(cell.inputs != width or cell.name != below[0].name for cell in cells):
            raise NetworkError(
                f"{_shown(path)}: layer {level} takes {cells[0].inputs} numbers, the layer below puts out {width}"
            )


def _layer_tensors(tensors: Mapping[str, StoredTensor], prefix: str, suffix: str, path: str) -> dict[str, Tensor]:
    if f"{prefix}weight_hr{suffix}" in tensors:
        raise NetworkError(f"{_shown(path)}: an LSTM with a projection (proj_size) is not supported")
    names = {name: f"{prefix}{name}{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    if names["weight_ih"] not in tensors:
        raise NetworkError(f"{_shown(path)}: the tensor {names['weight_ih']} is missing")
    stored = {name: tensors[full].read() for name, full in names.items() if full in tensors}
    converted = one_precision({names[name]: tensor for name, tensor in stored.items()})
    raw = {name: converted[names[name]] for name in stored}
    if raw["weight_hh"].ndim != 2 or raw["weight_ih"].ndim != 2 or 0 in raw["weight_hh"].shape:
        raise NetworkError(f"{_shown(path)}: the weights must be matrices, got {tuple(raw['weight_hh'].shape)}")
    for name in {"bias_ih", "bias_hh"} - set(raw) if len(raw) == 3 else ():  # the other bias alone: this one is zero
        raw[name] = torch.zeros_like(raw["weight_hh"][:, 0])
    return raw


def _nonlinearity(path: str, scalars: Mapping[str, Mapping[str, Any]], options: ImportOptions, notes: list[str]) -> str:
    """Return tanh or relu, from the file or the options."""
    known = scalars.get(path, {})
    said = known.get("nonlinearity") or {"RNN_TANH": "tanh", "RNN_RELU": "relu"}.get(str(known.get("mode")))
    nonlinearity = str(said or options.nonlinearity or "")
    if not nonlinearity:
        raise NetworkError(
            f"{_shown(path)} is a plain RNN, and the file does not say whether its nonlinearity is tanh or relu; give "
            "--nonlinearity tanh or --nonlinearity relu"
        )
    if nonlinearity not in ("tanh", "relu"):
        raise NetworkError(f"{_shown(path)}: an RNN of PyTorch has the nonlinearity tanh or relu, not {nonlinearity}")
    if said and options.nonlinearity not in (None, nonlinearity):
        raise NetworkError(f"--nonlinearity {options.nonlinearity}: the file says {said} of {_shown(path)}")
    if not said:
        notes.append(f"nonlinearity {nonlinearity}, as given; the file does not say")
    return nonlinearity


# ---- embedding and readout ----------------------------------------------------------------------------------------


def _same_root(name: str, path: str) -> bool:
    """Return whether a tensor belongs to the same network as the layer: a checkpoint may hold several."""
    root = ""
    rest = path
    while match := _WRAPPERS.match(rest):
        root += match[0]
        rest = rest[match.end() :]
    return name.startswith(root)


def _named(option: str, tensors: Mapping[str, StoredTensor], flag: str) -> str:
    endings = (option, f"{option}.weight")
    found = [name for name in tensors if any(name == end or name.endswith(f".{end}") for end in endings)]
    if len(found) != 1:
        raise NetworkError(f"{flag} {option}: {'no' if not found else 'more than one'} tensor of that name in the file")
    return found[0]


def _bias_of(name: str, tensors: Mapping[str, StoredTensor]) -> str | None:
    bias = name.removesuffix("weight") + "bias"
    return bias if name.endswith("weight") and bias in tensors else None


def _is_embedding(name: str, tensors: Mapping[str, StoredTensor]) -> bool:
    return bool(_EMBEDDING.search(name)) and _bias_of(name, tensors) is None


def _readout(tensors: Mapping[str, StoredTensor], size: int, inputs: int, options: ImportOptions) -> str | None:
    if options.readout == "none":
        return None
    if options.readout is not None:
        name = _named(options.readout, tensors, "--readout")
        shape = tensors[name].shape
        if len(shape) < 2 or shape[1] != size or any(n != 1 for n in shape[2:]) or shape[0] == 0:
            raise NetworkError(f"--readout {options.readout}: expected shape (k, {size}), got {shape}")
        return name
    matrices = [name for name, tensor in tensors.items() if len(tensor.shape) == 2 and name.endswith("weight")]
    fitting = [
        name
        for name in matrices
        if tensors[name].shape[1] == size and tensors[name].shape[0] and not _is_embedding(name, tensors)
    ]
    if len(fitting) > 1:
        fitting = [name for name in fitting if _bias_of(name, tensors) is not None] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise NetworkError(f"several matrices may be the readout: {_listed(fitting)}; choose one with --readout NAME")
    raise NetworkError(
        f"no linear readout of {size} cells, a matrix (k, {size}); name it with --readout NAME, or give --readout none "
        "to import the layer without a readout"
    )


def _embedding(
    tensors: Mapping[str, StoredTensor], inputs: int, readout: str | None, options: ImportOptions
) -> str | None:
    if options.embedding == "none":
        return None
    if options.embedding is not None:
        name = _named(options.embedding, tensors, "--embedding")
        if len(tensors[name].shape) != 2 or tensors[name].shape[1] != inputs:
            raise NetworkError(
                f"--embedding {options.embedding}: expected shape (V, {inputs}), got {tensors[name].shape}"
            )
        return name
    fitting = [
        name
        for name, tensor in tensors.items()
        if name != readout and len(tensor.shape) == 2 and tensor.shape[1] == inputs and name.endswith("weight")
        if _bias_of(name, tensors) is None
    ]
    likely = [name for name in fitting if _EMBEDDING.search(name)] or fitting
    if len(likely) > 1:
        raise NetworkError(
            f"several matrices may be the embedding: {_listed(likely)}; choose one with --embedding NAME"
        )
    return likely[0] if likely else None


def _refuse_left_over(
    left: Collection[str], path: str, readout: str | None, options: ImportOptions, notes: list[str]
) -> None:
    """Refuse a file with further weights unless the readout was named: they may stand between input and output."""
    left = sorted(name for name in left if name.rpartition(".")[2] not in ("num_batches_tracked", "hidden", "cell"))
    if left and options.readout is None:
        raise NetworkError(
            f"besides {_shown(path)} the file holds weights that pinkx would leave out: {_listed(left)}; to import the "
            f"layer without them, name the readout: --readout {_module(readout)}, or --readout none"
        )
    if left:
        notes.append(f"left out, so that the import is not the whole network of the file: {_listed(left)}")


def _module(name: str | None) -> str:
    return "NAME" if name is None else printable(name.removesuffix(".weight").rpartition(".")[2])


def _shown(path: str) -> str:
    return printable(path) or "the layer"


def _listed(names: Collection[str]) -> str:
    shown = sorted(printable(name)[:80] or "(unnamed)" for name in names)
    return ", ".join(shown[:6]) + (f" and {len(shown) - 6} more" if len(shown) > 6 else "")
