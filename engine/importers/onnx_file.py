"""An ONNX graph as a flat list of nodes and constants, read with the package onnx; nothing of it is run.

Constants are folded through the operations with which exporters rearrange weights.  The branch of an ``If`` that its
constant condition chooses, or the only one with a recurrent layer, takes the place of the node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.catalogue import NetworkError

RECURRENT: Final = ("RNN", "GRU", "LSTM")
_MAX_SIZE: Final = 2_000_000_000  # bytes of a protobuf
_MAX_DEPTH: Final = 20
Values = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Node:
    """One operation: its type, name, names of inputs (empty: left out) and outputs, and attributes."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass
class Graph:
    """Nodes in the order of execution, constants by name, and the names of the graph's inputs and outputs."""

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Values] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    same: dict[str, str] = field(default_factory=dict)  # the outputs of an ``If`` are those of its branch

    def resolve(self, name: str) -> str:
        """Return the name under which a value is computed."""
        while name in self.same:
            name = self.same[name]
        return name

    def constant(self, name: str) -> Values | None:
        """Return a constant, None for a value that depends on the input or is left out."""
        return self.constants.get(self.resolve(name))

    def producer(self, name: str) -> Node | None:
        """Return the node that computes a value."""
        name = self.resolve(name)
        return next((node for node in self.nodes if name in node.outputs), None)

    def consumers(self, name: str) -> list[Node]:
        """Return the nodes that read a value."""
        name = self.resolve(name)
        return [node for node in self.nodes if name in map(self.resolve, node.inputs)]


def read_onnx(path: Path) -> Graph:
    """Read a graph.

    Raises
    ------
    NetworkError
        If the package is missing, the file is damaged, or its weights lie in another file.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        raise NetworkError("reading an ONNX file needs onnx; install it with: pip install 'pinkx[onnx]'") from None
    if path.stat().st_size > _MAX_SIZE:
        raise NetworkError("an ONNX file of more than 2 GB; expected a network of one recurrent layer")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except (DecodeError, ValueError) as error:
        raise NetworkError(f"damaged ONNX file ({error}); export it again") from None
    if not model.graph.node:
        raise NetworkError("an ONNX file without any operation; export the network again")
    graph = Graph()
    try:
        _add(model.graph, graph, 0)
    except (ValueError, TypeError, IndexError, KeyError, OverflowError) as error:
        raise NetworkError(f"damaged ONNX file ({type(error).__name__}: {error}); export it again") from None
    graph.inputs = [value.name for value in model.graph.input if value.name not in graph.constants]
    graph.outputs = [value.name for value in model.graph.output]
    return graph


def _add(proto: Any, graph: Graph, depth: int) -> None:
    from onnx import helper

    if depth > _MAX_DEPTH:
        raise NetworkError("the ONNX graph nests too many branches")
    for tensor in proto.initializer:
        graph.constants[tensor.name] = _array(tensor)
    for one in proto.node:
        if one.op_type == "If":
            _add_branch(one, graph, depth)
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in one.attribute}
        node = Node(one.op_type, one.name or f"{one.op_type}_{len(graph.nodes)}", tuple(one.input), tuple(one.output),
                    attributes)  # fmt: skip
        if not _fold(node, graph):
            graph.nodes.append(node)


def _array(tensor: Any) -> Values:
    from onnx import TensorProto, numpy_helper

    if tensor.data_location == TensorProto.EXTERNAL:
        raise NetworkError(f"the weights {tensor.name} lie in another file; export the network into one file")
    array: Values = numpy_helper.to_array(tensor)
    return array.astype(np.float32) if array.dtype.name in ("bfloat16", "float16") else array


def _add_branch(node: Any, graph: Graph, depth: int) -> None:
    branches = {attribute.name: attribute.g for attribute in node.attribute}
    condition = graph.constant(node.input[0])
    if condition is not None:
        chosen = branches["then_branch" if bool(np.all(condition)) else "else_branch"]
    else:
        recurrent = [one for one in branches.values() if any(each.op_type in RECURRENT for each in one.node)]
        chosen = recurrent[0] if len(recurrent) == 1 else min(branches.values(), key=lambda one: len(one.node))
    _add(chosen, graph, depth + 1)
    graph.same.update(zip(node.output, (value.name for value in chosen.output), strict=True))


# ---- constants ----------------------------------------------------------------------------------------------------


def _fold(node: Node, graph: Graph) -> bool:
    """Compute a node whose inputs are all constants; return whether it was one."""
    if node.kind == "Constant":
        value = next((node.attributes[key] for key in ("value", *_CONSTANTS) if key in node.attributes), None)
        if value is None:
            return False
        graph.constants[node.outputs[0]] = _array(value) if hasattr(value, "dims") else np.asarray(value)
        return True
    inputs = [graph.constant(name) if name else None for name in node.inputs]
    known = all(value is not None for value, name in zip(inputs, node.inputs, strict=True) if name)
    if node.kind not in _FOLDED or not inputs or not known:
        return False
    results = _FOLDED[node.kind](node.attributes, *inputs)
    graph.constants.update(zip(node.outputs, results if isinstance(results, list) else [results], strict=False))
    return True


_CONSTANTS: Final = ("value_float", "value_floats", "value_int", "value_ints")


def _axes(attributes: Mapping[str, Any], axes: Values | None) -> tuple[int, ...] | None:
    chosen = attributes.get("axes") if axes is None else axes
    return None if chosen is None else tuple(int(axis) for axis in chosen)


def _unsqueeze(attributes: Mapping[str, Any], data: Values, axes: Values | None = None) -> Values:
    chosen = _axes(attributes, axes)
    return np.expand_dims(data, chosen) if chosen is not None else data


def _slice(attributes: Mapping[str, Any], data: Values, *bounds: Values | None) -> Values:
    if bounds:
        starts, ends, axes, steps = (*bounds, *[None] * (4 - len(bounds)))[:4]
    else:
        starts, ends, axes, steps = attributes["starts"], attributes["ends"], attributes.get("axes"), None
    assert starts is not None
    assert ends is not None
    where = [slice(None)] * data.ndim
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        axis = int(axes[k]) if axes is not None else k
        where[axis] = slice(int(start), int(end), int(steps[k]) if steps is not None else 1)
    return data[tuple(where)]


def _split(attributes: Mapping[str, Any], data: Values, sizes: Values | None = None) -> list[Values]:
    chosen: Any = attributes.get("split", ()) if sizes is None else sizes
    return np.split(data, np.cumsum(chosen)[:-1], axis=attributes.get("axis", 0))


def _reshape(attributes: Mapping[str, Any], data: Values, shape: Values) -> Values:
    return data.reshape([data.shape[k] if n == 0 else int(n) for k, n in enumerate(shape)])


def _constant_of_shape(attributes: Mapping[str, Any], shape: Values) -> Values:
    if np.prod(shape.astype(np.float64)) > 1e8:
        raise ValueError("a constant of more than 10⁸ numbers")
    value = _array(attributes["value"]) if "value" in attributes else np.zeros(1, np.float32)
    return np.full(tuple(shape.astype(int)), value.reshape(-1)[0])


_FOLDED: Final[Mapping[str, Callable[..., Values | list[Values]]]] = {
    "Identity": lambda a, data: data,
    "Transpose": lambda a, data: np.transpose(data, a.get("perm")),
    "Unsqueeze": _unsqueeze,
    "Squeeze": lambda a, data, axes=None: np.squeeze(data, _axes(a, axes)),
    "Concat": lambda a, *data: np.concatenate(data, axis=a["axis"]),
    "Slice": _slice,
    "Split": _split,
    "Reshape": _reshape,
    "Neg": lambda a, data: -data,
    "Add": lambda a, one, other: one + other,
    "Mul": lambda a, one, other: one * other,
    "Cast": lambda a, data: data,  # the only use that matters: of shapes and conditions
    "Not": lambda a, data: ~data.astype(bool),
    "Equal": lambda a, one, other: one == other,
    "Shape": lambda a, data: np.array(data.shape),
    "Gather": lambda a, data, rows: np.take(data, rows.astype(int), axis=a.get("axis", 0)),
    "ConstantOfShape": _constant_of_shape,
}
