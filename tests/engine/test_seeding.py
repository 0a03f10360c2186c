"""Weights drawn from a seed do not depend on what other threads draw."""

from __future__ import annotations

import threading

import torch

from engine.seeding import seeded


def test_another_thread_waits_until_the_weights_are_drawn() -> None:
    outside = torch.random.get_rng_state()
    with seeded(1):
        expected = torch.rand(3).tolist()
    found: list[list[float]] = []

    def other() -> None:
        with seeded(1):
            found.append(torch.rand(3).tolist())

    thread = threading.Thread(target=other)
    with seeded(0):
        thread.start()
        thread.join(0.05)
        assert found == []
        here = torch.rand(3)
    thread.join()
    assert found == [expected]
    assert here.equal(torch.rand(3, generator=torch.Generator().manual_seed(0)))
    assert torch.random.get_rng_state().equal(outside)
