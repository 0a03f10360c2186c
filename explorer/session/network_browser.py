"""List of a folder of networks, shared by both front ends: the filter, the order, the plot and the export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from explorer.session.csv_file import write_csv
from explorer.session.filenames import free_path
from explorer.session.network_folder import NetworkFolder
from explorer.session.views.network_table import (
    Row,
    Scatter,
    Sorting,
    axes_of,
    chosen_rows,
    export_table,
    is_numeric,
    scatter,
    shown_columns,
    summary,
)

MAX_LISTED: Final = 2000  # rows that a front end lists at once


class NetworkBrowser:
    """The networks that are shown, in order.

    Attributes
    ----------
    folder : NetworkFolder
    where : str
        The filter; see `explorer.session.views.network_table`.
    sorting : Sorting
    order : list of int
        The rows that the filter accepts, in order.
    x, y : str
        The columns of the plot; "" if the table has no two columns of numbers.
    """

    def __init__(self, folder: NetworkFolder) -> None:
        self.folder = folder
        self.where = ""
        self.sorting = Sorting()
        self.order = list(range(len(folder.rows)))
        self.columns = shown_columns(folder.rows)
        self.x, self.y = axes_of(folder.rows)

    @property
    def rows(self) -> Sequence[Row]:
        return self.folder.rows

    @property
    def listed(self) -> list[int]:
        """The rows that a front end lists: the first of ``order``."""
        return self.order[:MAX_LISTED]

    def filter_by(self, where: str) -> None:
        """Show the rows that a filter accepts; a wrong one changes nothing and raises SessionError."""
        self.order = chosen_rows(self.rows, where, self.sorting)
        self.where = where

    def sort_by(self, column: str) -> None:
        """Order the rows by a column: ascending, then descending, then as in the table."""
        self.sorting = self.sorting.by(column)
        self.order = chosen_rows(self.rows, self.where, self.sorting)

    def plot_along(self, axis: str, column: str) -> bool:
        """Plot a column along ``"x"`` or ``"y"``; return False if it has no numbers."""
        if not self.x or not is_numeric(self.rows, column):
            return False
        if axis == "x":
            self.x = column
        else:
            self.y = column
        return True

    def scatter(self) -> Scatter:
        """Return the plot of the rows that the filter accepts."""
        return scatter(self.rows, self.order, self.x, self.y)

    def summary(self) -> str:
        """Return one line about the number and the order of the rows."""
        return summary(len(self.order), len(self.rows), len(self.listed), self.sorting)

    def export(self, folder: Path) -> str:
        """Write the rows that are shown as CSV into a folder, and return a message that names the file."""
        path = free_path(folder, self.folder.source.stem, "networks", ".csv")
        write_csv(path, export_table(self.rows, self.order))
        return f"saved {path}"
