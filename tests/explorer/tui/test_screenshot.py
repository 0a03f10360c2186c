"""Screenshots taken without a terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from explorer.tui.terminal.screenshot import as_png
from tests.explorer.small import small_file
from tests.forking import run

PINKX = [sys.executable, "-c", "from explorer.cli import main; main()", "tui"]


def test_a_picture_is_taken_without_a_terminal(tmp_path: Path) -> None:
    picture = tmp_path / "screen.svg"
    arguments = [
        "--network",
        str(small_file(tmp_path)),
        "--after",
        "1",
        "--size",
        "90x30",
        "--screenshot",
        str(picture),
    ]
    done = run([*PINKX, *arguments])
    assert (done.returncode, done.stderr) == (0, "")
    svg = picture.read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "P(positive)" in svg
    assert "textLength" not in svg  # every word has its own position


def test_a_png_needs_no_program_and_no_installed_font() -> None:
    words = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30">{}</svg>'
    text = '<text x="5" y="20" font-family="Fira Code, monospace" font-size="20">▀αpinkx</text>'
    blank, drawn = as_png(words.format("")), as_png(words.format(text))
    assert drawn.startswith(b"\x89PNG")
    assert len(drawn) > len(blank) + 200


@pytest.mark.parametrize(("option", "value"), [("--size", "90"), ("--size", "0x10"), ("--size", "axb")])
def test_an_invalid_size_is_refused(tmp_path: Path, option: str, value: str) -> None:
    arguments = ["--screenshot", str(tmp_path / "x.svg"), option, value]
    done = run([*PINKX, *arguments])
    assert done.returncode == 2
    assert "WIDTHxHEIGHT" in done.stderr


@pytest.mark.parametrize("name", ["screen.gif", "screen"])
def test_another_kind_of_picture_is_refused(tmp_path: Path, name: str) -> None:
    done = run([*PINKX, "--screenshot", str(tmp_path / name)])
    assert done.returncode == 2
    assert ".svg or .png" in done.stderr


def test_a_picture_that_cannot_be_written_is_an_error_while_the_engine_runs(tmp_path: Path) -> None:
    """Threads are inside PyTorch and numba at that moment; the process must end without an abort."""
    picture = tmp_path / "no such folder" / "screen.svg"
    arguments = ["--network", str(small_file(tmp_path)), "--after", "0", "--screenshot", str(picture)]
    done = subprocess.run([*PINKX, *arguments], input="", capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error:")
    assert "no such folder" in done.stderr
    assert done.stderr.count("\n") == 1
