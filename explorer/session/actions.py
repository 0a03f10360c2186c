"""The table of actions: the single source of keys, footers, menus, the palette and help.

Keys are written as Textual writes them (``shift+left``, ``question_mark``); the first one is shown. What an action does
is in `Session.perform`, or in `ActionDispatcher.handlers` of the front ends.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

GROUPS = ("Playback", "View", "Cells", "Points", "Reviews", "Panels", "Program")


@dataclass(frozen=True)
class Action:
    """Something the user can do. ``footer``: shown in the line of keys that is always visible."""

    id: str
    keys: tuple[str, ...]
    label: str
    group: str
    help: str
    footer: bool = False


ACTIONS = (
    Action("play", ("space",), "Play", "Playback", "Read on, or pause. After looking back: read on from there.", True),
    Action("step-back", ("left",), "Back", "Playback", "Look at the previous word; every panel shows that moment."),
    Action("step", ("right",), "Step", "Playback", "Look at the next word; at the newest word, read one more.", True),
    Action("page-back", ("shift+left", "pageup"), "−10", "Playback", "Go ten words back."),
    Action("page-on", ("shift+right", "pagedown"), "+10", "Playback", "Go ten words ahead."),
    Action("start", ("home",), "Start", "Playback", "Look at the first word."),
    Action("live", ("end",), "Live", "Playback", "Return to the word being read, and follow it."),
    Action("restart", ("backspace",), "Restart", "Playback", "Read this review again from its first word."),
    Action("jump", ("j",), "Jump", "Playback", "Go to a word by its number, or to a place in per cent."),
    Action("jump-back", ("left_curly_bracket", "alt+left"), "Jump back", "Playback",
        "Return to the place before the last jump: to a word, a match, a hit or another review."),
    Action("jump-forward", ("right_curly_bracket", "alt+right"), "Jump forward", "Playback",
        "Undo the last return to an earlier place."),
    Action("faster", ("plus", "equals_sign"), "Faster", "Playback", "Read faster, up to full speed.", True),
    Action("slower", ("minus",), "Slower", "Playback", "Read slower, down to one word per second."),
    Action("signal", ("g",), "Signal", "View", "Show the next signal: gates, cell state, output, input.", True),
    Action("signal-back", ("G",), "Previous signal", "View", "Show the previous signal."),
    Action("order", ("o",), "Order", "View", "Order cells by number, activity, α, value, weight or saturation."),
    Action("bins", ("m",), "Merge", "View", "Where cells share a row: show their mean, or the strongest of them."),
    Action("colour-map", ("v",), "Colours", "View", "Use the next colour map; in each, a higher value is lighter."),
    Action("contrast", ("k",), "Contrast", "View", "Scale colours to each cell, to all in view, or to the bounds."),
    Action("scaling", ("s",), "F(s)", "View", "Show F(s), which α is fitted to, of the layer or the selected cell."),
    Action("surrogates", ("J",), "Surrogates", "View", "Compare β of the series with that of surrogates and of its "
        "halves."),
    Action("attribution", ("i",), "Attribute", "View", "Colour words by their share in the output; again: by the next "
        "method, at last by the signal."),
    Action("attributions", ("I",), "Attributions", "View", "List the words with the strongest attribution."),
    Action("select-down", ("down",), "Next cell", "Cells", "Select the next cell in the list."),
    Action("select-up", ("up",), "Previous cell", "Cells", "Select the previous cell in the list."),
    Action("pin", ("p",), "Pin", "Cells", "Pin the selected cell to the top, or unpin it.", True),
    Action("deselect", ("escape",), "Deselect", "Cells", "Deselect cell, point and brush. In a dialog: close it."),
    Action("brush", ("b",), "Brush", "Cells", "Brush words: set one end, then the other. Again: clear it.", True),
    Action("next-place", ("a",), "Next match", "Cells", "Go to the next place where the brushed cells fire together."),
    Action("agree-elsewhere", ("A",), "Matches", "Cells", "List places in other reviews where they fire together."),
    Action("ablate", ("x",), "Ablate", "Cells", "Clamp h of the selected cell at its mean, or restore it. "
        "With no cell selected: restore all ablated cells."),
    Action("ablate-dead", ("X",), "Ablate dead", "Cells", "Ablate all dead cells. Again: restore them."),
    Action("accuracy-without", ("percent_sign",), "Accuracy w/o", "Cells", "Measure how well all labelled "
        "reviews are classified without each cell. Again: stop."),
    Action("clamp", ("H",), "Clamp", "Cells", "Clamp the chosen signal of the selected cell, or of all, at a value."),
    Action("undo", ("Z",), "Undo", "Cells", "Undo the last ablation, clamp, addition or restoration. Again: the one "
        "before."),
    Action("undo-ablation", ("U",), "Restore", "Cells", "Restore every ablated and clamped cell; add nothing more."),
    Action("steer", ("y",), "Steer", "Cells", "Add the steering vector to the state after the word looked at."),
    Action("steering-vector", ("Y",), "Steering vector", "Cells", "Choose what is added to the state, and its factor."),
    Action("contexts", ("K",), "Contexts", "Cells", "List the words of all reviews at which the cell is highest or "
        "lowest."),
    Action("saturation", ("S",), "Saturation", "Cells", "Plot how often each gate of each cell is open or closed."),
    Action("threshold-down", ("left_parenthesis",), "Fewer dead", "Cells", "Lower the threshold of dead cells."),
    Action("threshold-up", ("right_parenthesis",), "More dead", "Cells", "Raise the threshold of dead cells."),
    Action("turn-left", ("comma",), "Turn left", "Points", "Turn the picture of the points; dragging turns it, too."),
    Action("turn-right", ("full_stop",), "Turn right", "Points", "Turn it the other way."),
    Action("tilt-up", ("greater_than_sign",), "Tilt up", "Points", "See the points more from above."),
    Action("tilt-down", ("less_than_sign",), "Tilt down", "Points", "See the points more from the side."),
    Action("next-point", ("right_square_bracket",), "Point", "Points", "Select the next point; words come last.", True),
    Action("previous-point", ("left_square_bracket",), "Previous point", "Points", "Select the previous point."),
    Action("point-colour", ("u",), "Colour by", "Points", "Colour points by readout, time constant, stability, input."),
    Action("find-points", ("f",), "Find", "Points", "Find the fixed points with the word looked at as constant input."),
    Action("follow-input", ("F",), "Follow input", "Points", "Follow the points from zero input to the selected word."),
    Action("epochs", ("O",), "Epochs", "Points", "Move through the epochs of training: points, dead cells, loss."),
    Action("memory", ("M",), "Memory", "Points", "Show the Lyapunov spectrum and memory decay of this review."),
    Action("next-review", ("n",), "Next", "Reviews", "Open the next review.", True),
    Action("previous-review", ("N",), "Previous", "Reviews", "Open the previous review."),
    Action("reviews", ("r",), "Reviews", "Reviews", "Choose a review from a list that can be searched."),
    Action("corpus", ("h",), "Corpus", "Reviews", "Show β of all reviews as it is computed; open any of them."),
    Action("networks", ("w",), "Network", "Reviews", "Choose the network that reads.", True),
    Action("layer", ("backslash",), "Layer", "Reviews", "Watch the next layer of several, at the same word."),
    Action("compare", ("c",), "Compare", "Reviews", "Choose a second network to compare with, or none.", True),
    Action("compare-reviews", ("C",), "Compare review", "Reviews", "Choose a review to compare with, or none."),
    Action("type", ("t",), "Type", "Reviews", "Type or paste a review to be read.", True),
    Action("edit", ("T",), "Edit", "Reviews", "Edit the present text, and see word by word what that changes."),
    Action("word-by-word", ("W",), "Word by word", "Reviews", "List what is compared word by word, side by side."),
    Action("search", ("slash",), "Search", "Reviews", "Search for words in this review and in all others."),
    Action("next-found", ("d",), "Next hit", "Reviews", "Go to the next place of the words searched for."),
    Action("previous-found", ("D",), "Previous hit", "Reviews", "Go to the previous place of the words searched for."),
    Action("focus-review", ("1",), "Review", "Panels", "Focus the review."),
    Action("focus-heatmap", ("2",), "Cells × time", "Panels", "Focus the picture of all cells over time."),
    Action("focus-points", ("3",), "Fixed points", "Panels", "Focus the fixed points."),
    Action("focus-spectrum", ("4",), "Spectrum", "Panels", "Focus the eigenvalues of one point."),
    Action("focus-alpha", ("5",), "α", "Panels", "Focus the rolling exponent."),
    Action("focus-cells", ("6",), "Cells", "Panels", "Focus the table of cells."),
    Action("zoom", ("z",), "Zoom", "Panels", "Show only the focused panel, or all panels again."),
    Action("arrange", ("0",), "Arrange", "Panels", "Put all panels back to their first arrangement."),
    Action("export", ("e",), "Export", "Program", "Save a panel or the screen as SVG, PNG and CSV, or the run."),
    Action("record", ("R",), "Record", "Program", "Record every run from this one on. Again: write them to a file."),
    Action("export-run", ("E",), "Export run", "Program", "Write this run to a file that plays without the network."),
    Action("palette", ("ctrl+p", "colon"), "Palette", "Program", "Find an action by its name and perform it."),
    Action("help", ("question_mark", "f1"), "Help", "Program", "List all keys, the focused panel's first.", True),
    Action("legend", ("l",), "Legend", "Program", "Explain the terms, marks and colours on the screen."),
    Action("quit", ("q", "ctrl+c", "ctrl+q"), "Quit", "Program", "Quit pinkx.", True),
)  # fmt: skip

# Only the desktop has these.
WINDOW_ACTIONS = (
    Action("open-reviews", ("ctrl+o",), "Open reviews …", "Program", "Open a file of reviews."),
    Action("open-folder", ("ctrl+d",), "Open folder …", "Program", "Open a folder of reviews."),
    Action(
        "open-network", ("ctrl+n",), "Open network …", "Program", "Read the present review with a network of yours."
    ),
    Action("open-recording", ("ctrl+r",), "Open recording …", "Program", "Play a recorded run; needs no network."),
    Action("restart-engine", ("f5",), "Restart engine", "Program", "Start the engine again, at the present review."),
    Action("introduction", ("f4",), "First steps", "Program", "Explain the main panels on the screen itself."),
    Action("full-screen", ("f11",), "Full screen", "View", "Fill the screen with the window, or leave full screen."),
    Action("focus-word-map", ("7",), "Word map", "Panels", "Focus the map of where words lead."),
    Action("focus-overview", ("8",), "Overview", "Panels", "Focus the overview of the whole review."),
    Action("focus-reviews", ("9",), "Reviews list", "Panels", "Focus the list of reviews, to search it."),
    Action("copy", ("ctrl+c",), "Copy picture", "Program", "Copy the picture of the focused panel."),
    Action("light", ("L",), "Light", "Program", "Switch between the dark and the light theme."),
)

# Only the terminal has these.
TERMINAL_ACTIONS = (
    Action(
        "narrower", ("ctrl+left",), "Narrower", "Panels", "Make the focused panel narrower. The mouse drags borders."
    ),
    Action("wider", ("ctrl+right",), "Wider", "Panels", "Make the focused panel wider."),
    Action("lower", ("ctrl+up",), "Lower", "Panels", "Make the focused panel lower."),
    Action("higher", ("ctrl+down",), "Higher", "Panels", "Make the focused panel higher."),
    Action("open", ("ctrl+o",), "Open", "Reviews", "Open reviews, a network or a recording by its path."),
    Action("window", ("B",), "Window", "View", "Change the window and the scales of α, and read again."),
    Action("trace", ("V",), "Trace", "Cells", "Show the selected cell over time in place of α, or α again."),
    Action("suspend", ("ctrl+z",), "Suspend", "Program", "Return to the shell; its command fg continues pinkx."),
)

# The actions of each panel, which its help lists first; a panel's name is that of its action after ``focus-``.
_CELLS = (
    *("select-down", "select-up", "pin", "ablate", "ablate-dead", "clamp", "undo", "undo-ablation"),
    *("steer", "steering-vector", "contexts", "saturation", "accuracy-without"),
    *("order", "threshold-down", "threshold-up"),
)
PANELS = {
    "review": (
        *("brush", "next-place", "agree-elsewhere", "search", "next-found", "previous-found", "type", "edit"),
        *("attribution", "attributions"),
    ),
    "heatmap": ("signal", "signal-back", *_CELLS, "bins", "colour-map", "contrast"),
    "points": tuple(entry.id for entry in ACTIONS if entry.group == "Points"),
    "spectrum": ("next-point", "previous-point", "find-points", "follow-input", "memory"),
    "alpha": ("signal", "signal-back", "scaling", "surrogates", "compare", "compare-reviews"),
    "cells": _CELLS,
    "overview": ("jump", "compare", "compare-reviews", "word-by-word"),
}


def sections(actions: Sequence[Action], panel: str = "") -> list[tuple[str, list[Action]]]:
    """Return the actions as help lists them: those of the focused panel, then the rest by group."""
    own = PANELS.get(panel, ())
    found = [(group, [e for e in actions if e.group == group and e.id not in own]) for group in GROUPS]
    if own:
        found.insert(0, (f"In this panel: {action(f'focus-{panel}').label}", [e for e in actions if e.id in own]))
    return [section for section in found if section[1]]


def _named(sign: str) -> str:
    """Return Textual's name of a key: the Unicode name, shortened for some."""
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
    """Return a key as it is shown."""
    return "".join(_SHOWN.get(part, part) for part in key.split("+"))


def key_of(actions: Sequence[Action], *names: str) -> str:
    """Return the first keys of these actions in a table, as they are shown."""
    keys = {entry.id: entry.keys[0] for entry in actions}
    return " ".join(shown_key(keys[name]) for name in names)


def label_now(entry: Action, *, playing: bool = False, zoomed: bool = False) -> str:
    """Return what an action would do now: ``Pause`` while the network reads, ``back`` while a panel is zoomed."""
    return {("play", playing): "Pause", ("zoom", zoomed): "back"}.get((entry.id, True), entry.label)


def action(name: str) -> Action:
    """Return the action with that id.

    Raises
    ------
    KeyError
        If there is no such action.
    """
    return _BY_ID[name]


_BY_ID = {entry.id: entry for entry in (*ACTIONS, *WINDOW_ACTIONS, *TERMINAL_ACTIONS)}
