"""Texts of the panels, run by run."""

from __future__ import annotations

import doctest
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast, get_args

import numpy as np
import pytest

from engine import number_format
from engine.fluctuation import rolling_scales
from engine.intervals import beta_interval
from engine.live.snapshot import Snapshot
from explorer.session.controllers.noise_band import Band
from explorer.session.core import Choices, Frame
from explorer.session.moment import Moment
from explorer.session.palette import DARK, LIGHT, LOOKS, RGB, Palette, Role, gradient, text_on
from explorer.session.session import Session
from explorer.session.views.cell_readouts import cell_line, cell_text, cells_line, dead_line, heatmap_line, value_line
from explorer.session.views.number_format import count, number, percent, scientific
from explorer.session.views.outputs import POSITIVE
from explorer.session.views.point_map import PointDetails, PointMap, PointView
from explorer.session.views.point_readouts import (
    entry_line,
    no_points_line,
    point_legend,
    point_lines,
    points_line,
    prediction_line,
    word_map_line,
)
from explorer.session.views.readouts import (
    alpha_line,
    changes_line,
    corpus_line,
    estimator_line,
    histogram_line,
    overview_line,
    review_rows,
    scaling_line,
    status_parts,
    word_colours_line,
)
from explorer.session.views.runs import Row, Run, join, plain
from explorer.session.views.scaling import Scaling
from explorer.session.views.traces import CellRow

NAN = math.nan
ROW = CellRow(18, 0.5, 0.81, 0.0031, 0.0156, -0.0712, dead=False, clamps=(), pinned=True, selected=False)
POINT = PointDetails(
    name="zero",
    number=5,
    certified=True,
    kind="fixed",
    stability="saddle with 1",
    eigenvalues=np.array([1.02, 0.9952, 0.5 + 0.1j, 0.5 - 0.1j]),
    time_constant=208.4,
    q=1.2e-13,
    newton_step=3.4e-9,
    radius=1e-3,
    logit=-1.45,
    value=0.19,
    output=POSITIVE,
    hits=12,
    starts=128,
)


def frame(*, word: int = 99, note: str = "", choices: Choices | None = None, **changes: Any) -> Frame:
    """A frame of a small run, made by hand: 100 of 144 words read, paused."""
    network = SimpleNamespace(title="lstm-4", task="imdb", output="sigmoid", outputs=1, unit="word", vocabulary=())
    fields: dict[str, Any] = {
        "network": network, "review": SimpleNamespace(name="first", label=True), "index": 16, "reviews": 1871,
        "time": 100, "words": 144, "playing": False, "finished": False, "speed": 480.0, "words_per_second": 1234.5,
        "r2": {"h": 0.973}, "reason": {"h": "constant"}, "watched": "h", "cell_alpha": np.array([0.5, 0.9, 0.7, NAN]),
        "activity": np.array([0.3, 0.3, 0.0, 0.3]), "dead": np.array([False, False, True, False]), "threshold": 0.02,
        "window": 64, "scales": (4, 6, 9, 16), "clamps": {}, "pushes": (), "unknown": 3, "lost": False,
        "device": "cpu", "device_problem": "",
    } | changes  # fmt: skip
    snapshot = cast("Snapshot", SimpleNamespace(**fields))
    moment = Moment(snapshot.activity, snapshot.dead, snapshot.cell_alpha, snapshot.r2["h"], snapshot.reason["h"])
    return Frame(snapshot, choices or Choices(), word, np.arange(4), note, moment)


# ---- numbers and lines -------------------------------------------------------------------------------------------


def test_numbers_have_leading_zeros_true_minus_signs_and_three_digits_when_small() -> None:
    tried = doctest.testmod(number_format)
    assert tried.attempted
    assert not tried.failed
    assert [number(value) for value in (0.0, -0.0, 0.0996, -0.0996, 12.345, math.inf)] == [
        "0.00", "0.00", "0.0996", "−0.0996", "12.35", "–",
    ]  # fmt: skip
    assert [percent(value) for value in (0.0, 0.001, 0.834, 1.0, NAN)] == ["0%", "<1%", "83%", "100%", "–"]
    assert [scientific(value) for value in (1.2e-13, 0.0, NAN)] == ["1e−13", "0e0", "–"]
    assert [count(1, "word"), count(1204, "word"), count(2, "entry", "entries")] == [
        "1 word", "1,204 words", "2 entries",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [5, 6, 8])
def test_a_number_fits_its_column(width: int) -> None:
    values = [sign * digits * 10.0**power for sign in (1, -1) for digits in (1.234, 9.996) for power in (-7, -3, -1, 0)]
    assert all(len(number(value, width)) <= width for value in values)
    assert all(float(number(value, width).replace("−", "-")) == pytest.approx(value, rel=0.5) for value in values)


def test_parts_that_do_not_fit_are_left_out() -> None:
    parts = ((Run("first"),), (), (Run("second", "value"),), (Run("third"),))
    assert plain(join(parts)) == "first   second   third"
    assert join(parts, 14) == (Run("first"), Run("   "), Run("second", "value"))
    assert plain(join(parts, 13)) == "first"
    assert plain(join(parts, 1)) == "first"


def test_every_role_has_a_look_in_both_palettes() -> None:
    assert set(LOOKS) == set(get_args(Role))
    for palette in (DARK, LIGHT):
        assert all(isinstance(getattr(palette, look.colour), RGB) for look in LOOKS.values())


def luminance(colour: RGB) -> float:
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in colour)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=lambda palette: palette.name)
def test_text_can_be_read_on_its_ground(palette: Palette) -> None:
    """WCAG 2.1 AA: a contrast of 4.5 for text."""
    for name in {look.colour for look in LOOKS.values()} - {"faint"}:
        light, dark = sorted((luminance(getattr(palette, name)), luminance(palette.ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, name


def test_colours_convert_and_blend() -> None:
    assert DARK.pink.hex == "#ff8fc0"
    assert gradient((RGB(0, 0, 0), RGB(255, 255, 255)))[[0, 51, 255]].tolist() == [[0] * 3, [51] * 3, [255] * 3]
    assert [text_on(colour).hex for colour in (RGB(255, 234, 70), RGB(0, 32, 77))] == ["#101418", "#f2f4f7"]
    assert DARK.stability == (DARK.good, DARK.pink, DARK.warning, DARK.dead, DARK.other)


# ---- exponents ---------------------------------------------------------------------------------------------------


def test_the_alpha_line() -> None:
    noise = Band(white=(0.4, 0.617), pink=(0.851, 1.14))
    assert alpha_line(frame(choices=Choices(selected=1)), 0.84, noise, ("lstm-5", 0.45)) == (
        Run("Σh  α "), Run("0.84", "value"), Run("  β "), Run("0.68", "accent"), Run("  r² "), Run("0.97", "text"),
        Run("   "), Run("#001 β "), Run("0.80", "value"),
        Run("   "), Run("━ lstm-5 α ", "other"), Run("0.45", "value"), Run("  difference "), Run("0.39", "value"),
        Run("   "), Run("90% interval: "), Run("pink", "pink"), Run(" 0.85…1.14, white 0.40…0.62"),
    )  # fmt: skip
    assert plain(alpha_line(frame(), 0.84, noise, width=40)) == "Σh  α 0.84  β 0.68  r² 0.97"
    scales = rolling_scales(64)
    low, high = beta_interval(0.68, 64, scales)
    assert plain(alpha_line(frame(scales=scales), 0.84, width=40)) == (
        f"Σh  α 0.84  β 0.68 ({number(low)}…{number(high)})  r² 0.97"
    )
    assert plain(alpha_line(frame(choices=Choices(selected=1, signal="x"), r2={"x": 0.9, "h": 0.9}), 0.84)) == (
        "Σx  α 0.84  β 0.68  r² 0.90"
    ), "the rows of the input are not the layer's cells"


def test_without_an_exponent_the_line_gives_the_reason() -> None:
    early, flat = alpha_line(frame(word=20), NAN), alpha_line(frame(), NAN, Band((0, 1), (0, 1)))
    assert early[-1] == Run("needs 64 words, 21 read", "warning")
    assert flat[-1] == Run("no exponent: constant", "warning")
    assert plain(estimator_line(frame().snapshot)) == "window 64 words, 4 scales 4…16 words, unbiased DFA"


def test_the_scaling_line() -> None:
    scales = np.array([4.0, 8.0, 16.0])
    found = Scaling("h of cell #018", scales, scales, 1.0, 0.0, 0.99, "")
    assert scaling_line(found) == (
        Run("h of cell #018  α "), Run("1.00", "value"), Run("  β "), Run("1.00", "accent"), Run("  r² "),
        Run("0.99", "text"), Run("   "), Run("3 scales 4…16 words"),
    )  # fmt: skip
    bent = replace(found, interval=(0.4, 1.7), halves=(0.2, 1.5), straight=False)
    assert plain(scaling_line(bent)) == (
        "h of cell #018  α 1.00  β 1.00 (0.40…1.70)  r² 0.99   no single exponent   β short 0.20, long 1.50   "
        "3 scales 4…16 words"
    )
    assert Run("no single exponent", "warning") in scaling_line(bent, 73)
    assert "no single" not in plain(scaling_line(replace(bent, straight=True)))
    nothing = Scaling("Σh", scales[:0], scales[:0], NAN, NAN, NAN, "too few scales")
    assert plain(scaling_line(nothing)) == "Σh  α –  β –  r² –   too few scales"
    assert scaling_line(nothing)[-1].role == "warning"


# ---- points ------------------------------------------------------------------------------------------------------


def test_a_fixed_point_in_lines() -> None:
    assert point_lines(POINT, {1: 0.98, 5: -0.2, 10: NAN}) == (
        (Run("zero input", "accent"), Run(" #5  12/128 starts")),
        (Run("fixed ", "text"), Run("saddle", "pink"), Run("  1 of 4 unstable")),
        (Run("|λ| "), Run("1.0200", "value"), Run("  τ "), Run("208 words", "value")),
        (Run("P(positive) "), Run("0.19", "value"), Run("  logit "), Run("−1.45", "text")),
        (
            Run("linear prediction"), Run(" +1 "), Run("98%", "text"), Run(" +5 "), Run("<0", "warning"),
            Run(" +10 "), Run("–", "text"),
        ),
        (Run("q 1e−13  Newton step 3e−9"),),
        (Run("the only root within 1e−3"),),
    )  # fmt: skip
    assert len(point_lines(POINT)) == 6
    unproved = point_lines(PointDetails(**vars(POINT) | {"radius": NAN, "uncertain": 2}))
    rounded = point_lines(PointDetails(**vars(POINT) | {"q": 3e-33, "newton_step": 2e-16}))
    assert plain(rounded[4]) == "q <1e−30  Newton step <1e−15"
    measured = point_lines(PointDetails(**vars(POINT) | {"q": 1.2e-30, "newton_step": 1.2e-15}))
    assert plain(measured[4]) == "q 1e−30  Newton step 1e−15"
    assert plain(unproved[-1]) == "not proved to be the only root nearby: an eigenvalue is too close to 1"
    assert plain(unproved[1]) == "fixed saddle  1 ± 2 of 4 unstable"
    assert plain(prediction_line({1: 0.98, 5: 0.81}, 20)) == "linear +1 98% +5 81%"


def test_a_word_attractor_in_lines() -> None:
    word = PointDetails(**{**vars(POINT), "name": "film", "certified": False, "time_constant": 2e6,
                           "eigenvalues": np.array([0.5]), "stability": "stable"})  # fmt: skip
    lines = point_lines(word)
    assert lines[0] == (Run("“film”", "accent"), Run(" repeated forever"))
    assert lines[1][1:] == (Run("stable", "good"), Run("  0 of 1 unstable"))
    assert plain(lines[2]) == "|λ| 0.5000  τ over 1,000,000 words"


def test_lines_about_the_map(searched: Session) -> None:
    point_map = searched.fixed_points.point_map
    assert isinstance(point_map, PointMap)
    shares = " + ".join(f"{part:.0%}" for part in point_map.projection.explained)
    line = points_line(point_map, PointView(azimuth=-20), "searching …")
    assert line[0] == Run("searching …", "warning")
    assert plain(line[1:]) == f"   Σ 1 ✓   PC1–3 of h: {shares}   azimuth −20°, elevation 50°"
    words = entry_line(point_map, point_map.certified)
    assert words[0] == Run(point_map.names[point_map.certified], "accent")
    assert words[1].text.startswith(f"   logit {number(point_map.logit[point_map.certified])}   slowest τ ")
    assert words[1].text.endswith(" words")


def test_lines_without_points_and_the_legend() -> None:
    assert no_points_line("", replaying=True)[1] == Run("a recording has no network to search", "warning")
    assert plain(no_points_line("", replaying=False)) == "fixed points: none found yet"
    assert plain(no_points_line("searching …", replaying=False)) == "fixed points: searching …"
    assert plain(point_legend(True)) == "● stable  ○ saddle  ◌ slow  ◆ now  ─ predicted"
    assert [run.role for run in point_legend(True)][::3][:3] == ["good", "pink", "warning"]
    assert {run.role for run in point_legend(False)} == {"value", "label", "accent"}
    assert plain(word_map_line(1204, "readout")) == "1,204 words, each repeated forever; colour: readout"


# ---- cells -------------------------------------------------------------------------------------------------------


def test_lines_about_all_cells() -> None:
    assert cells_line(frame()) == (
        Run("3", "value"), Run(" alive  "), Run("† 1", "dead"), Run(" dead  "), Run("3.0", "value"),
        Run(" effective cells"),
    )  # fmt: skip
    assert cells_line(frame(activity=np.zeros(4)))[4] == Run("–", "value")
    assert plain(dead_line(frame().snapshot)) == "† σ of h < 0.02 over 64 words"


def test_the_texts_of_one_cell() -> None:
    assert cell_text(ROW) == ("#018", "*", "accent", ("0.50", "0.62", "0.003", "2%", "−0.071"))
    clamped = CellRow(3, NAN, NAN, 0.31, NAN, 12.0, dead=True, clamps=("f", "o"), pinned=False, selected=True)
    assert cell_text(clamped) == ("#003", "=", "warning", ("–", "–", "0.31", "–", "12.00"))
    assert cell_line(ROW) == (Run("#018", "accent"), Run("   β 0.62   σ 0.003   sat 2%   weight −0.071", "text"))
    assert cell_line(clamped)[2:] == (Run("   f, o clamped", "warning"), Run("   dead", "warning"))
    ablated = CellRow(3, NAN, NAN, 0.31, NAN, 12.0, dead=False, clamps=("h",), pinned=False, selected=True)
    assert cell_line(ablated)[2:] == (Run("   ablated", "warning"),)


def test_lines_about_the_heatmap() -> None:
    assert heatmap_line(frame(choices=Choices(order="α")), 4) == (
        Run("up to 4 cells/row (strongest)", "warning"), Run("   "), Run("order: α"),
    )  # fmt: skip
    assert heatmap_line(frame(), 1) == ()
    assert value_line("f", 18, 11, -0.3121) == (Run("f of #018 at word 12: "), Run("−0.31", "value"))


def test_changes_of_the_network() -> None:
    h, f = np.array([NAN, 0.1, 0.2, NAN]), np.array([NAN, NAN, NAN, 1.0])
    assert changes_line(frame(clamps={"h": h, "f": f}).snapshot) == (Run("∅ 2 ablated, f clamped in 1", "warning"),)
    assert changes_line(frame().snapshot) == ()


# ---- the review --------------------------------------------------------------------------------------------------


def test_the_verdict_on_the_review() -> None:
    assert review_rows(frame(), 0.81, 0.3) == (
        Row("P(positive)", (Run("0.81", "value"),)),
        Row("network", (Run("positive", "good"),)),
        Row("label", (Run("positive", "text"),)),
        Row("unknown", (Run("3 of 144 words", "text"),)),
        Row("━ other", (Run("0.30", "value"), Run("  Δ "), Run("0.51", "value"))),
    )
    unlabelled = frame(review=SimpleNamespace(name="typed", label=None))
    assert [plain(row.line) for row in review_rows(unlabelled, NAN)] == ["–", "–", "unlabelled", "3 of 144 words"]
    assert review_rows(frame(), 0.2)[1].line == (Run("negative", "bad"),)


def test_the_colours_of_words() -> None:
    assert plain(word_colours_line(frame(), -0.12, 0.34)) == "colour: h, mean of all cells (−0.12…0.34)"
    chosen = frame(choices=Choices(signal="f", selected=3), time=0)
    assert plain(word_colours_line(chosen, 0, 1)) == "colour: f, #003 (nothing read yet)"


def test_the_overview_line() -> None:
    assert overview_line(frame(), 0.46, ("lstm-5", 0.31), 0.2) == (
        Run("P(positive) "), Run("0.46", "value"), Run("   "), Run("━ lstm-5 ", "other"), Run("0.31", "value"),
        Run("  difference "), Run("0.15", "value"), Run(" (axis ±0.2)"), Run("   "), Run("word 100 of 144"),
    )  # fmt: skip
    assert plain(overview_line(frame(), 0.46, width=20)) == "P(positive) 0.46"


# ---- the corpus --------------------------------------------------------------------------------------------------


def test_the_badge_says_which_device_computes() -> None:
    usual = plain(status_parts(frame())["badge"])
    for device, problem, text in (
        ("cpu", "", ""),
        ("cuda", "", " on the GPU"),
        ("cpu", "CUDA error: device lost", " on the CPU: the GPU failed"),
    ):
        found = status_parts(frame(device=device, device_problem=problem))
        assert plain(found["badge"]) == usual + text


def test_the_corpus_line() -> None:
    assert corpus_line(1204, 50000, missing=3, changes="2 ablated", listed=(12, "h", 0.2, 0.26)) == (
        Run("1,204", "value"), Run(" of 50,000 reviews measured"), Run("   "),
        Run("listed: 12 with β of h 0.20…0.26", "text"), Run("   "), Run("3 without β"), Run("   "),
        Run("2 ablated in all reviews", "warning"),
    )  # fmt: skip
    assert plain(corpus_line(1, 1)) == "1 review measured"
    assert corpus_line(3, 3, error="measuring failed")[-1] == Run("measuring failed", "warning")


def test_the_line_of_a_histogram() -> None:
    assert histogram_line("h", 0.71, 0.68) == (
        Run("β of h", "value"), Run("   "), Run("▼ this review ", "pink"), Run("0.68", "accent"), Run("   "),
        Run("median 0.71", "text"),
    )  # fmt: skip
    assert plain(histogram_line("x", NAN, NAN, "too short")) == "β of x   ▼ this review too short"
    assert plain(histogram_line("x", NAN, NAN)) == "β of x   ▼ this review …"


# ---- the state of the run ----------------------------------------------------------------------------------------


def test_the_parts_of_the_status_line() -> None:
    assert status_parts(frame()) == {
        "network": (Run("lstm-4", "value"), Run(" · imdb")),
        "review": (Run("review 17/1,871", "text"),),
        "badge": (Run("‖ PAUSED", "warning"),),
        "word": (Run("word "), Run("100", "value"), Run("/144")),
        "speed": (Run("480 words/s"),),
    }
    busy = status_parts(
        frame(playing=True, clamps={"h": np.array([0.0])}, reviews=1, speed=None),
        comparison="lstm-5", recorded=2, cells_per_row=4, lost=1200, fps=19.6, degraded=("fewer colours",),
    )  # fmt: skip
    assert {name: plain(line) for name, line in busy.items()} == {
        "network": "lstm-4 · imdb",
        "review": "review first",
        "badge": "● LIVE",
        "word": "word 100/144",
        "changes": "∅ 1 ablated",
        "comparison": "⇄ lstm-5",
        "recording": "● REC 2 runs",
        "speed": "full speed",
        "rates": "now 1,234 words/s  20 fps",
        "lost": "up to 4 cells/row, 1,200 words no longer stored, slow terminal: fewer colours",
    }
    same = status_parts(frame(playing=True, words_per_second=480.4), fps=20)
    assert plain(same["rates"]) == "20 fps"  # the speed is shown once
    assert status_parts(frame(choices=Choices(cursor=3)))["badge"] == (Run("◂ LOOKING BACK", "warning"),)
    assert status_parts(frame(finished=True))["badge"] == (Run("■ END", "label"),)
