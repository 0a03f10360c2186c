"""The bundled reviews: their number, balance, length, and characters."""

import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from engine.reviews import split_words

FOLDER = Path(__file__).parents[2] / "assets" / "reviews"
PATHS = sorted(FOLDER.glob("*/*.txt"))


def test_at_least_twelve_half_of_them_positive() -> None:
    labels = Counter(path.parent.name for path in PATHS)
    assert set(labels) == {"pos", "neg"}
    assert labels.total() >= 12
    assert labels["pos"] == labels["neg"]


def test_numbers_run_across_both_labels() -> None:
    assert sorted(int(path.name[:2]) for path in PATHS) == list(range(1, len(PATHS) + 1))


def test_no_review_occurs_twice() -> None:
    texts = [tuple(split_words(path.read_text(encoding="utf-8"))) for path in PATHS]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_long_enough_to_reach_the_cut(path: Path) -> None:
    assert 520 <= len(split_words(path.read_text(encoding="utf-8"))) <= 700


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_plain_text_without_control_characters(path: Path) -> None:
    text = path.read_bytes().decode("utf-8")
    assert not [c for c in text if unicodedata.category(c) in {"Cc", "Cf"} and c != "\n"]
    assert all(paragraph.count("\n") == 0 for paragraph in text.strip().split("\n\n")), "one paragraph, one line"
