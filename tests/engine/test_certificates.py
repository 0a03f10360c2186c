"""Certified balls hold exactly one root: checked against roots known in closed form and against other points."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mpmath import findroot, mp, mpf, tanh as exact_tanh

from engine.cells import CELLS, Cell, RnnCell
from engine.certificates import certified_radius
from engine.fixed_points import find_fixed_points
from engine.reduced import reduced_equation

F64 = torch.float64


def random_cell(kind: type[Cell], rng: np.random.Generator, *, inputs: int, n: int, scale: float) -> Cell:
    shapes = [(kind.gates * n, inputs), (kind.gates * n, n), (kind.gates * n,), (kind.gates * n,)]
    return kind(*(torch.from_numpy(rng.normal(0, scale, shape)) for shape in shapes))


def test_the_ball_of_one_unit_holds_the_exact_root_and_stops_before_the_next() -> None:
    """h = tanh(2 h): roots 0 and ±0.9575…, the latter from 50 digits of mpmath."""
    mp.dps = 50
    exact = findroot(lambda h: exact_tanh(2 * h) - h, mpf("0.95"))
    cell = RnnCell([[0.0]], [[2.0]], [0.0]).to(dtype=F64)
    h = torch.tensor([[float(exact)], [0.0]], dtype=F64)
    nearest, unique = certified_radius(cell, torch.zeros(2, 1), h)
    assert abs(exact - mpf(float(h[0, 0]))) <= mpf(nearest[0])
    assert nearest[0] < 1e-12
    assert (unique < float(exact)).all()
    assert (unique > 1e-3).all()


def test_a_state_that_is_no_root_and_a_double_root_get_no_certificate() -> None:
    cell = RnnCell([[0.0]], [[1.0]], [0.0]).to(dtype=F64)  # h = tanh(h): the root 0 is degenerate
    nearest, unique = certified_radius(cell, torch.zeros(2, 1), torch.tensor([[0.0], [0.3]], dtype=F64))
    assert np.isnan(nearest).all()
    assert np.isnan(unique).all()


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("n", [2, 7, 30])
def test_every_root_of_random_cells_is_certified_and_no_other_root_is_in_its_ball(name: str, n: int) -> None:
    rng = np.random.default_rng(n)
    kind = CELLS[name]
    cell = random_cell(kind, rng, inputs=1, n=n, scale=2.0 / np.sqrt(n))
    points = find_fixed_points(cell, torch.tensor([0.5]), torch.from_numpy(rng.uniform(-1, 1, (64, cell.state_size))))
    points = points[points.fixed]
    equation = reduced_equation(cell)
    h = equation.unknowns(torch.from_numpy(points.states))
    nearest, unique = certified_radius(cell, torch.from_numpy(points.inputs), h)
    sound = np.abs(np.abs(points.eigenvalues) - 1).min(axis=1) > 1e-3
    assert sound.any()
    assert np.isfinite(nearest[sound]).all()
    assert (nearest[sound] <= unique[sound]).all()
    distance = torch.cdist(h, h, p=torch.inf).numpy() + np.diag(np.full(len(h), np.inf))
    assert (np.nan_to_num(unique) < distance.min(axis=1)).all()


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_the_enclosed_jacobian_holds_that_of_states_in_the_ball(name: str) -> None:
    """Krawczyk's test is as good as its enclosures: the map and its Jacobian at drawn states lie within them."""
    from engine.certificates import _Layer

    rng = np.random.default_rng(5)
    kind = CELLS[name]
    cell = random_cell(kind, rng, inputs=2, n=4, scale=1.0)
    x, centre, radius = rng.normal(size=2), rng.uniform(-0.5, 0.5, 4), 0.2
    layer, equation = _Layer(cell, x), reduced_equation(cell)
    image, parts = layer.evaluate(centre, radius)
    low, high = np.zeros((4, 4)), np.zeros((4, 4))
    for gate, a in parts:
        ends = np.stack([a.low[:, None] * layer.weights[gate], a.high[:, None] * layer.weights[gate]])
        low, high = low + ends.min(axis=0), high + ends.max(axis=0)
    for h in centre + rng.uniform(-radius, radius, (200, 4)):
        residual, jacobian = equation.linear(torch.from_numpy(x), torch.from_numpy(h))
        value, matrix = residual.numpy() + h, jacobian.numpy() + np.eye(4)
        assert (image.low <= value).all()
        assert (value <= image.high).all()
        assert (low - 1e-12 <= matrix).all()
        assert (matrix <= high + 1e-12).all()
