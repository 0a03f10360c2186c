"""Vocabularies in every common form, and the rows of the embedding in the order of pinkx."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engine.catalogue import NetworkError
from engine.cells import LstmCell
from engine.importers.named_tensors import TorchBody
from engine.importers.parts import Found, ImportOptions
from engine.importers.read import complete
from engine.importers.vocabulary import match_vocabulary, read_vocabulary

ROWS = 6
WORDS = {0: "<pad>", 1: "<unk>", 2: "the", 3: "film", 4: "good", 5: "bad"}


def found(**vocabularies: dict[int, str]) -> Found:
    weights = {"weight_ih": torch.zeros(4, 1), "weight_hh": torch.zeros(4, 1)}
    return Found(
        source="test",
        cell=LstmCell(weights["weight_ih"], weights["weight_hh"], torch.zeros(4)),
        body=TorchBody(4, weights),
        layer="lstm",
        readout=None,
        embedding=torch.arange(float(ROWS))[:, None] + 1,
        vocabularies=list(vocabularies.values()),
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "<pad>\n<unk>\nthe\nfilm\ngood\nbad\n"),
        ("a.txt", "the\nfilm\ngood\nbad"),  # two fewer than rows
        ("a.json", json.dumps({word: number for number, word in WORDS.items()})),
        ("a.json", json.dumps({str(number): word for number, word in WORDS.items()})),
        ("a.json", json.dumps(list(WORDS.values()))),
        ("a.json", json.dumps({"model": {"vocab": {word: number for number, word in WORDS.items()}}})),
        ("a.csv", "vocab\n<pad>\n<unk>\nthe\nfilm\ngood\nbad\n"),
        ("a.csv", "word,id\nbad,5\n<pad>,0\n<unk>,1\nthe,2\nfilm,3\ngood,4\n"),
        ("a.csv", "id,word\n5,bad\n0,<pad>\n1,<unk>\n2,the\n3,film\n4,good\n"),
        ("a.tsv", "\ufeff<pad>\t0\n<unk>\t1\nthe\t2\nfilm\t3\ngood\t4\nbad\t5\n"),
    ],
)
def test_every_form_gives_the_same_words(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_vocabulary(str(tmp_path / name), ROWS) == WORDS
    matched = match_vocabulary(found(), str(tmp_path / name))
    assert matched.words == ("the", "film", "good", "bad")
    assert matched.embedding[:, 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert matched.notes == []


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.txt", "a\nb\nc\nd\ne\nf\ng", "has 7 words, the embedding has 6 rows"),
        ("a.txt", "a", "has 1 words.*the embedding has 6 rows"),
        ("a.txt", "", "the embedding has 6 rows"),
        ("a.json", "{", "not JSON"),
        ("a.json", '{"the": "film"}', "expected a JSON object of word to id"),
        ("a.json", '{"the": 0, "film": 900}', "has 2 words, up to id 900; the embedding has 6 rows"),
        ("a.csv", "a,b,c\nd,e,f", "expected a column of words"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(NetworkError, match=says):
        match_vocabulary(found(), str(tmp_path / name))


def test_a_missing_file_or_other_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="cannot be read"):
        read_vocabulary(str(tmp_path / "none.txt"), ROWS)
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(NetworkError, match="not UTF-8"):
        read_vocabulary(str(tmp_path / "latin.txt"), ROWS)


def test_a_tokenizer_has_no_padding_and_may_rank_more_words_than_rows(tmp_path: Path) -> None:
    ranks = {"the": 1, "film": 2, "good": 3, "bad": 4, "dull": 5, "rare": 6, "rarer": 7}
    (tmp_path / "a.json").write_text(json.dumps({"config": {"word_index": json.dumps(ranks)}}))
    matched = match_vocabulary(found(), str(tmp_path / "a.json"))
    assert matched.words == ("the", "film", "good", "bad", "dull")
    assert matched.embedding[:, 0].tolist() == [1, 0, 2, 3, 4, 5, 6]
    assert matched.rows.tolist() == [0, -1, 1, 2, 3, 4, 5]
    assert matched.notes == ["the vocabulary names no unknown word: words that it lacks read as zeros"]


def test_special_words_are_found_wherever_they_stand() -> None:
    words = {0: "UNK", 1: "film", 2: "the", 3: "[PAD]", 4: "good"}
    matched = match_vocabulary(found(one=words), None)
    assert matched.words == ("film", "the", "good")
    assert matched.embedding[:, 0].tolist() == [4, 1, 2, 3, 5]
    assert matched.notes == ["rows of the embedding without a word, left out: 1"]


def test_two_vocabularies_in_a_file_are_asked_about() -> None:
    other = {**WORDS, 5: "worse"}
    with pytest.raises(NetworkError, match="2 different vocabularies"):
        match_vocabulary(found(one=WORDS, two=other), None)
    assert match_vocabulary(found(one=WORDS, again=dict(WORDS)), None).words[-1] == "bad"


@pytest.mark.parametrize(
    ("words", "unit"), [(dict(enumerate("abcdef")), "character"), (WORDS, None)], ids=["one", "several"]
)
def test_a_vocabulary_of_single_characters_makes_a_network_of_characters(
    words: dict[int, str], unit: str | None
) -> None:
    assert complete(found(own=words), "net", ImportOptions(readout="none")).info.get("unit") == unit
