"""Choice of the network files that a study measures."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from glob import glob

from engine.catalogue import NetworkInfo, describe, shipped_networks


def matching_networks(patterns: Sequence[str], default: Sequence[str], example: str) -> list[NetworkInfo]:
    """Return the networks that match patterns, each file once.

    Parameters
    ----------
    patterns : sequence of str
        Patterns of files (``nets/*.safetensors``), or else of names of shipped networks (``lstm-*``).
    default : sequence of str
        Patterns of shipped networks to use if ``patterns`` is empty.
    example : str
        Name of a suitable shipped network, for the error message.

    Raises
    ------
    ValueError
        If a pattern matches nothing.
    """
    found: dict[object, NetworkInfo] = {}
    for pattern in patterns or default:
        files = sorted(glob(pattern, recursive=True)) if patterns else []
        infos = [describe(file) for file in files if file.endswith(".safetensors")]
        infos = infos or [info for info in shipped_networks() if fnmatchcase(info.name, pattern)]
        if not infos:
            raise ValueError(
                f"no network matches {pattern!r}: give .safetensors files, such as 'nets/*.safetensors', or names of "
                f"shipped networks, such as {example}"
            )
        found |= {info.path.resolve(): info for info in infos}
    return list(found.values())
