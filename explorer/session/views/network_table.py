"""The table of a folder of networks: filter, order, formats, and the scatter plot, for both front ends.

A filter is a line of terms that all hold: ``size>=32 cell=lstm,gru beta_h<1.2 film``. A term compares a column
(``=`` ``!=`` ``<`` ``<=`` ``>`` ``>=``; ``=`` and ``!=`` take several values with commas), or is a text to find in any
column. Quotes hold blanks. A missing value fulfils only ``column=`` (is missing) and ``!=``.
"""

from __future__ import annotations

import math
import operator
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.number_format import MINUS, MISSING, significant
from engine.text import printable
from explorer.session.core import SessionError
from explorer.session.views.number_format import count
from explorer.session.views.tables import Table

Value = str | int | float | None
Row = Mapping[str, Value]

FILE: Final = "file"
NAME: Final = "name"
AXES: Final = (("beta_h", "dead"), ("beta_h", "accuracy"), ("size", "accuracy"))
"""Columns of the scatter plot, in order of preference."""

_TERM: Final = re.compile(r"([^=<>!]+)(<=|>=|!=|=|<|>)(.*)", re.DOTALL)
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True)
class Sorting:
    """The column that orders the rows; None for the order of the table."""

    column: str | None = None
    descending: bool = False

    def by(self, column: str) -> Sorting:
        """Return the next order by a column: ascending, then descending, then that of the table."""
        if column != self.column:
            return Sorting(column)
        return Sorting() if self.descending else Sorting(column, True)


def columns_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the columns of all rows in order of first appearance."""
    return tuple(dict.fromkeys(name for row in rows for name in row))


def parsed_filter(text: str, columns: Sequence[str]) -> Callable[[Row], bool]:
    """Return the predicate of a filter; see the top of this module.

    Raises
    ------
    SessionError
        If a column is unknown, a comparison lacks a number, or a quotation mark is open.
    """
    try:
        terms = shlex.split(text)
    except ValueError:
        raise SessionError(f"the filter {text!r} has an open quotation mark; close it") from None
    tests = [_test(term, columns) for term in terms]
    return lambda row: all(test(row) for test in tests)


def _test(term: str, columns: Sequence[str]) -> Callable[[Row], bool]:
    found = _TERM.fullmatch(term)
    if found is None:
        wanted = term.casefold()
        return lambda row: any(wanted in str(value).casefold() for value in row.values() if value is not None)
    column, sign, text = found.groups()
    if column not in columns:
        raise SessionError(f"no column {column!r}; the columns are {', '.join(columns)}")
    if sign in ("=", "!="):
        values = tuple(text.split(","))
        return lambda row: _equals(row.get(column), values) == (sign == "=")
    limit, compare = _number(text), _COMPARE[sign]
    if limit is None:
        raise SessionError(f"{term!r} compares with {text!r}; expected a number, as in {column}{sign}1")
    return lambda row: not isinstance(value := row.get(column), str | None) and compare(value, limit)


def _equals(value: Value, texts: Sequence[str]) -> bool:
    if value is None:
        return "" in texts
    if isinstance(value, str):
        return value.casefold() in (text.casefold() for text in texts)
    return any(value == _number(text) for text in texts)


def _number(text: str) -> float | None:
    try:
        return float(text.replace(MINUS, "-"))
    except ValueError:
        return None


def chosen_rows(rows: Sequence[Row], where: str = "", sorting: Sorting = Sorting()) -> list[int]:
    """Return the indices of the rows that a filter accepts, in order; missing values come last.

    Raises
    ------
    SessionError
        If the filter is wrong, or the column is unknown.
    """
    columns = columns_of(rows)
    accepts = parsed_filter(where, columns)
    found = [k for k, row in enumerate(rows) if accepts(row)]
    name = sorting.column
    if name is None:
        return found
    if name not in columns:
        raise SessionError(f"no column {name!r}; the columns are {', '.join(columns)}")
    known = [k for k in found if not is_missing(rows[k].get(name))]
    known.sort(key=lambda k: _order(rows[k].get(name)), reverse=sorting.descending)
    return known + [k for k in found if is_missing(rows[k].get(name))]


def is_missing(value: Value) -> bool:
    """Return whether a value is None or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _order(value: Value) -> tuple[Any, ...]:
    """Return a key that orders numbers before texts, and numbers in texts by value: lstm-8 before lstm-16."""
    if not isinstance(value, str):
        return (0, value)
    return (1, [(part.isdecimal(), int(part) if part.isdecimal() else part) for part in _parts(value)])


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"([0-9]{1,18})", text.casefold()) if part]


def value_text(value: Value) -> str:
    """Format a value: three significant digits, a dash for a missing one."""
    if value is None:
        return MISSING
    if isinstance(value, float):
        plain = 1e-3 <= abs(value) < 1e5  # with its zeros, so that the numbers of a column have one length
        return f"{value:#.3g}".rstrip(".").replace("-", MINUS) if plain else significant(value)
    return printable(str(value)) if isinstance(value, str) else f"{value:,}".replace("-", MINUS)


def is_numeric(rows: Sequence[Row], column: str) -> bool:
    """Return whether a column has numbers."""
    return any(not isinstance(row.get(column), str | None) for row in rows)


def shown_columns(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the columns for the screen: the file, which the name stands for, comes last."""
    columns = columns_of(rows)
    return (*(name for name in columns if name != FILE), *(name for name in columns if name == FILE))


def heading(column: str, sorting: Sorting) -> str:
    """Return the heading of a column, with an arrow if it orders the rows."""
    return column + ("" if column != sorting.column else " ▾" if sorting.descending else " ▴")


def summary(shown: int, total: int, drawn: int, sorting: Sorting) -> str:
    """Return one line: how many networks the filter accepts, and how they are ordered."""
    parts = [count(total, "network") if shown == total else f"{shown:,} of {count(total, 'network')}"]
    if drawn < shown:
        parts.append(f"the first {drawn:,} are listed: filter or sort to see others")
    if sorting.column is not None:
        parts.append(f"by {sorting.column}, {'descending' if sorting.descending else 'ascending'}")
    return "   ".join(parts)


def text_lines(rows: Sequence[Row], order: Sequence[int]) -> list[str]:
    """Return a heading and the rows as aligned text."""
    columns = shown_columns(rows)
    cells = [[name.upper() for name in columns]]
    cells += [[value_text(rows[k].get(name)) for name in columns] for k in order]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [is_numeric(rows, name) for name in columns]
    return [
        "  ".join(
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in cells
    ]


def export_table(rows: Sequence[Row], order: Sequence[int]) -> Table:
    """Return the rows with every column and digit, for a CSV file."""
    columns = columns_of(rows)
    return Table(columns, [tuple(rows[k].get(name) for name in columns) for k in order])


@dataclass(frozen=True, eq=False)
class Scatter:
    """Rows as points of two columns.

    Attributes
    ----------
    x, y : str
        The columns; "" if the table has no two columns of numbers.
    rows : (point,) array
        The row of each point; a row without both numbers has none.
    places : (point, 2) array
        From −1 to 1.
    x_range, y_range : (float, float)
        The values at −1 and 1.
    """

    x: str
    y: str
    rows: NDArray[np.intp]
    places: NDArray[np.float64]
    x_range: tuple[float, float]
    y_range: tuple[float, float]


def axes_of(rows: Sequence[Row]) -> tuple[str, str]:
    """Return the columns to plot first; two empty names if there are no two columns of numbers."""
    numeric = [name for name in columns_of(rows) if is_numeric(rows, name)]
    for pair in AXES:
        if set(pair) <= set(numeric):
            return pair
    return (numeric[0], numeric[1]) if len(numeric) > 1 else ("", "")


def scatter(rows: Sequence[Row], order: Sequence[int], x: str, y: str) -> Scatter:
    """Return the points of the rows in ``order``."""
    values = np.array([[_finite(rows[k].get(name)) for name in (x, y)] for k in order], dtype=float).reshape(-1, 2)
    known = np.isfinite(values).all(axis=1)
    values, chosen = values[known], np.asarray(order, dtype=np.intp)[known]
    ranges = [_range(column) for column in values.T]
    low, high = np.array(ranges).T
    return Scatter(x, y, chosen, 2 * (values - low) / (high - low) - 1, *ranges)


def _finite(value: Value) -> float:
    return math.nan if isinstance(value, str | None) else float(value)


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of an axis, with a margin; around a single value, or 0 … 1 for none."""
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 0.1 * abs(low) or 0.5
    return low - margin, high + margin
