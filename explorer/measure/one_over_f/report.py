"""The report: published and measured values side by side, every figure, and a summary."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np
from matplotlib import rc_context
from numpy.typing import NDArray

from engine.activity import THRESHOLD
from engine.reviews import open_reviews
from explorer.measure.one_over_f import figures, open_questions
from explorer.measure.one_over_f.aggregates import StudyResults, grouped, mean_beta, of_control, over_networks
from explorer.measure.one_over_f.published import ACCURACY, ACCURACY_RANGE, BETA_H, BETA_X, NAMES, R2
from explorer.measure.one_over_f.results import spread, summary
from explorer.measure.study.claims import Claim
from explorer.measure.study.page import STYLE, Page
from explorer.measure.study.report import add_claims


def report(results: StudyResults, claims: Sequence[Claim], speed: str, processes: Executor | None = None) -> Page:
    """Draw every figure and return the report.

    ``speed`` describes how long the measurement took; for ``processes``, see `Page`.
    """
    length, networks = results.sample.length, results.networks
    page = Page(
        "1/f noise in recurrent networks: published and measured",
        f"Chong & Ling (2024), reproduced with {len(networks)} networks and {len(results.sample.long):,} reviews of "
        f"{length} words or more, cut at {length}.",
        processes,
    )
    page.text(
        "β is the exponent of the power spectrum, 1/f^β: 0 for white noise, 1 for pink (1/f) noise, 2 for Brownian "
        "noise. It is 2α − 1, where α comes from unbiased detrended fluctuation analysis (order 1) of a layer sum, a "
        f"signal summed over the cells of the layer, at the scales {', '.join(map(str, results.options.scales))} "
        f"words. For {length} words of exact white noise this estimator gives {2 * results.white.alpha - 1:.2f} ± "
        f"{2 * results.white.alpha_spread:.2f}, for exact 1/f noise {2 * results.pink.alpha - 1:.2f} ± "
        f"{2 * results.pink.alpha_spread:.2f}; the bands in the figures contain nine in ten of these series. The paper "
        "does not state its scales."
    )
    page.text(
        "The authors' networks are not public. Networks trained by pinkx follow the paper's Table I. Where the paper "
        "gives no details, or its recipe did not learn, engine/training.py documents our choices: no padding, random "
        "omission of words, gradient clipping, averaged weights, and the epoch with the lowest validation loss."
    )
    page.text(speed)
    with rc_context(STYLE):
        _summary(page, results)
        add_claims(
            page,
            claims,
            "Every claim has a criterion, which is ours, and code applies it. A claim holds if everything measured "
            "meets the criterion, depends on a choice if some of it does, and does not hold if nothing does.",
            "The paper's claims, in its order.",
        )
        _side_by_side(page, results)
        _figures(page, results, bundled_review(results))
        if open_questions.with_controls(results):
            _controls(page, results)
        if results.variants:
            _recipes(page, results)
        if results.trajectories():
            page.heading("During training")
            page.figure(
                open_questions.by_epoch(results),
                "epochs",
                "β of h and accuracy after every epoch; 0 is the untrained network. Ring: the epoch of lowest "
                "validation loss.",
            )
        if len({network.trained.cell for network in networks}) > 1:
            _architectures(page, results)
        _networks(page, results)
    return page


def _summary(page: Page, results: StudyResults) -> None:
    networks = open_questions.with_controls(results)
    if not networks:
        return
    page.heading("Summary")
    flips = [network.controls["flipped"] for network in networks]
    width = np.mean([max(values) - min(values) for values in flips])
    plain, mixed, raw = (of_control(networks, name) for name in ("plain", "shuffled", "untrained"))
    readout = of_control(networks, "readout")
    page.text(
        "The layer sum depends on arbitrary signs. tanh is odd: flip the sign of a cell, together with the weights "
        "into its candidate and out of its h, and the network gives the same output for every review, but its layer "
        f"sum is a different series. Over {len(flips[0])} random draws of signs, β of h of a network has a range of "
        f"{width:.2f} on average; over the {plain.networks} networks its standard deviation is {plain.seeds:.2f}. The "
        f"logit does not depend on these signs: its β is {readout}."
    )
    page.text(
        f"Order of the words: β of h is {plain} for the reviews as written and {mixed} with the words of every review "
        f"shuffled. Before training it is {raw}; β of the input is {over_networks(networks, 'x')}."
    )
    largest = [network for network in networks if network.trained.size == networks[-1].trained.size]
    ablations = [network.controls["ablation"] for network in largest if network.controls["ablation"]]
    changes = [100 * (one["dead"] - one["none"]) for one in ablations]
    page.text(
        f"In layers of {networks[-1].trained.size} cells, {np.mean([n.dead.mean() for n in largest]):.0%} are dead"
        + (f"; ablating them at their mean changes the accuracy by {np.mean(changes):+.2f} points" if changes else "")
        + f". Without them, β of h of the layer sum is {of_control(largest, 'live')} instead of "
        f"{of_control(largest, 'plain')}."
    )


def _side_by_side(page: Page, results: StudyResults) -> None:
    page.heading("Accuracy and β by size (Table II, Figure 5)")
    rows = []
    for size, some in results.by_size().items():
        accuracy = [100 * n.trained.accuracy for n in some if n.trained.accuracy is not None]
        mean, seeds = spread(accuracy)
        h, x = over_networks(some, "h"), over_networks(some, "x")
        rows.append(
            (
                *(size, len(some), f"{ACCURACY[size]:.2f}" if size in ACCURACY else "–", _pm(mean, seeds)),
                *(str(h), f"{h.reviews:.2f}", f"{x.mean:.2f}", str(grouped(some, True)), str(grouped(some, False))),
                f"{np.mean([network.dead.mean() for network in some]):.0%}",
                f"{np.mean([network.participation for network in some]):.1f}",
            )
        )
    page.table(
        (
            *("n", "networks", "published accuracy, %", "accuracy, %", "β of h", "s.d. reviews", "β of x"),
            *("internal", "external", "dead", "participation ratio"),
        ),
        rows,
        f"Accuracy on the test reviews; in the paper {ACCURACY_RANGE[0]} to {ACCURACY_RANGE[1]} % over all networks. "
        "± is the standard deviation over seeds. Internal: i, f, c̃, o; external: c_out, h. Dead: cells whose h has a "
        f"standard deviation below {THRESHOLD}.",
    )
    shown = results.shown
    about = {name: summary(shown.of(name)) for name in ("h", "x")}
    page.table(
        ("quantity", "where", "published", f"{shown.trained.name}", "all networks of this size"),
        [
            (
                f"β of {name}",
                "Figure 3(c)",
                f"{published[0]} ± {published[1]}",
                f"{about[name]['mean']:.3f} ± {about[name]['sd']:.3f}",
                ", ".join(f"{summary(n.of(name))['mean']:.2f}" for n in next(iter(results.by_size().values()))),
            )
            for name, published in (("h", BETA_H), ("x", BETA_X))
        ]
        + [
            (
                "R² between them",
                "Figure 4",
                f"{R2}",
                f"{shown.r2:.3f}",
                ", ".join(f"{n.r2:.3f}" for n in next(iter(results.by_size().values()))),
            )
        ],
        "One network: mean ± standard deviation over reviews.",
    )


def bundled_review(results: StudyResults) -> NDArray[np.int32]:
    """Return the ids of the first review that ships with pinkx, which Figures 3 and 6 show."""
    vocabulary = results.shown.trained.network.vocabulary
    assert vocabulary is not None
    return vocabulary.encode(open_reviews()[0].words[: results.sample.length])


def _figures(page: Page, results: StudyResults, ids: NDArray[np.int32]) -> None:
    page.heading("The paper's figures")
    page.figure(
        figures.figure_3(results, ids),
        "figure-3",
        "Figure 3. (a), (b): a review of an invented film that ships with pinkx; (c): the long reviews. Bands: white "
        "and 1/f noise of the same length, by the same estimator.",
    )
    page.figure(figures.figure_4(results), "figure-4", "Figure 4. The same network; each dot is a review.")
    page.figure(
        figures.figure_5(results),
        "figure-5",
        "Figure 5. β of the layer sum of h against the number of cells. The square is the only value that the paper "
        "gives as a number; in its figure, β falls to about 0 at n = 128.",
    )
    page.figure(figures.appendix_a(results), "appendix-a", "Appendix A. The same for the other signals.")
    page.figure(
        figures.figure_6(results, ids, every=False),
        "figure-6",
        "Figure 6. h of the first eight cells for one review, each shifted by 1; † and grey: dead in this review.",
    )
    page.figure(figures.figure_6(results, ids, every=True), "appendix-b", "Appendix B. The same for every size.")
    page.figure(
        figures.dead_cells(results),
        "dead-cells",
        "Dead cells over all long reviews; in (a) and (b) each dot is a network.",
    )
    if results.main != "rnn":
        page.figure(figures.figure_7(results), "figure-7", "Figure 7. Means over the signals of each group.")


def _controls(page: Page, results: StudyResults) -> None:
    networks = open_questions.with_controls(results)
    reviews = networks[0].controls["plain"]["count"]
    page.heading("Controls that the paper lacks")
    page.figure(
        open_questions.signs(results),
        "signs",
        "Sums of h with random signs of the cells: each corresponds to a network that gives the same output.",
    )
    page.figure(
        open_questions.all_controls(results),
        "controls",
        f"One change at a time, for {reviews} of the long reviews. Small dots: networks; diamonds: their mean.",
    )
    rows = []
    for name, label in open_questions.CONTROLS.items():
        one = of_control(networks, name)
        if one.networks:
            change = one.mean - of_control(networks, "padding none" if "padding" in name else "plain").mean
            rows.append((label, str(one), f"{change:+.2f}"))
    page.table(
        ("measurement", "β of h", "change"),
        rows,
        "± is the standard deviation over networks. The last four rows are compared with the unpadded words.",
    )
    page.figure(
        open_questions.by_scales(results),
        "scales",
        "A power law would have the same β at all scales, relative to the bands of its null.",
    )
    ablations = [(network, network.controls["ablation"]) for network in networks if network.controls["ablation"]]
    page.table(
        ("network", "dead", "accuracy, %", "dead ablated, %", "change", "outputs changed, %", "live ablated, %"),
        [
            (
                *(network.trained.name, int(network.dead.sum()), f"{100 * one['none']:.2f}"),
                *(f"{100 * one['dead']:.2f}", f"{100 * (one['dead'] - one['none']):+.2f}"),
                *(f"{100 * one['changed']:.2f}", f"{100 * one['live']:.1f}"),
            )
            for network, one in ablations
        ],
        f"Accuracy on {ablations[0][1]['reviews']:,} labelled reviews of any length, with cells ablated at their mean."
        if ablations
        else "No review has a label.",
    )


def _recipes(page: Page, results: StudyResults) -> None:
    page.heading("Other recipes")
    page.figure(
        open_questions.by_recipe(results),
        "recipes",
        "Networks trained by other recipes, according to their files.",
    )
    rows = []
    for (variant, cell, size), some in results.by_variant().items():
        accuracy = spread([100 * n.trained.accuracy for n in some if n.trained.accuracy is not None])
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


def _architectures(page: Page, results: StudyResults) -> None:
    page.heading("LSTM or task?")
    page.figure(
        figures.architectures(results),
        "architectures",
        "β of the layer sum of every signal; dot: mean over reviews of one network, bar: mean over seeds.",
    )
    rows = []
    for cell in sorted({network.trained.cell for network in results.networks}, key=("lstm", "gru", "rnn").index):
        some = figures.compared(results, cell)
        accuracy = spread([100 * n.trained.accuracy for n in some if n.trained.accuracy is not None])
        rows.append(
            (
                *(cell.upper(), some[0].trained.size, len(some), _pm(*accuracy), str(over_networks(some, "h"))),
                *(str(of_control(some, name)) for name in ("shuffled", "untrained", "readout")),
                f"{np.mean([network.dead.mean() for network in some]):.0%}",
            )
        )
    page.table(
        ("cells", "n", "networks", "accuracy, %", "β of h", "shuffled", "untrained", "readout", "dead"),
        rows,
        "± is the standard deviation over seeds.",
    )


def _networks(page: Page, results: StudyResults) -> None:
    page.heading("All networks")
    names = list(dict.fromkeys(name for network in results.networks for name in network.signals))
    page.table(
        ("network", "accuracy, %", *(NAMES.get(name, name).split()[0] for name in names), "dead", "R²"),
        [
            (
                network.trained.name,
                "–" if network.trained.accuracy is None else f"{100 * network.trained.accuracy:.2f}",
                *(f"{summary(network.of(n))['mean']:.2f}" if n in network.signals else "–" for n in names),
                f"{network.dead.sum()} of {network.trained.size}",
                f"{network.r2:.3f}",
            )
            for network in results.networks
        ],
        "Mean β of the layer sum of each signal over the long reviews.",
    )
    page.table(
        ("network", "β of h, 95% interval", "short scales", "long scales", "reviews without a single exponent"),
        [
            (
                *(network.trained.name, str(mean_beta([network], "h"))),
                *(f"{network.local['h'][name]:.2f}" for name in ("short", "long")),
                f"{network.local['h']['bent']:.0%}",
            )
            for network in results.networks
        ],
        "The layer sum of h: the error of the mean over reviews, and β over the shorter and the longer half of the "
        "scales. A review has no single exponent if F(s) is more bent than that of 99% of ARFIMA noise.",
    )
    knees = [network for network in results.networks if network.knee]
    if knees:
        fits = list(knees[0].knee)
        page.table(
            ("network", *(f"{name}: {what}" for name in fits for what in ("exponent", "knee, words", "R²"))),
            [
                (network.trained.name, *(cell for name in fits for cell in _knee(network.knee[name])))
                for network in knees
            ],
            "The layer sum of h: fit of 1/(f_k^χ + f^χ) to its mean spectrum. The knee is given as a time constant, "
            "1/(2π f_k); – if there is no knee within the frequencies of the scales.",
        )
    if results.options.surrogates:
        kinds = list(results.networks[0].surrogates)
        page.table(
            ("network", *kinds),
            [
                (network.trained.name, *(_pm(one["mean"], one["sd"]) for one in network.surrogates.values()))
                for network in results.networks
            ],
            "β of h, of surrogates of its layer sum, and of the halves of the reviews; ± over reviews. Shuffled: "
            "the same values; ar1: one time constant; iaaft: the same values and power spectrum.",
        )


def _knee(fit: dict[str, float]) -> tuple[str, str, str]:
    words = f"{1 / (2 * np.pi * fit['frequency']):.0f}" if fit["frequency"] else "–"
    return f"{fit['exponent']:.2f}", words, f"{fit['r2']:.2f}"


def _pm(mean: float, sd: float) -> str:
    return "–" if np.isnan(mean) else f"{mean:.2f}" + ("" if np.isnan(sd) else f" ± {sd:.2f}")
