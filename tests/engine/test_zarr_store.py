"""Recordings in Zarr stores: written in parts, read back by pinkx and by xarray, and played."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.live.replay import RecordedSequence, ReplayError
from engine.live.zarr_replay import load_store
from engine.network import Network
from engine.recording import Recording, record
from engine.reviews import open_reviews
from engine.zarr_recording import record_to_zarr
from engine.zarr_store import StoredRecording, StoreError, is_store

pytest.importorskip("zarr", reason="Zarr stores need zarr")


@pytest.fixture(scope="module")
def network() -> Network:
    return Network.load("lstm-8")


@pytest.fixture(scope="module")
def ids(network: Network) -> list[np.ndarray]:
    assert network.vocabulary is not None
    return [network.vocabulary.encode(review.words[: 20 + 7 * k]) for k, review in enumerate(open_reviews()[:7])]


@pytest.fixture(scope="module")
def recording(network: Network, ids: list[np.ndarray]) -> Recording:
    return record(network, ids)


def equal(stored: StoredRecording, recording: Recording) -> None:
    assert stored.names == recording.names
    np.testing.assert_array_equal(stored.lengths, recording.lengths)
    for name in recording.names:
        np.testing.assert_array_equal(stored[name][:], recording[name])


def test_what_is_recorded_into_a_store_is_the_recording(
    tmp_path: Path, network: Network, ids: list[np.ndarray], recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.zarr_store.CHUNK", 3 * 4 * 62 * 8)  # three reviews at once
    path = tmp_path / "x.zarr"
    stored = record_to_zarr(network, ids, path)
    equal(stored, recording)
    assert stored["h"].chunks == (3, 62, 8)
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.zarr"]
    equal(StoredRecording.open(path), recording)
    assert is_store(path)
    np.testing.assert_array_equal(stored.review(2)["f"], recording["f"][2, : len(ids[2])])
    assert "7 reviews by lstm-8" in repr(stored)
    written = recording.to_zarr(tmp_path / "y.zarr")
    equal(written, recording)
    for review in range(7):
        np.testing.assert_array_equal(written.tokens(review), stored.tokens(review))
    assert written.facts == stored.facts


def test_xarray_opens_a_store(tmp_path: Path, network: Network, ids: list[np.ndarray], recording: Recording) -> None:
    xarray = pytest.importorskip("xarray", reason="xarray opens the store")
    record_to_zarr(network, ids, tmp_path / "x.zarr", ["h", "x"])
    data = xarray.open_zarr(tmp_path / "x.zarr", chunks=None)
    assert data["h"].dims == ("review", "time", "cell")
    assert data["x"].dims == ("review", "time", "input")
    np.testing.assert_array_equal(data["h"].values, recording["h"])
    np.testing.assert_array_equal(data["length"].values, recording.lengths)
    assert data["h"].attrs["kind"] == "external"
    assert data.attrs["network"] == "lstm-8"
    lazy = StoredRecording.open(tmp_path / "x.zarr").to_xarray()
    assert lazy.equals(data)
    expected = recording.to_xarray()
    np.testing.assert_array_equal(lazy["h"].mean("cell"), expected["h"].mean("cell"))


def test_a_recording_that_fails_leaves_nothing(
    tmp_path: Path, network: Network, ids: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.zarr_store.CHUNK", 1)
    with pytest.raises(ValueError, match="knows 0 to"):
        record_to_zarr(network, [*ids, np.array([10**6])], tmp_path / "x.zarr")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_exists_is_not_replaced(tmp_path: Path, network: Network, ids: list[np.ndarray]) -> None:
    (tmp_path / "x.zarr").mkdir()
    with pytest.raises(FileExistsError, match="remove it, or name another folder"):
        record_to_zarr(network, ids, tmp_path / "x.zarr")


def test_a_store_is_played(tmp_path: Path, network: Network, ids: list[np.ndarray], recording: Recording) -> None:
    record_to_zarr(network, ids, tmp_path / "x.zarr")
    runs = load_store(tmp_path / "x.zarr")
    assert [len(run.words) for run in runs] == [len(review) for review in ids]
    assert network.vocabulary is not None
    assert runs[1].words[3] == network.vocabulary.word(int(ids[1][3]))
    np.testing.assert_array_equal(runs[1].network.values["c"], recording["c"][1, : len(ids[1])])
    h = recording.tensor("h")[1, 5]
    assert runs[1].network.probability(h) == pytest.approx(network.probability(h), abs=1e-6)
    assert len(load_store(tmp_path / "x.zarr", limit=1)) == 1


def test_a_store_of_a_network_over_numbers_is_played(tmp_path: Path) -> None:
    network = Network.load("gru-100-integration-1")
    x = np.random.default_rng(0).normal(size=(2, 6, network.cell.inputs)).astype(np.float32)
    stored = record_to_zarr(network, list(x), tmp_path / "x.zarr")
    assert stored.tokens(0) is None
    run = load_store(tmp_path / "x.zarr")[1]
    assert isinstance(run, RecordedSequence)
    np.testing.assert_array_equal(run.inputs, x[1])


def test_a_store_without_every_signal_is_not_played(tmp_path: Path, network: Network, ids: list[np.ndarray]) -> None:
    record_to_zarr(network, ids, tmp_path / "x.zarr", ["h"])
    with pytest.raises(ReplayError, match="lacks i, f, .*: to play it, record every signal"):
        load_store(tmp_path / "x.zarr")


@pytest.mark.parametrize("kind", ["missing", "empty", "other"])
def test_what_is_no_store_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.zarr"
    if kind != "missing":
        path.mkdir()
    if kind == "other":
        import zarr

        zarr.create_group(str(path), zarr_format=2, overwrite=True)
    with pytest.raises(StoreError, match="no such folder|not a recording of pinkx"):
        StoredRecording.open(path)
    assert not is_store(path)
