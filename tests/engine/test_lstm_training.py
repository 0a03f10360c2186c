"""Layers that train on the CPU against `torch.nn.LSTM` in float64, which takes every step of every sequence."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor, nn

from engine.lstm_training import Schedule, Workspace, last_states, schedule


def reference(layer: nn.LSTM, x: list[Tensor]) -> Tensor:
    """Return the last hidden states, of each sequence alone."""
    return torch.stack([layer(one[:, None])[0][-1, 0] if len(one) else torch.zeros(layer.hidden_size) for one in x])


def read_by(plan: Schedule, x: list[Tensor]) -> Tensor:
    """Return the inputs (row, input) that a schedule asks for."""
    steps = max(len(one) for one in x)
    sequences = plan.order[plan.places]
    return torch.stack([x[s][t - (steps - len(x[s]))] for s, t in zip(sequences, plan.steps, strict=True)])


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_states_and_gradients_are_those_of_pytorch(data: st.DataObject) -> None:
    cells, inputs, count = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    torch.manual_seed(data.draw(st.integers(0, 99)))
    groups = np.array(data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)))
    steps = data.draw(st.integers(1, 30))
    if data.draw(st.booleans(), label="begin alike"):
        lengths = np.full(count, steps)
        shared = np.array(data.draw(st.lists(st.integers(0, steps), min_size=count, max_size=count)))
    else:
        lengths = np.array(data.draw(st.lists(st.integers(0, steps), min_size=count, max_size=count)))
        lengths[0] = steps
        shared = np.zeros(count, dtype=int)
    common = torch.randn(3, steps, inputs)
    x = [
        torch.cat((common[g, :k], torch.randn(n - k, inputs))) for g, k, n in zip(groups, shared, lengths, strict=True)
    ]
    layer, exact = nn.LSTM(inputs, cells), nn.LSTM(inputs, cells).double()
    exact.load_state_dict(layer.state_dict())
    plan, workspace = schedule(lengths, shared, groups), Workspace()
    for values in workspace.get("gates", 1000, 100), workspace.get("inputs", 1000, 100):
        values.fill_(torch.nan)  # left by another batch

    rows = read_by(plan, x).requires_grad_()
    states = last_states(layer, rows, plan, workspace)
    exact_x = [one.double().requires_grad_() for one in x]
    expected = reference(exact, exact_x)[plan.order]
    torch.testing.assert_close(states.double(), expected, rtol=0, atol=2e-6)

    weights = torch.randn(count, cells)
    found = torch.autograd.grad((states * weights).sum(), [*layer.parameters(), rows])
    wanted = torch.autograd.grad(
        (expected * weights.double()).sum(), [*exact.parameters(), *exact_x], allow_unused=True, materialize_grads=True
    )
    for one, other in zip(found[:4], wanted[:4], strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-5)
    # a shared step has the gradients of all its sequences together
    for group in range(3):
        members = [s for s in range(count) if groups[s] == group]
        of_rows = np.isin(plan.order[plan.places], members)
        for step in range(steps):
            one = found[4][of_rows & (plan.steps == step)].sum(dim=0)
            at = [(s, step - (steps - lengths[s])) for s in members]
            other = sum((wanted[4 + s][t] for s, t in at if t >= 0), torch.zeros(inputs, dtype=torch.float64))
            torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-5)


def test_common_first_steps_are_taken_once() -> None:
    lengths, shared, groups = np.full(5, 10), np.array([6, 0, 9, 6, 3]), np.array([0, 0, 0, 1, 1])
    plan = schedule(lengths, shared, groups)
    begins = {int(s): int(np.flatnonzero(plan.counts > place)[0]) for place, s in enumerate(plan.order)}
    assert begins == {0: 6, 1: 0, 2: 0, 3: 0, 4: 3}  # the sequences that share longest, and the one that shares nothing
    assert {int(s): int(plan.order[k]) if k >= 0 else None for s, k in zip(plan.order, plan.sources, strict=True)} == {
        0: 2, 1: None, 2: None, 3: None, 4: 3,
    }  # fmt: skip
    assert plan.offsets[-1] == 10 + 10 + 10 + 4 + 7


def test_sequences_end_together_and_rows_that_only_fill_a_rectangle_are_not_read() -> None:
    plan = schedule(np.array([2, 5, 1]), np.zeros(3, dtype=int), np.zeros(3, dtype=int))
    assert plan.order.tolist() == [1, 0, 2]
    assert plan.counts.tolist() == [1, 1, 1, 2, 3]
    assert (plan.sources == -1).all()
