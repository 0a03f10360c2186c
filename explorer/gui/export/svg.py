"""Drawings that every program draws alike, made of what Qt draws of each widget for itself.

Qt clips wrongly in drawings: what a child draws is clipped where that would stand if it were the outermost, and what
was clipped once stays so. So Qt is let draw each widget alone and without, and the parts are put together here, each in
its place and clipped by its rectangle. What stands inside a plot is known by an opacity that nobody sees.

Lines that keep their width are put into the page's own coordinates. Qt writes them in those of a plot, with
``vector-effect="non-scaling-stroke"``. Browsers know that word; many programs that turn drawings into pictures do not,
and draw such lines as wide as the plot. Nor do all know ``image-rendering``, without which cells would run into each
other: pictures are written larger instead.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from itertools import count
from math import ceil
from pathlib import Path
from xml.etree import ElementTree

import pyqtgraph as pg
from PySide6.QtCore import QBuffer, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsItem, QGraphicsView, QWidget

from explorer.gui.panels.panel import CACHED

MARKED = 0.9999
FINE = 3  # pixels of a picture to a pixel of the page, at least
LARGEST = 4096  # pixels a picture is enlarged to
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_GROUP = f"{{{_SVG}}}g"
_NUMBER = re.compile(r"-?[\d.]+(?:e[-+]?\d+)?")
_PAIR = re.compile(r"(-?[\d.]+(?:e[-+]?\d+)?),(-?[\d.]+(?:e[-+]?\d+)?)")
_NAME = re.compile(r'\bid="|url\(#|href="#')  # what stands before a name
_POINTS = {"path": "d", "polyline": "points", "polygon": "points"}
Matrix = tuple[float, float, float, float, float, float]
Element = ElementTree.Element


def draw(widget: QWidget, path: Path) -> None:
    """Write a widget as it is seen.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    for prefix, name in (("", _SVG), ("xlink", _XLINK)):
        ElementTree.register_namespace(prefix, name)
    drawing = _assembled(widget, widget, count())
    drawing.attrib.update(width=str(widget.width()), height=str(widget.height()))
    straighten(drawing)
    sharpen(drawing)
    ElementTree.ElementTree(drawing).write(path, encoding="utf-8", xml_declaration=True)


# ---- putting parts together ------------------------------------------------------------------------------------------


def _assembled(widget: QWidget, outermost: QWidget, numbers: Iterator[int]) -> Element:
    """A widget, and over it each one in it."""
    view = widget.parent()
    is_plot = isinstance(view, pg.PlotWidget) and view.viewport() is widget
    drawn = _plot(view, numbers) if is_plot else _alone(widget, numbers, widget is outermost)
    for child in widget.children():
        if isinstance(child, QWidget) and not child.isWindow() and child.isVisibleTo(outermost):
            seen = {"clip-path": _seen(drawn, QRectF(child.rect()), numbers)}
            place = {"transform": f"translate({child.x()},{child.y()})"}
            ElementTree.SubElement(drawn, _GROUP, place | seen).extend(_assembled(child, outermost, numbers))
    return drawn


def _plot(view: pg.PlotWidget, numbers: Iterator[int]) -> Element:
    """A plot, what stands inside clipped by its frame."""
    box, cache = view.getPlotItem().getViewBox(), view.cacheMode()
    view.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)  # of the ground, which would be a picture
    spots = [item for item in view.scene().items() if isinstance(item, pg.ScatterPlotItem)]
    for item in spots:
        item.setExportMode(True)  # as shapes; otherwise each is a copy of a picture
    cached = [item for item in view.scene().items() if item.cacheMode() != QGraphicsItem.CacheMode.NoCache]
    for item in cached:
        item.setCacheMode(QGraphicsItem.CacheMode.NoCache)  # nor are copies of what is on the screen
    box.childGroup.setOpacity(MARKED)
    drawn = _alone(view.viewport(), numbers)
    box.childGroup.setOpacity(1)
    for item in spots:
        item.setExportMode(False)
    for item in cached:
        item.setCacheMode(CACHED)
    view.setCacheMode(cache)
    seen = _seen(drawn, view.viewportTransform().mapRect(box.mapRectToScene(box.boundingRect())), numbers)
    page = drawn.find(_GROUP)
    assert page is not None
    for number, group in enumerate(page):
        if group.attrib.pop("opacity", None) is not None:
            page[number] = Element(_GROUP, {"clip-path": seen})  # around it, as it has coordinates of its own
            page[number].append(group)
    return drawn


def _seen(drawn: Element, place: QRectF, numbers: Iterator[int]) -> str:
    """What lets only a rectangle be seen."""
    name = f"part{next(numbers)}"
    sides = {"x": place.x(), "y": place.y(), "width": place.width(), "height": place.height()}
    clip = ElementTree.SubElement(drawn, f"{{{_SVG}}}clipPath", id=name)
    ElementTree.SubElement(clip, f"{{{_SVG}}}rect", {side: f"{value:g}" for side, value in sides.items()})
    return f"url(#{name})"


def _alone(widget: QWidget, numbers: Iterator[int], ground: bool = False) -> Element:
    """What Qt draws of a widget without those in it; names in it become names of its own."""
    file, generator, painter = QBuffer(), QSvgGenerator(), QPainter()
    generator.setOutputDevice(file)
    generator.setSize(widget.size())
    generator.setViewBox(widget.rect())
    generator.setResolution(widget.logicalDpiX())  # or letters are smaller than on the screen
    generator.setTitle("pinkx")
    painter.begin(generator)
    flags = QWidget.RenderFlag.DrawWindowBackground if ground else QWidget.RenderFlag(0)
    QWidget.render(widget, painter, QPoint(), QRegion(), flags)  # views of scenes have another by that name
    painter.end()
    text, number = bytes(file.data().data()).decode(), next(numbers)
    drawn = ElementTree.fromstring(_NAME.sub(lambda found: f"{found[0]}w{number}-", text))
    for page in drawn.findall(_GROUP):
        for group in [each for each in page if not len(each)]:  # Qt writes one whenever it changes its mind
            page.remove(group)
    return drawn


# ---- drawing alike everywhere ----------------------------------------------------------------------------------------


def sharpen(drawing: Element) -> None:
    """Enlarge pictures, each pixel of which is a cell at a word, so that nothing is left to be smoothed."""
    for group in drawing.iter(_GROUP):
        for image in group.findall(f"{{{_SVG}}}image"):
            across, _, _, down, *_ = map(float, _NUMBER.findall(group.get("transform", "1 0 0 1 0 0")))
            picture = QImage.fromData(b64decode(image.attrib[f"{{{_XLINK}}}href"].partition(",")[2]))
            size = QSize(_enlarged(picture.width(), across), _enlarged(picture.height(), down))
            file = QBuffer()
            larger = picture.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio)
            larger.save(file, "PNG")  # type: ignore[call-overload]
            image.set(f"{{{_XLINK}}}href", f"data:image/png;base64,{b64encode(file.data().data()).decode()}")


def _enlarged(pixels: int, scale: float) -> int:
    """A whole multiple of so many pixels, ``scale`` of the page each."""
    return pixels * max(1, min(ceil(FINE * abs(scale)), LARGEST // max(1, pixels)))


def straighten(drawing: Element) -> None:
    """Put lines that keep their width into the coordinates of the page."""
    for group in drawing.iter(_GROUP):
        shapes = list(group)
        if shapes and all(shape.get("vector-effect") == "non-scaling-stroke" for shape in shapes):
            a, b, c, d, e, f = map(float, _NUMBER.findall(group.attrib.pop("transform", "1 0 0 1 0 0")))
            for shape in shapes:
                _place(shape, (a, b, c, d, e, f))


def _place(shape: Element, matrix: Matrix) -> None:
    a, b, c, d, e, f = matrix
    del shape.attrib["vector-effect"]
    if shape.tag == f"{{{_SVG}}}rect":
        x, y, width, height = (float(shape.attrib.pop(name)) for name in ("x", "y", "width", "height"))
        shape.tag = f"{{{_SVG}}}polygon"
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        shape.set("points", " ".join(f"{x},{y}" for x, y in corners))
    name = _POINTS.get(shape.tag.removeprefix(f"{{{_SVG}}}"))
    if name is None:  # Qt writes no other with such a line but text, which has no width
        shape.set("transform", f"matrix({a},{b},{c},{d},{e},{f})")
        return

    def moved(pair: re.Match[str]) -> str:
        x, y = float(pair[1]), float(pair[2])
        return f"{a * x + c * y + e:.6g},{b * x + d * y + f:.6g}"

    shape.set(name, _PAIR.sub(moved, shape.attrib[name]))
