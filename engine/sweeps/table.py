"""The table of a sweep, one row a network: Parquet where pyarrow is installed (the extra ``arrow``), CSV otherwise.

Usual columns are ``name``, ``file`` (relative to the folder of the table), ``cell``, ``size``, ``seed``, the fields of
the recipe that vary, ``accuracy``, ``loss``, ``beta_h`` with the ends ``beta_h_low`` and ``beta_h_high`` of its
interval, the same for other signals, ``dead`` (share of dead cells), ``points`` (fixed points) and ``seconds``. A table
may have any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from engine.files import atomic_write
from engine.text import FileError, printable

Value = str | int | float | None
Row = Mapping[str, Value]

PARQUET: Final = "table.parquet"
CSV: Final = "table.csv"

_NUMBER: Final = re.compile(r"[+-]?(\d+|(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?|nan|inf)", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d+", re.ASCII)
_CELL: Final = re.compile(r'("(?:[^"]|"")*"|[^,\r\n"]*)(,|\r\n|\n|\r|\Z)')


class TableError(FileError):
    """A table cannot be read or written."""


def write_table(folder: Path, rows: Sequence[Row]) -> Path:
    """Write ``table.parquet`` or ``table.csv`` into a folder, completely or not at all, and return its path.

    The columns are the union of the keys in order of first appearance; a missing value is None. A column with a float
    has only floats, one with a text only texts. A table of the other format in the folder is removed.

    Raises
    ------
    TableError
        If there is no row, or a value is no text and no number.
    OSError
        If the file cannot be written.
    """
    columns = _columns(rows)
    parquet = find_spec("pyarrow") is not None
    path, other = (folder / name for name in ((PARQUET, CSV) if parquet else (CSV, PARQUET)))
    with atomic_write(path) as temporary:
        (_write_parquet if parquet else _write_csv)(temporary, columns)
    other.unlink(missing_ok=True)
    return path


def table_file(path: Path) -> Path | None:
    """Return the table in a folder, or ``path`` itself if it is a file; None if there is none."""
    if path.is_file():
        return path
    return next((path / name for name in (PARQUET, CSV) if (path / name).is_file()), None)


def read_table(path: Path) -> list[dict[str, Value]]:
    """Read the table in a folder, or a Parquet or CSV file, as one dict a row; every row has every column.

    Raises
    ------
    TableError
        If there is no table, it is damaged or without rows, or Parquet needs pyarrow.
    OSError
        If the file cannot be read.
    """
    file = table_file(path)
    if file is None:
        raise TableError(f"{path}: no table; expected {PARQUET} or {CSV} in a folder of networks")
    with file.open("rb") as opened:
        parquet = opened.read(4) == b"PAR1" or file.suffix == ".parquet"
    if not (rows := _read_parquet(file) if parquet else _read_csv(file)):
        raise TableError(f"{file}: a table without rows")
    return rows


def _columns(rows: Sequence[Row]) -> dict[str, list[Value]]:
    if not rows:
        raise TableError("a table needs at least one row")
    names = {name: None for row in rows for name in row}
    return {name: _of_one_type(name, [row.get(name) for row in rows]) for name in names}


def _of_one_type(name: str, values: Sequence[object]) -> list[Value]:
    """Return plain Python values, all texts or all numbers of one type."""
    plain = [value if value is None else getattr(value, "item", lambda value=value: value)() for value in values]
    types = {type(value) for value in plain} - {type(None)}
    if wrong := types - {str, int, float, bool}:
        raise TableError(f"column {name!r} has a {wrong.pop().__name__}; expected texts and numbers")
    kind: type[str | int | float] = str if str in types else float if float in types else int
    return [None if value is None else kind(value) for value in plain]


def _write_parquet(path: Path, columns: Mapping[str, list[Value]]) -> None:
    import pyarrow
    from pyarrow import parquet

    try:
        parquet.write_table(pyarrow.table({name: pyarrow.array(values) for name, values in columns.items()}), path)
    except (pyarrow.ArrowException, OverflowError) as error:
        raise TableError(f"cannot be written as Parquet: {error}") from None


def _read_parquet(path: Path) -> list[dict[str, Value]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise TableError(f"{path}: Parquet needs pyarrow; install it with: pip install 'pinkx[arrow]'") from None
    try:
        rows: list[dict[str, Any]] = parquet.ParquetFile(path).read().to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise TableError(f"{path} is a damaged Parquet file: {printable(str(error))[:120]}") from None
    for name, value in ((name, value) for row in rows[:1] for name, value in row.items()):
        if not isinstance(value, str | int | float | None):
            raise TableError(f"{path}: column {name!r} has a {type(value).__name__}; expected texts and numbers")
    return rows


def _write_csv(path: Path, columns: Mapping[str, list[Value]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(map(_csv_cell, columns)) + "\n")
        file.writelines(",".join(map(_csv_cell, row)) + "\n" for row in zip(*columns.values(), strict=True))


def _csv_cell(value: Value) -> str:
    """Return a number as Python prints it, and a text in quotes where it would be read as something else."""
    if not isinstance(value, str):
        return "" if value is None else repr(value)
    bare = value and value == value.strip() and not _NUMBER.fullmatch(value) and not set(value) & set(',"\r\n')
    return value if bare else '"' + value.replace('"', '""') + '"'


def _read_csv(path: Path) -> list[dict[str, Value]]:
    try:
        lines = _csv_lines(path.read_text(encoding="utf-8-sig"))
        names = [_unquoted(cell) for cell in next(lines, [])]
        rows = []
        for number, cells in enumerate(lines, 2):
            if len(cells) != len(names):
                raise ValueError(
                    f"row {number} has another number of cells ({len(cells)}) than the first row ({len(names)})"
                )
            rows.append(cells)
        if len(set(names)) < len(names):
            raise ValueError("two columns have the same name")
    except ValueError as error:
        raise TableError(f"{path} is no CSV table: {printable(str(error))[:120]}") from None
    columns = [_restored(column) for column in zip(*rows, strict=True)]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _csv_lines(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row, in their quotes: these distinguish a text from a number."""
    position, cells = 0, list[str]()
    while position < len(text):
        found = _CELL.match(text, position)
        if found is None:
            raise ValueError(f"a quotation mark is misplaced in {text[position : position + 40]!r}")
        cells.append(found[1])
        position = found.end()
        if found[2] != ",":
            if cells != [""]:
                yield cells
            cells = []
    if cells:  # the file ends with a comma
        yield [*cells, ""]


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _restored(cells: Sequence[str]) -> list[Value]:
    """Return the values of a column: numbers if every cell that is not empty is one without quotes."""
    given = [cell for cell in cells if cell]
    if not all(map(_NUMBER.fullmatch, given)):
        return [_unquoted(cell) if cell else None for cell in cells]
    kind: type[int | float] = int if all(map(_INTEGER.fullmatch, given)) else float
    return [kind(cell) if cell else None for cell in cells]
