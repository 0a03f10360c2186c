"""Convert the layers of a Keras file to a recurrent layer, an embedding and a readout, in PyTorch's layout."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue import NetworkError
from engine.cells import Cell, Setting, build_cell
from engine.importers.formulas import VALUES
from engine.importers.keras_file import KerasModel, Layer
from engine.importers.parts import Array, Found, ImportOptions, StackBody, one_precision, states_read
from engine.nonlinearities import GATES
from engine.probability import Activation
from engine.stack import DIRECTIONS, Reads
from engine.text import printable

_GATES: Final = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4, "CuDNNGRU": 3, "CuDNNLSTM": 4}
_CELLS: Final = {1: "rnn", 3: "gru", 4: "lstm"}
_ORDER: Final = {1: (0,), 3: (1, 0, 2), 4: (0, 1, 2, 3)}
"""PyTorch's gates as positions in Keras's order: z r h → r z n; i f c o is i f g o under other names."""
_NO_EFFECT: Final = frozenset({"InputLayer", "Dropout", "SpatialDropout1D", "Masking", "GaussianNoise"})
_OUTPUTS: Final[Mapping[str, Activation]] = {"sigmoid": "sigmoid", "softmax": "softmax", "linear": "linear"}


class KerasBody:
    """The layer in NumPy, as Keras computes it: its own layout, gate order, biases and activations."""

    def __init__(
        self,
        gates: int,
        kernel: Array,
        recurrent: Array,
        bias: Array,
        settings: Mapping[str, Setting] | None = None,
    ) -> None:
        self.gates, self.kernel, self.recurrent = gates, kernel, recurrent
        self.bias = bias  # (2, gates·n): of the input, of the state
        settings = settings or {}
        self.activation = VALUES[str(settings.get("activation", "tanh"))]
        self.gate = VALUES[str(settings.get("gate", "sigmoid"))]
        self.reset_after = not settings.get("reset_before", False)

    def states(self, x: Array) -> Array:
        """Hidden states (time, n) for inputs (time, inputs)."""
        size = self.recurrent.shape[0]
        h, c, states = np.zeros(size), np.zeros(size), []
        for vector in x:
            of_input = np.split(vector @ self.kernel + self.bias[0], self.gates)
            of_state = np.split(h @ self.recurrent + self.bias[1], self.gates)
            if self.gates == 1:
                h = self.activation(of_input[0] + of_state[0])
            elif self.gates == 3:
                z, r = (self.gate(of_input[k] + of_state[k]) for k in (0, 1))
                inner = r * of_state[2] if self.reset_after else (r * h) @ self.recurrent[:, 2 * size :]
                h = z * h + (1 - z) * self.activation(of_input[2] + inner)
            else:
                i, f, o = (self.gate(of_input[k] + of_state[k]) for k in (0, 1, 3))
                c = f * c + i * self.activation(of_input[2] + of_state[2])
                h = o * self.activation(c)
            states.append(h)
        return np.array(states)


def find_keras_network(model: KerasModel, options: ImportOptions) -> Found:
    """Find the recurrent layer, the embedding and the readout of a Keras model.

    Raises
    ------
    NetworkError
        If the model has a layer or an activation that pinkx cannot run; names it.
    """
    notes: list[str] = []
    stack, level = _recurrent(model, options)
    recurrent, top = stack[level], stack[-1]
    others = [layer for layer in model.layers if layer not in stack and layer.kind not in _NO_EFFECT]
    embeddings = [layer for layer in others if layer.kind == "Embedding"]
    below = [layer for layer in embeddings if _reads(stack[0], layer, model)]
    embedding = _only(below or embeddings, "embedding")
    readout = None if options.readout == "none" else _readout(others, top, options)
    left = [layer for layer in others if layer not in (embedding, readout) and not _follows(layer, readout, model)]
    if left and options.readout is None:
        raise NetworkError(
            f"besides {printable(top.name)} the model has {_listed(left)}, which pinkx would leave out; to import the "
            "layer without them, name the readout: --readout NAME, or --readout none"
        )
    if left:
        notes.append(f"left out, so that the import is not the whole network of the file: {_listed(left)}")
    if recurrent.settings is None and options.embedding is None and embedding is None:
        notes.append("the file holds no embedding: the network takes vectors")
    if readout is not None:
        _check_merge(top, readout, "or --readout none for the states alone")
    merges = ["", *(layer.merge if layer.backward is not None else "" for layer in stack)]
    built = [
        [_built(one, merge, model, options, notes) for one in layer.directions]
        for layer, merge in zip(stack, merges, strict=False)
    ]
    layers = tuple(tuple(cell for cell, _ in directions) for directions in built)
    watched = options.watched
    if watched == "backward" and recurrent.backward is None:
        raise NetworkError(f"--direction backward: {printable(recurrent.name)} has the forward direction alone")
    reads = states_read(
        options, printable(top.name), _states_of(top), directions=len(layers[-1]), readout=readout is not None
    )
    if len(stack) > 1:
        notes.append(f"{len(stack)} layers, of which layer {level + 1} is watched first")
    if recurrent.backward is not None:
        notes.append(f"two directions, of which the {watched} one is watched first")
    return Found(
        source=f"{model.source}{f', Keras {printable(model.version)}' if model.version else ''}",
        cell=layers[level][DIRECTIONS.index(watched)],
        body=StackBody([[body for _, body in directions] for directions in built], level, watched, reads),
        layer=recurrent.name,
        readout=None if readout is None else _dense(readout, layers[-1][0].size, merges[-1]),
        embedding=None if embedding is None else _embedding(embedding, layers[0][0].inputs),
        output=None if readout is None else _output(readout, model),
        notes=notes,
        layers=layers if len(layers) > 1 or len(layers[0]) > 1 else (),
        level=level,
        direction=watched,
        reads=reads,
    )


def _states_of(top: Layer) -> Reads | None:
    """Return which states of the top layer the model goes on with; None if the file does not say."""
    if top.settings is None:
        return None
    return "each" if top.settings.get("return_sequences") else "final"


def _joined(kernel: NDArray[Any], merge: str, name: str) -> NDArray[Any]:
    """Return the kernel (2n, k) over two directions next to each other, of one over them as they were merged."""
    if merge in ("", "concat"):
        return kernel
    if merge not in ("sum", "ave"):
        raise NetworkError(f"{name}: the directions below are merged by {merge!r}; expected concat, sum or ave")
    return np.concatenate((kernel, kernel)) * (0.5 if merge == "ave" else 1)


def _check_merge(below: Layer, above: Layer, or_else: str) -> None:
    """Check that the layer that reads two directions in a file of weights can read them next to each other (concat).

    Raises
    ------
    NetworkError
        If they were merged in another way, which such a file does not name.
    """
    if below.settings is None and below.backward is not None and below.weights and above.weights:
        size, (taken, *_) = len(below.weights[1]), above.weights[0].shape
        if taken == size:
            raise NetworkError(
                f"a file of weights does not say how the two directions of {printable(below.name)} are merged: "
                f"{printable(above.name)} reads {size} numbers, so it is not concat ({2 * size}); give the whole model "
                f"(sum and ave can be opened), {or_else}"
            )


def _built(
    layer: Layer, merge: str, model: KerasModel, options: ImportOptions, notes: list[str]
) -> tuple[Cell, KerasBody]:
    """Return a recurrent layer as a cell, and as Keras computes it; ``merge`` is that of two directions below."""
    gates = _GATES[layer.kind]
    kernel, hidden, bias = kernels(layer, gates)
    kernel = _joined(kernel, merge, printable(layer.name))
    settings = _settings(layer, model, options, notes)
    arrays = {"kernel": kernel, "recurrent_kernel": hidden, "bias": bias}
    tensors = one_precision(
        {f"{layer.name}/{key}": torch.from_numpy(np.ascontiguousarray(array)) for key, array in arrays.items()}
    )
    w, u, b = tensors.values()
    in_order = {"weight_ih": w.mT, "weight_hh": u.mT, "bias": b[0], "bias_hh": b[1]}
    ours = settings | ({"output": settings["activation"]} if gates == 4 else {})
    cell = build_cell(_CELLS[gates], {key: _in_order(tensor, gates) for key, tensor in in_order.items()}, ours)
    return cell, KerasBody(gates, w.double().numpy(), u.double().numpy(), b.double().numpy(), settings)


def _is_above(layer: Layer, below: Layer, model: KerasModel) -> bool:
    """Return whether a recurrent layer reads another one alone, and has a kernel for what that puts out."""
    if not layer.weights or len(below.weights) < 2:  # reported when they are built
        return _reads(layer, below, model)
    concatenated = below.backward is not None and below.merge == "concat"
    width = below.weights[1].shape[0] * (2 if concatenated else 1)
    return _reads(layer, below, model) and layer.weights[0].shape[0] == width


def _reads(layer: Layer, below: Layer, model: KerasModel) -> bool:
    """Return whether a layer reads another one and nothing else, but for layers without effect between them."""
    if not layer.sources:  # the layers follow each other
        first, last = model.layers.index(below), model.layers.index(layer)
        between = model.layers[first + 1 : last]
        return first < last and all(one.kind in _NO_EFFECT for one in between)
    by_name = {one.name: one for one in model.layers}
    for _ in model.layers:  # a path has no more; a damaged file may hold a circle
        if len(layer.sources) != 1:
            return False
        layer = by_name[next(iter(layer.sources))]
        if layer is below or layer.kind not in _NO_EFFECT:
            return layer is below
    return False


def _in_order(tensor: Tensor, gates: int) -> Tensor:
    parts = tensor.chunk(gates, dim=0)
    return torch.cat([parts[k] for k in _ORDER[gates]]).contiguous()


def _recurrent(model: KerasModel, options: ImportOptions) -> tuple[list[Layer], int]:
    """Return the layers of a stack from the bottom, and the number of the one to watch.

    Where the recurrent layers of the model are no single stack, it is the chosen one with those below it.
    """
    for layer in model.layers:
        if layer.kind in ("Lambda", "TFOpLambda"):
            raise NetworkError(f"the model has a Lambda layer ({printable(layer.name)}), whose code is never run")
    found = [layer for layer in model.layers if layer.kind in _GATES]
    if not found:
        kinds = ", ".join(sorted({printable(layer.kind) for layer in model.layers})) or "none"
        raise NetworkError(f"no SimpleRNN, GRU or LSTM among the layers of the model ({kinds})")
    named = [layer for layer in found if options.layer in (None, layer.name)]
    if not named:
        raise NetworkError(f"no recurrent layer {options.layer!r} in the file; it has {_listed(found)}")
    if all(_is_above(layer, below, model) for below, layer in pairwise(found)):
        return found, found.index(named[0] if options.layer else found[0 if options.readout == "none" else -1])
    for lower, upper in pairwise(found if options.layer is None else found[: found.index(named[0]) + 1]):
        _check_merge(lower, upper, f"or --layer {printable(lower.name)} --readout none for the layers up to it")
    if options.layer is None or options.readout is None:
        raise NetworkError(
            f"the recurrent layers are no stack, in which each reads the one below alone: {_listed(found)}; choose one "
            "with --layer NAME, and its readout with --readout NAME or none"
        )
    chain, ordered = [named[0]], not named[0].sources
    if ordered and named[0] is not found[0]:
        raise NetworkError(f"the file does not say what {printable(named[0].name)} reads; give the whole model")
    while below := [layer for layer in found if layer is not chain[0] and _is_above(chain[0], layer, model)]:
        chain.insert(0, below[0])
    others = [layer for layer in found if layer not in chain and chain[0].sources & {layer.name}]
    if others or len(chain[0].sources) > 1:
        raise NetworkError(f"{printable(chain[0].name)} reads several layers; expected a stack on one input")
    return chain, len(chain) - 1


def _only(layers: Sequence[Layer], what: str) -> Layer | None:
    if len(layers) > 1:
        raise NetworkError(f"the model has several {what} layers ({_listed(layers)}); pinkx runs one")
    return layers[0] if layers else None


def _readout(others: Sequence[Layer], recurrent: Layer, options: ImportOptions) -> Layer:
    dense = [layer for layer in others if layer.kind == "Dense"]
    if options.readout is not None:
        dense = [layer for layer in dense if layer.name == options.readout]
        if not dense:
            raise NetworkError(f"no Dense layer {options.readout!r} in the file")
    if len(dense) != 1:
        raise NetworkError(
            f"{'no Dense layer' if not dense else f'several Dense layers ({_listed(dense)})'} after {recurrent.name}; "
            "expected one linear readout. Give --readout NAME, or --readout none to import the layer without one"
        )
    return dense[0]


def kernels(layer: Layer, gates: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return kernel (inputs, gates·n), recurrent kernel (n, gates·n) and biases (2, gates·n) of input and state.

    A CuDNN layer's are brought into the layout of the others.
    """
    name = printable(layer.name)
    if len(layer.weights) not in (2, 3) or any(weight.ndim != 2 for weight in layer.weights[:2]):
        raise NetworkError(f"{name}: expected a kernel, a recurrent kernel and a bias, got {len(layer.weights)} arrays")
    kernel, hidden = layer.weights[:2]
    size = hidden.shape[0]
    if not size or hidden.shape != (size, gates * size) or kernel.shape[1] != gates * size:
        raise NetworkError(f"{name}: kernels of shapes {kernel.shape} and {hidden.shape} do not fit a {layer.kind}")
    bias = layer.weights[2].reshape(-1) if len(layer.weights) == 3 else np.zeros(gates * size, dtype=kernel.dtype)
    if bias.size == gates * size:
        bias = np.stack((bias, np.zeros_like(bias)))
    elif bias.size == 2 * gates * size:
        bias = bias.reshape(2, gates * size)
    else:
        raise NetworkError(f"{name}: a bias of {bias.size} numbers does not fit {size} cells")
    if layer.kind.startswith("CuDNN"):  # each gate's kernels lie transposed, in the order of cuDNN's memory
        kernel = np.hstack([part.reshape(size, -1).T for part in np.hsplit(kernel, gates)])
        hidden = np.hstack([part.T for part in np.hsplit(hidden, gates)])
    return kernel, hidden, bias


def _settings(layer: Layer, model: KerasModel, options: ImportOptions, notes: list[str]) -> dict[str, Setting]:
    """Return the settings of the cell, see `engine.cells`, from those of the layer or the options of the user."""
    name, gates = printable(layer.name), _GATES[layer.kind]
    settings: dict[str, Setting] = {"activation": "tanh"}
    if gates > 1:
        settings["gate"] = "sigmoid"
    configured = layer.settings
    if configured is None:
        configured = _options_as_settings(layer, model, options, notes)
    if configured.get("go_backwards"):
        raise NetworkError(f"{name} reads backwards (go_backwards=True); pinkx runs the forward direction")
    if not layer.kind.startswith("CuDNN"):
        for key, theirs in (("activation", "activation"), ("gate", "recurrent_activation")):
            if key in settings and theirs in configured:
                settings[key] = _nonlinearity(configured[theirs], model)
    if gates == 3:
        biased = len(layer.weights) == 3
        single = biased and layer.weights[2].size == gates * layer.weights[1].shape[0]
        settings["reset_before"] = single or not configured.get("reset_after", True)
    _check_given(layer, settings, model, options)
    if str(settings.get("gate", "sigmoid")) not in GATES:
        raise NetworkError(f"{name}: recurrent_activation {settings['gate']!r} is no gate between 0 and 1")
    return settings


def _nonlinearity(value: Any, model: KerasModel) -> str:
    """Return our name of an activation; hard_sigmoid is 0.2 x + 0.5 before Keras 3 and x/6 + 0.5 since."""
    name = _activation(value)
    if name == "hard_sigmoid":
        name = "hard_sigmoid_6" if re.match(r"[3-9]", model.version) else "hard_sigmoid_5"
    if name not in VALUES or name == "shifted":
        known = ", ".join(sorted({one.removesuffix("_5").removesuffix("_6") for one in VALUES if one != "shifted"}))
        raise NetworkError(f"the activation {name!r} is not supported, only {known}")
    return name


def _options_as_settings(
    layer: Layer, model: KerasModel, options: ImportOptions, notes: list[str]
) -> Mapping[str, Any]:
    """Return the settings of a layer in a file of weights, which names none, from the options."""
    name, given = printable(layer.name), options.nonlinearity
    gated = layer.kind != "SimpleRNN"
    if layer.kind.startswith("CuDNN"):
        return {}
    if given is None:
        what = "activations" if gated else "activation"
        ways = (
            "tanh (gates sigmoid, the default of Keras since 2.3), hard_sigmoid (those gates, the default before), "
            "or both as in relu,hard_sigmoid"
        )
        raise NetworkError(
            f"{name}: a file of weights does not name the {what}; give --nonlinearity "
            f"{ways if gated else 'tanh or relu'}, or the whole model"
        )
    settings: dict[str, Any] = dict(zip(("activation", "recurrent_activation"), _given(given, gated), strict=False))
    named = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in settings.items())
    notes.append(f"{named}, as given; a file of weights does not name them")
    if layer.kind == "GRU" and len(layer.weights) < 3:
        if options.reset is None:
            raise NetworkError(
                f"{name}: a GRU without biases in a file of weights, which does not say where its reset gate acts; "
                "give --reset after (the default of Keras 2 and later) or --reset before (the recurrent product)"
            )
        settings["reset_after"] = options.reset == "after"
        notes.append(f"the reset acts {options.reset} the recurrent product, as given")
    return settings


def _given(text: str, gated: bool) -> tuple[str, ...]:
    """Return activation and gate of ``--nonlinearity``: ``tanh``, ``relu,hard_sigmoid``, or ``hard_sigmoid`` alone."""
    names = tuple(part.strip() for part in text.split(","))
    if len(names) > (2 if gated else 1):
        raise NetworkError(f"--nonlinearity {text}: expected an activation{' and one of the gates' if gated else ''}")
    if names == ("hard_sigmoid",) and gated:
        return "tanh", "hard_sigmoid"
    return names if len(names) == 2 or not gated else (*names, "sigmoid")


def _check_given(layer: Layer, settings: Mapping[str, Setting], model: KerasModel, options: ImportOptions) -> None:
    """Check what the options say against what the file says."""
    if options.nonlinearity is None or layer.settings is None:
        return
    given = [_nonlinearity(one, model) for one in _given(options.nonlinearity, "gate" in settings)]
    said = [str(settings[key]) for key in ("activation", "gate") if key in settings]
    if given != said:
        raise NetworkError(
            f"--nonlinearity {options.nonlinearity}: the file says {', '.join(said)} of {printable(layer.name)}; leave "
            "out the option"
        )


def _activation(value: Any) -> str:
    if isinstance(value, Mapping):  # a serialised function
        config = value.get("config")
        value = config if isinstance(config, str) else value.get("class_name")
    return printable(str(value or "linear"))


def _dense(layer: Layer, size: int, merge: str) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a readout of cells, or of two directions of ``size`` cells each if they are merged."""
    kernel = layer.weights[0] if layer.weights else np.zeros((0, 0))
    size *= 2 if merge == "concat" else 1
    if kernel.ndim == 2 and kernel.shape[0] == size:
        kernel = _joined(kernel, merge, printable(layer.name))
        size = len(kernel)
    if kernel.ndim != 2 or kernel.shape[0] != size or not kernel.shape[1]:
        raise NetworkError(
            f"{printable(layer.name)}: the kernel of a readout of {size} cells is ({size}, k), got {kernel.shape}"
        )
    bias = layer.weights[1] if len(layer.weights) > 1 else np.zeros(kernel.shape[1], dtype=kernel.dtype)
    named = one_precision(
        {
            f"{layer.name}/kernel": torch.from_numpy(kernel.T.copy()),
            f"{layer.name}/bias": torch.from_numpy(bias.copy()),
        }
    )
    weight, offset = named.values()
    return weight, offset


def _embedding(layer: Layer, inputs: int) -> Tensor:
    rows = layer.weights[0] if layer.weights else np.zeros((0, 0))
    if rows.ndim != 2 or rows.shape[1] != inputs:
        raise NetworkError(f"{printable(layer.name)}: expected rows of {inputs} numbers, got the shape {rows.shape}")
    return one_precision({f"{layer.name}/embeddings": torch.from_numpy(rows.copy())})[f"{layer.name}/embeddings"]


def _output(readout: Layer, model: KerasModel) -> Activation | None:
    """Return the activation of the readout, or of an Activation layer after it; None if the file does not say."""
    if readout.settings is None:
        return None
    after = model.layers[model.layers.index(readout) + 1 :]
    names = [_activation(readout.settings.get("activation"))]
    names += [_activation((layer.settings or {}).get("activation")) for layer in after if layer.kind == "Activation"]
    chosen = [name for name in names if name != "linear"] or ["linear"]
    if len(chosen) > 1 or chosen[0] not in _OUTPUTS:
        raise NetworkError(
            f"{printable(readout.name)}: the activation {chosen[0]!r} is not supported, only {', '.join(_OUTPUTS)}"
        )
    return _OUTPUTS[chosen[0]]


def _follows(layer: Layer, readout: Layer | None, model: KerasModel) -> bool:
    """Return whether a layer is the activation of the readout."""
    return (
        readout is not None and layer.kind == "Activation" and model.layers.index(layer) > model.layers.index(readout)
    )


def _listed(layers: Sequence[Layer]) -> str:
    return ", ".join(printable(f"{layer.name} ({layer.kind})")[:80] for layer in layers[:8])
