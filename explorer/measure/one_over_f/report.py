"""The page: published and measured side by side, every figure, and what to make of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from numpy.typing import NDArray

from engine.activity import THRESHOLD
from engine.reviews import open_reviews
from explorer.measure.one_over_f import figures, open_questions
from explorer.measure.one_over_f.findings import Findings, grouped, of_control, over_networks
from explorer.measure.one_over_f.measured import spread, summary
from explorer.measure.one_over_f.published import ACCURACY, ACCURACY_RANGE, BETA_H, BETA_X, NAMES, R2
from explorer.measure.study.claim import Claim
from explorer.measure.study.page import STYLE, Page


def write_page(found: Findings, verdicts: list[Claim], folder: Path, speed: str) -> Path:
    """Draw every figure and write the page; returns its path."""
    length, networks = found.corpus.length, found.networks
    page = Page(
        "1/f noise in recurrent networks: published and measured",
        f"Chong & Ling (2024) remade from {len(networks)} networks and {len(found.corpus.long):,} reviews of {length} "
        f"words or more, cut at {length}.",
    )
    page.text(
        "β is the slope of the power spectrum, 1/f^β: 0 for white noise, 1 for pink (1/f), 2 for Brownian. It is "
        "2α − 1, with α from unbiased detrended fluctuation analysis (order 1) of a layer sum, a signal added over the "
        f"layer's cells, at the scales {', '.join(map(str, found.options.scales))} words. This estimator gives "
        f"{2 * found.white.alpha - 1:.2f} ± {2 * found.white.alpha_spread:.2f} for white and "
        f"{2 * found.pink.alpha - 1:.2f} ± {2 * found.pink.alpha_spread:.2f} for exact 1/f noise of {length} words; "
        "the bands in every figure hold nine in ten of such series. The paper does not state its scales."
    )
    page.text(
        "The authors' networks are not public. Networks trained by pinkx follow the paper's Table I; where the paper "
        "is silent or its recipe did not learn, engine/training.py says what was done: no padding, words left out at "
        "random, gradients clipped, weights averaged, the best epoch by a validation loss."
    )
    page.text(speed)
    with rc_context(STYLE):
        _in_short(page, found, verdicts)
        _claims(page, verdicts)
        _side_by_side(page, found)
        _figures(page, found, _bundled_review(found))
        if open_questions.with_controls(found):
            _open(page, found)
        if found.variants:
            _recipes(page, found)
        if found.trajectories():
            page.heading("While the network learns")
            page.figure(
                open_questions.by_epoch(found),
                "epochs",
                "β of h and accuracy after every epoch; 0 is the untrained network. A ring: the epoch of lowest loss.",
            )
        if len({network.candidate.cell for network in networks}) > 1:
            _architectures(page, found)
        _networks(page, found)
    return page.write(folder)


def _in_short(page: Page, found: Findings, verdicts: list[Claim]) -> None:
    page.heading("In short")
    counts = Counter(claim.verdict for claim in verdicts)
    said = ", ".join(f"{count} “{verdict}”" for verdict, count in counts.most_common())
    page.text(f"Of {len(verdicts)} claims of the paper: {said}.")
    networks = open_questions.with_controls(found)
    if not networks:
        return
    flips = [network.controls["flipped"] for network in networks]
    width = np.mean([max(values) - min(values) for values in flips])
    plain, mixed, raw = (of_control(networks, name) for name in ("plain", "shuffled", "untrained"))
    readout = of_control(networks, "readout")
    page.text(
        "What a layer sum says depends on signs that mean nothing. tanh is odd: turn the sign of a cell, and of the "
        "weights that lead to its candidate and away from its h, and the network gives the same answers to every "
        f"review, but its layer sum is another series. Over {len(flips[0])} draws of signs, β of h of one network "
        f"ranges over {width:.2f} on average; over the {plain.networks} networks its standard deviation is "
        f"{plain.seeds:.2f}. Weighted as in the readout (the logit, which no such turn changes) β is {readout}."
    )
    page.text(
        f"The order of the words: β of h is {plain} as written and {mixed} with the words of every review shuffled. "
        f"Before training it is {raw}; of the input, {over_networks(networks, 'x')}."
    )
    largest = [network for network in networks if network.candidate.size == networks[-1].candidate.size]
    clamps = [network.controls["held"] for network in largest if network.controls["held"]]
    changes = [100 * (one["dead held"] - one["free"]) for one in clamps]
    page.text(
        f"In layers of {networks[-1].candidate.size} cells {np.mean([n.dead.mean() for n in largest]):.0%} are dead"
        + (f"; holding them at their mean changes the accuracy by {np.mean(changes):+.2f} points" if clamps else "")
        + f". Left out of the sum, they change β of h from {of_control(largest, 'plain')} to "
        f"{of_control(largest, 'live')}."
    )


def _claims(page: Page, verdicts: list[Claim]) -> None:
    page.heading("Which claims hold")
    page.text(
        "Every claim has a criterion, and the program decides. “Holds”: met by all that was measured. “Depends on a "
        "choice”: met by some of it. “Does not hold”: by none."
    )
    page.table(
        ("claim", "verdict", "published", "where", "measured", "criterion"),
        [(c.claim, c.verdict, c.published, c.place, c.measured, c.criterion) for c in verdicts],
        "The paper's claims, in its order.",
    )


def _side_by_side(page: Page, found: Findings) -> None:
    page.heading("Accuracy and β by size (Table II, Figure 5)")
    rows = []
    for size, some in found.by_size().items():
        right = [100 * n.candidate.accuracy for n in some if n.candidate.accuracy is not None]
        mean, seeds = spread(right)
        h, x = over_networks(some, "h"), over_networks(some, "x")
        rows.append(
            (
                *(size, len(some), f"{ACCURACY[size]:.2f}" if size in ACCURACY else "–", _pm(mean, seeds)),
                *(str(h), f"{h.reviews:.2f}", f"{x.mean:.2f}", str(grouped(some, True)), str(grouped(some, False))),
                f"{np.mean([network.dead.mean() for network in some]):.0%}",
                f"{np.mean([network.working for network in some]):.1f}",
            )
        )
    page.table(
        (
            *("n", "networks", "published %", "measured %", "β of h", "s.d. reviews", "β of x"),
            *("internal", "external", "dead", "working cells"),
        ),
        rows,
        f"Accuracy on the test reviews; the paper gives {ACCURACY_RANGE[0]} to {ACCURACY_RANGE[1]} % over all its "
        "networks. ± is the standard deviation over seeds. Internal: i, f, c̃, o; external: c_out, h. Dead: cells "
        f"whose h moves by less than {THRESHOLD}. Working cells: participation ratio.",
    )
    shown = found.shown
    about = {name: summary(shown.of(name)) for name in ("h", "x")}
    page.table(
        ("quantity", "where", "published", f"{shown.candidate.name}", "all networks of this size"),
        [
            (
                f"β of {name}",
                "Figure 3(c)",
                f"{published[0]} ± {published[1]}",
                f"{about[name]['mean']:.3f} ± {about[name]['sd']:.3f}",
                ", ".join(f"{summary(n.of(name))['mean']:.2f}" for n in next(iter(found.by_size().values()))),
            )
            for name, published in (("h", BETA_H), ("x", BETA_X))
        ]
        + [
            (
                "R² of the two",
                "Figure 4",
                f"{R2}",
                f"{shown.r2:.3f}",
                ", ".join(f"{n.r2:.3f}" for n in next(iter(found.by_size().values()))),
            )
        ],
        "One network, mean ± standard deviation over reviews.",
    )


def _bundled_review(found: Findings) -> NDArray[np.int32]:
    """The first review that comes with pinkx, as Figures 3 and 6 show it."""
    vocabulary = found.shown.candidate.network.vocabulary
    assert vocabulary is not None
    return vocabulary.encode(open_reviews()[0].words[: found.corpus.length])


def _figures(page: Page, found: Findings, ids: NDArray[np.int32]) -> None:
    page.heading("The paper's figures")
    page.figure(
        figures.figure_3(found, ids),
        "figure-3",
        "Figure 3. (a), (b): a review of an invented film that comes with pinkx; (c): the long reviews. Bands: white "
        "and 1/f noise of the same length by the same estimator.",
    )
    page.figure(figures.figure_4(found), "figure-4", "Figure 4. One dot a review, the same network.")
    page.figure(
        figures.figure_5(found),
        "figure-5",
        "Figure 5. β of the layer sum of h against the number of cells. The published square is the one value that "
        "the paper gives as a number; in its figure β falls to about 0 at n = 128.",
    )
    page.figure(figures.appendix_a(found), "appendix-a", "Appendix A. The other signals, in the same way.")
    page.figure(
        figures.figure_6(found, ids, every=False),
        "figure-6",
        "Figure 6. h of the first eight cells reading the same review, one apart; † and grey: dead in this review.",
    )
    page.figure(figures.figure_6(found, ids, every=True), "appendix-b", "Appendix B. The same for every size.")
    page.figure(
        figures.dead_cells(found),
        "dead-cells",
        "What Figure 6 suggests, counted over all long reviews; one dot a network in (a) and (b).",
    )
    if found.main != "rnn":
        page.figure(figures.figure_7(found), "figure-7", "Figure 7. Means over the signals of each group.")


def _open(page: Page, found: Findings) -> None:
    networks = open_questions.with_controls(found)
    reviews = networks[0].controls["plain"]["count"]
    page.heading("What the paper leaves open")
    page.figure(
        open_questions.signs(found),
        "signs",
        "Sums of h with the signs of the cells drawn at random: each stands for a network that gives the same answers.",
    )
    page.figure(
        open_questions.all_ways(found),
        "controls",
        f"One thing changed at a time, {reviews} of the long reviews. Small dots: networks; diamonds: their mean.",
    )
    rows = []
    for name, label in open_questions.WAYS.items():
        one = of_control(networks, name)
        if one.networks:
            change = one.mean - of_control(networks, "padding none" if "padding" in name else "plain").mean
            rows.append((label, str(one), f"{change:+.2f}"))
    page.table(
        ("how it is measured", "β of h", "change"),
        rows,
        "± is the standard deviation over networks. The last four rows are compared with the words alone.",
    )
    page.figure(
        open_questions.by_scales(found),
        "scales",
        "A power law would keep its β, apart from the drift of its band, whatever the scales.",
    )
    clamps = [(network, network.controls["held"]) for network in networks if network.controls["held"]]
    page.table(
        ("network", "dead", "nothing held, %", "dead cells held, %", "change", "answers changed, %", "others held, %"),
        [
            (
                *(network.candidate.name, int(network.dead.sum()), f"{100 * one['free']:.2f}"),
                *(f"{100 * one['dead held']:.2f}", f"{100 * (one['dead held'] - one['free']):+.2f}"),
                *(f"{100 * one['changed']:.2f}", f"{100 * one['live held']:.1f}"),
            )
            for network, one in clamps
        ],
        f"Accuracy on {clamps[0][1]['reviews']:,} labelled reviews of any length, with cells held at their mean."
        if clamps
        else "No review is labelled.",
    )


def _recipes(page: Page, found: Findings) -> None:
    page.heading("Trained otherwise")
    page.figure(
        open_questions.by_recipe(found),
        "recipes",
        "Networks whose recipe differs from that of the others, as their files say.",
    )
    rows = []
    for (variant, cell, size), some in found.by_variant().items():
        accuracy = spread([100 * n.candidate.accuracy for n in some if n.candidate.accuracy is not None])
        rows.append(
            (
                *(variant, f"{cell}-{size}", len(some), _pm(*accuracy), str(over_networks(some, "h"))),
                *(str(over_networks(some, "x")), str(of_control(some, "readout"))),
                *(str(grouped(some, True)), str(grouped(some, False))),
                f"{np.mean([network.dead.mean() for network in some]):.0%}",
            )
        )
    page.table(
        ("recipe", "cells", "networks", "accuracy, %", "β of h", "β of x", "readout", "internal", "external", "dead"),
        rows,
        "± is the standard deviation over seeds.",
    )


def _architectures(page: Page, found: Findings) -> None:
    page.heading("Is it the LSTM, or the task?")
    page.figure(
        figures.architectures(found),
        "architectures",
        "β of every signal's layer sum; a dot is a network's mean over reviews, the bar the mean over seeds.",
    )
    rows = []
    for cell in sorted({network.candidate.cell for network in found.networks}, key=("lstm", "gru", "rnn").index):
        some = figures.compared(found, cell)
        accuracy = spread([100 * n.candidate.accuracy for n in some if n.candidate.accuracy is not None])
        rows.append(
            (
                *(cell.upper(), some[0].candidate.size, len(some), _pm(*accuracy), str(over_networks(some, "h"))),
                *(str(of_control(some, name)) for name in ("shuffled", "untrained", "readout")),
                f"{np.mean([network.dead.mean() for network in some]):.0%}",
            )
        )
    page.table(
        ("cells", "n", "networks", "accuracy, %", "β of h", "shuffled", "untrained", "readout", "dead"),
        rows,
        "± is the standard deviation over seeds.",
    )


def _networks(page: Page, found: Findings) -> None:
    page.heading("Every network")
    names = list(dict.fromkeys(name for network in found.networks for name in network.signals))
    page.table(
        ("network", "accuracy, %", *(NAMES.get(name, name).split()[0] for name in names), "dead", "R²"),
        [
            (
                network.candidate.name,
                "–" if network.candidate.accuracy is None else f"{100 * network.candidate.accuracy:.2f}",
                *(f"{summary(network.of(n))['mean']:.2f}" if n in network.signals else "–" for n in names),
                f"{network.dead.sum()} of {network.candidate.size}",
                f"{network.r2:.3f}",
            )
            for network in found.networks
        ],
        "Mean β of each signal's layer sum over the long reviews.",
    )


def _pm(mean: float, sd: float) -> str:
    return "–" if np.isnan(mean) else f"{mean:.2f}" + ("" if np.isnan(sd) else f" ± {sd:.2f}")
