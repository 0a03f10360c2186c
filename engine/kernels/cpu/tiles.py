"""A small matrix product and copies of float32 vectors in registers, for ``engine.kernels.cpu.steps``.

Written in LLVM IR because numba loops are four times slower: the compiler cannot prove that two arrays do not overlap,
so it keeps no block of sums in registers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.kernels.cpu.simd import WIDE

# Rows of a block × columns of a panel, and a few vectors more, must fit the registers.
LANES: Final = 16 if WIDE else 8
BLOCK: Final = 8 if WIDE else 4
PANEL: Final = 2 * LANES


def _lanes(context: Any, builder: Any, lanes: int, kind: Any, value: Any, *indices: Any) -> Any:
    """Return the address of ``lanes`` neighbours in an array; the indices are not checked."""
    array = context.make_array(kind)(context, builder, value)
    first = cgutils.get_item_pointer(context, builder, kind, array, indices)
    return builder.bitcast(first, ir.VectorType(ir.FloatType(), lanes).as_pointer())


def _repeated(builder: Any, value: Any) -> Any:
    undefined = ir.Constant(ir.VectorType(ir.FloatType(), LANES), ir.Undefined)
    one = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def _product(rows: int) -> Callable[..., None]:
    """Return a function that adds U h + W x to ``rows`` rows of the workspace, for one panel of columns."""

    @intrinsic
    def product(typing: Any, work: Any, row: Any, hidden: Any, panels: Any, panel: Any) -> Any:
        """work[r, panel·PANEL :] += Σ_k work[r, hidden + k] · panels[panel, k, :], r = row, …, row + rows − 1."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            work_type, panels_type = signature.args[0], signature.args[3]
            work, row, hidden, panels, panel = arguments
            index = row.type
            parts = [ir.Constant(index, part * LANES) for part in range(2)]
            column = builder.mul(panel, ir.Constant(index, PANEL))
            sums = []
            for r in range(rows):
                at = builder.add(row, ir.Constant(index, r))
                for part in range(2):
                    place = _lanes(context, builder, LANES, work_type, work, at, builder.add(column, parts[part]))
                    sums.append((at, part, place, cgutils.alloca_once_value(builder, builder.load(place, align=4))))
            terms = builder.extract_value(context.make_array(panels_type)(context, builder, panels).shape, 1)
            with cgutils.for_range(builder, terms) as loop:
                weights = [
                    builder.load(_lanes(context, builder, LANES, panels_type, panels, panel, loop.index, part), align=4)
                    for part in parts
                ]
                k = builder.add(hidden, loop.index)
                for at, part, _, total in sums:
                    h = builder.load(_lanes(context, builder, 1, work_type, work, at, k), align=4)
                    h = _repeated(builder, builder.extract_element(h, ir.Constant(ir.IntType(32), 0)))
                    term = builder.fmul(h, weights[part], flags=("contract",))
                    builder.store(builder.fadd(builder.load(total), term, flags=("contract",)), total)
            for _, _, place, total in sums:
                builder.store(builder.load(total), place, align=4)
            return context.get_dummy_value()

        return types.void(work, types.intp, types.intp, panels, types.intp), code

    return product


product_of_block = _product(BLOCK)
product_of_one = _product(1)
