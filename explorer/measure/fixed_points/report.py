"""The report: published and measured values side by side, tables and figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from matplotlib import rc_context

from explorer.measure.fixed_points import figures
from explorer.measure.fixed_points.results import NetworkResult
from explorer.measure.fixed_points.searches import SearchRow
from explorer.measure.fixed_points.trajectories import DRAWS, Estimate
from explorer.measure.line_attractor import LineAttractor
from explorer.measure.study.claims import Claim
from explorer.measure.study.page import STYLE, Page
from explorer.measure.study.report import add_claims

PAPER: Final = (
    "Cheng, Schmid & Lange (2021), “Unfolding the computational complexity of RNN through fix point analysis”"
)

SEARCH: Final = (
    *("input", "starts", "→ fixed", "→ slow", "moving", "fixed points with 0, 1, … unstable", "Σ", "slow points"),
    *("q", "step", "slow q", "slope", "PC1–3", "s"),
)
CAPTION: Final = (
    "q and step (Newton step): maximum over the fixed points; slow q and slope: maximum over the slow points; PC1–3: "
    "explained variance of h; s: seconds."
)


def report(
    results: Sequence[NetworkResult],
    lines: Sequence[LineAttractor],
    claims: Sequence[Claim],
    methods: Sequence[SearchRow],
) -> Page:
    """Draw every figure and return the report."""
    page = Page("Fixed points of recurrent networks: published and measured", f"{PAPER}, reproduced by pinkx.")
    seeds = sorted({one.seed for one in results if one.seed is not None})
    page.text(
        f"{len(results) + len(lines)} networks"
        + (f", trained with seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}" if seeds else "")
        + "."
    )
    add_claims(
        page,
        claims,
        "Every claim has a criterion, which is ours, and code applies it. A claim holds if every network concerned "
        "meets the criterion, depends on a choice (the architecture or the seed) if some do, and does not hold if none "
        "does. The criteria for line attractors were chosen after a first look at the same three networks.",
        "Mean over networks; in brackets their median and range.",
    )
    if results:
        with rc_context(STYLE):
            _searches(page, results)
            if methods:
                _methods(page, methods)
            _figures(page, results)
            _trajectories(page, results)
    if lines:
        _lines(page, lines)
    return page


def _searches(page: Page, results: Sequence[NetworkResult]) -> None:
    page.heading("Searches")
    page.text(
        "A point is fixed if the Newton step to the root is below 1e-8. It is slow if it is a minimum of the speed "
        "q = ½‖F − s‖² with q below 0.001 (F − s is orthogonal to every column of J − I). A start that ended at "
        "neither is moving. Starts are states that the network visits while it performs the task. Seconds are "
        "processor time on one thread, in float64."
    )
    rows = [(one.name + _seed(one), row) for one in results for row in one.searches]
    page.table(("network", *SEARCH), [(name, *_row(row)) for name, row in rows], CAPTION)


def _methods(page: Page, methods: Sequence[SearchRow]) -> None:
    page.heading("The paper's method from the same starts")
    page.text(
        "The paper minimises q by gradient descent (here 2,000 steps of Adam) and accepts slow points by q alone; the "
        "other method solves reduced equations by damped Newton steps. The slope, which is 0 at a minimum, shows that "
        "many of Adam's slow points are still on their way, so that a picture of them resembles the starts."
    )
    page.table(("method, input", *SEARCH[1:]), [_row(row) for row in methods], CAPTION)


def _row(row: SearchRow) -> tuple[object, ...]:
    return (
        *(row.input, f"{row.starts:,}", row.fixed, row.slow, row.moving),
        *(" ".join(map(str, row.by_unstable)) or "–", _sum(row), row.slow_points),
        *map(_short, (row.q, row.step, row.slow_q, row.slope)),
        *(" ".join(f"{part:.0%}" for part in row.explained) or "–", f"{row.seconds:.1f}"),
    )


def _sum(row: SearchRow) -> str:
    if not row.by_unstable:
        return "–"
    return "1 ✓" if row.index_sum == 1 else f"{row.index_sum}: points are missing"


def _seed(one: NetworkResult) -> str:
    return "" if one.seed is None else f", seed {one.seed}"


def _figures(page: Page, results: Sequence[NetworkResult]) -> None:
    tasks = {one.task for one in results}
    three = [task for task in ("flip-flop-3", "integration-3") if task in tasks]
    axes = "Dotted: the directions of the channels. Red, green and blue of a point: the outputs of the three channels."
    if three:
        page.heading("Three channels: axes or cube?")
        page.figure(figures.architectures(results, three), "figure-3", f"Figure 3. Points under zero input. {axes}")
    for task, number in (("integration-3", 6), ("flip-flop-3", 7)):
        if task in tasks:
            caption = f"Figure {number}. {task} under zero input, one row for each seed. {axes}"
            page.figure(figures.seeds(results, task), f"figure-{number}", caption)
    if "flip-flop-3" in tasks:
        caption = "Figure 8. Flip-flop: points under inputs of 0, +1 and −1 in every channel, in joint components."
        page.figure(figures.inputs_together(results, "flip-flop-3"), "figure-8", caption)
        caption = "Figure 9. Flip-flop: the points under ±1 (top) and under +1 alone (bottom)."
        page.figure(figures.inputs_separate(results, "flip-flop-3"), "figure-9", caption)
    if "integration-1" in tasks:
        page.heading("One channel: a line?")
        caption = "Figure 4. Integration of one channel under zero input: PC1 and PC2, and the logit against PC1."
        page.figure(figures.line(results, "integration-1"), "figure-4", caption)
        caption = "Figure 5. The points under 0, ±1 and ±0.1, in the components of those under zero input."
        page.figure(figures.line_inputs(results, "integration-1"), "figure-5", caption)


def _trajectories(page: Page, results: Sequence[NetworkResult]) -> None:
    page.heading("Do the points predict trajectories?")
    page.text(
        "The paper doubts it (figure 10). Three tests. (1) Next steps: the linear map at the nearest point, given the "
        "inputs of the task, compared with a state that does not move (0), and with linear maps at the nearest of "
        "equally many visited states. (2) End: a visited state runs for 2,000 steps under zero input. Does it end at "
        "the stable point that was nearest at the start? The baseline is the most frequent end. (3) Answer: does the "
        "readout of that point predict the answer at the end? The baseline is the answer at the start."
    )
    if any(one.task == "integration-1" for one in results):
        caption = "Figure 10. Integration of one channel: six runs of 60 steps, and the points under zero input."
        page.figure(figures.paths(results, "integration-1"), "figure-10", caption)
    page.figure(
        figures.predictions(results), "predictions", "What the points predict. Dot: a network; bar: mean over networks."
    )
    headings = (
        *("network", "1 step", "5", "10", "visited states: 1 step", "5", "10", "end at a point"),
        *("end predicted", "most frequent end", "answer predicted", "answer at the start"),
    )
    rows = [
        (
            one.name + _seed(one),
            *(_estimate(part, ".2f" if part.mean > -10 else ".0e") for part in (*t.linear, *t.elsewhere)),
            *(_estimate(part, ".0%") for part in (t.reached, t.predicted, t.most_frequent, t.answer, t.present)),
        )
        for one in results
        for t in (one.trajectories,)
    ]
    page.table(
        headings,
        rows,
        "Variance explained by linear maps at the nearest point and visited state; fractions correct. Mean over "
        f"{DRAWS} draws of sequences and states ± standard error by sequence, and in brackets the median over draws.",
    )


def _lines(page: Page, lines: Sequence[LineAttractor]) -> None:
    page.heading("Sentiment: a line attractor?")
    page.text(
        "Maheswaranathan et al. (NeurIPS 2019) report for networks that read reviews: two or three components explain "
        "about 90 % of the variance of the states, the slowest mode has a time constant of about 1,000 words and the "
        "next of about 100, and the readout is aligned with the slow direction. Here the networks read the bundled "
        "reviews, and the input is the mean embedding. Time constants, in words, are medians over stable points, "
        "weighted by hits; aligned is |cosine| between the readout and the slowest mode. PC1 of words and r: variance "
        "of the words' attractors explained by their first component, and its |r| with the logit."
    )
    headings = (
        *("network", "PC1–3 of states", "points", "stable", "PC1 of points", "slowest", "next", "aligned"),
        *("PC1 of words", "r"),
    )
    published = ("published", "2–3 components ≈ 90 %", "", "", "", "≈ 1000", "≈ 100", "yes", "", "")
    rows = [
        (
            *(one.network, " ".join(f"{part:.0%}" for part in one.states), f"{one.fixed} fixed, {one.slow} slow"),
            *(one.stable, _number(one.line, ".0%"), _number(one.slowest, ".0f"), _number(one.next, ".0f")),
            *(_number(one.aligned, ".2f"), f"{one.words:.0%}", f"{one.words_correlation:.2f}"),
        )
        for one in lines
    ]
    page.table(headings, [published, *rows], "Line attractors of networks that read reviews.")


def _estimate(value: Estimate, form: str) -> str:
    if math.isnan(value.mean):
        return "–"
    return f"{value.mean:{form}} ± {value.error:{form}} ({value.median:{form}})"


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else f"{value:{form}}"


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.0e}"
