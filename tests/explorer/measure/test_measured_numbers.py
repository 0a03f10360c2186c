"""The shipped results: they are of the shipped networks, and the documents quote them correctly."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.catalogue import shipped_networks
from engine.intervals import CHECKED
from engine.network import Network
from engine.points_cache import content_hash
from explorer.measure.fixed_points import documentation as points_page, numbers as fixed_points
from explorer.measure.one_over_f import documentation, numbers as one_over_f, readme
from explorer.measure.one_over_f.claims import decide_claims
from explorer.measure.one_over_f.published_recipe import claim_rows
from explorer.measure.one_over_f.selection import TrainedNetwork
from explorer.measure.one_over_f.stored import stored_results
from explorer.measure.study import intervals_page
from explorer.measure.study.written_sections import with_section
from tests.benchmarks import sweep_growth

ROOT = Path(__file__).parents[3]


def shipped_results(study: str) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((ROOT / f"assets/measured/{study}.json").read_text(encoding="utf-8"))
    return results


@pytest.fixture(scope="module")
def noise() -> dict[str, Any]:
    return shipped_results("one_over_f")


@pytest.fixture(scope="module")
def points() -> dict[str, Any]:
    return shipped_results("fixed_points")


def cells(row: str) -> list[str]:
    columns = re.split(r"(?<!\\)\|", row.strip("|\n"))
    return [cell.strip().strip("*").replace("−", "-").replace("\\|", "|") for cell in columns]


def table(page: str, heading: str) -> list[list[str]]:
    """Return the rows of the table with this heading of the first column."""
    text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| {heading} \|.*\n\|[-:|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found is not None
    return [cells(row) for row in found[1].splitlines()]


def claims(results: dict[str, Any], *fields: str) -> list[list[str]]:
    return [[claim[field].replace("−", "-") for field in fields] for claim in results["claims"]]


def test_five_seeds_of_every_size(noise: dict[str, Any]) -> None:
    assert noise["format"] == one_over_f.FORMAT
    seeds = {(one["size"], one["seed"]) for one in noise["networks"] if one["cell"] == "lstm"}
    assert seeds == {(size, seed) for size in (8, 16, 32, 48, 64, 80, 96, 112, 128) for seed in range(5)}
    assert noise["reviews"] == 1871


def test_every_shipped_network_of_a_task_is_among_the_measured(points: dict[str, Any]) -> None:
    assert points["format"] == fixed_points.FORMAT
    found = {(one["cell"], one["task"]): one["digest"] for one in points["networks"]}
    tasks = ("flip-flop-3", "integration-1", "integration-3")
    assert found.keys() == {(cell, task) for cell in ("lstm", "gru", "rnn") for task in tasks}
    for info in shipped_networks():
        if info.task in tasks and info.size == 100:
            assert content_hash(Network.load(info.path)) == found[info.cell, info.task]


def test_every_search_is_complete_by_its_index(points: dict[str, Any]) -> None:
    for one in points["networks"]:
        for row in one["searches"]:
            assert row["index_sum"] == 1
            assert row["certified_points"] == sum(row["by_unstable"])
    searches = shipped_results("completeness")["searches"]
    expected = {
        (info.name, name)
        for info in shipped_networks()
        for name in (("zero", "mean") if info.task == "sentiment" else ("zero", "+1", "-1"))
    }
    assert {(row["network"], row["input"]) for row in searches} == expected
    cubes = [row["after"] for row in searches if "flip-flop" in row["network"] and row["input"] == "zero"]
    assert [one["by_unstable"] for one in cubes] == [[8, 12, 6, 1]] * 4
    assert {row["after"]["index_sum"] for row in searches} == {1}


def test_the_shipped_networks_are_among_the_measured(noise: dict[str, Any]) -> None:
    measured = {one["digest"]: one for one in noise["networks"]}
    for info in shipped_networks():
        if info.task == "sentiment":
            one = measured[TrainedNetwork.load(info.path).digest]
            assert (one["cell"], one["size"], one["accuracy"]) == (info.cell, info.size, info.accuracy)


def test_the_page_on_noise_is_written_from_the_numbers(noise: dict[str, Any]) -> None:
    assert documentation.PAGE.read_text(encoding="utf-8") == documentation.current_page()
    first = table("one_over_f", "n")[0]
    eight = [one for one in noise["networks"] if (one["cell"], one["size"]) == ("lstm", 8)]
    betas = [one["beta"]["h"]["mean"] for one in eight]
    assert first[4] == f"{np.mean(betas):.2f} ± {np.std(betas, ddof=1):.2f}"
    assert first[3] == f"{100 * np.mean([one['accuracy'] for one in eight]):.2f} ± " + (
        f"{100 * np.std([one['accuracy'] for one in eight], ddof=1):.2f}"
    )


def test_the_section_on_intervals_is_written_from_the_table() -> None:
    page = intervals_page.PAGE.read_text(encoding="utf-8")
    assert page == intervals_page.current_page(page)
    rows = shipped_results("beta_quantiles")["coverage"]
    assert {(row["scales"], row["length"]) for row in rows} == {
        (kind, length) for kind, lengths in CHECKED.items() for length in lengths
    }
    every = np.array([row[name] for row in rows for name in ("gaussian", "heavy")])
    error = np.sqrt(0.09 / rows[0]["series"])
    assert every.min() > 0.88 - 2 * error
    assert every.max() < 0.92 + 2 * error
    assert np.mean((every >= 0.88) & (every <= 0.92)) > 0.95
    first = table("fluctuations", "N")[0]
    assert first[3:] == [f"{100 * row['gaussian']:.1f}" for row in rows if row["length"] == rows[0]["length"]]


def test_the_claims_follow_from_the_stored_numbers(noise: dict[str, Any]) -> None:
    results = stored_results(noise)
    assert [asdict(claim) for claim in decide_claims(results)] == noise["claims"]
    again = json.loads(json.dumps(one_over_f.document(results, decide_claims(results))))
    for old, new in zip(noise["sizes"], again["sizes"], strict=True):
        for signal, value in old["beta"].items():
            assert new["beta"][signal]["mean"] == pytest.approx(value["mean"], rel=2e-5)
            assert new["beta"][signal]["seeds"] == pytest.approx(value["seeds"], rel=1e-3)


def test_the_page_on_fixed_points_quotes_the_numbers(points: dict[str, Any]) -> None:
    assert points_page.PAGE.read_text(encoding="utf-8") == points_page.current_page()
    assert table("fixed_points", "claim") == claims(points, "claim", "place", "published", "measured", "verdict")
    for row, one in zip(table("fixed_points", "method, input"), points["both_ways"], strict=True):
        distinct = sum(one["by_unstable"]) + one["slow_points"]
        counts = (one["fixed"], one["slow"], one["moving"], distinct)
        assert row == [one["input"], *map(str, counts), f"{one['seconds']:.1f}"]
    searches = {
        (f"{one['cell']}-100-{one['task']}", search["input"]): search
        for one in points["networks"]
        for search in one["searches"]
    }
    rows = table("fixed_points", "network \\| input \\| → fixed")
    assert {(row[0], row[1]) for row in rows} == searches.keys()
    for row in rows:
        one = searches[row[0], row[1]]
        assert row[2:] == [
            *(str(one["fixed"]), str(one["slow"]), " ".join(map(str, one["by_unstable"])) or "–"),
            *(str(one["index_sum"]), str(one["slow_points"] or "–")),
            *("–" if one[name] is None else f"{one[name]:.0e}" for name in ("q", "step", "slow_q")),
            " ".join(f"{100 * part:.0f}" for part in one["explained"]) or "–",
            f"{one['seconds']:.1f}",
        ]
    for row, one in zip(
        table("fixed_points", "network \\| PC1–3 of states, %"), points["line_attractors"], strict=True
    ):
        constants = ("–" if one[name] is None else f"{one[name]:.0f}" for name in ("slowest", "next"))
        assert row == [
            *(one["network"], " ".join(f"{100 * part:.0f}" for part in one["states"])),
            *(f"{one['fixed']} fixed, {one['slow']} slow", str(one["stable"]), *constants),
            "–" if one["aligned"] is None else f"{one['aligned']:.2f}",
            *(f"{100 * one['words']:.0f}", f"{one['words_correlation']:.2f}"),
        ]


def test_claims_of_the_published_recipe_are_decided_by_intervals(noise: dict[str, Any]) -> None:
    def epoch(h: float, x: float, internal: float) -> dict[str, Any]:
        names = {**dict.fromkeys("ifgo", internal), "c_out": h, "h": h, "x": x}
        return {"beta": {name: {"mean": mean, "sd": 0.1, "count": 300} for name, mean in names.items()}}

    runs = {
        8: [epoch(0.89, -0.05, 0.5), epoch(0.9, -0.04, 0.6), epoch(0.91, -0.06, 0.7)],
        16: [epoch(1.6, 0.5, 1.8), epoch(1.5, 0.4, 1.7), epoch(1.4, 0.6, 1.6)],
        32: [epoch(0.9, 0.3, 0.8), epoch(1.3, -0.3, 1.5), epoch(0.5, 0.0, 0.4)],
    }
    runs[64] = runs[8][:1]  # one seed decides nothing
    rows = claim_rows(runs, stored_results(noise))
    assert [row[1] for row in rows] == ["8", "16", "32", "64"] * 3
    assert [row[3].strip("*") for row in rows] == ["holds", "does not hold", "undecided", "undecided"] * 3


@pytest.mark.parametrize("size", [8, 128])
def test_the_page_says_what_separates_the_recipes(size: int) -> None:
    found = {row[0]: row[1:] for row in table("one_over_f", f"training, {size} cells")}
    beta = "0.833 ± 0.132 (reviews, 1 network)" if size == 8 else "–"
    assert found["Chong & Ling"] == ["–", beta, {8: "88.95", 128: "88.24"}[size]]
    runs = shipped_results("ingredients")["runs"]
    for label, changes, loss in (
        ("published recipe", "published", "loss"),
        ("… lowest loss on held-out reviews", "validation 1250, selection validation", "validation_loss"),
        ("… joined split, as the authors have it", "split joined", "loss"),
    ):
        ones = [
            min(run["epochs"][1:], key=itemgetter(loss))
            for run in runs
            if (run["changes"], run["size"]) == (changes, size)
        ]
        assert (label in found) == bool(ones)
        if not ones:
            continue
        assert found[label][0] == str(len(ones))
        mean, *interval = found[label][1].split(" (")
        assert mean == f"{np.mean([one['beta']['h']['mean'] for one in ones]):.2f}"
        assert bool(interval) == (len(ones) > 2)
        assert found[label][2] == f"{100 * np.mean([one['test_accuracy'] for one in ones]):.1f}"


def test_the_readme_quotes_both_recipes(noise: dict[str, Any]) -> None:
    page = readme.PAGE.read_text(encoding="utf-8")
    assert page == with_section(page, readme.MODULE, readme.current_section())
    eight = [one["beta"]["h"]["mean"] for one in noise["networks"] if (one["cell"], one["size"]) == ("lstm", 8)]
    ingredients = shipped_results("ingredients")
    published = [
        min(run["epochs"][1:], key=lambda one: one["loss"])["beta"]["h"]["mean"]
        for run in ingredients["runs"]
        if (run["changes"], run["size"]) == ("published", 8)
    ]
    row = next(line for line in page.splitlines() if line.startswith("| 8 |")).split(" | ")
    assert row[1].startswith(f"{np.mean(eight):.2f} (")
    assert row[2].startswith(f"{np.mean(published):.2f} (")


def test_the_readme_quotes_the_accuracies(noise: dict[str, Any]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for info in shipped_networks():
        if info.task == "sentiment":
            assert info.accuracy is not None
            assert f"| {info.name} | {100 * info.accuracy:.2f} |" in readme
            seeds = [one for one in noise["networks"] if (one["cell"], one["size"]) == (info.cell, info.size)]
            accuracies = [100 * one["accuracy"] for one in seeds]
            span = f"{min(accuracies):.2f} – {max(accuracies):.2f} ({len(seeds)} seeds)"
            assert f"| {info.name} | {100 * info.accuracy:.2f} | {span} |" in readme


def test_the_growth_of_a_sweep_is_written_from_the_numbers() -> None:
    results = shipped_results("sweep_growth")
    sections = {
        sweep_growth.PERFORMANCE: sweep_growth.performance_section(results),
        sweep_growth.TABLES: sweep_growth.plan_section(results),
    }
    for path, section in sections.items():
        page = path.read_text(encoding="utf-8")
        assert page == with_section(page, sweep_growth.MODULE, section)
    rows = table("performance", "networks \\| reviews each")
    assert [(row[0], row[1], row[3], row[4]) for row in rows] == [
        (f"{one['networks']:,}", f"{one['reviews']:,}", str(one["workers"]), f"{one['seconds']:.1f}")
        for one in results["rows"]
    ]
    plan = table("tables", "what is measured")
    hours = [80_000 * 50_000 / float(row[1].replace(",", "")) / 3600 for row in plan]
    assert [float(row[2].replace(",", "")) for row in plan] == pytest.approx(hours, rel=0.02)


def test_the_times_of_a_hundred_networks_are_quoted() -> None:
    results = shipped_results("sweep")
    quoted = table("sweeps", "where \\| training, s")
    assert len(results["rows"]) == 100
    for row, run in zip(quoted, results["runs"], strict=True):
        assert row[1:4] == [f"{run['train_seconds']:.0f}", f"{run['measure_seconds']:.0f}", f"{run['load']:g}"]
        assert (run["equal_networks"], run["equal_rows"]) == (100, 100)
        assert row[4:] == (["100 of 100"] * 2 if row is not quoted[0] else ["–"] * 2)
