"""Timings that a user can run and send: recording, DFA, fixed points and live runs, on the CPU and on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from engine.beta import measure_encoded
from engine.cells import GruCell, LstmCell
from engine.corpus_statistics import corpus_statistics
from engine.device_speeds import Rate
from engine.device_stepper import FallbackStepper
from engine.devices import failure, own_stream
from engine.eigensystems import BATCH, eigensystems
from engine.fixed_points import find_fixed_points
from engine.fluctuation import fluctuations
from engine.gates_by_product import WAYS
from engine.network import Network, Vocabulary
from engine.ragged import StoredReviews
from engine.recipes import Recipe
from engine.recording import gpu_reader, record
from engine.training import EncodedReviews, SentimentRun

SIZES: Final = (8, 32, 64, 128)
LARGE: Final = (256,)  # also measured on a GPU, where it runs in blocks
LARGER: Final = (320, 512)  # measured on a GPU in both ways
BATCHES: Final = 4  # of a training run of which the speed is measured
WORDS: Final = 4002
TURNS: Final = 5
LENGTH: Final = 500
FAILED: Final = "failed: "  # beginning of the name of a speed that could not be measured
LAUNCHES: Final = 10  # of a kernel in one turn, so that a launch is prepared while the one before runs


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
    work : str
        What this speed decides for ``--device auto``, see `engine.device_speeds`; "" for nothing.
    rate : float
        The speed as work per second.
    size : int
        Number of cells.
    way : str
        Which of two ways on a GPU, see `engine.device_speeds`; "" for the device.
    """

    what: str
    device: str
    value: float
    unit: str
    compared: float = float("nan")
    reference: str = ""
    work: str = ""
    rate: float = float("nan")
    size: int = 0
    way: str = ""


def rates(timings: Iterable[Timing]) -> list[Rate]:
    """Return the speeds that decide where to compute."""
    units = {
        "live": "words/s",
        "reviews": "reviews/s",
        "points": "starts/s",
        "eigensystems": "matrices/s",
        "large layers": "words/s",
        "training": "batches/s",
    }
    return [Rate(one.work, one.size, one.way or one.device, one.rate, units[one.work]) for one in timings if one.work]


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
    count = reviews if corpus is None else corpus
    random = np.random.default_rng(0)
    lengths = random.gamma(2.0, 115.0, count).astype(int).clip(10, 2500)  # like those of IMDb
    texts = StoredReviews([random.integers(2, WORDS, length).astype(np.int32) for length in lengths])
    rate = _fill_rate(device, turns)
    yield Timing("fill memory", device, rate / 1e9, "GB/s")
    parts: list[partial[Iterator[Timing]]] = []
    for size in sizes if device == "cpu" else (*sizes, *LARGE):
        parts.append(partial(_recording, size, ids, device, rate, turns))
    parts += [
        partial(_dfa, device, 7 * reviews, turns),
        partial(_fixed_points, device, 100, starts),
        partial(_eigensystems, device, 100, turns),
        *(partial(_live, size, device, turns) for size in sizes),
        partial(_clamped, sizes[0], texts, device, turns),
        *(partial(_training, size, device) for size in dict.fromkeys((sizes[0], sizes[-1]))),
    ]
    if device != "cpu":
        parts += [
            *(partial(_large, size, np.stack(ids), device, turns) for size in LARGER),
            partial(_study, texts, device, turns),
            partial(_paper, np.stack(ids), device, turns),
        ]
    for part in parts:
        try:
            yield from part()
        except Exception as error:  # the other speeds are worth having
            yield Timing(f"{FAILED}{failure(error)}", device, float("nan"), part.func.__name__.strip("_"))


def _fill_rate(device: str, turns: int) -> float:
    """Return the bytes per second with which a device fills memory: the limit of writing a recording."""
    memory = torch.empty(2**26 if device == "cpu" else 2**29, device=device)
    return memory.numel() * 4 / seconds(lambda: memory.fill_(1.0), device, turns)


def _recording(cells: int, ids: list[NDArray[np.int64]], device: str, rate: float, turns: int) -> Iterator[Timing]:
    network = random_network(cells).to(device=device)
    words, size = len(ids) * LENGTH, network.cell.size
    layer = network.cell.to_torch()
    repeat = 1 if device == "cpu" else LAUNCHES
    with torch.inference_mode():
        inputs = network.embed(np.stack(ids).T)
        forward = seconds(lambda: _repeat(lambda: layer(inputs), repeat), device, turns) / repeat
    spent = seconds(lambda: record(network, ids), device, turns)
    name, to = f"record all signals, {size} cells", "nn.LSTM forward alone"
    yield Timing(name, device, words / spent / 1e6, "M words/s", forward / spent, to)
    if device != "cpu":  # without checking, padding and copying the words, as the forward pass
        names = [signal.name for signal in network.cell.signals]
        for what, outputs in (("record", {"record": names}), ("sum", {"sums": names})):
            run = _launch(network, np.stack(ids), outputs)
            each = seconds(lambda run=run: _repeat(run, repeat), device, turns) / repeat  # type: ignore[misc]
            yield Timing(f"  {what}, kernel alone", device, words / each / 1e6, "M words/s", forward / each, to)
            spent = each if what == "record" else spent
    written = len(network.cell.signals) * size * 4 * words
    yield Timing(name, device, written / spent / 1e9, "GB/s", written / rate / spent, "filling that memory")


def _launch(
    network: Network, ids: NDArray[np.int64], outputs: dict[str, Any], *, by_product: bool = False
) -> Callable[[], object]:
    """Return one launch of the kernels over words that lie on the GPU already."""
    reader = gpu_reader(network, {})
    if reader is None:
        raise RuntimeError("the GPU kernels cannot run this layer")
    reader.by_product = by_product
    tokens = torch.as_tensor(ids, dtype=torch.int32, device=network.cell.device)
    lengths = np.full(len(ids), ids.shape[1])
    return lambda: reader.run(tokens, lengths, **outputs)


def _large(size: int, ids: NDArray[np.int64], device: str, turns: int) -> Iterator[Timing]:
    """Time a recording by the kernels and by `engine.gates_by_product`."""
    network = random_network(size).to(device=device)
    names = {"record": [signal.name for signal in network.cell.signals]}
    for way, shown in zip(WAYS, ("kernels", "cuDNN and one product"), strict=True):
        spent = seconds(_launch(network, ids, names, by_product=way == WAYS[1]), device, turns)
        what = f"record all signals, {size} cells, {shown}"
        rate = ids.size / spent
        yield Timing(what, device, rate / 1e6, "M words/s", work="large layers", rate=rate, size=size, way=way)


def _training(size: int, device: str) -> Iterator[Timing]:
    """Time a training run by the default recipe on reviews of random words, without its validation."""
    random, recipe = np.random.default_rng(0), Recipe(size=size, epochs=1, validation=0, selection="training")
    count = BATCHES * recipe.batch
    lengths = random.gamma(2.0, 115.0, count).astype(int).clip(10, recipe.cut)
    ids = tuple(random.integers(2, WORDS, length).astype(np.int32) for length in lengths)
    labels = random.integers(0, 2, count).astype(np.float32)
    run = SentimentRun(EncodedReviews(ids, labels, Vocabulary([str(k) for k in range(WORDS - 2)])), recipe, device)
    spent = seconds(lambda: run.train_epoch(lambda progress: None), device, 1)
    what = f"train {size} cells, batches of {recipe.batch}"
    yield Timing(what, device, BATCHES / spent, "batches/s", work="training", rate=BATCHES / spent, size=size)


def _repeat(compute: Callable[[], object], times: int) -> None:
    for _ in range(times):
        compute()


def _dfa(device: str, count: int, turns: int) -> Iterator[Timing]:
    noise = np.random.default_rng(0).standard_normal((count, LENGTH))
    series = noise if device == "cpu" else torch.as_tensor(noise, device=device)
    spent = seconds(lambda: fluctuations(series), device, turns)
    yield Timing("unbiased DFA, 500 words, 20 scales", device, spent / count * 1e6, "µs per series")


def _fixed_points(device: str, size: int, starts: int) -> Iterator[Timing]:
    generator = torch.Generator().manual_seed(0)
    layer = torch.nn.GRU(3, size)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.uniform_(-1.5 * size**-0.5, 1.5 * size**-0.5, generator=generator)
    cell = GruCell.from_torch(layer).to(device=device)
    states = torch.rand(starts, size, generator=generator).to(device) * 2 - 1
    spent = seconds(lambda: find_fixed_points(cell, [0.0, 0.0, 0.0], states), device, 1)
    what = f"fixed points of a GRU of {size} cells, {starts:,} starts"
    yield Timing(what, device, spent, "s", work="points", rate=starts / spent, size=size)


def _clamped(cells: int, reviews: StoredReviews, device: str, turns: int) -> Iterator[Timing]:
    """Time what an ablated cell does to all reviews: layer sums, DFA, activity and P(positive)."""
    network, count = random_network(cells).to(device=device), len(reviews)
    clamp = {"h": np.where(np.arange(network.cell.size) == 0, 0.0, np.nan)}

    def measure() -> None:
        for _ in measure_encoded(network, reviews, [True] * count, ("h", "x"), clamp=clamp):
            pass

    spent = seconds(measure, device, turns)
    what = f"{count:,} reviews after a clamp, {network.cell.size} cells"
    yield Timing(what, device, spent, "s", work="reviews", rate=count / spent, size=network.cell.size)


def _nine(device: str) -> list[Network]:
    return [random_network(8 + 15 * k).to(device=device) for k in range(9)]


def _study(reviews: StoredReviews, device: str, turns: int) -> Iterator[Timing]:
    """Time layer sums and DFA of all signals of several networks on a GPU, over reviews of any length."""
    from engine.gpu_corpus import DeviceReviews

    networks = _nine(device)
    prepared = DeviceReviews(reviews, networks[0].cell.device)

    def measure(network: Network) -> None:
        reader = gpu_reader(network, {})
        assert reader is not None, "random weights are small enough for the kernels"
        prepared.measure(reader, [signal.name for signal in network.signals])

    spent = seconds(lambda: _at_once(measure, networks, device), device, turns)
    yield Timing(f"{len(reviews):,} reviews, {len(networks)} networks, all signals", device, spent, "s")


def _paper(ids: NDArray[np.int64], device: str, turns: int) -> Iterator[Timing]:
    """Time what `pinkx measure one-over-f` measures on a GPU, without reading the archive, controls and figures."""
    networks = _nine(device)
    spent = seconds(lambda: _at_once(lambda network: corpus_statistics(network, ids), networks, device), device, turns)
    yield Timing(f"measure one-over-f, {len(networks)} networks, without controls", device, spent, "s")


def _at_once(measure: Callable[[Network], object], networks: list[Network], device: str) -> None:
    """Measure all networks, each in a thread and on a stream of its own."""

    def on_its_stream(network: Network) -> None:
        with own_stream(device):
            measure(network)

    with ThreadPoolExecutor(len(networks)) as pool:
        list(pool.map(on_its_stream, networks))


def _eigensystems(device: str, size: int, turns: int) -> Iterator[Timing]:
    """Time LAPACK on the host and, on a GPU, one batched call: the faster is used there."""
    random = np.random.default_rng(0).standard_normal((BATCH, size, size))
    matrices = torch.as_tensor(random, device=device)
    for batched in (False,) if device == "cpu" else (False, True):
        spent = seconds(partial(eigensystems, matrices, batched=batched), device, turns)
        what = f"{BATCH} eigensystems of {size} cells, {'one call' if batched else 'LAPACK'}"
        # What --device auto compares is LAPACK for matrices on a GPU with one call there.
        work = {"work": "eigensystems", "rate": BATCH / spent, "size": size} if device != "cpu" else {}
        yield Timing(what, device if batched else "cpu", spent / BATCH * 1e3, "ms per matrix", **work)  # type: ignore[arg-type]


def _live(size: int, device: str, turns: int) -> Iterator[Timing]:
    stepper = FallbackStepper(random_network(size), device)
    ids = np.random.default_rng(0).integers(2, WORDS, stepper.block)
    spent = seconds(lambda: stepper.advance(ids), device, turns)
    if stepper.problem:
        raise RuntimeError(stepper.problem)
    rate = len(ids) / spent
    what = f"live run, {size} cells, blocks of {len(ids)} words"
    yield Timing(what, device, rate, "words/s", work="live", rate=rate, size=size)
