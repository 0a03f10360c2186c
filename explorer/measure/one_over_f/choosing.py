"""Which networks and which reviews are measured, and a name for their contents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from glob import glob
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.catalogue import describe, shipped_networks
from engine.network import Network
from engine.reviews import open_reviews
from engine.text import Review

T = TypeVar("T")

_OF_ONE: Final = ("cell", "size", "seed", "epochs")  # parts of a recipe in which networks differ that belong together


@dataclass(frozen=True, eq=False)
class Candidate:
    """A network that reads words, and what its file says.

    ``epoch`` is None for a finished network, else after how many epochs of its training it was kept.  ``digest``
    names the weights and the vocabulary: two files with one digest hold one network.  ``recipe`` is how it was
    trained, but for cell, size, seed and epochs; ``variant`` how that differs from most others ("" if it does not).
    """

    name: str
    network: Network
    cell: str
    size: int
    seed: int | None
    epoch: int | None
    accuracy: float | None
    digest: str
    recipe: Mapping[str, object]
    variant: str = ""

    @classmethod
    def of(cls, path: str | Path) -> Candidate:
        """Read a file."""
        info = describe(path)
        network = Network.load(path)
        content = hashlib.sha256()
        for key, tensor in sorted(network.tensors().items()):
            content.update(f"{key} {tuple(tensor.shape)} ".encode() + tensor.numpy().tobytes())
        if network.vocabulary is not None:
            content.update("\n".join(network.vocabulary.words).encode())
        epoch = int(info.metadata["epoch"]) if "epoch" in info.metadata else None
        name = f"{info.cell}-{info.size}" + ("" if info.seed is None else f", seed {info.seed}")
        recipe = {key: value for key, value in info.json()["recipe"].items() if key not in _OF_ONE}
        return cls(name, network, info.cell, info.size, info.seed, epoch, info.accuracy, content.hexdigest(), recipe)


def choose_networks(patterns: Sequence[str], seeds: Sequence[int] = ()) -> list[Candidate]:
    """Networks that read reviews: by cell, size, seed and epoch, each once.

    Parameters
    ----------
    patterns : sequence of str
        Patterns of files (``nets/*.safetensors``) or of shipped networks (``lstm-*``); none means all that ship.
    seeds : sequence of int
        If there is one, only networks trained from these.

    Raises
    ------
    ValueError
        If a pattern fits nothing, or no finished network is left.
    """
    files: list[Path] = []
    for pattern in patterns or ("*",):
        found = [Path(name) for name in sorted(glob(pattern, recursive=True))] if patterns else []
        found = [file for file in found if file.suffix == ".safetensors"]
        found = found or [info.path for info in shipped_networks() if fnmatchcase(info.name, pattern)]
        if not found:
            raise ValueError(
                f"no network fits {pattern!r}: give .safetensors files, such as 'nets/*.safetensors', or the name of "
                "a shipped network, such as lstm-8 or 'lstm-*'"
            )
        files += found
    infos = [describe(file) for file in files]
    wanted = [info for info in infos if info.task == "sentiment" and (not seeds or info.seed in seeds)]
    distinct: dict[tuple[str, bool], Candidate] = {}
    for info in wanted:
        candidate = Candidate.of(info.path)
        distinct.setdefault((candidate.digest, candidate.epoch is None), candidate)
    if not distinct:
        among = f" of seed {', '.join(map(str, seeds))}" if seeds else ""
        raise ValueError(f"none of the {len(files)} networks found reads reviews{among}: there is nothing to measure")
    if all(candidate.epoch is not None for candidate in distinct.values()):
        raise ValueError("only networks kept during their training: name a finished one, too")
    return _named_apart(
        sorted(
            _told_apart(list(distinct.values())),
            key=lambda c: (
                *(
                    c.epoch is not None,
                    c.variant,
                    c.cell != "lstm",
                    c.cell,
                    c.size,
                    c.seed is None,
                    c.seed or 0,
                    c.epoch,
                ),
            ),
        )
    )


def _told_apart(candidates: list[Candidate]) -> list[Candidate]:
    """Networks that were trained otherwise than most are told how."""
    recipes = [candidate.recipe for candidate in candidates if candidate.epoch is None]
    usual = max(recipes, key=recipes.count)
    return [
        replace(
            candidate,
            variant=", ".join(
                f"{key} {_short(candidate.recipe.get(key, 'unknown'))}"
                for key in sorted({*usual, *candidate.recipe})
                if candidate.recipe.get(key) != usual.get(key)
            ),
        )
        for candidate in candidates
    ]


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _named_apart(candidates: list[Candidate]) -> list[Candidate]:
    """Networks of one name, such as two recipes from one seed, get numbers."""
    seen: dict[tuple[str, int | None, str], int] = {}
    named = []
    for candidate in candidates:
        key = (candidate.name, candidate.epoch, candidate.variant)
        seen[key] = seen.get(key, 0) + 1
        named.append(
            candidate if seen[key] == 1 else replace(candidate, name=f"{candidate.name} ({chr(96 + seen[key])})")
        )
    return named


@dataclass(frozen=True, eq=False)
class Corpus:
    """The reviews of a source: ``long`` are those of ``length`` words or more, measured up to there."""

    source: str
    length: int
    long: tuple[Review, ...]
    labelled: tuple[Review, ...]

    @classmethod
    def of(
        cls, source: str | None, length: int, limit: int | None = None, show: Callable[[int, int], None] | None = None
    ) -> Corpus:
        """Read a source (None: the bundled reviews); at most ``limit`` long reviews, evenly chosen.

        Raises
        ------
        ValueError
            If no review is long enough.
        """
        reviews = open_reviews(source, progress=show)
        long = [review for review in reviews if len(review.words) >= length]
        if not long:
            longest = max(len(review.words) for review in reviews)
            raise ValueError(
                f"none of the {len(reviews):,} reviews has {length} words, the longest has {longest}: "
                f"give --words {longest} or less, or other --reviews"
            )
        labelled = tuple(review for review in reviews if review.label is not None and review.words)
        return cls(source or "bundled", length, tuple(evenly(long, limit)), labelled)

    @cached_property
    def digest(self) -> str:
        """Names the words that are read."""
        content = hashlib.sha256(json.dumps(self.length).encode())
        for review in (*self.long, *self.labelled):
            content.update(f"\n{review.label} {' '.join(review.words)}".encode())
        return content.hexdigest()

    def ids(self, network: Network) -> NDArray[np.int32]:
        """The long reviews as a network reads them, (review, time)."""
        assert network.vocabulary is not None
        return np.stack([network.vocabulary.encode(review.words[: self.length]) for review in self.long])

    @cached_property
    def labels(self) -> NDArray[np.float64]:
        """1 or 0 for each long review, NaN where nobody said."""
        return np.array([np.nan if review.label is None else float(review.label) for review in self.long])


def evenly(items: Sequence[T], count: int | None) -> list[T]:
    """At most ``count`` of the items, evenly spaced."""
    if count is None or count >= len(items):
        return list(items)
    return [items[k * len(items) // count] for k in range(count)]
