"""The Large Movie Review Dataset (Maas et al. 2011, "aclImdb"), read from its ``.tar.gz`` without unpacking."""

from __future__ import annotations

import gzip
import os
import re
import tarfile
import zlib
from pathlib import Path
from typing import Final, Self

from engine.files import user_folder
from engine.text import Progress, Review, ReviewError, decode, printable

SPLITS: Final = ("train", "test", "unsup")
FILE_NAME: Final = "aclImdb_v1.tar.gz"
ENVIRONMENT: Final = "PINKX_IMDB"
_LARGEST: Final = 1 << 24  # bytes of a review; the longest labelled one has 13,704
LARGEST_MEMBER: Final = 1 << 32  # bytes of any file; to skip more than there is would take for ever

FOLDERS: Final = {"train": ("train/neg", "train/pos"), "test": ("test/neg", "test/pos"), "unsup": ("train/unsup",)}
LABELS: Final = {"pos": True, "neg": False, "unsup": None}
MEMBER: Final = re.compile(r"(?:.*/)?((?:train|test)/(pos|neg|unsup))/(([0-9]{1,9})_[0-9]+)\.txt")


class Member(tarfile.TarInfo):
    """A member of an archive; the header of a plain file is read three times as fast as by `tarfile`."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header block; all but plain files with a short name are left to `tarfile`."""
        if len(buf) == tarfile.BLOCKSIZE and buf[156:157] == tarfile.REGTYPE and not buf[345]:
            try:
                size, checksum = (int(buf[a:b].partition(b"\0")[0].strip(), 8) for a, b in ((124, 136), (148, 156)))
                if checksum == sum(buf) - sum(buf[148:156]) + 8 * ord(" "):
                    member = cls(buf[:100].partition(b"\0")[0].decode(encoding, errors))
                    member.size, member.chksum = size, checksum
                    return member
            except ValueError:  # numbers in base 256, or a damaged header
                pass
        return super().frombuf(buf, encoding, errors)


def cache_path() -> Path:
    """Return the path at which ``pinkx reviews fetch`` stores the archive."""
    return user_folder("cache") / FILE_NAME


def find_archive(path: str | Path | None = None) -> Path:
    """Return the archive's path: ``path``, else the environment variable ``PINKX_IMDB``, else the downloaded file.

    Raises
    ------
    ReviewError
        If there is no such file; the message says how to get it.
    """
    if path is not None:
        found, origin = Path(path), "the given path"
    elif os.environ.get(ENVIRONMENT):
        found, origin = Path(os.environ[ENVIRONMENT]), ENVIRONMENT
    else:
        found, origin = cache_path(), ""
    if found.is_file():
        return found
    if not origin:
        raise ReviewError(
            "no IMDb archive found; download it (84 MB) with `pinkx reviews fetch`, "
            f"or name a copy with --imdb PATH or {ENVIRONMENT}"
        )
    what = "is a folder" if found.is_dir() else "does not exist"
    raise ReviewError(f"no IMDb archive: {str(found)!r} ({origin}) {what}; expected the file {FILE_NAME}")


def read_archive(path: str | Path, split: str = "test", progress: Progress | None = None) -> list[Review]:
    """Read the reviews of one split, negative before positive, each ordered by number, for every order in the archive.

    The archive is streamed once, to its end, which verifies its checksum; only the reviews of the split are decoded.

    Parameters
    ----------
    path : path
        ``aclImdb_v1.tar.gz``, or an archive with the same layout.
    split : {"test", "train", "unsup"}
        25,000 labelled reviews each, or the 50,000 unlabelled ones that the official archive has.
    progress : callable, optional
        Called with (compressed bytes read, size of the archive in bytes).

    Raises
    ------
    ReviewError
        If the split is unknown, or the archive is missing, truncated, damaged, or has another layout.
    """
    if split not in SPLITS:
        raise ReviewError(f"the IMDb archive has no split {split!r}; expected one of {', '.join(SPLITS)}")
    where = repr(str(path))
    found: list[tuple[str, int, Review]] = []
    try:
        with (
            open(path, "rb") as raw,
            gzip.open(raw) as stream,
            tarfile.open(fileobj=stream, mode="r|", tarinfo=Member) as tar,
        ):
            total = os.fstat(raw.fileno()).st_size
            for number, member in enumerate(tar):
                match = MEMBER.fullmatch(member.name)
                chosen = match is not None and match[1] in FOLDERS[split]
                if member.size > (_LARGEST if chosen else LARGEST_MEMBER):  # a damaged header, or one that lies
                    name = f"{match[1]}/{match[3]}" if match else printable(member.name)
                    raise ReviewError(f"the archive {where} is damaged: {name} has {member.size} bytes")
                if match is not None and chosen and (file := tar.extractfile(member)):
                    name = f"{match[1]}/{match[3]}"
                    review = Review(name, decode(file.read(), f"{name} in {where}"), LABELS[match[2]])
                    found.append((match[1], int(match[4]), review))
                if progress and number % 500 == 0:
                    progress(raw.tell(), total)
            while stream.read(1 << 20):  # tar stops at its end mark, before the checksum
                pass
            if progress:
                progress(total, total)
    except gzip.BadGzipFile as error:
        raise ReviewError(f"the archive {where} is damaged or not a .tar.gz file: {error}; download it again") from None
    except ReviewError:
        raise
    except (EOFError, tarfile.TarError, zlib.error, ValueError, OverflowError) as error:
        raise ReviewError(f"the archive {where} is truncated or damaged: {error}; download it again") from None
    except OSError as error:
        raise ReviewError(f"cannot read the archive {where}: {error.strerror or error}") from None
    if not found:
        hint = "; the labelled archive has none, the official one does" if split == "unsup" else ""
        folders = " or ".join(f"aclImdb/{folder}/" for folder in FOLDERS[split])
        raise ReviewError(f"the archive {where} has no reviews: expected files in {folders}{hint}")
    return [review for *_, review in sorted(found, key=lambda entry: entry[:2])]
