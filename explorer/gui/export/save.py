"""Save a panel: its picture as PNG or SVG, its numbers as CSV."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from engine.files import atomic_write
from explorer.gui.export.svg import draw
from explorer.gui.panels.panel import Panel
from explorer.session.csv_file import write_csv

KINDS = (".png", ".svg", ".csv")
FILTERS = "Picture (*.png);;Drawing (*.svg);;Table (*.csv)"


def save_picture(widget: QWidget, path: Path) -> None:
    """Write what a widget shows as ``.png`` or ``.svg``, atomically.

    Raises
    ------
    ValueError
        For another kind of file.
    OSError
        If it cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in (".png", ".svg"):
        raise ValueError(f"{path}: pictures are .png or .svg files")
    with atomic_write(path) as temporary:
        if kind == ".svg":
            draw(widget, temporary)
        elif not widget.grab().save(str(temporary), "PNG"):
            raise OSError(f"{path}: the picture could not be written")


def save(panel: Panel, path: Path) -> None:
    """Write a panel as the suffix says: ``.png``, ``.svg`` or ``.csv``.

    Raises
    ------
    ValueError
        For another kind of file, and if there are no numbers yet.
    OSError
        If it cannot be written.
    """
    if path.suffix.lower() == ".csv":
        write_csv(path, panel.export_table())
    elif path.suffix.lower() in KINDS:
        save_picture(panel, path)
    else:
        raise ValueError(f"{path}: a panel is saved as one of {', '.join(KINDS)}")


def copy_picture(widget: QWidget) -> None:
    """Copy what a widget shows to the clipboard."""
    QGuiApplication.clipboard().setPixmap(widget.grab())
