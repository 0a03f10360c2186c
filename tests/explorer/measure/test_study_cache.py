"""Cached results of a study: a damaged file is computed again, whatever its damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explorer.measure.study.cache import cache_file, cached

VALUES = {"beta": [0.1, 1e-300, float("inf")], "name": "h", "count": 3}


def restored(values: dict[str, Any]) -> tuple[float, str]:
    return sum(values["beta"][:2]) * values["count"], values.pop("name")


def read(path: Path) -> tuple[tuple[float, str], bool]:
    """Return the result, and whether it was computed."""
    computed: list[Path] = []

    def compute() -> dict[str, Any]:
        computed.append(path)
        return dict(VALUES)

    return cached(path, compute, restored), bool(computed)


def test_a_result_is_computed_once(tmp_path: Path) -> None:
    path = cache_file(tmp_path / "new", "lstm-8", 1, "digest")
    first, computed = read(path)
    assert computed
    assert read(path) == (first, False)
    assert cache_file(tmp_path / "new", "lstm-8", 2, "digest") != path


@pytest.mark.parametrize(
    "text",
    [
        *("", "[", "[]", "3", "{}", '{"sha256": 1, "values": 2}', '{"sha256": "", "values": []}', "[" * 100_000),
        *('{"a":' * 100_000, "null", '{"beta": {}, "count": 1, "name": 2}', '{"beta": "x", "count": []}', "\ufeff{}"),
    ],
    ids=range(13),
)
def test_a_damaged_file_is_computed_again(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    assert read(path)[1]
    assert not read(path)[1]


def test_a_changed_digit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    result, _ = read(path)
    path.write_text(path.read_text().replace("0.1", "0.2"))
    assert read(path) == (result, True)


def test_a_file_of_an_older_version_has_no_digest(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(VALUES))
    assert not read(path)[1]
