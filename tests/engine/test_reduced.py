"""Reduced equations have the Jacobians of autograd and the roots of the map; the solver handles singular problems."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine.cells import CELLS, TRAINED, Cell, build_cell
from engine.newton import _damped_step, solve
from engine.reduced import Equation, full_equation, reduced_equation

kinds = pytest.mark.parametrize("kind", TRAINED)


def random_cell(kind: str, size: int = 7, inputs: int = 3, scale: float = 1.5, seed: int = 0) -> Cell:
    random = torch.Generator().manual_seed(seed)
    gates = CELLS[kind].gates

    def normal(*shape: int) -> Tensor:
        return scale * torch.randn(*shape, generator=random, dtype=torch.float64)

    shapes = {"weight_ih": (gates * size, inputs), "weight_hh": (gates * size, size)}
    tensors = {key: normal(*shape) for key, shape in shapes.items()}
    return build_cell(kind, tensors | {"bias": normal(gates * size), "bias_hh": normal(gates * size)}, {})


@kinds
@pytest.mark.parametrize("make", [reduced_equation, full_equation])
@pytest.mark.parametrize("scale", [0.3, 3.0])
def test_jacobian_is_that_of_autograd(kind: str, make: Callable[[Cell], Equation], scale: float) -> None:
    cell = random_cell(kind, scale=scale)
    equation = make(cell)
    u = equation.unknowns(torch.randn(5, cell.state_size, dtype=torch.float64))
    x = torch.randn(5, 3, dtype=torch.float64)
    residual, jacobian = equation.linear(x, u)
    torch.testing.assert_close(residual, equation.residual(x, u), rtol=0, atol=1e-14)
    for k in range(5):
        expected = torch.autograd.functional.jacobian(lambda v, k=k: equation.residual(x[k], v), u[k])
        torch.testing.assert_close(jacobian[k], expected, rtol=1e-10, atol=1e-10)


@kinds
def test_a_root_of_the_reduced_equation_is_a_root_of_the_map(kind: str) -> None:
    cell = random_cell(kind, scale=0.8)
    equation = reduced_equation(cell)
    x = torch.randn(20, 3, dtype=torch.float64)
    roots = solve(equation, x, torch.zeros(20, 7, dtype=torch.float64))
    solved = equation.residual(x, roots).abs().amax(-1) < 1e-13
    assert solved.sum() >= 8
    state = equation.state(x, roots)[solved]
    torch.testing.assert_close(cell.step(x[solved], state)[0], state, rtol=1e-11, atol=1e-11)


def test_a_forget_gate_of_exactly_one_does_not_overflow() -> None:
    cell = random_cell("lstm", size=2)
    cell.bias[2:4] = 60.0  # sigmoid rounds to exactly 1
    residual, jacobian = reduced_equation(cell).linear(torch.zeros(1, 3).double(), torch.zeros(1, 2).double())
    assert residual.isfinite().all()
    assert jacobian.isfinite().all()


def test_no_problem_is_an_exception_for_the_batch() -> None:
    def linear(x: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        # x chooses: 0 is u² − 4 (roots ±2), 1 is constant (no root, singular), 2 is u² + 1 (minimum at 0, no root)
        kind = x[:, :1]
        residual = torch.where(kind == 0, u * u - 4, torch.where(kind == 1, torch.ones_like(u), u * u + 1))
        return residual, torch.where(kind == 1, 0.0, 2 * u).unsqueeze(-1)

    equation = Equation(lambda x, u: linear(x, u)[0], linear, lambda s: s, lambda x, u: u)
    x = torch.tensor([[0.0], [0.0], [1.0], [2.0], [0.0], [0.0]], dtype=torch.float64)
    u = torch.tensor([[1.0], [-9.0], [0.3], [5.0], [torch.nan], [torch.inf]], dtype=torch.float64)
    end = solve(equation, x, u)
    torch.testing.assert_close(end[:2], torch.tensor([[2.0], [-2.0]], dtype=torch.float64))
    assert end[2] == 0.3
    assert abs(float(end[3])) < 0.05  # where the square of u² + 1 is within a thousandth of its least
    assert end[4].isnan()
    assert end[5].isinf()


def test_an_unknown_cell_has_no_reduced_equation() -> None:
    with pytest.raises(ValueError, match="no reduced equation is known for a str"):
        reduced_equation("cell")  # type: ignore[arg-type]


def test_eliminating_the_diagonal_unknowns_gives_the_same_damped_step() -> None:
    torch.manual_seed(0)
    equation = full_equation(random_cell("lstm", size=5, inputs=2))
    assert equation.diagonal == 5
    residual, jacobian = equation.linear(
        torch.randn(3, 2, dtype=torch.float64), torch.randn(3, 10, dtype=torch.float64)
    )
    gradient = (jacobian.mT @ residual.unsqueeze(-1)).squeeze(-1)
    damping = torch.tensor([1e-8, 1e-3, 10.0], dtype=torch.float64)
    for one, other in zip(
        *(_damped_step(jacobian, gradient, damping, diagonal) for diagonal in (0, equation.diagonal)), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
