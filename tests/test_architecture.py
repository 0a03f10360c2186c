"""The plan of the house, kept: who imports whom, how big a room's files are, what is never used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLKITS = {"textual", "PySide6", "pyqtgraph", "plotext"}
FILES = sorted(
    file.relative_to(ROOT) for room in ("assets", "engine", "explorer", "tests") for file in (ROOT / room).rglob("*.py")
)


def imports(source: str) -> set[str]:
    """The modules a source imports, anywhere in it; ``from a.b import c`` counts as both a.b and a.b.c."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:  # ruff forbids relative ones
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def importers(room: str, forbidden: set[str]) -> dict[str, set[str]]:
    """The files below a room that import one of the forbidden modules or anything below one, with what they import."""
    found = {}
    for file in FILES:
        if file.is_relative_to(room):
            names = imports((ROOT / file).read_text())
            if bad := {name for name in names if any(f"{name}.".startswith(f"{wrong}.") for wrong in forbidden)}:
                found[str(file)] = bad
    return found


def test_imports_are_found_wherever_they_stand() -> None:
    source = "import a.b\ndef f():\n    from c import d\n    if f: import e as g\n"
    assert imports(source) == {"a.b", "c", "c.d", "e"}
    assert "explorer/commands/networks.py" in importers("explorer", {"engine"})


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("engine", {"explorer", "click", "rich", *TOOLKITS}),
        ("engine/kernels", {f"engine.{room}" for room in ("network", "recording", "stream", "training", "reviews")}),
        ("explorer/session", {"explorer.tui", "explorer.gui", "explorer.commands", "explorer.cli", "click", *TOOLKITS}),
        ("explorer/tui", {"explorer.gui", "explorer.commands", "explorer.cli", "PySide6", "pyqtgraph"}),
        ("explorer/gui", {"explorer.tui", "explorer.commands", "explorer.cli", "textual", "plotext"}),
        ("assets", {"engine", "explorer"}),
    ],
)
def test_a_room_imports_only_what_stands_to_its_left(room: str, forbidden: set[str]) -> None:
    assert importers(room, forbidden) == {}


def test_nothing_that_runs_code_from_a_file() -> None:
    """Weights and sessions come from strangers: no pickle in any dress.

    One room hands states from one half of the program to the other, in memory that has no name.
    """
    forbidden = {"pickle", "dill", "joblib", "shelve", "torch.load", "torch.save"}
    assert importers(".", forbidden) == {"engine/live/shared_state.py": {"pickle"}}
    for file in FILES:
        for node in ast.walk(ast.parse((ROOT / file).read_text())):
            if isinstance(node, ast.Attribute):
                assert ast.unparse(node) not in forbidden, f"{file}:{node.lineno}"
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert ast.unparse(node.value) == "False", f"{file}:{node.lineno}"


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_file_has_one_subject(file: Path) -> None:
    assert len((ROOT / file).read_text().splitlines()) < 500


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        (
            "from explorer.cli import main; sys.argv = ['pinkx', '--help']; main()",
            {"torch", "numba", "scipy", "numpy", "matplotlib", "PySide6", *TOOLKITS},
        ),
        ("import engine.catalogue; engine.catalogue.shipped()", {"torch", "numba", "scipy", *TOOLKITS}),
        ("import explorer.session", TOOLKITS),
    ],
    ids=["pinkx --help", "engine.catalogue", "explorer.session"],
)
def test_what_an_import_brings_along(code: str, heavy: set[str]) -> None:
    program = f"import atexit, sys; atexit.register(lambda: print({heavy!r} & set(sys.modules))); {code}"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
