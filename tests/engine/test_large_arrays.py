"""Recordings that exceed the memory."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from engine import large_arrays
from engine.large_arrays import recording_array


def test_a_small_recording_lies_in_aligned_memory() -> None:
    values = recording_array(2, 3, 5)
    assert values.shape == (2, 3, 5)
    assert values.ctypes.data % 64 == 0
    assert not isinstance(values, np.memmap)


def test_memory_is_used_again_only_when_no_view_of_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_arrays, "_unused", {})
    first = recording_array(2, 1000)
    place, view = first.ctypes.data, torch.from_numpy(first)[1, 5:7]
    view[:] = 7
    del first
    second = recording_array(2, 1000)
    assert second.ctypes.data != place, "a view of the first is still in use"
    del view
    third = recording_array(2, 900)
    assert third.ctypes.data == place
    third[:] = 1
    assert recording_array(2, 1000).ctypes.data not in (place, second.ctypes.data)
    del second, third
    monkeypatch.setattr(large_arrays, "RECYCLED", 10_000)
    large_arrays._give_back(np.empty(9_000, dtype=np.uint8))
    assert sum(map(len, large_arrays._unused.values())) == 9_000, "the oldest are forgotten"


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
