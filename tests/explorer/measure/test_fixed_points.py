"""`pinkx measure fixed-points`, for a small network whose points are known to form a cube."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest
import torch
from click.testing import CliRunner
from rich.progress import Progress

from engine import fixed_points
from engine.catalogue import NetworkInfo
from engine.cells import RnnCell
from engine.fixed_points import find_fixed_points
from engine.linearised import LinearPrediction
from engine.network import Network
from engine.start_states import TASK_SEED, input_from_name, visited_states
from engine.tasks import FlipFlop
from explorer.measure.fixed_points import command
from explorer.measure.fixed_points.claims import decide_claims
from explorer.measure.fixed_points.results import NetworkResult, measure, select_networks
from explorer.measure.fixed_points.searches import INPUTS
from explorer.measure.fixed_points.trajectories import (
    AHEAD,
    DRAWS,
    SETTLING,
    STATES,
    _explained as explained,
    _fraction as fraction,
)
from explorer.measure.fixed_points.verb import measure_networks
from explorer.measure.line_attractor import LineAttractor
from explorer.measure.study.claims import DEPENDS, FAILS, HOLDS, OPEN, verdict
from tests.explorer.small import small_file

NAME = "rnn-16-flip-flop-3"
ARGUMENTS = ("--networks", NAME, "--starts", "64", "--published-way", "16", "--out")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: tmp_path / name)


@pytest.fixture(scope="module")
def few_steps_of_adam() -> Iterator[None]:
    """End the paper's method early: how it is compared with Newton's is tested here, not what it finds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixed_points, "_ADAM_STEPS", 100)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, quick_rendering: None, few_steps_of_adam: None) -> Path:
    """Run the study on the small network; returns the folder of its results."""
    folder = tmp_path_factory.mktemp("fixed-points")
    done = CliRunner().invoke(command, [*ARGUMENTS, str(folder)])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == str(folder / "index.html")
    return folder


def numbers(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "fixed_points.json").read_text())
    return document


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> NetworkResult:
    (info,) = select_networks([NAME])
    return measure(info, 256, 0, tmp_path_factory.mktemp("cache"))


# ---- what is measured ----------------------------------------------------------------------------------------------


def test_the_geometry_of_a_cube(cube: NetworkResult) -> None:
    found = cube.geometry
    assert found.corners == 8
    centre, side, edge, corner = found.decided
    assert (centre, corner) == (1, 8)
    assert 3 <= side <= 6
    assert 8 <= edge <= 12
    assert found.points == sum(found.decided) == sum(cube.search("zero").by_unstable)
    assert found.pc3 > 0.95
    assert found.pc1 < 0.5  # three equivalent directions
    assert found.cosine < 0.2  # orthogonal
    assert found.mirror > 0.9
    assert (found.plus, found.minus) == (1, 1)
    decided = {claim.claim: claim.verdict for claim in decide_claims([cube])}
    assert decided["flip-flop-3: no cube"] == FAILS
    assert decided["flip-flop-3: points cluster on three axes"] == FAILS
    assert decided["flip-flop-3: the channels' directions are perpendicular"] == HOLDS
    assert decided["integration-3: no cube"] == OPEN


def test_the_stable_points_of_a_flip_flop_predict_where_it_ends(cube: NetworkResult) -> None:
    tested = cube.trajectories
    assert tested.reached.draws == (1,) * DRAWS
    assert tested.reached.error == 0
    assert min(tested.predicted.draws) > 0.9
    assert max(tested.most_frequent.draws) < 0.3
    assert 1 > tested.linear[0].mean > tested.linear[1].mean > tested.linear[2].mean
    assert len(set(tested.predicted.draws)) > 1  # other states in each draw
    # The draws scatter by what the errors by sequence say.
    for one in (tested.predicted, tested.answer, *tested.linear):
        assert one.error > 0
        assert np.std(one.draws, ddof=1) < 4 * one.error * DRAWS**0.5


def test_errors_are_by_sequence() -> None:
    """Two draws of three sequences of very different lengths: the jackknife leaves out one sequence at a time."""
    error = np.array([[1.0], [2.0], [6.0]]) * np.ones(max(AHEAD))
    baseline = np.array([[4.0], [4.0], [8.0]]) * np.ones(max(AHEAD))
    parts = [LinearPrediction(error, baseline), LinearPrediction(2 * error, 2 * baseline)]
    for one in explained(parts):
        assert one.draws == pytest.approx([1 - 9 / 16] * 2)
        e, b = (np.concatenate([part, 2 * part])[:, 0] for part in (error, baseline))
        left_out = [1 - np.delete(e, k).sum() / np.delete(b, k).sum() for k in range(6)]
        assert one.error == pytest.approx((5 * np.var(left_out)) ** 0.5)
    share = fraction([np.array([1.0, 0.0]), np.array([1.0, 1.0])])
    assert (share.draws, share.mean, share.median) == ((0.5, 1.0), 0.75, 0.75)
    assert share.error == pytest.approx((0.75 * 0.25 * 4 / 3 / 4) ** 0.5)
    assert np.isnan(fraction([np.empty(0), np.ones(1)]).mean)


def test_numbers_equal_a_plain_recomputation(run: Path) -> None:
    (one,) = numbers(run)["networks"]
    network = Network.load(NAME)
    cell = network.cell.to(dtype=torch.float64)
    readout = (network.readout_weight, network.readout_bias)
    starts = visited_states(network, 64)
    for row, name in zip(one["searches"], INPUTS, strict=True):
        found = find_fixed_points(cell, input_from_name(network, name), starts, readout=readout)
        assert row["input"] == name
        assert row["starts"] == row["fixed"] + row["slow"] + row["moving"] == 64
        assert row["fixed"] == found.hits[found.fixed].sum()
        assert row["by_unstable"] == np.bincount(found.unstable[found.fixed]).tolist()
        assert row["slow_points"] == (~found.fixed).sum()
        assert row["index_sum"] == 1
        assert row["certified_points"] == found.fixed.sum()
    # geometry of the points under zero, by NumPy alone
    zero = find_fixed_points(cell, [0.0] * 3, starts, readout=readout)
    variance = np.linalg.svd(zero.states - zero.states.mean(axis=0), compute_uv=False) ** 2
    assert one["geometry"]["pc1"] == pytest.approx(variance[0] / variance.sum())
    assert one["geometry"]["pc3"] == pytest.approx(variance[:3].sum() / variance.sum())
    stable = zero.readout[zero.unstable == 0]
    assert one["geometry"]["corners"] == len({tuple(row) for row in np.sign(stable)})
    # linear prediction one step ahead from the nearest point, state by state
    W, U, b = (part.numpy() for part in (cell.weight_ih, cell.weight_hh, cell.bias))
    inputs, _ = FlipFlop(3).sequences(32, 60, TASK_SEED + 1)
    error = moved = 0.0
    for x in inputs[:, :].astype(float):
        h, states = np.zeros(16), []
        for now in x:
            h = np.tanh(W @ now + U @ h + b)
            states.append(h)
        for t in range(60 - 10):
            point = zero.states[np.linalg.norm(zero.states - states[t], axis=1).argmin()]
            slope = 1 - np.tanh(U @ point + b) ** 2
            guess = np.tanh(U @ point + b) + slope * (U @ (states[t] - point) + W @ x[t + 1])
            error += ((guess - states[t + 1]) ** 2).sum()
            moved += ((states[t] - states[t + 1]) ** 2).sum()
    assert one["trajectories"]["linear"][0]["draws"][0] == pytest.approx(1 - error / moved)
    # and where states end under zero input
    begin = visited_states(network, STATES, seed=2).numpy()
    end, rest = begin, zero.states[zero.unstable == 0]
    for _ in range(SETTLING):
        end = np.tanh(end @ U.T + b)

    def nearest(h: Any) -> Any:
        return np.linalg.norm(rest[:, None] - h, axis=-1).argmin(axis=0)

    assert one["trajectories"]["predicted"]["draws"][0] == pytest.approx((nearest(begin) == nearest(end)).mean())
    assert one["trajectories"]["most_frequent"]["draws"][0] == pytest.approx(np.bincount(nearest(end)).max() / STATES)


# ---- the run -------------------------------------------------------------------------------------------------------


def test_a_run_writes_every_file(run: Path) -> None:
    tables = {"searches": 5, "geometry": 1, "trajectories": 1, "lines": 0, "claims": len(numbers(run)["claims"])}
    for name, rows in tables.items():
        with (run / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            heading, *lines = csv.reader(file)
        assert len(lines) == rows
        assert all(len(line) == len(heading) for line in lines)
    pictures = {file.stem for file in run.glob("*.png")}
    assert pictures == {"figure-3", "figure-7", "figure-8", "figure-9", "predictions"}
    assert {file.stem for file in run.glob("*.pdf")} == pictures
    page = (run / "index.html").read_text(encoding="utf-8")
    assert page.count("<img ") == len(pictures)
    assert all(escape(claim["measured"]) in page for claim in numbers(run)["claims"])
    assert 'src="http' not in page


@pytest.mark.usefixtures("no_rendering")
def test_cached_results_are_not_measured_again(run: Path, tmp_path: Path) -> None:
    first = numbers(run)
    (cached,) = (run / "cache").iterdir()
    changed = cached.stat().st_mtime_ns
    CliRunner().invoke(command, [*ARGUMENTS, str(run)], catch_exceptions=False)
    assert cached.stat().st_mtime_ns == changed
    assert numbers(run)["networks"] == first["networks"]  # the processor seconds, too
    # a damaged file is measured again, with the same numbers except for the seconds
    again = tmp_path / "again"
    (again / "cache").mkdir(parents=True)
    (again / "cache" / cached.name).write_text(cached.read_text()[:500])
    CliRunner().invoke(command, [*ARGUMENTS, str(again)], catch_exceptions=False)
    assert without_seconds(again) == without_seconds(run)


def without_seconds(folder: Path) -> dict[str, Any]:
    """Return all numbers but the processor seconds."""
    document = numbers(folder)
    for row in (*document["networks"][0]["searches"], *document["both_ways"]):
        del row["seconds"]
    return document


def save_line(path: Path, task: str) -> None:
    """Save three cells, h ← tanh(2 h + x), with the same input: two answers."""
    Network(
        RnnCell(torch.ones(3, 1), 2 * torch.eye(3), torch.zeros(3)),
        *(torch.ones(1, 3), torch.zeros(1)),
        task=task,
        name=path.stem,
    ).save(path)


def test_an_interrupted_run_is_resumed(tmp_path: Path) -> None:
    for name, task in (("a", "flip-flop-1"), ("b", "integration-1")):
        save_line(tmp_path / f"{name}.safetensors", task)
    selected = select_networks([str(tmp_path / "*.safetensors")])
    assert [info.task for info in selected] == ["flip-flop-1", "integration-1"]

    def interrupted(info: NetworkInfo, *options: Any) -> NetworkResult:
        if info.task == "integration-1":
            raise KeyboardInterrupt
        return measure(info, *options)

    bar = Progress(disable=True)
    with pytest.raises(KeyboardInterrupt):
        measure_networks(selected, 32, 0, tmp_path, bar, interrupted)
    (cached,) = (tmp_path / "cache").iterdir()
    assert json.loads(cached.read_text())["values"]["task"] == "flip-flop-1"
    changed = cached.stat().st_mtime_ns
    results, _ = measure_networks(selected, 32, 0, tmp_path, bar)
    assert [one.task for one in results] == ["flip-flop-1", "integration-1"]
    assert cached.stat().st_mtime_ns == changed  # it continued where it was interrupted


def test_both_methods_search_from_the_same_starts(run: Path) -> None:
    rows = numbers(run)["both_ways"]
    assert [row["input"] for row in rows] == ["newton, zero", "adam, zero", "newton, +1", "adam, +1"]
    for newton, adam in (rows[:2], rows[2:]):
        assert newton["fixed"] == newton["starts"] == adam["starts"] == 16
        assert adam["fixed"] + adam["slow"] + adam["moving"] == 16
    assert "Adam" in (run / "index.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("quick_rendering")
def test_one_channel_gives_the_figures_of_a_line_and_no_axes(tmp_path: Path) -> None:
    save_line(tmp_path / "small.safetensors", "integration-1")
    out = tmp_path / "out"
    CliRunner().invoke(
        command,
        ["--networks", str(tmp_path / "*.safetensors"), "--starts", "32", "--out", str(out)],
        catch_exceptions=False,
    )
    assert {file.stem for file in out.glob("*.png")} == {"figure-4", "figure-5", "figure-10", "predictions"}
    (one,) = numbers(out)["networks"]
    assert one["geometry"]["corners"] == 2
    assert one["geometry"]["cosine"] is None  # there is a single direction


@pytest.mark.usefixtures("no_rendering")
def test_a_network_that_reads_words_is_tested_for_a_line_attractor(tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["--networks", str(small_file(tmp_path)), "--starts", "16", "--out", str(out)]
    for _ in range(2):  # measured, and cached
        done = CliRunner().invoke(command, arguments)
        assert done.exit_code == 0, done.output
        (line,) = numbers(out)["line_attractors"]
        assert line["network"] == "lstm-12"
        assert 0 < line["words"] <= 1
        assert numbers(out)["networks"] == []
        assert {claim["place"] for claim in numbers(out)["claims"]} == {"Maheswaranathan et al. 2019"}
    assert "Maheswaranathan" in (out / "index.html").read_text(encoding="utf-8")


def test_networks_are_chosen_by_pattern_and_seed(tmp_path: Path) -> None:
    nine = select_networks(["*-100-*"])
    assert len(nine) == 9
    assert select_networks(["gru-100-*"], [0]) == [one for one in nine if one.cell == "gru"]
    with pytest.raises(ValueError, match="none of these networks was trained with seed 99"):
        select_networks(["gru-100-*"], [99])
    with pytest.raises(ValueError, match="no network matches"):
        select_networks([str(tmp_path / "*.safetensors")])


# ---- verdicts ------------------------------------------------------------------------------------------------------


def test_a_claim_holds_for_all_depends_or_fails() -> None:
    assert [verdict(met) for met in ([True, True], [True, False], [False], [])] == [HOLDS, DEPENDS, FAILS, OPEN]


def test_a_line_attractor_is_distinguished_from_a_network_without_a_stable_point() -> None:
    line = LineAttractor("lstm-8", (0.9, 0.05, 0.01), 1, 0, 1, 1.0, 900.0, 80.0, 0.8, 0.9, 1.0)
    nan = float("nan")
    restless = replace(line, network="rnn-8", stable=0, slowest=nan, next=nan, aligned=nan)
    assert {claim.verdict for claim in decide_claims([], [line])} == {HOLDS}
    assert [claim.verdict for claim in decide_claims([], [restless])] == [HOLDS, FAILS, FAILS, FAILS]
    assert decide_claims([], [line, restless])[-1].verdict == DEPENDS
    assert "rnn-8 no stable point" in decide_claims([], [line, restless])[-1].measured


def test_numbers_decide(cube: NetworkResult) -> None:
    def of(one: NetworkResult, claim: str) -> str:
        return next(c.verdict for c in decide_claims([cube, one]) if c.claim == claim)

    axes = replace(cube, geometry=replace(cube.geometry, corners=6, decided=(1, 6, 2, 0)))
    assert of(axes, "flip-flop-3: no cube") == DEPENDS
    assert of(axes, "flip-flop-3: points cluster on three axes") == DEPENDS
    useless = replace(cube, trajectories=replace(cube.trajectories, predicted=cube.trajectories.most_frequent))
    assert of(cube, "The nearest stable point does not predict the end") == FAILS
    assert of(useless, "The nearest stable point does not predict the end") == DEPENDS
    assert of(replace(cube, accuracy=0.5), "All architectures learn the tasks") == DEPENDS
