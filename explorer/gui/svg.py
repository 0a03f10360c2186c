"""Drawings that every program draws alike: lines that keep their width are put into the page's own coordinates.

Qt writes them in the coordinates of a plot, with ``vector-effect="non-scaling-stroke"``. Browsers know that word; many
programs that turn drawings into pictures do not, and draw such lines as wide as the plot.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

_SVG = "http://www.w3.org/2000/svg"
_PAIR = re.compile(r"(-?[\d.]+(?:e[-+]?\d+)?),(-?[\d.]+(?:e[-+]?\d+)?)")
_POINTS = {"path": "d", "polyline": "points", "polygon": "points"}
Matrix = tuple[float, float, float, float, float, float]


def straighten(path: Path) -> None:
    """Rewrite a drawing that Qt wrote."""
    for prefix, name in (("", _SVG), ("xlink", "http://www.w3.org/1999/xlink")):
        ElementTree.register_namespace(prefix, name)
    tree = ElementTree.parse(path)
    for group in tree.iter(f"{{{_SVG}}}g"):
        shapes = list(group)
        if shapes and all(shape.get("vector-effect") == "non-scaling-stroke" for shape in shapes):
            numbers = re.findall(r"-?[\d.]+(?:e[-+]?\d+)?", group.attrib.pop("transform", "1 0 0 1 0 0"))
            a, b, c, d, e, f = map(float, numbers)
            for shape in shapes:
                _place(shape, (a, b, c, d, e, f))
    tree.write(path, encoding="utf-8", xml_declaration=True)


def _place(shape: ElementTree.Element, matrix: Matrix) -> None:
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
