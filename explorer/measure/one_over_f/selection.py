"""Selection of the networks that the study measures, with digests of their contents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from engine.catalogue import describe
from engine.network import Network
from engine.training import complete_recipe
from explorer.measure.study.networks import matching_networks

_NOT_RECIPE: Final = ("cell", "size", "seed", "epochs")  # may differ between networks of one recipe


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network that reads words, with the metadata of its file.

    Attributes
    ----------
    epoch : int or None
        Number of epochs after which it was saved during training; None for a finished network.
    digest : str
        Hash of the weights and the vocabulary.
    recipe : mapping
        How it was trained, without cell, size, seed and epochs.
    variant : str
        How its recipe differs from that of most networks; empty if it does not.
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
    def load(cls, path: str | Path) -> TrainedNetwork:
        """Load a network file."""
        info = describe(path)
        network = Network.load(path)
        content = hashlib.sha256()
        for key, tensor in sorted(network.tensors().items()):
            content.update(f"{key} {tuple(tensor.shape)} ".encode() + tensor.numpy().tobytes())
        if network.vocabulary is not None:
            content.update("\n".join(network.vocabulary.words).encode())
        epoch = int(info.metadata["epoch"]) if "epoch" in info.metadata else None
        name = f"{info.cell}-{info.size}" + ("" if info.seed is None else f", seed {info.seed}")
        ingredients = complete_recipe(info.json()["recipe"])
        recipe = {key: value for key, value in ingredients.items() if key not in _NOT_RECIPE}
        return cls(name, network, info.cell, info.size, info.seed, epoch, info.accuracy, content.hexdigest(), recipe)


def select_networks(patterns: Sequence[str], seeds: Sequence[int] = ()) -> list[TrainedNetwork]:
    """Return networks that read reviews, each once, sorted by cell, size, seed and epoch.

    Parameters
    ----------
    patterns : sequence of str
        See `matching_networks`; all shipped networks by default.
    seeds : sequence of int
        Only networks trained with these seeds, if there are any.

    Raises
    ------
    ValueError
        If a pattern matches nothing, or no finished network is left.
    """
    infos = matching_networks(patterns, ("*",), "lstm-8")
    distinct: dict[tuple[str, bool], TrainedNetwork] = {}
    for info in infos:
        if info.task == "sentiment" and (not seeds or info.seed in seeds):
            trained = TrainedNetwork.load(info.path)
            distinct.setdefault((trained.digest, trained.epoch is None), trained)
    if not distinct:
        of_seeds = f" with seed {', '.join(map(str, seeds))}" if seeds else ""
        raise ValueError(
            f"none of the {len(infos)} networks found reads reviews{of_seeds}: there is nothing to measure"
        )
    if all(trained.epoch is not None for trained in distinct.values()):
        raise ValueError("all networks were saved during training: add a finished one")
    return _numbered(sorted(with_variants(list(distinct.values())), key=_order))


def _order(trained: TrainedNetwork) -> tuple[object, ...]:
    return (
        *(trained.epoch is not None, trained.variant, trained.cell != "lstm", trained.cell, trained.size),
        *(trained.seed is None, trained.seed or 0, trained.epoch),
    )


def with_variants(networks: list[TrainedNetwork]) -> list[TrainedNetwork]:
    """Describe how each recipe differs from the most frequent one."""
    recipes = [trained.recipe for trained in networks if trained.epoch is None]
    usual = max(recipes, key=recipes.count)
    return [
        replace(
            trained,
            variant=", ".join(
                f"{key} {_short(trained.recipe.get(key, 'unknown'))}"
                for key in sorted({*usual, *trained.recipe})
                if trained.recipe.get(key) != usual.get(key)
            ),
        )
        for trained in networks
    ]


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _numbered(networks: list[TrainedNetwork]) -> list[TrainedNetwork]:
    """Add (b), (c), … to the names of networks of the same name, epoch and variant."""
    seen: dict[tuple[str, int | None, str], int] = {}
    named = []
    for trained in networks:
        key = (trained.name, trained.epoch, trained.variant)
        seen[key] = seen.get(key, 0) + 1
        suffix = "" if seen[key] == 1 else f" ({chr(96 + seen[key])})"
        named.append(replace(trained, name=trained.name + suffix))
    return named
