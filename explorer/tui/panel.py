"""What all panels share: a frame with a title, lines of text, and redrawing only what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from explorer.session.model import Frame, Session
from explorer.tui.ink import Line

if TYPE_CHECKING:
    from explorer.tui.app import Explorer


def entitle(panel: Widget, titles: tuple[str, str], before: tuple[str, str]) -> tuple[str, str]:
    """Set title and subtitle of a frame where they are not as before: drawing a frame costs bytes."""
    if titles[0] != before[0]:
        panel.border_title = titles[0]
    if titles[1] != before[1]:
        panel.border_subtitle = titles[1]
    return titles


class Panel(Widget):
    """Lines drawn from a frame. Subclasses say what the lines are (`paint`); unchanged lines are not drawn again."""

    def __init__(self, *, name: str | None = None, id: str | None = None) -> None:
        super().__init__(name=name, id=id)
        self._lines: list[Line] = []
        self._titles = ("", "")

    @property
    def explorer(self) -> Explorer:
        """The face this panel is a part of."""
        return cast("Explorer", self.app)

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
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_lines(self, crop: Region) -> list[Strip]:
        self._ground = self.rich_style  # the same for all lines, and dear to ask for
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else []
        return Strip(line).adjust_cell_length(self.size.width).apply_style(self._ground)

    def entitle(self, title: str, subtitle: str = "") -> None:
        """Set the words in the frame."""
        self._titles = entitle(self, (title, subtitle), self._titles)
