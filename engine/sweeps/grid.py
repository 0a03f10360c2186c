"""Grids of recipes: ``'cell=lstm,gru size=8..128x2 seed=0..9'`` is every combination of these values.

=============  ==================================================================
values         meaning
=============  ==================================================================
``a,b,c``      these
``a..b``       all whole numbers from a to b, both included
``a..b+s``     a, a + s, a + 2 s, … up to b
``a..bxf``     a, f a, f² a, … up to b: ``8..128x2`` is 8, 16, 32, 64, 128
=============  ==================================================================

Every field of the recipe can be named, with ``-`` or ``_``, and ``lr`` for ``learning_rate``.  ``switch`` names an
ingredient that is as in the other recipe; ``none`` changes nothing, and ``all`` stands for ``none`` and every
ingredient in which the two recipes differ, one at a time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from typing import Any, Final, Generic, TypeVar

from engine.recipes import CHOICES, Recipe, switched

R = TypeVar("R")
Value = int | float | str

LARGEST: Final = 100_000  # networks: 80,000 are a study, a million a slip
SWITCH: Final = "switch"
_ALIASES: Final = {"lr": "learning_rate"}
_RANGE: Final = re.compile(r"(?P<first>[^.]+(?:\.\d+)?)\.\.(?P<last>[^x+]+)(?:(?P<how>[x+])(?P<step>.+))?")


@dataclass(frozen=True)
class Grid(Generic[R]):
    """The recipes of a grid by the stem of their files, in its order, the fields that vary, and the switches."""

    text: str
    recipes: Mapping[str, R]
    varying: tuple[str, ...]
    switches: Mapping[str, str]


def sentiment_grid(text: str, base: Recipe, other: Recipe) -> Grid[Recipe]:
    """Return the grid of sentiment networks around a recipe; ``switch`` takes ingredients from the other one.

    Raises
    ------
    ValueError
        If a field, a value or a combination is not possible; the message says what is.
    """

    def change(recipe: Recipe, name: str) -> Recipe:
        return switched(recipe, other, name)

    differing = ("none", *switched_names(base, other))
    return _grid(text, base, {**CHOICES, SWITCH: differing}, change)


def switched_names(base: Recipe, other: Recipe) -> tuple[str, ...]:
    """Return the ingredients in which two recipes differ, without ``validation``, which goes with ``selection``."""
    given, wanted = asdict(base), asdict(other)
    skipped = ("cell", "size", "seed", "validation")
    return tuple(name for name in given if given[name] != wanted[name] and name not in skipped)


def grid_of(text: str, base: R, choices: Mapping[str, Sequence[str]]) -> Grid[R]:
    """Return the grid around a recipe of any kind, a frozen dataclass; see `sentiment_grid`."""
    return _grid(text, base, choices, None)


def _grid(text: str, base: R, choices: Mapping[str, Sequence[str]], switch: Callable[[R, str], R] | None) -> Grid[R]:
    types = {field.name: type(getattr(base, field.name)) for field in fields(base)}  # type: ignore[arg-type]
    if switch is not None:
        types[SWITCH] = str
    values: dict[str, list[Value]] = {}
    for part in text.split():
        name, equals, given = part.partition("=")
        name = name.replace("-", "_")
        name = _ALIASES.get(name, name)
        if not equals or not given:
            raise ValueError(f"--grid: cannot read {part!r}; expected FIELD=VALUES, such as seed=0..9")
        if name not in types:
            raise ValueError(f"--grid: a recipe has no field {name!r}; its fields are {', '.join(types)}")
        if name in values:
            raise ValueError(f"--grid: {name} is named twice; separate its values by commas")
        values[name] = _values(name, given, types[name], choices.get(name))
    if not values:
        raise ValueError("--grid is empty; expected fields and values, such as 'cell=lstm,gru seed=0..9'")
    count = math.prod(len(one) for one in values.values())
    if count > LARGEST:
        raise ValueError(f"--grid has {count:,} networks; expected at most {LARGEST:,}")
    return _named(text, base, values, switch)


def _named(text: str, base: R, values: Mapping[str, Sequence[Value]], switch: Callable[[R, str], R] | None) -> Grid[R]:
    recipes: dict[str, R] = {}
    switches: dict[str, str] = {}
    parts = [name for name, given in values.items() if len(given) > 1 and name not in ("cell", "size", "seed", "task")]
    for combination in product(*values.values()):
        chosen = dict(zip(values, combination, strict=True))
        change = str(chosen.pop(SWITCH, "none"))
        try:
            recipe = replace(base, **chosen)  # type: ignore[type-var]
            if switch is not None and change != "none":
                recipe = switch(recipe, change)
        except ValueError as error:
            raise ValueError(f"--grid: {', '.join(f'{k}={v}' for k, v in chosen.items())}: {error}") from None
        stem = _stem(recipe, [part for part in parts if part != SWITCH], change)
        if stem in recipes:
            raise ValueError(f"--grid: two networks would be saved as {stem}; leave one of their values out")
        recipes[stem], switches[stem] = recipe, change
    varying = [name for name, given in values.items() if len(given) > 1]
    return Grid(text, recipes, tuple(varying), switches)


def _stem(recipe: Any, parts: Sequence[str], change: str) -> str:
    """Return ``lstm-8-s0``, with the task, the values that vary and the ingredient before the seed."""
    task = [recipe.task] if hasattr(recipe, "task") else []
    varied = [f"{part}-{_short(getattr(recipe, part))}" for part in parts]
    ingredient = [] if change == "none" else [change]
    return "-".join([recipe.cell, str(recipe.size), *task, *varied, *ingredient, f"s{recipe.seed}"])


def _short(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _values(name: str, text: str, kind: type, choices: Sequence[str] | None) -> list[Value]:
    """Return the values of one field, each once."""
    found: list[Value] = []
    for part in text.split(","):
        if name == SWITCH and part == "all" and choices is not None:
            found += choices
        elif kind is str:
            found.append(part.replace("-", "_") if name == SWITCH else part)
        elif ".." in part:
            found += _range(name, part, kind)
        else:
            found.append(_number(name, part, kind))
    if choices is not None and (unknown := [value for value in found if value not in choices]):
        raise ValueError(f"--grid: {name}={unknown[0]} is unknown; expected one of {', '.join(choices)}")
    return list(dict.fromkeys(found))


def _range(name: str, text: str, kind: type) -> list[Value]:
    parts = _RANGE.fullmatch(text)
    if parts is None:
        raise ValueError(f"--grid: cannot read {name}={text}; expected a..b, a..b+step or a..bxfactor")
    first, last = (_number(name, parts[end], kind) for end in ("first", "last"))
    how, step = parts["how"] or "+", _number(name, parts["step"] or "1", float if parts["how"] == "x" else kind)
    if parts["how"] is None and kind is float:
        raise ValueError(f"--grid: {name}={text} needs a step, such as {text}+0.1 or {text}x10")
    if first > last or step <= (1 if how == "x" else 0) or (how == "x" and first <= 0):
        raise ValueError(f"--grid: {name}={text} has no values; expected a rising range, and a factor above 1")
    found: list[Value] = []
    value, number = first, 0
    while value <= last * (1 + 1e-9) if last > 0 else value <= last:
        found.append(kind(round(value, 12)))
        if len(found) > LARGEST:
            raise ValueError(f"--grid: {name}={text} has more than {LARGEST:,} values")
        number += 1
        value = first * step**number if how == "x" else first + step * number
    return found


def _number(name: str, text: str, kind: type) -> Any:
    try:
        value = kind(text)
    except ValueError:
        expected = "a whole number" if kind is int else "a number"
        raise ValueError(f"--grid: {name}={text}: expected {expected}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"--grid: {name}={text}: expected a finite number")
    return value
