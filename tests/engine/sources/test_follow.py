"""A followed file: what is appended arrives once, also across truncation and rotation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.reviews import ReadOptions, ReviewError, Reviews
from engine.sources.follow import FollowedFile
from tests.engine.sources.test_formats import labels


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new.jsonl"


Follow = Callable[[Path], tuple[FollowedFile, Reviews]]


@pytest.fixture
def follow() -> Iterator[Follow]:
    """Follows a file until the test ends."""
    files: list[FollowedFile] = []

    def start(path: Path) -> tuple[FollowedFile, Reviews]:
        files.append(FollowedFile(path, Reviews()))
        return files[-1], files[-1].reviews

    yield start
    for file in files:
        file.close()


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def texts(reviews: Reviews) -> list[str]:
    return [review.text for review in reviews]


def test_appended_objects_arrive_once_they_are_whole_lines(path: Path, follow: Follow) -> None:
    file, reviews = follow(path)
    assert file.poll() == 0  # there is no file yet
    append(path, '{"text": "Fine", "label": 1}\n{"text": "Du')
    assert (file.poll(), file.poll()) == (1, 0)
    append(path, 'll", "label": 0}\nnot JSON\n{"text": "!"}\n')
    assert file.poll() == 1
    assert (texts(reviews), labels(reviews)) == (["Fine", "Dull"], "+-")
    assert file.skipped == 2
    assert "no words" in file.trouble


def test_a_record_of_several_lines_waits_for_its_end(path: Path, follow: Follow) -> None:
    path = path.with_suffix(".csv")
    file, reviews = follow(path)
    append(path, "review,sentiment\n")
    assert file.poll() == 0
    append(path, 'Fine,positive\n"Dull,\n')
    assert file.poll() == 1
    append(path, 'very dull",negative\n')
    assert file.poll() == 1
    assert (texts(reviews), labels(reviews)) == (["Fine", "Dull,\nvery dull"], "+-")


def test_each_line_of_another_file_is_a_review(path: Path, follow: Follow) -> None:
    path = path.with_suffix(".txt")
    file, reviews = follow(path)
    append(path, "fine film\n\ndull &amp; long\r\n")
    file.poll()
    assert texts(reviews) == ["fine film", "dull & long"]


def test_later_labels_show_what_earlier_ones_mean(path: Path, follow: Follow) -> None:
    path = path.with_suffix(".csv")
    file, reviews = follow(path)
    append(path, "text,label\nfine,2\ndull,1\n")
    file.poll()
    assert labels(reviews) == "+-"
    append(path, "best,5\n")
    file.poll()
    assert labels(reviews) == "--+"


@pytest.mark.parametrize("rotated", [False, True], ids=["truncated", "rotated"])
def test_a_truncated_or_rotated_file_is_read_from_its_start(path: Path, follow: Follow, rotated: bool) -> None:
    file, reviews = follow(path)
    append(path, '{"text": "a long first review"}\n')
    file.poll()
    if rotated:
        os.replace(path, path.with_suffix(".1"))
        assert file.poll() == 0
    else:
        os.truncate(path, 0)
    append(path, '{"text": "new"}\n')
    assert file.poll() == 1
    assert texts(reviews) == ["a long first review", "new"]


def test_what_cannot_be_followed_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ReviewError, match="not a regular file"):
        FollowedFile(path, Reviews())
    with pytest.raises(ReviewError, match="cannot follow a file of the format parquet"):
        FollowedFile(path.with_suffix(".x"), Reviews(), ReadOptions(format="parquet"))
