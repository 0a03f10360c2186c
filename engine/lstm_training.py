"""An LSTM layer for training on the CPU: the last hidden state of every sequence of a batch, and its gradients.

`torch.nn.LSTM`, its reference, reads every row of a padded batch from its first to its last step.  Here sequences end
together and begin at a step of their own, so that no step is spent on what only fills the rectangle; and sequences that
begin with the same inputs, the padding in front of reviews, share their first steps: the one that goes on longest takes
them, the others branch off from its states.  Steps are products of BLAS and one pass over the gates.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.kernels.cpu.lstm_training import backward_step, forward_step
from engine.kernels.cpu.simd import FLOATS


class Schedule(NamedTuple):
    """Sequences that take each step: at step t the first ``counts[t]`` of ``order``.

    The inputs of the layer are rows ``offsets[t] … offsets[t] + counts[t]`` for step t.
    """

    order: NDArray[np.intp]  # (sequence,): those that begin first come first
    sources: NDArray[np.intp]  # (sequence,): the place in ``order`` from whose states each one begins; −1: from zero
    counts: NDArray[np.intp]  # (step,)
    offsets: NDArray[np.intp]  # (step + 1,)
    steps: NDArray[np.intp]  # (row,): the step that reads a row of the inputs
    places: NDArray[np.intp]  # (row,): the place in ``order`` of the sequence that reads it


def schedule(lengths: NDArray[np.intp], shared: NDArray[np.intp], groups: NDArray[np.intp]) -> Schedule:
    """Return the schedule of sequences of ``lengths`` steps that end together.

    Parameters
    ----------
    lengths : (sequence,) array
    shared : (sequence,) array
        The number of first steps that the sequences of a group have in common with each other, 0 for none: two
        sequences of a group have equal inputs in the first min(shared) steps.  All lengths are equal where any are.
    groups : (sequence,) array
    """
    count, steps = len(lengths), int(lengths.max())
    starts = steps - lengths
    leaders = np.full(count, -1, dtype=np.intp)
    for group in np.unique(groups[shared > 0]):
        members = np.flatnonzero((groups == group) & (shared > 0))
        leader = members[np.argmax(shared[members])]
        others = members[members != leader]
        leaders[others], starts[others] = leader, np.minimum(shared[others], steps - 1)
    order = np.argsort(starts, kind="stable")
    place = np.empty(count, dtype=np.intp)
    place[order] = np.arange(count)
    sources = np.where(leaders[order] >= 0, place[leaders[order]], -1)
    counts = np.searchsorted(starts[order], np.arange(steps), side="right")
    offsets = np.concatenate(([0], np.cumsum(counts)))
    step = np.repeat(np.arange(steps), counts)
    return Schedule(order, sources, counts, offsets, step, np.arange(offsets[-1]) - offsets[step])


class Workspace:
    """Memory that the batches of a run share: allocating 100 MB anew for each would take a tenth of the time."""

    def __init__(self) -> None:
        self._arrays: dict[str, Tensor] = {}

    def get(self, name: str, rows: int, columns: int) -> Tensor:
        """Return an array of a shape, with any contents."""
        if name not in self._arrays or self._arrays[name].numel() < rows * columns:
            self._arrays[name] = torch.empty(rows * columns * 9 // 8)
        return self._arrays[name][: rows * columns].view(rows, columns)


def last_states(layer: nn.LSTM, x: Tensor, plan: Schedule, workspace: Workspace) -> Tensor:
    """Return the hidden states after the last step, (sequence, n), in the order of ``plan.order``.

    Gradients flow to the layer's weights, to its biases, and to the inputs ``x`` (row, input), see `Schedule`.  The
    workspace belongs to the result until its gradients are there.
    """
    weight_ih, weight_hh, bias_ih, bias_hh = layer.parameters()
    result: Tensor = _LastStates.apply(  # type: ignore[no-untyped-call]
        x, weight_ih, weight_hh, bias_ih + bias_hh, plan, workspace
    )
    return result


class _LastStates(torch.autograd.Function):
    """Last hidden states and their gradients: one product of rows [h, x, 1] gives U h + W x + b of a step.

    Another gives the gradients of h and x, and a third those of all weights.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, plan: Schedule, workspace: Workspace
    ) -> Tensor:
        n, width = weight_hh.shape[1], x.shape[1]
        p = _whole(n)
        weights = torch.zeros(_whole(p + width + 1), 4 * p)
        for row, values in ((0, weight_hh), (p, weight_ih), (p + width, bias[:, None])):
            weights.view(-1, 4, p)[row : row + values.shape[1], :, :n] = values.T.unflatten(1, (4, n))
        total, sequences = int(plan.offsets[-1]), len(plan.order)
        gates = workspace.get("gates", total, 4 * p)
        inputs, c = workspace.get("inputs", total + sequences, len(weights)), workspace.get("c", total + sequences, p)
        inputs[:total, p : p + width] = x
        inputs[:total, p + width] = 1
        inputs[:total, p + width + 1 :] = 0
        gate_values, c_values, input_values = gates.numpy(), c.numpy(), inputs.numpy()
        at = before = 0
        for gates_now, inputs_now in zip(*_steps(plan, gates, inputs), strict=True):
            count = len(gates_now)
            for row in range(before, count):
                source = plan.sources[row]
                input_values[at + row, :p] = input_values[at + source, :p] if source >= 0 else 0
                c_values[at + row] = c_values[at + source] if source >= 0 else 0
            torch.mm(inputs_now, weights, out=gates_now)
            forward_step(gate_values, c_values, input_values, at, count)
            at, before = at + count, count
        input_values[total + before :, :p] = 0  # of sequences without a step
        ctx.plan, ctx.workspace, ctx.sizes = plan, workspace, (n, p, width)
        ctx.tape = gates, c, inputs, weights
        return inputs[total : total + sequences, :n].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        plan, (n, p, width) = ctx.plan, ctx.sizes
        gates, c, inputs, weights = ctx.tape
        total, sequences = int(plan.offsets[-1]), len(plan.order)
        by_inputs = ctx.workspace.get("by_inputs", total + sequences, len(weights))
        by_inputs[total : total + sequences] = 0
        by_inputs[total : total + sequences, :n] = gradients[0]
        by_c = ctx.workspace.get("by_c", sequences, p).zero_().numpy()
        transposed = weights.T.contiguous()
        gate_values, c_values, by_values = gates.numpy(), c.numpy(), by_inputs.numpy()
        at, before = total, [0, *plan.counts.tolist()]
        for gates_now, by_inputs_now in zip(*(reversed(rows) for rows in _steps(plan, gates, by_inputs)), strict=True):
            count = before.pop()
            at -= count
            backward_step(gate_values, c_values, by_values, by_c, at, count)
            torch.mm(gates_now, transposed, out=by_inputs_now)
            for row in range(before[-1], count):
                source = plan.sources[row]
                if source >= 0:
                    by_values[at + source, :p] += by_values[at + row, :p]
                    by_c[source] += by_c[row]
        by_weights = (inputs[:total].T @ gates[:total]).view(-1, 4, p)[:, :, :n].flatten(1).T
        by_u, by_w, by_bias = by_weights[:, :n], by_weights[:, p : p + width], by_weights[:, p + width]
        return by_inputs[:total, p : p + width].clone(), by_w, by_u, by_bias, None, None


def _steps(plan: Schedule, *arrays: Tensor) -> list[tuple[Tensor, ...]]:
    """Return the rows of every step."""
    return [array[: int(plan.offsets[-1])].split(plan.counts.tolist()) for array in arrays]


def _whole(columns: int) -> int:
    """Return a number of columns rounded up to whole vectors."""
    return -(-columns // FLOATS) * FLOATS
