"""Save a panel: its picture as PNG or SVG, its numbers as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from engine.files import atomic_write
from explorer.gui.export.svg import draw
from explorer.gui.panels.panel import Panel

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


def save_numbers(panel: Panel, path: Path) -> None:
    """Write a panel's numbers as CSV, atomically.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    headings, rows = panel.numbers()
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(headings)
        table.writerows(np.asarray(rows).tolist())


def save(panel: Panel, path: Path) -> None:
    """Write a panel as the suffix says: ``.png``, ``.svg`` or ``.csv``.

    Raises
    ------
    ValueError
        For another kind of file.
    OSError
        If it cannot be written.
    """
    if path.suffix.lower() == ".csv":
        save_numbers(panel, path)
    elif path.suffix.lower() in KINDS:
        save_picture(panel, path)
    else:
        raise ValueError(f"{path}: a panel is saved as one of {', '.join(KINDS)}")


def copy_picture(widget: QWidget) -> None:
    """Copy what a widget shows to the clipboard."""
    QGuiApplication.clipboard().setPixmap(widget.grab())
