"""The networks and the reviews to choose from, as lists of (key, label)."""

from __future__ import annotations

from explorer.session.session import Session


def networks(session: Session) -> tuple[str, list[tuple[str, str]]]:
    """Return the present network's key, "" if it is not a shipped one, and the shipped networks by their paths."""
    from engine.catalogue import shipped_networks

    found = [info for info in shipped_networks() if info.task == "sentiment"]
    entries = [
        (
            str(info.path),
            f"{info.name}   {info.size} cells" + (f"   {info.accuracy:.2%} accuracy" if info.accuracy else ""),
        )
        for info in found
    ]
    present = session.stream.snapshot.network.name
    return next((str(info.path) for info in found if info.name == present), ""), entries


def reviews(session: Session) -> list[tuple[str, str]]:
    """Return the reviews of the source by their index."""
    mark = {True: "+", False: "−", None: " "}
    return [
        (str(index), f"{index + 1:>5} {mark[review.label]} {review.name}   {review.text[:120]}")
        for index, review in enumerate(session.reviews)
    ]
