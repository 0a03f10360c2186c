"""Cells beyond PyTorch's three: every analysis agrees with formulas written here in NumPy, in double precision."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.ablation import clamped_network
from engine.cells import CELLS, Cell, LruCell, RnnCell, Setting, blank_cell, build_cell
from engine.certificates import _Layer, certified_radius
from engine.fixed_points import find_fixed_points
from engine.kernels.cpu import steps
from engine.live.replay import RecordedNetwork
from engine.network import Network, Vocabulary
from engine.points_cache import content_hash
from engine.recording import Stepper, record, record_reference
from engine.reduced import full_equation, reduced_equation

Array = NDArray[np.float64]
N, INPUTS = 5, 3

FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "hard_sigmoid_5": lambda a: np.clip(0.2 * a + 0.5, 0, 1),
    "hard_sigmoid_6": lambda a: np.clip(a / 6 + 0.5, 0, 1),
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "linear": lambda a: a,
    "softplus": lambda a: np.log1p(np.exp(a)),
    "shifted": lambda a: np.where(a >= 0, a + 0.5, 1 / (1 + np.exp(-a))),
}
VARIANTS: dict[str, tuple[str, dict[str, Setting]]] = {
    "relu RNN": ("rnn", {"activation": "relu"}),
    "linear RNN": ("rnn", {"activation": "linear"}),
    "leaky RNN": ("rnn", {"leak": 0.25}),
    "leaky sigmoid RNN": ("rnn", {"activation": "sigmoid", "leak": 0.5}),
    "rate relu": ("rate", {"leak": 0.3}),
    "rate tanh": ("rate", {"activation": "tanh", "leak": 1.0}),
    "rate softplus": ("rate", {"activation": "softplus"}),
    "rate sigmoid": ("rate", {"activation": "sigmoid"}),
    "GRU hard 5": ("gru", {"gate": "hard_sigmoid_5"}),
    "GRU reset before": ("gru", {"reset_before": True}),
    "GRU reset before hard 6": ("gru", {"gate": "hard_sigmoid_6", "reset_before": True}),
    "GRU relu": ("gru", {"activation": "relu"}),
    "LSTM hard 5": ("lstm", {"gate": "hard_sigmoid_5"}),
    "LSTM hard 6": ("lstm", {"gate": "hard_sigmoid_6"}),
    "LSTM relu": ("lstm", {"activation": "relu", "output": "relu"}),
    "LSTM linear": ("lstm", {"activation": "linear", "output": "linear"}),
    "LRU": ("lru", {}),
    "minGRU": ("mingru", {}),
    "minGRU shifted": ("mingru", {"activation": "shifted"}),
    "minLSTM": ("minlstm", {}),
}
variants = pytest.mark.parametrize("variant", VARIANTS)


def weights(variant: str, scale: float = 0.7) -> dict[str, Array]:
    name, _ = VARIANTS[variant]
    random, gates = np.random.default_rng(list(VARIANTS).index(variant)), CELLS[name].gates
    found = {"weight_ih": random.normal(size=(gates * N, INPUTS)), "bias": random.normal(size=gates * N)}
    if not name.startswith("min"):
        found["weight_hh"] = random.normal(size=(gates * N, N))
    if name == "gru":
        found["bias_hh"] = random.normal(size=gates * N)
    return {key: scale * value for key, value in found.items()}


def cell_of(variant: str, dtype: torch.dtype = torch.float64) -> Cell:
    name, settings = VARIANTS[variant]
    tensors = {key: torch.from_numpy(value).to(dtype) for key, value in weights(variant).items()}
    return build_cell(name, tensors, settings)


def network_of(variant: str) -> Network:
    random = torch.Generator().manual_seed(1)
    cell = cell_of(variant, torch.float32)
    readout = torch.randn(1, N, generator=random)
    embedding = torch.randn(6, INPUTS, generator=random)
    return Network(cell, readout, torch.zeros(1), embedding=embedding, vocabulary=Vocabulary("abcd"))


def by_hand(variant: str, x: Array, state: Array) -> dict[str, Array]:
    """One step of one sequence, as the papers write it."""
    name, settings = VARIANTS[variant]
    w = weights(variant)
    h, memory = state[:N], state[N:]
    default = {"rate": "relu", "lru": "linear", "mingru": "linear", "minlstm": "linear"}.get(name, "tanh")
    phi = FUNCTIONS[str(settings.get("activation", default))]
    gate = FUNCTIONS[str(settings.get("gate", "sigmoid"))]
    leak = float(settings.get("leak", 0.1 if name == "rate" else 1.0))
    a = np.split(w["weight_ih"] @ x + w["bias"], CELLS[name].gates)
    u = np.split(w["weight_hh"], CELLS[name].gates) if "weight_hh" in w else []
    if name in ("rnn", "lru"):
        return {"h": (1 - leak) * h + leak * phi(a[0] + u[0] @ h)}
    if name == "rate":
        v = (1 - leak) * memory + leak * (a[0] + u[0] @ h)
        return {"v": v, "h": phi(v)}
    if name == "gru":
        b = np.split(w["bias_hh"], 3)
        r, z = (gate(a[k] + u[k] @ h + b[k]) for k in (0, 1))
        inner = u[2] @ (r * h) + b[2] if settings.get("reset_before") else r * (u[2] @ h + b[2])
        n = phi(a[2] + inner)
        return {"r": r, "z": z, "n": n, "h": (1 - z) * n + z * h}
    if name == "lstm":
        i, f, o = (gate(a[k] + u[k] @ h) for k in (0, 1, 3))
        g = phi(a[2] + u[2] @ h)
        c = f * memory + i * g
        c_out = FUNCTIONS[str(settings.get("output", "tanh"))](c)
        return {"i": i, "f": f, "g": g, "o": o, "c": c, "c_out": c_out, "h": o * c_out}
    if name == "mingru":
        z, n = gate(a[0]), phi(a[1])
        return {"z": z, "n": n, "h": (1 - z) * h + z * n}
    f, i, g = gate(a[0]), gate(a[1]), phi(a[2])
    return {"f": f / (f + i), "i": i / (f + i), "g": g, "h": (f * h + i * g) / (f + i)}


def run_by_hand(variant: str, x: Array) -> dict[str, Array]:
    name, settings = VARIANTS[variant]
    state = np.zeros(cell_of(variant).state_size)
    if name == "rate":  # v = 0 before the first step
        state[:N] = FUNCTIONS[str(settings.get("activation", "relu"))](np.zeros(N))
    rows = []
    for vector in x:
        signals = by_hand(variant, vector, state)
        state = np.concatenate([signals[part] for part in CELLS[name].state_parts])
        rows.append(signals)
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


@variants
def test_steps_are_the_hand_written_ones_and_stay_in_bounds(variant: str) -> None:
    cell, x = cell_of(variant), np.random.default_rng(0).normal(size=(20, INPUTS))
    expected = run_by_hand(variant, x)
    _, signals = cell.run(torch.from_numpy(x))
    assert [signal.name for signal in cell.signals] == list(signals) == list(expected)
    for signal in cell.signals:
        np.testing.assert_allclose(signals[signal.name], expected[signal.name], rtol=1e-10, atol=1e-12)
        assert signal.low <= expected[signal.name].min() <= expected[signal.name].max() <= signal.high


@variants
def test_recording_and_live_run_agree_with_formulas(variant: str) -> None:
    network, ids = network_of(variant), np.arange(14) % 6
    assert network.embedding is not None
    expected = run_by_hand(variant, network.embedding.double().numpy()[ids])
    stepper = Stepper(network)
    parts = [stepper.advance(ids[:5]), stepper.advance(ids[5:])]
    recorded, reference = record(network, [ids, ids[:3]]), record_reference(network, ids)
    for name, values in expected.items():
        scale = max(1.0, float(np.abs(values).max()))
        np.testing.assert_allclose(recorded[name][0], values, atol=3e-5 * scale, err_msg=name)
        np.testing.assert_allclose(reference[name][0], values, atol=3e-5 * scale, err_msg=name)
        np.testing.assert_allclose(np.concatenate([part[name] for part in parts]), values, atol=3e-5 * scale)
    stepper.reset()
    np.testing.assert_allclose(stepper.advance(ids)["h"], recorded["h"][0], atol=1e-4)
    chance = 1 / (1 + np.exp(-expected["h"][-1] @ network.readout_weight[0].double().numpy()))
    assert network.classify(ids) == pytest.approx(chance, abs=1e-4)


@variants
def test_clamped_signals_of_both_bodies_agree(variant: str) -> None:
    network, ids = network_of(variant), np.arange(10) % 6
    for signal in network.cell.signals:
        values = np.full(N, np.nan, dtype=np.float32)
        values[1] = 0.25
        fast, slow = (one(network, ids, clamp={signal.name: values}) for one in (record, record_reference))
        assert np.all(fast[signal.name][..., 1] == 0.25)
        np.testing.assert_allclose(fast["h"], slow["h"], rtol=1e-4, atol=1e-4)


@variants
def test_jacobian_is_that_of_differences(variant: str) -> None:
    cell, random = cell_of(variant), np.random.default_rng(3)
    x, state = random.normal(size=INPUTS), 0.6 * random.normal(size=cell.state_size)
    if cell.name == "rate":
        state[:N] = cell.step(torch.from_numpy(x), torch.from_numpy(state))[1]["h"]

    def step(s: Array) -> Array:
        signals = by_hand(variant, x, s)
        return np.concatenate([signals[part] for part in cell.state_parts])

    columns = [(step(state + e) - step(state - e)) / 2e-6 for e in 1e-6 * np.eye(cell.state_size)]
    found = cell.jacobian(torch.from_numpy(x), torch.from_numpy(state))
    np.testing.assert_allclose(found, np.array(columns).T, atol=1e-7)


@variants
def test_reduced_equation_has_its_jacobian_and_the_roots_of_the_map(variant: str) -> None:
    cell, random = cell_of(variant), torch.Generator().manual_seed(2)
    x = torch.randn(4, INPUTS, dtype=torch.float64, generator=random)
    state = 0.5 * torch.randn(4, cell.state_size, dtype=torch.float64, generator=random)
    for equation in (reduced_equation(cell), full_equation(cell)):
        u = equation.unknowns(state)
        residual, jacobian = equation.linear(x, u)
        torch.testing.assert_close(residual, equation.residual(x, u), rtol=0, atol=1e-13)
        for k in range(4):
            expected = torch.autograd.functional.jacobian(lambda v, k=k: equation.residual(x[k], v), u[k])
            torch.testing.assert_close(jacobian[k], expected, rtol=1e-9, atol=1e-9)


@variants
def test_fixed_points_stand_still_in_the_formulas(variant: str) -> None:
    cell, random = cell_of(variant), np.random.default_rng(4)
    x = 0.3 * random.normal(size=INPUTS)
    found = find_fixed_points(cell, x, 0.5 * random.normal(size=(12, cell.state_size)), modes=2)
    assert found.indexed is (cell.bounded or not found.fixed.any())
    for state in found.states[found.fixed]:
        signals = by_hand(variant, x, state)
        after = np.concatenate([signals[part] for part in cell.state_parts])
        np.testing.assert_allclose(after, state, rtol=1e-9, atol=1e-9)
    if cell.bounded or "min" in variant:
        assert found.fixed.any()
    roots = found[found.fixed]
    if len(roots):
        assert np.isfinite(roots.exists_within).any()


@variants
def test_clamping_through_weights_has_the_same_fixed_point(variant: str) -> None:
    network = network_of(variant)
    clamps = {"h": np.array([np.nan, 0.2, np.nan, np.nan, np.nan], dtype=np.float32)}
    if variant == "LRU" or variant in ("linear RNN", "LSTM linear", "LSTM relu", "relu RNN", "GRU relu"):
        network = Network(
            network.cell.with_weights({key: 0.2 * value for key, value in network.cell.weights().items()}),
            network.readout_weight, network.readout_bias, embedding=network.embedding, vocabulary=network.vocabulary,
        )  # fmt: skip
    ids = np.full(300, 3)
    by_weights, by_step = record(clamped_network(network, clamps), ids), record(network, ids, clamp=clamps)
    np.testing.assert_allclose(by_weights["h"][0, -1], by_step["h"][0, -1], atol=2e-3)


@variants
def test_file_pickle_copy_and_hash_keep_the_settings(variant: str, tmp_path: Path) -> None:
    network = network_of(variant)
    network.save(tmp_path / "one.safetensors")
    ids = np.arange(8) % 6
    make, arguments = network.__reduce__()
    for again in (
        Network.load(tmp_path / "one.safetensors"),
        make(*arguments),
        network.to(dtype=torch.float64).to(dtype=torch.float32),
    ):
        assert (type(again.cell), again.cell.settings) == (type(network.cell), network.cell.settings)
        np.testing.assert_allclose(record(again, ids)["h"], record(network, ids)["h"], atol=1e-6)
        assert content_hash(again) == content_hash(network)


def test_relu_layers_equal_pytorch() -> None:
    torch.manual_seed(0)
    module = nn.RNN(3, 7, nonlinearity="relu").double()
    cell = RnnCell.from_torch(module)
    x = torch.randn(9, 2, 3, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(cell.run(x.transpose(0, 1))[1]["h"].transpose(0, 1), module(x)[0])
        torch.testing.assert_close(cell.to_torch()(x)[0], module(x)[0])
    assert cell.label == "RNN (relu)"


def test_modes_of_an_lru_are_its_eigenvalues_and_complex_states() -> None:
    random = np.random.default_rng(0)
    modulus, angle = random.uniform(0.5, 0.99, 4), random.uniform(0, np.pi, 4)
    eigenvalues = modulus * np.exp(1j * angle)
    matrix = random.normal(size=(4, 2)) + 1j * random.normal(size=(4, 2))
    cell = LruCell.from_modes(torch.from_numpy(eigenvalues), torch.from_numpy(matrix))
    state, x = np.zeros(4, dtype=complex), random.normal(size=(30, 2))
    _, signals = cell.run(torch.from_numpy(x))
    for vector, h in zip(x, signals["h"].numpy(), strict=True):
        state = eigenvalues * state + matrix @ vector
        np.testing.assert_allclose(h, np.concatenate((state.real, state.imag)), atol=1e-12)
    points = find_fixed_points(cell, x[0], np.zeros((2, 8)))
    assert len(points) == 1
    both = np.concatenate((eigenvalues, eigenvalues.conj()))
    np.testing.assert_allclose(np.sort(np.abs(points.eigenvalues[0])), np.sort(np.abs(both)), atol=1e-9)
    rest = matrix @ x[0] / (1 - eigenvalues)
    np.testing.assert_allclose(points.states[0], np.concatenate((rest.real, rest.imag)), rtol=1e-9)


@variants
def test_certificates_enclose_values_and_jacobians_over_the_ball(variant: str) -> None:
    cell, random = cell_of(variant), np.random.default_rng(7)
    x, middle, radius = random.normal(size=INPUTS), 0.5 * random.normal(size=N), 0.02
    image, centre, spread = _Layer(cell, x).enclose(middle, radius)
    equation = reduced_equation(cell)
    h = torch.from_numpy(middle + random.uniform(-radius, radius, (50, N)))
    residual, jacobian = equation.linear(torch.from_numpy(x).expand(50, -1), h)
    value = (residual + h).numpy()
    assert (image.low <= value).all()
    assert (value <= image.high).all()
    apart = np.abs(jacobian.numpy() + np.eye(N) - centre).sum(axis=-1)
    assert (apart <= spread).all()
    assert (spread < 10 * apart.max(axis=0) + 1).all()


@pytest.mark.parametrize("variant", ["GRU reset before", "rate relu", "minGRU", "minLSTM", "softplus RNN"])
def test_roots_are_proved(variant: str) -> None:
    cell = (
        RnnCell(*cell_of("relu RNN").weights().values(), activation="softplus")
        if "soft" in variant
        else (cell_of(variant))
    )
    cell = cell.with_weights({key: 0.3 * weight for key, weight in cell.weights().items()})
    root = find_fixed_points(cell, np.zeros(INPUTS), np.zeros((3, cell.state_size)))
    h = torch.from_numpy(root.states[:1, :N])
    nearest, unique = certified_radius(cell, torch.zeros(1, INPUTS, dtype=torch.float64), h)
    assert nearest[0] < 1e-9
    assert unique[0] > 1e-2
    away = certified_radius(cell, torch.zeros(1, INPUTS, dtype=torch.float64), h + 2.0)
    assert np.isnan(away).all()


def test_an_initial_state_is_where_every_run_begins() -> None:
    network = network_of("relu RNN")
    start = torch.linspace(0, 1, N)
    cell = RnnCell(**network.cell.weights(), initial=start, activation="relu")  # type: ignore[arg-type]
    begun = Network(cell, network.readout_weight, network.readout_bias, embedding=network.embedding,
                    vocabulary=network.vocabulary)  # fmt: skip
    ids = np.array([2])
    x = begun.embed(ids)[0].double().numpy()
    w = {key: value.double().numpy() for key, value in network.cell.weights().items()}
    expected = np.maximum(w["weight_ih"] @ x + w["bias"] + w["weight_hh"] @ start.double().numpy(), 0)
    stepper = Stepper(begun)
    for h in (record(begun, ids)["h"][0, 0], record_reference(begun, ids)["h"][0, 0], stepper.advance(ids)["h"][0]):
        np.testing.assert_allclose(h, expected, atol=1e-6)
    stepper.reset()
    np.testing.assert_allclose(stepper.state, start, atol=0)
    assert begun.classify(ids) == pytest.approx(begun.probability(torch.from_numpy(expected).float()).numpy(), abs=1e-6)


def test_a_recorded_network_keeps_its_cell() -> None:
    rows = {"v": np.zeros((3, N), np.float32), "h": np.zeros((3, N), np.float32), "x": np.zeros((3, 2), np.float32)}
    weights = np.zeros((1, N), np.float32), np.zeros(1, np.float32)
    cell = blank_cell("rate", 2, N, {"activation": "tanh"})
    network = RecordedNetwork(cell, *weights, Vocabulary("a"), rows, name="r", task="t")
    make, arguments = network.__reduce__()
    again = make(*arguments)
    assert (again.cell.name, again.cell.settings, again.cell.size) == ("rate", {"activation": "tanh"}, N)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("rnn", {"activation": "swish"}, "unknown nonlinearity 'swish', expected one of sigmoid"),
        ("lstm", {"gate": "relu"}, "lstm: gate relu is no gate between 0 and 1"),
        ("rnn", {"leak": 0.0}, "leak must be above 0 and at most 1, got 0"),
        ("gru", {"reset_before": 1.0}, "reset_before must be true or false"),
        ("rnn", {"gate": "sigmoid"}, "unknown setting gate; known: activation, leak"),
    ],
)
def test_a_wrong_setting_is_named(name: str, settings: dict[str, Setting], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        blank_cell(name, 2, 3, settings)


@variants
def test_the_fast_body_runs_what_it_claims(variant: str) -> None:
    unsupported = {"rate softplus", "GRU reset before", "GRU reset before hard 6", "minGRU shifted"}
    assert steps.supports(cell_of(variant)) is (variant not in unsupported)


def test_saturated_hard_gates_give_no_false_root() -> None:
    """The cell state grows without bound for f = 1 exactly and i g ≠ 0: there is no fixed point."""
    tensors: dict[str, Tensor] = {
        "weight_ih": torch.zeros(4, 1).double(),
        "weight_hh": torch.zeros(4, 1).double(),
        "bias": torch.tensor([9.0, 9.0, 0.3, 9.0]).double(),
    }
    cell = build_cell("lstm", tensors, {"gate": "hard_sigmoid_5"})
    found = find_fixed_points(cell, np.zeros(1), np.array([[0.0, 0.0], [0.5, 0.9], [0.9, 30.0]]))
    assert not found.fixed.any()
