"""Attribution of an output's logit to the words of a review, by gradients along the embedding.

Integrated gradients: Sundararajan, Taly & Yan, ICML 2017. Each word gets (x − x₀) · ∫₀¹ ∂logit/∂x(x₀ + a (x − x₀)) da:
all inputs move together from a baseline x₀ to the words' embeddings. The attributions add up to logit − baseline logit
(completeness). Gradient × input is ∂logit/∂x · x at the review itself, without a baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from engine import interruption
from engine.cells import Cell
from engine.network import Network
from engine.stack import Held
from engine.stack_outputs import final_logits
from engine.start_states import input_from_name

FEWEST, MOST = 16, 512  # points of the quadrature
TOLERANCE: Final = 1e-3  # error of completeness at which the number of points is not doubled again
_BATCH: Final = 1 << 21  # values of one signal in a backward pass, (point, word, cell): some hundred MB in all
_SEGMENT: Final = 2048  # words whose graph is in memory, some 10 kB each; longer reviews are run twice


@dataclass(frozen=True, eq=False)
class Attribution:
    """The share of each word in one logit.

    Attributes
    ----------
    values : (time,) array
        Attribution of each word, in units of the logit; positive raises it.
    logit : float
        After the last word.
    baseline_logit : float
        That of the baseline; NaN for gradient × input, which has none.
    points : int
        Number of gradients along the path.
    """

    values: NDArray[np.float64]
    logit: float
    baseline_logit: float = float("nan")
    points: int = 1

    @property
    def residual(self) -> float:
        """Logit − baseline logit − sum of the attributions: the error of the quadrature."""
        return self.logit - self.baseline_logit - float(self.values.sum())


def integrated_gradients(
    network: Network,
    ids: ArrayLike,
    *,
    baseline: str = "mean",
    output: int = 0,
    clamps: Mapping[str, ArrayLike] | None = None,
    pushes: Mapping[int, ArrayLike] | None = None,
    tolerance: float = TOLERANCE,
    most: int = MOST,
    progress: Callable[[int], bool] = lambda _: True,
) -> Attribution | None:
    """Attribute the logit after the last word by integrated gradients, in float64.

    The integral is a Gauss–Legendre sum whose points are doubled until the attributions are complete.

    Parameters
    ----------
    network : Network
        Reads words. Of several layers or directions, all are run, and the gradients go through all.
    ids : (time,) array
    baseline : str
        The input x₀ of every word, as `input_from_name` takes it: ``zero``, or ``mean``, the mean embedding.
    output : int
        The output whose logit is attributed; of a linear readout the output itself.
    clamps : mapping of str to (n,) array, optional
        Values at which a signal's cells are clamped, NaN for a free cell. They are the same along the path.
    pushes : mapping of int to (S,) array, optional
        What is added to the state after a word, by its index.
    tolerance : float
        Largest error of completeness, relative to the difference of the logits where that exceeds 1.
    most : int
        Largest number of points.
    progress : callable
        Gets the number of points before each sum; the result is None once it returns False.

    Raises
    ------
    ValueError
        For a review without words, an unknown baseline or an unknown output.
    """
    path = _Path(network, ids, output, clamps, pushes)
    x = path.x
    first = network if network.stack is None else network.watching(0)
    start = input_from_name(first, baseline).expand_as(x)
    ends, _ = path.gradients(torch.stack([start, x]))
    baseline_logit, logit = ends.tolist()
    points = min(FEWEST, most)
    while True:
        if not progress(points):
            return None
        nodes, weights = (torch.from_numpy(part / 2) for part in np.polynomial.legendre.leggauss(points))
        gradient = torch.zeros_like(x)
        chunk = max(1, _BATCH // (len(x) * path.cell.size))
        for at, weight in zip((nodes + 0.5).split(chunk), weights.split(chunk), strict=True):
            _, found = path.gradients(torch.lerp(start, x, at[:, None, None]))
            gradient += (weight[:, None, None] * found).sum(0)
        values = ((x - start) * gradient).sum(-1).numpy()
        attribution = Attribution(values, logit, baseline_logit, points)
        if abs(attribution.residual) <= tolerance * max(1.0, abs(logit - baseline_logit)) or 2 * points > most:
            return attribution
        points *= 2


def gradient_times_input(
    network: Network,
    ids: ArrayLike,
    *,
    output: int = 0,
    clamps: Mapping[str, ArrayLike] | None = None,
    pushes: Mapping[int, ArrayLike] | None = None,
) -> Attribution:
    """Attribute the logit after the last word by ∂logit/∂x · x, in float64; parameters as `integrated_gradients`."""
    path = _Path(network, ids, output, clamps, pushes)
    logit, gradient = path.gradients(path.x[None])
    return Attribution((path.x * gradient[0]).sum(-1).numpy(), float(logit[0]))


class _Path:
    """A review as embedded inputs ``x`` (time, inputs), and the gradients of one logit at inputs of that shape."""

    def __init__(
        self,
        network: Network,
        ids: ArrayLike,
        output: int,
        clamps: Mapping[str, ArrayLike] | None,
        pushes: Mapping[int, ArrayLike] | None,
    ) -> None:
        words = np.asarray(ids, dtype=np.int64)
        if words.ndim != 1 or not len(words):
            raise ValueError(f"expected the ids of at least one word, (time,), got shape {words.shape}")
        if not 0 <= output < network.outputs:
            raise ValueError(f"{network.name} has outputs 0 to {network.outputs - 1}, got {output}")
        self._output, self._stack = output, None
        self.cell: Cell = network.cell.to(dtype=torch.float64, device="cpu")
        self._clamps = {name: _double(values) for name, values in (clamps or {}).items()}
        self._pushes = {word: _double(values) for word, values in (pushes or {}).items()}
        if network.stack is not None:
            if network.stack.readout is None:
                raise ValueError(f"{network.name} has no readout: there is no output to attribute")
            self._stack = network.stack.to(dtype=torch.float64, device="cpu")
            self._held = Held(network.level, network.direction, self._clamps, self._pushes)
            self.x = self._stack.embed(words).detach()
            return
        self.x = network.embed(words).detach().cpu().double()
        self._weight = network.readout_weight[output].detach().cpu().double()
        self._bias = network.readout_bias[output].detach().cpu().double()

    def gradients(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits (point,) of inputs (point, time, inputs), and their gradients in that shape."""
        if self._stack is not None:
            with torch.enable_grad():
                inputs = x.detach().clone().requires_grad_()
                found = final_logits(self._stack, inputs, held=self._held)[:, self._output]
                (gradients,) = torch.autograd.grad(found.sum(), inputs)
            return found.detach(), gradients
        first_states = [self.cell.initial_state(len(x))]
        segments = x.detach().split(_SEGMENT, dim=1)
        for number, segment in enumerate(segments[:-1]):
            with torch.no_grad():
                first_states.append(self._run(first_states[-1], segment, number * _SEGMENT))
        of_segments: list[Tensor] = []
        logits = gradient = torch.empty(0)
        for number in reversed(range(len(segments))):  # the graph of one segment at a time is in memory
            state, segment = first_states[number].requires_grad_(), segments[number].requires_grad_()
            with torch.enable_grad():
                last = self._run(state, segment, number * _SEGMENT)
                if number == len(segments) - 1:
                    logits = last[:, : self.cell.size] @ self._weight + self._bias  # h comes first in every state
                    gradient = torch.autograd.grad(logits.sum(), last, retain_graph=True)[0]
                gradient, of_inputs = torch.autograd.grad(last, (state, segment), gradient)
            of_segments.insert(0, of_inputs)
        return logits.detach(), torch.cat(of_segments, dim=1)

    def _run(self, state: Tensor, inputs: Tensor, first: int) -> Tensor:
        """Return the state after inputs (point, time, inputs), of which ``first`` is the index of the first word."""
        for word, each in enumerate(inputs.unbind(1), first):
            interruption.allow()
            state, _ = self.cell.step(each, state, self._clamps)
            if word in self._pushes:
                state = state + self._pushes[word]
        return state


def _double(values: ArrayLike) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float64))
