"""`pinkx train`: from an archive to a network file; an interrupted run is resumed."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from engine.catalogue import describe
from engine.devices import cuda_problem
from engine.recipes import PUBLISHED, Recipe
from engine.sweeps.table import read_table
from explorer.cli import pinkx
from explorer.measure.one_over_f.ingredients import find_runs
from tests.forking import PROCESS

_spec = importlib.util.spec_from_file_location("small_archive", Path(__file__).parents[2] / "engine/small_archive.py")
assert _spec is not None
assert _spec.loader is not None
small_archive = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(small_archive)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,700 training reviews of a few made-up words, 100 test reviews."""
    random = np.random.default_rng(0)
    texts = {}
    for number in range(1800):
        split, label = ("test" if number >= 1700 else "train"), ("pos", "neg")[number % 2]
        words = random.permutation(
            [{"pos": "good", "neg": "bad"}[label], *(f"w{k}" for k in random.integers(0, 30, 3))]
        )
        texts[f"aclImdb/{split}/{label}/{number}_{9 if label == 'pos' else 2}.txt"] = " ".join(words)
    return small_archive.pack(tmp_path_factory.mktemp("imdb") / "small.tar.gz", texts)


def test_writes_a_network_and_its_accuracy(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny.safetensors"
    given = ["train", "--size", "4", "--epochs", "6", "--seed", "7", "--imdb", str(archive), "--out", str(out)]
    done = CliRunner().invoke(pinkx, given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    epochs = re.findall(r"epoch (\d): training loss \d\.\d{4}, validation loss \d\.\d{4}, accuracy", done.output)
    assert epochs == list("123456")
    info = describe(out)
    assert (info.cell, info.size, info.seed, info.task) == ("lstm", 4, 7, "sentiment")
    assert f"{info.accuracy:.2%} of 100 test reviews classified correctly" in done.output
    assert info.json()["recipe"]["learning_rate"] == 0.005
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.safetensors"]


def test_saves_every_epoch(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny.safetensors"
    given = ["train", "--size", "4", "--epochs", "2", "--imdb", str(archive), "--every-epoch", "--out", str(out)]
    CliRunner().invoke(pinkx, given, catch_exceptions=False)
    infos = [describe(tmp_path / f"tiny-e{epoch:02}.safetensors") for epoch in range(3)]
    assert [info.metadata["epoch"] for info in infos] == ["0", "1", "2"]
    assert all(info.accuracy is not None for info in infos)
    assert len(list(tmp_path.iterdir())) == 4


def test_the_published_recipe_with_one_ingredient_changed(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny.safetensors"
    given = ["train", "--size", "2", "--epochs", "1", "--recipe", "published", "--padding", "none", "--clip", "0.5"]
    done = CliRunner().invoke(pinkx, [*given, "--imdb", str(archive), "--out", str(out)], catch_exceptions=False)
    assert re.search(r"epoch 1: training loss \d\.\d{4}, \d+ s", done.output), done.output
    recipe = Recipe(**describe(out).json()["recipe"])
    assert recipe == replace(PUBLISHED, size=2, epochs=1, padding="none", clip=0.5)


def test_a_grid_trains_what_is_not_there(archive: Path, tmp_path: Path) -> None:
    given = ["train", "--size", "2", "--epochs", "1", "--recipe", "published", "--padding", "none", "--every-epoch"]
    given += ["--imdb", str(archive), "--out", str(tmp_path / "runs")]
    done = CliRunner().invoke(pinkx, [*given, "--grid", "seed=3 switch=none,dropout-mask"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "2 networks" in done.output
    plain, switched = (tmp_path / f"runs/networks/lstm-2{name}-s3.safetensors" for name in ("", "-dropout_mask"))
    recipe = replace(PUBLISHED, size=2, seed=3, epochs=1, padding="none")
    assert Recipe(**describe(plain).json()["recipe"]) == recipe
    assert Recipe(**describe(switched).json()["recipe"]) == replace(recipe, dropout_mask="step")
    runs = find_runs([tmp_path / "runs"])
    assert [run.changes for run in runs] == ["padding none", "padding none, dropout mask step"]
    assert [list(run.files) for run in runs] == [[0, 1], [0, 1]]
    (row, other) = read_table(tmp_path / "runs")
    assert (row["name"], row["file"]) == ("lstm-2-s3", "networks/lstm-2-s3.safetensors")
    assert f"{row['accuracy']:.5f}" == describe(plain).metadata["accuracy"]
    assert other["switch"] == "dropout_mask"
    switched.unlink()
    again = CliRunner().invoke(pinkx, [*given, "--grid", "seed=3 switch=none,dropout-mask"], catch_exceptions=False)
    assert "is missing; computing it again" in again.output.replace("\n", " ")
    assert switched.exists()
    wrong = CliRunner().invoke(pinkx, [*given, "--grid", "switch=size"])
    assert "switch=size is unknown; expected one of none, epochs," in wrong.output.replace("\n", " ")
    clash = CliRunner().invoke(pinkx, [*given, "--clip", "1", "--grid", "seed=3"])
    assert "has a network lstm-2-s3 of another recipe (clip)" in clash.output.replace("\n", " ")


def test_an_interrupted_run_leaves_a_checkpoint(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny.safetensors"
    given = ["train", "--size", "4", "--epochs", "20000", "--imdb", str(archive), "--out", str(out)]
    command = [sys.executable, "-c", "from explorer.cli import main; main()", *given]
    # A shell starts background jobs, such as a whole run of the tests, with SIGINT ignored.
    default = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with PROCESS(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=default) as process:
        checkpoint = tmp_path / "tiny.checkpoint"
        deadline = time.monotonic() + 60
        while not checkpoint.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert checkpoint.exists()
    assert not out.exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--imdb", "nowhere.tar.gz"], "nowhere.tar.gz"),
        (["--device", "cuda"], f"--device cuda: {cuda_problem()}; use --device cpu"),
        (["--size", "0"], "0 is not in the range x>=1"),
    ],
)
def test_errors_say_what_is_wrong(
    options: list[str], says: str, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setenv("PINKX_IMDB", str(archive))
    done = CliRunner().invoke(pinkx, ["train", *options])
    assert done.exit_code != 0
    assert says in done.output
    assert "Traceback" not in done.output


def test_too_few_reviews_are_an_error(tmp_path: Path) -> None:
    path = small_archive.pack(tmp_path / "a.tar.gz", small_archive.LABELLED)
    done = CliRunner().invoke(pinkx, ["train", "--imdb", str(path), "--out", os.devnull])
    assert done.exit_code == 1
    assert "2 reviews are too few to hold out 1250" in done.output
