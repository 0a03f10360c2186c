"""How often a face draws. Views pull and the engine never waits, so a slow terminal costs frames and nothing else."""

from __future__ import annotations

RATES = (20.0, 10.0, 5.0, 2.0)
PATIENCE = 20  # refused frames in a row before the rate falls: a slow terminal may take a second for a new picture
TROUBLE = 10  # refused frames in a row that are none of chance
CALM = 4.0  # seconds without so many before it rises again


class Pacer:
    """Decides at each tick whether to draw, and at which rate.

    A frame is refused while the terminal has not taken the last one. Repeated refusals lower the rate 20 → 10 → 5 → 2
    frames a second; some calm seconds raise it one step.
    """

    def __init__(self) -> None:
        self.level = 0
        self.skipped = 0
        self._refused_in_a_row = 0
        self._last_drawn = -1e9
        self._last_trouble = -1e9

    @property
    def rate(self) -> float:
        """Frames a second aimed at."""
        return RATES[self.level]

    @property
    def degraded(self) -> bool:
        return self.level > 0

    def due(self, now: float, busy: bool) -> bool:
        """Whether to draw at ``now`` (seconds of a monotonic clock); ``busy``: the last frame is not taken yet."""
        # Ticks come at the highest rate; half a tick of slack keeps a slower rate from beating against them.
        if now - self._last_drawn < 1 / self.rate - 0.5 / RATES[0]:
            return False
        if busy:
            self.skipped += 1
            self._refused_in_a_row += 1
            if self._refused_in_a_row >= TROUBLE:
                self._last_trouble = now
            if self._refused_in_a_row >= PATIENCE and self.level < len(RATES) - 1:
                self.level += 1
                self._refused_in_a_row = 0
            return False
        self._refused_in_a_row = 0
        if self.level and now - self._last_trouble > CALM:
            self.level -= 1
            self._last_trouble = now
        self._last_drawn = now
        return True
