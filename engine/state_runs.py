"""Run a network on from given states, and recall only what is asked for: the quick way to read many reviews.

`engine.recording.record` starts every review from the zero state and stores signals of all words.  Here reviews go on
from any state, and their last states come back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from engine.beta import read_batches
from engine.kernels.cpu import steps
from engine.large_arrays import recording_array
from engine.network import PADDING, Network, pad
from engine.vocabulary import as_reviews

Float32s = NDArray[np.float32]


def run_on(
    network: Network, tokens: NDArray[np.integer], state: ArrayLike | None = None, signals: Sequence[str] = ()
) -> tuple[dict[str, Float32s], Float32s]:
    """Read ids (review, time) from a state and return signals (review, time, cell) and the last state (review, S).

    Parameters
    ----------
    network : Network
        A network on the CPU that reads words.
    tokens : (review, time) ids
    state : (review, S) or (S,) array, optional
        The state before the first word; zero by default.
    signals : sequence of str
        The signals of the cells to return.
    """
    if not network.cell.standard:
        return _run_plainly(network, tokens, state, signals)
    lengths = np.full(len(tokens), tokens.shape[1], dtype=np.intp)
    start = np.zeros((len(tokens), network.cell.state_size), dtype=np.float32)
    if state is not None:
        start[:] = state
    return _run(network, np.ascontiguousarray(tokens, dtype=np.int32), lengths, start, signals), start


def _run_plainly(
    network: Network, tokens: NDArray[np.integer], state: ArrayLike | None, signals: Sequence[str]
) -> tuple[dict[str, Float32s], Float32s]:
    """Do as `run_on` by plain steps."""
    with torch.inference_mode():
        x, cell = network.embed(tokens), network.cell
        start = cell.initial_state(len(tokens))
        if state is not None:
            start = torch.as_tensor(state).to(start).expand(start.shape)
        last, found = (
            cell.run(x, start) if tokens.shape[1] else (start, {s: x.new_empty(len(x), 0, cell.size) for s in signals})
        )
        return {name: found[name].float().numpy() for name in signals}, last.float().numpy()


def last_states(network: Network, reviews: Sequence[NDArray[np.integer]]) -> Float32s:
    """Return the state after the last word of reviews of any length, (review, S).

    Reviews that are padded in front share the steps over the padding.

    Raises
    ------
    ValueError
        For an empty review or an id outside the vocabulary.
    """
    checked, _ = as_reviews(network.vocabulary, list(reviews), network.name)
    padding = np.array([_padding_in_front(ids) for ids in checked])
    state = _states_of_padding(network, int(padding.max()))[padding]
    words = [ids[first:] for ids, first in zip(checked, padding, strict=True)]
    _run(network, pad(words), np.array([len(ids) for ids in words], dtype=np.intp), state, ())
    return state


def _padding_in_front(ids: NDArray[np.int32]) -> int:
    """Return the number of padding ids before the first word, or before the last id if there is none."""
    if ids[0] != PADDING:
        return 0
    words = np.flatnonzero(ids[:-1] != PADDING)
    return int(words[0]) if len(words) else len(ids) - 1


def _states_of_padding(network: Network, steps: int) -> Float32s:
    """Return the states after 0, 1, … steps over the padding, (step, S)."""
    states = np.zeros((1 + steps, network.cell.state_size), dtype=np.float32)
    if steps:
        parts = ("h", "c")[: network.cell.state_size // network.cell.size]
        found, _ = run_on(network, np.full((1, steps), PADDING), signals=parts)
        states[1:] = np.concatenate([found[name][0] for name in parts], axis=1)
    return states


def last_probability(
    network: Network, reviews: Sequence[NDArray[np.integer]], clamp: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return P(positive) after the last word of reviews of any length, (review,).

    Parameters
    ----------
    network : Network
        A network on the CPU that reads words.
    reviews : sequence of (time,) id arrays
    clamp : (n,) array, optional
        Values at which h of cells is clamped, NaN for a free cell.  The first word is read by the whole network, the
        others by the free cells alone, where a constant takes the place of the clamped ones.

    Raises
    ------
    ValueError
        For an empty review or an id outside the vocabulary.
    """
    n = network.cell.size
    if not network.cell.standard:
        clamps = {} if clamp is None else {"h": clamp}
        order = np.argsort([len(ids) for ids in reviews], kind="stable")  # similar lengths need little padding
        found = np.empty(len(reviews))
        for batch in read_batches(network, [reviews[k] for k in order], (), clamp=clamps):
            found[order[batch.first : batch.first + len(batch)]] = batch.probability
        return found
    if clamp is None:
        return _probability(network, last_states(network, reviews)[:, :n])
    values = np.asarray(clamp, dtype=np.float32)
    free = np.flatnonzero(np.isnan(values))
    if not len(free):  # the output does not depend on the review
        return np.repeat(_probability(network, values[None]), len(reviews))
    checked, _ = as_reviews(network.vocabulary, list(reviews), network.name)
    _, first = run_on(network, np.array([ids[:1] for ids in checked]))
    part = free_cells(network, values)
    columns = np.concatenate([free + k * n for k in range(network.cell.state_size // n)])
    state = np.ascontiguousarray(first[:, columns])
    rest = [ids[1:] for ids in checked]
    _run(part, pad(rest), np.array([len(ids) for ids in rest], dtype=np.intp), state, ())
    return _probability(part, state[:, : len(free)])


def free_cells(network: Network, values: NDArray[np.float32]) -> Network:
    """Return the network of the cells with NaN in ``values`` (n,), where h of the others has these values.

    Only for a standard LSTM, GRU or RNN.
    """
    cell = network.cell
    known = torch.as_tensor(np.isnan(values))
    constant = torch.as_tensor(values[~np.isnan(values)]).to(cell.weight_hh)
    rows = known.repeat(cell.gates)
    weights = {name: weight[rows] for name, weight in cell.weights().items()}
    constants = weights["weight_hh"][:, ~known] @ constant
    if "bias_hh" in weights:  # the GRU multiplies this part of the candidate's bias by r
        weights["bias_hh"] = weights["bias_hh"] + constants
    else:
        weights["bias"] = weights["bias"] + constants
    weights["weight_hh"] = weights["weight_hh"][:, known]
    return Network(
        cell.with_weights(weights),
        network.readout_weight[:, known],
        network.readout_bias + network.readout_weight[:, ~known] @ constant.to(network.readout_weight),
        embedding=network.embedding,
        vocabulary=network.vocabulary,
        name=f"part of {network.name}",
        task=network.task,
        info=network.info,
    )


def _probability(network: Network, h: Float32s) -> NDArray[np.float64]:
    values = network.probability(torch.as_tensor(h).to(network.readout_weight))
    return np.asarray(values[:, 0].double().cpu().numpy())


def _run(
    network: Network,
    tokens: NDArray[np.int32],
    lengths: NDArray[np.intp],
    state: Float32s,
    signals: Sequence[str],
) -> dict[str, Float32s]:
    """Run the kernel; ``state`` (review, S) becomes the last state."""
    assert network.embedding is not None
    cell = network.cell
    slots = np.array([signals.index(s.name) if s.name in signals else -1 for s in cell.signals], dtype=np.intp)
    out = recording_array(len(signals), *tokens.shape, cell.size)
    vectors = network.embedding.detach().float().cpu().numpy()
    order = np.argsort(-lengths, kind="stable")
    clamps = steps.clamp(cell, {})
    steps.run(steps.arrange(cell), vectors, tokens, lengths, order, state, clamps, slots, out, *steps.NOTHING)
    return dict(zip(signals, out, strict=True))
