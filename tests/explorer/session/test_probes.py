"""Brushing and exporting."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from explorer.session.controllers.brush import find_pattern, stretches
from explorer.session.csv_file import write_csv
from explorer.session.session import Session
from explorer.session.views.tables import words_table
from tests.explorer.small import small_network, wait

# ---- the brush -----------------------------------------------------------------------------------------------


def test_a_pattern_is_the_cells_that_fire_there_and_not_around() -> None:
    values = np.random.default_rng(0).normal(0, 0.05, (60, 6))
    values[20:24, 2] += 3  # fires in the brush and once more
    values[40:43, 2] += 3
    values[20:24, 4] -= 3  # low at the same places
    values[40:43, 4] -= 3
    values[15:30, 5] += 3  # fires in the brush and around it
    found = find_pattern(values, 20, 24)
    assert set(found.cells) == {2, 4}
    assert dict(zip(found.cells, found.signs, strict=True)) == {2: 1, 4: -1}
    assert found.places == ((40, 43),)


def test_flat_cells_and_noise_make_no_pattern() -> None:
    assert find_pattern(np.ones((30, 3)), 5, 8).cells == ()


def test_a_pattern_is_recognised_by_the_levels_of_the_review_it_came_from() -> None:
    values = np.random.default_rng(0).normal(0, 0.05, (60, 6))
    values[20:24, 2] += 3
    values[20:24, 4] -= 3
    found = find_pattern(values, 20, 24)
    elsewhere = np.zeros((5, 6))
    elsewhere[1:3, 2], elsewhere[2:4, 4] = 3, -3
    assert found.firing(elsewhere).tolist() == [0, 0.5, 1, 0.5, 0]
    assert stretches(found.firing(elsewhere)) == ((2, 3),)


def test_the_brush_is_opened_closed_followed_and_cleared(read: Session) -> None:
    read.look_at(39)
    read.perform("brush")
    assert list(read.brush.words) == [39]
    read.perform("step")
    assert list(read.brush.words) == [39, 40]
    read.perform("brush")
    pattern = read.brush.pattern
    assert pattern is not None
    assert pattern.cells
    assert len(pattern.places) > 1  # this review repeats itself every 18 words, and so do its cells
    read.perform("next-place")
    assert read.choices.cursor == pattern.places[0][0]
    read.perform("brush")
    assert not read.brush.words


def test_without_a_brush_there_is_no_next_place(read: Session) -> None:
    read.perform("next-place")
    assert "brush some words first" in read.note


def test_words_that_are_not_read_cannot_be_brushed(read: Session) -> None:
    read.brush.open_at(90)
    read.brush.close_at(120)
    assert not read.brush.words
    assert "are read" in read.note


def test_a_brush_stays_while_the_network_is_changed(read: Session) -> None:
    read.choose_signal("f")
    read.brush.open_at(40)
    read.brush.close_at(42)
    before = read.brush.pattern
    assert before is not None
    read.select(3)
    read.perform("ablate")
    wait(lambda: bool(read.stream.snapshot.clamps) and read.stream.snapshot.time == 100)
    assert read.update().snapshot.run == 2
    assert list(read.brush.words) == [40, 41, 42]
    after = read.brush.pattern
    assert after is not None
    assert after is not before
    values = read.read("f", 0, 100)
    assert after == find_pattern(values, 40, 43, "f")  # of the present run, not of the one before
    assert read.brush.pattern is after
    read.perform("undo-ablation")
    wait(lambda: not read.stream.snapshot.clamps and read.stream.snapshot.time == 100)
    assert read.update().snapshot.run == 3
    assert read.brush.pattern == before


def test_a_brush_waits_for_its_words_when_the_review_is_read_anew(read: Session) -> None:
    read.brush.open_at(40)
    read.brush.close_at(42)
    read.stream.use_network(small_network(6, seed=1))
    wait(lambda: read.stream.snapshot.run == 2 and read.stream.snapshot.time == 100)
    read.update()
    assert list(read.brush.words) == [40, 41, 42]
    found = read.brush.pattern
    assert found == find_pattern(read.read("h", 0, 100), 40, 43)
    for time, words in ((0, []), (42, []), (43, [40, 41, 42]), (99, [40, 41, 42])):
        read.stream.seek(0)
        wait(lambda: read.stream.snapshot.time == 0)
        read.stream.seek(time)
        wait(lambda: read.stream.snapshot.time == time)
        read.update()
        assert list(read.brush.words) == words
        assert read.brush.pattern is None  # fewer words are read than were searched
    read.stream.seek(100)
    wait(lambda: read.stream.snapshot.time == 100)
    read.update()
    assert read.brush.pattern == found


def test_another_review_clears_the_brush(read: Session) -> None:
    read.brush.open_at(40)
    read.brush.close_at(42)
    for index in (1, 0):
        read.open_review(index)
        wait(lambda: read.stream.snapshot.index == index)
        read.update()
    read.stream.seek(100)
    wait(lambda: read.stream.snapshot.time == 100)
    assert not read.brush.words
    assert read.brush.pattern is None


# ---- exporting -----------------------------------------------------------------------------------------------


def test_the_table_holds_the_words_read_and_their_numbers(read: Session, tmp_path: Path) -> None:
    write_csv(tmp_path / "run.csv", words_table(read, read.frame()))
    with (tmp_path / "run.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == list(read.stream.snapshot.review.words[:100])
    assert float(rows[-1]["probability"]) == pytest.approx(read.stream.snapshot.probability, rel=1e-5)
    assert float(rows[-1]["alpha_h"]) == pytest.approx(read.stream.snapshot.alpha["h"], rel=1e-5)
    assert float(rows[40]["h_003"]) == pytest.approx(float(read.read("h", 40, 41)[0, 3]), rel=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["run.csv"]
