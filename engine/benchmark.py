"""Timings that a user can run and send: recording, DFA, fixed points and live runs, on the CPU and on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from engine.beta import measure_encoded
from engine.cells import GruCell, LstmCell
from engine.device_stepper import FallbackStepper
from engine.devices import own_stream
from engine.eigensystems import eigensystems
from engine.fixed_points import find_fixed_points
from engine.fluctuation import fluctuations
from engine.network import Network, Vocabulary
from engine.recording import record

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
    device: str,
    reviews: int,
    *,
    sizes: tuple[int, ...] = SIZES,
    starts: int = 1024,
    turns: int = TURNS,
    corpus: int | None = None,
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
    corpus : int, optional
        Number of reviews of unequal lengths that are measured after a clamp; by default ``reviews``.
    """
    ids = list(np.random.default_rng(0).integers(2, WORDS, (reviews, LENGTH)))
    rate = _fill_rate(device, turns)
    yield Timing("fill memory", device, rate / 1e9, "GB/s")
    for size in sizes:
        yield from _recording(random_network(size), ids, device, rate, turns)
    yield _dfa(device, 7 * reviews, turns)
    yield _fixed_points(device, 100, starts)
    yield from _eigensystems(device, 100, turns)
    for size in sizes:
        yield _live(random_network(size), device, turns)
    count = reviews if corpus is None else corpus
    yield _corpus([random_network(sizes[0])], count, device, turns)
    if device != "cpu":
        yield _corpus([random_network(8 + 15 * k) for k in range(9)], count, device, turns)


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


def _corpus(networks: list[Network], count: int, device: str, turns: int) -> Timing:
    """Time what an ablated cell does to all reviews: layer sums, DFA, activity and P(positive)."""
    random = np.random.default_rng(0)
    lengths = random.gamma(2.0, 115.0, count).astype(int).clip(10, 2500)  # like those of IMDb
    reviews = [random.integers(2, WORDS, length).astype(np.int32) for length in lengths]
    on_device = [network.to(device=device) for network in networks]

    def measure(network: Network) -> None:
        clamp = {"h": np.where(np.arange(network.cell.size) == 0, 0.0, np.nan)}
        with own_stream(device):
            for _ in measure_encoded(network, reviews, [True] * count, ("h", "x"), clamp=clamp):
                pass

    def measure_all() -> None:
        if len(networks) == 1:
            measure(on_device[0])
            return
        with ThreadPoolExecutor(len(networks)) as pool:
            list(pool.map(measure, on_device))

    what = f"{networks[0].cell.size} cells" if len(networks) == 1 else f"{len(networks)} networks"
    return Timing(f"{count:,} reviews after a clamp, {what}", device, seconds(measure_all, device, turns), "s")


def _eigensystems(device: str, size: int, turns: int, count: int = 32) -> Iterator[Timing]:
    """Time LAPACK on the host and, on a GPU, one batched call: they decide `engine.eigensystems.BATCH_FROM`."""
    matrices = torch.as_tensor(np.random.default_rng(0).standard_normal((count, size, size)), device=device)
    for batched in (False,) if device == "cpu" else (False, True):
        spent = seconds(partial(eigensystems, matrices, batched=batched), device, turns)
        what = f"{count} eigensystems of {size} cells, {'one call' if batched else 'LAPACK'}"
        yield Timing(what, device, spent / count * 1e3, "ms per matrix")


def _live(network: Network, device: str, turns: int) -> Timing:
    stepper = FallbackStepper(network, device)
    ids = np.random.default_rng(0).integers(2, WORDS, stepper.block)
    spent = seconds(lambda: stepper.advance(ids), device, turns)
    if stepper.problem:
        raise RuntimeError(stepper.problem)
    what = f"live run, {network.cell.size} cells, blocks of {len(ids)} words"
    return Timing(what, device, len(ids) / spent, "words/s")
