"""The paper's implementation, timed: a NumPy step loop for each review, then fathon's DFA of every layer sum."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from engine.network import Network
from explorer.measure.one_over_f.aggregates import StudyResults

Array = NDArray[np.float64]


def layer_sums_by_steps(network: Network, ids: NDArray[np.integer]) -> dict[str, Array]:
    """Return every layer sum (time,) of an LSTM for one review, computed word by word and gate by gate."""
    W, U, b = (network.cell.weights()[key].numpy() for key in ("weight_ih", "weight_hh", "bias"))
    n = network.cell.size
    gates = [(W[k : k + n], U[k : k + n], b[k : k + n]) for k in range(0, 4 * n, n)]
    series: dict[str, list[NDArray[np.float32]]] = {name: [] for name in ("i", "f", "g", "o", "c", "c_out", "h", "x")}
    h = c = np.zeros(n, dtype=np.float32)
    for x in network.embed(ids).numpy():
        i, f, g, o = (W @ x + U @ h + b for W, U, b in gates)
        i, f, g, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(g), 1 / (1 + np.exp(-o))
        c = f * c + i * g
        c_out = np.tanh(c)
        h = o * c_out
        for name, value in zip(series, (i, f, g, o, c, c_out, h, x), strict=True):
            series[name].append(value)
    return {name: np.array(values).sum(axis=1, dtype=np.float64) for name, values in series.items()}


def betas(network: Network, ids: NDArray[np.integer], scales: tuple[int, ...]) -> dict[str, float]:
    """Return β of every layer sum of one review.

    Raises
    ------
    ValueError
        If fathon is not installed.
    """
    try:
        from fathon import DFA, fathonUtils
    except ImportError:
        raise ValueError("--published-way needs fathon: pip install fathon (Linux on x86-64 only)") from None
    found = {}
    lengths = np.array(scales)
    for name, series in layer_sums_by_steps(network, ids).items():
        dfa = DFA(fathonUtils.toAggregated(series))
        n, F = dfa.computeFlucVec(lengths, polOrd=1, unbiased=True)
        found[name] = 2 * float(np.polyfit(np.log(n), np.log(F), 1)[0]) - 1
    return found


def seconds_for(results: StudyResults, count: int) -> tuple[float, float]:
    """Return processor seconds per review and network, and hours for all.

    Parameters
    ----------
    results : StudyResults
    count : int
        Number of reviews to time in the smallest and in the largest LSTM.

    Raises
    ------
    ValueError
        If there is no LSTM, or fathon is not installed.
    """
    lstms = [network.trained.network for network in results.of_cell("lstm")]
    if not lstms:
        raise ValueError("--published-way is timed on LSTM networks, but none is among these networks")
    spent = []
    for network in (lstms[0], lstms[-1]):
        start = time.process_time()
        for ids in results.sample.ids(network)[:count]:
            betas(network, ids, results.options.scales)
        spent.append((time.process_time() - start) / count)
    each = sum(spent) / len(spent)
    return each, each * len(results.sample.long) * len(results.networks) / 3600
