"""Outputs of a whole stack of layers: after a review, and after each of its words.

After word t the output is that of the review cut after word t, as of a network of one layer. A layer of two directions
then reads the cut review again from its end, so that the outputs of a review of T words cost T passes; a readout of
*each* word reads the states of the whole review instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.probability import Activation, activate
from engine.readout import logits_of
from engine.stack import Held, Stack, hidden_states
from engine.vocabulary import pad

_PADDED: Final = 1 << 15  # words of the cut reviews that run together


def final_logits(stack: Stack, x: Tensor, lengths: Tensor | None = None, held: Held | None = None) -> Tensor:
    """Return the logits (review, k) after reviews (review, time, inputs); parameters as `hidden_states`."""
    h = hidden_states(stack, x, lengths, held=held)
    count = torch.full((len(x),), x.shape[1]) if lengths is None else lengths
    last = h[torch.arange(len(h), device=h.device), count.to(h.device) - 1]
    if stack.reads == "final" and len(stack.layers[-1]) == 2:
        forward = stack.layers[-1][0].size
        last = torch.cat((last[:, :forward], h[:, 0, forward:]), dim=-1)
    return _read(stack, last)


def logits_along(stack: Stack, x: Tensor, first: int = 0, last: int | None = None, held: Held | None = None) -> Tensor:
    """Return the logits (word, k) after the words ``first`` to ``last`` of one review, (time, inputs)."""
    last = len(x) if last is None else last
    if not stack.bidirectional or stack.reads == "each":
        return _read(stack, hidden_states(stack, x[None], held=held)[0, first:last])
    found = [x.new_empty(0, len(stack.readout[1]))] if stack.readout is not None else []
    while first < last:
        count = min(last - first, max(1, _PADDED // (first + 1)))
        lengths = torch.arange(first + 1, first + count + 1)
        cut = x[None, : first + count].expand(count, -1, -1)
        found.append(final_logits(stack, cut, lengths, held))
        first += count
    return torch.cat(found)


@torch.inference_mode()
def final_outputs(
    stack: Stack, output: Activation, reviews: Sequence[NDArray[np.int32]], held: Held | None = None
) -> NDArray[np.float64]:
    """Return the outputs (review, k) after reviews given as ids."""
    lengths = torch.tensor([len(review) for review in reviews])
    return activate(final_logits(stack, stack.embed(pad(list(reviews))), lengths, held).cpu(), output)


@torch.inference_mode()
def outputs_along(
    stack: Stack,
    output: Activation,
    ids: NDArray[Any] | Tensor,
    first: int = 0,
    last: int | None = None,
    held: Held | None = None,
) -> NDArray[np.float64]:
    """Return the outputs (word, k) after the words ``first`` to ``last`` of one review, given as ids or vectors."""
    return activate(logits_along(stack, stack.embed(ids), first, last, held).cpu(), output)


def _read(stack: Stack, h: Tensor) -> Tensor:
    assert stack.readout is not None, "asked only for a stack with a readout"
    return logits_of(h, *stack.readout)
