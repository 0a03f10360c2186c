"""Record a large standard layer on a GPU without a kernel: h by cuDNN, and the gates of all steps by one product.

The gates at a step are functions of its input and of h before it, and c follows from them by c' = f ⊙ c + i ⊙ g. On the
CPU, PyTorch's own layer takes the place of cuDNN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from engine.cells import Cell, LstmCell
from engine.device_speeds import stored_speeds

LARGE: Final = 256
"""Cells up to which the kernels record in any case."""

WAYS: Final = "kernels", "product"
"""Ways of recording that ``pinkx bench`` compares above `LARGE` cells."""

_WORDS: Final = 2**18  # whose gates are computed together: at 512 cells, 4 GB


def product_is_faster(size: int) -> bool:
    """Return whether ``pinkx bench`` found this faster than the kernels at every size above `LARGE` it measured."""
    if size <= LARGE:
        return False
    measured = stored_speeds()
    speeds = None if measured is None else measured.of("large layers", WAYS)
    return speeds is not None and speeds.gpu_is_faster


@torch.inference_mode()
def record_by_product(
    cell: Cell, layer: nn.RNNBase, vectors: Tensor, tokens: Tensor, lengths: Tensor, names: Sequence[str]
) -> Tensor:
    """Record signals of reviews, each from the zero state, on the device of the cell.

    Parameters
    ----------
    cell : RnnCell, GruCell or LstmCell
        A standard one.
    layer : nn.RNN, nn.GRU or nn.LSTM
        The same layer, see `engine.cells.Cell.to_torch`.
    vectors : (token, inputs) tensor
    tokens : (review, time) integer tensor
        Rows of ``vectors``.
    lengths : (review,) integer tensor
        Number of steps of each review.
    names : sequence of str

    Returns
    -------
    (signal, review, time, cell) float32 tensor
        NaN past the end of a review.
    """
    reviews, time = tokens.shape
    out = torch.empty(len(names), reviews, time, cell.size, device=cell.device)
    # TF32, PyTorch's default for cuDNN, has 11 bits: too few.
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=False, allow_tf32=False):
        h = layer(vectors[tokens.T])[0].transpose(0, 1)
    part = max(1, _WORDS // time)
    for first in range(0, reviews, part):
        rows = slice(first, first + part)
        signals = _signals(cell, vectors[tokens[rows]], h[rows])
        for values, name in zip(out, names, strict=True):
            values[rows] = signals[name]
    past = torch.arange(time, device=cell.device) >= lengths[:, None]
    return out.masked_fill_(past[:, :, None], torch.nan)


def _signals(cell: Cell, x: Tensor, h: Tensor) -> dict[str, Tensor]:
    """Return every signal (review, time, n) for inputs (review, time, inputs) and the states after them."""
    before = torch.cat((torch.zeros_like(h[:, :1]), h[:, :-1]), 1)
    if not isinstance(cell, LstmCell):
        return cell.step(x, before)[1]
    signals = cell.step(x, torch.cat((before, torch.zeros_like(before)), -1))[1]
    c = signals["c"]  # i ⊙ g so far
    for t in range(1, c.shape[1]):
        c[:, t].addcmul_(signals["f"][:, t], c[:, t - 1])
    c_out = c.tanh()
    return signals | {"c_out": c_out, "h": signals["o"] * c_out}
