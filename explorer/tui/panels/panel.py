"""What all panels share: a frame with a title, lines of text, and redrawing only what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, cast

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from explorer.session.core import Frame
from explorer.session.session import Session
from explorer.tui.terminal.styles import Line

if TYPE_CHECKING:
    from explorer.tui.app import Explorer


class Framed(Widget):
    """A widget with titles in its frame, drawn directly where that can be."""

    def __init__(self, *, name: str | None = None, id: str | None = None) -> None:
        super().__init__(name=name, id=id)
        self._titles = ("", "")
        self._quiet = False

    @property
    def explorer(self) -> Explorer:
        """The face this panel is a part of."""
        return cast("Explorer", self.app)

    def entitle(self, title: str, subtitle: str = "") -> None:
        """Set the words in the frame where they are not as before: drawing a frame costs bytes."""
        new = title != self._titles[0], subtitle != self._titles[1]
        if not any(new):
            return
        self._titles = title, subtitle
        ink = self.explorer.ink
        self._quiet = ink is not None and ink.place(self) is not None
        try:
            if new[0]:
                self.border_title = title
            if new[1]:
                self.border_subtitle = subtitle
        finally:
            self._quiet = False
        if ink is not None:
            ink.draw_frame(self, *new)

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Textual refreshes all of a widget when a title is set."""
        return self if self._quiet else super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


class Panel(Framed):
    """Lines drawn from a frame. Subclasses say what the lines are (`paint`); unchanged lines are not drawn again."""

    def __init__(self, *, name: str | None = None, id: str | None = None) -> None:
        super().__init__(name=name, id=id)
        self._lines: list[Line] = []

    def paint(self, session: Session, frame: Frame) -> list[Line]:
        """The lines for the present size."""
        raise NotImplementedError

    def show(self, session: Session, frame: Frame) -> None:
        """Draw a frame."""
        width, height = self.size
        if not width or not height or not self.display:
            return
        lines = self.paint(session, frame)[:height]
        lines += [[] for _ in range(height - len(lines))]
        before = self._lines
        changed = [y for y in range(height) if y >= len(before) or lines[y] != before[y]]
        self._lines = lines
        ink = self.explorer.ink
        if changed and (ink is None or not ink.draw(self, [(y, lines[y]) for y in changed], self.rich_style)):
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_lines(self, crop: Region) -> list[Strip]:
        self._ground = self.rich_style  # the same for all lines, and dear to ask for
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else []
        return Strip(line).adjust_cell_length(self.size.width).apply_style(self._ground)
