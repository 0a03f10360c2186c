"""The networks and the reviews to choose from, as lists of (key, label)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from explorer.session.session import Session

if TYPE_CHECKING:
    from engine.catalogue import NetworkInfo

LABELS = {True: "+", False: "−", None: " "}
NONE = ("", "none   end the comparison")


def networks(session: Session) -> tuple[str, list[tuple[str, str]]]:
    """Return the present network's key, "" if it is neither, and the shipped networks and the user's by their paths.

    Those that ship are of the present kind: they read words, or as many channels.
    """
    from engine.catalogue import shipped_networks

    network = session.stream.snapshot.network
    wanted = (True, "") if network.unit != "step" else (False, str(network.channels))
    found = [info for info in shipped_networks() if _reads(info) == wanted]
    entries = [
        (
            str(info.path),
            f"{info.name}   {info.size} cells" + (f"   {info.accuracy:.2%} accuracy" if info.accuracy else ""),
        )
        for info in found
    ]
    shipped = {str(info.path): info.name for info in found}
    own = {path: Path(path).stem for path in session.core.own_networks if path not in shipped and Path(path).is_file()}
    entries += [(path, f"{name}   {path}") for path, name in own.items()]
    present = session.stream.snapshot.network.name
    return next((path for path, name in (*own.items(), *shipped.items()) if name == present), ""), entries


def _reads(info: NetworkInfo) -> tuple[bool, str]:
    """Return whether a network reads words, and how many channels it takes otherwise."""
    words = info.reads_words
    return words, "" if words else info.metadata.get("inputs", "")


def reviews(session: Session) -> list[tuple[str, str]]:
    """Return the reviews of the source by their index."""
    return [
        (str(index), f"{numbered(session, index)} {review.name}   {review.summary}")
        for index, review in enumerate(session.reviews)
    ]


def numbered(session: Session, index: int) -> str:
    """Return the number of a review, counted from 1, and the sign of its label."""
    return f"{index + 1:>5} {LABELS[session.reviews[index].label]}"


def compare_network(session: Session, key: str) -> None:
    """Compare with the network of a key of `networks`; "" ends the comparison."""
    session.comparison.compare_with(key or None)


def compare_review(session: Session, key: str) -> None:
    """Compare with the review of a key of `reviews`; "" ends the comparison."""
    session.comparison.compare_review(session.reviews[int(key)] if key else None)
