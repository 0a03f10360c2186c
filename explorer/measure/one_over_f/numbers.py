"""The numbers of the study as a JSON document and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from explorer.measure.one_over_f.aggregates import StudyResults, grouped, over_networks
from explorer.measure.one_over_f.published import ACCURACY, BETA_H, BETA_X, R2
from explorer.measure.one_over_f.results import NetworkResult, spread, summary
from explorer.measure.study.claims import Claim
from explorer.measure.study.output import Table, json_values

FORMAT: Final = "pinkx 1/f measurement 2"


def document(results: StudyResults, claims: Sequence[Claim]) -> dict[str, Any]:
    """Return all numbers as JSON values with six significant digits; a number that is not finite becomes null."""
    return json_values(
        {
            "format": FORMAT,
            "reviews": len(results.sample.long),
            "words": results.sample.length,
            "scales": results.options.scales,
            "null": {"white": asdict(results.white), "pink": asdict(results.pink)},
            "published": {"accuracy": ACCURACY, "beta_h": BETA_H, "beta_x": BETA_X, "r2": R2},
            "claims": [asdict(claim) for claim in claims],
            "sizes": [
                {
                    "cell": cell,
                    "size": size,
                    "networks": len(some),
                    "accuracy": spread([n.trained.accuracy for n in some if n.trained.accuracy is not None]),
                    "dead": spread([float(network.dead.mean()) for network in some]),
                    "beta": {name: asdict(over_networks(some, name)) for name in some[0].signals},
                    "internal": asdict(grouped(some, True)),
                    "external": asdict(grouped(some, False)),
                }
                for cell in dict.fromkeys(network.trained.cell for network in results.networks)
                for size, some in results.by_size(cell).items()
            ],
            "networks": [_network(network) for network in results.networks],
            "other_recipes": [_network(network) for network in results.variants],
            "epochs": [_network(network) for network in results.epochs],
        },
        digits=6,
    )


def _network(network: NetworkResult) -> dict[str, Any]:
    trained = network.trained
    return {
        "name": trained.name,
        "cell": trained.cell,
        "size": trained.size,
        "seed": trained.seed,
        "epoch": trained.epoch,
        "accuracy": trained.accuracy,
        "accuracy_long": network.correct,
        "digest": trained.digest,
        "recipe": trained.recipe,
        "beta": {name: summary(network.of(name)) for name in network.signals},
        "r2": network.r2,
        "dead": int(network.dead.sum()),
        "participation": network.participation,
        "controls": network.controls,
        "local": network.local,
        "knee": network.knee,
        "surrogates": network.surrogates,
    }


def tables(results: StudyResults) -> dict[str, Table]:
    """Return the tables of networks, reviews and cells."""
    keys = ("cell", "size", "seed", "epoch", "other_recipe")
    rows = [
        ((n.trained.cell, n.trained.size, n.trained.seed, n.trained.epoch, n.trained.variant), n) for n in results.every
    ]
    return {
        "networks": (
            (*keys, "accuracy", "signal", "beta", "sd_reviews", "reviews"),
            (
                (*key, network.trained.accuracy, signal, *summary(network.of(signal)).values())
                for key, network in rows
                for signal in network.signals
            ),
        ),
        "reviews": (
            (*keys, "review", "beta_h", "beta_x"),
            (
                (*key, review, h, x)
                for key, network in rows
                for review, (h, x) in enumerate(zip(network.of("h").tolist(), network.of("x").tolist(), strict=True))
            ),
        ),
        "cells": (
            (*keys, "number", "sd_h", "dead"),
            (
                (*key, number, sd, int(dead))
                for key, network in rows
                for number, (sd, dead) in enumerate(zip(network.deviation.tolist(), network.dead.tolist(), strict=True))
            ),
        ),
    }
