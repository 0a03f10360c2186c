"""Whether the terminal was closed: its input then ends at once, again and again, and output may never fail."""

from __future__ import annotations

import select
from typing import Final

_STANDARD_INPUT: Final = 0


def terminal_closed(descriptor: int = _STANDARD_INPUT) -> bool:
    """Return whether a terminal, or the program at the other end of a pipe, is gone; False where poll is missing."""
    if not hasattr(select, "poll"):  # Windows
        return False
    poll = select.poll()
    poll.register(descriptor, 0)  # a hang-up is always reported
    return any(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, events in poll.poll(0))
