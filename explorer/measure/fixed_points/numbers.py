"""The numbers as files: everything in one JSON, and tables in CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from engine.files import atomic_write
from explorer.measure.fixed_points.measured import Measured
from explorer.measure.fixed_points.searched import Search
from explorer.measure.line_attractor import Line
from explorer.measure.study.claim import Claim
from explorer.measure.study.tables import finite, write_table

FORMAT: Final = "pinkx fixed-point measurement 1"
WHO: Final = ("cell", "size", "task", "seed")


def document(
    found: Sequence[Measured],
    lines: Sequence[Line],
    verdicts: Sequence[Claim],
    ways: Sequence[Search],
    starts: int,
    seed: int,
) -> dict[str, Any]:
    """All numbers in JSON's types; what has no finite value is null."""
    return finite(
        {
            "format": FORMAT,
            "starts": starts,
            "seed": seed,
            "claims": [asdict(claim) for claim in verdicts],
            "networks": [
                {key: value for key, value in asdict(one).items() if key not in ("pictures", "name")} for one in found
            ],
            "both_ways": [asdict(way) for way in ways],
            "line_attractors": [asdict(line) for line in lines],
        }
    )


def write_numbers(
    found: Sequence[Measured],
    lines: Sequence[Line],
    verdicts: Sequence[Claim],
    ways: Sequence[Search],
    starts: int,
    seed: int,
    folder: Path,
) -> None:
    """Write ``fixed_points.json``, and ``searches``, ``geometry``, ``trajectories``, ``lines``, ``claims`` as CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps(document(found, lines, verdicts, ways, starts, seed), indent=1, ensure_ascii=False)
    with atomic_write(folder / "fixed_points.json") as beside:
        beside.write_text(told + "\n", encoding="utf-8")
    rows = [asdict(row) for one in found for row in one.searches]
    who = [_who(one) for one in found for _ in one.searches]
    write_table(
        folder / "searches.csv",
        (*WHO, *_fields(Search)),
        [(*w, *_cells(row)) for w, row in zip(who, rows, strict=True)],
    )
    for part in ("geometry", "trajectories"):
        rows = [asdict(getattr(one, part)) for one in found]
        headings = (*WHO, "accuracy", *(rows[0] if rows else ()))
        write_table(
            folder / f"{part}.csv",
            headings,
            [(*_who(one), one.accuracy, *_cells(row)) for one, row in zip(found, rows, strict=True)],
        )
    write_table(folder / "lines.csv", _fields(Line), [_cells(asdict(line)) for line in lines])
    write_table(folder / "claims.csv", _fields(Claim), [_cells(asdict(claim)) for claim in verdicts])


def _who(one: Measured) -> tuple[object, ...]:
    return one.cell, one.size, one.task, one.seed


def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _cells(row: dict[str, Any]) -> list[object]:
    """Several numbers in one cell stand apart by spaces."""
    return [" ".join(map(str, value)) if isinstance(value, tuple) else value for value in row.values()]
