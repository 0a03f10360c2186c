"""Brushing, exporting: what a person does to a run to understand it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from explorer.session.brush import find_pattern, stretches
from explorer.session.export import write_csv
from explorer.session.model import Session
from tests.explorer.small import open_session, wait


@pytest.fixture
def read() -> Iterator[Session]:
    """100 of 144 words read, paused."""
    opened = open_session()
    opened.stream.seek(100)
    wait(lambda: opened.stream.snapshot.time == 100)
    yield opened
    opened.close()


# ---- the brush -----------------------------------------------------------------------------------------------


def test_a_pattern_is_the_cells_that_fire_there_and_not_around() -> None:
    values = np.random.default_rng(0).normal(0, 0.05, (60, 6))
    values[20:24, 2] += 3  # fires in the brush and once more
    values[40:43, 2] += 3
    values[20:24, 4] -= 3  # falls silent at the same places
    values[40:43, 4] -= 3
    values[15:30, 5] += 3  # fires all around
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
    assert found.agreement(elsewhere).tolist() == [0, 0.5, 1, 0.5, 0]
    assert stretches(found.agreement(elsewhere)) == ((2, 3),)


def test_the_brush_is_opened_closed_followed_and_cleared(read: Session) -> None:
    read.look_at(39)
    read.perform("brush")
    assert list(read.brushed.words) == [39]
    read.perform("step")
    assert list(read.brushed.words) == [39, 40]
    read.perform("brush")
    pattern = read.brushed.pattern
    assert pattern is not None
    if pattern.cells:  # this review repeats itself every 18 words, and so do its cells
        assert len(pattern.places) > 1
        read.perform("next-place")
        assert read.choices.cursor == pattern.places[0][0]
    read.perform("brush")
    assert not read.brushed.words


def test_there_is_nothing_to_follow_without_a_brush(read: Session) -> None:
    read.perform("next-place")
    assert "brush some words first" in read.note


def test_words_that_are_not_read_cannot_be_brushed(read: Session) -> None:
    read.brushed.open_at(90)
    read.brushed.close_at(120)
    assert not read.brushed.words
    assert "are read" in read.note


# ---- exporting -----------------------------------------------------------------------------------------------


def test_the_table_holds_the_words_read_and_their_numbers(read: Session, tmp_path: Path) -> None:
    write_csv(read, read.frame(), tmp_path / "run.csv")
    with (tmp_path / "run.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["word"] for row in rows] == list(read.stream.snapshot.review.words[:100])
    assert float(rows[-1]["probability"]) == pytest.approx(read.stream.snapshot.probability, rel=1e-5)
    assert float(rows[-1]["alpha_h"]) == pytest.approx(read.stream.snapshot.alpha["h"], rel=1e-5)
    assert float(rows[40]["h_3"]) == pytest.approx(float(read.read("h", 40, 41)[0, 3]), rel=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["run.csv"]
