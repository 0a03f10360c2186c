"""Rows of a table of networks from the headers of their files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from engine.catalogue import NetworkInfo
from engine.sweeps.table import Row, Value

HEADER: Final = ("name", "cell", "size", "task", "seed", "accuracy", "date")


def header_row(info: NetworkInfo) -> dict[str, Value]:
    """Return what a header says: `HEADER` and the plain fields of the recipe."""
    recipe = json.loads(info.metadata.get("recipe", "{}"))
    plain = {key: value for key, value in recipe.items() if isinstance(value, str | int | float)}
    return {name: getattr(info, name) for name in HEADER} | {key: plain[key] for key in plain if key not in HEADER}


def varying(rows: Sequence[Row], always: Sequence[str] = HEADER) -> list[dict[str, Value]]:
    """Return the rows without the columns in which all agree, except those ``always`` there."""
    names = dict.fromkeys(name for row in rows for name in row)
    same = {name for name in names if name not in always and len({row.get(name) for row in rows}) == 1}
    return [{name: value for name, value in row.items() if name not in same} for row in rows]
