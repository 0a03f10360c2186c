"""The numbers of every panel as tables, and the files that a terminal saves: pictures and CSV."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from textual.pilot import Pilot

from explorer.session.core import SessionError
from explorer.session.csv_file import write_csv
from explorer.session.session import Session
from explorer.session.views.eigenvalues import time_constant
from explorer.session.views.point_map import STATES
from explorer.session.views.scaling import fine_fluctuation, fine_scales, scaling
from explorer.session.views.tables import (
    Table,
    alpha_table,
    cells_table,
    corpus_table,
    overview_table,
    points_table,
    reviews_table,
    scaling_table,
    spectrum_table,
    word_map_table,
    words_table,
)
from explorer.session.views.traces import CellRow, Difference, Overview, cell_table
from explorer.tui.app import Explorer
from tests.explorer.small import REVIEWS
from tests.explorer.tui.harness import shown, text_of, until

# ---- tables --------------------------------------------------------------------------------------------------


def test_words_count_from_0_and_have_every_cell(session: Session) -> None:
    table = words_table(session, session.frame())
    assert table.columns[:7] == ("time", "text", "probability", "alpha_h", "added_to_state", "h_000", "h_001")
    assert table.column("time") == list(range(100))
    assert all(type(time) is int for time in table.column("time"))
    assert table.column("text") == list(session.stream.snapshot.review.words[:100])
    np.testing.assert_array_equal([row[5:] for row in table.rows], session.stream.read("h"))


def test_words_can_be_limited_to_those_in_view(session: Session) -> None:
    table = words_table(session, session.frame(), (90, 140))
    assert table.column("time") == list(range(90, 100))
    np.testing.assert_array_equal([row[5:] for row in table.rows], session.read("h", 90, 100))
    assert alpha_table(session, session.frame(), (90, 140)).column("time") == list(range(90, 100))


def test_rolling_exponents_of_every_layer_sum(session: Session) -> None:
    table, names = alpha_table(session, session.frame()), [s.name for s in session.stream.snapshot.network.signals]
    assert table.columns == ("time", *(f"alpha_{name}" for name in names), *(f"beta_{name}" for name in names))
    values = session.stream.read("alpha")
    np.testing.assert_array_equal([row[1:] for row in table.rows], np.concatenate([values, 2 * values - 1], axis=1))


def test_the_fluctuation_function_and_the_scales_of_its_fit(session: Session) -> None:
    frame = session.frame()
    found, table = scaling(session, frame), scaling_table(session, frame)
    assert table.columns == ("scale_words", "F_h_sum", "fitted")
    assert [row[0] for row in table.rows if row[2]] == found.scales.tolist()
    np.testing.assert_array_equal([row[1] for row in table.rows if row[2]], found.fluctuation)
    fine = dict(zip(fine_scales(64), fine_fluctuation(session, frame).tolist(), strict=True))
    assert {row[0]: row[1] for row in table.rows} == pytest.approx(fine)
    cell = scaling_table(session, replace(frame, choices=replace(frame.choices, selected=3)), (8, 10))
    assert cell.columns[1] == "F_h_003"
    assert [row[0] for row in cell.rows if row[2]] == [8, 9, 10]


def test_cells_that_are_ablated_and_those_that_are_only_clamped() -> None:
    changed = {0: (), 1: ("h",), 2: ("f", "o"), 3: ("f", "h")}
    rows = [CellRow(k, 0.5, 0.75, 0.1, 0.2, -1.0, k == 0, clamps, k == 1, k == 2) for k, clamps in changed.items()]
    table = cells_table(rows, "f")
    assert table.columns == (
        "cell", "f", "alpha_f", "beta_f", "std_h", "saturation_f", "readout_weight", "dead", "state", "clamped",
        "pinned", "selected",
    )  # fmt: skip
    assert table.rows[1] == (1, 0.5, 0.75, 0.5, 0.1, 0.2, -1.0, 0, "ablated", "h", 1, 0)
    assert table.column("state") == ["", "ablated", "clamped", "ablated"]
    assert table.column("clamped") == ["", "h", "f o", "f h"]
    assert table.column("dead") == [1, 0, 0, 0]


def test_cells_keep_the_chosen_order(session: Session) -> None:
    session.perform("order")
    table = cells_table(cell_table(session, session.frame()), "h")
    assert table.column("cell") == session.frame().order.tolist()


def test_points_are_in_units_of_h(searched: Session) -> None:
    points = searched.fixed_points.point_map
    assert points is not None
    table = points_table(points, {1, None})
    assert table.column("entry") == list(range(len(points)))
    assert table.column("input") == list(points.names)
    assert table.column("certified") == [1] * points.certified + [0] * (len(points) - points.certified)
    assert table.column("state") == [STATES[state] for state in points.state]
    np.testing.assert_array_equal([row[4:7] for row in table.rows], points.components)
    np.testing.assert_array_equal(table.column("logit"), points.logit)
    np.testing.assert_array_equal(table.column("time_constant_words"), points.time_constant)
    assert sum(row[-1] for row in table.rows) == table.rows[1][-1] == 1
    words = word_map_table(points)
    numbers = "PC1", "PC2", "PC3", "logit", "time_constant_words"
    assert words.columns == ("text", *numbers, "kind", "period_words", "amplitude")
    assert [row[1:6] for row in words.rows] == [row[4:9] for row in table.rows[points.first_word :]]
    assert [row[-2:] for row in words.rows] == [row[9:11] for row in table.rows[points.first_word :]]


def test_a_spectrum(searched: Session) -> None:
    details = searched.fixed_points.details(searched.frame())
    assert details is not None
    table = spectrum_table(details)
    assert table.columns == ("real", "imaginary", "modulus", "time_constant_words")
    for value, row in zip(details.eigenvalues.tolist(), table.rows, strict=True):
        assert row == (value.real, value.imag, abs(value), time_constant(value))


def test_what_is_missing_is_an_error_that_says_so() -> None:
    with pytest.raises(SessionError, match="no points are found yet: save"):
        points_table(None)
    with pytest.raises(SessionError, match="no word attractors are found yet: save"):
        word_map_table(None)
    with pytest.raises(SessionError, match="no point is found yet: save"):
        spectrum_table(None)
    with pytest.raises(SessionError, match="no word is read yet: save"):
        overview_table(None, None, None)


def test_the_overview_with_and_without_a_comparison() -> None:
    edges = np.array([0, 2.5, 5])
    own, other = (Overview(np.array(values), edges) for values in ([0.25, 0.75], [0.5, 0.5]))
    assert overview_table(own, None, None) == (("time", "probability"), [(0, 0.25), (3, 0.75)])
    difference = Difference(np.array([-0.25, -0.25, -0.25, 0.25, 0.25]), 0.5)
    assert overview_table(own, other, difference) == (
        ("time", "probability", "probability_other", "difference"),
        [(0, 0.25, 0.5, -0.25), (3, 0.75, 0.5, 0.25)],
    )


def test_reviews_count_from_1_as_on_screen() -> None:
    entry = SimpleNamespace(index=6, name="second", words=13, output=0.2, label=False, beta=(0.5, np.nan),
                            reason="too short", confidence=0.6, error=0.2, watched=True)  # fmt: skip
    table = corpus_table([entry], ("h", "x"))
    assert table.columns == (
        "review", "name", "label", "words", "beta_h", "beta_x", "reason", "probability", "error", "confidence",
        "watched",
    )  # fmt: skip
    assert str(table.rows) == "[(7, 'second', 'negative', 13, 0.5, nan, 'too short', 0.2, 0.2, 0.6, 1)]"
    listed = reviews_table(REVIEWS, [2, 0], {"beta_h": np.array([0.5, 0.6, 0.7])})
    assert listed.columns == ("review", "name", "label", "characters", "beta_h")
    assert listed.rows == [
        (3, "third", "", len(REVIEWS[2].text), 0.7),
        (1, "first", "positive", len(REVIEWS[0].text), 0.5),
    ]


def test_a_file_holds_integers_as_integers(tmp_path: Path) -> None:
    write_csv(tmp_path / "table.csv", Table(("time", "text", "value"), [(0, "a, b", 0.5), (1, "c", float("nan"))]))
    assert (tmp_path / "table.csv").read_bytes() == b'time,text,value\r\n0,"a, b",0.5\r\n1,c,nan\r\n'
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


# ---- what a terminal saves -----------------------------------------------------------------------------------


async def chosen(app: Explorer, pilot: Pilot[None], *keys: str) -> None:
    await pilot.press("e")
    await until(pilot, lambda: len(app.screen_stack) == 2)
    await pilot.press(*keys)
    await until(pilot, lambda: "saved" in app.session.note)  # type: ignore[union-attr]


async def test_a_panel_and_the_screen_as_pictures_and_numbers(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shown(session) as (app, pilot):
        await pilot.press("6")
        await chosen(app, pilot, "enter")
        saved = Path("pinkx-lstm-12-first-h-cells-1.svg").read_text()
        assert ">Cells<" in saved
        assert "Rolling" not in saved
        assert "Save" not in saved
        with Path("pinkx-lstm-12-first-h-cells-1.csv").open() as file:
            table = list(csv.reader(file))
        assert len(table) == 1 + 12
        session.note = ""
        await chosen(app, pilot, "down", "enter")
        assert "Rolling" in Path("pinkx-lstm-12-first-h-screen-1.svg").read_text()
        pictures = sorted(Path().glob("*.png"))
        names = [f"pinkx-lstm-12-first-h-{part}-1.png" for part in ("cells", "screen")]
        assert [picture.name for picture in pictures] == names
        assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)
        session.note = ""
        await chosen(app, pilot, "down", "down", "enter")
        assert Path("pinkx-lstm-12-first-1.safetensors").exists()


async def test_a_failed_export_is_reported(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with shown(session) as (app, pilot):
        await pilot.press("4", "e")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: "save its eigenvalues when one is" in text_of(app, "#notice"))
        assert list(tmp_path.iterdir()) == []
