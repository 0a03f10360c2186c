"""Parquet and Arrow files, read batch by batch; needs pyarrow (the extra ``arrow``)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from engine.sources.collection import Collector
from engine.sources.columns import Row, choose
from engine.sources.tables import Rows, collect_rows
from engine.text import ReviewError, printable

_BATCH: Final = 1024  # rows
_SAMPLE: Final = 64  # rows that show which columns to read


def read_arrow(collector: Collector, path: Path, name: str, *, parquet: bool) -> None:
    """Add the rows of a Parquet file, or of an Arrow file or stream.

    Raises
    ------
    ReviewError
        If pyarrow is missing, the file is damaged, or its columns are not clear.
    """
    try:
        import pyarrow
    except ImportError:
        raise ReviewError(
            f"{collector.source!r}: Parquet and Arrow files need pyarrow; install it with: pip install 'pinkx[arrow]'"
        ) from None
    collector.format = "Parquet" if parquet else "Arrow"
    try:
        with ExitStack() as stack:
            schema, batches = (_parquet if parquet else _arrow)(collector, path, stack)
            collect_rows(collector, _rows(batches, _class_names(schema), name))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        if isinstance(error, ReviewError):
            raise
        reason = printable(str(error))[:120]
        raise ReviewError(f"{collector.source!r} is a damaged {collector.format} file: {reason}") from None


def _parquet(collector: Collector, path: Path, stack: ExitStack) -> tuple[Any, Iterator[Any]]:
    from pyarrow import parquet

    file = stack.enter_context(parquet.ParquetFile(path, memory_map=True))
    first = next(file.iter_batches(batch_size=_SAMPLE), None) if file.metadata.num_rows else None
    wanted = None if first is None else _wanted(collector, first.to_pylist())
    return file.schema_arrow, file.iter_batches(batch_size=_BATCH, columns=wanted)


def _wanted(collector: Collector, rows: list[Row]) -> list[str]:
    """Return the columns to read: others may be pictures of megabytes."""
    columns = choose(collector.source, rows, collector.options)
    return [columns.text, *([columns.label] if columns.label else [])]


def _arrow(collector: Collector, path: Path, stack: ExitStack) -> tuple[Any, Iterator[Any]]:
    import pyarrow

    file = stack.enter_context(pyarrow.memory_map(str(path)))
    whole = file.read(6) == b"ARROW1"
    file.seek(0)
    if whole:
        reader = stack.enter_context(pyarrow.ipc.open_file(file))
        return reader.schema, (reader.get_batch(k) for k in range(reader.num_record_batches))
    reader = stack.enter_context(pyarrow.ipc.open_stream(file))
    return reader.schema, iter(reader)


def _rows(batches: Iterator[Any], classes: dict[str, list[str]], name: str) -> Rows:
    number = 0
    for batch in batches:
        batch.validate(full=True)  # reading a damaged one may end the process
        for start in range(0, batch.num_rows, _BATCH):
            for row in batch.slice(start, _BATCH).to_pylist():
                number += 1
                for column, names in classes.items():
                    value = row.get(column)
                    if isinstance(value, int) and 0 <= value < len(names):
                        row[column] = names[value]
                yield f"{name}, row {number}", f"row {number}", row


def _class_names(schema: Any) -> dict[str, list[str]]:
    """Return the names of the classes of each label column, where the file was written by Hugging Face's datasets."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        found = {column: feature["names"] for column, feature in features.items() if "names" in feature}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return {column: names for column, names in found.items() if isinstance(names, list)}
