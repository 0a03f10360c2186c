"""``import engine``: cheap, complete, and the same names for Python and for type checkers."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import engine

ROOT = Path(engine.__file__).parent


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_engine_loads_nothing_heavy() -> None:
    heavy = {"torch", "numba", "scipy", "numpy", "matplotlib", "xarray"}
    assert run(f"import sys, engine; dir(engine); engine.__version__; print({heavy!r} & set(sys.modules))") == "set()"


def test_a_name_loads_its_own_module_only() -> None:
    loaded = "{name for name in ('torch', 'numba', 'scipy', 'numpy') if name in sys.modules}"
    assert run(f"import sys, engine; engine.open_reviews; print({loaded})") == "set()"
    assert (
        run(f"import sys, engine; engine.default_scales; print('torch' in {loaded}, 'numba' in {loaded})")
        == "False True"
    )


@pytest.mark.parametrize("name", engine.__all__)
def test_every_exported_name_is_there_and_listed(name: str) -> None:
    assert getattr(engine, name) is not None
    assert name in dir(engine)


def test_the_promised_paths_lead_to_the_same_objects() -> None:
    promised = {
        "cells": ("RnnCell", "GruCell", "LstmCell"),
        "network": ("Network",),
        "recording": ("record",),
        "fluctuation": ("fluctuations", "exponents", "RollingExponent"),
        "fixed_points": ("find_fixed_points",),
    }
    for module, names in promised.items():
        for name in names:
            assert getattr(import_module(f"engine.{module}"), name) is getattr(engine, name)


def test_no_exported_name_is_hidden_by_a_module() -> None:
    modules = {path.stem for path in ROOT.iterdir()}
    assert not modules & set(engine.__all__)


def test_type_checkers_see_the_same_names() -> None:
    block = next(node for node in ast.parse((ROOT / "__init__.py").read_text()).body if isinstance(node, ast.If))
    seen = {
        (alias.asname, node.module)
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {(name, engine._MODULE_OF[name]) for name in engine.__all__ if name != "__version__"}
    assert (ROOT / "py.typed").exists()


def test_an_unknown_name_lists_the_exports() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'recrod'; it exports .*record"):
        engine.recrod  # type: ignore[attr-defined]  # noqa: B018
