"""The encoding of a text, from a byte order mark, from being valid UTF-8, or from the characters that it would give."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

from engine.text import ReviewError

HEAD: Final = 1 << 20  # bytes that decide
NAMES: Final = {
    "utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16",
    "utf-32": "UTF-32", "latin-1": "Latin-1", "iso8859-1": "Latin-1", "cp1252": "Windows-1252",
    "mac-roman": "Mac Roman", "ascii": "ASCII",
}  # fmt: skip
_MARKS: Final = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_USUAL: Final = re.compile(
    "[àâäáãåæçéèêëíìîïñóòôöõøœúùûüÿýßÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜÝ’‘“”„–—…•€£©®™°«»¿¡½¼¾§´·×\u00a0]"
)
_ODD: Final = re.compile("[a-zà-ÿ][À-Þ]|[a-z][•©®™°«»¿¡½¼¾§·×€£][a-z]")  # no word has these
_OTHER: Final = re.compile("[^\x00-\x7f]")


@dataclass(frozen=True)
class Encoding:
    """``codec`` decodes a text; ``fallback`` decodes a part that is not valid in it; ``name`` is shown."""

    codec: str
    name: str
    fallback: str = "cp1252"

    def decode(self, data: bytes) -> str:
        """Decode a whole text; bytes that are not valid become the replacement character."""
        if self.codec in ("utf-8", "utf-8-sig"):
            return repaired(data.decode(self.codec, "surrogateescape"))[0]
        return data.decode(self.codec, "replace").removeprefix("\ufeff")


def detect(head: bytes, source: str, given: str | None = None, *, whole: bool = False) -> Encoding:
    """Return the encoding of a text from its first bytes; ``whole`` if there are no others.

    Raises
    ------
    ReviewError
        If the bytes are no text.
    """
    if given is not None:
        codec = codecs.lookup(given).name
        return Encoding("utf-8-sig" if codec == "utf-8" else codec, NAMES.get(codec, codec))
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return Encoding(codec, NAMES[codec])
    if 0 in head:
        even, odd = head[:4096][::2].count(0), head[:4096][1::2].count(0)
        half = len(head[:4096]) / 2
        if max(even, odd) > 0.3 * half and min(even, odd) < 0.05 * half:
            codec = "utf-16-le" if odd > even else "utf-16-be"
            return Encoding(codec, "UTF-16")
        raise ReviewError(f"{source} is not text: it has a zero byte at offset {head.index(0)}")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError as error:
        return _eight_bits(head, source, error)
    return Encoding("utf-8-sig", "UTF-8")


def _eight_bits(head: bytes, source: str, error: UnicodeDecodeError) -> Encoding:
    """Return the encoding of one byte a character that makes most sense; that of Windows where two make as much."""
    best, most = "", 0.5
    windows = "cp1252" if re.search(rb"[\x80-\x9f]", head) else "latin-1"
    for codec in (windows, "mac-roman"):
        score = plausibility(head, codec)
        if score > most:
            best, most = codec, score
    if not best:
        raise ReviewError(
            f"{source} is not UTF-8 text: byte 0x{head[error.start]:02x} at offset {error.start}; if it is text, "
            "name its encoding with --encoding, such as cp1251"
        )
    return Encoding(best, NAMES[best])


def plausibility(data: bytes, codec: str) -> float:
    """Return the fraction of the characters beyond ASCII that are usual in Western European text."""
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return 0.0
    others = len(_OTHER.findall(text))
    return (len(_USUAL.findall(text)) - len(_ODD.findall(text))) / others if others else 0.0


def repaired(text: str, fallback: str = "cp1252") -> tuple[str, bool]:
    """Return a text that was decoded from UTF-8 with ``surrogateescape``, and whether it was not valid UTF-8.

    Then all of its bytes are decoded by another encoding.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode(fallback, "replace"), True
    return text, False
