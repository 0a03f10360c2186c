"""Every format of reviews: how many there are, with which labels and words, and what is said about the source."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.reviews import BUNDLED, ReadOptions, ReviewError, Reviews, open_reviews
from engine.text import plain_text, split_words

TABLE = 'review,sentiment\r\n"A fine, small film",positive\r\n"A dull film",negative\r\n'
SIGNS = {True: "+", False: "-", None: "."}


def put(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files, and return the only one, or the folder of several."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / next(iter(files)) if len(files) == 1 else folder


def labels(reviews: Reviews) -> str:
    return "".join(SIGNS[review.label] for review in reviews)


def first(reviews: Reviews) -> str:
    return " ".join(reviews[0].words)


@pytest.mark.parametrize(
    ("name", "content", "signs", "words", "said"),
    [
        ("a.csv", TABLE, "+-", "a fine small film", "CSV, UTF-8"),
        ("a.csv", TABLE.replace(",p", ";p").replace(",n", ";n").replace("w,", "w;"), "+-", "a fine small film", "semi"),
        ("a.csv", 'x|y\r1|z\r"A fine film"|pos\r'.replace("x|y\r1|z", "text|label"), "+", "a fine film", "bar"),
        ("a.tsv", 'id\tsentiment\treview\n"1"\t1\t"A \\"fine\\", film"\n', "+", "a fine film", "tab"),
        ("a.tsv", 'sentence\tlabel\n"Fine" film\t1\nA 5" dull film\t0\n', "+-", "fine film", "tab"),
        ("a.csv", ",review,sentiment\n0,A fine film,Positive \n1,So so,neutral\n", "+.", "a fine film", "CSV"),
        ("a.csv", "text\nFine, small film\nDull\n", "..", "fine small film", "CSV"),
        ("a.csv", "Title,Review Text,Rating\nOven,A fine film,5\nGoat,Dull,1\nX,So,3\n", "+-.", "a fine film", "stars"),
        ("a.csv", "PhraseId,Phrase,Sentiment\n1,A fine film,4\n2,Dull,0\n3,Film,2\n", "+-.", "a fine film", "0 to 4"),
        ("a.csv", "text,label\nFine,1.0\nDull,0.0\nOdd,nan\n", "+-.", "fine", "CSV"),
        ("a.csv", "text,label\nFine,LABEL_1\nDull,LABEL_0\n", "+-", "fine", "CSV"),
        ("a.csv", "text,label\nFine,1\nDull,−1\n", "+-", "fine", "−1 are negative"),
        ("a.csv", "text,label\nFine,2\nDull,1\n", "+-", "fine", "1 are negative, 2 positive"),
        ("a.csv", "text,label\nFine,4 stars\nDull,1 star\n", "+-", "fine", "stars"),
        ("a.jsonl", '{"text": "Fine", "label": -1}\n{"text": "Dull", "label": -1}\n', "..", "fine", "all −1"),
        ("a.jsonl", '{"text": ["a", "fine", "film"], "label": true}\n\n', "+", "a fine film", "JSON Lines"),
        ("a.json", '[{"text": "Fine", "label": 1},\n {"text": "Dull",\n "label": 0}]', "+-", "fine", "JSON, UTF-8"),
        ("a.json", '{"n": 2, "data": [{"text": "Fine", "label": 1}]}', "+", "fine", "JSON, UTF-8"),
        ("a.json", '["Fine", "Dull"]', "..", "fine", "JSON, UTF-8"),
        ("a.json", '{"text": "Fine", "label": 1}\n{"text": "Dull", "label": 0}\n', "+-", "fine", "JSON Lines"),
        ("a.txt", "__label__2 Fine: a film\n__label__1 Dull\n", "+-", "fine a film", "fastText"),
        ("a.pos", "a fine film .\n\n dull . \n", "++", "a fine film", "a review a line"),
        ("a.neg.txt", "dull .\n\n  \nso so .\n", "--", "dull", "a review a line"),
        ("a.html", "<p>A <b>fine</b> film</p>", ".", "a fine film", "one text"),
        ("a.txt", "good—no – <br>ever. well-made/clever", ".", "good no ever well made clever", "one text"),
    ],
)  # fmt: skip
def test_a_file_gives_its_reviews_and_labels(
    tmp_path: Path, name: str, content: str, signs: str, words: str, said: str
) -> None:
    reviews = open_reviews(put(tmp_path, {name: content}))
    assert (labels(reviews), first(reviews)) == (signs, words)
    assert said in reviews.report.line()
    assert reviews.report.skipped == 0


@pytest.mark.parametrize(
    ("text", "encoding", "named"),
    [
        ("Naïve but charming, £5 well spent", "latin-1", "Latin-1"),
        ("It’s “fine” – no more", "cp1252", "Windows-1252"),
        ("It’s a café, naïve “film”", "mac-roman", "Mac Roman"),
        ("naïve café", "utf-8-sig", "UTF-8"),
        ("naïve café film", "utf-16", "UTF-16"),
        ("naïve café film", "utf-16-be", "UTF-16"),
        ("naïve café film", "utf-32", "UTF-32"),
    ],
)
def test_an_encoding_is_found_and_named(tmp_path: Path, text: str, encoding: str, named: str) -> None:
    table = open_reviews(put(tmp_path, {"a.csv": f'text,label\n"{text}",1\n'.encode(encoding)}))
    one = open_reviews(put(tmp_path, {"a.txt": text.encode(encoding)}))
    assert table[0].text == one[0].text == text
    assert table.report.encoding == one.report.encoding == named
    assert (named in table.report.notice()) == (named != "UTF-8")


def test_an_encoding_can_be_given_and_one_line_may_have_another(tmp_path: Path) -> None:
    russian = put(tmp_path, {"a.txt": "кино 10".encode("cp1251")})
    assert open_reviews(russian, options=ReadOptions(encoding="cp1251"))[0].text == "кино 10"
    with pytest.raises(ReviewError, match="no encoding 'klingon'"):
        ReadOptions(encoding="klingon")
    with pytest.raises(ReviewError, match="no encoding 'base64'"):
        ReadOptions(encoding="base64")
    rows = "text,label\n" + f"{'A film ' * 200},1\n" * 1000  # more than decides
    mixed = open_reviews(put(tmp_path, {"b.csv": rows.encode() + "Naïve,0\n".encode("latin-1")}))
    assert mixed[-1].text == "Naïve"
    assert mixed.report.encoding == "UTF-8 and Windows-1252"


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_file_may_be_compressed(tmp_path: Path, ending: str, pack: object) -> None:
    assert callable(pack)
    reviews = open_reviews(put(tmp_path, {f"a.csv.{ending}": pack(TABLE.encode())}))
    assert labels(reviews) == "+-"
    assert reviews[0].name == "a, row 1"
    assert f"CSV ({ending})" in reviews.report.line()
    assert first(open_reviews(put(tmp_path, {f"a.txt.{ending}": pack(b"fine")}))) == "fine"


DATASET = {
    f"aclImdb/{folder}/{number}_{stars}.txt": f"{folder} {number} <br /><br />&amp;"
    for folder, stars in (("test/neg", 2), ("test/pos", 8), ("train/neg", 1), ("train/unsup", 0))
    for number in (10, 9)
} | dict.fromkeys(
    ("aclImdb/test/urls_pos.txt", "aclImdb/imdbEr.txt", "aclImdb/test/labeledBow.feat", "aclImdb/README"), "0 1 2"
)


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz"])
def test_the_imdb_dataset_is_read_by_split(tmp_path: Path, kind: str) -> None:
    path = put(tmp_path / "all", DATASET) / "aclImdb"
    if kind == "zip":
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in DATASET.items():
                archive.writestr(name, text)
    elif kind != "folder":
        folder, path = path, tmp_path / f"a.{kind}"
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as tar:
            tar.add(folder, "aclImdb")
    test = open_reviews(path)
    assert [review.name for review in test] == ["test/neg/9_2", "test/neg/10_2", "test/pos/9_8", "test/pos/10_8"]
    assert labels(test) == "--++"
    assert first(test) == "test neg 9 amp"  # as in the paper: entities stay
    assert "split test" in test.report.notice()
    assert labels(open_reviews(path, split="train")) == "--"
    assert labels(open_reviews(f"{path}:unsup")) == ".."
    with pytest.raises(ReviewError, match="has no split 'x'"):
        open_reviews(f"{path}:x")


def test_a_part_of_the_unpacked_dataset_is_known_by_its_place(tmp_path: Path) -> None:
    path = put(tmp_path, DATASET) / "aclImdb" / "test"
    assert open_reviews(path)[0].name == "test/neg/9_2"
    assert labels(open_reviews(path / "pos")) == "++"


def test_an_archive_of_texts_or_of_one_table(tmp_path: Path) -> None:
    def pack(files: Mapping[str, str]) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return path

    texts = open_reviews(pack({"x/pos/10.txt": "ten", "x/neg/9.txt": "nine", "__MACOSX/x/._9.txt": "no"}))
    assert [(review.name, review.label) for review in texts] == [("x/neg/9", False), ("x/pos/10", True)]
    assert labels(open_reviews(pack({"IMDB Dataset.csv": TABLE, "notes.md": "x"}))) == "+-"
    several = pack({"train.csv": TABLE, "test.csv": TABLE * 1 + "Fine,positive\n", "dev.csv": TABLE})
    assert labels(open_reviews(several)) == "+-+"
    assert labels(open_reviews(f"{several}:train.csv")) == labels(open_reviews(f"{several}:dev")) == "+-"
    with pytest.raises(ReviewError, match="has 2 tables: name one of a.csv, b.csv, such as .*:a.csv"):
        open_reviews(pack({"a.csv": TABLE, "b.csv": TABLE}))
    with pytest.raises(ReviewError, match="has no table 'c'"):
        open_reviews(f"{several}:c")


def test_a_folder_of_a_mac_or_of_windows(tmp_path: Path) -> None:
    path = put(tmp_path, {"A.TXT": "fine", "B.Txt": "dull", ".DS_Store": b"\0\1", "._A.TXT": b"\0\5", "notes.md": "x"})
    assert [review.text for review in open_reviews(path)] == ["fine", "dull"]


@pytest.mark.parametrize(
    ("row", "suggestion"),
    [('"A fine, small film",positive', "text=0,label=1"), ("1,A film that is fine", "text=1,label=0")],
)
def test_a_table_without_names_of_columns_is_asked_for_them(tmp_path: Path, row: str, suggestion: str) -> None:
    path = put(tmp_path, {"a.csv": f"{row}\n{row}\n"})
    with pytest.raises(ReviewError, match=f"give --no-header --columns {suggestion}"):
        open_reviews(path)
    columns = dict(part.split("=") for part in suggestion.split(","))
    assert labels(open_reviews(path, options=ReadOptions(header=False, columns=columns))) == "++"


def test_columns_and_labels_can_be_given(tmp_path: Path) -> None:
    path = put(tmp_path, {"a.csv": "title,body,verdict\nOven,A fine film,up\nGoat,Dull,down\n"})
    columns = {"text": "body", "label": "verdict"}
    unknown = open_reviews(path, options=ReadOptions(columns=columns))
    assert labels(unknown) == ".."
    assert "unknown verdict 'up' (1), 'down' (1), read without a label" in unknown.report.notice()
    given = ReadOptions(columns=columns, labels={"up": True, "down": False})
    assert labels(open_reviews(path, options=given)) == "+-"
    with pytest.raises(ReviewError, match="has no column 'x'; it has 'title', 'body', 'verdict'"):
        open_reviews(path, options=ReadOptions(columns={"text": "x"}))


def test_parquet_and_arrow(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    names = {"info": {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}}
    table = pyarrow.table({"picture": [b"\0" * 99] * 3, "text": ["Fine", "Dull", None], "label": [1, 0, 1]})
    table = table.replace_schema_metadata({"huggingface": json.dumps(names)})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    for name, new in (("a.arrow", pyarrow.ipc.new_stream), ("b.arrow", pyarrow.ipc.new_file)):
        with new(str(tmp_path / name), table.schema) as writer:
            writer.write_table(table)
    for name in ("a.parquet", "a.arrow", "b.arrow"):
        reviews = open_reviews(tmp_path / name)
        assert labels(reviews) == "+-"
        assert reviews.report.examples == ("row 3: no text in the column 'text'",)
        (tmp_path / f"bad-{name}").write_bytes((tmp_path / name).read_bytes()[:-40])
        with pytest.raises(ReviewError, match=r"is a damaged \w+ file|no text"):
            open_reviews(tmp_path / f"bad-{name}", options=ReadOptions(strict=True))


def test_the_bundled_reviews_have_the_words_of_the_papers_rule() -> None:
    """Neither the removal of HTML nor the dashes change a word of them."""
    for review in open_reviews():
        text = next(BUNDLED.rglob(f"{Path(review.name).name}.txt")).read_text(encoding="utf-8")
        plain = text.lower().replace("<br />", " ").translate({ord("-"): " ", ord("/"): " "})
        words = "".join(c if c.isspace() or c in "abcdefghijklmnopqrstuvwxyz0123456789" else "" for c in plain).split()
        assert list(review.words) == split_words(plain_text(text)) == words
