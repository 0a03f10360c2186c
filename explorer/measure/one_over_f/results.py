"""Measurements of one network: β of every signal, dead cells, and controls."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.activity import is_dead, participation_ratio
from engine.beta import series_beta
from engine.beta_controls import (
    beta_of_other_estimators,
    beta_of_other_sums,
    beta_with_padding,
    layer_inputs,
    layer_series,
    shuffle_words,
    untrained_twin,
)
from engine.corpus_statistics import CorpusStatistics, corpus_statistics
from engine.devices import or_on_the_cpu, own_stream
from engine.fluctuation import half_betas
from engine.intervals import has_one_exponent
from engine.kernels.cpu.threads import thread_count
from engine.knee import knee_fit, other_knee
from engine.network import Network
from engine.samples import sum_over_cells
from engine.spectrum import power_spectrum
from engine.state_runs import last_probability, run_on
from engine.surrogates import surrogate_betas
from explorer.measure.one_over_f.sample import ReviewSample, evenly
from explorer.measure.one_over_f.selection import TrainedNetwork
from explorer.measure.study.cache import cache_file, cached
from explorer.measure.study.progress import ShowFraction

Array = NDArray[np.float64]

CONTROL_REVIEWS: Final = 400  # long reviews for the controls: enough to know the mean β to about 0.01
ABLATION_REVIEWS: Final = 5000  # labelled reviews of any length for the ablations

VERSION: Final = 7  # of cached results: increase it when the numbers change


@dataclass(frozen=True)
class Options:
    """Options that determine the numbers, besides networks and reviews."""

    scales: tuple[int, ...]
    signals: tuple[str, ...] = ()
    controls: bool = True
    device: str = "cpu"  # determines no number beyond rounding, so cached results are shared
    surrogates: int = 0  # of each kind and review


@dataclass(frozen=True, eq=False)
class NetworkResult:
    """Measurements of a network.

    Attributes
    ----------
    trained : TrainedNetwork
    signals : tuple of str
    beta : (signal, review) array
        β of the layer sums; NaN without an exponent.
    deviation : (cell,) array
        Standard deviation of h over the words of a review, averaged over reviews.
    participation : float
        Participation ratio, averaged over reviews.
    correct : float
        Fraction of the long reviews classified correctly; NaN without labels.
    seconds : float
        Processor time.
    controls : dict
        Name → `summary` of β of h; ``flipped``: mean β for every draw of signs; ``ablation``: see `_ablations`.
    local : dict
        Signal → means over reviews of β over the ``short`` and the ``long`` half of the scales, and ``bent``, the
        fraction of reviews without a single exponent.
    knee : dict
        ``own`` and, if it is installed, ``specparam``: `engine.knee.KneeFit` of the mean spectrum of h over the reviews
        of the controls.
    surrogates : dict
        Kind of surrogate, ``first half`` or ``second half`` → `summary` of β of h; empty unless asked for.
    """

    trained: TrainedNetwork
    signals: tuple[str, ...]
    beta: Array
    deviation: Array
    participation: float
    correct: float
    seconds: float
    controls: dict[str, Any]
    local: dict[str, dict[str, float]] = field(default_factory=dict)
    surrogates: dict[str, dict[str, float]] = field(default_factory=dict)
    knee: dict[str, dict[str, float]] = field(default_factory=dict)

    def of(self, signal: str) -> Array:
        """β of a signal's layer sum, (review,)."""
        return self.beta[self.signals.index(signal)]

    @property
    def dead(self) -> NDArray[np.bool_]:
        """Mask of the dead cells, (cell,)."""
        return is_dead(self.deviation)

    @property
    def r2(self) -> float:
        """R² between β of h and β of the input."""
        h, x = self.of("h"), self.of("x")
        both = np.isfinite(h) & np.isfinite(x)
        return float(np.corrcoef(h[both], x[both])[0, 1] ** 2) if both.sum() > 2 else float("nan")


def summary(values: Array) -> dict[str, float]:
    """Return mean and standard deviation over the reviews that have an exponent, and their number."""
    known = values[np.isfinite(values)]
    spread = float(known.std(ddof=1)) if len(known) > 1 else float("nan")
    return {"mean": float(known.mean()) if len(known) else float("nan"), "sd": spread, "count": len(known)}


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation over networks; the latter is NaN for a single network."""
    known = np.array([value for value in values if np.isfinite(value)])
    mean = float(known.mean()) if len(known) else float("nan")
    return mean, float(known.std(ddof=1)) if len(known) > 1 else float("nan")


def measure(
    trained: TrainedNetwork,
    sample: ReviewSample,
    options: Options,
    folder: Path,
    show: ShowFraction = lambda fraction: None,
) -> NetworkResult:
    """Measure a network, or read the cached result for the same network, reviews and options."""
    contents = (VERSION, trained.digest, trained.epoch, sample.digest, options.scales, options.signals)
    path = cache_file(folder, f"{trained.cell}-{trained.size}", *contents, options.controls, options.surrogates)

    def restore(values: dict[str, Any]) -> NetworkResult:
        beta, deviation = (np.array(values.pop(name), dtype=np.float64) for name in ("beta", "deviation"))
        return NetworkResult(trained, tuple(values.pop("signals")), beta, deviation, **values)

    return cached(path, lambda: _measured(trained, sample, options, show), restore)


def _measured(trained: TrainedNetwork, sample: ReviewSample, options: Options, show: ShowFraction) -> dict[str, Any]:
    # Processor time, of this thread alone where others measure other networks.
    clock = time.thread_time if thread_count() == 1 else time.process_time
    start = clock()
    network, ids = trained.network, sample.ids(trained.network)
    signals = [signal.name for signal in network.signals]
    if options.signals:
        signals = [name for name in signals if name in {*options.signals, "h", "x"}]
    controlled = options.controls and trained.epoch is None
    steps = (1 + controlled) * len(ids)

    def statistics(device: str) -> CorpusStatistics:
        with own_stream(device):
            on_device = network.to(device=device)
            return corpus_statistics(
                on_device, ids, signals, options.scales, progress=lambda done, _: show(done / steps)
            )

    found = or_on_the_cpu(options.device, statistics)
    labels = sample.labels
    correct = (found.probability >= network.threshold) == (labels > 0.5)
    labelled = np.isfinite(labels)
    controls, knee = _controls(network, ids, found, sample, options) if controlled else ({}, {})
    return {
        "signals": found.signals,
        "beta": [found.exponents(name).beta.tolist() for name in found.signals],
        "deviation": found.deviation.mean(axis=0).tolist(),
        "participation": float(np.nanmean(participation_ratio(found.deviation))),
        "correct": float(correct[labelled].mean()) if labelled.any() else float("nan"),
        "seconds": clock() - start,
        "controls": controls,
        "knee": knee,
        "local": {name: _local(found, name, sample.length) for name in found.signals},
        "surrogates": _surrogates(network, ids, options.surrogates) if options.surrogates else {},
    }


def _local(found: CorpusStatistics, signal: str, length: int) -> dict[str, float]:
    F = found.F[found.signals.index(signal)]
    short, long = (summary(values)["mean"] for values in half_betas(F, found.scales))
    return {"short": short, "long": long, "bent": float(np.mean(~has_one_exponent(F, length, found.scales)))}


def _surrogates(network: Network, ids: NDArray[np.int32], count: int) -> dict[str, dict[str, float]]:
    some = np.stack(evenly(list(ids), CONTROL_REVIEWS))
    found = surrogate_betas(layer_series(network, some, ("h",))["h"], count)
    kinds = {kind: summary(beta.mean(axis=0)) for kind, beta in found.surrogates.items()}
    first, second = found.halves
    return {"series": summary(found.beta), **kinds, "first half": summary(first), "second half": summary(second)}


def _controls(
    network: Network, ids: NDArray[np.int32], found: CorpusStatistics, sample: ReviewSample, options: Options
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    some = np.stack(evenly(list(ids), CONTROL_REVIEWS))
    quiet = is_dead(found.deviation.mean(axis=0))
    words = max(max(options.scales), 3 * sample.length // 5)
    # The first words alone, then the others from the state after them: the whole reviews, read once.
    begun, state = run_on(network, some[:, :words], signals=("h",))
    ended, _ = run_on(network, some[:, words:], state, signals=("h",))
    h = np.concatenate((begun["h"], ended["h"]), axis=1)
    plain = {"h": sum_over_cells(h), "x": layer_inputs(network, some)}
    mixed = shuffle_words(some)
    results = {
        "plain": series_beta(plain["h"], options.scales),
        "shuffled": series_beta(layer_series(network, mixed, ("h",))["h"], options.scales),
        "shuffled, x": series_beta(layer_inputs(network, mixed), options.scales),
    }
    twin = untrained_twin(network)
    if twin is not None:
        results["untrained"] = series_beta(layer_series(twin, some, ("h",))["h"], options.scales)
    padded = beta_with_padding(network, some, options.scales, words, (sum_over_cells(begun["h"]), state))
    results |= {f"padding {name}": value for name, value in padded.items()}
    readout = network.readout_weight[0].detach().double().cpu().numpy()
    otherwise = beta_of_other_sums(h, readout, options.scales, quiet)
    flipped = otherwise.pop("flipped")
    results |= otherwise
    for name in ("h", "x"):
        for way, value in beta_of_other_estimators(plain[name], options.scales, ranges(sample.length)).items():
            results[way if name == "h" else f"{way}, x"] = value
    controls: dict[str, Any] = {name: summary(value) for name, value in results.items()}
    controls["flipped"] = [summary(column)["mean"] for column in flipped.T]
    controls["ablation"] = _ablations(network, sample, quiet, found.mean.mean(axis=0))
    return controls, _knees(plain["h"], options.scales)


def _knees(series: NDArray[np.floating], scales: Sequence[int]) -> dict[str, dict[str, float]]:
    """Fit the mean spectrum of series (review, time) from 1/(2 · longest scale) to 1/(shortest scale)."""
    frequency, power = power_spectrum(series[np.ptp(series, axis=1) > 0])
    chosen = (frequency >= 0.5 / max(scales)) & (frequency <= 1 / min(scales))
    if not len(power) or chosen.sum() < 4:
        return {}
    mean = np.exp(np.log(power[:, chosen]).mean(axis=0))
    fits = {"own": knee_fit(frequency[chosen], mean), "specparam": other_knee(frequency[chosen], mean)}
    return {name: asdict(fit) for name, fit in fits.items() if fit is not None}


def ranges(length: int) -> list[tuple[int, int]]:
    """Return ranges of scales for reviews of ``length`` words: short ones, the default, its parts, and long ones."""
    most = length // 4
    all_ranges = [(4, 16), (4, most), (10, most // 2), (10, most), (10, length // 2), (most // 3, length // 2)]
    return [(low, high) for low, high in all_ranges if high >= 2 * low]


def _ablations(network: Network, sample: ReviewSample, quiet: NDArray[np.bool_], mean: Array) -> dict[str, float]:
    """Return the accuracy without ablation, with the dead and with the live cells mean-ablated.

    ``changed`` is the fraction of outputs that ablating the dead cells changes.
    """
    reviews, ids = evenly(sample.labelled, ABLATION_REVIEWS), sample.labelled_ids(network, ABLATION_REVIEWS)
    if not ids:
        return {}
    label = np.array([bool(review.label) for review in reviews])
    free = last_probability(network, ids) >= network.threshold
    without_live = last_probability(network, ids, np.where(quiet, np.nan, mean)) >= network.threshold
    without_dead = free
    if quiet.any():
        without_dead = last_probability(network, ids, np.where(quiet, mean, np.nan)) >= network.threshold
    return {
        "reviews": len(ids),
        "none": float(np.mean(free == label)),
        "dead": float(np.mean(without_dead == label)),
        "changed": float(np.mean(without_dead != free)),
        "live": float(np.mean(without_live == label)),
    }
