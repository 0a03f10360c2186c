"""Random weights from a seed, while other threads draw theirs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch

_LOCK: Final = threading.Lock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed PyTorch's global generator within the block, and restore it afterwards.

    The layers of PyTorch take no other generator for their first weights, and all threads share this one: the threads
    that use this function take turns.
    """
    with _LOCK, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
