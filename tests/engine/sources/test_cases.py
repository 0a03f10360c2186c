"""Sources that people bring, in the folder PINKX_CASES: each gives its reviews and labels, or asks what it needs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.reviews import ReadOptions, ReviewError, open_reviews
from tests.engine.sources.test_formats import labels

CASES = {
    "C01-kaggle": "+--", "C01b-html.csv": "-", "C02-labeledTrainData.tsv": "+-", "C03-train.jsonl": "+-",
    "C03b-unsup.jsonl": "..", "C03c-floatlabel.csv": "+-", "C05-train-00000.parquet": "+-", "C05b-train.arrow": "+-",
    "C06-aclImdb": "---+++", "C08-rt-polarity.pos": "+++", "C08b-rt-polarity.neg.txt": "---", "C09-latin1.csv": "+",
    "C09b-cp1252.txt": ".", "C10-bom.csv": "+", "C10c-bom.jsonl": "+", "C11-crlf.csv": "+-", "C11b-cr.csv": "+-",
    "C12-scripts.csv": "+++-", "C12b-onecjk.csv": "+-", "C12d-dash.txt": ".", "C13d-oneword1000.txt": ".",
    "C13d-oneword10000.txt": ".", "C13d-oneword50000.txt": ".", "C14-blanklines.csv": "+-", "C14b-emptycell.csv": "+-",
    "C14c-spaces.jsonl": "+", "C15-reviews.csv.gz": "+--", "C15b-review.txt.gz": ".", "C15d-archive.zip": "+--",
    "C15e-aclImdb_v1.tar": "+", "C15f-reviews.csv.bz2": "+--", "C16-semicolon.csv": "+-", "C16b-noheader.csv": "",
    "C16c-rotten.tsv": "+-.", "C16d-rotten.csv": "+-.", "C16e-reviewtext.csv": "+-", "C16h-index.csv": "+-",
    "C16i-pos-neg-words.csv": "+-.", "C16k-tokens.jsonl": "+", "C16l-unbalanced.csv": "+-", "C16m-noheader01.csv": "",
    "C19-upper": "..", "C19b-mac": ".", "C19c-mixed": "..", "C19d-latin-one": "..", "C19e-html": ".",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder() -> Path:
    path = Path(os.environ.get("PINKX_CASES", "")) / "reviews"
    if not os.environ.get("PINKX_CASES") or not path.is_dir():
        pytest.skip("no case files: PINKX_CASES names no folder of them")
    return path


@pytest.mark.parametrize("name", CASES)
def test_a_case_gives_its_labels_or_asks(folder: Path, name: str) -> None:
    if CASES[name]:
        assert labels(open_reviews(folder / name)) == CASES[name]
        return
    with pytest.raises(ReviewError, match="give --no-header --columns text=0,label=1"):
        open_reviews(folder / name)
    given = ReadOptions(header=False, columns={"text": "0", "label": "1"})
    assert labels(open_reviews(folder / name, options=given)) in ("+-", "+-+")


def test_every_case_is_listed(folder: Path) -> None:
    assert {path.name for path in folder.iterdir() if path.name[0] == "C"} <= set(CASES)
