"""The paper's way, timed: a step loop in NumPy for each review, then fathon's DFA of every layer sum."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from engine.network import Network
from explorer.measure.one_over_f.findings import Findings

Array = NDArray[np.float64]


def layer_sums_by_steps(network: Network, ids: NDArray[np.integer]) -> dict[str, Array]:
    """Every layer sum (time,) of an LSTM, review by review, word by word, gate by gate."""
    W, U, b = (network.cell.weights()[key].numpy() for key in ("weight_ih", "weight_hh", "bias"))
    n = network.cell.size
    gates = [(W[k : k + n], U[k : k + n], b[k : k + n]) for k in range(0, 4 * n, n)]
    kept: dict[str, list[NDArray[np.float32]]] = {name: [] for name in ("i", "f", "g", "o", "c", "c_out", "h", "x")}
    h = c = np.zeros(n, dtype=np.float32)
    for x in network.embed(ids).numpy():
        i, f, g, o = (W @ x + U @ h + b for W, U, b in gates)
        i, f, g, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(g), 1 / (1 + np.exp(-o))
        c = f * c + i * g
        c_out = np.tanh(c)
        h = o * c_out
        for name, value in zip(kept, (i, f, g, o, c, c_out, h, x), strict=True):
            kept[name].append(value)
    return {name: np.array(values).sum(axis=1, dtype=np.float64) for name, values in kept.items()}


def betas(network: Network, ids: NDArray[np.integer], scales: tuple[int, ...]) -> dict[str, float]:
    """β of every layer sum of one review.

    Raises
    ------
    ValueError
        If fathon is not installed.
    """
    try:
        from fathon import DFA, fathonUtils
    except ImportError:
        raise ValueError("the paper's way wants fathon: pip install fathon (Linux on x86-64 only)") from None
    found = {}
    lengths = np.array(scales)
    for name, series in layer_sums_by_steps(network, ids).items():
        dfa = DFA(fathonUtils.toAggregated(series))
        n, F = dfa.computeFlucVec(lengths, polOrd=1, unbiased=True)
        found[name] = 2 * float(np.polyfit(np.log(n), np.log(F), 1)[0]) - 1
    return found


def seconds_for(found: Findings, count: int) -> tuple[float, float]:
    """Processor seconds a review and network, from ``count`` reviews in the smallest and largest LSTM; hours for all.

    Raises
    ------
    ValueError
        If there is no LSTM, or no fathon.
    """
    lstms = [network.candidate.network for network in found.of_cell("lstm")]
    if not lstms:
        raise ValueError("the paper's way is timed on LSTM networks, and there is none among these")
    spent = []
    for network in (lstms[0], lstms[-1]):
        start = time.process_time()
        for ids in found.corpus.ids(network)[:count]:
            betas(network, ids, found.options.scales)
        spent.append((time.process_time() - start) / count)
    each = sum(spent) / len(spent)
    return each, each * len(found.corpus.long) * len(found.networks) / 3600
