"""What cannot be done with the present network, and why, in one sentence: for refusals and for greyed entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from explorer.session.actions import Action
from explorer.session.controllers.recorder import NEEDS_NETWORK
from explorer.session.views.units import UnitNames

if TYPE_CHECKING:
    from engine.network import Network

RECORDING: Final = "this is a recording: it has no network that could do that"
STEPS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("search", "next-found", "previous-found"), "this network reads numbers: there are no words to "
        "search for"),
    "type": "this network reads numbers: give a sequence with --reviews signal.csv or signal.npy",
    **dict.fromkeys(("attribution", "attributions"), "this network reads numbers: attribution is that of words"),
    "contexts": "this network reads numbers: its steps have no words around them to list",
    "corpus": "this network reads numbers: corpus statistics are those of reviews",
    "accuracy-without": "this network reads numbers: accuracy is that of labelled reviews",
    "epochs": "this network was trained on a task: its epochs have no labelled reviews to be measured on",
    "follow-input": "this network reads numbers: F follows points to a word; the key of Find takes the present input",
    "focus-word-map": "this network reads numbers: it has no map of words",
}  # fmt: skip
"""Action → why a network over real-valued input cannot do it."""
CHARACTERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("search", "next-found", "previous-found"), "this network reads characters: there are no words to "
        "search for"),
    **dict.fromkeys(("record", "export-run"), "this network reads characters: a recording holds the words of a review"),
}  # fmt: skip
"""Action → why a network of characters cannot do it."""
LAYERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("attribution", "attributions"), "this network has several layers: attribution is that of one"),
    "corpus": "this network has several layers: corpus statistics are those of networks with one",
    "accuracy-without": "this network has several layers: accuracy without a cell is that of networks with one",
    "epochs": "this network has several layers: epochs are those of networks with one",
}  # fmt: skip
"""Action → why a network of several layers cannot do it."""
UPPER: Final[Mapping[str, str]] = {
    "contexts": "this layer reads vectors of the layer below, not words: watch the first layer",
    **dict.fromkeys(("follow-input", "find-points"), "this layer reads vectors of the layer below: its points are "
        "those under zero input and under its mean input"),
    "focus-word-map": "this layer reads vectors of the layer below: it has no map of words",
}  # fmt: skip
"""Action → why an upper layer of several cannot do it."""


def described(actions: Sequence[Action], names: UnitNames, refused: Callable[[str], str]) -> tuple[Action, ...]:
    """Return the table of actions in the words of what the network reads.

    ``refused`` returns why an action cannot be done now, which then stands in place of its help.
    """
    return tuple(
        replace(
            entry,
            label=names.reword(entry.label),
            help=f"Not now: {why}." if (why := refused(entry.id)) else names.reword(entry.help),
        )
        for entry in actions
    )


def refusal(name: str, *, replaying: bool, network: Network) -> str:
    """Return why an action cannot be done now with a network, or with a recorded one; "" if it can."""
    if name in NEEDS_NETWORK and replaying:
        return RECORDING
    several = network.stack is not None
    if name == "layer" and not several:
        return "this network has one layer"
    refused = {"step": STEPS, "character": CHARACTERS, "word": {}}[network.unit].get(name, "")
    if several:
        refused = refused or LAYERS.get(name, "") or (UPPER.get(name, "") if network.level else "")
    return refused
