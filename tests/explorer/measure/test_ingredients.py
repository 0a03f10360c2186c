"""`pinkx measure ingredients`: epochs of training runs, measured against plain computations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import spearmanr, ttest_1samp

from engine.activity import deviation
from engine.beta import series_beta
from engine.epochs import epoch_file
from engine.fluctuation import SCALES
from engine.network import Network, Vocabulary
from engine.recipes import INGREDIENTS, PINKX, PUBLISHED, Recipe
from engine.recording import record_reference
from engine.reviews import Review
from engine.sweeps.grid import sentiment_grid
from engine.training import accuracy, split_reviews, untrained_network
from explorer.cli import pinkx
from explorer.measure.one_over_f import along_training, ingredients, ingredients_page
from explorer.measure.one_over_f.ingredients import (
    EARLIER,
    Corpus,
    Group,
    TrainingRun,
    chosen,
    epoch_rows,
    find_runs,
    grouped,
    measure_run,
    paired_changes,
    published_by_size,
    rows,
)

VOCABULARY = Vocabulary([f"w{k}" for k in range(40)])


@pytest.fixture(scope="module")
def reviews() -> list[Review]:
    random = np.random.default_rng(0)
    lengths = (500, 500, 520, 7, 30, 90)
    return [
        Review(f"r{k}", " ".join(f"w{number}" for number in random.integers(0, 40, length)), bool(k % 2))
        for k, length in enumerate(lengths)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of two epochs: networks of other seeds stand for trained ones."""
    folder = tmp_path_factory.mktemp("runs")
    for name, recipe in (("a", PUBLISHED), ("b", replace(PUBLISHED, padding="none", seed=1))):
        for epoch in range(3):
            network = untrained_network(replace(recipe, seed=10 * recipe.seed + epoch), VOCABULARY)
            network.readout_weight.mul_(5)
            network.info["recipe"] = json.dumps(vars(recipe))
            if epoch:
                network.info["measured"] = json.dumps({"training_loss": 0.5 - 0.1 * epoch})
            network.save(epoch_file(folder / f"{name}.safetensors", epoch))
    return folder


@pytest.mark.parametrize("which", [0, 1])
def test_every_epoch_equals_a_plain_computation(
    which: int, folder: Path, reviews: list[Review], tmp_path: Path
) -> None:
    run = find_runs([folder])[which]
    assert run.changes == ("published", "padding none")[which]
    found = measure_run(run, {"official": Corpus(reviews[:3], reviews)}, tmp_path, lambda _: None)
    assert [one["loss"] for one in found["epochs"]] == [None, 0.4, 0.3]
    network, one = Network.load(run.files[2]), found["epochs"][2]
    assert network.vocabulary is not None
    ids = [network.vocabulary.encode(review.words[:500]) for review in reviews]
    plain = record_reference(network, ids[:3])
    for name in ("h", "c", "x"):
        expected = series_beta(plain.layer_sum(name), SCALES)
        assert one["beta"][name]["mean"] == pytest.approx(expected.mean(), abs=2e-3)
    logit = np.log(plain.probability / (1 - plain.probability))
    assert one["beta"]["logit"]["mean"] == pytest.approx(series_beta(logit, SCALES).mean(), abs=2e-3)
    _, test = Corpus(reviews[:3], reviews).encoded(VOCABULARY)
    assert one["test_accuracy"] == accuracy(network, test)
    p = network.classify(test.padded(run.recipe).ids)
    assert one["test_loss"] == pytest.approx(-np.mean(np.log(np.where(test.labels > 0.5, p, 1 - p))), rel=1e-5)
    assert one["dead"] == (deviation(plain["h"]).mean(axis=0) < 0.02).sum()


def test_tables_are_of_the_chosen_epochs(folder: Path, reviews: list[Review], tmp_path: Path) -> None:
    corpus = Corpus(reviews[:3], reviews)
    document = ingredients.document(
        [measure_run(run, {"official": corpus}, tmp_path, lambda _: None) for run in find_runs([folder])], corpus
    )
    assert (document["reviews"], document["test_reviews"]) == (3, 6)
    first = document["runs"][0]
    assert chosen(first)["epoch"] == 2
    assert chosen(first, "test") == min(first["epochs"][1:], key=lambda one: one["test_loss"])
    table = rows(document)
    assert [row[0] for row in table] == [
        *("published", "… epoch of the lowest test loss", "padding none", "… epoch of the lowest test loss")
    ]
    assert all(len(row) == len(ingredients.HEADINGS) for row in table)
    assert table[0][2] == f"{first['epochs'][2]['beta']['h']['mean']:.2f}"
    assert table[0][3] == "–"  # one network has no interval over seeds
    assert [row[2] for row in epoch_rows(document)] == ["0", "1", "2"] * 2
    assert all(len(row) == len(ingredients.EPOCH_HEADINGS) for row in epoch_rows(document))


def test_networks_of_another_size_have_rows_of_their_own() -> None:
    beta = {"mean": 1.0, "sd": 0.1, "count": 9}
    sizes = (8, 8, 16, 16)
    means = (0.9, 1.1, 1.2, 1.4)
    epochs = [[{"epoch": 1, "loss": 0.3, "test_loss": 0.4, "beta": {"h": {**beta, "mean": mean}}}] for mean in means]
    runs = [
        {"changes": "published", "recipe": {"selection": "training"}, "size": size, "seed": k % 2, "epochs": stored}
        for k, (size, stored) in enumerate(zip(sizes, epochs, strict=True))
    ]
    groups = grouped({"runs": runs})
    assert groups == {Group("published", 8): runs[:2], Group("published", 16): runs[2:]}
    sentence = ingredients_page._by_size(published_by_size({"runs": runs}))
    expected = spearmanr(sizes, means)
    assert "8 cells 1.00 (95% interval" in sentence
    assert "16 cells 1.30 (95% interval" in sentence
    assert f"ρ = {expected.statistic:.2f} (two-sided p = {expected.pvalue:.2g}" in sentence.replace("\n", " ")
    assert ingredients_page._by_size(published_by_size({"runs": runs[:2]})) == ""
    clipped = {**runs[2], "changes": "clip 0.2", "seed": 1}
    found = paired_changes({"runs": [*runs, clipped]}, lambda one: one["beta"]["h"]["mean"])
    assert found[Group("clip 0.2", 16)] == pytest.approx([1.2 - 1.4])
    assert found[Group(EARLIER, 8)] == found[Group(EARLIER, 16)] == [0, 0]  # of the same epoch


def test_the_verb_writes_the_numbers_and_reads_its_cache(
    folder: Path, reviews: list[Review], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.reviews.open_reviews", lambda *_, **__: reviews)
    given = ["measure", "ingredients", str(folder), "--out", str(tmp_path), "--reviews", "2"]
    done = CliRunner().invoke(pinkx, given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == str(tmp_path / "ingredients.json")
    document = json.loads((tmp_path / "ingredients.json").read_text())
    assert document["format"] == ingredients.FORMAT
    assert [run["changes"] for run in document["runs"]] == ["published", "padding none"]
    monkeypatch.setattr(ingredients, "measure_network", pytest.fail)
    again = CliRunner().invoke(pinkx, [*given, "--json"], catch_exceptions=False)
    assert json.loads(again.stdout) == document


def test_folders_without_epochs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no networks of single epochs"):
        find_runs([tmp_path])


def _stored(path: Path, recipe: Recipe, losses: Sequence[dict[str, float]]) -> None:
    """Store an untrained network for each epoch of a run, the first without losses."""
    for epoch, measured in enumerate(({}, *losses)):
        network = untrained_network(replace(recipe, seed=epoch), VOCABULARY)
        network.info |= {"recipe": json.dumps(vars(recipe)), "measured": json.dumps(measured)}
        network.save(epoch_file(path, epoch))


def test_runs_of_the_joined_split_are_measured_on_its_test_reviews(
    reviews: list[Review], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = [replace(review, name=f"l{k}", text=" ".join(["w1 w2"] * 300)) for k, review in enumerate(reviews * 4)]
    splits = {"train": long, "test": reviews * 4}
    monkeypatch.setattr("engine.reviews.open_reviews", lambda *_, split, **__: splits[split])
    recipe = replace(PUBLISHED, size=2, split="joined")
    _stored(tmp_path / "runs" / "j.safetensors", recipe, [{"training_loss": 0.5}])
    read: list[tuple[str, Corpus]] = []

    def measure(run: TrainingRun, corpora: Mapping[str, Corpus], *_: Any) -> dict[str, Any]:
        read.extend(corpora.items())
        return {"changes": run.changes, "size": 2, "seed": 0, "recipe": asdict(run.recipe), "epochs": []}

    monkeypatch.setattr(ingredients, "measure_run", measure)
    monkeypatch.setattr(ingredients, "rows", lambda document: [])
    given = ["measure", "ingredients", str(tmp_path / "runs"), "--out", str(tmp_path), "--reviews", "2"]
    done = CliRunner().invoke(pinkx, given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    corpora = dict(read)
    trained, tested = split_reviews(splits["train"], splits["test"], recipe)
    assert list(corpora["joined"].test) == list(tested)
    assert not {review.name for review in corpora["joined"].test} & {
        review.name for review in trained if review in long
    }
    assert all(len(review.words) >= 500 for review in corpora["joined"].long)
    assert list(corpora["official"].test) == splits["test"]
    (run,) = json.loads((tmp_path / "ingredients.json").read_text())["runs"]
    assert run["changes"] == "split joined"


def test_every_field_that_differs_is_named_and_the_recipe_selects_the_epoch(tmp_path: Path) -> None:
    for changes, expected in (
        ({"l2": 0.0}, "l2 0.0"),
        ({"epochs": 60, "padding": "behind"}, "epochs 60, padding behind"),
        ({"epochs": 2}, "published"),
        ({"selection": "validation", "validation": 1250}, "validation 1250, selection validation"),
    ):
        folder = tmp_path / expected
        _stored(folder / "a.safetensors", replace(PUBLISHED, size=2, **changes), [{"training_loss": 0.5}])
        assert [run.changes for run in find_runs([folder])] == [expected]
    epochs = [
        {"epoch": 0, "loss": None, "test_loss": 0.7},
        {"epoch": 1, "loss": 0.5, "validation_loss": 0.45, "test_loss": 0.4},
        {"epoch": 2, "loss": 0.4, "validation_loss": 0.42, "test_loss": 0.46},
        {"epoch": 3, "loss": 0.3, "validation_loss": 0.44, "test_loss": 0.48},
    ]
    run = {"recipe": {"selection": "validation"}, "epochs": epochs}
    assert [chosen(run)["epoch"], chosen(run, "test")["epoch"]] == [2, 1]
    assert chosen({**run, "recipe": {"selection": "training"}})["epoch"] == 3


def test_the_grid_switches_one_ingredient_a_run() -> None:
    runs = sentiment_grid("seed=0,1 switch=all", PUBLISHED, PINKX).recipes
    assert runs["lstm-8-s1"] == replace(PUBLISHED, seed=1)
    assert runs["lstm-8-clip-s0"] == replace(PUBLISHED, clip=PINKX.clip)
    assert runs["lstm-8-selection-s0"] == replace(PUBLISHED, selection="validation", validation=1250)
    assert len(runs) == 2 * (1 + len(INGREDIENTS) - 1)


def test_runs_of_an_earlier_document_are_kept_unless_measured_again(
    folder: Path, reviews: list[Review], tmp_path: Path
) -> None:
    corpus = Corpus(reviews[:3], reviews)
    corpora = {"official": corpus}
    published, none = (measure_run(run, corpora, tmp_path, lambda _: None) for run in find_runs([folder]))
    larger = {**published, "size": 32, "recipe": {**published["recipe"], "size": 32}}
    path = tmp_path / "ingredients.json"
    path.write_text(json.dumps(ingredients.document([none, larger], corpus)))
    kept = ingredients.read_document(path, corpus)
    stale = {**published, "epochs": []}
    document = ingredients.document([stale, *kept, published], corpus)
    assert [(run["changes"], run["size"]) for run in document["runs"]] == [
        *(("published", 8), ("published", 32), ("padding none", 8)),
    ]
    assert len(document["runs"][0]["epochs"]) == 3

    with pytest.raises(ValueError, match=r"ingredients\.json: measured on other reviews \(digest differ\)"):
        ingredients.read_document(path, Corpus(reviews[1:4], reviews))
    with pytest.raises(ValueError, match=r"other reviews \(reviews, digest differ\).* expected the 2 for β"):
        ingredients.read_document(path, Corpus(reviews[:2], reviews))
    for damaged in (b"[1]", b"", b"\xff", b'{"format": "pinkx ingredients 2", "runs": [{}]}', b'{"runs": 3}'):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="not an ingredients.json"):
            ingredients.read_document(path, corpus)
    path.write_text(json.dumps({"format": "pinkx ingredients 9", "runs": []}))
    with pytest.raises(ValueError, match="its format is 'pinkx ingredients 9', expected 'pinkx ingredients 2'"):
        ingredients.read_document(path, corpus)


def test_beta_along_training_is_correlated_run_by_run() -> None:
    random = np.random.default_rng(0)

    def run(seed: int) -> dict[str, Any]:
        epochs = [
            {
                "epoch": epoch,
                "loss": None if epoch == 0 else 1 / epoch,
                "dead": 0,
                "test_loss": random.normal(),
                "test_accuracy": random.normal(),
                "beta": {name: {"mean": random.normal()} for name in along_training.SIGNALS},
            }
            for epoch in range(8)
        ]
        return {"size": 8, "seed": seed, "epochs": epochs}

    runs = [run(seed) for seed in range(3)]
    for one in runs[0]["epochs"]:
        one["beta"]["h"]["mean"] = one["epoch"] ** 3
    table = along_training.rows({8: runs, 16: runs[:1]})
    assert all(len(row) == len(along_training.HEADINGS) for row in table)
    found = {(row[0], row[1]): row[2:] for row in table}
    assert found["h", "16"][:3] == ["1", "+1.00", "-1.00"]  # the loss falls with the epoch
    assert found["dead cells", "8"][1:] == ["–"] * 4  # none changes
    gaps, betas = (
        [[one["test_loss"] - one["loss"], one["beta"]["c"]["mean"]][k] for one in runs[2]["epochs"][1:]] for k in (0, 1)
    )
    alone = along_training.rows({8: runs[2:]})
    assert next(row for row in alone if row[0] == "c")[-1] == f"{spearmanr(gaps, betas).statistic:+.2f}"
    mean = np.mean([along_training._correlations(one, "c")[0] for one in runs])
    assert found["c", "8"][1].startswith(f"{mean:+.2f} (")


def test_the_table_of_changes_has_intervals_and_corrected_p() -> None:
    random = np.random.default_rng(1)

    def run(changes: str, seed: int, shift: float) -> dict[str, Any]:
        names = ("i", "f", "g", "o", "c_out", "h", "logit")
        epochs = [
            {
                "epoch": epoch,
                "loss": 1 / (1 + epoch),
                "test_loss": abs(epoch - 2),
                "test_accuracy": 0.8,
                "beta": {name: {"mean": 1 + shift + 0.1 * random.normal() + 0.2 * (epoch == 2)} for name in names},
            }
            for epoch in range(5)
        ]
        return {
            "changes": changes,
            "size": 8,
            "seed": seed,
            "recipe": {"selection": "training"},
            "epochs": epochs,
        }

    runs = [run("published", seed, 0) for seed in range(4)]
    runs += [run("clip 0.2", seed, 0.5) for seed in range(4)] + [run("l2 0.0", 1, 0)]
    larger = [{**run("published", seed, 0), "size": 16} for seed in range(2)]
    headings, rows = ingredients_page._change_table({"runs": runs})
    found = {row[0]: dict(zip(headings[1:], row[1:], strict=True)) for row in rows}
    assert {name: row["networks"] for name, row in found.items()} == {
        "lowest test loss": "4",
        "clip 0.2": "4",
        "l2 0.0": "1",
    }
    h = np.array([[one["epochs"][4]["beta"]["h"]["mean"] for one in runs[k : k + 4]] for k in (0, 4)])
    early = np.array([one["epochs"][2]["beta"]["h"]["mean"] for one in runs[:4]])
    low, high = ttest_1samp(h[1] - h[0], 0).confidence_interval()
    assert found["clip 0.2"]["β of h"] == f"{(h[1] - h[0]).mean():+.2f} ({low:+.2f} … {high:+.2f})"
    p = sorted([ttest_1samp(h[1] - h[0], 0).pvalue, ttest_1samp(early - h[0], 0).pvalue])
    assert sorted(float(found[name]["p"]) for name in ("clip 0.2", "lowest test loss")) == pytest.approx(
        [2 * p[0], max(2 * p[0], p[1])], rel=0.05
    )
    rows = ingredients_page._change_table({"runs": [*runs, *larger]})[1]
    assert {row[0]: row[1] for row in rows if "lowest" in row[0]} == {
        "lowest test loss": "4",
        "lowest test loss, 16 cells": "2",
        "lowest test loss, all sizes": "6",
    }
    assert found["l2 0.0"]["p"] == "–"
    assert "(" not in found["l2 0.0"]["β of h"]


def test_jumps_of_the_training_loss_are_counted_with_and_without_clipping() -> None:
    def run(clip: float, *losses: float | None) -> dict[str, Any]:
        return {"recipe": {"clip": clip}, "epochs": [{"loss": loss} for loss in losses]}

    steady, slow, lost = (None, 0.7, 0.5, 0.4), (None, 0.6, 0.66, 0.69, 0.3), (None, 0.6, 0.3, 0.35, 0.62, 0.2)
    runs = [run(0.0, *steady), run(0.0, *slow), run(0.0, *lost), run(0.2, *slow)]
    sentence = ingredients_page._jumps({"runs": runs}).replace("\n", " ")
    assert "in 1 of 3 networks, by 0.32 at most; with clipping in 0 of 1, by 0.09 at most." in sentence
    assert ingredients_page._jumps({"runs": runs[:3]}) == ""
