"""What the ingredients of the published recipe change: β of networks of which every epoch was stored.

`measure_epochs` measures the networks of a training run, `rows` gives the table of docs/one_over_f.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.activity import is_dead
from engine.beta import series_beta
from engine.corpus_statistics import corpus_statistics
from engine.fluctuation import SCALES
from engine.network import Network
from engine.recording import record
from explorer.measure.one_over_f.means import MeanInterval
from explorer.measure.one_over_f.published import EXTERNAL, INTERNAL
from explorer.measure.one_over_f.results import summary


def measure_epochs(networks: Mapping[int, Network], ids: NDArray[np.int32]) -> dict[int, dict[str, Any]]:
    """Return for each epoch, over ``ids`` (review, time), `summary` of β of every signal and of the logit."""
    measured = {}
    for epoch, network in networks.items():
        found = corpus_statistics(network, ids)
        beta = {name: summary(found.exponents(name).beta) for name in found.signals}
        weight = network.readout_weight[:1].detach().double().cpu().numpy().T
        logits = (record(network, list(ids), ("h",))["h"].astype(np.float64) @ weight)[..., 0]
        beta["logit"] = summary(series_beta(logits, SCALES))
        measured[epoch] = {"beta": beta, "dead": int(is_dead(found.deviation.mean(axis=0)).sum())}
    return measured


def chosen(run: Mapping[str, Any], selection: str = "training", weights: str = "raw") -> Mapping[str, Any]:
    """Return the measurements of the epoch of lowest training loss, or of lowest test loss, of a run."""
    epochs = [one for one in run["epochs"] if one["epoch"] > 0 and weights in one]

    def loss(one: Mapping[str, Any]) -> float:
        return float(one["loss"] if selection == "training" else one[weights]["test_loss"])

    best = min(epochs, key=loss)
    return {**best[weights], "epoch": best["epoch"], "loss": best["loss"]}


def _row(name: str, ones: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a row of the table: one ingredient, the epochs chosen in its runs."""

    def mean(values: Sequence[float], digits: int = 2) -> str:
        spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
        return f"{np.mean(values):.{digits}f}{spread}"

    h = MeanInterval.of([one["beta"]["h"] for one in ones])
    groups = [
        [float(np.mean([one["beta"][signal]["mean"] for signal in group])) for one in ones]
        for group in (INTERNAL["lstm"], EXTERNAL["lstm"])
    ]
    return [
        *(name, str(len(ones)), ", ".join(f"{one['beta']['h']['mean']:.2f}" for one in ones)),
        f"{h.low:.2f} … {h.high:.2f}",
        *map(mean, groups),
        mean([one["beta"]["logit"]["mean"] for one in ones]),
        mean([one["beta"]["x"]["mean"] for one in ones]),
        ", ".join(str(one["epoch"]) for one in ones),
        mean([one["loss"] for one in ones], 3),
        mean([100 * one["test_accuracy"] for one in ones], 1),
    ]


HEADINGS = (
    *("recipe", "networks", "β of h of each", "95% interval", "internal", "external", "logit", "x"),
    *("epoch", "training loss", "test accuracy, %"),
)


def rows(document: Mapping[str, Any]) -> list[list[str]]:
    """Return the rows of the ingredient table."""
    runs: dict[str, list[Mapping[str, Any]]] = {}
    for run in document["runs"]:
        runs.setdefault(run["recipe"], []).append(run)
    published = runs.pop("published")
    table = [
        _row("published", [chosen(run) for run in published]),
        _row("… epoch of the lowest test loss", [chosen(run, "test") for run in published]),
        _row("… averaged weights (0.998)", [chosen(run, weights="averaged") for run in published]),
        _row(
            "… averaged, epoch of the lowest test loss",
            [chosen(run, "test", weights="averaged") for run in published],
        ),
    ]
    for name, some in runs.items():
        table.append(_row(name, [chosen(run) for run in some]))
        table.append(_row(f"{name}, epoch of the lowest test loss", [chosen(run, "test") for run in some]))
    return table
