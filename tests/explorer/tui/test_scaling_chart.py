"""The F(s) chart: its numbers, its lines, and how often it is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.session.session import Session
from explorer.session.views.scaling import Scaling
from explorer.tui.panels.scaling import PERIOD, ScalingChart
from explorer.tui.terminal.plotext_chart import Series, draw_chart
from explorer.tui.terminal.styles import BRIGHT, PINK, TEXT, Line
from tests.explorer.tui.harness import shown, text_of

SCALES = np.array([4.0, 5, 6, 8, 11, 14, 16])


def found(alpha: float, factor: float = 0.3) -> Scaling:
    return Scaling("Σh", SCALES, factor * SCALES**alpha, alpha, float(np.log(factor)), 1.0, "")


def text(lines: list[Line]) -> list[str]:
    return ["".join(segment.text for segment in line) for line in lines]


@pytest.mark.parametrize(("width", "height"), [(71, 8), (78, 13), (118, 35), (30, 4)])
def test_the_chart_fills_its_panel_with_the_numbers_above(width: int, height: int) -> None:
    lines = ScalingChart().lines(found(0.8), width, height)
    assert len(lines) == height
    assert text(lines)[0].startswith(" Σh  α 0.80  β 0.60  r² 1.00")
    assert {sum(segment.cell_length for segment in line) for line in lines[1:]} == {width}
    assert "s = 4 words" in text(lines)[-1]


def test_points_lie_on_their_line_and_rise_with_the_slope() -> None:
    for alpha in (0.5, 1.0, 1.5):
        lines = text(ScalingChart().lines(found(alpha), 100, 30))[1:]
        places = sorted((line.index("●"), row) for row, line in enumerate(lines) if "●" in line)
        (left, bottom), (right, top) = places[0], places[-1]
        # 1.6 half ranges of ln s above and below the middle on 27 rows
        assert bottom - top == pytest.approx(alpha * 2 / 3.2 * 27, abs=1.5)
        assert right > left


def test_the_lines_of_the_three_noises_are_named_at_any_height() -> None:
    for height in (8, 30):
        drawn = " ".join(text(ScalingChart().lines(found(0.7), 78, height)))
        assert all(name in drawn for name in ("white", "pink", "brown"))


def test_styles_survive_plotext() -> None:
    x = np.array([0.0, 1.0])
    series = [Series(x, x, PINK, label="pink"), Series(x, 1 - x, TEXT), Series(x, x, BRIGHT, marker="●")]
    lines = draw_chart(
        series, 40, 12, x_range=(-0.1, 1.5), y_range=(-0.1, 1.1), x_ticks={0.0: "zero"}, y_ticks={1.0: "one"}
    )
    segments = [segment for line in lines for segment in line]
    assert any(segment.style == PINK and "pink" in segment.text for segment in segments)
    assert any(segment.style == TEXT for segment in segments)
    assert sum(segment.text.count("●") for segment in segments if segment.style == BRIGHT) == 2
    assert {"zero", "one"} <= {word for segment in segments for word in segment.text.split()}


def test_no_exponent_gives_the_reason() -> None:
    missing = Scaling("Σh", SCALES, SCALES * np.nan, np.nan, np.nan, np.nan, "after 32 words: 3 read")
    assert text(ScalingChart().lines(missing, 78, 13)) == [" Σh  α –  β –  r² –   after 32 words: 3 read"]


def test_changing_data_are_drawn_at_most_five_times_a_second() -> None:
    now = 100.0
    chart = ScalingChart(clock=lambda: now)
    first = chart.lines(found(0.8), 78, 13)[1:]
    now += 0.1
    assert chart.lines(found(1.2), 78, 13)[1:] == first
    assert chart.lines(found(1.2), 60, 13)[1:] != first  # another size is drawn at once
    now += PERIOD
    assert chart.lines(found(1.2), 78, 13)[1:] != first


async def test_without_colours_the_chart_is_readable(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown(session, 80, 24) as (app, pilot):
        await pilot.press("5", "s")
        app.draw()
        drawn = text_of(app, "#alpha")
        assert drawn.count("●") == len(session.stream.snapshot.scales)
        assert all(name in drawn for name in ("white", "pink", "brown", "words"))
