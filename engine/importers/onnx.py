"""Convert an ONNX graph to a recurrent layer, an embedding and a readout, in PyTorch's layout."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue import NetworkError
from engine.cells import Cell, Setting, build_cell
from engine.importers.formulas import VALUES
from engine.importers.onnx_file import RECURRENT, Graph, Node
from engine.importers.parts import Array, Found, ImportOptions, StackBody, one_precision, states_read
from engine.probability import Activation
from engine.stack import DIRECTIONS, Reads
from engine.text import printable

_GATES: Final = {"RNN": 1, "GRU": 3, "LSTM": 4}
_ORDER: Final = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 2, 3, 1)}
"""PyTorch's gates as positions in ONNX's order: z r h → r z n, i o f c → i f g o."""
_DEFAULTS: Final = {"RNN": ("Tanh",), "GRU": ("Sigmoid", "Tanh"), "LSTM": ("Sigmoid", "Tanh", "Tanh")}
_KEYS: Final = {"RNN": ("activation",), "GRU": ("gate", "activation"), "LSTM": ("gate", "activation", "output")}
_PASSED: Final = frozenset(
    {"Transpose", "Squeeze", "Unsqueeze", "Reshape", "Identity", "Dropout", "Gather", "Slice", "Cast", "Flatten"}
)
"""Operations between layers that only rearrange or select."""
_OUTPUTS: Final[Mapping[str, Activation]] = {"Sigmoid": "sigmoid", "Softmax": "softmax"}


class OnnxBody:
    """The layer in NumPy, as the ONNX specification defines its operator: gate order z r h or i o f c."""

    def __init__(
        self, node: Node, W: Array, R: Array, B: Array, settings: Mapping[str, Setting], initial: Array | None
    ) -> None:
        self.kind, self.before = node.kind, bool(settings.get("reset_before"))
        self.W, self.R, (self.Wb, self.Rb) = W, R, np.split(B, 2)
        self.f, self.g, self.h = (
            VALUES[str(settings.get(key, default))]
            for key, default in (("gate", "sigmoid"), ("activation", "tanh"), ("output", "tanh"))
        )
        size = R.shape[1]
        self.start = np.zeros(2 * size) if initial is None else np.concatenate((initial, np.zeros(size)))[: 2 * size]

    def states(self, x: Array) -> Array:
        """Hidden states (time, n) for inputs (time, inputs)."""
        count, size, rows = _GATES[self.kind], self.R.shape[1], []
        H, C = np.split(self.start, 2)
        for vector in x:
            a, u = np.split(self.W @ vector + self.Wb, count), np.split(self.R @ H + self.Rb, count)
            if self.kind == "RNN":
                H = self.g(a[0] + u[0])
            elif self.kind == "GRU":
                z, r = self.f(a[0] + u[0]), self.f(a[1] + u[1])
                inner = self.R[2 * size :] @ (r * H) + self.Rb[2 * size :] if self.before else r * u[2]
                H = (1 - z) * self.g(a[2] + inner) + z * H
            else:
                i, o, f = (self.f(a[k] + u[k]) for k in range(3))
                C = f * C + i * self.g(a[3] + u[3])
                H = o * self.h(C)
            rows.append(H)
        return np.array(rows)


def find_onnx_network(graph: Graph, options: ImportOptions) -> Found:
    """Find the recurrent layer, the embedding and the readout of a graph.

    Raises
    ------
    NetworkError
        If the graph holds a network that pinkx cannot run, or leaves something open; names it.
    """
    notes: list[str] = []
    nodes, level = _stack(graph, options)
    for node in nodes:
        _check_node(graph, node)
    if options.nonlinearity is not None:
        raise NetworkError(f"--nonlinearity {options.nonlinearity}: an ONNX graph names its activations; leave it out")
    built = [_built(graph, node, notes) for node in nodes]
    layers = tuple(tuple(cell for cell, _ in directions) for directions in built)
    for node, cells, below in zip(nodes[1:], layers[1:], layers, strict=False):
        if cells[0].inputs != sum(cell.size for cell in below):
            raise NetworkError(f"{printable(node.name)} does not take what the layer below puts out")
    top, name, watched = nodes[-1], printable(nodes[level].name), options.watched
    if watched == "backward" and len(layers[level]) == 1:
        raise NetworkError(f"--direction backward: {name} has the forward direction alone")
    readout, output, found = _readout(graph, top, sum(cell.size for cell in layers[-1]), options)
    reads = states_read(options, printable(top.name), found, directions=len(layers[-1]), readout=readout is not None)
    if len(nodes) > 1:
        notes.append(f"{len(nodes)} layers, of which layer {level + 1} is watched first")
    if len(layers[level]) > 1:
        notes.append(f"two directions, of which the {watched} one is watched first")
    lowest = nodes[0]
    return Found(
        source="ONNX graph",
        cell=layers[level][DIRECTIONS.index(watched)],
        body=StackBody([[body for _, body in directions] for directions in built], level, watched, reads),
        layer=nodes[level].name,
        readout=readout,
        embedding=None if options.embedding == "none" else _embedding(graph, lowest, layers[0][0].inputs, notes),
        output=output,
        notes=notes,
        layers=layers if len(layers) > 1 or len(layers[0]) > 1 else (),
        level=level,
        direction=watched,
        reads=reads,
    )


def _built(graph: Graph, node: Node, notes: list[str]) -> list[tuple[Cell, OnnxBody]]:
    """Return each direction of a layer as a cell, and as ONNX computes it."""
    name, gates, both = printable(node.name), _GATES[node.kind], _directions(node)
    W, R = (_weights(graph, node, k) for k in (1, 2))
    size = R.shape[2]
    bias = _input(graph, node, 3)
    B = np.zeros((both, 2 * gates * size), W.dtype) if bias is None else bias
    if (
        W.shape[:2] != (both, gates * size)
        or R.shape[:2] != (both, gates * size)
        or B.shape != (both, 2 * gates * size)
    ):
        raise NetworkError(f"{name}: weights of shapes {W.shape}, {R.shape} and {B.shape} do not fit a {node.kind}")
    found = []
    for direction in range(both):
        settings = _settings(node, direction)
        initial = _initial(graph, node, size, direction, notes)
        arrays = {"W": W[direction], "R": R[direction], "B": B[direction]}
        tensors = one_precision({f"{name}/{key}": torch.from_numpy(np.array(v)) for key, v in arrays.items()})
        w, r, b = tensors.values()
        weights = {"weight_ih": w, "weight_hh": r, "bias": b[: gates * size], "bias_hh": b[gates * size :]}
        cell = build_cell(
            node.kind.lower(),
            {key: _in_order(tensor, node.kind) for key, tensor in weights.items()}
            | ({} if initial is None else {"initial": torch.from_numpy(initial.astype(np.float32))}),
            settings,
        )
        body = OnnxBody(node, w.double().numpy(), r.double().numpy(), b.double().numpy(), settings, initial)
        found.append((cell, body))
    return found


def _stack(graph: Graph, options: ImportOptions) -> tuple[list[Node], int]:
    """Return the recurrent nodes of a stack from the bottom, and the number of the one to watch.

    Where those of the graph are no single stack, it is the chosen one with those below it.
    """
    found = [node for node in graph.nodes if node.kind in RECURRENT]
    if not found:
        loops = sorted({node.kind for node in graph.nodes} & {"Loop", "Scan"})
        if loops:
            raise NetworkError(
                f"the recurrence of this ONNX graph is a {loops[0]} of elementary operations, which do not name the "
                "cell; export the network with RNN, GRU or LSTM nodes, or give its PyTorch or Keras file"
            )
        raise NetworkError("no RNN, GRU or LSTM node in the ONNX graph")
    named = [node for node in found if options.layer in (None, node.name)]
    if not named:
        raise NetworkError(f"no recurrent node {options.layer!r} in the graph; it has {_listed(found)}")
    if all(_below(graph, node) is below for below, node in pairwise(found)):
        return found, found.index(named[0] if options.layer else found[0 if options.readout == "none" else -1])
    if options.layer is None or options.readout is None:
        raise NetworkError(
            f"the recurrent nodes are no stack, in which each reads the one below alone: {_listed(found)}; choose one "
            "with --layer NAME, and its readout with --readout NAME or none"
        )
    chain = [named[0]]
    while (below := _below(graph, chain[0])) is not None:
        chain.insert(0, below)
    return chain, len(chain) - 1


def _below(graph: Graph, node: Node) -> Node | None:
    """Return the recurrent node whose states at every word a node reads, if there is one."""
    name = node.inputs[0]
    while (before := graph.producer(name)) is not None:
        if before.kind in RECURRENT:
            return before if graph.resolve(name) == graph.resolve(before.outputs[0]) else None
        if before.kind not in _PASSED:
            return None
        name = before.inputs[0]
    return None


def _directions(node: Node) -> int:
    return 2 if _word(node.attributes.get("direction", "forward")) == "bidirectional" else 1


def _check_node(graph: Graph, node: Node) -> None:
    if _word(node.attributes.get("direction", "forward")) == "reverse":
        raise NetworkError(f"{printable(node.name)} reads from the end alone; expected the forward direction or both")
    for key in ("clip", "input_forget"):
        if node.attributes.get(key):
            raise NetworkError(f"{printable(node.name)}: the attribute {key} is not supported")
    if node.kind == "LSTM" and _input(graph, node, 7) is not None and np.any(_input(graph, node, 7)):
        raise NetworkError(f"{printable(node.name)}: peepholes are not supported")


def _word(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _input(graph: Graph, node: Node, position: int) -> NDArray[Any] | None:
    name = node.inputs[position] if position < len(node.inputs) else ""
    return graph.constant(name) if name else None


def _weights(graph: Graph, node: Node, position: int) -> NDArray[Any]:
    """Return weights (direction, rows, columns)."""
    weight = _input(graph, node, position)
    if weight is None or weight.ndim != 3 or not all(weight.shape) or not np.issubdtype(weight.dtype, np.floating):
        raise NetworkError(
            f"{printable(node.name)}: its weights are no constants of the graph; export the network with its weights"
        )
    return weight


def _settings(node: Node, direction: int) -> dict[str, Setting]:
    count = len(_DEFAULTS[node.kind])
    listed = [_word(name) for name in node.attributes.get("activations", _DEFAULTS[node.kind] * 2)]
    names = listed[direction * count : (direction + 1) * count]
    if len(names) != count:
        raise NetworkError(f"{printable(node.name)}: expected {count} activations a direction, got {listed}")
    alphas = node.attributes.get("activation_alpha", [])
    settings: dict[str, Setting] = {}
    for key, name in zip(_KEYS[node.kind], names, strict=True):
        ours = {"Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu", "Softplus": "softplus"}.get(name)
        if name == "HardSigmoid":
            alpha = float(alphas[0]) if alphas else 0.2
            betas = node.attributes.get("activation_beta", [0.5])
            slopes = {"hard_sigmoid_5": 0.2, "hard_sigmoid_6": 1 / 6}
            close = [one for one, slope in slopes.items() if abs(alpha - slope) < 1e-4 and abs(betas[0] - 0.5) < 1e-6]
            ours = close[0] if close else None
        if ours is None:
            raise NetworkError(f"{printable(node.name)}: the activation {name} is not supported")
        settings[key] = ours
    if node.kind == "GRU":
        settings["reset_before"] = not node.attributes.get("linear_before_reset", 0)
    return settings


def _initial(graph: Graph, node: Node, size: int, direction: int, notes: list[str]) -> Array | None:
    """Return the initial state (S,) of a direction, None for zero."""
    parts = []
    for position in (5, 6) if node.kind == "LSTM" else (5,):
        value = _input(graph, node, position)
        given = position < len(node.inputs) and bool(node.inputs[position])
        if value is None and given:
            notes.append("the initial state depends on the input of the graph; here it is zero")
        rows = np.zeros((2, size)) if value is None else value.astype(np.float64).reshape(-1, size)
        parts.append(rows[direction * (len(rows) // _directions(node))])
    state = np.concatenate(parts)
    return state if state.any() else None


def _in_order(tensor: Tensor, kind: str) -> Tensor:
    parts = tensor.chunk(_GATES[kind], dim=0)
    return torch.cat([parts[k] for k in _ORDER[kind]]).contiguous()


# ---- embedding and readout ----------------------------------------------------------------------------------------


def _embedding(graph: Graph, node: Node, inputs: int, notes: list[str]) -> Tensor | None:
    """Follow the input of the layer back to a Gather of rows, if it has one."""
    name = node.inputs[0]
    while (before := graph.producer(name)) is not None:
        rows = graph.constant(before.inputs[0]) if before.kind == "Gather" else None
        if rows is not None and rows.ndim == 2 and rows.shape[1] == inputs:
            return next(iter(one_precision({before.name: torch.from_numpy(np.array(rows))}).values()))
        if before.kind not in _PASSED:
            notes.append(f"left out before the layer, so that the import is not the whole network: {before.kind}")
            return None
        name = before.inputs[0]
    return None


def _readout(
    graph: Graph, node: Node, size: int, options: ImportOptions
) -> tuple[tuple[Tensor, Tensor] | None, Activation | None, Reads | None]:
    """Follow the output of the layer to a matrix product, its bias and its activation.

    The last value is which states of two directions the product reads; None if that is not known.
    """
    if options.readout == "none":
        return None, None, None
    every, final = ([*node.outputs[:2], ""])[:2]
    # Names to follow, whether they come from the states at every word, and whether some of these were selected.
    todo = [(name, name == every, False) for name in (every, final) if name]
    seen, products = set[str](), dict[int, tuple[Node, Reads | None]]()
    # PyTorch's h_n is the final states of all layers, one after the other.
    layers = [one for one in graph.nodes if one.kind in RECURRENT]
    total, own = sum(map(_directions, layers)), _directions(node)
    passed, of_all = _PASSED | ({"Concat"} if total > 1 else set()), set[str]()
    while todo:
        name, of_each, selected = todo.pop()
        for after in graph.consumers(name):
            if after.kind in ("MatMul", "Gemm"):
                reads: Reads | None = "final" if not of_each else None if selected else "each"
                products[id(after)] = after, reads
                continue
            if after.kind not in passed:
                raise NetworkError(
                    f"after {printable(node.name)} the graph has {printable(after.name)} ({after.kind}), which pinkx "
                    "would leave out; to import the layer without a readout, give --readout none"
                )
            if after.kind == "Concat":
                _check_order(graph, after)
                if len(layers) > 1 and name == final:
                    of_all.add(after.outputs[0])
            if name in of_all:
                index = graph.constant(after.inputs[1]) if after.kind == "Gather" else None
                if index is None or index.size != 1 or int(index.reshape(-1)[0]) % total < total - own:
                    raise NetworkError(
                        f"{printable(after.name)} selects final states of other layers than {printable(node.name)}; to "
                        "import the layers without a readout, give --readout none"
                    )
            if after.outputs[0] not in seen:
                seen.add(after.outputs[0])
                todo.append((after.outputs[0], of_each, selected or after.kind in ("Gather", "Slice")))
    chosen = [one for one in products.values() if options.readout in (None, one[0].name)]
    if len(chosen) != 1:
        listed = f"several matrices may be the readout ({_listed([one for one, _ in chosen])})"
        listed = listed if chosen else "no linear readout"
        raise NetworkError(f"{listed} after {printable(node.name)}; give --readout NAME, or --readout none")
    product, reads = chosen[0]
    return *_linear(graph, product, size), reads


def _check_order(graph: Graph, joined: Node) -> None:
    """Check that two directions are joined with the forward one first, as far as constant indices say."""
    indices = []
    for name in joined.inputs:
        before = graph.producer(name)
        index = graph.constant(before.inputs[1]) if before is not None and before.kind == "Gather" else None
        if index is not None and index.size == 1:
            indices.append(int(index.reshape(-1)[0]))
    if len(indices) == len(joined.inputs) == 2 and indices[0] > indices[1]:
        raise NetworkError(f"{printable(joined.name)} joins the backward direction first; expected the forward one")


def _linear(graph: Graph, product: Node, size: int) -> tuple[tuple[Tensor, Tensor], Activation | None]:
    weight = graph.constant(product.inputs[1])
    if weight is None or weight.ndim != 2:
        raise NetworkError(f"{printable(product.name)}: the matrix of the readout is no constant of the graph")
    if not product.attributes.get("transB"):
        weight = weight.T
    if weight.shape[1] != size or product.attributes.get("transA"):
        raise NetworkError(f"{printable(product.name)}: a readout of {size} cells is (k, {size}), got {weight.shape}")
    weight = weight * product.attributes.get("alpha", 1.0)
    bias = np.zeros(len(weight), weight.dtype)
    if product.kind == "Gemm" and len(product.inputs) > 2:
        bias = bias + product.attributes.get("beta", 1.0) * _constant(graph, product.inputs[2])
    name, output = product.outputs[0], None
    for _ in range(len(graph.nodes)):
        after = graph.consumers(name)
        if len(after) != 1:
            break
        (node,) = after
        if node.kind == "Add":
            other = [one for one in node.inputs if graph.resolve(one) != graph.resolve(name)]
            bias = bias + _constant(graph, other[0])
        elif node.kind in _OUTPUTS:
            output = _OUTPUTS[node.kind]
            break
        elif node.kind not in _PASSED:
            raise NetworkError(f"{printable(node.name)} ({node.kind}) after the readout is not supported")
        name = node.outputs[0]
    tensors = one_precision(
        {f"{product.name}/weight": torch.from_numpy(np.array(weight)), f"{product.name}/bias": torch.from_numpy(bias)}
    )
    matrix, offset = tensors.values()
    return (matrix, offset.reshape(-1)), output


def _constant(graph: Graph, name: str) -> NDArray[Any]:
    value = graph.constant(name)
    if value is None:
        raise NetworkError("the bias of the readout is no constant of the graph")
    return value.reshape(-1)


def _listed(nodes: list[Node]) -> str:
    return ", ".join(printable(f"{node.name} ({node.kind})")[:80] for node in nodes[:8])
