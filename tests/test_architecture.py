"""The architecture, checked: imports follow the layers without a cycle, files stay small, nothing unsafe is loaded."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("assets", "engine", "explorer", "tests")
FILES = sorted(file.relative_to(ROOT) for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
MAX_LINES = 500

TOOLKITS = {"textual", "PySide6", "pyqtgraph", "plotext"}
IO = {"concurrent", "multiprocessing", "pathlib", "requests", "shutil", "socket", "subprocess", "tempfile", "threading"}
FRONT_ENDS = {"explorer.tui", "explorer.gui", "explorer.commands", "explorer.cli", "click", *TOOLKITS}

LAYERS: dict[str, set[str]] = {  # folder or file: what it must not import
    "assets": {"engine", "explorer"},
    "engine": {"explorer", "click", "rich", *TOOLKITS},
    "engine/kernels": {f"engine.{name}" for name in ("live", "network", "recording", "reviews", "training")},
    "engine/kernels/cpu": {"engine.kernels.cuda", "triton"},
    "explorer/session": {"explorer.measure", *FRONT_ENDS},
    "explorer/session/core.py": {"explorer.session.controllers", "explorer.session.session", "explorer.session.views"},
    "explorer/session/controllers": {"explorer.session.session"},
    "explorer/session/views": {"explorer.session.controllers", "explorer.session.session", *IO},
    "explorer/measure": {"explorer.session", "explorer.tui", "explorer.gui", "explorer.cli", *TOOLKITS},
    "explorer/tui": {"explorer.gui", "explorer.commands", "explorer.cli", "PySide6", "pyqtgraph"},
    "explorer/gui": {"explorer.tui", "explorer.commands", "explorer.cli", "textual", "plotext"},
}


@cache
def nodes(file: Path) -> dict[type[ast.AST], list[Any]]:
    """Return the nodes of a file's syntax tree by type."""
    found: dict[type[ast.AST], list[Any]] = defaultdict(list)
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        found[type(node)].append(node)
    return found


def imports(import_nodes: Iterable[ast.AST]) -> set[str]:
    """Return the modules that nodes import; ``from a.b import c`` counts as both a.b and a.b.c."""
    found = set()
    for node in import_nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:  # ruff forbids relative imports
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@cache
def imports_of(file: Path) -> set[str]:
    """Return the modules imported anywhere in a file."""
    return imports([*nodes(file)[ast.Import], *nodes(file)[ast.ImportFrom]])


def importers(layer: str, forbidden: set[str]) -> dict[str, set[str]]:
    """Return the files of a layer that import a forbidden module or a part of one, with what they import."""
    found = {}
    for file in FILES:
        if file.is_relative_to(layer):
            wrong = {name for name in imports_of(file) if any(f"{name}.".startswith(f"{bad}.") for bad in forbidden)}
            if wrong:
                found[file.as_posix()] = wrong
    return found


def module_name(file: Path) -> str:
    """Return the dotted name of the module in a file."""
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(file: Path, modules: Collection[str]) -> set[str]:
    """Return which of the modules a file imports; ``from package import module`` counts as the module alone."""
    found = set()
    for node in (*nodes(file)[ast.Import], *nodes(file)[ast.ImportFrom]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else node.module for name in names}
    return found & set(modules)


def cycles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """Yield the strongly connected components of two or more modules (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(module: str) -> Iterator[list[str]]:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in graph[module]:
            if other not in index:
                yield from visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            component = stack[stack.index(module) :]
            del stack[-len(component) :]
            if len(component) > 1:
                yield sorted(component)

    for module in graph:
        if module not in index:
            yield from visit(module)


def is_private(name: str) -> bool:
    """Return whether a name begins with one underscore."""
    return name.startswith("_") and not name.startswith("__")


def definitions(file: Path) -> set[str]:
    """Return the names that a file defines: functions, classes, variables and attributes of ``self``."""
    found = {node.name for kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef) for node in nodes(file)[kind]}
    found |= {node.id for node in nodes(file)[ast.Name] if isinstance(node.ctx, ast.Store)}
    return found | {
        node.attr
        for node in nodes(file)[ast.Attribute]
        if isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"
    }


def test_imports_are_found_wherever_they_stand() -> None:
    source = "import a.b\ndef f():\n    from c import d\n    if f: import e as g\n"
    assert imports(ast.walk(ast.parse(source))) == {"a.b", "c", "c.d", "e"}
    assert "explorer/commands/networks.py" in importers("explorer", {"engine"})


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_what_stands_to_its_left(layer: str) -> None:
    assert (ROOT / layer).exists(), f"{layer} is gone: correct LAYERS"
    assert importers(layer, LAYERS[layer]) == {}


def test_cycles_are_found() -> None:
    graph = {"a": {"b", "d"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": set(), "f": {"g"}, "g": {"f"}}
    assert sorted(cycles(graph)) == [["a", "b", "c"], ["f", "g"]]


def test_no_import_cycle_not_even_for_types() -> None:
    """Imports inside functions and under ``TYPE_CHECKING`` count too."""
    modules = {module_name(file): file for file in FILES}
    assert list(cycles({name: imported_modules(file, modules.keys()) - {name} for name, file in modules.items()})) == []


def test_nothing_runs_code_from_a_file() -> None:
    """Weights and sessions come from strangers: no pickle.

    Exceptions: the two processes of the program pass a state through memory that no other process can open; and the
    tests of the importers write files with torch.save as users do. The importers themselves interpret a pickle without
    the module pickle.
    """
    saving = "tests/engine/importers/torch_files.py"
    forbidden = {"pickle", "dill", "joblib", "shelve", "torch.load", "torch.save"}
    assert importers(".", forbidden) == {"engine/live/shared_state.py": {"pickle"}}
    for file in FILES:
        allowed = {"torch.save"} if file.as_posix() == saving else set()
        for node in nodes(file)[ast.Attribute]:
            if node.attr in ("load", "save"):
                assert ast.unparse(node) not in forbidden - allowed, f"{file}:{node.lineno}"
        for node in nodes(file)[ast.keyword]:
            if node.arg == "allow_pickle":
                assert ast.unparse(node.value) == "False", f"{file}:{node.lineno}"


def test_private_parts_of_textual_are_used_in_one_file() -> None:
    """An attribute with an underscore that no file of ours defines belongs to a library."""
    files = [file for file in FILES if file.is_relative_to("explorer")]
    ours = {name for file in files for name in definitions(file)}
    found = {
        (file.as_posix(), node.attr)
        for file in files
        if file.is_relative_to("explorer/tui")
        for node in nodes(file)[ast.Attribute]
        if is_private(node.attr) and node.attr not in ours
    }
    assert {file for file, name in found if name != "_exit"} == {"explorer/tui/terminal/textual_internals.py"}
    for file in FILES:
        assert [name for name in imports_of(file) if name.startswith(("textual._", "rich._"))] == [], file


def test_tests_use_no_file_outside_the_repository() -> None:
    """Assert that only PINKX_IMDB may name one."""
    for file in FILES:
        for node in nodes(file)[ast.Subscript]:
            parents = isinstance(node.value, ast.Attribute) and node.value.attr == "parents"
            if parents and ast.unparse(node.value) == "Path(__file__).parents":
                assert int(ast.unparse(node.slice)) < len(file.parts), f"{file}:{node.lineno}"


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_file_is_short(file: Path) -> None:
    assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) < MAX_LINES


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        (
            "from explorer.cli import main; sys.argv = ['pinkx', '--help']; main()",
            {"torch", "numba", "scipy", "numpy", "matplotlib", "PySide6", *TOOLKITS},
        ),
        ("import engine.catalogue; engine.catalogue.shipped_networks()", {"torch", "numba", "scipy", *TOOLKITS}),
        ("import explorer.session", TOOLKITS),
    ],
    ids=["pinkx --help", "engine.catalogue", "explorer.session"],
)
def test_an_import_loads_no_heavy_library(code: str, heavy: set[str]) -> None:
    program = f"import atexit, sys; atexit.register(lambda: print({heavy!r} & set(sys.modules))); {code}"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
