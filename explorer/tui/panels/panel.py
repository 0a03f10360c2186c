"""The base of all panels: a border with titles, and lines of text of which only the changed ones are drawn."""

from __future__ import annotations

from typing import Self, cast

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from explorer.session.core import Choices, Frame
from explorer.session.session import Session
from explorer.session.views.point_map import PointView
from explorer.tui.host import Host
from explorer.tui.terminal.styles import Line


class BorderedWidget(Widget):
    """A widget with a title and a subtitle in its border, drawn directly where possible."""

    def __init__(self, *, name: str | None = None, id: str | None = None) -> None:
        super().__init__(name=name, id=id)
        self._titles = ("", "")
        self._suppress_refresh = False

    @property
    def host(self) -> Host:
        """The application."""
        return cast("Host", self.app)

    def show(self, session: Session, frame: Frame) -> None:
        """Draw a frame."""
        raise NotImplementedError

    def set_title(self, title: str, subtitle: str = "") -> None:
        """Set the titles. Unchanged ones are not drawn again, because drawing a border costs bytes."""
        changed = title != self._titles[0], subtitle != self._titles[1]
        if not any(changed):
            return
        self._titles = title, subtitle
        renderer = self.host.renderer
        # Textual refreshes the whole widget when a title is set; the direct renderer draws only the border.
        self._suppress_refresh = renderer is not None and renderer.place(self) is not None
        try:
            if changed[0]:
                self.border_title = title
            if changed[1]:
                self.border_subtitle = subtitle
        finally:
            self._suppress_refresh = False
        if renderer is not None:
            renderer.draw_border(self, *changed)

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if self._suppress_refresh:
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


class Panel(BorderedWidget):
    """Lines of text made from a frame by `paint`."""

    def __init__(self, *, name: str | None = None, id: str | None = None) -> None:
        super().__init__(name=name, id=id)
        self._lines: list[Line] = []
        self._painted_for: tuple[object, ...] | None = None

    @property
    def text(self) -> str:
        """The characters on display."""
        return "\n".join("".join(segment.text for segment in line) for line in self._lines)

    @property
    def lines(self) -> list[Line]:
        """The lines on display."""
        return self._lines

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        """Return the lines for the current size."""
        raise NotImplementedError

    def state(self, session: Session, frame: Frame) -> tuple[object, ...] | None:
        """Return all that the lines depend on besides the size; None if they are to be painted at every frame.

        Numbers, texts, tuples and choices are compared by value, all other objects by identity.
        """
        return None

    def show(self, session: Session, frame: Frame) -> None:
        """Draw a frame."""
        width, height = self.size
        if not width or not height or not self.display:
            return
        state = self.state(session, frame)
        state = None if state is None else (width, height, *state)
        if state is not None and _same(state, self._painted_for):
            return
        self._painted_for = state
        lines = self.paint(session, frame)[:height]
        lines += [[] for _ in range(height - len(lines))]
        before = self._lines
        changed = [y for y in range(height) if y >= len(before) or lines[y] != before[y]]
        self._lines = lines
        renderer = self.host.renderer
        if changed and (renderer is None or not renderer.draw(self, [(y, lines[y]) for y in changed], self.rich_style)):
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_lines(self, crop: Region) -> list[Strip]:
        self._background = self.rich_style  # slow to compute, and the same for all lines
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else []
        return Strip(line).adjust_cell_length(self.size.width).apply_style(self._background)


_BY_VALUE = (str, int, float, tuple, Choices, PointView)


def _same(one: tuple[object, ...], other: tuple[object, ...] | None) -> bool:
    return (
        other is not None
        and len(one) == len(other)
        and all(a is b or (isinstance(a, _BY_VALUE) and a == b) for a, b in zip(one, other, strict=True))
    )
