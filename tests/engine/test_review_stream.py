"""`engine.review_stream`: every format as a stream, with the labels and the report of `open_reviews`."""

from __future__ import annotations

import json
import threading
import zipfile
from pathlib import Path

import pytest

from engine.review_stream import ReviewStream
from engine.reviews import ReadOptions, ReviewError, open_reviews

TEXTS = [f"film number {k} was {'good' if k % 3 else 'dull'}" for k in range(50)]


def write(folder: Path, kind: str) -> Path:
    """Write the reviews in a format."""
    path = folder / f"many.{kind}"
    rows = [{"text": text, "label": k % 3 > 0} for k, text in enumerate(TEXTS)]
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "not JSON\n")
    elif kind == "csv":
        path.write_text("text,label\n" + "".join(f"{row['text']},{int(bool(row['label']))}\n" for row in rows))
    elif kind == "parquet":
        pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for k, row in reversed(list(enumerate(rows))):
                archive.writestr(f"{'pos' if row['label'] else 'neg'}/{k}.txt", str(row["text"]))
    else:
        for k, row in enumerate(rows):
            file = path / ("pos" if row["label"] else "neg") / f"{k}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(str(row["text"]))
    return path


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet", "zip", "folder"])
def test_a_stream_has_the_reviews_the_labels_and_the_report_of_the_source(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    stream, expected = ReviewStream(path, batch=16), open_reviews(path)
    batches = list(stream)
    assert [len(batch) for batch in batches] == [16, 16, 16, 2]
    found = sorted(zip((text for batch in batches for text in batch), stream.labels.tolist(), strict=True))
    assert found == sorted((review.text, int(bool(review.label))) for review in expected)
    assert stream.report == expected.report


def test_what_a_label_means_is_known_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "stars.csv"
    path.write_text("text,stars\ngood,1\nbad,4\nfine,5\nmiddling,3\n")
    stream = ReviewStream(path, batch=1, options=ReadOptions(columns={"text": "text", "label": "stars"}))
    assert len(list(stream)) == 4
    assert stream.labels.tolist() == [0, 1, 1, -1]


def test_an_error_of_the_source_is_raised_while_iterating(tmp_path: Path) -> None:
    path = write(tmp_path, "jsonl")
    with pytest.raises(ReviewError, match="line 51"):
        list(ReviewStream(path, batch=1, options=ReadOptions(strict=True)))
    with pytest.raises(ReviewError, match="no such file"):
        list(ReviewStream(tmp_path / "gone"))


def test_a_stream_that_is_left_ends_its_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    stream = iter(ReviewStream(write(tmp_path, "jsonl"), batch=1))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
