"""`pinkx doctor`: it finds problems, says how to fix them, and fails only for what pinkx needs."""

from __future__ import annotations

import ctypes.util
import importlib.metadata
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine import catalogue, reviews
from explorer.cli import pinkx


def examine(*args: str) -> Result:
    return CliRunner().invoke(pinkx, ["doctor", *args])


def findings() -> dict[str, dict[str, str]]:
    """Return the findings by name."""
    return {finding["name"]: finding for finding in json.loads(examine("--json").stdout)["findings"]}


def test_a_complete_installation_passes() -> None:
    done = examine()
    assert done.exit_code == 0, done.stdout
    assert "✗" not in done.stdout
    found = findings()
    assert found["networks"]["value"] == f"{len(catalogue.shipped_networks())} shipped"
    assert found["reviews"]["value"] == f"{len(reviews.open_reviews())} shipped"
    assert found["torch"]["value"] == importlib.metadata.version("torch")
    assert {"CPU", "python", "pinkx", "textual", "numba", "standard output"} <= found.keys()


def test_missing_networks_and_reviews_are_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "SHIPPED", tmp_path)
    monkeypatch.setattr(reviews, "BUNDLED", tmp_path)
    done = examine()
    assert done.exit_code == 1
    broken = [line for line in done.stdout.splitlines() if "✗" in line]
    assert [line.split()[1] for line in broken] == ["networks", "reviews"]
    assert all("→ reinstall pinkx" in line for line in broken)


def test_a_library_outside_its_range_is_broken_and_an_optional_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    true_version = importlib.metadata.version
    old = {"textual": "0.1", "pyside6-essentials": "6.9.1"}
    monkeypatch.setattr(importlib.metadata, "version", lambda name: old.get(name.lower()) or true_version(name))
    found = findings()
    assert found["textual"]["state"] == "broken"
    assert found["textual"]["value"] == "0.1 is not supported"
    assert "pip install 'textual" in found["textual"]["advice"]
    assert found["pyside6-essentials"]["state"] == "absent"


def test_a_missing_archive_comes_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINKX_IMDB", str(tmp_path / "nowhere.tar.gz"))
    archive = findings()["IMDb archive"]
    assert archive["state"] == "absent"
    assert "PINKX_IMDB" in archive["advice"]


def test_the_archive_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "aclImdb_v1.tar.gz"
    path.touch()
    monkeypatch.setenv("PINKX_IMDB", str(path))
    assert findings()["IMDb archive"] == {
        "group": "data",
        "name": "IMDb archive",
        "value": str(path),
        "state": "good",
        "advice": "",
    }


def test_missing_qt_libraries_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    there = lambda name: None if name in ("EGL", "xcb-cursor") else f"lib{name}.so"  # noqa: E731
    monkeypatch.setattr(ctypes.util, "find_library", there)
    found = findings()
    assert "apt install libegl1 (" in found["without a display"]["advice"]
    assert "apt install libegl1 libxcb-cursor0 (" in found["on X11"]["advice"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "16 million (TERM=xterm, COLORTERM=truecolor)"),
        ({"TERM": "xterm-256color"}, "256 (TERM=xterm-256color)"),
        ({"TERM": "xterm"}, "16 (TERM=xterm)"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "none (TERM=xterm, NO_COLOR=1)"),
    ],
)
def test_colours(environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.commands import doctor

    for name in ("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    found = {finding.name: finding for finding in doctor.terminal()}
    assert found["colours"].value == expected


def test_a_small_terminal_comes_with_the_size_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.commands import doctor

    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("LINES", "12")
    size = next(doctor.terminal())
    assert (size.value, size.state) == ("50×12", "absent")
    assert "60×16" in size.advice


def test_a_report_holds_what_a_bug_report_needs_and_nothing_personal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from explorer.commands import doctor

    home = tmp_path / "home" / "ada"
    (home / "lib").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PINKX_IMDB", str(home / "aclImdb.tar.gz"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("AWS_SECRET", "hidden")
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    monkeypatch.setattr("sys.executable", "/data/ada/python")
    file = tmp_path / "report.txt"
    done = examine("--report", str(file))
    text = file.read_text(encoding="utf-8")
    assert f"{file}: written; attach it" in done.stdout
    assert all(heading in text for heading in ("system", "device", "versions", "folders", "terminal", "environment"))
    assert "/data/USER/python" in text
    assert "~/aclImdb.tar.gz" in text
    assert "~/state/pinkx" in text
    assert "ada" not in text.replace("adapt", "")
    assert "AWS" not in text
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert doctor.anonymous("pada ada.txt") == "pada USER.txt"


def test_folders_that_cannot_be_written_are_named_with_what_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert findings()["state"]["advice"] == "your choices are not saved"


def test_a_package_of_the_same_name_in_another_distribution_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.commands import doctor

    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: {"engine": ["pinkx", "motor"]})
    (found,) = [finding for finding in doctor.system() if finding.state == "broken"]
    assert (found.name, "motor" in found.advice) == ("package engine", True)
