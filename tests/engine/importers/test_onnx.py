"""Networks in ONNX graphs agree with the reference evaluator of the package onnx, and others are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.catalogue import NetworkError
from engine.network import Network
from tests.engine.importers.checked import checked_import

onnx = pytest.importorskip("onnx", reason="onnx, which reads ONNX files, is not installed")
reference = pytest.importorskip("onnx.reference")

N, INPUTS, ROWS = 6, 4, 10
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def constants(kind: str, **more: NDArray[Any]) -> dict[str, NDArray[Any]]:
    random, gates = np.random.default_rng(len(kind)), GATES[kind]
    shapes = {"E": (ROWS, INPUTS), "W": (1, gates * N, INPUTS), "R": (1, gates * N, N), "B": (1, 2 * gates * N)}
    shapes |= {"V": (1, N), "v": (1,)}
    return {key: 0.5 * random.normal(size=shape).astype(np.float32) for key, shape in shapes.items()} | more


def nodes(kind: str, **attributes: Any) -> list[Any]:
    """Gather → Transpose → layer → Squeeze → Gemm → Sigmoid, over ids (1, time)."""
    make = onnx.helper.make_node
    initial = ["", "h0", *(["c0"] if kind == "LSTM" else [])] if attributes.pop("begin", False) else []
    return [
        make("Gather", ["E", "ids"], ["rows"]),
        make("Transpose", ["rows"], ["x"], perm=[1, 0, 2]),
        make(kind, ["x", "W", "R", "B", *initial], ["Y", "Y_h"], name="layer", hidden_size=N, **attributes),
        make("Squeeze", ["Y_h", "zeroth"], ["h"]),
        make("Gemm", ["h", "V", "v"], ["logit"], name="head", transB=1),
        make("Sigmoid", ["logit"], ["p"]),
    ]


def model(kind: str, graph_nodes: list[Any], arrays: dict[str, NDArray[Any]]) -> Any:
    helper, types = onnx.helper, onnx.TensorProto
    arrays = arrays | {"zeroth": np.array([0])}
    graph = helper.make_graph(
        graph_nodes,
        "network",
        [helper.make_tensor_value_info("ids", types.INT64, [1, None])],
        [helper.make_tensor_value_info("p", types.FLOAT, [1, 1])],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def written(made: Any, folder: Path) -> Path:
    (folder / "words.txt").write_text("\n".join(["<pad>", "<unk>", *(f"w{k}" for k in range(ROWS - 2))]))
    onnx.save(made, folder / "network.onnx")
    return folder / "network.onnx"


def opened(made: Any, folder: Path, **options: str) -> Network:
    return checked_import(written(made, folder), 1e-6, vocabulary=str(folder / "words.txt"), **options)


IDS = np.array([2, 5, 9, 3, 3, 7, 2, 8, 4])


def chance(made: Any) -> float:
    """P(positive) after the last word, by the reference evaluator."""
    return float(reference.ReferenceEvaluator(made).run(None, {"ids": IDS[None]})[0][0, 0])


@pytest.mark.parametrize(
    ("kind", "attributes", "label"),
    [
        ("LSTM", {}, "LSTM"),
        ("GRU", {"linear_before_reset": 1}, "GRU"),
        ("GRU", {"linear_before_reset": 0}, "GRU (reset before)"),
        ("RNN", {}, "RNN"),
    ],
)
def test_every_layer_agrees_with_the_reference(
    kind: str, attributes: dict[str, Any], label: str, tmp_path: Path
) -> None:
    made = model(kind, nodes(kind, **attributes), constants(kind))
    network = opened(made, tmp_path)
    assert network.cell.label == label
    assert network.classify(IDS) == pytest.approx(chance(made), abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "attributes", "label"),
    [
        ("RNN", {"activations": ["Relu"]}, "RNN (relu)"),
        ("GRU", {"activations": ["HardSigmoid", "Tanh"], "linear_before_reset": 1}, "GRU (hard sigmoid 0.2 x + 0.5)"),
        (
            "LSTM",
            {"activations": ["HardSigmoid", "Relu", "Relu"], "activation_alpha": [1 / 6], "activation_beta": [0.5]},
            "LSTM (hard sigmoid x/6 + 0.5, relu)",
        ),
    ],
)
def test_activations_agree_with_the_specification(
    kind: str, attributes: dict[str, Any], label: str, tmp_path: Path
) -> None:
    weights = {key: 0.4 * array for key, array in constants(kind).items()}  # so that relu does not grow without end
    assert opened(model(kind, nodes(kind, **attributes), weights), tmp_path).cell.label == label


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_a_constant_initial_state_is_where_the_run_begins(kind: str, tmp_path: Path) -> None:
    begin = {key: np.full((1, 1, N), value, np.float32) for key, value in (("h0", 0.4), ("c0", -0.7))}
    made = model(kind, nodes(kind, begin=True), constants(kind, **begin))
    network = opened(made, tmp_path)
    assert network.cell.initial is not None
    assert network.classify(IDS) == pytest.approx(chance(made), abs=1e-6)
    network.save(tmp_path / "again.safetensors")
    assert Network.load(tmp_path / "again.safetensors").classify(IDS) == pytest.approx(chance(made), abs=1e-6)


def test_weights_are_folded_and_branches_taken(tmp_path: Path) -> None:
    """W as Concat of transposed parts and Constant nodes; the layer inside the branch that a constant chooses."""
    helper, arrays = onnx.helper, constants("GRU")
    parts = np.split(arrays.pop("W")[0], 3)
    arrays |= {f"part{k}": part.T.copy() for k, part in enumerate(parts)}
    folded = [helper.make_node("Transpose", [f"part{k}"], [f"turned{k}"], perm=[1, 0]) for k in range(3)]
    folded += [
        helper.make_node("Concat", ["turned0", "turned1", "turned2"], ["flat"], axis=0),
        helper.make_node("Constant", [], ["axes"], value=onnx.numpy_helper.from_array(np.array([0]))),
        helper.make_node("Unsqueeze", ["flat", "axes"], ["W"]),
        helper.make_node("Constant", [], ["yes"], value=onnx.numpy_helper.from_array(np.array(True))),
    ]
    before, turned, layer, *after = nodes("GRU", linear_before_reset=1)
    value = helper.make_tensor_value_info
    inside = [helper.make_node("GRU", list(layer.input), ["Y1", "h1"], hidden_size=N, linear_before_reset=1)]
    then = helper.make_graph(inside, "then", [], [value("h1", onnx.TensorProto.FLOAT, [1, 1, N])])
    other = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["no"])], "else", [], [value("no", onnx.TensorProto.FLOAT, None)]
    )
    chosen = helper.make_node("If", ["yes"], ["Y_h"], then_branch=then, else_branch=other)
    made = model("GRU", [*folded, before, turned, chosen, *after], arrays)
    network = opened(made, tmp_path)
    assert network.classify(IDS) == pytest.approx(chance(made), abs=1e-6)


def test_a_matrix_product_with_a_sum_is_a_readout(tmp_path: Path) -> None:
    arrays = constants("LSTM")
    arrays["V"] = arrays["V"].T.copy()
    make = onnx.helper.make_node
    made = model(
        "LSTM", [*nodes("LSTM")[:4], make("MatMul", ["h", "V"], ["a"]), make("Add", ["v", "a"], ["p"])], arrays
    )
    network = opened(made, tmp_path)
    logit = np.log(network.classify(IDS) / (1 - network.classify(IDS)))
    assert logit == pytest.approx(chance(made), abs=1e-5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"direction": "reverse"}, "layer reads from the end alone"),
        ({"clip": 3.0}, "attribute clip is not supported"),
        ({"activations": ["Elu", "Tanh", "Tanh"]}, "activation Elu is not supported"),
    ],
)
def test_attributes_that_pinkx_cannot_run_are_named(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=says):
        opened(model("LSTM", nodes("LSTM", **change), constants("LSTM")), tmp_path)


def test_a_bidirectional_layer_is_watched_forward(tmp_path: Path) -> None:
    arrays = constants("LSTM")
    arrays |= {key: np.concatenate((arrays[key], 2 * arrays[key])) for key in ("W", "R", "B")}
    made = model("LSTM", nodes("LSTM", direction="bidirectional"), arrays)
    with pytest.raises(NetworkError, match=r"readout of 12 cells is \(k, 12\)"):
        opened(made, tmp_path)
    assert opened(made, tmp_path, direction="forward", readout="none").cell.size == N


def test_graphs_without_a_layer_are_refused_for_their_reason(tmp_path: Path) -> None:
    make, loop = onnx.helper.make_node, onnx.helper.make_graph([], "body", [], [])
    made = model("RNN", [make("Loop", ["", ""], ["p"], body=loop)], {})
    with pytest.raises(NetworkError, match="recurrence of this ONNX graph is a Loop of elementary operations"):
        opened(made, tmp_path)
    with pytest.raises(NetworkError, match="no RNN, GRU or LSTM node"):
        opened(model("RNN", [make("Identity", ["ids"], ["p"])], {}), tmp_path)
    made = model("RNN", [*nodes("RNN")[:4], make("Softplus", ["h"], ["p"], name="soft")], constants("RNN"))
    with pytest.raises(NetworkError, match=r"soft \(Softplus\), which pinkx would leave out"):
        opened(made, tmp_path)
    whole = written(made, tmp_path).read_bytes()
    for damaged in (whole[: len(whole) // 2], b"\x08\x09garbage"):
        (tmp_path / "network.onnx").write_bytes(damaged)
        with pytest.raises(NetworkError, match="ONNX"):
            Network.load(tmp_path / "network.onnx")


def test_without_the_package_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(model("RNN", nodes("RNN"), constants("RNN")), tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(NetworkError, match=r"pip install 'pinkx\[onnx\]'"):
        Network.load(file)
