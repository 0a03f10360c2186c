"""Import a file and check the network against the independent NumPy body."""

from __future__ import annotations

from pathlib import Path

from engine.importers.check import check_import
from engine.importers.parts import ImportOptions
from engine.importers.read import import_network
from engine.network import Network


def checked_import(path: Path, bound: float, **options: str) -> Network:
    """Import a file; fail if states or outputs differ from those of the NumPy body by ``bound`` or more."""
    parts = import_network(path, ImportOptions(**options))
    network = Network.from_parts(parts)
    found = check_import(network, parts)
    assert max(found.states, found.outputs) < bound
    return network
