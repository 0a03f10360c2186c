"""A sample of the damaged files of `tests.robustness.fuzz`: each is read, or refused by one clean line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.robustness.formats import FORMATS
from tests.robustness.fuzz import inputs, outcome


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.filterwarnings("default")
def test_damaged_files_are_read_or_refused_cleanly(name: str, tmp_path: Path) -> None:
    kind, path = FORMATS[name], tmp_path / FORMATS[name].file_name
    kind.make(path)
    kind.use(path)  # the good file is read
    found = {seed: outcome(kind, data, path) for seed, data in inputs(kind, tmp_path, range(kind.sample))}
    assert {seed: what for seed, what in found.items() if what not in ("read", "refused")} == {}
