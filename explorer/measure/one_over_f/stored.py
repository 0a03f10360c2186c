"""Results read back from the JSON document of the study, to decide claims and write pages without measuring again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from engine.network import Network
from engine.training import complete_recipe
from explorer.measure.one_over_f.aggregates import StudyResults
from explorer.measure.one_over_f.results import NetworkResult, Options
from explorer.measure.one_over_f.sample import ReviewSample
from explorer.measure.one_over_f.selection import TrainedNetwork, with_variants

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StoredResult(NetworkResult):
    """Measurements of a network of which the document has summaries: the β of single reviews are stand-ins.

    They have the mean, the standard deviation and the number of the measured ones.
    """

    stored_r2: float = float("nan")

    @property
    def r2(self) -> float:
        """R² between β of h and β of the input, as stored."""
        return self.stored_r2


def stored_results(document: Mapping[str, Any]) -> StudyResults:
    """Return the results that `numbers.document` wrote; the networks' weights and the reviews are not there."""
    results = [_network(one) for kind in ("networks", "other_recipes", "epochs") for one in document[kind]]
    trained = with_variants([result.trained for result in results])
    results = [replace(result, trained=one) for result, one in zip(results, trained, strict=True)]
    sample = ReviewSample("imdb:test", document["words"], (), ())
    return StudyResults.of(results, sample, Options(tuple(document["scales"])))


def _network(one: Mapping[str, Any]) -> StoredResult:
    trained = TrainedNetwork(
        *(one["name"], cast(Network, None), one["cell"], one["size"], one["seed"], one["epoch"], one["accuracy"]),
        one["digest"],
        complete_recipe(one["recipe"]),
    )
    beta = np.stack([_stand_ins(**summary) for summary in one["beta"].values()])
    deviation = np.where(np.arange(one["size"]) < one["dead"], 0.0, 1.0)
    return StoredResult(
        trained=trained,
        signals=tuple(one["beta"]),
        beta=beta,
        deviation=deviation,
        participation=_known(one["participation"]),
        correct=_known(one["accuracy_long"]),
        seconds=0.0,
        controls=one["controls"],
        local=one.get("local", {}),
        surrogates=one.get("surrogates", {}),
        knee=one.get("knee", {}),
        stored_r2=_known(one["r2"]),
    )


def _stand_ins(mean: float | None, sd: float | None, count: int) -> Array:
    """Return ``count`` values with this mean and standard deviation."""
    if not count or mean is None:
        return np.full(max(count, 1), np.nan)
    scores = norm.ppf((np.arange(count) + 0.5) / count)
    spread = scores.std(ddof=1) if count > 1 else 1.0
    return np.asarray(mean + (sd or 0.0) * scores / spread)


def _known(value: float | None) -> float:
    return float("nan") if value is None else value
