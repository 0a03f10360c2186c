"""The large library of PyTorch is loaded before the module that needs it, and nothing else is found differently."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from explorer import torch_loading
from explorer.torch_loading import LibraryLoader, load_library


def test_the_library_is_loaded_when_its_module_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Path] = []
    loader = LibraryLoader()
    monkeypatch.setattr(torch_loading, "load_library", loaded.append)
    assert (loader.find_spec("torch"), loader.find_spec("torch.nn", ["/t"]), loaded) == (None, None, [])
    assert loader.find_spec("torch._C", ["/t"]) is None
    assert loaded == [Path("/t/lib/libtorch_cpu.so")]


@pytest.mark.parametrize(("platform", "count"), [("linux", 1), ("darwin", 0), ("win32", 0)])
def test_only_linux_loads_it_early(monkeypatch: pytest.MonkeyPatch, platform: str, count: int) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sys, "meta_path", [])
    torch_loading.install()
    assert len(sys.meta_path) == count


@pytest.mark.skipif(sys.platform != "linux", reason="as in install")
def test_a_library_that_is_missing_or_damaged_is_left_to_the_import(tmp_path: Path) -> None:
    load_library(tmp_path / "libtorch_cpu.so")
    (tmp_path / "libtorch_cpu.so").write_bytes(b"no library")
    load_library(tmp_path / "libtorch_cpu.so")
