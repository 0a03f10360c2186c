"""`pinkx read`, the manual page and shell completion."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from engine.fluctuation import exponents, fluctuations, rolling_scales
from engine.intervals import beta_interval
from engine.network import Network
from engine.recording import record
from engine.sequences import drawn_sequence
from explorer.cli import VERBS, pinkx
from tests.explorer.small import TEXT, small_file


@pytest.fixture
def read(tmp_path: Path) -> tuple[Path, list[dict[str, object]]]:
    """A network file, and what was printed about the words of a text."""
    file = small_file(tmp_path)
    command = ["read", "-", "--network", str(file), "--window", "32", "--no-points", "--json"]
    done = CliRunner().invoke(pinkx, command, input=TEXT)
    assert done.exit_code == 0, done.output
    return file, [json.loads(line) for line in done.stdout.splitlines()]


def test_every_word_has_a_line_with_the_numbers_of_an_independent_reading(
    read: tuple[Path, list[dict[str, object]]],
) -> None:
    file, words = read
    network = Network.load(str(file))
    assert network.vocabulary is not None
    tokens = [str(word["text"]) for word in words]
    recording = record(network, [network.vocabulary.encode(tokens)])
    assert len(words) == 144
    assert [word["word"] for word in words] == list(range(1, 145))
    assert words[-1]["P"] == pytest.approx(float(recording.probability[0, -1]), abs=1e-5)
    h, scales = recording["h"][0], rolling_scales(32)
    fit = exponents(fluctuations(h.sum(axis=1)[60:92], scales), scales)
    assert words[91]["beta"] == pytest.approx(float(fit.beta), abs=1e-4)
    assert words[91]["beta_interval"] == pytest.approx(beta_interval(fit.beta, 32, scales).tolist(), abs=1e-3)
    assert words[91]["dead"] == int((h[60:92].astype(float).std(axis=0) < 0.02).sum())
    assert words[30]["beta"] is words[30]["dead"] is None  # before the window is full
    assert np.isfinite([float(str(word["P"])) for word in words]).all()


def test_a_line_reads_aloud(tmp_path: Path) -> None:
    text = tmp_path / "review.txt"
    text.write_text("A warm film")
    command = ["read", str(text), "--network", str(small_file(tmp_path)), "--no-points"]
    first, *_, last = CliRunner().invoke(pinkx, command).stdout.splitlines()
    assert first.startswith("1:1\ta\tP 0.")
    assert last.startswith("1:3\tfilm\t")


def test_an_unknown_signal_is_refused(tmp_path: Path) -> None:
    command = ["read", "-", "--network", str(small_file(tmp_path)), "--signal", "q"]
    done = CliRunner().invoke(pinkx, command, input="a")
    assert done.exit_code == 1
    assert "no signal 'q'; this network has" in done.stderr


def test_the_manual_page_has_every_verb_and_option() -> None:
    page = CliRunner().invoke(pinkx, ["man"], prog_name="pinkx").stdout.replace("\\-", "-")
    for verb in VERBS:
        assert f".SS pinkx {verb}\n" in page
    assert all(option in page for option in ("--every-epoch", "--screenshot", "--published-way", "--no-points"))
    if shutil.which("man"):
        done = subprocess.run(["man", "-l", "-"], input=page, capture_output=True, text=True)
        assert "PINKX(1)" in done.stdout


def test_the_shell_completes_verbs_and_options() -> None:
    command = [sys.executable, "-c", "from explorer.cli import main; main()"]

    def completed(words: str, place: int) -> str:
        environment = {"_PINKX_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(place)}
        return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True).stdout

    assert "plain,reviews" in completed("pinkx rev", 1)
    assert "plain,--screenshot" in completed("pinkx tui --scr", 2)


def test_a_task_network_has_a_line_for_each_step(tmp_path: Path) -> None:
    command = ["read", "--network", "rnn-16-flip-flop-3", "--seed", "3", "--window", "32", "--json"]
    done = CliRunner().invoke(pinkx, command)
    assert done.exit_code == 0, done.output
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    network = Network.load("rnn-16-flip-flop-3")
    sequence = drawn_sequence(network, 3)
    expected = record(network, sequence.inputs, ["h"])
    assert sequence.targets is not None
    assert [list(step["inputs"].values()) for step in steps] == sequence.inputs.tolist()
    assert [step["outputs"] for step in steps] == pytest.approx(expected.probability[0], abs=1e-6)
    assert steps[0]["targets"] == [0.0, None, None]  # only the first channel had a pulse
    assert steps[-1]["targets"] == sequence.targets[-1].tolist()
    assert steps[-1]["step"] == 200
    assert steps[-1]["dead"] == 0
    assert steps[-1]["nearest_point"]["stability"] == "stable"


def test_a_signal_is_read_from_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "signal.npy", np.eye(3))
    command = ["read", str(tmp_path / "signal.npy"), "--network", "rnn-16-flip-flop-3", "--no-points"]
    first, *_ = CliRunner().invoke(pinkx, command).stdout.splitlines()
    assert first.startswith("1:1\tin 1.00 0.00 0.00\tout 1.00 0.")
    refused = CliRunner().invoke(pinkx, ["read", "--network", str(small_file(tmp_path))])
    assert "reads words: give a FILE, or - for standard input" in refused.stderr
