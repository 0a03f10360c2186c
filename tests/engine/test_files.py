"""A file is complete or does not exist."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError

from engine.files import atomic_folder, atomic_write, user_folder


def test_the_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_removed_once_it_is_old(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    names = (".a.txt.99999999-1", ".b.txt.99999999-1", ".a.txt.mine", "a.txt.77", f".a.txt.{os.getpid()}-1")
    kept = [tmp_path / name for name in names]
    old = [tmp_path / ".a.txt.99999998-1", tmp_path / ".a.txt.99999998"]
    for file in (*kept, *old):
        file.touch()
    for file in (*kept[1:], *old):
        os.utime(file, (0, 0))
    with atomic_write(path) as temporary:
        temporary.write_text("new")
    assert sorted(tmp_path.iterdir()) == sorted([path, *kept])


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    path, abandoned = tmp_path / "a.zarr", tmp_path / ".a.zarr.99999998-1"
    (abandoned / "part").mkdir(parents=True)
    os.utime(abandoned, (0, 0))

    def interrupted() -> None:
        with atomic_folder(path) as temporary:
            (temporary / "part").touch()
            assert not path.exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    with atomic_folder(path) as temporary:
        (temporary / "part").touch()
    assert list(tmp_path.rglob("*")) == [path, path / "part"]


@pytest.mark.parametrize("raises", [False, True], ids=["unexpanded", "raised"])  # by the version of platformdirs
def test_without_a_home_folder_nothing_is_stored(monkeypatch: pytest.MonkeyPatch, raises: bool) -> None:
    def found(name: str, **_: Any) -> Path:
        if raises:
            raise RuntimeError("could not determine the home directory")
        return Path("~/.cache", name)

    monkeypatch.setattr("platformdirs.user_cache_path", found)
    folder = user_folder("cache")
    assert folder.is_absolute()
    assert not folder.exists()
    with pytest.raises(NotADirectoryError):
        folder.mkdir(parents=True)


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), SafetensorError("I/O error: No space left on device")],
    ids=["system", "safetensors"],
)
def test_a_full_disk_leaves_the_old_file_and_names_it(tmp_path: Path, error: Exception) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("ne")
            raise error

    with pytest.raises(OSError, match="No space left on device.*a.txt"):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
