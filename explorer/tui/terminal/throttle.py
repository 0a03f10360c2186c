"""One policy for slow terminals: when to draw, how much to send at once, and in how many colours.

A pseudo-terminal or an ssh connection buffers some kilobytes that cannot be taken back, and the response to a key waits
behind them. `Throttle` estimates the rate of the link from the time that writes take. On a slow link it keeps the
backlog short, skips frames while the last one is still on its way, lowers the frame rate when that happens repeatedly,
and reduces the number of colours.
"""

from __future__ import annotations

from math import inf

CHUNK = 4096  # bytes per write; a link of 300 kB/s takes them in 14 ms
SMALLEST_CHUNK = 512
SLOW = 250_000.0  # bytes/s; a faster link is not limited
MAX_BACKLOG = 0.02  # seconds of output that may wait in front of the terminal
PTY_BUFFER = 12_000  # bytes that a pseudo-terminal buffers; when full, it accepts none until it is empty
STALL = 0.01  # seconds; a shorter write did not block, whatever else the machine was doing
MARGIN = 0.95  # fraction of the measured rate to use, so that the backlog shrinks
GROWTH, FAST_GROWTH = 0.05, 0.5  # relative increase of the rate per second until a write blocks
CAUTIOUS = 3.0  # seconds after a blocked write during which the rate grows slowly
LONGEST_WAIT = 0.25  # seconds to let the terminal empty its buffer
DECREASE = 0.9  # factor on the rate when a blocked write gives no estimate
ENOUGH = 8_000  # bytes needed for an estimate
IDLE_SHARE = 0.2  # largest share of idle time in an interval that still gives an estimate

FRAME_RATES = (20.0, 10.0, 5.0, 2.0)  # per second
PATIENCE = 20  # skipped frames in a row before the rate falls: a slow link may need a second for a new picture
TROUBLE = 10  # skipped frames in a row that cannot be chance
CALM = 4.0  # seconds without trouble before the rate rises one step

# Colour levels by rate of the link (bytes/s): neighbours of one colour need only one escape sequence.
COLOUR_LEVELS = ((150_000, 32), (20_000, 16), (0, 8))


class Throttle:
    """State of the link to the terminal, and the decisions that follow from it.

    The writer thread calls `record_write` and reads `chunk_size` and `backlog`; the event loop asks `frame_due` at each
    tick. Times are in seconds of a monotonic clock.
    """

    def __init__(self) -> None:
        self.rate = inf  # of the link, bytes/s; infinite unless the link is slow
        self.skipped = 0  # frames
        self._level = 0  # index into FRAME_RATES
        self._skipped_in_a_row = 0
        self._last_frame = self._last_trouble = -inf
        self._empty_at = -inf  # when the terminal will have taken everything
        self._last_write = 0.0
        self._last_block = 0.0
        self._sent, self._idle = 0, inf  # bytes sent and idle seconds since the last blocked write

    # ---- how much to send ------------------------------------------------------------------------------------

    @property
    def fast(self) -> bool:
        """Whether the link takes all that is drawn without delay."""
        return self.rate == inf

    @property
    def chunk_size(self) -> int:
        """Bytes to send in one write."""
        return CHUNK if self.fast else int(min(CHUNK, max(SMALLEST_CHUNK, self.rate * MAX_BACKLOG)))

    def backlog(self, now: float) -> float:
        """Seconds that the terminal needs for what was sent; 0 on a fast link."""
        return 0.0 if self.rate == inf else max(0.0, self._empty_at - now)

    def record_write(self, sent: int, began: float, ended: float) -> None:
        """Update the estimate after a write of ``sent`` bytes, which may have blocked."""
        self._idle += max(0.0, began - max(self._last_write, self._empty_at))
        self._sent += sent
        if ended - began > STALL:
            elapsed = ended - self._last_block
            taken = self._sent - (PTY_BUFFER if self.rate != inf else 0)  # a throttled link had free buffer space
            if taken >= ENOUGH and self._idle < IDLE_SHARE * elapsed:
                self.rate = MARGIN * taken / elapsed
            else:
                self.rate *= DECREASE
            self._empty_at = ended + PTY_BUFFER / max(self.rate, PTY_BUFFER / LONGEST_WAIT)
            self._last_block, self._sent, self._idle = ended, 0, 0.0
        else:
            growth = GROWTH if ended - self._last_block < CAUTIOUS else FAST_GROWTH
            self.rate *= 1 + growth * min(1.0, ended - self._last_write)
            self._empty_at = max(self._empty_at, ended) + sent / self.rate
        if self.rate > SLOW:
            self.rate = inf
        self._last_write = ended

    # ---- when to draw ----------------------------------------------------------------------------------------

    @property
    def frame_rate(self) -> float:
        """Target number of frames per second."""
        return FRAME_RATES[self._level]

    @property
    def degraded(self) -> bool:
        """Whether the frame rate is below the highest."""
        return self._level > 0

    def frame_due(self, now: float, pending: bool) -> bool:
        """Return whether to draw a frame at ``now``; ``pending``: part of the last frame is not sent yet."""
        # Ticks come at the highest rate; half a tick of slack keeps a lower rate from beating against them.
        if now - self._last_frame < 1 / self.frame_rate - 0.5 / FRAME_RATES[0]:
            return False
        if pending or self.backlog(now) > MAX_BACKLOG:
            self.skipped += 1
            self._skipped_in_a_row += 1
            if self._skipped_in_a_row >= TROUBLE:
                self._last_trouble = now
            if self._skipped_in_a_row >= PATIENCE and self._level < len(FRAME_RATES) - 1:
                self._level += 1
                self._skipped_in_a_row = 0
            return False
        self._skipped_in_a_row = 0
        if self._level and now - self._last_trouble > CALM:
            self._level -= 1
            self._last_trouble = now
        self._last_frame = now
        return True

    # ---- in how many colours ---------------------------------------------------------------------------------

    @property
    def colour_levels(self) -> int:
        """Number of levels of the colour map that the link can afford."""
        return next(levels for rate, levels in COLOUR_LEVELS if self.rate >= rate)

    @property
    def fewer_colours(self) -> bool:
        """Whether colours are reduced for a slow link."""
        return self.colour_levels < COLOUR_LEVELS[0][1]
