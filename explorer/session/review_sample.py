"""Samples of a source that is too large to read as a whole."""

from __future__ import annotations


def evenly(count: int, most: int) -> list[int]:
    """Return ``most`` of ``count`` indices at even distances, or all if there are fewer."""
    return list(range(count)) if count <= most else [k * count // most for k in range(most)]
