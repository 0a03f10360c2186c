"""Keras' ``imdb.npz``: reviews as word numbers, read without running its pickles.

The arrays of lists are pickled in the file. `engine.importers.pickles` interprets them, and only lists of numbers are
accepted. The words of the numbers come from Keras' ``imdb_word_index.json``, beside the file or where Keras stores it.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.arrays import array_header, read_array
from engine.files import keras_folder
from engine.importers.pickles import Inert, read_pickle
from engine.sources.collection import Collector
from engine.text import ReviewError

WORD_INDEX: Final = "imdb_word_index.json"
_LARGEST: Final = 1 << 29  # bytes of an array, unpacked; the dataset's have 50 million
_LARGEST_INDEX: Final = 1 << 26
_FORMAT: Final = "Keras IMDb"


def read_npz(collector: Collector, path: Path, name: str, split: str) -> None:
    """Add the reviews of a split.

    Raises
    ------
    ReviewError
        If the file is another archive or damaged, or the words of its numbers are not known.
    """
    if split not in ("train", "test"):
        raise ReviewError(f"{collector.source!r} has no split {split!r}; expected one of train, test")
    collector.format = _FORMAT
    collector.note(f"split {split}; for the other: {collector.source}:{'train' if split == 'test' else 'test'}")
    words = _words(path)
    try:
        with zipfile.ZipFile(path) as archive:
            rows, labels = _numbers(_member(archive, f"x_{split}.npy")), _labels(_member(archive, f"y_{split}.npy"))
    except KeyError:
        raise ReviewError(
            f"{collector.source!r} is not Keras' imdb.npz: expected the arrays x_{split} and y_{split}"
        ) from None
    except ReviewError:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, TypeError, RuntimeError) as error:
        raise ReviewError(f"{collector.source!r} is damaged or not Keras' imdb.npz: {str(error)[:120]}") from None
    if len(rows) != len(labels):
        raise ReviewError(f"{collector.source!r} has {len(rows):,} reviews and {len(labels):,} labels")
    for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
        place = f"review {number}"
        if isinstance(row, list) and all(type(word) is int for word in row):
            text = " ".join(words.get(word, "") for word in row)
            collector.add(f"{name}, {split} {number}", place, text, label, plain=False)
        else:
            collector.skip(place, "not a list of word numbers")


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ReviewError(f"{str(archive.filename)!r}: {name} unpacks to more than {_LARGEST >> 20} MiB")
    return data


def _numbers(data: bytes) -> list[Any]:
    """Return the lists in an array of objects."""
    start, dtype, shape = array_header(data)
    if dtype != np.dtype(object) or len(shape) != 1:
        raise ValueError("expected an array of lists")
    array = read_pickle(io.BytesIO(data[start:]), {})
    state = array.state if isinstance(array, Inert) else None
    rows = state[4] if isinstance(state, tuple) and len(state) == 5 else None
    if not isinstance(rows, list) or len(rows) != shape[0]:
        raise ValueError("expected an array of lists")
    return rows


def _labels(data: bytes) -> list[bool]:
    values = read_array(data)
    if values.ndim != 1 or not np.isin(values, (0, 1)).all():
        raise ValueError("expected labels 0 and 1")
    return [bool(value) for value in values]


def _words(path: Path) -> dict[int, str]:
    """Return the word of each number; the dataset has numbers of frequency, without Keras' three special words."""
    places = (path.with_name(WORD_INDEX), keras_folder() / "datasets" / WORD_INDEX)
    index = next((place for place in places if place.is_file()), None)
    if index is None:
        raise ReviewError(
            f"{str(path)!r} holds word numbers, not words: put Keras' {WORD_INDEX} beside it "
            "(keras.datasets.imdb.get_word_index() downloads it)"
        )
    try:
        if index.stat().st_size > _LARGEST_INDEX:
            raise ValueError("it is too large")
        words = json.loads(index.read_text(encoding="utf-8"))
        return {int(number): str(word) for word, number in words.items()}
    except (ValueError, AttributeError, TypeError, RecursionError, OSError) as error:
        raise ReviewError(f"{str(index)!r} is not Keras' word index: {error}") from None
