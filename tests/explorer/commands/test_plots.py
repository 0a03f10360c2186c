"""Charts in the terminal: axes, ticks at the right values, points where they belong, no colours in a pipe."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from explorer.cli import pinkx
from explorer.commands.plots import HEIGHT, Curve, curves, eigenvalues, histogram


@pytest.fixture(autouse=True)
def terminal_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "40")


def canvas(chart: str) -> list[str]:
    """Return the rows between the upper and the lower frame, without ticks and frame."""
    rows = chart.splitlines()
    return [re.split("[│┤]", row)[1] for row in rows if re.match(r"[^│┤]*[│┤].*│$", row)]


def x_ticks(chart: str) -> list[float]:
    """Return the numbers below the lower frame."""
    rows = chart.splitlines()
    below = next(number for number, row in enumerate(rows) if "└" in row) + 1
    return [float(tick.replace("−", "-")) for tick in rows[below].split()]


def y_ticks(chart: str) -> list[float]:
    """Return the numbers left of the frame, from top to bottom."""
    return [float(tick.replace("−", "-")) for tick in re.findall(r"^ *([−\d.]+)┤", chart, re.MULTILINE)]


def column(chart: str, x: float, low: float, high: float) -> int:
    """Return the column of the canvas that shows x on an axis from low to high."""
    return round((x - low) / (high - low) * (len(canvas(chart)[0]) - 1))


def test_a_curve_has_axes_and_passes_through_its_points() -> None:
    chart = curves("Loss", [Curve("training", [0, 5, 10], [1.0, 0.5, 0.0], marks=True)], "epoch", "loss")
    head, *rows = chart.splitlines()
    assert head == "Loss   ● training"
    assert len(rows) == HEIGHT
    assert {len(row) for row in rows if row.endswith("│")} == {80}
    assert rows[-1].split() == ["loss", "epoch"]
    assert (x_ticks(chart)[0], x_ticks(chart)[-1]) == (0, 10)
    assert (y_ticks(chart)[0], y_ticks(chart)[-1]) == (1, 0)
    drawn = canvas(chart)
    assert (drawn[0][0], drawn[-1][-1]) == ("●", "●")
    assert abs(drawn[len(drawn) // 2].index("●") - len(drawn[0]) // 2) <= 1


def test_a_power_law_is_straight_over_logarithmic_axes() -> None:
    scales = np.array([10, 20, 40, 80, 160])
    chart = curves("F(s)", [Curve("", scales, 0.1 * scales, marks=True)], "s", "F(s)", log_log=True)
    assert x_ticks(chart) == [10, 20, 50, 100]
    assert y_ticks(chart) == [10, 5, 2, 1]
    drawn = [(row.index("●"), number) for number, row in enumerate(canvas(chart)) if "●" in row]
    steps = np.diff(np.array(drawn), axis=0)
    assert len(drawn) == 5
    assert np.ptp(steps, axis=0).max() <= 1  # equal steps along both axes


def test_a_histogram_counts_values_and_leaves_out_nan() -> None:
    values = [0.0] * 30 + [1.0] * 10 + [float("nan")] * 5
    chart = histogram("β", {"h": values}, "β", "reviews")
    assert chart.startswith("β   ⠒ h 0.250 ± 0.439\n")
    assert y_ticks(chart)[0] == 30
    assert y_ticks(chart)[-1] == 0
    drawn = canvas(chart)
    heights = [sum(row[k] not in " ⠐⠒⠂" for row in drawn) for k in (1, -2)]
    assert heights[0] == len(drawn)
    assert heights[1] == pytest.approx(len(drawn) / 3, abs=1)
    assert "h: no values" in histogram("β", {"h": [float("nan")], "x": [1.0, 2.0]}, "β", "reviews")


def test_eigenvalues_lie_around_a_round_unit_circle() -> None:
    chart = eigenvalues("λ", {"stable": np.array([0.5 + 0j]), "saddle": np.array([1.5j])})
    assert "● stable (1)   ◆ saddle (1)" in chart
    drawn = canvas(chart)
    lines = [row for row in drawn if re.search("[⠀-⣿]", row)]
    assert max(len(row.strip()) for row in lines) / len(lines) == pytest.approx(
        2, abs=0.25
    )  # characters are twice as high as wide
    ((row, _),) = [(number, row) for number, row in enumerate(drawn) if "●" in row]
    assert abs(row - len(drawn) // 2) <= 1
    assert any("◆" in row for row in drawn[:3])


@pytest.mark.parametrize(
    ("terminal", "no_color", "coloured"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_colours_only_on_a_terminal_and_without_no_color(
    terminal: bool, no_color: bool, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    assert ("\x1b" in curves("Loss", [Curve("training", [0, 1], [1, 0])], "epoch", "loss")) is coloured


@pytest.mark.parametrize(("columns", "width"), [(60, 60), (200, 100), (40, 40)])
def test_the_width_follows_the_terminal(columns: int, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    chart = curves("Loss", [Curve("training", [0, 1], [1, 0])], "epoch", "loss")
    assert {len(row) for row in chart.splitlines() if row.endswith("│")} == {width}


def run(*arguments: str) -> str:
    done = CliRunner().invoke(pinkx, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.stdout
    return done.stdout


def test_training_draws_its_loss(tmp_path: Path) -> None:
    chart = run(
        *("train", "--task", "integration-1", "--size", "4", "--batches", "30", "--plot"),
        *("--out", str(tmp_path / "small.safetensors")),
    )
    assert "Training loss" in chart
    assert x_ticks(chart)[-1] == 30
    assert 0.3 < y_ticks(chart)[0] < 1


def test_calibration_draws_fluctuation_functions_and_exponents() -> None:
    chart = run("calibrate", "--length", "100", "--scales", "10,14,25", "--count", "40", "--plot")
    spread, estimates = chart.split("F(s), geometric mean")[1].split("β = 2α − 1   ")
    assert x_ticks(spread)[0] == 10
    assert "white noise" in spread
    table = dict(re.findall(r"^ +(0\.00|1\.00) .*?([−\d.]+ ± [\d.]+)   +[−\d.]+ ± [\d.]+$", chart, re.MULTILINE))
    assert re.findall(r"noise ([−\d.]+ ± [\d.]+)", estimates) == [table["0.00"], table["1.00"]]


def test_points_are_drawn_with_the_unit_circle() -> None:
    chart = run("points", "rnn-16-flip-flop-3", "--input", "zero", "--starts", "64", "--plot")
    stable = len(re.findall(r"fixed +stable", chart))
    assert f"● stable points ({16 * stable})" in chart
    assert -1 in y_ticks(chart)
    words = run("points", "lstm-8", "--words", "--limit", "4", "--plot")
    assert re.search(r"Attractors   ⠒ logit −?\d", words)
