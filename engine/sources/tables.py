"""Rows of any table, collected as reviews."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from engine.sources.collection import Collector
from engine.sources.columns import SAMPLE, Row, cell_text, choose
from engine.sources.labels import LabelColumn

Rows = Iterator[tuple[str, str, Row]]
"""(name of the review, place for messages, cells by column) of each row."""


def collect_rows(collector: Collector, rows: Rows) -> None:
    """Add the rows of a table.

    Raises
    ------
    ReviewError
        If the columns are not clear.
    """
    sample = list(islice(rows, SAMPLE))
    if not sample:
        if not collector.has_skipped:
            collector.skip("", "it has no rows")
        return
    columns = choose(collector.source, [row for *_, row in sample], collector.options)
    if collector.options.columns or columns.stars:
        collector.note(f"text from {columns.text!r}" + (f", label from {columns.label!r}" if columns.label else ""))
    labels = LabelColumn(columns.label or "label", columns.stars)
    for name, place, row in chain(sample, rows):
        text = cell_text(row.get(columns.text))
        if text is None:
            collector.skip(place, f"no text in the column {columns.text[:40]!r}")
        elif collector.add(name, place, text):
            labels.add(row.get(columns.label) if columns.label else None, place)
    collector.labels(labels)
