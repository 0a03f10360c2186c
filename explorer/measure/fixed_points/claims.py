"""The paper's claims, each decided by a criterion, which is ours.

*holds*: every network concerned meets the criterion.  *depends on a choice*: some do, so that it depends on the
architecture or on the seed.  *does not hold*: none does.  *not measured*: there is no such network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from explorer.measure.fixed_points.results import NetworkResult
from explorer.measure.fixed_points.trajectories import AHEAD
from explorer.measure.line_attractor import LineAttractor
from explorer.measure.study.claims import Claim, verdict

EXPLAINED = 0.9
"""Fraction of variance that counts as explained, as in the paper."""
LINEAR = 0.9
"""Least |r| between the readout and a component."""
PERPENDICULAR = 0.26
"""Largest |cosine| of directions that count as perpendicular: at least 75° apart."""
PREDICTED = 0.75
"""Least fraction of ends or answers that counts as predicted."""
FACTOR = 3.0
"""Time constants within this factor count as equal."""
ADVANTAGE = 0.05
"""Least advantage over a baseline."""


def decide_claims(results: Sequence[NetworkResult], lines: Sequence[LineAttractor] = ()) -> list[Claim]:
    """Return every claim that numbers can decide: the paper's, in its order, and those about line attractors."""
    if not results:
        return list(_line_attractors(lines))
    one = [m for m in results if m.task == "integration-1"]
    three = [m for m in results if _channels(m) == 3]
    return [
        *_training(results),
        *_components(results, three),
        *_one_channel(one),
        *_three_channels(three),
        *_trajectories(results),
        *_line_attractors(lines),
    ]


def of_task(results: Sequence[NetworkResult], task: str) -> list[NetworkResult]:
    """Return the networks of one task."""
    return [m for m in results if m.task == task]


def by_cell(results: Sequence[NetworkResult], value: Callable[[NetworkResult], float], form: str = ".0%") -> str:
    """Format a number for each architecture: mean, median and range over networks."""
    parts = []
    for cell in dict.fromkeys(m.cell for m in results):
        values = np.array([value(m) for m in results if m.cell == cell])
        values = values[np.isfinite(values)]
        if len(values) == 0:
            continue
        spread = ""
        if len(values) > 1:
            spread = f" (median {np.median(values):{form}}; {values.min():{form}} … {values.max():{form}})"
        parts.append(f"{cell.upper()} {values.mean():{form}}{spread}")
    return "; ".join(parts).replace("-", "−") or "no such network"


def _channels(measured: NetworkResult) -> int:
    return int(measured.task.rpartition("-")[2])


def _training(results: Sequence[NetworkResult]) -> Iterator[Claim]:
    known = [m for m in results if m.accuracy is not None]
    yield Claim(
        "All architectures learn the tasks",
        "section 4.2",
        "accuracy consistently above 95 %",
        "accuracy on new sequences above 95 %",
        by_cell(known, lambda m: m.accuracy or 0, ".1%"),
        verdict([(m.accuracy or 0) > 0.95 for m in known]),
    )
    yield Claim(
        "The search ends at fixed and slow points",
        "section 4.3",
        "mean speed below 0.01",
        "under every input, at least 95 % of the starts end at a certified root or at a minimum of q below 0.001",
        by_cell(results, lambda m: min(row.certified for row in m.searches), ".1%") + " (the worst input)",
        verdict([min(row.certified for row in m.searches) >= 0.95 for m in results]),
    )


def _components(results: Sequence[NetworkResult], three: Sequence[NetworkResult]) -> Iterator[Claim]:
    yield Claim(
        "Three components explain the points",
        "Figure 3",
        "above 90 % consistently",
        "PC1–3 explain more than 90 % of the variance (of h) of the points under zero input",
        by_cell(results, lambda m: m.geometry.pc3),
        verdict([m.geometry.pc3 > EXPLAINED for m in results]),
    )
    best = []
    for task in sorted({m.task for m in three}):
        cells = {m.cell for m in of_task(three, task)}
        mean = {c: np.mean([m.geometry.pc3 for m in of_task(three, task) if m.cell == c]) for c in cells}
        if {"gru", "lstm", "rnn"} <= cells:
            best.append(max(mean, key=lambda cell: mean[cell]) == "gru")
    yield Claim(
        "The GRU has the cleanest structure",
        "Figure 3",
        "GRU exhibits the cleanest structure",
        "in both tasks with three channels, PC1–3 explain more variance for GRUs, on average, than for LSTMs and RNNs",
        by_cell(three, lambda m: m.geometry.pc3),
        verdict(best),
    )


def _one_channel(one: Sequence[NetworkResult]) -> Iterator[Claim]:
    yield Claim(
        "1 channel: the points lie along PC1",
        "Figure 4",
        "over 90 % explained by PC1",
        "PC1 explains more than 90 % of the variance of the points under zero input",
        by_cell(one, lambda m: m.geometry.pc1),
        verdict([m.geometry.pc1 > EXPLAINED for m in one]),
    )
    yield Claim(
        "1 channel: PC1 is the readout",
        "Figure 4",
        "PC1 maps the state on a preference nearly linearly",
        f"|r| between PC1 and the logit is at least {LINEAR} over the points",
        by_cell(one, lambda m: m.geometry.readout, ".3f"),
        verdict([m.geometry.readout >= LINEAR for m in one if np.isfinite(m.geometry.readout)]),
    )
    yield Claim(
        "1 channel: the points of ±1 continue the line at its ends",
        "Figure 5",
        "they naturally extend the structure of zero input at its tails",
        "along PC1, the points under +1 lie beyond all points under zero input at one end, and those under −1 at the "
        "other",
        _counted([m for m in one if m.geometry.beyond], one),
        verdict([m.geometry.beyond for m in one]),
    )


def _three_channels(three: Sequence[NetworkResult]) -> Iterator[Claim]:
    for task, figure in (("integration-3", "Figures 3 and 6"), ("flip-flop-3", "Figure 7")):
        some = of_task(three, task)
        yield Claim(
            f"{task}: no cube",
            figure,
            "no cube: fixed points on three perpendicular axes",
            "fewer than eight of the eight answers have a stable fixed point of their own",
            by_cell(some, lambda m: m.geometry.corners, ".1f") + " of 8 answers",
            verdict([m.geometry.corners < 8 for m in some]),
        )
        yield Claim(
            f"{task}: points cluster on three axes",
            figure,
            "fixed points cluster around three axes",
            "at most one channel is decided (logit over half of the largest) at more than half of the points",
            by_cell(some, lambda m: m.geometry.on_axes) + " of the points",
            verdict([m.geometry.on_axes > 0.5 for m in some]),
        )
        yield Claim(
            f"{task}: the channels' directions are perpendicular",
            figure,
            "three perpendicular axes, one for each channel",
            f"the directions of any two channels have |cosine| of at most {PERPENDICULAR} (75° or more apart)",
            by_cell(some, lambda m: m.geometry.cosine, ".2f") + " (the largest)",
            verdict([m.geometry.cosine <= PERPENDICULAR for m in some]),
        )
    flip = of_task(three, "flip-flop-3")
    yield Claim(
        "flip-flop-3: the points of +1 and −1 are mirrored along PC1",
        "Figure 8",
        "mirrored on PC1, close to equal in PC2 and PC3",
        "seen from the centre under zero input, they lie on opposite sides (cosine below −0.9), and more than 90 % of "
        "the squared distance between them is along PC1",
        f"−cosine: {by_cell(flip, lambda m: m.geometry.mirror, '.2f')}. "
        f"Along PC1: {by_cell(flip, lambda m: m.geometry.along_pc1)}",
        verdict([m.geometry.mirror > 0.9 and m.geometry.along_pc1 > 0.9 for m in flip]),
    )
    yield Claim(
        "flip-flop-3: under ±1 the points repeat zero's structure",
        "Figure 9",
        "extremely similar structure to the one of zero inputs",
        "under +1 and under −1 there are at least half as many distinct points as under zero",
        f"distinct points under +1: {by_cell(flip, lambda m: m.geometry.plus, '.1f')}; "
        f"under zero: {by_cell(flip, lambda m: m.geometry.points, '.1f')}",
        verdict([min(m.geometry.plus, m.geometry.minus) >= m.geometry.points / 2 for m in flip]),
    )


def _trajectories(results: Sequence[NetworkResult]) -> Iterator[Claim]:
    for number, ahead in enumerate(AHEAD):
        if ahead == 5:
            continue
        yield Claim(
            f"The points do not predict {'the next step' if ahead == 1 else f'{ahead} steps'} under the task's inputs",
            "Figure 10, section 5",
            "fixed points do not have any clear impact on the trajectories",
            "the linear map at the nearest point explains no variance: assuming no movement is as good",
            by_cell(results, lambda m, number=number: max(-1.0, m.trajectories.linear[number].mean))  # type: ignore[misc]
            + " (clipped at −100 %)",
            verdict([m.trajectories.linear[number].mean <= 0 for m in results]),
        )
    yield Claim(
        "Linear maps at points predict no better than at visited states",
        "Figure 10, section 5",
        "fixed points do not have any clear impact on the trajectories",
        "one step ahead, linear maps at the nearest of equally many visited states explain as much variance",
        f"at points: {by_cell(results, lambda m: m.trajectories.linear[0].mean)}; "
        f"at visited states: {by_cell(results, lambda m: m.trajectories.elsewhere[0].mean)}",
        verdict([m.trajectories.elsewhere[0].mean >= m.trajectories.linear[0].mean for m in results]),
    )
    yield Claim(
        "The points do not show where trajectories end",
        "Figure 10, section 5",
        "fixed points do not have any clear impact on the trajectories",
        f"under zero input, fewer than {PREDICTED:.0%} of visited states end at a point that was found",
        by_cell(results, lambda m: m.trajectories.reached.mean),
        verdict([m.trajectories.reached.mean < PREDICTED for m in results]),
    )
    arrived = [m for m in results if np.isfinite(m.trajectories.predicted.mean)]
    yield Claim(
        "The nearest stable point does not predict the end",
        "Figure 10, section 5",
        "fixed points do not have any clear impact on the trajectories",
        f"it is correct at most {ADVANTAGE:.0%} more often than the most frequent end",
        f"correct: {by_cell(arrived, lambda m: m.trajectories.predicted.mean)}; most frequent end: "
        f"{by_cell(arrived, lambda m: m.trajectories.most_frequent.mean)}",
        verdict([m.trajectories.predicted.mean <= m.trajectories.most_frequent.mean + ADVANTAGE for m in arrived]),
    )
    yield Claim(
        "The nearest stable point does not predict the answer at the end",
        "Figure 10, section 5",
        "fixed points do not have any clear impact on the trajectories",
        f"its readout is correct for fewer than {PREDICTED:.0%} of the channels",
        f"correct: {by_cell(arrived, lambda m: m.trajectories.answer.mean)}; answer at the start: "
        f"{by_cell(arrived, lambda m: m.trajectories.present.mean)}",
        verdict([m.trajectories.answer.mean < PREDICTED for m in arrived]),
    )


def _line_attractors(lines: Sequence[LineAttractor]) -> Iterator[Claim]:
    if not lines:
        return

    def of(value: Callable[[LineAttractor], float], form: str) -> str:
        return "; ".join(
            f"{line.network} {'no stable point' if np.isnan(value(line)) else format(value(line), form)}"
            for line in lines
        )

    place = "Maheswaranathan et al. 2019"
    yield Claim(
        "Sentiment: three components explain the states",
        place,
        "2–3 components ≈ 90 %",
        "PC1–3 explain at least 90 % of the variance of h over reviews",
        of(lambda line: sum(line.states), ".0%"),
        verdict([sum(line.states) >= EXPLAINED for line in lines]),
    )
    modes: tuple[tuple[str, float, Callable[[LineAttractor], float]], ...] = (
        ("slowest mode lasts a thousand words", 1000, lambda line: line.slowest),
        ("next mode lasts a hundred words", 100, lambda line: line.next),
    )
    for name, published, value in modes:
        yield Claim(
            f"Sentiment: the {name}",
            place,
            f"≈ {published:,} words",
            f"within a factor of {FACTOR:.0f} under the mean embedding: median over stable points, weighted by hits",
            of(value, ".0f"),
            verdict([1 / FACTOR <= value(line) / published <= FACTOR for line in lines]),
        )
    yield Claim(
        "Sentiment: one mode is slow, and the readout is aligned with it",
        place,
        "a line attractor, aligned with the readout",
        f"the slowest mode lasts at least {FACTOR:.0f} times as long as the next, and the readout is within 45° of it",
        f"{of(lambda line: line.slowest / line.next, '.1f')} times; |cosine|: {of(lambda line: line.aligned, '.2f')}",
        verdict([line.slowest >= FACTOR * line.next and line.aligned >= 0.5**0.5 for line in lines]),
    )


def _counted(met: Sequence[NetworkResult], every: Sequence[NetworkResult]) -> str:
    return (
        "; ".join(
            f"{cell.upper()} {sum(m.cell == cell for m in met)} of {sum(m.cell == cell for m in every)}"
            for cell in dict.fromkeys(m.cell for m in every)
        )
        or "no such network"
    )
