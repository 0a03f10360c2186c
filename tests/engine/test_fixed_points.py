"""Fixed points of networks whose points are known independently."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq

from engine.cells import Cell, GruCell, LstmCell, RnnCell
from engine.fixed_points import FIXED, LEVEL, SLOW, certify, find_fixed_points
from engine.network import Network
from engine.points import FixedPoints
from engine.start_states import input_from_name, visited_states


def scalar_roots(g: Callable[[float], float], low: float, high: float, cells: int = 40000) -> list[float]:
    """Every root of a function of one number, by the signs on a fine grid."""
    grid = np.linspace(low, high, cells)
    values = np.array([g(v) for v in grid])
    return [brentq(g, grid[k], grid[k + 1], xtol=1e-15) for k in np.flatnonzero(values[:-1] * values[1:] < 0)]


def sorted_rows(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points[np.lexsort(points.round(6).T)]


def tanh_network(weight: NDArray[np.float64]) -> RnnCell:
    """F = tanh(h W)."""
    n = len(weight)
    return RnnCell(np.zeros((n, 1)), weight.T.copy(), np.zeros(n))


def everywhere(count: int, size: int, scale: float = 1.0) -> NDArray[np.float64]:
    return np.random.default_rng(0).uniform(-scale, scale, (count, size))


# ---- tanh networks that can be searched exhaustively -----------------------------------------------------------------


def test_uncoupled_tanh_cells_have_three_points_each() -> None:
    gains = np.array([1.2, 2.0, 4.0])
    found = find_fixed_points(tanh_network(np.diag(gains)), [0.0], everywhere(600, 3))
    root = np.array([brentq(lambda h, g=g: math.tanh(g * h) - h, 1e-3, 1) for g in gains])
    expected = np.array(np.meshgrid(*[[-r, 0, r] for r in root])).reshape(3, -1).T
    np.testing.assert_allclose(sorted_rows(found.states), sorted_rows(expected), atol=1e-12)
    assert found.fixed.all()
    # a cell at 0 grows with its gain; a cell at ±r decays with gain (1 − r²)
    slope = np.where(found.states.round(9) == 0, gains, gains * (1 - found.states**2))
    np.testing.assert_allclose(np.abs(found.eigenvalues), -np.sort(-slope, axis=1), atol=1e-12)
    assert np.bincount(found.unstable).tolist() == [8, 12, 6, 1]
    assert sorted(set(found.stability)) == ["repeller", "saddle with 1", "saddle with 2", "stable"]


@pytest.mark.parametrize("seed", range(8))
def test_two_coupled_tanh_cells_exhaustively(seed: int) -> None:
    (a, b), (c, d) = weight = np.random.default_rng(seed).normal(0, 2, (2, 2))

    def second(h: float) -> float:  # h₁ = tanh(a h₁ + c h₂) solved for h₂
        return (math.atanh(h) - a * h) / c

    first = scalar_roots(lambda h: math.tanh(b * h + d * second(h)) - second(h), -1 + 1e-12, 1 - 1e-12)
    expected = np.array([(h, second(h)) for h in first])
    found = find_fixed_points(tanh_network(weight), [0.0], everywhere(400, 2))
    assert found.fixed.all()
    np.testing.assert_allclose(sorted_rows(found.states), sorted_rows(expected), atol=1e-9)


# ---- hand-made gated networks with known roots -----------------------------------------------------------------------


def test_a_gru_cell_with_known_roots() -> None:
    # r ≈ 1 and a fixed z, so the points are those of h = tanh(3 h + 0.1)
    z = 0.7
    bias = [40.0, math.log(z / (1 - z)), 0.1]
    cell = GruCell(np.zeros((3, 1)), np.array([[0.0], [0.0], [3.0]]), np.array(bias))
    found = find_fixed_points(cell, [0.0], everywhere(64, 1))
    expected = scalar_roots(lambda h: math.tanh(3 * h + 0.1) - h, -1.1, 1.1)
    assert len(expected) == 3
    np.testing.assert_allclose(np.sort(found.states[:, 0]), expected, atol=1e-12)
    slope = z + (1 - z) * 3 * (1 - found.states[:, 0] ** 2)
    np.testing.assert_allclose(found.eigenvalues[:, 0].real, slope, atol=1e-9)


def test_an_lstm_cell_with_known_roots() -> None:
    # i, f, o fixed; g = tanh(2 h): at rest c = i g / (1 − f), h = o tanh c
    i, f, o = 0.6, 0.9, 0.8
    bias = np.array([math.log(i / (1 - i)), math.log(f / (1 - f)), 0.0, math.log(o / (1 - o))])
    cell = LstmCell(np.zeros((4, 1)), np.array([[0.0], [0.0], [2.0], [0.0]]), bias)
    found = find_fixed_points(cell, [0.0], everywhere(64, 2, 3.0))
    expected = scalar_roots(lambda h: o * math.tanh(i * math.tanh(2 * h) / (1 - f)) - h, -1, 1)
    assert len(expected) == 3
    order = np.argsort(found.states[:, 0])
    np.testing.assert_allclose(found.states[order, 0], expected, atol=1e-12)
    np.testing.assert_allclose(found.states[order, 1], i * np.tanh(2 * np.array(expected)) / (1 - f), atol=1e-11)
    assert found.stability[order].tolist() == ["stable", "saddle with 1", "stable"]


@pytest.mark.parametrize("kind", [GruCell, LstmCell])
def test_a_root_built_into_random_weights_is_found(kind: type[Cell]) -> None:
    random, n = np.random.default_rng(3), 6
    weight = random.normal(0, 0.3, (kind.gates * n, n))
    h = random.uniform(-0.5, 0.5, n)

    def logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.log(p / (1 - p))

    if kind is GruCell:  # n(h) = h for any r and z
        r, z = random.uniform(0.2, 0.8, (2, n))
        wanted = np.concatenate([logit(r), logit(z), np.arctanh(h)])
        bias = wanted - np.concatenate([weight[: 2 * n] @ h, r * (weight[2 * n :] @ h)])
        root = h
    else:
        i, f, o = random.uniform(0.6, 0.9, (3, n))
        c = np.arctanh(h / o)
        bias = np.concatenate([logit(i), logit(f), np.arctanh(c * (1 - f) / i), logit(o)]) - weight @ h
        root = np.concatenate([h, c])
    cell = kind(np.zeros((kind.gates * n, 1)), weight, bias)
    found = find_fixed_points(cell, [0.0], everywhere(50, cell.state_size))
    distance = np.abs(found.states - root).max(axis=1)
    assert distance.min() < 1e-11
    assert found.fixed[distance.argmin()]


# ---- a trained network -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flip_flop() -> Network:
    return Network.load("rnn-16-flip-flop-3")


@pytest.fixture(scope="module")
def flip_flop_points(flip_flop: Network) -> FixedPoints:
    starts = visited_states(flip_flop, 1024, noise=0.3)
    readout = (flip_flop.readout_weight, flip_flop.readout_bias)
    return find_fixed_points(flip_flop.cell, [0.0, 0.0, 0.0], starts, readout=readout, input_names=["zero"])


def test_a_flip_flop_of_sixteen_cells_is_a_cube_of_27_points(flip_flop_points: FixedPoints) -> None:
    assert len(flip_flop_points) == 27
    assert np.bincount(flip_flop_points.unstable).tolist() == [8, 12, 6, 1]
    assert flip_flop_points.fixed.all()
    assert flip_flop_points.lost == 0
    assert flip_flop_points.hits.sum() == flip_flop_points.starts == 1024
    assert flip_flop_points.q.max() < 1e-20
    stable = flip_flop_points[flip_flop_points.unstable == 0]
    assert len({tuple(row) for row in stable.readout > 0}) == 8  # the eight answers
    assert set(flip_flop_points.input_names) == {"zero"}


def test_certificates_hold(flip_flop: Network, flip_flop_points: FixedPoints) -> None:
    cell = flip_flop.cell.to(dtype=torch.float64)
    states, x = torch.from_numpy(flip_flop_points.states), torch.from_numpy(flip_flop_points.inputs)
    residual = (cell.step(x, states)[0] - states).numpy()
    np.testing.assert_allclose(flip_flop_points.q, 0.5 * (residual**2).sum(axis=1), atol=1e-28)
    for k in range(27):
        jacobian = torch.autograd.functional.jacobian(lambda s, k=k: cell.step(x[k], s)[0], states[k]).numpy()
        step = np.linalg.norm(np.linalg.solve(jacobian - np.eye(16), residual[k]))
        assert flip_flop_points.newton_step[k] == pytest.approx(step, abs=1e-12)
        values = flip_flop_points.eigenvalues[k]
        assert (np.diff(np.abs(values)) <= 1e-12).all()
        right, left = flip_flop_points.right[k], flip_flop_points.left[k]
        np.testing.assert_allclose(jacobian @ right, right * values[:10], atol=1e-8)
        np.testing.assert_allclose(left @ jacobian, values[:10, None] * left, atol=1e-6)
        np.testing.assert_allclose(np.einsum("ks,sk->k", left, right), 1, atol=1e-8)


def test_a_perturbation_decays_with_the_time_constant(flip_flop: Network, flip_flop_points: FixedPoints) -> None:
    real = flip_flop_points.eigenvalues[:, 0].imag == 0
    point = flip_flop_points[(flip_flop_points.unstable == 0) & real][0]
    slowest = point.eigenvalues[0, 0]
    assert slowest.imag == 0
    cell = flip_flop.cell.to(dtype=torch.float64)
    state = torch.from_numpy(point.states[0] + 1e-6 * point.right[0, :, 0].real)
    for _ in range(3):
        state = cell.step(torch.zeros(3, dtype=torch.float64), state)[0]
    left = np.linalg.norm(state.numpy() - point.states[0]) / 1e-6
    assert left == pytest.approx(math.exp(-3 / point.time_constants[0, 0]), rel=1e-3)


# ---- several inputs, both methods, bad starts ------------------------------------------------------------------------


def test_many_inputs_in_one_call_are_searched_separately(flip_flop: Network) -> None:
    starts = visited_states(flip_flop, 64)
    x = torch.tensor([[0.0, 0, 0], [1, 1, 1], [-1, -1, -1]])
    together = find_fixed_points(flip_flop.cell, x, starts, input_names=["zero", "+1", "-1"])
    assert together.starts == 3 * 64
    for name, clamps in zip(["zero", "+1", "-1"], x, strict=True):
        alone = find_fixed_points(flip_flop.cell, clamps, starts)
        part = together[together.input_names == name]
        np.testing.assert_allclose(sorted_rows(part.states), sorted_rows(alone.states), atol=1e-9)
        assert part.hits.sum() == alone.hits.sum() == 64
        np.testing.assert_array_equal(part.inputs, np.broadcast_to(clamps, part.inputs.shape))
    own = find_fixed_points(flip_flop.cell, x, starts.expand(3, -1, -1))
    assert len(own) == len(together)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_cuda_device_finds_the_same_points(flip_flop: Network, flip_flop_points: FixedPoints) -> None:
    starts = visited_states(flip_flop, 1024, noise=0.3)
    found = find_fixed_points(flip_flop.to(device="cuda").cell, [0.0, 0.0, 0.0], starts)
    np.testing.assert_allclose(sorted_rows(found.states), sorted_rows(flip_flop_points.states), atol=1e-10)


def test_the_papers_method_finds_what_newton_finds() -> None:
    cell = tanh_network(np.diag([2.0, 3.0]))
    starts = everywhere(100, 2)
    adam = find_fixed_points(cell, [0.0], starts, method="adam")
    newton = find_fixed_points(cell, [0.0], starts, method="newton")
    assert len(newton) == 9
    assert adam.lost == 0
    distance = np.linalg.norm(adam.states[:, None] - newton.states, axis=-1)
    assert distance.min(axis=0).max() < 1e-4  # every root has been reached by Adam
    assert distance.min(axis=1).max() < 1e-2  # and Adam has stopped nowhere else


def test_where_there_is_no_root_but_a_narrow_passage_the_point_is_slow() -> None:
    # h = tanh(1.2 h + b) loses two of its roots near b = 0.0564 (a fold); just beyond, their ghost remains
    cell = RnnCell(np.zeros((1, 1)), np.array([[1.2]]), np.array([0.058]))
    found = find_fixed_points(cell, [0.0], np.linspace(-0.6, 0.9, 64)[:, None])
    assert len(scalar_roots(lambda h: math.tanh(1.2 * h + 0.058) - h, -1, 1)) == 1
    assert found.fixed.sum() == 1
    slow = found[~found.fixed]
    assert len(slow) == 1
    assert slow.kind.tolist() == ["slow"]
    assert 1e-12 < slow.q[0] < 1e-5
    assert slow.newton_step[0] > FIXED
    assert slow.slope[0] < LEVEL
    # by hand: at the ghost q is least, where its derivative F' − 1 vanishes
    h = slow.states[0, 0]
    assert 1.2 * (1 - math.tanh(1.2 * h + 0.058) ** 2) == pytest.approx(1, abs=1e-6)


def test_a_gate_that_closes_during_the_search_makes_no_point() -> None:
    """q approaches 0 where z → 1 freezes the state; the search continues from there to the root."""
    network = Network.load("gru-100-integration-1")
    found = find_fixed_points(network.cell, input_from_name(network, "+1"), visited_states(network, 16))
    assert len(found) == 1
    assert found.fixed.all()
    assert found.hits.tolist() == [16]


def test_a_state_frozen_by_a_gate_is_not_a_minimum() -> None:
    # z = σ(−60 h): at h = −0.4 the speed is 1e-11 and falls on to the left; there is a root at tanh 1 alone
    cell = GruCell(np.zeros((3, 1)), np.array([[0.0], [-60.0], [0.0]]), np.array([0.0, 0.0, 1.0]))
    x, frozen = torch.zeros(1, 1, dtype=torch.float64), torch.tensor([[-0.4]], dtype=torch.float64)
    q, _, slope = certify(cell.to(dtype=torch.float64), x, frozen)
    assert q[0] < 1e-20
    assert slope[0] > 0.9
    found = find_fixed_points(cell, [0.0], [[-0.4], [0.5]])
    assert found.states.ravel() == pytest.approx([math.tanh(1)])
    assert found.hits.tolist() == [2]


def test_an_integrator_without_a_root_nearby_has_slow_points_and_loses_no_start() -> None:
    network = Network.load("lstm-100-integration-3")
    found = find_fixed_points(network.cell, input_from_name(network, "zero"), visited_states(network, 12))
    slow = found[~found.fixed]
    assert found.lost == 0
    assert slow.hits.sum() > 6
    assert (slow.q < SLOW).all()
    assert (slow.slope < LEVEL).all()


@pytest.mark.parametrize("kind", [RnnCell, GruCell, LstmCell])
def test_a_start_that_is_not_finite_is_lost_without_an_exception(kind: type[Cell]) -> None:
    n = 3
    cell = kind(np.zeros((kind.gates * n, 1)), np.zeros((kind.gates * n, n)), np.zeros(kind.gates * n))
    starts = everywhere(5, cell.state_size)
    starts[1, 0], starts[3, 2] = np.nan, np.inf
    starts[4] = 1e6
    found = find_fixed_points(cell, [0.0], starts)
    assert found.starts == 5
    assert found.hits.sum() == 3
    np.testing.assert_allclose(found.states[0], 0, atol=1e-12)


def test_a_map_that_is_the_identity_is_singular_everywhere() -> None:
    # z = 1 exactly keeps every state: J − I = 0, each start is slow with q = 0 and no certificate
    cell = GruCell(np.zeros((3, 1)), np.zeros((3, 1)), np.array([0.0, 800.0, 1.0]))
    found = find_fixed_points(cell, [0.0], np.array([[0.1], [0.5]]))
    assert not found.fixed.any()
    assert np.isinf(found.newton_step).all()


def test_a_search_can_be_stopped(flip_flop: Network) -> None:
    seen: list[tuple[int, int]] = []

    def stop_soon(done: int, total: int) -> bool:
        seen.append((done, total))
        return len(seen) < 2

    found = find_fixed_points(flip_flop.cell, [0.0] * 3, visited_states(flip_flop, 1000), progress=stop_soon)
    assert seen == [(128, 1000), (256, 1000)]
    assert found.starts == 256
    assert found.hits.sum() == 256


@pytest.mark.parametrize(
    ("x", "starts", "options", "message"),
    [
        ([0.0, 0.0], np.zeros((4, 2)), {}, r"x must be \(1,\)"),
        ([0.0], np.zeros((4, 3)), {}, r"starts must be \(start, 2\) or \(input, start, 2\)"),
        ([0.0], np.zeros((2, 4, 2)), {}, "2 sets of starts for 1 inputs"),
        ([0.0], np.zeros((4, 2)), {"method": "bisection"}, "unknown method 'bisection'"),
        ([0.0], np.zeros((4, 2)), {"input_names": ["a", "b"]}, "2 names for 1 inputs"),
    ],
)
def test_what_does_not_fit_is_refused(x: Any, starts: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_fixed_points(tanh_network(np.eye(2)), x, starts, **options)


def test_no_start_finds_no_point() -> None:
    found = find_fixed_points(tanh_network(np.eye(2)), [0.0], np.zeros((0, 2)))
    assert len(found) == found.starts == found.lost == 0
