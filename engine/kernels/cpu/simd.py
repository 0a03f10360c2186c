"""Sixteen float64 values as one numba type, so that a formula for sixteen series reads like one for a single number.

LLVM splits the sixteen into two AVX-512 registers, four AVX, or eight SSE or NEON.  The compiler often fails to
vectorise a loop over lanes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

LANES = 16
_WIDE = ir.VectorType(ir.DoubleType(), LANES)


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name=f"Lanes({LANES})")


_lanes = _Lanes()


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        models.PrimitiveModel.__init__(self, manager, kind, _WIDE)


def _wide(builder: Any, kind: Any, value: Any) -> Any:
    """Return a vector as it is and a scalar repeated."""
    if kind == _lanes:
        return value
    one = builder.insert_element(ir.Constant(_WIDE, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(_WIDE, ir.Undefined), order)


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index], source_etype=ir.DoubleType()), _WIDE.as_pointer())


def _load(typing: Any, array: Any, index: Any) -> Any:
    """Load sixteen values from ``index`` on of a flat contiguous array; the index is not checked."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature.args[0], *arguments)
        return builder.load(address, align=8, typ=_WIDE)

    return _lanes(array, types.intp), code


def _store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Store sixteen values, or one repeated, from ``index`` on in a flat contiguous array; the index is not checked."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature.args[0], *arguments[:2])
        builder.store(_wide(builder, signature.args[2], arguments[2]), address, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value if value == _lanes else types.float64), code


def _repeat(typing: Any, value: Any) -> Any:
    """Repeat one value sixteen times."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _wide(builder, types.float64, arguments[0])

    return _lanes(types.float64), code


# numba annotates `intrinsic` for functions of another signature.
load: Any = intrinsic(_load)
store: Any = intrinsic(_store)
repeat: Any = intrinsic(_repeat)


def _lanewise(emit: Callable[[Any, Any, Any], Any], *functions: Any) -> None:
    """Implement functions of two values, of which one may be a scalar, lane by lane."""

    class Lanewise(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            return signature(_lanes, *(k if k == _lanes else types.float64 for k in args)) if _lanes in args else None

    def code(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return emit(builder, *(_wide(builder, k, v) for k, v in zip(sig.args, arguments, strict=True)))

    for function in functions:
        infer_global(function)(type(f"Lanewise_{function.__name__}", (Lanewise,), {"key": function}))
        for kinds in ((_lanes, _lanes), (_lanes, types.float64), (types.float64, _lanes)):
            lower_builtin(function, *kinds)(code)


def _contracted(name: str) -> Callable[[Any, Any, Any], Any]:
    return lambda builder, a, b: getattr(builder, name)(a, b, flags=("contract",))


# Comparisons with NaN are false, so the second argument is chosen.
def _chosen(comparison: str) -> Callable[[Any, Any, Any], Any]:
    return lambda builder, a, b: builder.select(builder.fcmp_ordered(comparison, a, b), a, b)


_lanewise(_contracted("fadd"), operator.add, operator.iadd)
_lanewise(_contracted("fsub"), operator.sub, operator.isub)
_lanewise(_contracted("fmul"), operator.mul, operator.imul)
_lanewise(_contracted("fdiv"), operator.truediv)
_lanewise(_chosen(">"), max)
_lanewise(_chosen("<"), min)
