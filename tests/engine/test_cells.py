"""The three cells equal PyTorch's, gate by gate, and their Jacobians equal autograd's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn

from engine.cells import CELLS, TRAINED, Cell, GruCell, LstmCell, cell_from_torch

MODULES = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
SIGNALS = {"rnn": ["h"], "gru": ["r", "z", "n", "h"], "lstm": ["i", "f", "g", "o", "c", "c_out", "h"]}
INTERNAL = {"rnn": set(), "gru": {"r", "z", "n"}, "lstm": {"i", "f", "g", "o"}}

kinds = pytest.mark.parametrize("kind", TRAINED)
sizes, seeds = st.integers(1, 24), st.integers(0, 2**16)


def layer(kind: str, inputs: int, size: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> nn.RNNBase:
    torch.manual_seed(seed)
    return MODULES[kind](inputs, size).to(dtype)


def logistic(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def by_hand(module: nn.RNNBase, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> dict[str, np.ndarray]:
    """One step of one sequence in NumPy, cell by cell as the papers write it."""
    W, U, b, d = (p.detach().double().numpy() for p in module.parameters())
    n = len(h)
    a, u = W @ x + b, U @ h + d
    part = [slice(k * n, (k + 1) * n) for k in range(4)]
    if isinstance(module, nn.RNN):
        return {"h": np.tanh(a + u)}
    if isinstance(module, nn.GRU):
        r, z = logistic(a[part[0]] + u[part[0]]), logistic(a[part[1]] + u[part[1]])
        candidate = np.tanh(a[part[2]] + r * u[part[2]])
        return {"r": r, "z": z, "n": candidate, "h": (1 - z) * candidate + z * h}
    i, f, o = (logistic((a + u)[part[k]]) for k in (0, 1, 3))
    g = np.tanh((a + u)[part[2]])
    c = f * c + i * g
    return {"i": i, "f": f, "g": g, "o": o, "c": c, "c_out": np.tanh(c), "h": o * np.tanh(c)}


@kinds
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@settings(deadline=None, max_examples=20)
@given(inputs=sizes, size=sizes, batch=st.integers(1, 4), seed=seeds)
def test_equals_pytorch(
    kind: str, dtype: torch.dtype, tolerance: float, inputs: int, size: int, batch: int, seed: int
) -> None:
    module = layer(kind, inputs, size, seed, dtype)
    cell = cell_from_torch(module)
    x = torch.randn(batch, 12, inputs, dtype=dtype)
    start = torch.rand(batch, cell.state_size, dtype=dtype) * 2 - 1
    parts = [part.unsqueeze(0).contiguous() for part in cell.split(start).values()]
    with torch.no_grad():
        expected, last = module(x.transpose(0, 1), tuple(parts) if kind == "lstm" else parts[0])
        state, signals = cell.run(x, start)
    expected_state = torch.cat(last, dim=-1)[0] if kind == "lstm" else last[0]
    torch.testing.assert_close(signals["h"], expected.transpose(0, 1), rtol=0, atol=tolerance)
    torch.testing.assert_close(state, expected_state, rtol=0, atol=tolerance)
    assert state.dtype == dtype


@kinds
@settings(deadline=None, max_examples=20)
@given(inputs=sizes, size=sizes, seed=seeds)
def test_every_signal_is_the_hand_written_one(kind: str, inputs: int, size: int, seed: int) -> None:
    module = layer(kind, inputs, size, seed)
    cell = cell_from_torch(module)
    random = np.random.default_rng(seed)
    x, h, c = random.normal(size=inputs), random.uniform(-1, 1, size), random.normal(size=size)
    state = np.concatenate((h, c))[: cell.state_size]
    new_state, signals = cell.step(torch.from_numpy(x), torch.from_numpy(state))
    expected = by_hand(module, x, h, c)
    assert list(signals) == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(signals[name], value, atol=1e-13, err_msg=name)
    np.testing.assert_allclose(new_state, np.concatenate([expected[part] for part in cell.state_parts]), atol=1e-13)


@kinds
@settings(deadline=None, max_examples=15)
@given(inputs=sizes, size=st.integers(1, 12), seed=seeds, scale=st.sampled_from([0.3, 1.0, 4.0]))
def test_jacobian_is_that_of_autograd(kind: str, inputs: int, size: int, seed: int, scale: float) -> None:
    cell = cell_from_torch(layer(kind, inputs, size, seed))
    x = scale * torch.randn(3, inputs, dtype=torch.float64)
    states = scale * torch.randn(3, cell.state_size, dtype=torch.float64)
    jacobians = cell.jacobian(x, states)
    assert jacobians.shape == (3, cell.state_size, cell.state_size)
    for one_x, state, jacobian in zip(x, states, jacobians, strict=True):
        expected = torch.autograd.functional.jacobian(lambda s, x=one_x: cell.step(x, s)[0], state)
        torch.testing.assert_close(jacobian, expected, rtol=0, atol=1e-10)


@kinds
@pytest.mark.parametrize("bias", [True, False])
def test_to_pytorch_and_back(kind: str, bias: bool) -> None:
    torch.manual_seed(5)
    module = MODULES[kind](3, 6, bias=bias)
    cell = cell_from_torch(module)
    assert type(cell) is CELLS[kind]
    again = cell_from_torch(cell.to_torch())
    for key, weight in cell.weights().items():
        torch.testing.assert_close(again.weights()[key], weight, rtol=0, atol=0)
    x = torch.randn(7, 2, 3)
    with torch.no_grad():
        torch.testing.assert_close(cell.to_torch()(x)[0], module(x)[0], rtol=0, atol=1e-6)


@kinds
def test_weights_are_copies(kind: str) -> None:
    module = layer(kind, 2, 3)
    cell = cell_from_torch(module)
    before = cell.step(torch.ones(2).double(), cell.initial_state())[0]
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    torch.testing.assert_close(cell.step(torch.ones(2).double(), cell.initial_state())[0], before)


@kinds
def test_description_of_the_metadata(kind: str) -> None:
    cell = cell_from_torch(layer(kind, 3, 5))
    assert [signal.name for signal in cell.signals] == SIGNALS[kind]
    assert {signal.name for signal in cell.signals if signal.kind == "internal"} == INTERNAL[kind]
    assert (cell.size, cell.inputs, cell.state_size) == (5, 3, 10 if kind == "lstm" else 5)
    assert cell.initial_state(4, 2).shape == (4, 2, cell.state_size)
    state = torch.arange(cell.state_size)
    assert torch.cat(list(cell.split(state).values())).tolist() == state.tolist()
    assert cell.to(dtype=torch.float32).dtype == torch.float32


@kinds
@settings(deadline=None, max_examples=10)
@given(seed=seeds)
def test_signals_stay_in_their_range(kind: str, seed: int) -> None:
    cell = cell_from_torch(layer(kind, 4, 8, seed))
    _, signals = cell.run(30 * torch.randn(2, 10, 4, dtype=torch.float64))
    for signal in cell.signals:
        assert signal.low <= signals[signal.name].min() <= signals[signal.name].max() <= signal.high


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((np.zeros((8, 3)), np.zeros((8, 2)), np.zeros(7)), r"expected bias of shape \(8,\), got \(7,\)"),
        ((np.zeros((6, 3)), np.zeros((8, 2)), np.zeros(8)), r"expected weight_ih of shape \(8, 3\), got \(6, 3\)"),
        ((np.zeros((8, 3)), np.zeros((8, 3)), np.zeros(8)), r"lstm of 3 cells: expected weight_ih of shape \(12, 3\)"),
        (
            (np.zeros((8, 3)), np.zeros((8, 2)), np.zeros(8), np.zeros(2)),
            r"expected bias_hh of shape \(8,\), got \(2,\)",
        ),
        ((np.zeros(8), np.zeros((8, 2)), np.zeros(8)), r"expected matrices as weights, got shapes \(8,\)"),
    ],
)
def test_wrong_shapes_are_named(weights: tuple[np.ndarray, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LstmCell(*weights)


@pytest.mark.parametrize(
    ("cell", "module", "message"),
    [
        (LstmCell, nn.GRU(2, 3), "expected an nn.LSTM, got GRU"),
        (GruCell, nn.GRU(2, 3, num_layers=2), "expected one layer"),
        (LstmCell, nn.LSTM(2, 3, bidirectional=True), "one direction"),
        (LstmCell, nn.LSTM(2, 3, proj_size=2), "no projection"),
    ],
)
def test_foreign_layers_are_refused(cell: type[Cell], module: nn.RNNBase, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cell.from_torch(module)


def test_another_module_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an nn.RNN, nn.GRU or nn.LSTM, got Linear"):
        cell_from_torch(nn.Linear(2, 3))  # type: ignore[arg-type]
