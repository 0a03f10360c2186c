"""How fast the terminal takes what is sent, and how much of it is still on the way.

Between the program and a slow terminal lie some kilobytes that nobody can take back, and who fills them waits behind
them with the answer to a key. So to a slow terminal no more is sent at a time than it can take at once.
"""

from __future__ import annotations

from math import inf

PART = 4096  # bytes sent at once; a terminal that takes 300 kB/s has them in 14 ms
LEAST = 512
SLOW = 250_000.0  # bytes a second; above it nothing is held back
AHEAD = 0.02  # seconds of sending that may lie before the terminal
HELD = 12_000  # bytes that a pseudo-terminal holds: it takes so many at once, then none until it is empty
STALL = 0.01  # seconds that a write may take for reasons of this machine
MARGIN = 0.95  # of the measured rate, so that what lies before the terminal grows less
GROWTH, FAST_GROWTH = 0.05, 0.5  # a second: the rate is tried higher until writing blocks
SURE = 3.0  # seconds after a block in which it grows slowly
LONGEST = 0.25  # seconds to wait until the terminal has taken all that lies before it
LESS = 0.9  # of the rate is left then
ENOUGH = 8_000  # bytes that tell a rate
IDLE = 0.2  # of the time between two blocks in which nothing was written; beyond it that time tells no rate


class Flow:
    """Told of each write, says how much to send next and when. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self.rate = inf  # bytes a second
        self._until = -inf  # when the terminal has taken everything
        self._ended = 0.0  # the last write
        self._since = 0.0  # the last that blocked, and what happened since
        self._sent, self._idle = 0, inf

    @property
    def part(self) -> int:
        """Characters to send at once."""
        return PART if self.rate == inf else int(min(PART, max(LEAST, self.rate * AHEAD)))

    def ahead(self, now: float) -> float:
        """Seconds until the terminal has taken what was sent; 0 for one that is not slow."""
        return 0.0 if self.rate == inf else max(0.0, self._until - now)

    def wrote(self, sent: int, began: float, ended: float) -> None:
        """So many bytes were written, which may have blocked."""
        self._idle += max(0.0, began - max(self._ended, self._until))
        self._sent += sent
        if ended - began > STALL:
            elapsed = ended - self._since
            taken = self._sent - (HELD if self.rate != inf else 0)  # where bytes were held back there was room for more
            if taken >= ENOUGH and self._idle < IDLE * elapsed:
                self.rate = MARGIN * taken / elapsed
            else:
                self.rate *= LESS
            self._until = ended + HELD / max(self.rate, HELD / LONGEST)
            self._since, self._sent, self._idle = ended, 0, 0.0
        else:
            growth = GROWTH if ended - self._since < SURE else FAST_GROWTH
            self.rate *= 1 + growth * min(1.0, ended - self._ended)
            self._until = max(self._until, ended) + sent / self.rate
        if self.rate > SLOW:
            self.rate = inf
        self._ended = ended
