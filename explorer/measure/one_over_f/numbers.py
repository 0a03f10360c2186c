"""The numbers as files: everything in one JSON, and tables in CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from engine.files import atomic_write
from explorer.measure.one_over_f.findings import Findings, grouped, over_networks
from explorer.measure.one_over_f.measured import Measured, spread, summary
from explorer.measure.one_over_f.published import ACCURACY, BETA_H, BETA_X, R2
from explorer.measure.study.claim import Claim
from explorer.measure.study.tables import finite, write_table

FORMAT: Final = "pinkx 1/f measurement 1"


def document(found: Findings, verdicts: Sequence[Claim]) -> dict[str, Any]:
    """All numbers in JSON's types, to six digits; what has no finite value is null."""
    return finite(
        {
            "format": FORMAT,
            "reviews": len(found.corpus.long),
            "words": found.corpus.length,
            "scales": found.options.scales,
            "null": {"white": asdict(found.white), "pink": asdict(found.pink)},
            "published": {"accuracy": ACCURACY, "beta_h": BETA_H, "beta_x": BETA_X, "r2": R2},
            "claims": [asdict(claim) for claim in verdicts],
            "sizes": [
                {
                    "cell": cell,
                    "size": size,
                    "networks": len(some),
                    "accuracy": spread([n.candidate.accuracy for n in some if n.candidate.accuracy is not None]),
                    "dead": spread([float(network.dead.mean()) for network in some]),
                    "beta": {name: asdict(over_networks(some, name)) for name in some[0].signals},
                    "internal": asdict(grouped(some, True)),
                    "external": asdict(grouped(some, False)),
                }
                for cell in dict.fromkeys(network.candidate.cell for network in found.networks)
                for size, some in found.by_size(cell).items()
            ],
            "networks": [_network(network) for network in found.networks],
            "other_recipes": [_network(network) for network in found.variants],
            "epochs": [_network(network) for network in found.epochs],
        },
        digits=6,
    )


def _network(network: Measured) -> dict[str, Any]:
    one = network.candidate
    return {
        "name": one.name,
        "cell": one.cell,
        "size": one.size,
        "seed": one.seed,
        "epoch": one.epoch,
        "accuracy": one.accuracy,
        "accuracy_long": network.right,
        "digest": one.digest,
        "recipe": one.recipe,
        "beta": {name: summary(network.of(name)) for name in network.signals},
        "r2": network.r2,
        "dead": int(network.dead.sum()),
        "participation": network.working,
        "controls": network.controls,
    }


def write_numbers(found: Findings, verdicts: Sequence[Claim], folder: Path) -> None:
    """Write ``one_over_f.json``, and ``networks.csv``, ``reviews.csv``, ``cells.csv`` and ``claims.csv``."""
    with atomic_write(folder / "one_over_f.json") as beside:
        beside.write_text(json.dumps(document(found, verdicts), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    every = (*found.networks, *found.variants, *found.epochs)
    who = ("cell", "size", "seed", "epoch", "other_recipe")
    names = [(one.cell, one.size, one.seed, one.epoch, one.variant) for one in (network.candidate for network in every)]
    write_table(
        folder / "networks.csv",
        (*who, "accuracy", "signal", "beta", "sd_reviews", "reviews"),
        (
            (*name, network.candidate.accuracy, signal, *summary(network.of(signal)).values())
            for name, network in zip(names, every, strict=True)
            for signal in network.signals
        ),
    )
    write_table(
        folder / "reviews.csv",
        (*who, "review", "beta_h", "beta_x"),
        (
            (*name, review, h, x)
            for name, network in zip(names, every, strict=True)
            for review, (h, x) in enumerate(zip(network.of("h").tolist(), network.of("x").tolist(), strict=True))
        ),
    )
    write_table(
        folder / "cells.csv",
        (*who, "number", "sd_h", "dead"),
        (
            (*name, number, moved, int(still))
            for name, network in zip(names, every, strict=True)
            for number, (moved, still) in enumerate(zip(network.deviation.tolist(), network.dead.tolist(), strict=True))
        ),
    )
    write_table(folder / "claims.csv", list(Claim.__dataclass_fields__), (asdict(claim).values() for claim in verdicts))
