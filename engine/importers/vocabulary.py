"""Vocabularies of other programs, and their embeddings in the order of ours: padding, unknown, then words."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue import NetworkError
from engine.files import keras_folder
from engine.importers.parts import Found
from engine.text import printable

Words = Mapping[int, str]
"""The word of each id in the file."""

_PADDING: Final = frozenset({"<pad>", "[pad]", "_pad_", "<padding>", "<blank>"})
_UNKNOWN: Final = frozenset({"<unk>", "[unk]", "_unk_", "<oov>", "[oov]", "<unknown>", "[unknown]"})
_HEADINGS: Final = frozenset({"word", "words", "token", "tokens", "vocab", "vocabulary", "index", "id", "ids"})
_MAX_BYTES: Final = 200_000_000
KERAS_IMDB: Final = "keras-imdb"
_KERAS_SPECIAL: Final = {0: "<pad>", 1: "<start>", 2: "<unk>"}
_KERAS_OFFSET: Final = 3


@dataclass(frozen=True)
class MatchedVocabulary:
    """Words and embedding rows in our order.

    Attributes
    ----------
    words : tuple of str
        Words of the ids from 2.
    embedding : (2 + words, inputs) tensor
    rows : (2 + words,) array
        The file's id of each of our ids; −1 for a zero row.
    notes : list of str
    """

    words: tuple[str, ...]
    embedding: Tensor
    rows: NDArray[np.int64]
    notes: list[str]


def match_vocabulary(found: Found, option: str | None) -> MatchedVocabulary:
    """Bring the words of a file's embedding into our order.

    Parameters
    ----------
    found : Found
        With an embedding.
    option : str or None
        The value of ``--vocabulary``; None takes the vocabulary in the file.

    Raises
    ------
    NetworkError
        If there is no vocabulary, several different ones, or one that does not fit the embedding.
    """
    assert found.embedding is not None
    count = found.embedding.shape[0]
    if option is not None:
        return _in_our_order(read_vocabulary(option, count), found.embedding, option)
    fitting: list[Words] = []
    for words in found.vocabularies:
        if _fits(words, count) and all(words != other for other in fitting):
            fitting.append(words)
    if len(fitting) == 1:
        return _in_our_order(fitting[0], found.embedding, "the file")
    reason = "holds no vocabulary" if not fitting else f"holds {len(fitting)} different vocabularies"
    raise NetworkError(
        f"the file {reason} for its embedding of {count} words; give --vocabulary FILE (one word a line, "
        "JSON word to id, or CSV)"
    )


def as_words(value: object) -> Words | None:
    """Return an object of a file as id → word if it is a vocabulary: word → id, id → word, or a list of words."""
    words: dict[int, str] = {}
    if isinstance(value, Mapping):
        for key, other in value.items():
            if isinstance(key, str) and _is_id(other):
                words[int(other)] = key
            elif _is_id(key) and isinstance(other, str):
                words[int(key)] = other
            else:
                return None
        return words if len(words) == len(value) >= 2 else None
    if isinstance(value, list | tuple) and len(value) >= 2 and all(isinstance(word, str) for word in value):
        return dict(enumerate(value))
    return None


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdigit() and len(value) < 10
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _fits(words: Words, count: int) -> bool:
    """Return whether words fit an embedding of ``count`` rows: none lacks a row, and few rows lack a word."""
    return max(words) < count and count - len(words) <= 3


def read_vocabulary(option: str, count: int) -> Words:
    """Read the vocabulary of an embedding of ``count`` rows.

    Parameters
    ----------
    option : str
        A file: one word a line, JSON (word → id, id → word, list of words, or a Keras tokenizer), or CSV (a column of
        words, or words and ids). ``keras-imdb:FILE`` reads ranks of `keras.datasets.imdb` from a JSON file, by default
        the one that Keras downloaded: id 0 is
        padding, 1 the start, 2 unknown, and a word's id is its rank + 3.

    Raises
    ------
    NetworkError
        If the file cannot be read, or has more or fewer words than the embedding.
    """
    keras_imdb, _, file = option.partition(":")
    if keras_imdb != KERAS_IMDB:
        return _of_size(_read_words(Path(option), count), count, option)
    ranks_file = Path(file) if file else keras_folder() / "datasets" / "imdb_word_index.json"
    if not file and not ranks_file.is_file():
        raise NetworkError(
            "--vocabulary keras-imdb needs the ranks of the words, which keras.datasets.imdb.get_word_index downloads "
            f"to {ranks_file}; call it, or give keras-imdb:imdb_word_index.json with a path"
        )
    ranks = _read_words(ranks_file, count)
    words = {rank + _KERAS_OFFSET: word for rank, word in ranks.items() if rank + _KERAS_OFFSET < count}
    return _of_size(words | _KERAS_SPECIAL, count, option)


def _read_words(path: Path, count: int) -> Words:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise NetworkError(f"{path}: larger than 200 MB; expected a vocabulary")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise NetworkError(f"{path}: not UTF-8 text; expected one word a line, JSON or CSV") from None
    except OSError as error:
        raise NetworkError(f"{path}: cannot be read ({error.strerror})") from None
    if path.suffix == ".json":
        return _json_words(text, path)
    if path.suffix in (".csv", ".tsv"):
        return _csv_words(text, path, count)
    return _positions(text.splitlines(), count, path)


def _json_words(text: str, path: Path) -> Words:
    try:
        value: Any = json.loads(text)
        if isinstance(value, dict) and isinstance(value.get("config"), dict) and "word_index" in value["config"]:
            value = json.loads(value["config"]["word_index"])  # keras.preprocessing.text.Tokenizer.to_json
    except (ValueError, TypeError, RecursionError) as error:
        raise NetworkError(f"{path}: not JSON ({error})") from None
    if isinstance(value, dict) and isinstance(value.get("model"), dict):
        value = value["model"]  # a tokenizer.json
    for key in ("vocab", "word_index", "stoi", "word2idx"):
        if isinstance(value, dict) and isinstance(value.get(key), dict | list):
            value = value[key]
    words = as_words(value)
    if words is None:
        raise NetworkError(f"{path}: expected a JSON object of word to id, or a list of words")
    return words


def _csv_words(text: str, path: Path, count: int) -> Words:
    rows = [row for row in csv.reader(io.StringIO(text), delimiter="\t" if path.suffix == ".tsv" else ",") if row]
    if rows and all(cell.strip().lower() in _HEADINGS or not cell.strip() for cell in rows[0]):
        rows = rows[1:]
    widths = {len(row) for row in rows}
    if widths == {1}:
        return _positions([row[0] for row in rows], count, path)
    for word, number in ((0, 1), (1, 0)):
        if widths == {2} and all(_is_id(row[number]) for row in rows):
            return {int(row[number]): row[word] for row in rows}
    raise NetworkError(f"{path}: expected a column of words, or the columns word and id")


def _positions(lines: Sequence[str], count: int, path: Path) -> Words:
    """Words in the order of their ids. One or two fewer than rows: the first rows are padding (and unknown)."""
    if len(lines) > count:
        raise NetworkError(f"{path}: has {len(lines)} words, the embedding has {count} rows")
    first = count - len(lines) if count - len(lines) <= 2 else 0
    special = {0: "<pad>", 1: "<unk>"} if first == 2 else {0: "<pad>"} if first == 1 else {}
    return special | dict(enumerate(lines, first))


def _of_size(words: Words, count: int, source: str) -> Words:
    """Words of an embedding of ``count`` rows; a ranking of more words, such as a Keras tokenizer's, is cut."""
    used = {number: word for number, word in words.items() if number < count}
    cut = len(used) < len(words)
    if count - len(used) > (1 if cut else max(3, count // 2)):
        raise NetworkError(
            f"{source}: has {len(words)} words, up to id {max(words, default=-1)}; the embedding has {count} rows"
        )
    return used


def _in_our_order(words: Words, embedding: Tensor, source: str) -> MatchedVocabulary:
    special = {number: word.strip().lower() for number, word in words.items()}
    padding = next((number for number, word in special.items() if word in _PADDING), None)
    unknown = next((number for number, word in special.items() if word in _UNKNOWN), None)
    if unknown is None:  # in capitals it is no word of a text in lower case
        unknown = next((number for number, word in words.items() if word in ("UNK", "OOV")), None)
    if padding is None:
        padding = next((number for number, word in words.items() if word == "PAD"), None)
    notes = []
    if padding is None and 0 not in words:
        padding = 0
    if padding is None:
        notes.append("the vocabulary names no padding: padding reads as zeros")
    if unknown is None:
        notes.append("the vocabulary names no unknown word: words that it lacks read as zeros")
    numbers = [number for number in sorted(words) if number not in (padding, unknown)]
    unprintable = [number for number in numbers if "\n" in words[number]]
    if unprintable:
        notes.append(f"words with a line break, left out: {len(unprintable)}")
        numbers = [number for number in numbers if "\n" not in words[number]]
    without = embedding.shape[0] - len(numbers) - len({padding, unknown} - {None}) - len(unprintable)
    if without:
        notes.append(f"rows of the embedding without a word, left out: {without}")
    if not numbers:
        raise NetworkError(f"{printable(source)}: no words in it")
    rows = np.array([-1 if padding is None else padding, -1 if unknown is None else unknown, *numbers])
    ordered = embedding[torch.from_numpy(rows.clip(0))]
    ordered[torch.from_numpy(rows < 0)] = 0
    return MatchedVocabulary(tuple(words[number] for number in numbers), ordered, rows, notes)
