"""The kernels for a GPU are compiled without one; `make bench` compiles all of them, this test the largest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton", reason="Triton, which compiles the GPU kernels, is not installed")

LARGEST = """
from engine.kernels.cuda import resources
for found in (
    resources.recurrent("lstm", 128, "record, sums", True, 90),
    resources.recurrent("gru", 128, "statistics", True, 80),
    resources.dfa(0, True, 80),
):
    print(found)
    assert found.fits
    assert found.registers > 0
"""


def test_the_largest_kernels_fit_their_cards(tmp_path: Path) -> None:
    # A process of its own: once imported as an interpreter, Triton compiles nothing.
    environment = {**os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": os.fspath(tmp_path)}
    found = subprocess.run([sys.executable, "-c", LARGEST], env=environment, capture_output=True, text=True)
    assert not found.returncode, found.stdout + found.stderr
