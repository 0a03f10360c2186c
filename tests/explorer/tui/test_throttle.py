"""How fast a terminal is, told from how long writes to it take; without a clock."""

from __future__ import annotations

from math import inf

import pytest

from explorer.tui.terminal.throttle import AHEAD, HELD, PART, SLOW, Flow


class Terminal:
    """Takes so many bytes a second, and holds some that it has not taken; a write blocks until there is room."""

    def __init__(self, rate: float) -> None:
        self.rate, self.now, self.clamps = rate, 0.0, 0.0

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.clamps = max(0.0, self.clamps - seconds * self.rate)

    def write(self, flow: Flow, sent: int) -> None:
        began = self.now
        self.wait(1e-4)
        if self.clamps + sent > HELD:  # it makes room only when it is all but empty
            self.wait(self.clamps / self.rate)
        self.clamps += sent
        flow.wrote(sent, began, self.now)

    def draw(self, flow: Flow, seconds: float) -> list[float]:
        """As the writer does with a picture that is never done; returns how many bytes lay before each part."""
        end, before = self.now + seconds, []
        while self.now < end:
            if (wait := flow.ahead(self.now) - AHEAD) > 0:
                self.wait(max(1e-4, min(wait, AHEAD)))
            else:
                before.append(self.clamps)
                self.write(flow, flow.part)
        return before


@pytest.mark.parametrize("rate", [20_000, 60_000, 150_000])
def test_a_slow_terminal_is_known_and_little_lies_before_it(rate: float) -> None:
    flow, terminal = Flow(), Terminal(rate)
    terminal.draw(flow, 5)
    before = []
    for _ in range(20):
        before += terminal.draw(flow, 1)
        assert 0.6 * rate < flow.rate < 1.6 * rate
    assert sum(before) / len(before) < HELD / 3
    assert flow.part < PART


def test_a_fast_terminal_is_never_waited_for() -> None:
    flow, terminal = Flow(), Terminal(2 * SLOW)
    terminal.draw(flow, 5)
    for _ in range(100):
        terminal.wait(0.05)
        terminal.write(flow, 2000)
    assert flow.rate == inf
    assert flow.ahead(terminal.now) == 0
    assert flow.part == PART


def test_what_a_stopped_machine_made_slow_is_soon_fast_again() -> None:
    flow, terminal = Flow(), Terminal(1e7)
    terminal.draw(flow, 0.01)
    flow.wrote(200, terminal.now, terminal.now + 3.0)  # too little to tell
    assert flow.rate == inf
    terminal.now += 3.0
    flow.wrote(20_000, terminal.now, terminal.now + 2.0)
    terminal.now += 2.0
    assert flow.rate < 20_000
    assert flow.ahead(terminal.now) < 0.3
    terminal.draw(flow, 15)
    assert flow.rate == inf
