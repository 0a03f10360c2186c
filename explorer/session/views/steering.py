"""Texts about the additions to the state in the present review."""

from __future__ import annotations

from collections.abc import Sequence

from engine.live.pushes import Push
from explorer.session.views.number_format import count


def steering_summary(pushes: Sequence[Push]) -> str:
    """Return the additions in a few words, such as ``steered after word 57``; empty if there are none."""
    if not pushes:
        return ""
    words = sorted({push.word for push in pushes})
    if len(words) == 1:
        times = "" if len(pushes) == 1 else f" {len(pushes)} times"
        return f"steered{times} after word {words[0] + 1:,}"
    return f"steered {count(len(pushes), 'time')}, first after word {words[0] + 1:,}"


def added_after(pushes: Sequence[Push], word: int) -> str:
    """Return the names of what is added to the state after a word, in the order of the user; empty if there is none."""
    return " + ".join(push.label for push in pushes if push.word == word)
