"""One network measured, and kept, so that an interrupted run goes on."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.activity import is_dead, participation_ratio
from engine.arrays import load_arrays, save_arrays
from engine.beta import series_beta
from engine.beta_controls import (
    beta_of_other_estimators,
    beta_of_other_sums,
    beta_with_padding,
    clamped_probability,
    layer_series,
    shuffle_words,
    untrained_twin,
)
from engine.corpus_statistics import CorpusStatistics, corpus_statistics
from engine.network import Network
from engine.reviews import CUT
from explorer.measure.one_over_f.choosing import Candidate, Corpus, evenly

Array = NDArray[np.float64]

SAMPLE: Final = 400  # long reviews that the controls read: their mean β is then known to some 0.01
ANSWERS: Final = 5000  # labelled reviews, of any length, on which cells are held

_KIND: Final = "a network's 1/f measurement"
_NAMES: Final = ("signals", "beta", "deviation", "working", "right", "seconds", "controls")
_VERSION: Final = 2  # to be raised when what is measured changes, so that nothing old is taken for new


@dataclass(frozen=True)
class Options:
    """What decides the numbers besides networks and reviews."""

    scales: tuple[int, ...]
    signals: tuple[str, ...] = ()
    controls: bool = True


@dataclass(frozen=True, eq=False)
class Measured:
    """A network's numbers.

    Attributes
    ----------
    candidate : Candidate
    signals : tuple of str
    beta : (signal, review) array
        β of the layer sums; NaN where there is none.
    deviation : (cell,) array
        Standard deviation of h over a review's words, averaged over reviews.
    working : float
        Participation ratio, averaged over reviews.
    right : float
        Fraction of the long reviews answered rightly; NaN if nobody labelled them.
    seconds : float
        Processor time that it took.
    controls : dict
        Name → a `summary`; ``flipped``: the mean β for every draw of signs; ``held``: see `_held`.
    """

    candidate: Candidate
    signals: tuple[str, ...]
    beta: Array
    deviation: Array
    working: float
    right: float
    seconds: float
    controls: dict[str, Any]

    def of(self, signal: str) -> Array:
        """β of a signal's layer sum, (review,)."""
        return self.beta[self.signals.index(signal)]

    @property
    def dead(self) -> NDArray[np.bool_]:
        """Which cells hardly move, (cell,)."""
        return is_dead(self.deviation)

    @property
    def r2(self) -> float:
        """R² between β of h and β of the input."""
        h, x = self.of("h"), self.of("x")
        both = np.isfinite(h) & np.isfinite(x)
        return float(np.corrcoef(h[both], x[both])[0, 1] ** 2) if both.sum() > 2 else float("nan")


def summary(values: Array) -> dict[str, float]:
    """Mean and standard deviation over reviews of those that have an exponent, and how many these are."""
    known = values[np.isfinite(values)]
    spread = float(known.std(ddof=1)) if len(known) > 1 else float("nan")
    return {"mean": float(known.mean()) if len(known) else float("nan"), "sd": spread, "count": len(known)}


def measure(
    candidate: Candidate, corpus: Corpus, options: Options, folder: Path, progress: Callable[[int, int], None]
) -> Measured:
    """Measure a network, or take what was kept in ``folder`` of the same network, reviews and options."""
    said = [_VERSION, candidate.digest, candidate.epoch, corpus.digest, options.scales, options.signals]
    key = hashlib.sha256(json.dumps([*said, options.controls]).encode()).hexdigest()[:24]
    path = folder / f"{key}.npz"
    if not path.exists():
        save_arrays(path, _KIND, _arrays(candidate, corpus, options, progress))
    try:
        kept = load_arrays(path, _KIND, _NAMES)
    except ValueError as error:
        raise ValueError(f"{error}; delete it to measure {candidate.name} again") from None
    return Measured(
        candidate,
        tuple(str(name) for name in kept["signals"]),
        np.asarray(kept["beta"], dtype=np.float64),
        np.asarray(kept["deviation"], dtype=np.float64),
        float(np.asarray(kept["working"], dtype=np.float64)),
        float(np.asarray(kept["right"], dtype=np.float64)),
        float(np.asarray(kept["seconds"], dtype=np.float64)),
        json.loads(str(kept["controls"])),
    )


def _arrays(
    candidate: Candidate, corpus: Corpus, options: Options, progress: Callable[[int, int], None]
) -> dict[str, NDArray[Any]]:
    start = time.process_time()  # of the processor, so that other work on the machine does not count
    network, ids = candidate.network, corpus.ids(candidate.network)
    known = [signal.name for signal in network.signals]
    signals = [name for name in known if not options.signals or name in {*options.signals, "h", "x"}]
    controlled = options.controls and candidate.epoch is None
    steps = (1 + controlled) * len(ids)
    found = corpus_statistics(network, ids, signals, options.scales, progress=lambda done, _: progress(done, steps))
    labels = corpus.labels
    right = (found.probability >= 0.5) == (labels > 0.5)
    told = np.isfinite(labels)
    controls = _controls(network, ids, found, corpus, options) if controlled else {}
    return {
        "signals": np.array(found.signals),
        "beta": np.stack([found.exponents(name).beta for name in found.signals]),
        "deviation": found.deviation.mean(axis=0),
        "working": np.nanmean(participation_ratio(found.deviation)),
        "right": np.array(right[told].mean() if told.any() else np.nan),
        "seconds": np.array(time.process_time() - start),
        "controls": np.array(json.dumps(controls)),
    }


def _controls(
    network: Network, ids: NDArray[np.int32], found: CorpusStatistics, corpus: Corpus, options: Options
) -> dict[str, Any]:
    sample = np.stack(evenly(list(ids), SAMPLE))
    quiet = is_dead(found.deviation.mean(axis=0))
    plain = layer_series(network, sample, ("h", "x"))
    mixed = layer_series(network, shuffle_words(sample), ("h", "x"))
    results = {
        "plain": series_beta(plain["h"], options.scales),
        "shuffled": series_beta(mixed["h"], options.scales),
        "shuffled, x": series_beta(mixed["x"], options.scales),
    }
    twin = untrained_twin(network)
    if twin is not None:
        results["untrained"] = series_beta(layer_series(twin, sample, ("h",))["h"], options.scales)
    words = max(max(options.scales), 3 * corpus.length // 5)
    results |= {
        f"padding {name}": value for name, value in beta_with_padding(network, sample, options.scales, words).items()
    }
    otherwise = beta_of_other_sums(network, sample, options.scales, quiet)
    flipped = otherwise.pop("flipped")
    results |= otherwise
    for name in ("h", "x"):
        for way, value in beta_of_other_estimators(plain[name], options.scales, ranges(corpus.length)).items():
            results[way if name == "h" else f"{way}, x"] = value
    controls: dict[str, Any] = {name: summary(value) for name, value in results.items()}
    controls["flipped"] = [summary(column)["mean"] for column in flipped.T]
    controls["held"] = _clamps(network, corpus, quiet, found.mean.mean(axis=0))
    return controls


def ranges(length: int) -> list[tuple[int, int]]:
    """Other ranges of scales for reviews of so many words: the first decade, the default, its parts, and beyond."""
    most = length // 4
    all_ranges = [(4, 16), (4, most), (10, most // 2), (10, most), (10, length // 2), (most // 3, length // 2)]
    return [(low, high) for low, high in all_ranges if high >= 2 * low]


def _clamps(network: Network, corpus: Corpus, quiet: NDArray[np.bool_], mean: Array) -> dict[str, float]:
    """Accuracy with nothing held, with the dead cells at their mean, with the others, and how many answers change."""
    reviews = evenly(corpus.labelled, ANSWERS)
    assert network.vocabulary is not None
    ids = [network.vocabulary.encode(review.words[:CUT]) for review in reviews]
    if not ids:
        return {}
    label = np.array([bool(review.label) for review in reviews])
    free, still, lamed = (
        clamped_probability(network, ids, clamp) >= 0.5
        for clamp in (None, {"h": np.where(quiet, mean, np.nan)}, {"h": np.where(quiet, np.nan, mean)})
    )
    return {
        "reviews": len(ids),
        "free": float(np.mean(free == label)),
        "dead held": float(np.mean(still == label)),
        "changed": float(np.mean(still != free)),
        "live held": float(np.mean(lamed == label)),
    }


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation over networks; the latter is NaN for one."""
    known = np.array([value for value in values if np.isfinite(value)])
    mean = float(known.mean()) if len(known) else float("nan")
    return mean, float(known.std(ddof=1)) if len(known) > 1 else float("nan")
