"""Meanings of the values of a label column: words, 0 and 1, −1 and 1, stars, or a class of another program."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_LONGEST: Final = 40  # characters of a value in a message
_VALUES: Final = 1000  # different values that are distinguished

_WORDS: Final = {
    **dict.fromkeys(("pos", "positive", "p", "true", "yes", "good", "recommended", "fresh", "thumbs up"), True),
    **dict.fromkeys(("neg", "negative", "n", "false", "no", "bad", "rotten", "thumbs down"), False),
    **dict.fromkeys(
        ("", "none", "null", "nan", "na", "n/a", "neutral", "neu", "unsup", "unlabelled", "unlabeled"), None
    ),
}
_CLASS: Final = re.compile(r"(?:__label__|label|class)[_ ]?(-?[0-9]+)")
_STARS: Final = re.compile(r"([0-9](?:\.[0-9])?) ?(?:stars?|/ ?5)")
RATINGS: Final = ("rating", "stars", "star", "score", "overall", "star rating", "review rating", "review score")


@dataclass(frozen=True)
class Meanings:
    """``values`` has the label of each code; ``note`` says how numbers were read, "" if as 0 and 1; ``unknown`` lists
    (value, place of the first, count)."""

    values: tuple[bool | None, ...]
    note: str
    unknown: tuple[tuple[str, str, int], ...]


class LabelColumn:
    """The values of a column, as codes: which scale they belong to shows once all are read.

    Attributes
    ----------
    name : str
    codes : array of int
        One for each review.
    """

    def __init__(self, name: str, stars: bool = False) -> None:
        self.name = name
        self.codes = array("H")
        self._stars = stars
        self._code_of: dict[str, int] = {}
        self._first: list[str] = []

    def add(self, value: Any, place: str) -> None:
        """Add the value of the next review."""
        text = normalised(value)
        code = self._code_of.get(text)
        if code is None:
            if len(self._code_of) >= _VALUES:
                text = "…"
            code = self._code_of.setdefault(text, len(self._code_of))
            if code == len(self._first):
                self._first.append(place)
        self.codes.append(code)

    def __len__(self) -> int:
        """The number of different values."""
        return len(self._code_of)

    def meanings(self, given: Mapping[str, bool | None]) -> Meanings:
        """Return what the values mean; ``given`` is what the user says."""
        numbers = {number for text in self._code_of if (number := _number(text)) is not None and text not in given}
        scale, note = _scale(numbers, self._stars or any(_STARS.fullmatch(text) for text in self._code_of))
        values: list[bool | None] = []
        unknown = []
        for text, code in self._code_of.items():
            number = _number(text)
            if text in given:
                values.append(given[text])
            elif text in _WORDS:
                values.append(_WORDS[text])
            elif number is not None and scale is not None and number in scale:
                values.append(scale[number])
            else:
                values.append(None)
                unknown.append((text[:_LONGEST], self._first[code], self.codes.count(code)))
        return Meanings(tuple(values), note if scale is not None else "", tuple(unknown))


def normalised(value: Any) -> str:
    """Return a value as text in lower case; equal numbers have one spelling, and what is no value is ""."""
    if isinstance(value, bool):
        return str(int(value))
    if value is None:
        return ""
    text = str(value).strip().lower().replace("−", "-")
    try:
        number = float(text)
    except (ValueError, OverflowError):
        found = _CLASS.fullmatch(text)
        return str(int(found[1])) if found and len(found[1]) < 9 else text
    if not math.isfinite(number) or len(text) > _LONGEST:
        return "" if math.isnan(number) else text
    return f"{number:.10g}"


def is_label(value: str) -> bool:
    """Return whether a text is a value that a label may have: a number of one or two digits, or pos or neg."""
    text = normalised(value)
    number = _number(text)
    return bool(text) and (text in _WORDS or (number is not None and -10 <= number <= 100))


def _number(text: str) -> float | None:
    if stars := _STARS.fullmatch(text):
        return float(stars[1])
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _scale(numbers: set[float], stars: bool) -> tuple[Mapping[float, bool | None] | None, str]:
    """Return what each number means, None if it is not clear, and how the numbers were read."""
    if not numbers:
        return None, ""
    low, high = min(numbers), max(numbers)
    if numbers <= {0, 1} and not (stars and numbers == {1}):
        return {0: False, 1: True}, ""
    if stars and low > 0 and high <= 5:
        return _halves(numbers, 3, 3), "labels are stars: 1 and 2 are negative, 4 and 5 positive, 3 is neither"
    if stars and low >= 0 and 5 < high <= 10:
        return _halves(numbers, 5, 6), "labels are marks out of 10: up to 4 negative, from 7 positive"
    if not all(number.is_integer() for number in numbers):
        return None, ""
    if numbers == {-1}:
        return {-1: None}, "labels are all −1: the reviews have none"
    if numbers == {-1, 1}:
        return {-1: False, 1: True}, "labels −1 are negative, 1 positive"
    if numbers == {1, 2}:
        return {1: False, 2: True}, "labels 1 are negative, 2 positive"
    if low >= 0 and high == 4:
        return _halves(numbers, 2, 2), "labels go from 0 to 4: 0 and 1 are negative, 3 and 4 positive, 2 is neither"
    if low >= 1 and high == 5:
        return _halves(numbers, 3, 3), "labels are stars: 1 and 2 are negative, 4 and 5 positive, 3 is neither"
    if low >= 1 and 6 <= high <= 10:
        return _halves(numbers, 5, 6), "labels are marks out of 10: up to 4 negative, from 7 positive"
    return None, ""


def _halves(numbers: set[float], low: float, high: float) -> dict[float, bool | None]:
    """Return the numbers below ``low`` as negative, above ``high`` as positive, and those between as neither."""
    return {number: None if low <= number <= high else number > high for number in numbers}
