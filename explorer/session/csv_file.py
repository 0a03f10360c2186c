"""Tables as CSV files."""

from __future__ import annotations

import csv
from pathlib import Path

from engine.files import atomic_write
from explorer.session.views.tables import Table


def write_csv(path: Path, table: Table) -> None:
    """Write a table as a CSV file, completely or not at all.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(table.columns)
        rows.writerows(table.rows)
