"""Timings that a user can run and send: recording, DFA, fixed points and the live run, on the CPU and on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from engine.cells import GruCell, LstmCell
from engine.device_stepper import DeviceStepper
from engine.fixed_points import find_fixed_points
from engine.fluctuation import fluctuations
from engine.network import Network, Vocabulary
from engine.recording import Stepper, record

SIZES: Final = (8, 32, 64, 128)
WORDS: Final = 4002
TURNS: Final = 5
LENGTH: Final = 500


@dataclass(frozen=True)
class Timing:
    """One measured speed.

    Attributes
    ----------
    what, device : str
    value : float
    unit : str
    compared : float
        How many times faster than the reference, NaN without one.
    reference : str
    """

    what: str
    device: str
    value: float
    unit: str
    compared: float = float("nan")
    reference: str = ""


def random_network(size: int) -> Network:
    """Return an LSTM of random weights that reads words."""
    generator = torch.Generator().manual_seed(size)
    layer = torch.nn.LSTM(8, size)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.uniform_(-(size**-0.5), size**-0.5, generator=generator)
    return Network(
        LstmCell.from_torch(layer),
        torch.randn(1, size, generator=generator),
        torch.zeros(1),
        embedding=torch.randn(WORDS, 8, generator=generator),
        vocabulary=Vocabulary([str(k) for k in range(WORDS - 2)]),
        name=f"lstm-{size}",
    )


def seconds(compute: Callable[[], object], device: str, turns: int = TURNS) -> float:
    """Return the median time of a computation, after one turn that warms up."""
    times = []
    for turn in range(turns + 1):
        start = time.perf_counter()
        compute()
        if device != "cpu":
            torch.cuda.synchronize()
        if turn:
            times.append(time.perf_counter() - start)
    return float(np.median(times))


def timings(
    device: str, reviews: int, *, sizes: tuple[int, ...] = SIZES, starts: int = 1024, turns: int = TURNS
) -> Iterator[Timing]:
    """Measure each speed on a device.

    Parameters
    ----------
    reviews : int
        Number of reviews of 500 words.
    sizes : tuple of int
        Cells of the LSTMs that read them.
    starts : int
        Start states of the search for fixed points.
    turns : int
        Repetitions, of which the median counts.
    """
    ids = list(np.random.default_rng(0).integers(2, WORDS, (reviews, LENGTH)))
    rate = _fill_rate(device, turns)
    yield Timing("fill memory", device, rate / 1e9, "GB/s")
    for size in sizes:
        yield from _recording(random_network(size), ids, device, rate, turns)
    yield _dfa(device, 7 * reviews, turns)
    yield _fixed_points(device, 100, starts)
    yield _live(random_network(sizes[0]), ids[0], device, turns)


def _fill_rate(device: str, turns: int) -> float:
    """Return the bytes per second with which a device fills memory: the limit of writing a recording."""
    memory = torch.empty(2**26 if device == "cpu" else 2**29, device=device)
    return memory.numel() * 4 / seconds(lambda: memory.fill_(1.0), device, turns)


def _recording(
    network: Network, ids: list[NDArray[np.int64]], device: str, rate: float, turns: int
) -> Iterator[Timing]:
    network = network.to(device=device)
    words, size = len(ids) * LENGTH, network.cell.size
    layer = network.cell.to_torch()
    with torch.inference_mode():
        inputs = network.embed(np.stack(ids).T)
        forward = seconds(lambda: layer(inputs), device, turns)
    spent = seconds(lambda: record(network, ids), device, turns)
    written = len(network.cell.signals) * size * 4 * words
    name = f"record all signals, {size} cells"
    yield Timing(name, device, words / spent / 1e6, "M words/s", forward / spent, "nn.LSTM forward alone")
    yield Timing(name, device, written / spent / 1e9, "GB/s", written / rate / spent, "filling that memory")


def _dfa(device: str, count: int, turns: int) -> Timing:
    noise = np.random.default_rng(0).standard_normal((count, LENGTH))
    series = noise if device == "cpu" else torch.as_tensor(noise, device=device)
    spent = seconds(lambda: fluctuations(series), device, turns)
    return Timing("unbiased DFA, 500 words, 20 scales", device, spent / count * 1e6, "µs per series")


def _fixed_points(device: str, size: int, starts: int) -> Timing:
    generator = torch.Generator().manual_seed(0)
    layer = torch.nn.GRU(3, size)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.uniform_(-1.5 * size**-0.5, 1.5 * size**-0.5, generator=generator)
    cell = GruCell.from_torch(layer).to(device=device)
    states = torch.rand(starts, size, generator=generator).to(device) * 2 - 1
    spent = seconds(lambda: find_fixed_points(cell, [0.0, 0.0, 0.0], states), device, 1)
    return Timing(f"fixed points of a GRU of {size} cells, {starts:,} starts", device, spent, "s")


def _live(network: Network, ids: NDArray[np.int64], device: str, turns: int) -> Timing:
    stepper = Stepper(network) if device == "cpu" else DeviceStepper(network.to(device=device))
    spent = seconds(lambda: stepper.advance(ids), device, turns)
    return Timing(f"live run, {network.cell.size} cells, blocks of {LENGTH} words", device, len(ids) / spent, "words/s")
