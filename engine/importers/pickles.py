"""An inert reader of pickles: it interprets the opcodes itself and calls nothing that the file names.

A global of the file becomes a `Global`, a call of it or an instance of it becomes an `Inert` record that holds the
arguments and the state. The only exceptions are the functions of ours that the caller passes as ``builders``.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.catalogue import NetworkError

Builder = Callable[..., object]

_MARK: Final = object()
_LITERALS: Final = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
    | {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
    | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
)
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES: Final = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MAPPINGS: Final = frozenset({"collections.OrderedDict", "collections.defaultdict", "collections.Counter"})


@dataclass(frozen=True)
class Global:
    """The dotted name of a class or function; it is never imported."""

    name: str


@dataclass(eq=False)
class Inert:
    """Record of the object that a call of ``kind`` would have built: its arguments, items and state."""

    kind: str
    args: tuple[object, ...] = ()
    items: dict[Any, object] = field(default_factory=dict)
    appended: list[object] = field(default_factory=list)
    state: object = None

    def __repr__(self) -> str:  # without the contents, which may be nested without bound
        return f"Inert({self.kind})"


def read_pickle(
    stream: io.BytesIO, builders: Mapping[str, Builder], persistent: Callable[[object], object] | None = None
) -> object:
    """Interpret one pickle, up to and including its STOP opcode.

    Parameters
    ----------
    stream : BytesIO
    builders : mapping of str to callable
        Functions that stand in for globals of the file, by dotted name. They must check their arguments.
    persistent : callable, optional
        Resolves a persistent id.

    Raises
    ------
    NetworkError
        If the pickle is damaged or uses an opcode that no saved network needs.
    """
    machine = _Machine(builders, persistent)
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            machine.run(opcode.name, argument)
        return machine.stack.pop()
    except NetworkError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise NetworkError(f"damaged pickle ({type(error).__name__}); fetch or save the file again") from None


class _Machine:
    def __init__(self, builders: Mapping[str, Builder], persistent: Callable[[object], object] | None) -> None:
        self.builders = builders
        self.persistent = persistent
        self.stack: list[Any] = []
        self.memo: dict[int, object] = {}

    def run(self, name: str, argument: Any) -> None:
        """Apply one opcode to the stack."""
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            count = _TUPLES[name]
            values = tuple(self.stack[len(self.stack) - count :]) if count else ()
            del self.stack[len(self.stack) - count :]
            self.stack.append(values)
        else:
            method = getattr(self, f"_do_{name.lower()}", None)
            if method is None:
                raise NetworkError(f"the pickle uses the opcode {name}, which no saved network needs")
            method(argument)

    # ---- marks, containers -----------------------------------------------------------------------------------

    def _above_mark(self) -> list[Any]:
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise IndexError
        values = self.stack[at + 1 :]
        del self.stack[at:]
        return values

    def _do_mark(self, _: object) -> None:
        self.stack.append(_MARK)

    def _do_pop_mark(self, _: object) -> None:
        self._above_mark()

    def _do_pop(self, _: object) -> None:
        self.stack.pop()

    def _do_dup(self, _: object) -> None:
        self.stack.append(self.stack[-1])

    def _do_tuple(self, _: object) -> None:
        self.stack.append(tuple(self._above_mark()))

    def _do_list(self, _: object) -> None:
        self.stack.append(self._above_mark())

    def _do_empty_list(self, _: object) -> None:
        self.stack.append([])

    def _do_empty_dict(self, _: object) -> None:
        self.stack.append({})

    def _do_empty_set(self, _: object) -> None:
        self.stack.append([])  # a list is enough: only its members are read

    def _do_frozenset(self, _: object) -> None:
        self.stack.append(self._above_mark())

    def _do_dict(self, _: object) -> None:
        values = self._above_mark()
        self.stack.append(dict(zip(values[::2], values[1::2], strict=True)))

    def _do_append(self, _: object) -> None:
        self._extend([self.stack.pop()])

    def _do_appends(self, _: object) -> None:
        self._extend(self._above_mark())

    _do_additems = _do_appends

    def _extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        (target.appended if isinstance(target, Inert) else target).extend(values)

    def _do_setitem(self, _: object) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._update([key, value])

    def _do_setitems(self, _: object) -> None:
        self._update(self._above_mark())

    def _update(self, values: list[Any]) -> None:
        target = self.stack[-1]
        items = target.items if isinstance(target, Inert) else target
        items.update(zip(values[::2], values[1::2], strict=True))

    # ---- the memo --------------------------------------------------------------------------------------------

    def _do_put(self, argument: int) -> None:
        self.memo[argument] = self.stack[-1]

    _do_binput = _do_long_binput = _do_put

    def _do_memoize(self, _: object) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def _do_get(self, argument: int) -> None:
        self.stack.append(self.memo[argument])

    _do_binget = _do_long_binget = _do_get

    # ---- what pickle would look up, call or change -------------------------------------------------------------

    def _do_global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(Global(f"{module}.{name}"))

    def _do_stack_global(self, _: object) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.stack.append(Global(f"{module:s}.{name:s}"))

    def _do_reduce(self, _: object) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        self.stack.append(self._built(function, arguments))

    def _do_newobj(self, _: object) -> None:
        arguments, kind = self.stack.pop(), self.stack.pop()
        self.stack.append(self._built(kind, arguments))

    def _do_newobj_ex(self, _: object) -> None:
        self.stack.pop()
        self._do_newobj(_)

    def _do_inst(self, argument: str) -> None:
        arguments = tuple(self._above_mark())
        self.stack.append(self._built(Global(argument.replace(" ", ".", 1)), arguments))

    def _do_obj(self, _: object) -> None:
        kind, *arguments = self._above_mark()
        self.stack.append(self._built(kind, tuple(arguments)))

    def _built(self, function: object, arguments: object) -> object:
        if not isinstance(arguments, tuple):
            raise TypeError
        if not isinstance(function, Global):
            return Inert("unknown", arguments)
        if function.name in _MAPPINGS:
            pairs = arguments[0] if arguments and isinstance(arguments[0], list | dict) else ()
            return dict(pairs)
        builder = self.builders.get(function.name)
        return Inert(function.name, arguments) if builder is None else builder(*arguments)

    def _do_build(self, _: object) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], Inert):
            self.stack[-1].state = state

    def _do_binpersid(self, _: object) -> None:
        self._do_persid(self.stack.pop())

    def _do_persid(self, argument: object) -> None:
        self.stack.append(Inert("persistent id") if self.persistent is None else self.persistent(argument))

    def _do_nothing(self, _: object) -> None:
        """Ignore an opcode that only frames the others."""

    _do_proto = _do_frame = _do_stop = _do_nothing
