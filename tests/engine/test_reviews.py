"""Every source of reviews, and every reason to refuse one."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from engine.reviews import BUNDLED, ReadOptions, Review, ReviewError, open_reviews
from tests.engine.small_archive import OFFICIAL, pack


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_bundled_reviews_need_no_name() -> None:
    reviews = open_reviews()
    assert len(reviews) == len(list(BUNDLED.rglob("*.txt"))) >= 12
    assert {review.label for review in reviews} == {True, False}
    assert all(review.label == review.name.startswith("pos/") for review in reviews)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("imdb", ["train/neg/0_3", "train/pos/0_9"]),
        ("imdb:test", ["test/neg/2_1", "test/pos/9_10", "test/pos/10_7"]),
        ("imdb:unsup", ["train/unsup/0_0", "train/unsup/1_0"]),
    ],
)
def test_imdb_names_a_split_of_the_archive(tmp_path: Path, source: str, names: list[str]) -> None:
    path = pack(tmp_path / "a.tar.gz", OFFICIAL)
    assert [review.name for review in open_reviews(source, split="train", imdb=path)] == names


def test_an_archive_is_a_source_of_its_own(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar.gz", OFFICIAL)
    assert open_reviews(path) == open_reviews("imdb:test", imdb=path)


def test_a_folder_gives_every_text_in_counting_order(tmp_path: Path) -> None:
    write(tmp_path / "10_last.txt", "no label")
    write(tmp_path / "pos" / "9_good.txt", "good")
    write(tmp_path / "neg" / "sub" / "2_bad.txt", "bad")
    write(tmp_path / "notes.md", "not a review")
    write(tmp_path / "pos" / "._9_good.txt", "a file manager's own")
    assert list(open_reviews(tmp_path)) == [
        Review("neg/sub/2_bad", "bad", False),
        Review("pos/9_good", "good", True),
        Review("10_last", "no label", None),
    ]
    assert open_reviews(tmp_path / "pos")[0] == Review("9_good", "good", True)


def test_one_text_is_one_review(tmp_path: Path) -> None:
    assert list(open_reviews(write(tmp_path / "mine.txt", "\ufeffGood."))) == [Review("mine", "Good.", None)]
    assert open_reviews(str(write(tmp_path / "neg" / "mine.txt", "Bad.")))[0].label is False


def test_a_very_long_text_is_read(tmp_path: Path) -> None:
    (review,) = open_reviews(write(tmp_path / "long.txt", "good " * 100_001))
    assert len(review.words) == 100_001


def test_standard_input_is_one_review(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Très good\nfilm".encode())))
    assert [review.words for review in open_reviews("-")] == [("trs", "good", "film")]


@pytest.mark.parametrize("column", ["text", "Review", " content", "sentence", "what they said"])
def test_a_csv_file_finds_its_text(tmp_path: Path, column: str) -> None:
    path = write(
        tmp_path / "table.csv", f'id,{column},sentiment\r\n1,"Good,\n""really""",positive\r\n2,Bad,0\r\n3,So so,\r\n'
    )
    assert list(open_reviews(path)) == [
        Review("table, row 1", 'Good,\n"really"', True),
        Review("table, row 2", "Bad", False),
        Review("table, row 3", "So so", None),
    ]


def test_a_csv_cell_may_be_long(tmp_path: Path) -> None:
    (review,) = open_reviews(write(tmp_path / "table.csv", "text\n" + "good " * 100_001))
    assert len(review.words) == 100_001


def test_json_lines_find_their_text(tmp_path: Path) -> None:
    rows = [{"stars": 9, "body": "Good", "label": 1}, {"stars": 1, "body": "Bad", "label": False}, {"body": "So so"}]
    path = write(tmp_path / "table.jsonl", "\n\n".join(map(json.dumps, rows)) + "\n")
    assert list(open_reviews(path)) == [
        Review("table, line 1", "Good", True),
        Review("table, line 3", "Bad", False),
        Review("table, line 5", "So so", None),
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "", r"a\.txt': no words; expected text"),
        ("a.txt", " <br /> … !\n", r"a\.txt': no words"),
        ("folder/a.txt", "", r"folder', a\.txt: no words"),
        ("a.csv", "", "has no rows"),
        ("a.csv", "text,label\n", "has no rows"),
        (
            "a.csv",
            "title,body\nFilm,Good\n",
            "the text column is not clear among 'title', 'body'; name it text or .* --columns text='title'",
        ),
        ("a.csv", "stars\n5\n", "the text column is not clear among 'stars'; name it text or"),
        ("a.csv", "text\ngood\n!!\n", r"a\.csv', row 2 \(line 3\): no words"),
        ("a.csv", "id,text\n1,good\n2\n", r"row 2 \(line 3\): no text in the column 'text'"),
        ("a.csv", "text,label\ngood,mixed\n", r"row 1 \(line 2\): unknown label 'mixed'; expected pos, neg"),
        ("a.csv", 'text\n"good\n', r"row 1 \(line 2\): not CSV: a quote that never closes"),
        ("a.jsonl", '{"text": "good"}\n{"text": "go\n', "line 2: not JSON: Unterminated string"),
        ("a.jsonl", "[" * 100_000, "line 1: not JSON"),
        ("a.jsonl", "1" * 5000, "line 1: not JSON"),
        ("a.jsonl", '["good"]', "line 1: expected an object .*, found '\\[\"good\"\\]'"),
        ("a.jsonl", '{"text": 5}', "line 1: no text in the column 'text'"),
    ],
    ids=[
        "empty",
        "marks",
        "empty-file",
        "no-bytes",
        "no-rows",
        "columns",
        "number",
        "no-words",
        "short-row",
        "label",
        "quote",
        "cut",
        "deep",
        "long",
        "list",
        "no-text",
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(ReviewError, match=message):
        open_reviews(path.parent if path.parent.name == "folder" else path, options=ReadOptions(strict=True))


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    for name in ("a.txt", "a.csv", "a.jsonl"):
        (tmp_path / name).write_bytes(b"good\x9d\xff")
        with pytest.raises(ReviewError, match=rf"{name}' is not UTF-8 text: byte 0x9d at offset 4"):
            open_reviews(tmp_path / name)


@pytest.mark.parametrize("name", ["nothing", "nothing.csv", "nothing.tar.gz", "x" * 5000])
def test_a_missing_source_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReviewError, match="no such file or folder: "):
        open_reviews(tmp_path / name)


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"no reviews in the folder .*: expected \.txt files in it or below it"):
        open_reviews(tmp_path)


def test_a_folder_named_like_a_text_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(ReviewError, match="no reviews in the folder"):
        open_reviews(tmp_path)
    write(tmp_path / "a.txt" / "b.txt", "good")
    assert [review.name for review in open_reviews(tmp_path)] == ["a.txt/b"]


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "folder"])
def test_a_pipe_and_a_device_are_refused(tmp_path: Path, name: str) -> None:
    """Reading one may wait for ever, or never end."""
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
        (path / "a.txt").symlink_to("/dev/zero")
    else:
        os.mkfifo(path)
    with pytest.raises(ReviewError, match=r"not a regular file; give a pipe with --reviews -"):
        open_reviews(path)


def test_folders_nested_too_deeply_are_refused(tmp_path: Path) -> None:
    write(tmp_path / Path(*["d"] * 20) / "a.txt", "good")
    assert [review.name for review in open_reviews(tmp_path)] == ["d/" * 20 + "a"]
    write(tmp_path / Path(*["d"] * 40) / "a.txt", "good")
    with pytest.raises(ReviewError, match="more than 32 folders in one another"):
        open_reviews(tmp_path)


def test_a_long_cell_is_cut_in_the_message(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"text,label\ngood,{'4' * 1_000_000}\n")
    with pytest.raises(ReviewError, match="unknown label") as caught:
        open_reviews(path, options=ReadOptions(strict=True))
    assert len(str(caught.value)) < 300 + len(str(path))


def test_an_array_of_numbers_is_not_read_as_text(tmp_path: Path) -> None:
    (tmp_path / "signal.npy").write_bytes(b"\x93NUMPY\x01\x00")
    with pytest.raises(ReviewError, match="holds numbers, not reviews: read it with a network over real-valued input"):
        open_reviews(tmp_path / "signal.npy")
