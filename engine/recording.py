"""Record the signals of all cells while a network reads: many sequences at once (`record`), word by word (`Stepper`).

`record_reference` takes plain PyTorch steps; the tests compare the fast `record` and `Stepper` of `engine.kernels` with
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from engine.devices import kernel_problem
from engine.kernels.cpu import steps
from engine.kernels.cpu.tiles import BLOCK
from engine.large_arrays import recording_array
from engine.network import Network, pad
from engine.recorded_signals import Recording as Recording
from engine.samples import sum_over_cells
from engine.stack import Held, turned
from engine.stack_outputs import outputs_along
from engine.vocabulary import as_reviews

if TYPE_CHECKING:
    from engine.gpu_recording import Reader

Float32s = NDArray[np.float32]
Ids = NDArray[np.integer] | Sequence[int] | Sequence[NDArray[np.integer]]
Inputs = NDArray[np.floating] | Sequence[NDArray[np.floating]]

_TABLE: Final = 2**18
"""Numbers of a table of W x + b for every token, 1 MB, which a cache holds; a larger one is slower than the product."""


def record(
    network: Network,
    ids: Ids | Inputs,
    signals: Sequence[str] | None = None,
    *,
    clamp: Mapping[str, ArrayLike] | None = None,
) -> Recording:
    """Run sequences through a network, each from its initial state, and record its signals.

    The kernels of `engine.kernels` run it on the CPU or on a GPU; on another device, or where `engine.devices` finds
    that the GPU kernels cannot run, it takes plain PyTorch steps.

    Parameters
    ----------
    network : Network
    ids : (time,) ids of one review, or a sequence of such arrays
        For a network without an embedding: (time, inputs) vectors, or a sequence of such arrays. An upper layer of a
        network that reads words takes both: ids of whole reviews, or vectors that the layer below puts out.
    signals : sequence of str, optional
        The signals to record; all of ``network.signals`` by default.
    clamp : mapping of str to (n,) array, optional
        Values at which to clamp a signal's cells at every step, NaN for a free cell.

    Raises
    ------
    ValueError
        For an empty review, an id outside the vocabulary, an input of the wrong shape, or an unknown signal.
    """
    sequences = InputSequences(network, ids, clamp)
    names = signal_names(network, signals)
    checked = checked_clamps(network, clamp or {})
    if network.cell.device.type != "cpu":
        found = _recorded_on_gpu(network, sequences, names, checked)
        return found or record_reference(network, ids, signals, clamp=clamp)
    if not steps.supports(network.cell):
        return record_reference(network, ids, signals, clamp=clamp)
    return _recorded_on_cpu(network, sequences, names, checked)[0]


def record_with_sums(
    network: Network,
    ids: Ids | Inputs,
    signals: Sequence[str],
    summed: Sequence[str],
    *,
    clamp: Mapping[str, ArrayLike] | None = None,
) -> tuple[Recording, Float32s]:
    """Record ``signals`` as `record` does, and sum the cells of the signals ``summed`` at every step.

    The kernels of the CPU add the cells while they are in its cache, so that a signal that is only summed needs no
    memory.

    Returns
    -------
    Recording
    (sum, review, time) float32 array
        `Recording.layer_sum` of each signal of ``summed``, in their order.

    Raises
    ------
    ValueError
        As `record`.
    """
    signal_names(network, summed)  # raises for an unknown one
    if network.cell.device.type != "cpu" or network.backward or not steps.supports(network.cell):
        recording = record(network, ids, [*signals, *summed], clamp=clamp)
        sums = np.array([recording.layer_sum(name) for name in summed], dtype=np.float32)
        return recording, sums.reshape(len(summed), *recording.mask.shape)
    sequences, checked = InputSequences(network, ids, clamp), checked_clamps(network, clamp or {})
    return _recorded_on_cpu(network, sequences, signal_names(network, signals), checked, summed)


def _recorded_on_cpu(
    network: Network,
    sequences: InputSequences,
    names: tuple[str, ...],
    checked: dict[str, Float32s],
    summed: Sequence[str] = (),
) -> tuple[Recording, Float32s]:
    """Do the work of `record_with_sums` by the kernels of the CPU."""
    clamps = steps.clamp(network.cell, checked)
    layer, tokens, vectors = steps.arrange(network.cell), sequences.tokens, sequences.vectors
    if tokens.size > 4 * len(vectors) and len(vectors) * layer.width <= _TABLE:
        layer, vectors = steps.multiply(layer, vectors)
    recorded = [name for name in names if name != "x"]
    slots = np.array(
        [recorded.index(s.name) if s.name in recorded else -1 for s in network.cell.signals], dtype=np.intp
    )
    out = recording_array(len(recorded), *tokens.shape, network.cell.size)
    places = {signal.name: k for k, signal in enumerate(network.cell.signals)}
    of_cells = [k for k, name in enumerate(summed) if name != "x"]
    columns = np.array([places[summed[k]] for k in of_cells], dtype=np.intp)
    totals = np.empty((len(of_cells), *tokens.shape), dtype=np.float32)
    state = network.cell.initial_state(len(sequences.lengths)).float().numpy()
    order = np.argsort(-sequences.lengths, kind="stable")

    def run(part: NDArray[np.intp]) -> None:
        steps.run(layer, vectors, tokens, sequences.lengths, part, state, clamps, slots, out, columns, totals)

    # Python threads: the kernel releases the GIL, and not all of numba's thread pools may be entered by two threads.
    threads = torch.get_num_threads()
    size = max(1, len(order) // (4 * threads * BLOCK)) * BLOCK
    parts = [order[first : first + size] for first in range(0, len(order), size)]
    if threads == 1 or len(parts) == 1:
        run(order)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(run, parts))
    recording = sequences.recording(names, dict(zip(recorded, torch.from_numpy(out), strict=True)))
    if len(of_cells) == len(summed):
        return recording, totals
    x = sum_over_cells(sequences.vectors)[tokens]
    x[~recording.mask] = np.nan
    sums = np.repeat(x[None], len(summed), axis=0)
    sums[of_cells] = totals
    return recording, sums


def _recorded_on_gpu(
    network: Network, sequences: InputSequences, names: tuple[str, ...], clamps: dict[str, Float32s]
) -> Recording | None:
    """Record by the GPU kernels; None where they cannot run."""
    reader = gpu_reader(network, clamps, sequences.vectors)
    if reader is None:
        return None
    from engine.gpu_recording import record_signals

    recorded = [name for name in names if name != "x"]
    return sequences.recording(names, record_signals(reader, sequences.tokens, sequences.lengths, recorded))


def gpu_reader(network: Network, clamps: Mapping[str, ArrayLike], vectors: Float32s | None = None) -> Reader | None:
    """Return the GPU kernels for a network, None where they cannot run or lack its cell, weights or clamps.

    ``vectors`` are the inputs of a network without an embedding.

    Raises
    ------
    ValueError
        For an unknown signal, or a clamp of the wrong shape.
    """
    checked = checked_clamps(network, clamps)
    if network.cell.device.type != "cuda" or not network.cell.standard or kernel_problem():
        return None
    from engine.gpu_recording import Reader  # imports Triton

    try:
        return Reader(network, checked, vectors)
    except ValueError:
        return None


def record_reference(
    network: Network,
    ids: Ids | Inputs,
    signals: Sequence[str] | None = None,
    *,
    clamp: Mapping[str, ArrayLike] | None = None,
) -> Recording:
    """Record by plain PyTorch steps, in the network's precision and on its device: the slow reference of `record`."""
    sequences = InputSequences(network, ids, clamp)
    names = signal_names(network, signals)
    cell = network.cell
    clamps = clamps_on_device(network, checked_clamps(network, clamp or {}))
    with torch.inference_mode():
        vectors = torch.as_tensor(sequences.vectors).to(cell.weight_ih)
        tokens = torch.as_tensor(sequences.tokens, dtype=torch.long, device=cell.device)
        _, values = cell.run(vectors[tokens], clamps=clamps)
        recorded = {name: value.float() for name, value in values.items() if name in names}
        recording = sequences.recording(names, recorded)
        past = torch.as_tensor(~recording.mask, device=cell.device)
        for value in recorded.values():
            value[past] = torch.nan
    return recording


class Clampable:
    """A runner of a network with clamps: signal → (n,) values, NaN for a free cell."""

    network: Network

    @property
    def clamps(self) -> Mapping[str, Float32s]:
        """The clamps; setting them replaces all.

        Raises
        ------
        ValueError
            For an unknown signal, or values of another shape.
        """
        return self._clamps

    @clamps.setter
    def clamps(self, clamps: Mapping[str, ArrayLike]) -> None:
        self._clamps = checked_clamps(self.network, clamps)
        self._use_clamps(self._clamps)

    def _use_clamps(self, clamps: dict[str, Float32s]) -> None:
        """Hold these signals from now on."""
        raise NotImplementedError


class Stepper(Clampable):
    """Run a network word by word on the CPU; every call continues from the current state.

    Parameters
    ----------
    network : Network
        Its weights are copied once, from any device.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        cell = network.cell
        self._names = [signal.name for signal in cell.signals]
        self._layer = steps.arrange(cell) if steps.supports(cell) else None
        self._cell = cell.to(dtype=torch.float32, device="cpu")
        self.clamps = {}
        self._vectors = None if network.embedding is None else network.embedding.detach().float().cpu().numpy()
        self._state = self._cell.initial_state(1).numpy()
        self._order = np.zeros(1, dtype=np.intp)
        self._slots = np.arange(len(cell.signals), dtype=np.intp)

    def reset(self) -> None:
        """Return to the initial state; clamps stay."""
        self._state[:] = self._cell.initial_state(1).numpy()

    @property
    def state(self) -> Float32s:
        """A copy of the current state, (S,); set it from an array or tensor of that shape."""
        return self._state[0].copy()

    @state.setter
    def state(self, values: ArrayLike | Tensor) -> None:
        state = np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values, dtype=np.float32)
        if state.shape != self._state[0].shape:
            raise ValueError(
                f"expected a state of shape {self._state[0].shape} for {self.network.name}, got {state.shape}"
            )
        self._state[0] = state

    def advance(self, ids: NDArray[np.integer] | Sequence[int] | Float32s) -> dict[str, Float32s]:
        """Read words (time,) and return every signal, ``x`` among them, as (time, cell).

        A network without an embedding takes vectors (time, inputs).

        Raises
        ------
        ValueError
            For an id outside the vocabulary, or ids where the network takes vectors.
        """
        if self._vectors is None:
            if np.ndim(ids) == 2:
                return self.advance_inputs(ids)
            raise ValueError(f"{self.network.name} takes vectors, not words: use advance_inputs")
        tokens = np.asarray(ids, dtype=np.int32).reshape(1, -1)
        if tokens.size and not 0 <= tokens.min() <= tokens.max() < len(self._vectors):
            raise ValueError(
                f"ids from {tokens.min()} to {tokens.max()}; {self.network.name} knows 0 to {len(self._vectors) - 1}"
            )
        return self._run(self._vectors, tokens)

    def advance_inputs(self, x: ArrayLike) -> dict[str, Float32s]:
        """Read embedded inputs (time, inputs) and return every signal as (time, cell).

        Raises
        ------
        ValueError
            If ``x`` has another shape.
        """
        x = np.asarray(x, dtype=np.float32)
        _check_inputs(self.network, x, "the input")
        return self._run(x, np.arange(len(x), dtype=np.int32)[None])

    def _run(self, vectors: Float32s, tokens: NDArray[np.int32]) -> dict[str, Float32s]:
        if self._layer is None:
            return self._take_steps(vectors[tokens[0]])
        count = tokens.shape[1]
        out = np.empty((len(self._names), 1, count, self.network.cell.size), dtype=np.float32)
        lengths = np.array([count], dtype=np.intp)
        arrays = vectors, tokens, lengths, self._order, self._state, self._clamp, self._slots, out
        steps.run(self._layer, *arrays, *steps.NOTHING)
        return {**dict(zip(self._names, out[:, 0], strict=True)), "x": vectors[tokens[0]]}

    def _take_steps(self, x: Float32s) -> dict[str, Float32s]:
        """Take plain PyTorch steps, for a layer without a kernel."""
        clamps = {name: torch.from_numpy(values) for name, values in self._clamps.items()}
        if not len(x):
            return {name: np.empty((0, self._cell.size), dtype=np.float32) for name in self._names} | {"x": x}
        with torch.inference_mode():
            state, signals = self._cell.run(torch.from_numpy(x), torch.from_numpy(self._state[0]), clamps)
        self._state[0] = state.numpy()
        return {**{name: value.numpy() for name, value in signals.items()}, "x": x}

    def _use_clamps(self, clamps: dict[str, Float32s]) -> None:
        self._clamp = steps.clamp(self.network.cell, clamps)

    def clamp(self, signal: str, cells: ArrayLike, value: ArrayLike) -> None:
        """Clamp a signal of some cells at a value (one for all, or one a cell) at every step from now on.

        Raises
        ------
        ValueError
            For an unknown signal or cell.
        """
        clamps = np.array(self.clamps.get(signal, np.full(self.network.cell.size, np.nan, dtype=np.float32)))
        try:
            clamps[np.asarray(cells)] = value
        except IndexError:
            raise ValueError(f"{self.network.name} has cells 0 to {len(clamps) - 1}, got {cells!r}") from None
        self.clamps = {**self.clamps, signal: clamps}

    def release(self) -> None:
        """Remove all clamps."""
        self.clamps = {}


class InputSequences:
    """The input: ``tokens`` (review, time), which index rows of ``vectors`` (token, inputs); ``lengths`` (review,)."""

    def __init__(self, network: Network, ids: Any, clamp: Mapping[str, ArrayLike] | None = None) -> None:
        self.network = network
        self._clamp = clamp or {}
        self.reviews: list[NDArray[np.int32]] | None = None  # of words
        if network.text_vocabulary is not None and np.ndim(ids[0] if len(ids) else 0) < 2:
            self.reviews, _ = as_reviews(network.text_vocabulary, ids, network.name)
            ids = [network.inputs(review).float().cpu().numpy() for review in self.reviews] if network.level else ids
        if network.embedding is not None:
            assert self.reviews is not None
            self.vectors: Float32s = network.embedding.detach().float().cpu().numpy()
            rows = self.reviews
        else:
            # The kernel looks up vectors like words: here each row is a word of its own.
            if not len(ids):
                raise ValueError(f"nothing to record for {network.name}: expected at least one sequence")
            inputs = [np.asarray(x, dtype=np.float32) for x in ([ids] if np.ndim(ids[0]) < 2 else ids)]
            for number, x in enumerate(inputs):
                _check_inputs(network, x, f"sequence {number}")
            self.vectors = np.concatenate(inputs)
            ends = np.cumsum([len(x) for x in inputs])
            rows = [np.arange(end - len(x), end, dtype=np.int32) for x, end in zip(inputs, ends, strict=True)]
        self.lengths = np.array([len(row) for row in rows], dtype=np.intp)
        self.in_order = pad(rows)
        self.tokens = pad([row[::-1] for row in rows]) if network.backward else self.in_order
        """Read from the left: those of a backward layer are turned round."""

    def recording(self, names: tuple[str, ...], values: Mapping[str, Tensor]) -> Recording:
        if self.network.backward:
            lengths = torch.from_numpy(self.lengths)
            values = {name: turned(value, lengths) for name, value in values.items()}
        outputs = self._outputs if self.reviews is not None and self.network.shares_readout else None
        return Recording(self.network, names, self.lengths, values, self.in_order, self.vectors, outputs)

    def _outputs(self) -> list[NDArray[np.float64]]:
        network, reviews = self.network, self.reviews
        assert network.stack is not None
        assert reviews is not None
        held = Held.of_arrays((network.level, network.direction), self._clamp)
        return [outputs_along(network.stack, network.output, ids, held=held) for ids in reviews]


def _check_inputs(network: Network, x: NDArray[np.floating], what: str) -> None:
    if x.ndim != 2 or x.shape[1] != network.cell.inputs or not len(x):
        raise ValueError(f"{what} of {network.name} must be (time, {network.cell.inputs}), got {x.shape}")


def signal_names(network: Network, signals: Sequence[str] | None) -> tuple[str, ...]:
    """Return the chosen signals (all if None) in the network's order; ValueError for an unknown one."""
    known = tuple(signal.name for signal in network.signals)
    unknown = set(signals or ()) - set(known)
    if unknown:
        raise ValueError(f"{network.name} has no signal {', '.join(sorted(unknown))}; it has {', '.join(known)}")
    return known if signals is None else tuple(name for name in known if name in signals)


def checked_clamps(network: Network, clamp: Mapping[str, ArrayLike]) -> dict[str, Float32s]:
    """Return clamps as float32 arrays (n,); ValueError for an unknown signal or another shape."""
    signal_names(network, [*clamp])
    clamps = {signal: np.asarray(values, dtype=np.float32) for signal, values in clamp.items()}
    n = network.cell.size
    for signal, values in clamps.items():
        if signal == "x":
            raise ValueError("the input 'x' cannot be clamped; clamp a signal of the cells")
        if values.shape != (n,):
            raise ValueError(f"clamp of {signal!r}: expected ({n},) values, one a cell, got {values.shape}")
    return clamps


def clamps_on_device(network: Network, clamps: Mapping[str, Float32s]) -> dict[str, Tensor]:
    """Return clamps as tensors in the precision and on the device of a network."""
    return {signal: torch.as_tensor(values).to(network.cell.weight_ih) for signal, values in clamps.items()}
