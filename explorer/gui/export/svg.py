"""Export a widget as SVG that every renderer draws alike.

Qt's SVG generator clips children of a widget at the wrong place and never ends a clip. So each widget is rendered alone
and unclipped, and the parts are assembled here, each translated to its place and clipped by its rectangle. The contents
of a plot are recognised by an opacity that differs invisibly from 1.

Qt writes cosmetic lines in plot coordinates with ``vector-effect="non-scaling-stroke"``. Many converters ignore that
attribute and draw the lines as wide as the plot, so their points are transformed to page coordinates. Some renderers
also ignore ``image-rendering`` and would blur cells into each other, so images are enlarged.
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

PLOT_OPACITY = 0.9999
MIN_SCALE = 3  # image pixels per page pixel
MAX_PIXELS = 4096  # width or height of an enlarged image
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_GROUP = f"{{{_SVG}}}g"
_NUMBER = re.compile(r"-?[\d.]+(?:e[-+]?\d+)?")
_POINT = re.compile(r"(-?[\d.]+(?:e[-+]?\d+)?),(-?[\d.]+(?:e[-+]?\d+)?)")
_ID = re.compile(r'\bid="|url\(#|href="#')  # what precedes an id
_COORDINATES = {"path": "d", "polyline": "points", "polygon": "points"}
Matrix = tuple[float, float, float, float, float, float]
Element = ElementTree.Element


def draw(widget: QWidget, path: Path) -> None:
    """Write what a widget shows as SVG.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    for prefix, name in (("", _SVG), ("xlink", _XLINK)):
        ElementTree.register_namespace(prefix, name)
    drawing = _render_tree(widget, widget, count())
    drawing.attrib.update(width=str(widget.width()), height=str(widget.height()))
    transform_lines(drawing)
    enlarge_images(drawing)
    ElementTree.ElementTree(drawing).write(path, encoding="utf-8", xml_declaration=True)


# ---- assembling parts ------------------------------------------------------------------------------------------------


def _render_tree(widget: QWidget, root: QWidget, ids: Iterator[int]) -> Element:
    """Render a widget, then its children over it."""
    view = widget.parent()
    is_plot = isinstance(view, pg.PlotWidget) and view.viewport() is widget
    element = _render_plot(view, ids) if is_plot else _render_alone(widget, ids, widget is root)
    for child in widget.children():
        if isinstance(child, QWidget) and not child.isWindow() and child.isVisibleTo(root):
            clip = {"clip-path": _add_clip(element, QRectF(child.rect()), ids)}
            place = {"transform": f"translate({child.x()},{child.y()})"}
            ElementTree.SubElement(element, _GROUP, place | clip).extend(_render_tree(child, root, ids))
    return element


def _render_plot(view: pg.PlotWidget, ids: Iterator[int]) -> Element:
    """Render a plot, its contents clipped by its frame."""
    box, cache = view.getPlotItem().getViewBox(), view.cacheMode()
    view.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)  # of the background, which would become an image
    spots = [item for item in view.scene().items() if isinstance(item, pg.ScatterPlotItem)]
    for item in spots:
        item.setExportMode(True)  # as shapes, not as copies of an image
    cached = [item for item in view.scene().items() if item.cacheMode() != QGraphicsItem.CacheMode.NoCache]
    for item in cached:
        item.setCacheMode(QGraphicsItem.CacheMode.NoCache)  # cached items would become images too
    box.childGroup.setOpacity(PLOT_OPACITY)
    element = _render_alone(view.viewport(), ids)
    box.childGroup.setOpacity(1)
    for item in spots:
        item.setExportMode(False)
    for item in cached:
        item.setCacheMode(CACHED)
    view.setCacheMode(cache)
    clip = _add_clip(element, view.viewportTransform().mapRect(box.mapRectToScene(box.boundingRect())), ids)
    page = element.find(_GROUP)
    assert page is not None
    for number, group in enumerate(page):
        if group.attrib.pop("opacity", None) is not None:
            page[number] = Element(_GROUP, {"clip-path": clip})  # outside the group, whose coordinates differ
            page[number].append(group)
    return element


def _add_clip(element: Element, place: QRectF, ids: Iterator[int]) -> str:
    """Add a rectangular clip path; return its reference."""
    name = f"part{next(ids)}"
    sides = {"x": place.x(), "y": place.y(), "width": place.width(), "height": place.height()}
    clip = ElementTree.SubElement(element, f"{{{_SVG}}}clipPath", id=name)
    ElementTree.SubElement(clip, f"{{{_SVG}}}rect", {side: f"{value:g}" for side, value in sides.items()})
    return f"url(#{name})"


def _render_alone(widget: QWidget, ids: Iterator[int], background: bool = False) -> Element:
    """Render a widget without its children, every id in it made unique."""
    file, generator, painter = QBuffer(), QSvgGenerator(), QPainter()
    generator.setOutputDevice(file)
    generator.setSize(widget.size())
    generator.setViewBox(widget.rect())
    generator.setResolution(widget.logicalDpiX())  # or text is smaller than on screen
    generator.setTitle("pinkx")
    painter.begin(generator)
    flags = QWidget.RenderFlag.DrawWindowBackground if background else QWidget.RenderFlag(0)
    QWidget.render(widget, painter, QPoint(), QRegion(), flags)  # QGraphicsView.render is a different method
    painter.end()
    text, number = bytes(file.data().data()).decode(), next(ids)
    element = ElementTree.fromstring(_ID.sub(lambda found: f"{found[0]}w{number}-", text))
    for page in element.findall(_GROUP):
        for group in [each for each in page if not len(each)]:  # Qt starts a group at every change of state
            page.remove(group)
    return element


# ---- for every renderer ----------------------------------------------------------------------------------------------


def enlarge_images(drawing: Element) -> None:
    """Enlarge images, whose pixels are cells at words, so that smoothing does not show."""
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
    """Return an integer multiple of ``pixels``, each of which is ``scale`` page units wide."""
    return pixels * max(1, min(ceil(MIN_SCALE * abs(scale)), MAX_PIXELS // max(1, pixels)))


def transform_lines(drawing: Element) -> None:
    """Transform cosmetic lines to page coordinates."""
    for group in drawing.iter(_GROUP):
        shapes = list(group)
        if shapes and all(shape.get("vector-effect") == "non-scaling-stroke" for shape in shapes):
            a, b, c, d, e, f = map(float, _NUMBER.findall(group.attrib.pop("transform", "1 0 0 1 0 0")))
            for shape in shapes:
                _transform(shape, (a, b, c, d, e, f))


def _transform(shape: Element, matrix: Matrix) -> None:
    a, b, c, d, e, f = matrix
    del shape.attrib["vector-effect"]
    if shape.tag == f"{{{_SVG}}}rect":
        x, y, width, height = (float(shape.attrib.pop(name)) for name in ("x", "y", "width", "height"))
        shape.tag = f"{{{_SVG}}}polygon"
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        shape.set("points", " ".join(f"{x},{y}" for x, y in corners))
    name = _COORDINATES.get(shape.tag.removeprefix(f"{{{_SVG}}}"))
    if name is None:  # a circle or a text
        shape.set("transform", f"matrix({a},{b},{c},{d},{e},{f})")
        return

    def moved(pair: re.Match[str]) -> str:
        x, y = float(pair[1]), float(pair[2])
        return f"{a * x + c * y + e:.6g},{b * x + d * y + f:.6g}"

    shape.set(name, _POINT.sub(moved, shape.attrib[name]))
