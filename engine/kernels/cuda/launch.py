"""Launch the recurrent kernels of ``engine.kernels.cuda.steps``; imported only when a tensor on a GPU is met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import torch
import triton
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from engine.cells import Cell, GruCell
from engine.kernels.cuda import steps

ROWS: Final = steps.ROWS.value
NARROW: Final = 128  # cells of the largest layer whose state fits the registers
BLOCK: Final = 64  # cells of a block of a wider layer
LARGEST: Final = 60_000.0  # a float16 number ends at 65,504
SHORT: Final = 32_767  # steps whose saturated ones two counters in 32 bits can count


@dataclass(frozen=True)
class Plan:
    """Configuration of the kernel for a layer of n cells: its kind, the storage of weights, and the number of warps."""

    narrow: bool
    padded: int  # n rounded up
    half: bool  # weights as two float16 numbers, for the tensor cores
    keep_high: bool  # high parts of the weights stay on chip
    keep_low: bool
    warps: int

    def constants(self, cell: int, n: int) -> dict[str, int]:
        """Return the constants with which the kernel is compiled, without those of the outputs."""
        both = {"CELL": cell, "n": n, "N": self.padded}
        if not self.narrow:
            return both | {"BLOCK": BLOCK}
        return both | {"HALF": self.half, "KEEP_HIGH": self.keep_high, "KEEP_LOW": self.keep_low}


def plan(cell: int, n: int, shared: int) -> Plan:
    """Choose how to run a layer of n cells with ``cell`` gates on a card with ``shared`` bytes of shared memory.

    Measured on an H100: float32 is faster up to 16 cells, 4 warps up to 32 cells, 8 above.
    """
    padded = max(16, triton.next_power_of_2(n))
    if padded > NARROW:
        return Plan(False, -(-n // BLOCK) * BLOCK, True, False, False, 8)
    if padded == 16:
        return Plan(True, padded, False, True, True, 8)
    part = cell * padded * padded * 2  # bytes of the high or the low parts
    operand = 4096  # bytes of h, as both parts
    keep_low = padded <= 64 and 2 * part + operand <= shared
    keep_high = keep_low or part + padded * padded * 2 + operand <= shared
    if not keep_high:
        return Plan(False, -(-n // BLOCK) * BLOCK, True, False, False, 8)
    return Plan(True, padded, True, keep_high, keep_low, 4 if padded <= 32 else 8)


@dataclass(frozen=True, eq=False)
class Layer:
    """The weights of a layer on its device, in the layout of the kernels."""

    cell: Cell
    plan: Plan
    high: Tensor  # (gate, N, N): recurrent weights transposed, or their high parts
    low: Tensor
    bias_hn: Tensor  # (N,): the hidden bias of a GRU's candidate
    readout: Tensor  # (N,)
    slots: dict[object, Tensor] = field(default_factory=dict)  # tables of `slots_of` on the device

    @property
    def state_bound(self) -> float:
        """Largest |h| that the kernel represents."""
        return LARGEST if self.plan.half else float("inf")


@dataclass(frozen=True, eq=False)
class Outputs:
    """Results of `run`, on the device; None where they were not asked for.

    Attributes
    ----------
    record : (signal, review, time, cell) float32 tensor
        NaN past the end of a review.
    sums : (signal, review, time) float32 tensor
        Sums over cells.
    readout : (review, time) float32 tensor
        Σ w h after every word; the logit without its bias.
    statistics : (4, review, cell) float32 tensor
        Mean, Σ(x − mean)², and numbers of steps below 0.1 and above 0.9.
    """

    record: Tensor | None
    sums: Tensor | None
    readout: Tensor | None
    statistics: Tensor | None


def shared_memory(device: torch.device) -> int:
    """Return the shared memory in bytes that a program may use; unlimited under Triton's interpreter."""
    if device.type != "cuda":
        return 1 << 30
    properties: Any = torch.cuda.get_device_properties(device)
    return int(properties.shared_memory_per_block_optin)


def arrange(cell: Cell, readout: Tensor | None = None, *, shared: int | None = None) -> Layer:
    """Return the weights of a cell, and of a readout (n,) if given, in the layout of the kernels.

    Raises
    ------
    ValueError
        If a weight is too large for two float16 numbers.
    """
    chosen = plan(cell.gates, cell.size, shared_memory(cell.device) if shared is None else shared)
    n, N = cell.size, chosen.padded
    weights = torch.zeros(cell.gates, N, N, dtype=torch.float64, device=cell.device)
    weights[:, :n, :n] = cell.weight_hh.double().reshape(cell.gates, n, n).mT
    if chosen.half:
        if weights.abs().max() > LARGEST:
            raise ValueError(f"a recurrent weight of {weights.abs().max():.3g} is above {LARGEST:,.0f}; use the CPU")
        high = weights.half()
        low = ((weights - high.double()) * steps.SPLIT.value).half()
    else:
        high = low = weights.float()
    bias_hn, row = torch.zeros(2, N, dtype=torch.float32, device=cell.device)
    if isinstance(cell, GruCell):
        bias_hn[:n] = cell.bias_hn
    if readout is not None:
        row[:n] = readout
    return Layer(cell, chosen, high, low, bias_hn, row)


def input_table(layer: Layer, vectors: Tensor) -> Tensor:
    """Return W x + b of every input vector (token, inputs), as (token, gate, N) float32."""
    cell = layer.cell
    table = torch.zeros(len(vectors), cell.gates, layer.plan.padded, dtype=torch.float32, device=cell.device)
    sums = vectors.double() @ cell.weight_ih.double().mT + cell.bias.double()
    table[..., : cell.size] = sums.reshape(-1, cell.gates, cell.size)
    return table


def clamp_table(layer: Layer, clamps: Mapping[str, ArrayLike]) -> Tensor | None:
    """Return clamps (n,), NaN for a free cell, in the layout of the kernels, (signal, N); None without one."""
    if not clamps:
        return None
    names = [signal.name for signal in layer.cell.signals]
    table = np.full((len(names), layer.plan.padded), np.nan, dtype=np.float32)
    for name, values in clamps.items():
        table[names.index(name), : layer.cell.size] = values
    return torch.as_tensor(table, device=layer.high.device)


def slots_of(layer: Layer, chosen: tuple[str, ...], extra: tuple[int, ...] = ()) -> Tensor:
    """Return the place of each signal among the chosen ones, −1 if it is not, and then ``extra``, on the device."""
    key = chosen, extra
    if key not in layer.slots:
        places = [chosen.index(signal.name) if signal.name in chosen else -1 for signal in layer.cell.signals]
        layer.slots[key] = torch.tensor([*places, *extra], dtype=torch.int32, device=layer.high.device)
    return layer.slots[key]


def to_device(values: NDArray[Any], device: torch.device) -> Tensor:
    """Copy an array to a device without waiting for what runs there."""
    tensor = torch.from_numpy(values)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def _launch(layer: Layer, chosen: Plan, arguments: dict[str, Any], bits: int) -> None:
    """Start a kernel; ``bits`` are those of its counters of saturated steps."""
    programs = triton.cdiv(arguments["reviews"], ROWS)
    arguments |= chosen.constants(layer.cell.gates, layer.cell.size)
    if chosen.narrow:
        arguments["BITS"] = bits
    else:
        device = arguments["out"].device
        arguments["hidden"] = torch.empty(2, programs * ROWS, 2, chosen.padded, dtype=torch.float16, device=device)
        arguments["memory"] = torch.empty(programs * ROWS, chosen.padded, device=device)
    kernel: Any = steps.narrow if chosen.narrow else steps.wide
    kernel[(programs,)](**arguments, num_warps=chosen.warps, num_stages=1)


def run(
    layer: Layer,
    table: Tensor,
    tokens: Tensor,
    lengths: NDArray[np.integer],
    state: Tensor,
    *,
    clamps: Tensor | None = None,
    record: Sequence[str] = (),
    sums: Sequence[str] = (),
    readout: bool = False,
    statistic: str | None = None,
) -> Outputs:
    """Take all steps of all reviews.

    Parameters
    ----------
    table : (token, gate, N) tensor
        Result of `input_table`.
    tokens : (review, time) int32 tensor
        Rows of the table; not checked.
    lengths : (review,) array on the host
        Number of steps of each review, none longer than ``time``.
    state : (review, S) float32 tensor
        Initial states; overwritten by the final ones.
    clamps : (signal, N) tensor, optional
        Result of `clamp_table`.
    record, sums : sequence of str
        Signals to record, and to sum over cells.
    readout : bool
        Return Σ w h after every word.
    statistic : str, optional
        Signal whose statistics to return.
    """
    cell, chosen, device = layer.cell, layer.plan, tokens.device
    names = [signal.name for signal in cell.signals]
    reviews, time = tokens.shape
    ragged = bool((lengths < time).any())  # on the host: reading it from the card would wait for the card
    # Whole multiples of 16 bytes: Triton compiles a kernel again for pointers that are none.
    on_host = np.zeros((2, -(-reviews // 4) * 4), dtype=np.int32)
    on_host[:, :reviews] = lengths, np.argsort(-lengths, kind="stable")
    sizes, order = to_device(on_host, device)

    def empty(*shape: int) -> Tensor:
        return torch.full(shape, torch.nan, device=device) if ragged else torch.empty(shape, device=device)

    columns = 2 if cell.gates == 1 else 8
    last = len(sums) if readout else -1
    unused = torch.empty(1, device=device)
    out = empty(len(record), reviews, time, cell.size) if record else unused
    total = empty(len(sums) + readout, reviews, time) if sums or readout else unused
    statistics = torch.zeros(4, reviews, cell.size, device=device) if statistic is not None else unused
    arguments: dict[str, Any] = {
        "table": table,
        "weight_high": layer.high,
        "weight_low": layer.low,
        "bias_hn": layer.bias_hn,
        "tokens": tokens.contiguous(),
        "lengths": sizes,
        "order": order,
        "state": state,
        "clamps": unused if clamps is None else clamps,
        "slots": slots_of(layer, tuple(record)),
        "out": out,
        "sum_slots": slots_of(layer, tuple(sums), (last, *[-1] * (columns - len(names) - 1))),
        "sums": total,
        "readout": layer.readout,
        "statistics": statistics,
        "reviews": reviews,
        "time": time,
        "CLAMPED": clamps is not None,
    }
    start = state.clone() if statistic is not None and (record or sums or readout) else state
    with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
        if record or sums or readout or statistic is None:
            outputs = {"RECORD": bool(record), "SUMS": bool(sums) or readout, "STATISTIC": -1}
            _launch(layer, chosen, arguments | outputs, 16)
        if statistic is not None:
            # A launch of its own: together, the outputs of 128 cells do not fit the registers. Nor do counters of 64
            # bits: long reviews take the other kernel, which has its counters in memory and the same weights.
            outputs = {"RECORD": False, "SUMS": False, "STATISTIC": names.index(statistic)}
            in_blocks = chosen.narrow and time > SHORT and chosen.padded % BLOCK == 0
            given = replace(chosen, narrow=False, warps=8) if in_blocks else chosen
            _launch(layer, given, arguments | outputs | {"state": start}, 16 if time <= SHORT else 32)
    return Outputs(
        out if record else None,
        total[: len(sums)] if sums else None,
        total[-1] if readout else None,
        statistics if statistic is not None else None,
    )
