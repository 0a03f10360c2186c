"""Save a panel: its picture as PNG, SVG or PDF, its numbers as CSV."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMarginsF, QPoint, QSizeF
from PySide6.QtGui import QGuiApplication, QPageSize, QPainter, QPdfWriter, QPixmap
from PySide6.QtWidgets import QWidget

from engine.files import atomic_write
from explorer.gui.export.svg import draw
from explorer.gui.panels.panel import Panel
from explorer.session.csv_file import write_csv

PICTURES = (".png", ".svg", ".pdf")
KINDS = (*PICTURES, ".csv")
POINTS = 72  # an inch


def save_picture(widget: QWidget, path: Path, scale: float = 1.0) -> None:
    """Write what a widget shows as ``.png``, ``.svg`` or ``.pdf``, atomically.

    ``scale`` multiplies the resolution of a PNG.

    Raises
    ------
    ValueError
        For another kind of file.
    OSError
        If it cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in PICTURES:
        raise ValueError(f"{path}: pictures are .png, .svg or .pdf files")
    with atomic_write(path) as temporary:
        if kind == ".svg":
            draw(widget, temporary)
        elif kind == ".pdf":
            _write_pdf(widget, temporary)
        elif not picture(widget, scale).save(str(temporary), "PNG"):
            raise OSError(f"{path}: the picture could not be written")


def save(panel: Panel, path: Path, scale: float = 1.0, *, every_signal: bool = False) -> None:
    """Write a panel as the suffix says: ``.png``, ``.svg``, ``.pdf`` or ``.csv``.

    ``every_signal``: the table has all signals, where the panel shows one of them.

    Raises
    ------
    ValueError
        For another kind of file, and if there are no numbers yet.
    OSError
        If it cannot be written.
    """
    if path.suffix.lower() == ".csv":
        write_csv(path, panel.export_every_signal() if every_signal else panel.export_table())
    elif path.suffix.lower() in KINDS:
        save_picture(panel, path, scale)
    else:
        raise ValueError(f"{path}: a panel is saved as one of {', '.join(KINDS)}")


def picture(widget: QWidget, scale: float = 1.0) -> QPixmap:
    """Return what a widget shows, drawn at ``scale`` times the resolution of the screen."""
    ratio = scale * widget.devicePixelRatioF()
    pixels = QPixmap(widget.size() * ratio)
    pixels.setDevicePixelRatio(ratio)
    widget.render(pixels)
    return pixels


def copy_picture(widget: QWidget) -> None:
    """Copy what a widget shows to the clipboard."""
    QGuiApplication.clipboard().setPixmap(picture(widget))


def _write_pdf(widget: QWidget, path: Path) -> None:
    writer = QPdfWriter(str(path))
    writer.setTitle("pinkx")
    dots = widget.logicalDpiX()
    writer.setResolution(dots)  # or text is smaller than on screen
    writer.setPageSize(QPageSize(QSizeF(widget.size()) * POINTS / dots, QPageSize.Unit.Point))
    writer.setPageMargins(QMarginsF())
    painter = QPainter()
    if not painter.begin(writer):
        raise OSError(f"{path}: the PDF could not be written")
    widget.render(painter, QPoint())
    painter.end()
