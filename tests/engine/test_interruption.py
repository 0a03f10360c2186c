"""A check in the thread of a computation ends it between two steps, and only there."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch

from engine.attribution import gradient_times_input
from engine.cells import GruCell
from engine.cycles import settle
from engine.fixed_points import find_fixed_points
from engine.interruption import allow, interruptible
from engine.lyapunov import lyapunov_spectrum, memory_decay
from engine.word_attractors import word_attractors
from tests.explorer.small import small_network


class Stopped(Exception):
    pass


CELL = GruCell.from_torch(torch.nn.GRU(2, 3).double())
LONG = {
    "Lyapunov exponents": lambda: lyapunov_spectrum(CELL, torch.zeros(1, 150, 2), transient=10),
    "memory": lambda: memory_decay(CELL, torch.zeros(1, 20, 2)),
    "fixed points": lambda: find_fixed_points(CELL, torch.zeros(1, 2).double(), torch.randn(4, 3).double()),
    "words": lambda: word_attractors(small_network(3)),
    "attribution": lambda: gradient_times_input(small_network(3), np.array([2, 3, 2])),
    "cycles": lambda: settle(CELL, torch.zeros(1, 2).double(), torch.zeros(1, 3).double(), steps=5),
}


@pytest.mark.parametrize("work", LONG.values(), ids=LONG)
def test_a_long_computation_ends_at_its_next_step(work: Callable[[], object]) -> None:
    steps = 0

    def check() -> None:
        nonlocal steps
        steps += 1
        if steps == 2:
            raise Stopped

    with pytest.raises(Stopped), interruptible(check):
        work()
    assert steps == 2
    work()  # outside the block nothing is checked
    assert steps == 2


def test_the_check_is_of_its_thread_alone() -> None:
    calls: list[str] = []
    with interruptible(lambda: calls.append(threading.current_thread().name)):
        thread = threading.Thread(target=allow)
        thread.start()
        thread.join()
        assert calls == []
        allow()
    assert calls == [threading.current_thread().name]
