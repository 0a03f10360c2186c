"""Write the results of a study: numbers as JSON, tables as CSV, and the report."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import click

from engine.files import atomic_write
from explorer.measure.study.claims import Claim
from explorer.measure.study.page import Page

Table = tuple[Sequence[str], Iterable[Iterable[object]]]
"""Headings and rows."""


def write_study(
    folder: Path, stem: str, document: Mapping[str, Any], tables: Mapping[str, Table], claims: Sequence[Claim]
) -> None:
    """Write ``STEM.json``, a CSV file for each table, and ``claims.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / f"{stem}.json") as temporary:
        temporary.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    names = tuple(field.name for field in fields(Claim))
    for name, (headings, rows) in {**tables, "claims": (names, (asdict(claim).values() for claim in claims))}.items():
        with (
            atomic_write(folder / f"{name}.csv") as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            table = csv.writer(file)
            table.writerow(headings)
            table.writerows(rows)


def publish(page: Page, claims: Sequence[Claim], folder: Path, as_json: Path | None) -> None:
    """Write the report, and print every verdict and the path of the report, or the numbers in the file ``as_json``."""
    path = page.write(folder)
    if as_json is not None:
        click.echo(as_json.read_text(encoding="utf-8"), nl=False)
        return
    for claim in claims:
        click.echo(f"{claim.verdict:<20}{claim.claim}")
    click.echo(str(path))


def json_values(value: Any, digits: int | None = None) -> Any:
    """Convert to JSON values: None for NaN and infinity, lists for tuples, floats of some significant digits."""
    if isinstance(value, dict):
        return {key: json_values(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_values(item, digits) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if digits is None else float(f"{value:.{digits}g}")
    return value
