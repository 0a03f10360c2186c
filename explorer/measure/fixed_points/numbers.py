"""The numbers of the study as a JSON document and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from explorer.measure.fixed_points.geometry import Geometry
from explorer.measure.fixed_points.results import NetworkResult
from explorer.measure.fixed_points.searches import SearchRow
from explorer.measure.fixed_points.trajectories import Trajectories
from explorer.measure.line_attractor import LineAttractor
from explorer.measure.study.claims import Claim
from explorer.measure.study.output import Table, json_values

FORMAT: Final = "pinkx fixed-point measurement 3"
KEYS: Final = ("cell", "size", "task", "seed")


def document(
    results: Sequence[NetworkResult],
    lines: Sequence[LineAttractor],
    claims: Sequence[Claim],
    methods: Sequence[SearchRow],
    starts: int,
    seed: int,
) -> dict[str, Any]:
    """Return all numbers as JSON values; a number that is not finite becomes null."""
    return json_values(
        {
            "format": FORMAT,
            "starts": starts,
            "seed": seed,
            "claims": [asdict(claim) for claim in claims],
            "networks": [
                {key: value for key, value in asdict(one).items() if key not in ("pictures", "name")} for one in results
            ],
            "both_ways": [asdict(row) for row in methods],
            "line_attractors": [asdict(line) for line in lines],
        }
    )


def tables(results: Sequence[NetworkResult], lines: Sequence[LineAttractor]) -> dict[str, Table]:
    """Return the tables of searches, geometry, trajectories and line attractors."""
    found: dict[str, Table] = {
        "searches": (
            (*KEYS, *_fields(SearchRow)),
            [(*_key(one), *_cells(asdict(row))) for one in results for row in one.searches],
        )
    }
    for part, kind in (("geometry", Geometry), ("trajectories", Trajectories)):
        rows = [(*_key(one), one.accuracy, *_cells(asdict(getattr(one, part)))) for one in results]
        found[part] = (*KEYS, "accuracy", *_fields(kind)), rows
    found["lines"] = _fields(LineAttractor), [_cells(asdict(line)) for line in lines]
    return found


def _key(one: NetworkResult) -> tuple[object, ...]:
    return one.cell, one.size, one.task, one.seed


def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _cells(row: dict[str, Any]) -> list[object]:
    """Join several numbers in one cell by spaces; an estimate becomes its mean over draws."""
    return [
        " ".join(map(str, map(_cell, value))) if isinstance(value, tuple) else _cell(value) for value in row.values()
    ]


def _cell(value: Any) -> object:
    return sum(value["draws"]) / len(value["draws"]) if isinstance(value, dict) else value
