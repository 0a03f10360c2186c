"""The policy for slow terminals, with a simulated terminal and clock."""

from __future__ import annotations

from math import inf

import pytest

from explorer.tui.terminal.throttle import (
    CALM,
    CHUNK,
    COLOUR_LEVELS,
    FRAME_RATES,
    MAX_BACKLOG,
    PATIENCE,
    PTY_BUFFER,
    SLOW,
    Throttle,
)


class Terminal:
    """Terminal that takes ``rate`` bytes/s and buffers the rest; a write blocks until there is room."""

    def __init__(self, rate: float) -> None:
        self.rate, self.now, self.buffered = rate, 0.0, 0.0

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.buffered = max(0.0, self.buffered - seconds * self.rate)

    def write(self, throttle: Throttle, sent: int) -> None:
        began = self.now
        self.wait(1e-4)
        if self.buffered + sent > PTY_BUFFER:  # room only when the buffer is nearly empty
            self.wait(self.buffered / self.rate)
        self.buffered += sent
        throttle.record_write(sent, began, self.now)

    def draw(self, throttle: Throttle, seconds: float) -> list[float]:
        """Write as the writer thread does with a picture that never ends; return the bytes in front of each chunk."""
        end, before = self.now + seconds, []
        while self.now < end:
            if (wait := throttle.backlog(self.now) - MAX_BACKLOG) > 0:
                self.wait(max(1e-4, min(wait, MAX_BACKLOG)))
            else:
                before.append(self.buffered)
                self.write(throttle, throttle.chunk_size)
        return before


@pytest.mark.parametrize("rate", [20_000, 60_000, 150_000])
def test_the_rate_of_a_slow_terminal_is_found_and_the_backlog_stays_short(rate: float) -> None:
    throttle, terminal = Throttle(), Terminal(rate)
    terminal.draw(throttle, 5)
    before = []
    for _ in range(20):
        before += terminal.draw(throttle, 1)
        assert 0.6 * rate < throttle.rate < 1.6 * rate
    assert sum(before) / len(before) < PTY_BUFFER / 3
    assert throttle.chunk_size < CHUNK


def test_a_fast_terminal_is_not_throttled() -> None:
    throttle, terminal = Throttle(), Terminal(2 * SLOW)
    terminal.draw(throttle, 5)
    for _ in range(100):
        terminal.wait(0.05)
        terminal.write(throttle, 2000)
    assert throttle.rate == inf
    assert throttle.backlog(terminal.now) == 0
    assert throttle.chunk_size == CHUNK


def test_after_a_stall_of_the_machine_the_rate_recovers() -> None:
    throttle, terminal = Throttle(), Terminal(1e7)
    terminal.draw(throttle, 0.01)
    throttle.record_write(200, terminal.now, terminal.now + 3.0)  # too little for an estimate
    assert throttle.rate == inf
    terminal.now += 3.0
    throttle.record_write(20_000, terminal.now, terminal.now + 2.0)
    terminal.now += 2.0
    assert throttle.rate < 20_000
    assert throttle.backlog(terminal.now) < 0.3
    terminal.draw(throttle, 15)
    assert throttle.rate == inf


# ---- when to draw --------------------------------------------------------------------------------------------


def test_a_fast_terminal_gets_every_frame_in_all_colours() -> None:
    throttle = Throttle()
    assert all(throttle.frame_due(k / FRAME_RATES[0], pending=False) for k in range(100))
    assert not throttle.degraded
    assert not throttle.fewer_colours


def test_the_frame_rate_falls_step_by_step_and_recovers() -> None:
    throttle, now = Throttle(), 0.0
    rates = []
    for _ in range(200):
        now += 1 / FRAME_RATES[0]
        assert not throttle.frame_due(now, pending=True)
        rates.append(throttle.frame_rate)
    assert list(dict.fromkeys(rates)) == list(FRAME_RATES)
    assert throttle.skipped > PATIENCE * (len(FRAME_RATES) - 1)
    drawn = 0
    while throttle.degraded:
        now += 1 / FRAME_RATES[0]
        drawn += throttle.frame_due(now, pending=False)
        assert now < 60
    assert now - 200 / FRAME_RATES[0] > CALM * (len(FRAME_RATES) - 2)
    assert drawn > 0


def test_frames_come_at_the_lower_rate() -> None:
    throttle = Throttle()
    assert not any(throttle.frame_due(k / FRAME_RATES[0], pending=True) for k in range(PATIENCE))
    assert throttle.frame_rate == FRAME_RATES[1]
    ticks = [(PATIENCE + k) / FRAME_RATES[0] for k in range(40)]
    assert sum(throttle.frame_due(now, pending=False) for now in ticks) == 20


def test_no_frame_is_due_while_the_terminal_takes_the_last_one() -> None:
    throttle, terminal = Throttle(), Terminal(20_000)
    terminal.draw(throttle, 5)
    terminal.write(throttle, 4000)  # 0.2 s for this terminal
    assert not throttle.frame_due(terminal.now, pending=False)
    assert throttle.frame_due(terminal.now + 1, pending=False)
    assert throttle.skipped == 1


@pytest.mark.parametrize(("rate", "levels"), [(inf, 32), (200_000, 32), (100_000, 16), (10_000, 8)])
def test_slower_terminals_get_fewer_colours(rate: float, levels: int) -> None:
    throttle = Throttle()
    throttle.rate = rate
    assert throttle.colour_levels == levels
    assert throttle.fewer_colours == (levels < COLOUR_LEVELS[0][1])
