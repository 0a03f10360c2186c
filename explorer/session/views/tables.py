"""The numbers in view as tables: of every panel its own."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from engine.files import atomic_write
from explorer.session.core import Frame, SessionError, SignalReader
from explorer.session.views.point_map import STATES, PointDetails, PointMap
from explorer.session.views.scaling import scaling
from explorer.session.views.traces import alpha_column, cell_table

Table = tuple[list[str], list[list[Any]]]  # headings, and rows as long


class PointSource(Protocol):
    """Where the tables of points come from."""

    @property
    def map(self) -> PointMap | None: ...
    def details(self, frame: Frame) -> PointDetails | None: ...


class TableSource(SignalReader, Protocol):
    """What all tables are made from; a `explorer.session.session.Session` is one."""

    @property
    def fixed_points(self) -> PointSource: ...


def write_csv(session: TableSource, frame: Frame, path: Path, panel: str = "heatmap") -> None:
    """Write the numbers of a panel, by its name in the table of actions (``focus-…``).

    Written beside and renamed, so that a file is whole or not there.

    Raises
    ------
    SessionError
        If the panel shows no numbers yet.
    """
    headings, rows = numbers(session, frame, panel)
    with atomic_write(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(headings)
        table.writerows(rows)


def numbers(session: TableSource, frame: Frame, panel: str) -> Table:
    """The numbers that a panel shows: those of the words where it has none of its own."""
    return _TABLES.get(panel, _words)(session, frame)


def _words(session: SignalReader, frame: Frame) -> Table:
    """One line a word that is read and kept: P(positive), rolling α, and the chosen signal of every cell."""
    time, name = frame.snapshot.time, frame.choices.signal
    values = session.read(name, 0, time)
    first = time - len(values)
    probability = session.read("probability", first, time)[:, 0].tolist()
    alpha = alpha_column(session, frame, first, time)[:, 0].tolist()
    words = frame.snapshot.review.words[first:time]
    lines = zip(words, probability, alpha, values.tolist(), strict=False)  # the engine may have read on
    headings = ["time", "word", "probability", f"alpha_{name}", *(f"{name}_{k}" for k in range(values.shape[1]))]
    return headings, [[first + k, word, p, a, *row] for k, (word, p, a, row) in enumerate(lines)]


def _alpha(session: SignalReader, frame: Frame) -> Table:
    """Rolling α of every layer sum; or F(s) where that is shown."""
    if frame.choices.scaling:
        found = scaling(session, frame)
        return ["scale", f"F {found.series}"], np.stack([found.scales, found.fluctuation], axis=1).tolist()
    values = session.read("alpha", 0, frame.snapshot.time)
    first = frame.snapshot.time - len(values)
    names = [f"alpha_{signal.name}" for signal in frame.snapshot.network.signals]
    return ["time", *names], [[first + k, *row] for k, row in enumerate(values.tolist())]


def _points(session: TableSource, frame: Frame) -> Table:
    points = session.fixed_points.map
    if points is None:
        raise SessionError("no points are found yet: save them when they are")
    columns = (
        points.names,
        points.places.tolist(),
        points.logit.tolist(),
        points.memory.tolist(),
        points.state.tolist(),
    )
    rows = [
        [name, *place, logit, memory, STATES[state]] for name, place, logit, memory, state in zip(*columns, strict=True)
    ]
    return ["input", "PC1", "PC2", "PC3", "logit", "memory", "state"], rows


def _spectrum(session: TableSource, frame: Frame) -> Table:
    details = session.fixed_points.details(frame)
    if details is None:
        raise SessionError("no point is found yet: save its eigenvalues when one is")
    return ["real", "imaginary", "modulus"], [[v.real, v.imag, abs(v)] for v in details.eigenvalues.tolist()]


def _cells(session: SignalReader, frame: Frame) -> Table:
    rows = [asdict(row) for row in cell_table(session, frame)]
    return [*rows[0], "beta"], [[*row.values(), 2 * row["alpha"] - 1] for row in rows]


_TABLES: Mapping[str, Callable[[TableSource, Frame], Table]] = {
    "alpha": _alpha,
    "points": _points,
    "spectrum": _spectrum,
    "cells": _cells,
}
