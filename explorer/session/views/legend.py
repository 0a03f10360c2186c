"""Legend of every term, mark and colour on the screen, and one sentence about each panel."""

from __future__ import annotations

from typing import Final, NamedTuple

from explorer.session.views.units import STEPS, WORDS, UnitNames


class Term(NamedTuple):
    """Terms as they are written on the screen, and what they mean."""

    shown: str
    meaning: str


class Section(NamedTuple):
    """The terms of a panel; ``panel`` is "" for the status bar."""

    title: str
    panel: str
    terms: tuple[Term, ...]


SENTENCES: Final = {
    "review": "The words of the review, each in the colour of the signal at that word, and the network's output.",
    "heatmap": "One signal of every cell (rows) at every word (columns); lighter is higher.",
    "points": "The state h of all cells and the network's fixed points, in the three directions of largest variance.",
    "spectrum": "How fast the network forgets near one fixed point: the eigenvalues of its Jacobian.",
    "alpha": "How the fluctuation of the layer sum grows with time scale: white, pink (1/f) or Brownian noise.",
    "cells": "The numbers of every cell at the word looked at.",
    "overview": "The network's output over the whole review.",
    "corpus": "The exponents β of all reviews.",
    "word-map": "Where the network ends when one word is repeated forever: readout and time constant.",
    "reviews": "The reviews of the source.",
}
"""Panel → what it shows."""

LEGEND: Final = (
    Section(
        "Status",
        "",
        (
            Term("LIVE, PAUSED, END", "words are being read, wait to be read, or are all read"),
            Term("ENGINE LOST", "the process that reads ended by itself; nothing is read until a new one starts"),
            Term("LOOKING BACK", "all panels show an earlier word, while reading may go on"),
            Term("REPLAY", "a recording is played; there is no network behind it"),
            Term("HELD", "a dialog is open, and the panels wait until it is closed"),
            Term("∅ ablated, clamped", "cells whose h is held at its mean, or whose other signals are held at a value"),
            Term("steered", "a vector was added to the state after a word; the words after it follow"),
            Term("⇄", "what the present run is compared with"),
            Term("REC", "runs are being recorded"),
            Term("words/s, fps", "reading speed, and pictures drawn a second"),
        ),
    ),
    Section(
        "Review",
        "review",
        (
            Term("P(positive)", "the network's probability that the review is positive, after the word looked at"),
            Term("network, label", "the network's class, and what the reviewer said"),
            Term("unknown", "words outside the network's vocabulary, set in underlined italics"),
            Term("other, Δ", "the output of the other side of a comparison, and the difference from it"),
            Term("attribution", "a word's share in the logit after the word looked at; the method is named beside it"),
            Term("[ ]", "brushed words: the cells that fire in them, and not around them, are listed below"),
            Term("‹ ›", "other places where these cells fire together"),
        ),
    ),
    Section(
        "Cells × time",
        "heatmap",
        (
            Term("i f g o c_out c h", "LSTM: input, forget, candidate and output gate, tanh of the cell state, cell "
                "state, output; a GRU has r z n h: reset and update gate, candidate, output; x is the input"),
            Term("v h", "rate network: the current of each unit, and the rate that it puts out, φ of v; minGRU: z, n "
                "and h; minLSTM: f, i, g and h; LRU: the real and then the imaginary parts of its states as h"),
            Term("→ ←", "direction of a bidirectional layer; the backward one reads from the last word, and each of "
                "its states stands at the word after which it is reached. P(positive) is that of the review cut after "
                "the word looked at"),
            Term("σ of each cell", "colours count standard deviations from each cell's own mean"),
            Term("cells/row (strongest), (mean)", "rows are too few for all cells: each shows the strongest or the "
                "mean of several"),
            Term("┃", "the word being read; dimmed columns behind it are words of the previous sweep"),
            Term("#018", "cell number 18, counted from 0; x3 is an input"),
            Term("▸ * † ∅ =", "selected, pinned, dead, ablated, another signal clamped"),
            Term("+ −", "a cell that is high, or low, in all brushed words"),
        ),
    ),
    Section(
        "Fixed points",
        "points",
        (
            Term("●  stable", "a state that the network returns to and rests at, under constant input"),
            Term("○  saddle", "a state at rest that attracts along some directions and repels along others"),
            Term("◌  slow", "a slow point: no rest, but a speed so low that the state stays for long"),
            Term("slow saddle", "a saddle that the state leaves so slowly that it acts as an attractor on the review"),
            Term("◇  cycle", "states that repeat periodically under constant input"),
            Term("◆  now", "the state at the word looked at, and behind it the path of the last words"),
            Term("─  predicted", "the path that the linear prediction gives for the next words"),
            Term("size: basin", "the larger the mark, the more visited states end there"),
            Term("PC1–3", "the first three principal components of h, and the share of its variance that they show"),
            Term("Σ", "the sum of the indices of all fixed points: 1 if none is missing"),
            Term("az, el", "azimuth and elevation from which the picture is seen"),
            Term("colour", "readout (what the output would be there), time constant, stability, or the input"),
        ),
    ),
    Section(
        "Spectrum",
        "spectrum",
        (
            Term("#3  17/40 starts", "the point's number, and how many searches from start states found it"),
            Term("unstable", "directions in which the state leaves the point: eigenvalues outside the unit circle"),
            Term("|λ|, |μ|", "modulus of the slowest eigenvalue, of a point or of a cycle"),
            Term("τ", "time constant: words after which a deviation along that direction has shrunk to 1/e"),
            Term("logit", "the output before the sigmoid"),
            Term("linear prediction, linear", "share of the movement of h that the linear model around the point "
                "explains 1, 5 and 10 words ahead"),
            Term("basin", "share of the visited states, and of random ones, that end at the point"),
            Term("q", "half the squared speed at the point: 0 at a fixed point"),
            Term("Newton step", "estimated distance from the exact fixed point"),
            Term("only root within", "radius in which the point is proved to be the only fixed point"),
        ),
    ),
    Section(
        "Rolling α",
        "alpha",
        (
            Term("Σh", "layer sum: the signal summed over all cells"),
            Term("α", "exponent of detrended fluctuation analysis: the fluctuation F in boxes of s words grows as s^α"),
            Term("β", "exponent of the power spectrum 1/f^β, β = 2α − 1: 0 white, 1 pink, 2 Brownian noise"),
            Term("(…)", "90% interval of this β: it contains the true β of nine series of noise in ten"),
            Term("short, long", "β over the shorter and over the longer half of the scales"),
            Term("r²", "how well F(s) follows a straight line in the log-log plot: 1 is exact"),
            Term("window, scales", "the last words used, and the box lengths s"),
            Term("90% interval", "where 9 in 10 series of exact white or pink noise of that length lie"),
            Term("difference", "α here minus α of the other side of a comparison"),
            Term("unbiased DFA", "F(s) is corrected for its bias at short boxes"),
        ),
    ),
    Section(
        "Cells",
        "cells",
        (
            Term("alive, † dead", "cells whose h varies in the window, or hardly does: σ below the threshold"),
            Term("effective cells", "participation ratio: the number of cells that would share the variance equally, "
                "or how many cells do the work"),
            Term("value", "the chosen signal at the word looked at"),
            Term("σ", "activity: standard deviation of h over the window"),
            Term("sat", "saturation: share of the window's words with the signal in the outer tenths of its range"),
            Term("w/o", "accuracy over the labelled reviews without the cell: its h clamped at its mean"),
            Term("weight", "of the cell in the readout: how much its h adds to the logit"),
        ),
    ),
)  # fmt: skip


_STEP_SENTENCES: Final = {
    "review": "The inputs, outputs and targets of the sequence, one column a step; unread inputs are dim.",
    "overview": "The network's first output over the whole sequence.",
}
_STEP_TERMS: Final = Section(
    "Sequence",
    "review",
    (
        Term("in", "an input channel at every step; one that is not read yet is dim"),
        Term("out", "an output after every step: the higher the bar, the larger"),
        Term("right, wrong", "whether the output is on the side of its target: above or below one half"),
        Term("shaded", "the target is 1; where nothing is shaded it is 0, or not defined yet"),
        Term("target", "what the task asks for after the step looked at"),
        Term("▲ ▼", "a pulse of the input, drawn on its output where there is no room for both"),
    ),
)


def sentence(panel: str, names: UnitNames = WORDS) -> str:
    """Return what a panel shows, in one sentence; "" if it has none."""
    own = _STEP_SENTENCES if names == STEPS else {}
    return own.get(panel) or names.reword(SENTENCES.get(panel, ""))


def legend(names: UnitNames = WORDS) -> tuple[Section, ...]:
    """Return the terms of all panels, for what the network reads."""
    return tuple(
        _STEP_TERMS
        if names == STEPS and section.panel == "review"
        else Section(
            names.reword(section.title),
            section.panel,
            tuple(Term(names.reword(term.shown), names.reword(term.meaning)) for term in section.terms),
        )
        for section in LEGEND
    )


def section_of(panel: str) -> Section | None:
    """Return the terms of a panel, None if it has none."""
    return next((section for section in LEGEND if section.panel == panel), None)
