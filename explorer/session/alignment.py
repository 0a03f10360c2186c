"""Correspondence of the words of two texts, or of the steps of two sequences."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.sequences import Content

LONGEST: Final = 4_000  # words that differ on both sides; matching more would take seconds


def aligned(before: Content, after: Content) -> list[tuple[int | None, int | None]]:
    """Return the pairs of indices of corresponding words; None where a text has no counterpart.

    The steps of two sequences of vectors correspond by their number.
    """
    if isinstance(before, np.ndarray) or isinstance(after, np.ndarray):
        return list(zip_longest(range(len(before)), range(len(after))))
    shorter = min(len(before), len(after))
    head = next((k for k in range(shorter) if before[k] != after[k]), shorter)
    tail = next((k for k in range(shorter - head) if before[-1 - k] != after[-1 - k]), shorter - head)
    a, b = before[head : len(before) - tail], after[head : len(after) - tail]
    if max(len(a), len(b)) <= LONGEST:
        blocks = [code[1:] for code in SequenceMatcher(None, a, b, autojunk=False).get_opcodes()]
    else:
        blocks = [(0, len(a), 0, len(b))]
    pairs: list[tuple[int | None, int | None]] = [(k, k) for k in range(head)]
    for i, j, k, m in blocks:
        pairs += zip_longest(range(head + i, head + j), range(head + k, head + m))
    return pairs + [(len(before) - k, len(after) - k) for k in range(tail, 0, -1)]


def counterparts(before: Content, after: Content) -> NDArray[np.intp]:
    """Return the index in ``before`` of the word that corresponds to each word of ``after``, (word,); −1 for none."""
    found = np.full(len(after), -1, dtype=np.intp)
    for i, j in aligned(before, after):
        if i is not None and j is not None:
            found[j] = i
    return found
