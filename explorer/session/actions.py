"""Everything a person can do: one table, from which keys, footers, menus, palettes and help are made.

Keys are written as Textual writes them (``shift+left``, ``question_mark``); the first is the one shown. An action is
done by the method of its name (dashes become underscores) of the session, or of the face where only a face can do it.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

GROUPS = ("Reading", "Looking", "Points", "Choosing", "Panels", "Program")


@dataclass(frozen=True)
class Action:
    """One thing a person can do. ``footer``: worth a place in the one line that is always shown."""

    id: str
    keys: tuple[str, ...]
    label: str
    group: str
    help: str
    footer: bool = False

    @property
    def method(self) -> str:
        """The method that does it."""
        return self.id.replace("-", "_")


ACTIONS = (
    Action("play", ("space",), "Play", "Reading", "Read on, or pause; after looking back, read from there.", True),
    Action("step-back", ("left",), "Back", "Reading", "Look at the word before; everything shows that moment."),
    Action("step", ("right",), "Step", "Reading", "Look at the next word; at the last word read: read one more.", True),
    Action("page-back", ("shift+left", "pageup"), "−10", "Reading", "Ten words back."),
    Action("page-on", ("shift+right", "pagedown"), "+10", "Reading", "Ten words on."),
    Action("start", ("home",), "Start", "Reading", "Look at the first word."),
    Action("live", ("end",), "Live", "Reading", "Return to the word that is being read, and follow it."),
    Action("restart", ("backspace",), "Restart", "Reading", "Read this review again from its first word."),
    Action("jump", ("j",), "Jump", "Reading", "Jump to a word by its number, or to a place by per cent."),
    Action("faster", ("plus", "equals_sign"), "Faster", "Reading", "Read faster, up to as fast as it goes.", True),
    Action("slower", ("minus",), "Slower", "Reading", "Read slower, down to one word a second."),
    Action("signal", ("g",), "Signal", "Looking", "Show the next signal: gates, memory, output, input.", True),
    Action("signal-back", ("G",), "Signal back", "Looking", "Show the signal before."),
    Action("select-down", ("down",), "Cell down", "Looking", "Select the next cell of the list."),
    Action("select-up", ("up",), "Cell up", "Looking", "Select the cell before."),
    Action("pin", ("p",), "Pin", "Looking", "Pin the selected cell to the top, or unpin it.", True),
    Action("deselect", ("escape",), "Back", "Looking", "Let go of cell, point and brush; leave a dialogue."),
    Action("brush", ("b",), "Brush", "Looking", "Brush words: once at one end, again at the other; then let go.", True),
    Action("next-place", ("a",), "Agree", "Looking", "Go to another place where the cells of the brush agree."),
    Action("agree-elsewhere", ("A",), "Elsewhere", "Looking", "List places in other reviews where those cells agree."),
    Action("ablate", ("x",), "Ablate", "Looking", "Ablate the selected cell (h = 0), or restore it."),
    Action("ablate-dead", ("X",), "Ablate dead", "Looking", "Ablate all dead cells; again: restore all."),
    Action("clamp", ("H",), "Clamp", "Looking", "Clamp the chosen signal of the selected cell, or of all, at a value."),
    Action("undo-ablation", ("U",), "Restore", "Looking", "Undo every ablation and every clamp."),
    Action("order", ("o",), "Order", "Looking", "Order the cells: number, activity, α, value, weight, saturation."),
    Action("threshold-down", ("left_parenthesis",), "Fewer dead", "Looking", "Lower the threshold of dead cells."),
    Action("threshold-up", ("right_parenthesis",), "More dead", "Looking", "Raise the threshold of dead cells."),
    Action("bins", ("m",), "Bins", "Looking", "Where several cells share a row: show their mean or their strongest."),
    Action("colour-map", ("v",), "Map", "Looking", "Change the colour map; both rise in lightness."),
    Action("scaling", ("s",), "F(s)", "Looking", "Show what α is fitted to, F(s) of the layer or the selected cell."),
    Action("contrast", ("k",), "Contrast", "Looking", "Colour over each cell's own range, all in view, or bounds."),
    Action("turn-left", ("comma",), "Turn left", "Points", "Turn the picture of the points; so does a drag."),
    Action("turn-right", ("full_stop",), "Turn right", "Points", "Turn it the other way."),
    Action("tilt-up", ("greater_than_sign",), "Tilt up", "Points", "Look at the points more from above."),
    Action("tilt-down", ("less_than_sign",), "Tilt down", "Points", "Look at them more from the side."),
    Action("next-point", ("right_square_bracket",), "Point", "Points", "Select the next point; words come last.", True),
    Action("previous-point", ("left_square_bracket",), "Point before", "Points", "Select the point before."),
    Action("point-colour", ("u",), "Hue", "Points", "Colour the points by readout, memory, stability, input."),
    Action("find-points", ("f",), "Find", "Points", "Find the fixed points with the word looked at held as the input."),
    Action("next-review", ("n",), "Next", "Choosing", "Open the next review.", True),
    Action("previous-review", ("N",), "Previous", "Choosing", "Open the review before."),
    Action("reviews", ("r",), "Reviews", "Choosing", "Choose a review from a list; type to search it."),
    Action("corpus", ("h",), "Corpus", "Choosing", "See β of all reviews fill in; open any from there."),
    Action("networks", ("w",), "Network", "Choosing", "Choose the network that reads.", True),
    Action("compare", ("c",), "Compare", "Choosing", "Choose a second network to read along, or none.", True),
    Action("compare-reviews", ("C",), "Beside", "Choosing", "Choose a review to compare this one with, or none."),
    Action("type", ("t",), "Type", "Choosing", "Type or paste a review and watch it read.", True),
    Action("edit", ("T",), "Edit", "Choosing", "Edit the present text, and see word by word what that changed."),
    Action("word-by-word", ("W",), "Word by word", "Choosing", "List the words of what is compared, side by side."),
    Action("search", ("slash",), "Search", "Choosing", "Search words, in this review and in all others."),
    Action("next-found", ("d",), "Found", "Choosing", "Go to the next place where the words searched for stand."),
    Action("previous-found", ("D",), "Found before", "Choosing", "Go to the place before."),
    Action("focus-review", ("1",), "Review", "Panels", "Go to the review."),
    Action("focus-heatmap", ("2",), "Cells × time", "Panels", "Go to the picture of all cells over time."),
    Action("focus-points", ("3",), "Fixed points", "Panels", "Go to the fixed points."),
    Action("focus-spectrum", ("4",), "Spectrum", "Panels", "Go to the eigenvalues of one point."),
    Action("focus-alpha", ("5",), "α", "Panels", "Go to the rolling exponent."),
    Action("focus-cells", ("6",), "Cells", "Panels", "Go to the table of cells."),
    Action("zoom", ("z",), "Zoom", "Panels", "Give the whole screen to the panel in focus, and back."),
    Action("export", ("e",), "Export", "Program", "Save a panel or the screen as SVG, PNG and CSV, or the run."),
    Action("record", ("R",), "Record", "Program", "Record every run from this one on; again: write them to a file."),
    Action("export-run", ("E",), "Export run", "Program", "Write this run to a file that plays without the network."),
    Action("palette", ("ctrl+p", "colon"), "Palette", "Program", "Find an action by its name and do it."),
    Action("help", ("question_mark", "f1"), "Help", "Program", "Show every key, those of this panel first.", True),
    Action("quit", ("q", "ctrl+c", "ctrl+q"), "Quit", "Program", "Leave pinkx.", True),
)  # fmt: skip

# What only a window can do.
WINDOW_ACTIONS = (
    Action("focus-word-map", ("7",), "Word map", "Panels", "Go to the map of where words lead."),
    Action("focus-overview", ("8",), "Overview", "Panels", "Go to the whole review."),
    Action("focus-reviews", ("9",), "Reviews list", "Panels", "Go to the list of reviews and search it."),
    Action("arrange", ("0",), "Arrange", "Panels", "Put all panels back to where they first stood."),
    Action("copy", ("ctrl+c",), "Copy picture", "Program", "Copy the picture of the panel in focus."),
    Action("light", ("L",), "Light", "Program", "Change between dark and light."),
)

# What belongs to a panel comes first in the help for it; a panel goes by its action, ``focus-`` and its name.
_CELLS = (
    *("select-down", "select-up", "pin", "ablate", "ablate-dead", "clamp", "undo-ablation"),
    *("order", "threshold-down", "threshold-up"),
)
PANELS = {
    "review": ("brush", "next-place", "agree-elsewhere", "search", "next-found", "previous-found", "type", "edit"),
    "heatmap": ("signal", "signal-back", *_CELLS, "bins", "colour-map", "contrast"),
    "points": tuple(entry.id for entry in ACTIONS if entry.group == "Points"),
    "spectrum": ("next-point", "previous-point", "find-points"),
    "alpha": ("signal", "signal-back", "scaling", "compare", "compare-reviews"),
    "cells": _CELLS,
    "overview": ("jump", "compare", "compare-reviews", "word-by-word"),
}


def sections(actions: Sequence[Action], panel: str = "") -> list[tuple[str, list[Action]]]:
    """The table as help shows it: what belongs to the panel in focus, then the rest by groups."""
    own = PANELS.get(panel, ())
    found = [(group, [e for e in actions if e.group == group and e.id not in own]) for group in GROUPS]
    if own:
        found.insert(0, (f"In this panel: {action(f'focus-{panel}').label}", [e for e in actions if e.id in own]))
    return [section for section in found if section[1]]


def _named(sign: str) -> str:
    """The name that terminals' keys go by: that of Unicode, some of them shorter."""
    name = re.sub("[- ]", "_", unicodedata.name(sign).lower())
    short = {"solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus"}
    return {**short, "plus_sign": "plus", "low_line": "underscore"}.get(name, name)


SIGNS = {_named(sign): sign for sign in string.punctuation}
_SHOWN = {
    **SIGNS, "left": "←", "right": "→", "up": "↑", "down": "↓", "escape": "esc", "pageup": "PgUp", "pagedown": "PgDn",
    "home": "Home", "end": "End", "backspace": "⌫", "ctrl": "^", "shift": "⇧", "alt": "alt+",
    **{f"f{number}": f"F{number}" for number in range(1, 25)},
}  # fmt: skip


def shown_key(key: str) -> str:
    """A key as people read it."""
    return "".join(_SHOWN.get(part, part) for part in key.split("+"))


def key_of(actions: Sequence[Action], *names: str) -> str:
    """The keys of a table that do these actions, as people read them."""
    keys = {entry.id: shown_key(entry.keys[0]) for entry in actions}
    return " ".join(keys[name] for name in names)


def action(name: str) -> Action:
    """The action of that id.

    Raises
    ------
    KeyError
        If there is none.
    """
    return _BY_ID[name]


_BY_ID = {entry.id: entry for entry in (*ACTIONS, *WINDOW_ACTIONS)}
