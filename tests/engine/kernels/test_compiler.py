"""The cache of compiled kernels: used again when nothing changed, and never after an edit of any kernel source."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.kernels.cpu import compiler, dfa, rolling, row_stamps, steps
from engine.kernels.cpu.compiler import sources_digest

HELPER = "from kernels.compiler import inner\n\n@inner\ndef term(x):\n    return {factor} * x\n"
KERNEL = (
    "from kernels.compiler import kernel\nfrom kernels.helper import term\n\n"
    "@kernel\ndef total(n):\n    s = 0.0\n    for k in range(n):\n        s += term(float(k))\n    return s\n"
)
RUN = "from kernels.main import total; print(total(4), sum(total.stats.cache_hits.values()))"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with a copy of the compiler, one kernel, and its helper in another file."""
    folder = tmp_path / "kernels"
    folder.mkdir()
    (folder / "__init__.py").touch()
    shutil.copy(compiler.__file__, folder)
    (folder / "helper.py").write_text(HELPER.format(factor="2.0"))
    (folder / "main.py").write_text(KERNEL)
    return folder


def run(package: Path) -> tuple[float, int]:
    """Call the kernel in a new process: its result, and how often it came from the cache."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment |= {"PYTHONPATH": str(package.parent), "XDG_CACHE_HOME": str(package.parent / "cache")}
    done = subprocess.run([sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, check=True)
    result, hits = done.stdout.split()
    return float(result), int(hits)


def test_an_edit_of_a_helper_in_another_file_is_seen(package: Path) -> None:
    assert run(package) == (12.0, 0)
    assert run(package) == (12.0, 1)
    (package / "helper.py").write_text(HELPER.format(factor="5.0"))
    assert run(package) == (30.0, 0)


def test_a_read_only_installation_has_its_cache_elsewhere(package: Path) -> None:
    (package / "__pycache__").write_text("a file where numba would make a folder")
    environment_cache = package.parent / "cache"
    assert run(package) == (12.0, 0)
    assert list(environment_cache.rglob("*.nbi"))
    assert run(package) == (12.0, 1)


def test_every_cached_kernel_carries_the_digest_of_all_sources() -> None:
    digest = sources_digest(Path(compiler.__file__).parent)
    for kernel in (dfa._fluctuations, rolling.push, row_stamps.get_rows, row_stamps.put_rows, steps.run):
        assert kernel.py_func.__qualname__.endswith(digest)
    decorating = [path for path in Path(compiler.__file__).parent.glob("*.py") if "njit" in path.read_text()]
    assert [path.name for path in decorating] == ["compiler.py"]


def test_the_digest_depends_on_names_and_contents(package: Path) -> None:
    seen = {sources_digest(package)}
    (package / "helper.py").write_text("x = 1\n")
    seen.add(sources_digest(package))
    (package / "helper.py").rename(package / "other.py")
    seen.add(sources_digest(package))
    assert len(seen) == 3


def test_without_a_folder_for_the_cache_a_kernel_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba raises RuntimeError for a user without a home folder and a read-only installation."""
    monkeypatch.setattr("numba.core.caching.CacheImpl._locator_classes", [])

    def twice(x: float) -> float:
        return 2 * x

    assert compiler.kernel(twice)(4.0) == 8.0
