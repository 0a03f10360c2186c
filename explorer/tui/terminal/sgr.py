"""Colours and text attributes as parameters of SGR, the escape sequence "select graphic rendition"."""

from __future__ import annotations

from functools import lru_cache

_UPPER, _LOWER, _BLANK = "▀", "▄", " "

Style = tuple[str, str, str]  # foreground, background, other attributes: each as SGR parameters, "" for the default

DEFAULT: Style = ("", "", "")


@lru_cache(maxsize=16384)
def painted(sent: Style | None, text: str, style: Style) -> tuple[str, str, Style]:
    """Return the escape sequence and the character to send, and the terminal's style afterwards.

    ``sent`` is its style before, None if unknown. The shortest of the equivalent ways is chosen: a half block looks
    like the other half block in exchanged colours, and like a blank if both halves have one colour.
    """
    ways = [(text, style)]
    foreground, ground, rest = style
    if text == _UPPER and foreground.startswith("38") and ground.startswith("48"):
        exchanged = ("3" + ground[1:], "4" + foreground[1:], rest)
        ways.append((_LOWER, exchanged))
        if exchanged[0] == foreground:
            ways = [(_BLANK, (foreground if sent is None else sent[0], ground, rest))]
    elif text == _BLANK and not rest and sent is not None:
        ways = [(text, (sent[0], ground, rest))]  # the foreground of a blank is invisible
    options = [(_change(sent, how), character, how) for character, how in ways]
    return min(options, key=lambda option: len(option[0]))


def _change(sent: Style | None, style: Style) -> str:
    if sent == style:
        return ""
    if sent is None or sent[2] != style[2]:
        parts = ["0", *filter(None, (style[2], style[0], style[1]))]
    else:
        parts = [new or reset for old, new, reset in zip(sent[:2], style[:2], ("39", "49"), strict=True) if old != new]
    return f"\x1b[{';'.join(parts)}m"


@lru_cache(maxsize=4096)
def after(style: Style, parameters: str) -> Style:
    """Return the style that results from SGR parameters."""
    foreground, ground, rest = style
    numbers = (parameters or "0").split(";")
    at = 0
    while at < len(numbers):
        number = numbers[at] or "0"
        length = (
            {"2": 5, "5": 3}.get(numbers[at + 1] if at + 1 < len(numbers) else "", 1) if number in ("38", "48") else 1
        )
        part = ";".join(numbers[at : at + length])
        at += length
        if number == "0":
            foreground, ground, rest = DEFAULT
        elif number == "39":
            foreground = ""
        elif number == "49":
            ground = ""
        elif len(number) == 2 and number[0] in "39":
            foreground = part
        elif (len(number) == 2 and number[0] == "4") or (len(number) == 3 and number[:2] == "10"):
            ground = part
        else:
            rest = f"{rest};{part}" if rest else part
    return foreground, ground, rest
