"""Saving the numbers of a dialog as a CSV file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from explorer.session.csv_file import write_csv
from explorer.session.filenames import free_path
from explorer.session.session import Session
from explorer.session.views.tables import Table


def save_table(session: Session, what: str, table: Callable[[], Table], folder: Path | None = None) -> str:
    """Write a table into a folder, by default the working directory, and return a message that names the file.

    Raises
    ------
    SessionError
        If there are no numbers yet.
    OSError
        If the file cannot be written.
    """
    snapshot, folder = session.stream.snapshot, Path.cwd() if folder is None else folder
    path = free_path(folder, snapshot.network.title, f"{snapshot.review.name}-{what}", ".csv")
    write_csv(path, table())
    return f"saved {path}"
