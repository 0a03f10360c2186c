"""Compile the kernels for a GPU without having one, and report what they need: shared memory, registers, spills.

``python -m engine.kernels.cuda.resources`` prints the table of docs/performance.md; any machine with Triton will do.
A program that asks for more shared memory than the card has does not start, and one that spills is slow.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from engine.kernels.cuda import dfa_steps, launch, steps

SHARED: Final = {80: 163, 90: 227}  # KiB that one program may use, by compute capability
GATES: Final = {"rnn": 1, "gru": 3, "lstm": 4}
SIZES: Final = (8, 32, 64, 128, 256)  # one of each padded size; 256 runs in blocks of 64
OUTPUTS: Final[dict[str, dict[str, Any]]] = {
    "record": {"RECORD": True, "SUMS": False, "STATISTIC": -1},
    "sums": {"RECORD": False, "SUMS": True, "STATISTIC": -1},
    "record, sums": {"RECORD": True, "SUMS": True, "STATISTIC": -1},
    "statistics": {"RECORD": False, "SUMS": False, "STATISTIC": 0},
}
_INTEGERS: Final = ("tokens", "lengths", "order", "slots", "sum_slots", "scales", "sizes")
_DOUBLES: Final = ("x", "constants", "bases", "boxes", "squares")
_SCALARS: Final = ("reviews", "time", "series", "length", "longest")


@dataclass(frozen=True)
class Resources:
    """Resources of one compiled kernel: shared memory in KiB, registers of a thread, spilled bytes of a thread."""

    kernel: str
    capability: int
    shared: float
    registers: int
    spilled: int

    @property
    def fits(self) -> bool:
        """Whether the kernel starts on the card, and spills little."""
        return self.shared <= SHARED[self.capability] and self.spilled <= 64


def recurrent(cell: str, n: int, outputs: str, clamped: bool, capability: int, bits: int = 16) -> Resources:
    """Compile the kernel of a layer of n cells; ``bits`` are those of a counter of saturated steps."""
    plan = launch.plan(GATES[cell], n, SHARED[capability] * 1024)
    constants = plan.constants(GATES[cell], n) | OUTPUTS[outputs] | {"CLAMPED": clamped}
    if plan.narrow:
        constants["BITS"] = bits
    kernel = steps.narrow if plan.narrow else steps.wide
    name = f"{cell} {n}, {outputs}{', clamps' * clamped} ({'narrow' if plan.narrow else 'wide'})"
    return _compiled(name, kernel, constants, plan.warps, capability, "*fp16" if plan.half else "*fp32")


def dfa(order: int, unbiased: bool, capability: int) -> Resources:
    """Compile the kernel of DFA of an order; 0 is that of sums for order 1, −1 the same for unequal lengths."""
    common: dict[str, Any] = {"BLOCK": 128}
    if order == -1:
        name = "DFA 1, unbiased, unequal lengths"
        return _compiled(name, dfa_steps.overlapping_ragged, common, 4, capability)
    if order == 0:
        return _compiled("DFA 1, unbiased, by sums", dfa_steps.overlapping, common, 4, capability)
    constants = common | {"ORDER": order, "UNBIASED": unbiased, "BACKWARD": not unbiased}
    name = f"DFA {order}, {'unbiased' if unbiased else 'standard'}, by fits"
    return _compiled(name, dfa_steps.direct, constants, 4, capability)


def everything() -> Iterator[Resources]:
    """Compile all kernels with all outputs, with clamps, for both capabilities."""
    for capability in SHARED:
        for cell in GATES:
            for n in SIZES:
                for outputs in OUTPUTS:
                    yield recurrent(cell, n, outputs, True, capability)
        yield dfa(-1, True, capability)
        yield dfa(0, True, capability)
        for order in (1, 2, 3):
            for unbiased in (True, False):
                yield dfa(order, unbiased, capability)


def _compiled(
    name: str, kernel: Any, constants: dict[str, Any], warps: int, capability: int, weights: str = "*fp32"
) -> Resources:
    kinds = dict.fromkeys(kernel.arg_names, "*fp32") | dict.fromkeys(_INTEGERS, "*i32")
    kinds |= dict.fromkeys(_DOUBLES, "*fp64") | dict.fromkeys(_SCALARS, "i32") | {"hidden": "*fp16"}
    kinds |= {"weight_high": weights, "weight_low": weights} | dict.fromkeys(constants, "constexpr")
    signature = {argument: kinds[argument] for argument in kernel.arg_names}
    aligned = {(k,): [["tt.divisibility", 16]] for k, kind in enumerate(signature.values()) if kind.startswith("*")}
    built = triton.compile(
        ASTSource(kernel, signature=signature, constexprs=constants, attrs=aligned),
        target=GPUTarget("cuda", capability, 32),
        options={"num_warps": warps, "num_stages": 1},
    )
    assembler = Path(triton.__file__).parent / "backends/nvidia/bin/ptxas"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kernel.ptx"
        file.write_text(built.asm["ptx"], encoding="utf-8")
        architecture = f"--gpu-name=sm_{capability}{'a' * (capability == 90)}"
        command = [os.fspath(assembler), "-v", architecture, os.fspath(file), "-o", os.devnull]
        report = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    registers = max(map(int, re.findall(r"Used (\d+) registers", report)))
    spilled = max(map(int, re.findall(r"(\d+) bytes spill", report)))
    return Resources(name, capability, built.metadata.shared / 1024, registers, spilled)


if __name__ == "__main__":
    print("| kernel | sm | shared, KiB | registers | spilled, bytes |\n|---|---|---|---|---|", flush=True)
    for found in everything():
        row = (found.kernel, found.capability, f"{found.shared:.0f}", found.registers, found.spilled)
        print("| " + " | ".join(map(str, row)) + " |" + " too much" * (not found.fits), flush=True)
