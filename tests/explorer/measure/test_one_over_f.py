"""`pinkx measure one-over-f`: files, numbers against a plain computation, the cache, errors."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from rich.progress import Progress

from engine.activity import deviation
from engine.catalogue import find
from engine.kernels.reference import fluctuations_reference
from engine.network import Network
from engine.recording import record_reference
from engine.reviews import open_reviews
from explorer.cli import pinkx
from explorer.measure.one_over_f import verb
from explorer.measure.one_over_f.results import NetworkResult, Options, measure as measure_one
from explorer.measure.one_over_f.sample import ReviewSample
from explorer.measure.one_over_f.selection import TrainedNetwork, select_networks
from explorer.measure.one_over_f.verb import measure_networks
from tests.engine.small_archive import pack

WORDS = 120
SCALES = (10, 14, 20, 30)
TWO = ("--networks", "lstm-8", "--networks", "lstm-16")
SMALL = ("--reviews", "bundled", "--words", str(WORDS), "--scales", ",".join(map(str, SCALES)))

FIGURES = {
    *("figure-3", "figure-4", "figure-5", "figure-6", "figure-7", "appendix-a", "appendix-b", "dead-cells"),
    *("signs", "controls", "scales"),
}
FILES = {
    *(f"{name}.{kind}" for name in FIGURES for kind in ("png", "pdf")),
    *("index.html", "one_over_f.json", "networks.csv", "reviews.csv", "cells.csv", "claims.csv", "cache"),
}


def measure(*given: str) -> Result:
    return CliRunner().invoke(pinkx, ["measure", "one-over-f", *given])


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, quick_rendering: None) -> Path:
    folder = tmp_path_factory.mktemp("measured") / "out"
    done = measure(*TWO, *SMALL, "--out", str(folder))
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == str(folder / "index.html")
    return folder


def numbers(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "one_over_f.json").read_text())


def plain_beta(series: np.ndarray) -> np.ndarray:
    F = fluctuations_reference(series, np.array(SCALES), 1, True)
    return np.array([2 * np.polyfit(np.log(SCALES), np.log(row), 1)[0] - 1 for row in F])


def test_every_file_is_written(out: Path) -> None:
    assert {file.name for file in out.iterdir()} == FILES
    assert len(list((out / "cache").iterdir())) == 2
    html = (out / "index.html").read_text()
    assert html.count("<img") == len(FIGURES)
    for said in ("0.833 ± 0.132", "88.95", "does not hold", "lstm-16"):
        assert said in html


def test_the_numbers_equal_a_plain_computation(out: Path) -> None:
    results = numbers(out)
    reviews = open_reviews()
    assert results["reviews"] == len(reviews)
    for one, name in zip(results["networks"], ("lstm-8", "lstm-16"), strict=True):
        network = Network.load(name)
        assert network.vocabulary is not None
        ids = [network.vocabulary.encode(review.words[:WORDS]) for review in reviews]
        plain = record_reference(network, ids)
        betas = {signal: plain_beta(plain.layer_sum(signal)) for signal in plain.names}
        assert list(one["beta"]) == list(plain.names)
        for signal, expected in betas.items():
            assert one["beta"][signal]["mean"] == pytest.approx(expected.mean(), abs=2e-3)
            assert one["beta"][signal]["sd"] == pytest.approx(expected.std(ddof=1), abs=2e-3)
        assert one["r2"] == pytest.approx(np.corrcoef(betas["h"], betas["x"])[0, 1] ** 2, abs=5e-3)
        assert one["dead"] == int((deviation(plain["h"]).mean(axis=0) < 0.02).sum())
        right = (plain.probability[:, -1] >= 0.5) == np.array([review.label for review in reviews])
        assert one["accuracy_long"] == pytest.approx(right.mean())
        ablation = one["controls"]["ablation"]
        whole = [network.vocabulary.encode(review.words[:500]) for review in reviews]
        assert ablation["none"] == pytest.approx(
            np.mean((network.classify(whole) >= 0.5) == [review.label for review in reviews])
        )
    with (out / "reviews.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(reviews)
    assert float(rows[-1]["beta_h"]) == pytest.approx(betas["h"][-1], abs=5e-3)


def test_claims_are_decided_by_their_criteria(out: Path) -> None:
    results = numbers(out)
    verdicts = {claim["claim"]: claim["verdict"] for claim in results["claims"]}
    assert verdicts["The networks learn the task"] == "holds"
    assert verdicts["The largest layer's sum is effectively white"] == "not measured"  # 16 cells are not a large layer
    assert verdicts["β of h falls as the layer grows"] == "not measured"  # two sizes make no trend
    betas = np.array([one["beta"]["x"]["mean"] for one in results["networks"]])
    # Student's t of two networks; the error over reviews adds to the difference between the networks.
    least = 12.7 * betas.std(ddof=1) / np.sqrt(2)
    white = abs(betas.mean() - (2 * results["null"]["white"]["alpha"] - 1)) + least < 0.2
    assert verdicts["The input is white noise"] in (("holds", "undecided") if white else ("undecided",))


def test_a_second_run_reads_the_cache_and_writes_the_same(out: Path) -> None:
    before = {file.name: file.read_bytes() for file in out.iterdir() if file.is_file()}
    cached = {file: file.stat().st_mtime_ns for file in (out / "cache").iterdir()}
    assert measure(*TWO, *SMALL, "--out", str(out)).exit_code == 0
    assert {file.name: file.read_bytes() for file in out.iterdir() if file.is_file()} == before
    assert {file: file.stat().st_mtime_ns for file in (out / "cache").iterdir()} == cached


def test_an_interrupted_run_is_resumed(tmp_path: Path) -> None:
    selected = select_networks(["lstm-8", "lstm-16"])
    sample, options = ReviewSample.read("bundled", WORDS, 4), Options(SCALES, controls=False)

    def interrupted(trained: TrainedNetwork, *given: Any) -> NetworkResult:
        if trained.size == 16:
            raise KeyboardInterrupt
        return measure_one(trained, *given)

    bar = Progress(disable=True)
    with pytest.raises(KeyboardInterrupt):
        measure_networks(selected, sample, options, tmp_path, bar, interrupted)
    (cached,) = (tmp_path / "cache").iterdir()
    changed = cached.stat().st_mtime_ns
    results = measure_networks(selected, sample, options, tmp_path, bar, threads=2)
    assert [result.trained.size for result in results] == [8, 16]
    assert cached.stat().st_mtime_ns == changed  # it continued where it was interrupted


@pytest.mark.usefixtures("no_rendering")
def test_controls_are_left_out_on_request(tmp_path: Path) -> None:
    given = ("--networks", "lstm-8", *SMALL, "--limit", "2", "--paper-only", "--out", str(tmp_path))
    done = measure(*given, "--surrogates", "2", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == numbers(tmp_path)
    assert not (tmp_path / "signs.png").exists()
    (one,) = numbers(tmp_path)["networks"]
    assert set(one["surrogates"]) == {"series", "shuffled", "ar1", "iaaft", "first half", "second half"}
    assert one["surrogates"]["shuffled"]["mean"] < one["surrogates"]["series"]["mean"]
    assert 0 <= one["local"]["h"]["bent"] <= 1
    assert "without a single exponent" in (tmp_path / "index.html").read_text()


@pytest.mark.usefixtures("quick_rendering")
def test_networks_of_every_epoch_get_a_figure(tmp_path: Path) -> None:
    for epoch in range(3):
        network = Network.load("lstm-8")
        network.readout_bias = network.readout_bias + 2 - epoch  # the last is the finished one
        network.info["epoch"] = str(epoch)
        network.save(tmp_path / f"lstm-8-e{epoch:02}.safetensors")
    done = measure(
        *("--networks", str(tmp_path / "*.safetensors"), "--networks", "lstm-8", "--networks", "rnn-64"),
        *(*SMALL, "--signals", "f", "--limit", "4", "--paper-only", "--out", str(tmp_path / "out")),
    )
    assert done.exit_code == 0, done.output
    results = numbers(tmp_path / "out")
    assert [one["epoch"] for one in results["epochs"]] == [0, 1, 2]
    assert [one["name"].split(",")[0] for one in results["networks"]] == ["lstm-8", "rnn-64"]
    assert list(results["networks"][0]["beta"]) == ["f", "h", "x"]
    assert results["reviews"] == 4
    assert {"epochs.png", "architectures.png"} <= {file.name for file in (tmp_path / "out").iterdir()}


@pytest.mark.usefixtures("quick_rendering")
def test_networks_of_another_recipe_are_separate(tmp_path: Path) -> None:
    network = Network.load("lstm-8")
    network.readout_bias = network.readout_bias + 1
    network.info["recipe"] = json.dumps(json.loads(network.info["recipe"]) | {"clip": 9.5, "epochs": 3})
    network.save(tmp_path / "other.safetensors")
    given = (*TWO, "--networks", str(tmp_path / "other.safetensors"), "--limit", "2", "--paper-only")
    assert measure(*given, *SMALL, "--out", str(tmp_path / "out")).exit_code == 0
    results = numbers(tmp_path / "out")
    assert [one["size"] for one in results["networks"]] == [8, 16]
    assert [one["recipe"]["clip"] for one in results["other_recipes"]] == [9.5]
    assert "clip 9.5" in (tmp_path / "out" / "index.html").read_text()
    assert (tmp_path / "out" / "recipes.png").exists()


@pytest.mark.usefixtures("no_rendering")
def test_one_network_in_two_files_counts_once(tmp_path: Path) -> None:
    shutil.copy(find("lstm-8"), tmp_path / "again.safetensors")
    given = ("--networks", "lstm-8", "--networks", str(tmp_path / "*.safetensors"), "--limit", "2", "--paper-only")
    assert measure(*given, *SMALL, "--out", str(tmp_path / "out")).exit_code == 0
    assert len(numbers(tmp_path / "out")["networks"]) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--networks", "nets/*.safetensors"), "no network matches 'nets/*.safetensors'"),
        (("--networks", "gru-100-flip-flop-3"), "reads reviews"),
        (("--networks", "lstm-8", "--seeds", "77"), "reads reviews with seed 77"),
        (("--networks", "lstm-8", "--reviews", "bundled", "--words", "5000"), "none of the 14 reviews has 5000 words"),
        (("--networks", "lstm-8", "--reviews", "bundled", "--signals", "q"), "no signal q in these networks"),
        (("--networks", "lstm-8", "--reviews", "bundled", "--scales", "10,900"), "--scales: expected 5 to"),
        (("--networks", "lstm-8", "--reviews", "nowhere"), "no such file or folder: 'nowhere'"),
    ],
)
def test_errors_say_what_cannot_be_measured(given: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = measure(*given, "--out", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_scales_must_be_numbers() -> None:
    done = measure("--scales", "10,many")
    assert done.exit_code == 2
    assert "expected whole numbers separated by commas" in done.stderr


@pytest.mark.usefixtures("no_rendering")
def test_a_damaged_file_is_measured_again(tmp_path: Path) -> None:
    given = ("--networks", "lstm-8", *SMALL, "--limit", "2", "--paper-only", "--out", str(tmp_path))
    assert measure(*given).exit_code == 0
    before = numbers(tmp_path)
    (cached,) = (tmp_path / "cache").iterdir()
    cached.write_bytes(cached.read_bytes()[:100])
    assert measure(*given).exit_code == 0
    assert numbers(tmp_path) == before
    assert json.loads(cached.read_text())["values"]["signals"][-1] == "x"


@pytest.mark.usefixtures("no_rendering")
def test_plots_show_the_numbers(tmp_path: Path) -> None:
    given = ("--networks", "lstm-8", *SMALL, "--paper-only", "--plot", "--out", str(tmp_path))
    done = measure(*given)
    assert done.exit_code == 0, done.output
    beta = numbers(tmp_path)["networks"][0]["beta"]
    for signal in ("h", "x"):
        mean = f"{signal} {beta[signal]['mean']:.3f} ± {beta[signal]['sd']:.3f}".replace("-", "−")
        assert mean in done.stdout
    assert "scale s, words" in done.stdout
    assert re.search(r"● Σ h of one review: α = \d\.\d\d", done.stdout)


def test_the_published_way_gives_the_same_numbers(out: Path) -> None:
    pytest.importorskip("fathon")
    from explorer.measure.one_over_f.published_way import betas

    network = Network.load("lstm-16")
    assert network.vocabulary is not None
    ids = network.vocabulary.encode(open_reviews()[0].words[:WORDS])
    plain = record_reference(network, ids)
    found = betas(network, ids, SCALES)
    assert list(found) == list(plain.names)
    for name, value in found.items():
        assert value == pytest.approx(plain_beta(plain.layer_sum(name))[0], abs=2e-3)


@pytest.fixture(scope="module")
def imdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the bundled reviews."""
    reviews = {
        f"aclImdb/test/{'pos' if review.label else 'neg'}/{k}_1.txt": review.text
        for k, review in enumerate(open_reviews())
    }
    return pack(tmp_path_factory.mktemp("imdb") / "aclImdb_v1.tar.gz", reviews)


def test_another_process_reads_the_archive(
    imdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_rendering: None
) -> None:
    monkeypatch.setenv("PINKX_IMDB", str(imdb))
    given = ("--networks", "lstm-8", *SMALL[2:], "--paper-only")
    for threads in ("1", "2"):
        done = measure(*given, "--threads", threads, "--out", str(tmp_path / threads))
        assert done.exit_code == 0, done.output
    one, two = (
        {file.name: file.read_bytes() for file in (tmp_path / threads).iterdir() if file.suffix in (".json", ".csv")}
        for threads in "12"
    )
    assert one == two
    assert numbers(tmp_path / "2")["reviews"] == len(open_reviews())
    failed = measure(*given, "--threads", "2", "--words", "5000", "--out", str(tmp_path / "3"))
    assert isinstance(failed.exception, SystemExit | ValueError)
    assert "has 5000 words, the longest has" in failed.output + str(failed.exception)


def test_a_killed_reader_is_replaced(imdb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINKX_IMDB", str(imdb))
    reading = Future[ReviewSample]()
    reading.set_exception(BrokenExecutor("the process ended"))
    sample = verb._read(Console(file=io.StringIO()), reading, "imdb:test", WORDS, 2)
    assert len(sample.long) == 2
    assert len(sample.labelled) == len(open_reviews())
