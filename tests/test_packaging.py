"""The wheel: what it holds, and that another package with one of its names is refused by one sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from explorer.cli import hiding_file, main

ROOT = Path(__file__).parents[1]
PACKAGES = ("assets", "engine", "explorer")


@pytest.fixture(scope="module")
def wheel() -> set[str]:
    """Return the paths of all files of the wheel but its own records."""
    wheels = pytest.importorskip("hatchling.builders.wheel", reason="hatchling, which builds the wheel, is missing")
    return {file.distribution_path for file in wheels.WheelBuilder(str(ROOT)).recurse_included_files()}


def test_the_wheel_holds_every_file_of_the_packages(wheel: set[str]) -> None:
    there = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.parent.name != "pictures"
    }
    assert {path for path in there if path.endswith((".safetensors", ".json", ".txt", ".tcss", "py.typed"))} <= wheel
    assert wheel == there


def test_every_folder_of_assets_has_an_origin_and_a_licence(wheel: set[str]) -> None:
    described = (ROOT / "assets/README.md").read_text(encoding="utf-8")
    folders = {path.split("/")[1] for path in wheel if path.startswith("assets/") and path.count("/") > 1}
    assert folders >= {"networks", "reviews", "measured"}
    assert {folder for folder in folders if f"| `{folder}` |" not in described} == set()
    assert "assets/README.md" in wheel


@pytest.mark.parametrize("name", ["engine", "assets"])
def test_another_package_of_the_same_name_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hiding_file(name) is None
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(SystemExit, match=rf"error: the package '{name}' of pinkx is hidden by {tmp_path}"):
        main()
