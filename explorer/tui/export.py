"""Export a panel or the screen as SVG and PNG, with its numbers as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.app import App
from textual.widget import Widget

from explorer.session.core import Frame
from explorer.session.csv_file import write_csv
from explorer.session.filenames import free_path
from explorer.session.session import Session
from explorer.session.views import tables, traces
from explorer.tui.terminal.screenshot import save_picture


def export(app: App[Any], session: Session, panel: Widget | None, folder: Path | None = None) -> str:
    """Write a panel, or the whole screen if None, into a folder; return a message that names the files.

    Parameters
    ----------
    folder : Path, optional
        By default the working directory.

    Raises
    ------
    SessionError, OSError
        If there are no numbers yet, or a file cannot be written.
    """
    frame = session.frame()
    folder = Path.cwd() if folder is None else folder
    what = f"{frame.snapshot.review.name}-{frame.choices.signal}-{panel.id if panel is not None else 'screen'}"
    table = free_path(folder, frame.snapshot.network.title, what, ".csv")
    write_csv(table, panel_table(session, frame, panel.id if panel is not None else None))
    for kind in (".svg", ".png"):
        save_picture(app, table.with_suffix(kind), panel)
    return f"saved {table.stem}.svg, .png and .csv in {folder}"


def panel_table(session: Session, frame: Frame, panel: str | None) -> tables.Table:
    """Return the numbers of a panel by its name; those of the words for the screen and for panels without their own.

    Raises
    ------
    SessionError
        If there are no numbers yet.
    """
    if panel == "alpha":
        return (tables.scaling_table if frame.choices.scaling else tables.alpha_table)(session, frame)
    if panel == "points":
        return tables.points_table(session.fixed_points.point_map, {session.fixed_points.view.selected})
    if panel == "spectrum":
        return tables.spectrum_table(session.fixed_points.details(frame))
    if panel == "cells":
        found = session.ablation_accuracy.result(frame)
        rows = traces.cell_table(session, frame, accuracy=None if found is None else found.without)
        return tables.cells_table(rows, frame.choices.signal, 0 if found is None else found.reviews)
    return tables.words_table(session, frame)
