"""Folders and archives (.zip, .tar): which of their files are reviews, and in which order."""

from __future__ import annotations

import os
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Protocol, cast

from engine.imdb import FOLDERS, LABELS, LARGEST_MEMBER, MEMBER, SPLITS
from engine.sources.streams import DAMAGED, bounded, checked, opened
from engine.text import ReviewError

_DEEPEST: Final = 32  # folders in a folder
_MOST: Final = 2_000_000  # files
_COMPRESSED: Final = (".gz", ".bz2", ".xz")
_TEXTS: Final = (".txt", ".html", ".htm")
_TABLES: Final = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet", ".arrow")
_DATASET: Final = re.compile(r"(?:.*/)?(?:urls_(?:pos|neg|unsup)|imdbEr)\.txt")  # of the IMDb dataset, and no reviews
_SHARD: Final = re.compile(r"-[0-9]{5}-of-[0-9]{5}")
_INFO: Final = ("dataset_info.json", "state.json", "dataset_dict.json", "dataset_infos.json")


class Container(Protocol):
    """Files in a folder or an archive."""

    def names(self) -> Iterator[str]:
        """Yield the paths of the files, with ``/``."""

    def files(self, wanted: Sequence[str]) -> Iterator[tuple[str, BinaryIO | ReviewError]]:
        """Yield the wanted files as streams, in any order; an error in place of one that cannot be opened."""


class Folder:
    """The files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> Iterator[str]:
        top = len(self._folder.parts)
        for parent, folders, names in os.walk(self._folder):  # unlike Path.rglob, without recursion
            if len(Path(parent).parts) - top > _DEEPEST:
                raise ReviewError(
                    f"{str(self._folder)!r} has more than {_DEEPEST} folders in one another; name one of the lower"
                )
            folders[:] = [name for name in folders if not name.startswith(".")]
            relative = Path(parent).relative_to(self._folder)
            yield from ((relative / name).as_posix() for name in names)

    def files(self, wanted: Sequence[str]) -> Iterator[tuple[str, BinaryIO | ReviewError]]:
        for name in wanted:
            try:
                with opened(self._folder / name) as (stream, _):
                    yield name, stream
            except ReviewError as error:
                yield name, error


class Zip:
    """The files in a .zip archive."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> Iterator[str]:
        with self._archive() as archive:
            yield from (info.filename for info in archive.infolist() if not info.is_dir())

    def files(self, wanted: Sequence[str]) -> Iterator[tuple[str, BinaryIO | ReviewError]]:
        with self._archive() as archive:
            for name in wanted:
                try:
                    info = archive.getinfo(name)
                    with archive.open(info) as stream:
                        yield name, cast(BinaryIO, bounded(cast(BinaryIO, stream), info.compress_size, repr(name)))
                except DAMAGED as error:
                    yield name, ReviewError(f"cannot be unpacked: {error}")

    def _archive(self) -> zipfile.ZipFile:
        checked(self._path)
        try:
            return zipfile.ZipFile(self._path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise ReviewError(f"{str(self._path)!r} is a damaged archive: {error}") from None


class Tar:
    """The files in a .tar archive, which may be compressed; it is read once for the names and once for the files."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> Iterator[str]:
        yield from (member.name for member, _ in self._members())

    def files(self, wanted: Sequence[str]) -> Iterator[tuple[str, BinaryIO | ReviewError]]:
        names = set(wanted)
        for member, archive in self._members():
            if member.name in names and (file := archive.extractfile(member)):
                names.discard(member.name)
                yield member.name, cast(BinaryIO, bounded(cast(BinaryIO, file), self._path.stat().st_size, member.name))

    def _members(self) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
        try:
            with opened(self._path) as (stream, _), tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    if member.size > LARGEST_MEMBER:
                        raise ReviewError(f"{str(self._path)!r} is damaged: a file of {member.size} bytes")
                    if member.isfile():
                        yield member, archive
        except (tarfile.TarError, ValueError, OverflowError) as error:
            if isinstance(error, ReviewError):
                raise
            raise ReviewError(f"{str(self._path)!r} is a truncated or damaged archive: {error}") from None


@dataclass(frozen=True)
class Plan:
    """The files to read, in order. ``kind`` is ``imdb``, ``texts`` or ``table``; ``notes`` report a choice."""

    kind: str
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()


def plan(container: Container, where: Path, part: str) -> Plan:
    """Choose the files of a folder or an archive.

    Parameters
    ----------
    container : Container
    where : Path
        The folder, or the archive.
    part : str
        The split or the file that the user names; "" leaves the choice.

    Raises
    ------
    ReviewError
        If nothing in it can be read, or several tables could be meant.
    """
    names: list[str] = []
    for name in container.names():
        if len(names) == _MOST:
            raise ReviewError(f"{str(where)!r} has more than {_MOST:,} files; name one of its folders")
        path = PurePosixPath(name)
        if not any(folder.startswith((".", "__MACOSX")) for folder in path.parts):
            names.append(name)
    imdb = {name: found for name in names if (found := MEMBER.fullmatch(_above(where) + name))}
    if imdb:
        return _imdb(imdb, str(where), part)
    texts = [name for name in names if _suffix(name) in _TEXTS and not _DATASET.fullmatch(name)]
    tables = [name for name in names if _suffix(name) in _TABLES and PurePosixPath(name).name not in _INFO]
    if texts and not part:
        notes = [f"{len(tables):,} tables beside the texts are not read"] if tables else []
        return Plan("texts", tuple(sorted(texts, key=_reading_order)), tuple(notes))
    if tables:
        return _table(tables, str(where), part)
    if texts:
        raise ReviewError(f"{str(where)!r} has no part {part!r}: it holds {len(texts):,} texts")
    if isinstance(container, Folder):
        raise ReviewError(
            f"no reviews in the folder {str(where)!r}: expected .txt files in it or below it, or one table (.csv, "
            ".jsonl, .parquet)"
        )
    raise ReviewError(
        f"the archive {str(where)!r} has no reviews: expected files in aclImdb/test/neg/ or aclImdb/test/pos/, .txt "
        "files, or one table"
    )


def _imdb(found: dict[str, re.Match[str]], where: str, part: str) -> Plan:
    """Plan the reading of the IMDb dataset: one split, negative before positive, each ordered by number."""
    if part and part not in SPLITS:
        raise ReviewError(f"{where!r} has no split {part!r}; expected one of {', '.join(SPLITS)}")
    present = [split for split in SPLITS if any(match[1] in FOLDERS[split] for match in found.values())]
    split = part or ("test" if "test" in present else present[0])
    files = [name for name, match in found.items() if match[1] in FOLDERS[split]]
    if not files:
        raise ReviewError(f"{where!r} has no reviews of the split {split!r}; it has {', '.join(present)}")
    others = [name for name in present if name != split]
    note = f"split {split}" + (f"; for another: {where}:{' or :'.join(others)}" if others and not part else "")
    files.sort(key=lambda name: (found[name][1], int(found[name][4])))
    return Plan("imdb", tuple(files), (note,))


def _table(tables: list[str], where: str, part: str) -> Plan:
    """Choose a table by its name or split; its shards belong together."""
    groups: dict[str, list[str]] = {}
    for name in sorted(tables):
        groups.setdefault(_SHARD.sub("", name), []).append(name)
    chosen = list(groups)
    if part:
        chosen = [name for name in groups if part in (name, PurePosixPath(name).name)]
        chosen = chosen or [name for name in groups if part in re.split(r"[^a-z0-9]+", name.lower())]
    elif len(groups) > 1:
        tests = [name for name in groups if "test" in re.split(r"[^a-z0-9]+", PurePosixPath(name).name.lower())]
        chosen = tests if len(tests) == 1 else chosen
    if len(chosen) != 1:
        shown = ", ".join(list(groups)[:6])
        found = f"{len(chosen)} tables" if chosen else f"no table {part!r}"
        raise ReviewError(f"{where!r} has {found}: name one of {shown}, such as {where}:{next(iter(groups))}")
    others = len(groups) - 1
    note = (f"{chosen[0]}, one of {others + 1} tables",) if others else ()
    return Plan("table", tuple(groups[chosen[0]]), note)


def label_of(name: str, where: Path) -> tuple[str, bool | None] | None:
    """Return the name and the label of a review of the IMDb dataset; None if the file is none."""
    found = MEMBER.fullmatch(_above(where) + name)
    return None if found is None else (f"{found[1]}/{found[3]}", LABELS[found[2]])


@cache
def _above(where: Path) -> str:
    """Return the folders of which a folder's own name may be a part of the dataset's layout."""
    return "/".join(where.absolute().parts[-2:]) + "/" if where.is_dir() else ""


def folder_label(folders: Iterable[str]) -> bool | None:
    """Return the label given by the innermost folder named pos or neg."""
    return next((folder == "pos" for folder in reversed(list(folders)) if folder in ("pos", "neg")), None)


def bare_name(name: str) -> str:
    """Return a path without the ending of a compression."""
    path = PurePosixPath(name)
    return path.with_suffix("").as_posix() if path.suffix.lower() in _COMPRESSED else name


def stem(name: str) -> str:
    """Return a path without its ending, nor that of a compression."""
    return PurePosixPath(bare_name(name)).with_suffix("").as_posix()


def _suffix(name: str) -> str:
    return PurePosixPath(bare_name(name)).suffix.lower()


def _reading_order(name: str) -> tuple[list[tuple[int, str]], str]:
    """A key that orders by file name and not by folder, with 9 before 10."""
    return _counting_order(PurePosixPath(name).stem), name


def _counting_order(name: str) -> list[tuple[int, str]]:
    return [(int(digits or 0), rest) for digits, rest in re.findall(r"([0-9]{0,18})([^0-9]+|$)", name)]
