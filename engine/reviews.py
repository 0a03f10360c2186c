"""Open reviews: the bundled ones, the IMDb dataset, folders, archives, tables and texts, and standard input."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from engine.file_formats import source_format
from engine.imdb import SPLITS, find_archive, read_archive
from engine.sources.arrow import read_arrow
from engine.sources.collection import Collector, Reviews, SourceReport
from engine.sources.containers import Container, Folder, Tar, Zip, bare_name, folder_label, label_of, plan, stem
from engine.sources.delimited import read_delimited
from engine.sources.encodings import HEAD, detect
from engine.sources.json_rows import read_json, read_json_lines
from engine.sources.options import DEFAULTS, ReadOptions
from engine.sources.plain import label_of_name, read_fasttext, read_lines
from engine.sources.streams import LARGEST_TEXT, RATIO, Lines, compression, copied, decompressed, head_of, opened
from engine.text import CUT, Progress, Review, ReviewError, count_words, split_words

__all__ = [
    "BUNDLED",
    "CUT",
    "ReadOptions",
    "Review",
    "ReviewError",
    "Reviews",
    "SourceReport",
    "count_words",
    "open_reviews",
    "split_words",
]

BUNDLED: Final = Path(__file__).parent.parent / "assets" / "reviews"


def open_reviews(
    source: str | Path | None = None,
    *,
    split: str = "",
    imdb: str | Path | None = None,
    progress: Progress | None = None,
    options: ReadOptions = DEFAULTS,
) -> Reviews:
    """Read all reviews of a source: at least one, each with a word.

    A row or a file that cannot be read is skipped; `Reviews.report` has their number and names the first few.

    Parameters
    ----------
    source : str, path or None
        None or ``"bundled"``: the bundled reviews.  ``"imdb"``, ``"imdb:train"``, ``"imdb:test"`` or
        ``"imdb:unsup"``: the IMDb archive.
        ``"-"``: standard input.  Otherwise a path: a folder or an archive (``.zip``, ``.tar``) of texts or with one
        table, also the IMDb dataset unpacked; a table (``.csv``, ``.tsv``, ``.jsonl``, ``.json``, fastText,
        ``.parquet``, ``.arrow``); Keras' ``imdb.npz``; or one text.  Files may be compressed (``.gz``, ``.bz2``,
        ``.xz``).  ``PATH:PART`` names a split or a table in a folder or an archive.  The label comes from a folder
        named ``pos`` or ``neg``, or from a column.
    split : {"", "test", "train", "unsup"}
        Split of the IMDb dataset, if ``source`` does not name one; by default test.
    imdb : path, optional
        Path of the archive for ``"imdb"``; by default ``PINKX_IMDB``, then the downloaded archive.
    progress : callable, optional
        Called with (bytes read, total bytes) while a large file is read.
    options : ReadOptions
        What the files do not say.

    Raises
    ------
    ReviewError
        If the source does not exist, has no review, or does not say what is needed; with ``options.strict`` if any of
        its rows or files cannot be read.
    """
    return read_into(Reviews(), source, split, imdb, progress, options)


def read_into(
    reviews: Reviews,
    source: str | Path | None,
    split: str,
    imdb: str | Path | None,
    progress: Progress | None,
    options: ReadOptions,
) -> Reviews:
    """Add the reviews of a source to ``reviews``, and return them; see `open_reviews`."""
    if source is None or source == "bundled":
        return _read_container(Collector("the bundled reviews", options, reviews), Folder(BUNDLED), BUNDLED, "")
    name, _, part = str(source).partition(":")
    if name == "imdb":
        path = find_archive(imdb)
        return _read_archive(Collector(str(path), options, reviews), path, part or split or "test", progress)
    if source == "-":
        return _read_standard_input(Collector("standard input", options, reviews))
    path, part = _located(source, split)
    if path.suffix.lower() == ".npy":
        raise ReviewError(f"{str(path)!r} holds numbers, not reviews: read it with a network over real-valued input")
    collector = Collector(str(path), options, reviews)
    if path.is_dir():
        return _read_container(collector, Folder(path), path, part)
    return _read_file(collector, path, part, progress)


def _located(source: str | Path, split: str) -> tuple[Path, str]:
    """Return the path of a source and the part of it that is named: ``PATH:PART``."""
    if os.path.exists(source):  # unlike Path.exists, False for a name longer than the system allows
        return Path(source), split
    before, colon, part = str(source).rpartition(":")
    if colon and part and os.path.exists(before):
        return Path(before), part
    raise ReviewError(f"no such file or folder: {str(source)!r}")


def _read_archive(collector: Collector, path: Path, split: str, progress: Progress | None) -> Reviews:
    """Read the paper's data, complete and as they are: a damaged archive is refused."""
    collector.format = "IMDb archive"
    if split != "test":
        collector.note(f"split {split}")
    for review in read_archive(path, split, progress):
        collector.reviews.append(review.name, review.text, review.label)
    return collector.finished()


def _read_standard_input(collector: Collector) -> Reviews:
    """Read standard input: one text, or a format that shows in its first bytes or that the user names."""
    head, stream = head_of(sys.stdin.buffer)
    kind = compression(head)
    if kind:
        stream = decompressed(stream, kind, LARGEST_TEXT // RATIO, collector.source)
        head, stream = head_of(stream)
    _read_stream(collector, stream, Path("standard input"), source_format(head, "", collector.options.format), "")
    return collector.finished()


def _read_file(collector: Collector, path: Path, part: str, progress: Progress | None) -> Reviews:
    with opened(path, progress) as (stream, compressed):
        head, stream = head_of(stream)
        kind = source_format(head, bare_name(path.name), collector.options.format)
        if kind == "tar":
            return _read_container(collector, Tar(path), path, part)
        if kind == "zip":
            return _read_container(collector, Zip(path), path, part)
        if part and kind != "npz" and part not in SPLITS:
            raise ReviewError(f"{str(path)!r} is one file without parts: it has no {part!r}")
        _read_stream(collector, stream, path, kind, part, on_disk=not compressed)
    if compressed:
        collector.format += f" ({compressed})"
    return collector.finished()


def _read_container(collector: Collector, container: Container, path: Path, part: str) -> Reviews:
    """Read the texts, the table or the split of the IMDb dataset in a folder or an archive."""
    chosen = plan(container, path, part)
    for note in chosen.notes:
        collector.note(note)
    if chosen.kind == "table":
        for name, stream in container.files(chosen.files):
            if isinstance(stream, ReviewError):
                raise stream
            head, stream = head_of(stream)
            kind = source_format(head, bare_name(name), collector.options.format)
            _read_stream(collector, stream, Path(name), kind, "")
        return collector.finished()
    collector.format = "IMDb dataset" if chosen.kind == "imdb" else "texts"
    order = {name: number for number, name in enumerate(chosen.files)}
    above = path.absolute().name if path.is_dir() else ""
    read: list[int] = []
    for name, stream in container.files(chosen.files):
        if isinstance(stream, ReviewError):
            collector.skip(name, str(stream))
            continue
        try:
            text = _text(collector, stream, name)
        except ReviewError as error:
            collector.skip(name, str(error).removeprefix(f"{name} "))
            continue
        known = label_of(name, path)
        short, label = known or (stem(name), folder_label((above, *PurePosixPath(name).parts[:-1])))
        if collector.add(short, name, text, label, plain=known is None):
            read.append(order[name])
    if read != sorted(read):  # an archive has an order of its own
        collector.reviews = collector.reviews.reordered(sorted(range(len(read)), key=read.__getitem__))
    return collector.finished()


def _read_stream(
    collector: Collector, stream: BinaryIO, path: Path, kind: str, part: str, *, on_disk: bool = False
) -> None:
    """Add the reviews of one file that is no archive.

    Parameters
    ----------
    collector : Collector
    stream : BinaryIO
        Decompressed.
    path : Path
        The file, or its name in an archive.
    kind : str
        See `engine.file_formats.source_format`.
    part : str
        The split of a file that has several.
    on_disk : bool
        Whether ``path`` has what ``stream`` has.
    """
    name, options = PurePosixPath(stem(path.name)).name, collector.options
    if kind in ("parquet", "arrow", "npz"):
        with nullcontext(path) if on_disk else copied(stream) as file:
            _read_binary(collector, file, name, kind, part)
        return
    if kind == "text":
        text = _text(collector, stream, repr(str(path)))
        label = label_of_name(bare_name(path.name))
        label = folder_label((path.absolute().parent.name,)) if label is None else label
        collector.format = "one text"
        collector.add(name, "", text, label)
        return
    lines = Lines(stream, repr(str(path)), options.encoding, collector.skip)
    if kind == "lines":
        read_lines(collector, lines, name, label_of_name(bare_name(path.name)))
    elif kind == "fasttext":
        read_fasttext(collector, lines, name)
    elif kind == "jsonl":
        read_json_lines(collector, lines, name)
    elif kind == "json":
        read_json(collector, lines, name)
    else:
        read_delimited(collector, lines, name, tabs=kind == "tsv")
    collector.encodings.update(dict.fromkeys(lines.names))


def _read_binary(collector: Collector, file: Path, name: str, kind: str, part: str) -> None:
    if kind == "npz":
        from engine.sources.keras_npz import read_npz  # needs NumPy

        read_npz(collector, file, name, part or "test")
    else:
        read_arrow(collector, file, name, parquet=kind == "parquet")


def _text(collector: Collector, stream: BinaryIO, source: str) -> str:
    """Return a whole text, decoded."""
    data = stream.read(LARGEST_TEXT + 1)
    if len(data) > LARGEST_TEXT:
        raise ReviewError(f"{source} has more than {LARGEST_TEXT >> 30} GiB; split it into several files")
    encoding = detect(data[:HEAD], source, collector.options.encoding, whole=len(data) <= HEAD)
    text = encoding.decode(data)
    if "\0" in text:
        raise ReviewError(f"{source} is not text: it has a zero byte at offset {data.index(0)}")
    collector.encodings[encoding.name] = None
    return text
