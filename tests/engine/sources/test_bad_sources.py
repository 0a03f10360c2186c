"""One bad row or file never refuses a source; what would fill the memory is refused with one line."""

from __future__ import annotations

import gzip
import json
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine.reviews import ReadOptions, ReviewError, open_reviews
from engine.sources.collection import Reviews
from tests.engine.sources.test_formats import first, labels, put

STRICT = ReadOptions(strict=True)


@pytest.mark.parametrize(
    ("name", "content", "signs", "example"),
    [
        ("a.csv", "text,label\nFine,1\n,0\nDull,0\n", "+-", "row 2 (line 3): no words; expected text with letters a-z"),
        ("a.csv", "text,label\nFine,1\n映画は最高,0\nDull,0\n", "+-", "row 2 (line 3): no words"),
        ("a.csv", "text,label\n" + "Fine,1\n" * 9 + "Good, so,0\nDull,0\n", "+" * 9 + "-", "row 10 (line 11): 3 cells"),
        ("a.csv", 'text,label\n"Fine, so",1\n"Open,1\nDull,0\n"So, so",0\n', "+--", "row 2 (line 3): not CSV: "),
        ("a.jsonl", '{"text": "Fine"}\n{"text": "cut\n{"text": "Dull"}\n', "..", "line 2: not JSON: "),
        ("a.jsonl", '{"text": "Fine"}\n' + "[" * 100_000 + '\n{"text": 5}\n7\n', ".", "line 2: not JSON: "),
        ("a.json", '[{"text": "Fine", "label": 1}, {"text": "cut', "+", "item 2 (line 1) and what follows: not JSON"),
        ("a.json", '[{"text": "Fine", "label": 1}', "+", "after item 1: the list does not end"),
        ("a.json", '[{"text": "Fine", "label": 1}, ' + "[" * 100_000, "+", "item 2"),
        ("a.txt", "__label__1 Fine\n__label__0\n__label__0 Dull\n", "+-", "line 2: a label without a text"),
    ],
)  # fmt: skip
def test_a_bad_row_is_skipped_counted_and_named(
    tmp_path: Path, name: str, content: str, signs: str, example: str
) -> None:
    path = put(tmp_path, {name: content})
    reviews = open_reviews(path)
    assert labels(reviews) == signs
    assert reviews.report.skipped >= 1
    assert reviews.report.examples[0].startswith(example)
    assert example in reviews.report.notice()
    with pytest.raises(ReviewError, match="line|row|item"):
        open_reviews(path, options=STRICT)


def test_a_bad_file_is_skipped_counted_and_named(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        {"1.txt": "fine", "2.txt": "", "3.txt": b"\0\1\0\0\2\1", "4.txt": b"\x81\xfe\xff", "5.txt": b"caf\xe9"},
    )
    reviews = open_reviews(path)
    assert [review.text for review in reviews] == ["fine", "café"]
    assert [example.partition(":")[0] for example in reviews.report.examples] == ["2.txt", "3.txt", "4.txt"]
    assert reviews.report.encoding == "UTF-8 and Latin-1"
    with pytest.raises(ReviewError, match=r"2\.txt: no words"):
        open_reviews(path, options=STRICT)


def test_many_bad_rows_are_counted_and_the_first_named(tmp_path: Path) -> None:
    reviews = open_reviews(put(tmp_path, {"a.csv": "text\nfine\n" + "!\n" * 50}))
    assert reviews.report.skipped == 50
    assert len(reviews.report.examples) == 5
    assert reviews.report.skipped_text.endswith("and 45 more")


@pytest.mark.parametrize(
    "text",
    ['{"a": ' + "[" * 100_000, '{"a": {"b": ' * 100_000, '{"a": nope, "b": [{"text": "x"}]}'],
    ids=["lists", "objects", "no value"],
)
def test_json_that_cannot_be_read_up_to_its_list_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"not JSON: "):
        open_reviews(put(tmp_path, {"a.json": text}))


def test_a_source_without_a_good_row_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"no review in .*: row 1 \(line 2\): no words.*; 2 were skipped"):
        open_reviews(put(tmp_path, {"a.csv": "text\n!\n?\n"}))


def test_a_truncated_file_gives_what_comes_before(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = "text,label\n" + "".join(f"film {number},1\n" for number in rng.integers(10**9, size=20_000))
    path = put(tmp_path, {"a.csv.gz": gzip.compress(rows.encode())[:-20_000]})
    reviews = open_reviews(path)
    assert len(reviews) > 1000
    assert "truncated or damaged" in reviews.report.notice()


def test_a_bomb_is_refused_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sources.streams._ALWAYS", 1 << 20)
    row = b"a fine film " * 100 + b"\n"
    bomb = gzip.compress(b"text\n" + row * 10_000)
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", row * 10_000)
    for path in (put(tmp_path, {"a.csv.gz": bomb}), tmp_path / "b.zip"):
        with pytest.raises(ReviewError, match="unpacks to more than") as caught:
            open_reviews(path, options=STRICT)
        assert "\n" not in str(caught.value)


def test_a_line_that_is_far_too_long_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sources.streams.LONGEST_LINE", 1000)
    reviews = open_reviews(put(tmp_path, {"a.csv": f"text\nfine\n{'x' * 5000}\ndull\n"}))
    assert [review.text for review in reviews] == ["fine", "dull"]
    assert reviews.report.examples == ("line 3: a line of more than 1,000 characters",)


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl", "a.json", "a.pos"])
def test_a_word_of_a_million_characters_takes_a_moment(tmp_path: Path, name: str) -> None:
    word = "x" * 1_000_000
    content = {"a.csv": f"text\n{word}\n", "a.jsonl": f'{{"text": "{word}"}}\n', "a.json": f'[{{"text": "{word}"}}]'}
    start = time.perf_counter()
    (review,) = open_reviews(put(tmp_path, {name: content.get(name, word)}))
    assert len(review.words[0]) == 1_000_000
    assert time.perf_counter() - start < 3


def keras(path: Path, rows: list[list[int]], values: list[int]) -> Path:
    """Write a file like Keras' imdb.npz; NumPy pickles the lists."""
    lists = np.empty(len(rows), dtype=object)
    lists[:] = rows
    np.savez(path, x_test=lists, y_test=np.array(values), x_train=lists[:1], y_train=np.array(values[:1]))
    return path


def test_keras_imdb_is_read_without_running_its_pickles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = keras(tmp_path / "imdb.npz", [[1, 2, 3], [3, 1]], [0, 1])
    monkeypatch.setattr("os.path.expanduser", lambda name: name)  # a user without a home folder
    with pytest.raises(ReviewError, match="holds word numbers, not words: put Keras' imdb_word_index.json beside it"):
        open_reviews(path)
    put(tmp_path, {"imdb_word_index.json": json.dumps({"a": 1, "dull": 2, "film": 3})})
    reviews = open_reviews(path)
    assert (labels(reviews), first(reviews)) == ("-+", "a dull film")
    assert labels(open_reviews(f"{path}:train")) == "-"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    hostile = parts["x_test.npy"].replace(b"_reconstruct", b"_XXXXXXXXXXX")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, hostile if name == "x_test.npy" else data[:-3])
    with pytest.raises(ReviewError, match="is damaged or not Keras' imdb.npz"):
        open_reviews(path)


def test_a_review_is_one_object_while_it_is_in_use(tmp_path: Path) -> None:
    reviews = open_reviews(put(tmp_path, {"a.csv": "text\n" + "fine\n" * 500}))
    seventh = reviews[7]
    assert sum(len(review.words) for review in reviews) == 500
    assert reviews[7] is seventh
    assert reviews[-1].name == "a, row 500"
    assert reviews[1:3] == [reviews[1], reviews[2]]
    assert isinstance(reviews, Reviews)
    with pytest.raises(IndexError):
        reviews[500]
