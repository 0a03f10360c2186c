"""Recordings that exceed the memory."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from engine import large_arrays
from engine.large_arrays import recording_array


def test_a_small_recording_lies_in_aligned_memory() -> None:
    values = recording_array(2, 3, 5)
    assert values.shape == (2, 3, 5)
    assert values.ctypes.data % 64 == 0
    assert not isinstance(values, np.memmap)


def test_a_recording_larger_than_the_memory_goes_to_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_arrays, "free_memory", lambda: 1000)
    with pytest.warns(RuntimeWarning, match=r"takes 0\.0 GB, and 0\.0 GB of memory are free; it goes to a temporary"):
        values = recording_array(2, 300)
    assert isinstance(values, np.memmap)
    values[:] = 3
    assert values.sum() == 1800


def test_a_recording_larger_than_the_disk_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_arrays, "free_memory", lambda: 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(OSError, match="Record fewer reviews or signals, or name another folder in TMPDIR"):
        recording_array(2, 300)
