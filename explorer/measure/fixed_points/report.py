"""The page: published and measured side by side, the tables, and every figure with what it shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context

from explorer.measure.fixed_points import figures
from explorer.measure.fixed_points.measured import Measured
from explorer.measure.fixed_points.searched import Search
from explorer.measure.line_attractor import Line
from explorer.measure.study.claim import DEPENDS, FAILS, HOLDS, Claim
from explorer.measure.study.page import STYLE, Page

PAPER = "Cheng, Schmid & Lange, “Unfolding the computational complexity of RNN through fix point analysis” (2021)"


SEARCH = (
    *("input", "starts", "→ fixed", "→ slow", "moving", "fixed points with 0, 1, … unstable", "slow points"),
    *("q", "step", "slow q", "slope", "PC1–3", "s"),
)
CAPTION = "q and Newton step: the worst of the fixed points; slow q and slope: of the slow ones; PC1–3 of h."


def write_page(
    found: Sequence[Measured], lines: Sequence[Line], verdicts: Sequence[Claim], ways: Sequence[Search], folder: Path
) -> Path:
    """Write the page, and its figures beside it."""
    page = Page("Fixed points of recurrent networks", f"{PAPER}: published and measured, by pinkx")
    _summary(page, [*(one.seed for one in found), *(None for _ in lines)], verdicts)
    if found:
        with rc_context(STYLE):
            _searches(page, found)
            if ways:
                _ways(page, ways)
            _figures(page, found)
            _trajectories(page, found)
    if lines:
        _lines(page, lines)
    return page.write(folder)


def _summary(page: Page, trained: Sequence[int | None], verdicts: Sequence[Claim]) -> None:
    page.heading("Which claims hold")
    seeds = sorted({seed for seed in trained if seed is not None})
    counted = {kind: sum(claim.verdict == kind for claim in verdicts) for kind in (HOLDS, DEPENDS, FAILS)}
    page.text(
        f"{len(trained)} networks"
        + (f", trained from seeds {', '.join(map(str, seeds))}" if seeds else "")
        + ". "
        + ", ".join(f"{count} {kind}" for kind, count in counted.items())
        + ". A claim holds if every network that it is about meets the criterion, and depends on a choice (the "
        "architecture or the seed) if some do. Code applies the criteria, which are ours; those of the line attractors "
        "were chosen after a first look at the same three networks."
    )
    headings = ("claim", "where", "published", "criterion", "measured", "verdict")
    rows = [(c.claim, c.place, c.published, c.criterion, c.measured, c.verdict) for c in verdicts]
    page.table(headings, rows, "Mean over networks, and the range in brackets.")


def _searches(page: Page, found: Sequence[Measured]) -> None:
    page.heading("Where the searches end")
    page.text(
        "A point is fixed when the Newton step to the root is below 1e-8, slow when it is a minimum of the speed "
        "q = ½‖F − s‖² below 0.001 (F − s stands upright on every column of J − I), and a start is moving when it "
        "ended at neither. Starts are states that runs of the task visit. Seconds are of the processor, on one thread, "
        "in float64."
    )
    rows = [(one.name + _seed(one), row) for one in found for row in one.searches]
    page.table(("network", *SEARCH), [(name, *_row(row)) for name, row in rows], CAPTION)


def _ways(page: Page, ways: Sequence[Search]) -> None:
    page.heading("The paper's method on the same starts")
    page.text(
        "The paper lowers q by gradient descent (here 2,000 steps of Adam) and takes what is slow; the other method "
        "solves reduced equations by damped Newton steps. Slow points of Adam are told by q alone: the slope, which is "
        "0 at a minimum, says how many are on their way. A picture of points on their way is one of the starts."
    )
    page.table(("method, input", *SEARCH[1:]), [_row(way) for way in ways], CAPTION)


def _row(row: Search) -> tuple[object, ...]:
    return (
        *(row.input, f"{row.starts:,}", row.fixed, row.slow, row.moving),
        *(" ".join(map(str, row.by_unstable)) or "–", row.slow_points),
        *map(_short, (row.q, row.step, row.slow_q, row.slope)),
        *(" ".join(f"{part:.0%}" for part in row.explained) or "–", f"{row.seconds:.1f}"),
    )


def _seed(one: Measured) -> str:
    return "" if one.seed is None else f", seed {one.seed}"


def _figures(page: Page, found: Sequence[Measured]) -> None:
    tasks = {one.task for one in found}
    three = [task for task in ("flip-flop-3", "integration-3") if task in tasks]
    axes = "Dotted: the channels' own directions. Red, green and blue of a point are P(1) in the three channels."
    if three:
        page.heading("Three channels: axes or cube?")
        page.figure(figures.architectures(found, three), "figure-3", f"Figure 3. Points under zero input. {axes}")
    for task, number in (("integration-3", 6), ("flip-flop-3", 7)):
        if task in tasks:
            caption = f"Figure {number}. {task} under zero input, a row for each seed. {axes}"
            page.figure(figures.seeds(found, task), f"figure-{number}", caption)
    if "flip-flop-3" in tasks:
        caption = "Figure 8. Flip-flop: points under 0, +1 and −1 in every channel, in the components of all three."
        page.figure(figures.inputs_together(found, "flip-flop-3"), "figure-8", caption)
        caption = "Figure 9. Flip-flop: the points under ±1 (above) and +1 alone (below)."
        page.figure(figures.inputs_apart(found, "flip-flop-3"), "figure-9", caption)
    if "integration-1" in tasks:
        page.heading("One channel: a line?")
        caption = "Figure 4. 1-channel integration under zero input: places along PC1 and PC2, and the logit along PC1."
        page.figure(figures.line(found, "integration-1"), "figure-4", caption)
        caption = "Figure 5. With the points under ±1 and ±0.1, in the components of those under zero."
        page.figure(figures.line_inputs(found, "integration-1"), "figure-5", caption)


def _trajectories(page: Page, found: Sequence[Measured]) -> None:
    page.heading("Do the points say anything about trajectories?")
    page.text(
        "The paper doubts it (figure 10). Three tests. One: the linear map at the nearest point, given the inputs of "
        "the task, against the guess that nothing moves (0), and against linear maps at the nearest of as many visited "
        "states. Two: a visited state is left to itself for 2,000 steps of zero input; is its end the stable point "
        "that was nearest to begin with? Against the most frequent end. Three: does that point's readout foretell the "
        "answer at the end? Against the present answer."
    )
    if any(one.task == "integration-1" for one in found):
        caption = "Figure 10. Six runs of 60 steps of 1-channel integration among the points under zero input."
        page.figure(figures.paths(found, "integration-1"), "figure-10", caption)
    page.figure(figures.told(found), "figure-told", "What the points tell. A dot is a network, a bar their mean.")
    headings = (
        *("network", "1 ahead", "5", "10", "elsewhere: 1 ahead", "5", "10", "end at a point"),
        *("end foretold", "most frequent", "answer foretold", "present answer"),
    )
    rows = [
        (
            one.name + _seed(one),
            *(f"{part:.2f}" if part > -10 else f"{part:.0e}" for part in (*t.linear, *t.elsewhere)),
            *(_number(part, ".0%") for part in (t.reached, t.foretold, t.commonest, t.answer, t.present)),
        )
        for one in found
        for t in (one.trajectories,)
    ]
    page.table(headings, rows, "Variance explained by the linear map at the nearest point, and elsewhere; ends.")


def _lines(page: Page, lines: Sequence[Line]) -> None:
    page.heading("Sentiment: a line attractor?")
    page.text(
        "Maheswaranathan et al. (NeurIPS 2019) report of networks that read reviews: two or three components carry "
        "about 90 % of the states' variance, the slowest mode lasts about 1,000 words and the next about 100, and the "
        "readout lies along the slow direction. Here over the bundled reviews, with the mean embedding as input; time "
        "constants are medians over stable points by starts, in words; aligned is the cosine of the readout and the "
        "slowest mode. Words: the attractors of all words repeated for ever, variance along their first component and "
        "its |r| with the logit."
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


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else f"{value:{form}}"


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.0e}"
