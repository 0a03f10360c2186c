"""Files as streams of bytes or of lines: decompressed, decoded, and bounded."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from engine.sources.encodings import HEAD, Encoding, detect, repaired
from engine.text import Progress, ReviewError

LARGEST_TEXT: Final = 1 << 30  # bytes of one review, or of standard input
LONGEST_LINE: Final = 1 << 24  # characters
_LARGEST_FILE: Final = 1 << 36
_ALWAYS: Final = 1 << 28  # bytes that any compressed file may have
RATIO: Final = 200  # text is compressed to a third or a tenth; a bomb to a thousandth
_MEMORY: Final = 1 << 28  # bytes that decompressing .xz may need

DAMAGED = (
    EOFError,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
)


class _Bounded(io.RawIOBase):
    """A stream that ends with a `ReviewError` where it is longer than a file of its kind would be."""

    def __init__(self, stream: BinaryIO, limit: int, source: str) -> None:
        self._stream, self._limit, self._source, self._done = stream, limit, source, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(min(len(buffer), 1 << 20))
        except DAMAGED as error:
            raise ReviewError(f"{self._source} is truncated or damaged: {error}") from None
        except OSError as error:
            raise ReviewError(f"cannot read {self._source}: {error.strerror or error}") from None
        self._done += len(data)
        if self._done > self._limit:
            raise ReviewError(
                f"{self._source} unpacks to more than {self._limit >> 20:,} MiB, far more than text of its size; "
                "unpack it yourself if you trust it"
            )
        buffer[: len(data)] = data
        return len(data)


def bounded(stream: BinaryIO, compressed: int, source: str) -> io.BufferedReader:
    """Return a decompressed stream that is refused where it is far larger than its ``compressed`` bytes allow."""
    return io.BufferedReader(_Bounded(stream, max(_ALWAYS, RATIO * compressed), source), 1 << 16)


def compression(head: bytes) -> str:
    """Return gz, bz2 or xz by the first bytes of a file; "" if it is not compressed."""
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    if head.startswith(b"BZh") and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return "bz2"
    return "xz" if head.startswith(b"\xfd7zXZ\0") else ""


def decompressed(raw: BinaryIO, kind: str, size: int, source: str) -> BinaryIO:
    """Return the content of a compressed stream, bounded."""
    if kind == "xz":
        head, raw = head_of(raw, 1 << 12)
        try:
            lzma.LZMADecompressor(memlimit=_MEMORY).decompress(head, max_length=1)
        except lzma.LZMAError as error:
            raise ReviewError(f"{source} is damaged, or needs too much memory to unpack: {error}") from None
    openers: dict[str, Any] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    return cast(BinaryIO, bounded(openers[kind](raw), size, source))


def checked(path: Path, largest: int = _LARGEST_FILE) -> os.stat_result:
    """Return the status of a regular file of at most ``largest`` bytes: a pipe or a device may never end.

    Raises
    ------
    ReviewError
        If it is none, or too large.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise ReviewError(f"cannot read {str(path)!r}: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise ReviewError(f"cannot read {str(path)!r}: not a regular file; give a pipe with --reviews - < FILE")
    if found.st_size > largest:
        raise ReviewError(f"{str(path)!r} has more than {largest >> 20:,} MiB; split it into several files")
    return found


@contextmanager
def opened(path: Path, progress: Progress | None = None) -> Iterator[tuple[BinaryIO, str]]:
    """Open a file, decompressed if it is compressed; yields the stream and the kind of compression.

    Raises
    ------
    ReviewError
        If it cannot be read.
    """
    size = checked(path).st_size
    try:
        with path.open("rb") as raw:
            kind = compression(raw.read(16))
            raw.seek(0)
            counted = cast(BinaryIO, io.BufferedReader(_Counted(raw, size, progress), 1 << 16)) if progress else raw
            yield (decompressed(counted, kind, size, repr(str(path))) if kind else counted), kind
    except OSError as error:
        raise ReviewError(f"cannot read {str(path)!r}: {error.strerror or error}") from None


@contextmanager
def copied(stream: BinaryIO) -> Iterator[Path]:
    """Copy a stream into a temporary file, for readers that need one."""
    with tempfile.NamedTemporaryFile(prefix="pinkx-") as file:
        shutil.copyfileobj(stream, file)
        file.flush()
        yield Path(file.name)


class _Counted(io.RawIOBase):
    """A file that reports how far it is read."""

    def __init__(self, raw: BinaryIO, size: int, progress: Progress) -> None:
        self._raw, self._size, self._progress, self._next = raw, size, progress, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        done = self._raw.readinto(buffer)  # type: ignore[attr-defined]
        if self._raw.tell() >= self._next or not done:
            self._next = self._raw.tell() + (1 << 20)
            self._progress(min(self._raw.tell(), self._size), self._size)
        return int(done)


def head_of(stream: BinaryIO, count: int = HEAD) -> tuple[bytes, BinaryIO]:
    """Return the first bytes of a stream, and a stream that begins with them again.

    An error after the first bytes is raised where the second stream comes to it.
    """
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    parts: list[bytes] = []
    error: ReviewError | None = None
    while count > 0:
        try:
            part = read(min(count, 1 << 16))
        except ReviewError as found:
            if not parts:
                raise
            error = found
            break
        if not part:
            break
        parts.append(part)
        count -= len(part)
    head = b"".join(parts)
    return head, cast(BinaryIO, io.BufferedReader(_Joined(head, stream, error), 1 << 16))


class _Joined(io.RawIOBase):
    def __init__(self, head: bytes, rest: BinaryIO, error: ReviewError | None) -> None:
        self._head, self._rest, self._error = memoryview(head), rest, error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if len(self._head):
            count = min(len(buffer), len(self._head))
            buffer[:count] = self._head[:count]
            self._head = self._head[count:]
            return count
        if self._error is not None:
            raise self._error
        data = self._rest.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Lines:
    """The lines of a stream with their ends (LF, CR LF or CR), decoded.

    Attributes
    ----------
    encoding : Encoding
    number : int
        Lines read so far.
    other : int
        Lines that were not valid UTF-8 in a file that is.
    end : str
        Why the stream ended before its time; "" if it did not.
    """

    def __init__(self, stream: BinaryIO, source: str, given: str | None, skip: Callable[[str, str], None]) -> None:
        head, joined = head_of(stream)
        self.encoding: Encoding = detect(head, source, given, whole=len(head) < HEAD)
        escape = "surrogateescape" if self.encoding.codec.startswith("utf-8") else "replace"
        self._text = io.TextIOWrapper(joined, self.encoding.codec, escape, newline="")
        self._escaped = escape == "surrogateescape"
        self._skip = skip
        self.number = 0
        self.other = 0

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                line = self._text.readline(LONGEST_LINE)
            except ReviewError as error:
                if not self.number:
                    raise
                self._skip(f"after line {self.number}", str(error))
                return
            if not line:
                return
            self.number += 1
            if len(line) >= LONGEST_LINE and line[-1] not in "\r\n":
                self._skip(f"line {self.number}", f"a line of more than {LONGEST_LINE:,} characters")
                while (rest := self._text.readline(LONGEST_LINE)) and rest[-1] not in "\r\n":
                    pass
                continue
            if self._escaped and not line.isascii():
                line, wrong = repaired(line, self.encoding.fallback)
                self.other += wrong
            yield line

    @property
    def names(self) -> tuple[str, ...]:
        """The encodings that were met, as they are shown."""
        return (self.encoding.name, "Windows-1252") if self.other else (self.encoding.name,)
