"""Recordings that exceed the memory."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from engine import large_arrays
from engine.large_arrays import copy_to_host, recording_array
from engine.network import Network
from engine.recording import record


def test_a_tensor_is_copied_to_the_host_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    values, host = torch.arange(30.0).reshape(5, 6), np.zeros((5, 6), dtype=np.float32)
    monkeypatch.setattr(large_arrays, "CHUNK", 2 * 6 * 4)  # two rows
    copy_to_host(host, values)
    np.testing.assert_array_equal(host, values.numpy())


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
    monkeypatch.setattr(large_arrays, "recycled_bytes", lambda: 10_000)
    large_arrays._give_back(np.empty(9_000, dtype=np.uint8))
    assert sum(map(len, large_arrays._unused.values())) == 9_000, "the oldest are forgotten"


def test_a_recording_larger_than_the_memory_goes_to_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_arrays, "free_memory", lambda: 1000)
    with pytest.warns(RuntimeWarning, match=r"takes 0\.0 GB, and 0\.0 GB of memory are free; it goes to a temporary"):
        values = recording_array(2, 300)
    assert isinstance(values, np.memmap)
    values[:] = 3
    assert values.sum() == 1800


def test_a_real_recording_in_a_file_equals_one_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    network, ids = Network.load("lstm-8"), np.random.default_rng(0).integers(2, 50, (2, 3000))
    expected = record(network, list(ids))
    monkeypatch.setattr(large_arrays, "free_memory", lambda: 10**6)
    size = len(network.cell.signals) * ids.size * 8 * 4
    assert size > 10**6
    message = rf"the recording takes {size / 1e9:.1f} GB, and 0\.0 GB of memory are free; it goes to a temporary file"
    with pytest.warns(RuntimeWarning, match=message):
        found = record(network, list(ids))
    for name in expected.names:
        np.testing.assert_array_equal(found[name], expected[name])


def test_a_recording_larger_than_the_disk_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_arrays, "free_memory", lambda: 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(OSError, match="Record fewer reviews or signals, or name another folder in TMPDIR"):
        recording_array(2, 300)
