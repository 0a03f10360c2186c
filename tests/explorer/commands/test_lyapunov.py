"""`pinkx lyapunov`: exponents and memory of each review or run of a task, as a table, charts and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from engine.lyapunov import lyapunov_spectrum, memory_decay
from engine.network import Network
from explorer.cli import pinkx


def lyapunov(*arguments: str) -> Result:
    return CliRunner().invoke(pinkx, ["lyapunov", *arguments])


@pytest.fixture
def reviews(tmp_path: Path) -> str:
    (tmp_path / "good.txt").write_text("a wonderful film with a great cast and a story that moves me " * 4)
    (tmp_path / "short.txt").write_text("bad film")
    return str(tmp_path)


def test_every_review_has_the_exponents_and_the_memory_of_its_words(reviews: str) -> None:
    document = json.loads(lyapunov("lstm-8", "--reviews", reviews, "--count", "3", "--lags", "20", "--json").stdout)
    network = Network.load("lstm-8")
    assert network.vocabulary is not None
    words = ("a wonderful film with a great cast and a story that moves me " * 4).split()
    x = network.embed(network.vocabulary.encode(words)).double().unsqueeze(0)
    (run,) = document["runs"]
    assert document["too_short"] == 1
    assert run["steps"] == len(words) == 52
    assert np.allclose(run["exponents"], lyapunov_spectrum(network.cell, x, count=3)[0])
    assert np.allclose(run["memory"], memory_decay(network.cell, x, lags=20).norm[0])
    assert not np.allclose(run["exponents"], run["shuffled"])


def test_a_task_network_is_driven_by_its_task() -> None:
    arguments = ("rnn-16-flip-flop-3", "--limit", "2", "--count", "2", "--lags", "5")
    title, head, *rows, mean = lyapunov(*arguments).stdout.splitlines()
    assert title.startswith("rnn-16-flip-flop-3: 2 runs")
    assert head.split() == ["RUN", "STEPS", "λ₁", "λ₂", "SHUFFLED", "HALF-LIFE"]
    assert [row.split()[:3] for row in rows] == [["run", "1", "200"], ["run", "2", "200"]]
    assert mean.startswith("mean ± standard error: λ₁ −")


def test_the_charts_show_the_spectrum_and_the_memory() -> None:
    done = lyapunov("rnn-16-flip-flop-3", "--limit", "1", "--count", "2", "--lags", "5", "--plot")
    assert "Lyapunov exponents, mean" in done.stdout
    assert "Memory, median" in done.stdout


def test_runs_that_are_all_too_short_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("bad film")
    done = lyapunov("lstm-8", "--reviews", str(tmp_path))
    assert done.exit_code == 1
    assert "no run is longer than 20 steps" in done.stderr
