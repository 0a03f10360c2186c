"""Panel 4: one point's eigenvalues against the unit circle, and everything else that is known of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel

from explorer.gui.panels.fixed_points import nothing
from explorer.gui.panels.panel import Panel
from explorer.gui.plots.marks import Spots
from explorer.gui.text import as_html
from explorer.gui.theme import Theme
from explorer.session.controllers.linear_prediction import AHEAD, Prediction
from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.session.views.eigenvalues import LONGEST, in_words, time_constant
from explorer.session.views.number_format import number
from explorer.session.views.point_map import PointDetails

if TYPE_CHECKING:
    from explorer.gui.window import Window

REACH = 1.25  # the picture of the complex plane goes so far
NEAR = 12.0  # pixels: an eigenvalue that is farther from the mouse is not meant


class SpectrumPanel(Panel):
    """The complex plane, and a portrait in words beside it."""

    name: ClassVar[str] = "spectrum"
    title: ClassVar[str] = "4 Spectrum"
    place: ClassVar[Any] = "right-middle"
    every: ClassVar[int] = 6

    def __init__(self, explorer: Window) -> None:
        super().__init__(explorer)
        self._portrait: PointDetails | None = None
        self.picture = self.plot(x="Re λ", y="Im λ")
        view = self.view = self.picture.getPlotItem().getViewBox()
        view.setAspectLocked(True)
        view.setRange(xRange=(-REACH, REACH), yRange=(-REACH, REACH), padding=0)
        angle = np.linspace(0, 2 * np.pi, 400)
        self._circle = pg.PlotCurveItem(np.cos(angle), np.sin(angle), antialias=True)
        self._lines = [pg.InfiniteLine(angle=turned, movable=False) for turned in (0, 90)]
        self._values = Spots(size=6, symbol="o", pen=None)
        self._ring = Spots(size=13, symbol="o", brush=None)
        self._hovered: complex | None = None
        for item in (*self._lines, self._circle, self._values, self._ring):
            view.addItem(item, ignoreBounds=True)
        self.portrait = QLabel()
        self.portrait.setTextFormat(Qt.TextFormat.RichText)
        self.portrait.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.portrait.setToolTip(
            "linear: how much of the states so many words ahead the linear map at the nearest point tells,\n"
            "100% all of it, 0% no more than standing still; over the last words read"
        )
        self.portrait.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout()
        row.addWidget(self.portrait, 2)
        row.addWidget(self.picture, 3)
        self.column.addLayout(row)
        self.picture.scene().sigMouseMoved.connect(self._hover)

    def show_frame(self, session: Session, frame: Frame) -> None:
        theme = self.theme
        session.fixed_points.request(frame)
        self._portrait = portrait = session.fixed_points.details(frame)
        if portrait is None:
            self.say(nothing(session, theme))
            self.portrait.setText("")
            self._values.clear()
            self._ring.clear()
            self.forget()
            return
        nearest = session.fixed_points.view.selected is None
        hovered = "" if self._hovered is None else f"&nbsp;&nbsp; <b>{in_words(self._hovered)}</b>"
        self.say(f"of the {'point nearest to now' if nearest else 'selected point'}{hovered}")
        values, told = portrait.eigenvalues, _told(portrait, session.fixed_points.prediction(frame), theme)
        if self.fresh("portrait", told):
            self.portrait.setText(told)
        if self.fresh("values", values, theme):
            outside = (np.abs(values) > 1).tolist()
            brushes = [theme.pink if beyond else theme.good for beyond in outside]
            self._values.setData(x=values.real, y=values.imag, brush=brushes)
            self._point_at(None)

    def paint_theme(self, theme: Theme) -> None:
        self._circle.setPen(theme.dim)
        for line in self._lines:
            line.setPen(theme.faint)
        self._ring.setPen(pg.mkPen(theme.bright, width=2))

    def numbers(self) -> tuple[list[str], NDArray[Any]]:
        values = np.empty(0, complex) if self._portrait is None else self._portrait.eigenvalues
        size = np.abs(values)
        tau = np.array([time_constant(value) for value in values.tolist()])
        return ["re", "im", "modulus", "tau_words"], np.stack([values.real, values.imag, size, tau], axis=1)

    def _hover(self, place: QPointF) -> None:
        if self._portrait is None:
            return
        here, values = self.view.mapSceneToView(place), self._portrait.eigenvalues
        unit = self.view.viewPixelSize()[0]
        away = np.abs(values - complex(here.x(), here.y())) / unit
        found = int(away.argmin())
        self._point_at(complex(values[found]) if away[found] <= NEAR else None)

    def _point_at(self, value: complex | None) -> None:
        """Mark one eigenvalue; the line of numbers tells it in words."""
        self._hovered = value
        self._ring.setData(pos=np.array([[] if value is None else [value.real, value.imag]]).reshape(-1, 2))


def _told(portrait: PointDetails, foretold: Prediction | None, theme: Theme) -> str:
    """What a person wants to know first, first."""
    name = {"zero": "zero input", "mean": "mean word"}.get(portrait.name) if portrait.certified else None
    origin = (
        f"#{portrait.number}, {portrait.hits} of {portrait.starts} starts"
        if portrait.certified
        else "repeated for ever"
    )
    colour = theme.pink if portrait.unstable else theme.good
    memory = f"{portrait.time_constant:,.0f}" if portrait.time_constant < LONGEST else f"over {LONGEST:,}"
    rows = (
        ("", f"<b style='color:{theme.pink}'>{name or f'“{as_html(portrait.name, 30)}”'}</b> {origin}"),
        ("", f"{portrait.kind} <span style='color:{colour}'>{portrait.stability}</span>"),
        ("unstable", f"{portrait.unstable} of {len(portrait.eigenvalues)}"),
        ("|λ|", f"<b>{abs(portrait.eigenvalues[0]):.4f}</b>"),
        ("τ", f"<b>{memory}</b> words"),
        ("P(pos)", f"<b>{number(portrait.probability)}</b>"),
        ("logit", number(portrait.logit)),
        ("linear", _foretold(foretold)),
        ("q", f"{portrait.q:.0e}, Newton {portrait.newton_step:.0e}"),
    )
    lines = (
        f"<tr><td colspan=2>{told}</td></tr>" if not label
        else f"<tr><td width=62 style='color:{theme.dim}'>{label}</td><td>{told}</td></tr>"
        for label, told in rows
    )  # fmt: skip
    return f"<table>{''.join(lines)}</table>"


def _foretold(told: Prediction | None) -> str:
    """How much of the next words the linear map at the nearest point tells."""
    if told is None:
        return "–"
    shares = ("–" if math.isnan(share) else f"{share:.0%}" if share >= 0 else "&lt;0" for share in told.explained)
    return ", ".join(f"+{ahead} {share}" for ahead, share in zip(AHEAD, shares, strict=True))
