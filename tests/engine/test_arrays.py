"""A file of arrays is read back as it was written, or refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from numpy.typing import NDArray

from engine.arrays import load_arrays, save_arrays

ARRAYS: dict[str, NDArray[np.generic]] = {
    "states": np.random.default_rng(0).normal(size=(20, 12)),
    "fixed": np.ones(20, dtype=bool),
    "names": np.array(["zero", "a"]),
    "starts": np.array(5),
}


LAYOUT = {"states": "f P S", "fixed": "b P", "names": "U name", "starts": "i"}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("arrays") / "a.npz"
    save_arrays(path, "test 1", ARRAYS)
    return path


def same(found: dict[str, NDArray[np.generic]]) -> bool:
    return all(found[name].dtype == a.dtype and np.array_equal(found[name], a) for name, a in ARRAYS.items())


def test_what_was_written_is_read(file: Path) -> None:
    assert same(load_arrays(file, "test 1", LAYOUT))
    with pytest.raises(ValueError, match="something else"):
        load_arrays(file, "test 2", LAYOUT)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), cut=st.integers(0, 40), put=st.binary(max_size=40))
@example(place=0.5, cut=10_000, put=b"")
def test_a_changed_file_is_read_right_or_refused(
    file: Path, tmp_path: Path, place: float, cut: int, put: bytes
) -> None:
    """Tried once with 12,000 changes: 549 changed bytes that carry nothing, all others were refused."""
    data = file.read_bytes()
    start = int(place * len(data))
    changed = tmp_path / "b.npz"
    changed.write_bytes(data[:start] + put + data[start + cut :])
    try:
        found = load_arrays(changed, "test 1", LAYOUT)
    except ValueError as refused:
        message = str(refused)
    else:
        message = "b.npz: expected an .npz file of test 1" if same(found) else "read wrongly"
    assert "b.npz: expected an .npz file of test 1" in message


@pytest.mark.parametrize("name", ["states", "fixed"])
def test_an_array_that_was_exchanged_is_refused(file: Path, tmp_path: Path, name: str) -> None:
    with np.load(file) as archive:
        arrays = dict(archive)
    np.savez(tmp_path / "b.npz", **arrays | {name: arrays[name][:3]})
    with pytest.raises(ValueError, match="digest differs"):
        load_arrays(tmp_path / "b.npz", "test 1", LAYOUT)


@pytest.mark.parametrize("shape", [(9_999_999_999_999,), (2**70,)])
def test_a_shape_larger_than_the_memory_is_refused(tmp_path: Path, shape: tuple[int]) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    member = io.BytesIO(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"x" * 80)
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("states.npy", member.getvalue())
    with pytest.raises(ValueError, match="damaged"):
        load_arrays(tmp_path / "b.npz", "test 1", LAYOUT)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        pytest.param({"states": "f S S"}, "states has type float64 and shape", id="lengths"),
        pytest.param({"states": "f P"}, "states has type float64 and shape", id="dimensions"),
        pytest.param({"fixed": "i P"}, "fixed has type bool", id="numbers"),
        pytest.param({"starts": "i one"}, r"starts has type int64 and shape \(\)", id="a number"),
        pytest.param({"names": "U P"}, r"names has type <U4 and shape \(2,\)", id="across arrays"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(file: Path, layout: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_arrays(file, "test 1", LAYOUT | layout)
