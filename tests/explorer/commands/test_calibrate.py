"""`pinkx calibrate`: the table, JSON and errors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine import intervals
from engine.null import BETAS, band
from explorer.cli import pinkx


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(pinkx, ["calibrate", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_the_table_names_its_scales_and_has_a_row_for_every_beta() -> None:
    output = run("--length", "100", "--scales", "10,14,25", "--count", "40")
    assert "40 series of 100 words · unbiased DFA of order 1 · scales 10 14 25" in output
    rows = [line.replace("−", "-").split() for line in output.splitlines() if re.match(r" *−?\d\.\d\d ", line)]
    assert [float(row[0]) for row in rows] == list(BETAS)
    expected = band(100, (10, 14, 25), count=40)
    assert [float(row[2]) for row in rows] == pytest.approx([row.alpha for row in expected], abs=6e-4)


def test_json_is_the_band() -> None:
    found = json.loads(
        run("--window", "64", "--order", "2", "--standard", "--count", "20", "--json", "--scales", "5,8,16")
    )
    assert (found["length"], found["scales"], found["order"], found["unbiased"]) == (64, [5, 8, 16], 2, False)
    expected = band(64, (5, 8, 16), order=2, unbiased=False, count=20)
    assert found["rows"][4] == vars(expected[4])


def test_a_window_brings_its_own_scales() -> None:
    assert json.loads(run("--window", "64", "--count", "5", "--json"))["scales"] == [4, 5, 6, 7, 9, 11, 13, 16]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--scales", "ten"), 2, "such as 10,20,40, got 'ten'"),
        (("--length", "60"), 1, "error: a series of 60 words is too short for scales"),
        (("--length", "100", "--scales", "10,20,400"), 1, "error: a scale of 400 words is longer than a series of 100"),
        (("--window", "3"), 1, "error: a window of 3 words is too short for DFA scales"),
        (("--scales", "10,20"), 1, "error: --scales: a slope needs three scales or more, got 2"),
    ],
)
def test_errors_are_one_line(arguments: tuple[str, ...], code: int, message: str) -> None:
    output = run(*arguments, code=code)
    assert message in output
    assert "Traceback" not in output


def test_the_table_of_intervals_is_written_and_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "LENGTHS", {"rolling": (32, 40, 48, 64, 96)})
    monkeypatch.setattr(intervals, "CHECKED", {"rolling": (56,)})
    monkeypatch.setattr(intervals, "STEPS", 6)
    path = tmp_path / "quantiles.json"
    assert run("--write-intervals", str(path), "--count", "40").splitlines()[-1] == str(path)
    first = path.read_text()
    document = json.loads(first)
    path.write_text(json.dumps(document | {"coverage": []}))
    run("--write-intervals", str(path), "--count", "40")
    assert path.read_text() == first
    path.write_text("{")
    assert "is no table of intervals" in run("--write-intervals", str(path), code=1)
    assert "--count: quantiles need 32 series" in run("--write-intervals", str(path), "--count", "6", code=1)
