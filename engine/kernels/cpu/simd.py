"""A few float64 or float32 values as one numba type, so that a formula for all reads like one for a number.

LLVM splits them into the registers of the processor: eight float64 values into two of AVX, or four of SSE or NEON.  The
compiler often fails to vectorise a loop.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

WIDE: Final[bool] = binding.get_host_cpu_features().get("avx512f", False)

LANES: Final = 16 if WIDE else 8
"""Number of float64 values: two registers, which hide each other's delays; four of AVX are too many."""

FLOATS: Final = 8
"""Number of float32 values."""

_DOUBLES: Final = ir.VectorType(ir.DoubleType(), FLOATS)
_FLOATS: Final = ir.VectorType(ir.FloatType(), FLOATS)
_INTS: Final = ir.VectorType(ir.IntType(32), FLOATS)


class _Lanes(types.Type):
    def __init__(self, number: Any, count: int) -> None:
        super().__init__(name=f"Lanes({count}, {number})")
        self.number = number
        self.vector = ir.VectorType(ir.DoubleType() if number == types.float64 else ir.FloatType(), count)


_kinds: Final = {types.float64: _Lanes(types.float64, LANES), types.float32: _Lanes(types.float32, FLOATS)}


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        models.PrimitiveModel.__init__(self, manager, kind, kind.vector)


def _wide(builder: Any, lanes: Any, kind: Any, value: Any) -> Any:
    """Return a vector as it is and a scalar repeated."""
    if kind == lanes:
        return value
    undefined = ir.Constant(lanes.vector, ir.Undefined)
    one = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), lanes.vector.count), [0] * lanes.vector.count)
    return builder.shuffle_vector(one, undefined, order)


def _address(context: Any, builder: Any, kind: Any, array: Any, where: Any, index: Any) -> Any:
    """Return the address of an element, given by one index or a tuple of them; they are not checked."""
    indices = [index] if isinstance(where, types.Integer) else cgutils.unpack_tuple(builder, index)
    first = cgutils.get_item_pointer(context, builder, kind, context.make_array(kind)(context, builder, array), indices)
    return builder.bitcast(first, _kinds[kind.dtype].vector.as_pointer())


def _index(kind: Any) -> Any:
    return types.intp if isinstance(kind, types.Integer) else types.UniTuple(types.intp, len(kind))


def _load(typing: Any, array: Any, index: Any) -> Any:
    """Load values from an element on of a contiguous array; the index is not checked."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, where = signature.args
        address = _address(context, builder, kind, arguments[0], where, arguments[1])
        return builder.load(address, align=kind.dtype.bitwidth // 8, typ=_kinds[kind.dtype].vector)

    return _kinds[array.dtype](array, _index(index)), code


def _storing(past_caches: bool) -> Callable[..., Any]:
    def store(typing: Any, array: Any, index: Any, value: Any) -> Any:
        """Store values, or one repeated, from an element on in a contiguous array; the index is not checked."""
        lanes = _kinds[array.dtype]

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind, where, given = signature.args
            address = _address(context, builder, kind, arguments[0], where, arguments[1])
            size = kind.dtype.bitwidth // 8
            align = size * lanes.vector.count if past_caches else size
            stored = builder.store(_wide(builder, lanes, given, arguments[2]), address, align=align)
            if past_caches:
                stored.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))
            return context.get_dummy_value()

        return types.void(array, _index(index), value if value == lanes else lanes.number), code

    return store


def _repeat(typing: Any, value: Any) -> Any:
    """Repeat one value in all lanes."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _wide(builder, signature.return_type, signature.args[0], arguments[0])

    return _kinds[value](value), code


def _power_of_two(typing: Any, shifted: Any) -> Any:
    """Return 2^k for float32 values 1.5·2²³ + k, which have k in their lowest bits; −127 < k < 128."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = builder.shl(builder.bitcast(arguments[0], _INTS), ir.Constant(_INTS, [23] * FLOATS))
        bits = builder.add(bits, ir.Constant(_INTS, [0x3F800000] * FLOATS))
        return builder.bitcast(bits, signature.return_type.vector)

    return shifted(shifted), code


def _unless_nan(typing: Any, a: Any, b: Any) -> Any:
    """Return ``a``, and ``b`` where it is NaN."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b = arguments
        return builder.select(builder.fcmp_ordered("ord", a, a), a, b)

    return a(a, a), code


def _sum_of_row(typing: Any, array: Any, row: Any, first: Any, count: Any) -> Any:
    """Sum ``count`` numbers of a row from a column on in float64, in the order of `sums.sum_rows`; not checked."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, (values, row, first, count) = signature.args[0], arguments
        lanes, number = ir.Constant(first.type, FLOATS), ir.DoubleType()
        array = context.make_array(kind)(context, builder, values)
        place = cgutils.get_item_pointer(context, builder, kind, array, [row, first])
        total = cgutils.alloca_once_value(builder, ir.Constant(_DOUBLES, [0.0] * FLOATS))
        whole = builder.udiv(count, lanes)
        with cgutils.for_range(builder, whole) as loop:
            part = builder.bitcast(builder.gep(place, [builder.mul(loop.index, lanes)]), _FLOATS.as_pointer())
            part = builder.fpext(builder.load(part, align=4), _DOUBLES)
            builder.store(builder.fadd(builder.load(total), part), total)
        vector = builder.load(total)
        sums = [builder.extract_element(vector, ir.Constant(ir.IntType(32), k)) for k in range(FLOATS)]
        rest = cgutils.alloca_once_value(builder, sums[0])
        done = builder.mul(whole, lanes)
        with cgutils.for_range(builder, builder.sub(count, done)) as loop:
            one = builder.fpext(builder.load(builder.gep(place, [builder.add(done, loop.index)])), number)
            builder.store(builder.fadd(builder.load(rest), one), rest)
        sums[0] = builder.load(rest)
        while len(sums) > 1:
            sums = [builder.fadd(a, b) for a, b in zip(sums[::2], sums[1::2], strict=True)]
        return sums[0]

    return types.float64(array, types.intp, types.intp, types.intp), code


# numba annotates `intrinsic` for functions of another signature.
load: Any = intrinsic(_load)
store: Any = intrinsic(_storing(past_caches=False))
store_past_caches: Any = intrinsic(_storing(past_caches=True))  # the target must be aligned to the values together
repeat: Any = intrinsic(_repeat)
power_of_two: Any = intrinsic(_power_of_two)
unless_nan: Any = intrinsic(_unless_nan)
sum_of_row: Any = intrinsic(_sum_of_row)


def _lanewise(emit: Callable[[Any, Any, Any], Any], *functions: Any) -> None:
    """Implement functions of two values, of which one may be a scalar, lane by lane."""

    class Lanewise(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            lanes = next((kind for kind in args if isinstance(kind, _Lanes)), None)
            return lanes and signature(lanes, *(kind if kind == lanes else lanes.number for kind in args))

    def code(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        lanes = sig.return_type
        return emit(builder, *(_wide(builder, lanes, k, v) for k, v in zip(sig.args, arguments, strict=True)))

    for function in functions:
        infer_global(function)(type(f"Lanewise_{function.__name__}", (Lanewise,), {"key": function}))
        for kinds in ((_Lanes, _Lanes), (_Lanes, types.Float), (types.Float, _Lanes)):
            lower_builtin(function, *kinds)(code)


def _contracted(name: str) -> Callable[[Any, Any, Any], Any]:
    return lambda builder, a, b: getattr(builder, name)(a, b, flags=("contract",))


# Comparisons with NaN are false, so the second argument is chosen.
def _chosen(comparison: str) -> Callable[[Any, Any, Any], Any]:
    return lambda builder, a, b: builder.select(builder.fcmp_ordered(comparison, a, b), a, b)


_lanewise(_contracted("fadd"), operator.add, operator.iadd)
_lanewise(_contracted("fsub"), operator.sub, operator.isub)
_lanewise(_contracted("fmul"), operator.mul, operator.imul)
_lanewise(_contracted("fdiv"), operator.truediv, operator.itruediv)
_lanewise(_chosen(">"), max)
_lanewise(_chosen("<"), min)
