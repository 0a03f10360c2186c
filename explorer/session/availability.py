"""Actions that the present network does not allow, with the reason in one sentence, for refusals and greyed entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from explorer.session.actions import Action
from explorer.session.controllers.recorder import NEEDS_NETWORK
from explorer.session.views.units import UnitNames

if TYPE_CHECKING:
    from engine.network import Network

RECORDING: Final = "this is a recording: it has no network that could do that"


class Refusal(NamedTuple):
    """Actions that cannot be done with some networks: which networks, and why, as a sentence without a full stop."""

    actions: tuple[str, ...]
    concerns: Callable[[Network], bool]
    why: str


def _steps(network: Network) -> bool:
    return network.unit == "step"


def _characters(network: Network) -> bool:
    return network.unit == "character"


def _several(network: Network) -> bool:
    return network.stack is not None


def _upper(network: Network) -> bool:
    return network.level > 0


def _one(network: Network) -> bool:
    return network.stack is None or len(network.stack.positions) == 1


def _silent(network: Network) -> bool:
    return network.output == "none"


_SEARCH: Final = ("search", "next-found", "previous-found")
_ATTRIBUTION: Final = ("attribution", "attributions")
REFUSALS: Final = (
    Refusal(("layer",), _one, "this network has one layer in one direction"),
    Refusal(_SEARCH, _steps, "this network reads numbers: there are no words to search for"),
    Refusal(("type",), _steps, "this network reads numbers: give a sequence with --reviews signal.csv or signal.npy"),
    Refusal(_ATTRIBUTION, _steps, "this network reads numbers: attribution is that of words"),
    Refusal(("contexts",), _steps, "this network reads numbers: its steps have no words around them to list"),
    Refusal(("corpus",), _steps, "this network reads numbers: corpus statistics are those of reviews"),
    Refusal(("accuracy-without",), _steps, "this network reads numbers: accuracy is that of labelled reviews"),
    Refusal(
        ("epochs",),
        _steps,
        "this network was trained on a task: its epochs have no labelled reviews to be measured on",
    ),
    Refusal(
        ("follow-input",),
        _steps,
        "this network reads numbers: F follows points to a word; the key of Find takes the present input",
    ),
    Refusal(("focus-word-map",), _steps, "this network reads numbers: it has no map of words"),
    Refusal(_SEARCH, _characters, "this network reads characters: there are no words to search for"),
    Refusal(
        ("record", "export-run"),
        _characters,
        "this network reads characters: a recording holds the words of a review",
    ),
    Refusal(("epochs",), _several, "pinkx trains networks of one layer: this one has several layers and no epochs"),
    Refusal(_ATTRIBUTION, _silent, "this network has no readout: there is no output to attribute to words"),
    Refusal(
        ("follow-input", "find-points"),
        _upper,
        "this layer reads vectors of the layer below: its points are those under zero input and under its mean input",
    ),
    Refusal(("focus-word-map",), _upper, "this layer reads vectors of the layer below: it has no map of words"),
)
"""Everything that cannot be done with some networks; the first row that concerns a network counts."""


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
    found = (row.why for row in REFUSALS if name in row.actions and row.concerns(network))
    return next(found, "")
