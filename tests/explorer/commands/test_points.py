"""`pinkx points`: a table, JSON for scripts, a file for notebooks."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from click.testing import CliRunner, Result

from engine.network import Network
from engine.points import FixedPoints
from engine.word_attractors import WordAttractors
from explorer.cli import pinkx
from tests.explorer.small import deep_network


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: tmp_path / name)


def points(*arguments: str, basins: int = 0) -> Result:
    return CliRunner().invoke(pinkx, ["points", *arguments, "--basins", str(basins)])


def test_json_describes_every_point(tmp_path: Path) -> None:
    out = tmp_path / "found.npz"
    done = points(
        "rnn-16-flip-flop-3", "--input", "zero", "--input", "1,0,0", "--starts", "100", "--json", "--out", str(out)
    )
    document = json.loads(done.stdout)
    found = FixedPoints.load(out)
    assert document["network"] == "rnn-16-flip-flop-3"
    assert document["starts"] == 200
    assert document["lost"] == found.lost
    assert len(document["explained_variance"]) == 3
    assert [row["hits"] for row in document["points"]] == found.hits.tolist()
    assert {row["input"] for row in document["points"]} == {"zero", "1,0,0"}
    for row in document["points"]:
        assert (row["newton_step"] < 1e-8) == (row["kind"] == "fixed")
        assert row["q"] < (1e-20 if row["kind"] == "fixed" else 1e-3)
        assert row["kind"] == "fixed" or row["slope"] < 1e-4
        assert row["unstable"] == sum(abs(complex(*value)) > 1 for value in row["eigenvalues"])


def test_the_table_has_a_row_for_every_point_up_to_the_limit() -> None:
    done = points("rnn-16-flip-flop-3", "--starts", "60")
    document = json.loads(points("rnn-16-flip-flop-3", "--starts", "60", "--json").stdout)
    summary, sums, head, *rows = done.stdout.splitlines()
    assert sums == "Σ 1 ✓"
    assert document["index_sum"] == {"zero": 1, "+1": 1, "-1": 1}
    assert "from 180 starts" in summary
    assert head.split() == ["INPUT", "KIND", "STABILITY", "STARTS", "Q", "STEP", "RADIUS", "τ", "P"]
    assert len(rows) == len(document["points"]) > 4
    few = points("rnn-16-flip-flop-3", "--starts", "60", "--limit", "3").stdout.splitlines()
    assert few[3:6] == rows[:3]
    assert few[6].startswith(f"… {len(rows) - 3} more")


def test_every_state_ends_at_a_stable_point_a_cycle_or_nowhere() -> None:
    arguments = ("rnn-16-flip-flop-3", "--input", "zero", "--starts", "60")
    document = json.loads(points(*arguments, "--json", basins=40).stdout)
    stable = [k for k, row in enumerate(document["points"]) if row["kind"] == "fixed" and row["stability"] == "stable"]
    for ends in document["ends"]["zero"].values():
        assert ends["states"] == 40
        assert ends["points"] == stable
        counted = sum(ends["share"]) * 40 + sum(cycle["hits"] for cycle in ends["cycles"]) + ends["elsewhere"]
        assert round(counted) == 40
        assert all(low <= share <= high for share, (low, high) in zip(ends["share"], ends["interval"], strict=True))
    lines = points(*arguments, basins=40).stdout.splitlines()
    place = lines.index("Ends under zero: share of 40 visited and 40 uniform states, 95 % intervals")
    assert [int(line.split()[1]) for line in lines[place + 1 : place + 1 + len(stable)]] == stable


def test_branches_along_a_channel_join_the_points_under_zero_and_under_one(tmp_path: Path) -> None:
    out = tmp_path / "branches.npz"
    arguments = ("rnn-16-flip-flop-3", "--starts", "60", "--along", "2")
    document = json.loads(points(*arguments, "--json", "--out", str(out)).stdout)
    branches = document["branches"]
    zero = json.loads(points("rnn-16-flip-flop-3", "--input", "zero", "--starts", "60", "--json").stdout)["points"]
    fixed = sum(row["kind"] == "fixed" for row in zero)
    for side in (-1, 1):  # every point under zero input begins or ends one branch on each side
        here = [branch for branch in branches if side * min(branch["weight"], key=lambda p: -abs(p)) > 0]
        assert sum(abs(branch["weight"][k]) < 1e-9 for branch in here for k in (0, -1)) == fixed
        turned = [branch for branch in here if abs(branch["weight"][0] - branch["weight"][-1]) < 1e-9]
        assert turned
        assert all(branch["folds"] for branch in turned)
    with np.load(out) as file:
        assert file["branch"].max() + 1 == len(branches)
        assert file["fold"].sum() == sum(len(branch["folds"]) for branch in branches)
        np.testing.assert_allclose(file["weight"][file["branch"] == 0], branches[0]["weight"])
    shown = points(*arguments, "--limit", "2", "--plot").stdout
    assert shown.startswith(f"rnn-16-flip-flop-3: {len(branches)} branches of fixed points, channel 2 from −1 to 1")
    assert "Fixed points along the input" in shown


def test_a_linear_readout_is_no_probability(tmp_path: Path) -> None:
    network = Network.load("rnn-16-flip-flop-3")
    network.info["activation"] = "linear"
    path = tmp_path / "linear.safetensors"
    network.save(path)
    arguments = (str(path), "--input", "zero", "--starts", "10")
    row = json.loads(points(*arguments, "--json").stdout)["points"][0]
    assert row["probability"] is None
    assert row["output"] == row["readout"]
    assert points(*arguments).stdout.splitlines()[2].split()[-1] == "OUTPUT"
    followed = points(str(path), "--along", "2", "--starts", "10", "--plot").stdout
    assert followed.splitlines()[1].split()[3] == "OUTPUT"
    assert "logit" not in followed.casefold()


def test_a_network_without_a_task_is_searched_from_noise_or_a_signal(tmp_path: Path) -> None:
    made = Network.load("rnn-16-flip-flop-3")
    made.task = "imported"
    path = tmp_path / "mine.safetensors"
    made.save(path)
    np.save(tmp_path / "signal.npy", np.eye(3).repeat(10, axis=0))
    arguments = (str(path), "--input", "zero", "--starts", "10", "--json")
    for more, said in (((), True), (("--reviews", str(tmp_path / "signal.npy")), False)):
        done = points(*arguments, *more)
        assert ("white noise of variance 1" in done.stderr) is said
        assert any(row["stability"] == "stable" for row in json.loads(done.stdout)["points"])


def test_the_layer_and_the_direction_are_chosen(tmp_path: Path) -> None:
    path = tmp_path / "deep.safetensors"
    deep_network(bidirectional=True).save(path)
    arguments = (str(path), "--starts", "4", "--input", "zero", "--json")
    found = {
        (layer, direction): json.loads(points(*arguments, "--layer", layer, "--direction", direction).stdout)
        for layer, direction in product("12", ("forward", "backward"))
    }
    assert len({str(document["points"][0]["eigenvalues"][0]) for document in found.values()}) == 4
    refused = points(*arguments, "--layer", "3")
    assert "has the layers 1 to 2" in refused.stderr


def test_a_sentiment_network_is_searched_from_the_bundled_reviews() -> None:
    document = json.loads(points("lstm-8", "--input", "great", "--input", "worst", "--starts", "30", "--json").stdout)
    chance = {row["input"]: row["probability"][0] for row in document["points"] if row["stability"] == "stable"}
    assert chance["great"] > 0.9
    assert chance["worst"] < 0.1


def test_words_lie_between_worst_and_best(tmp_path: Path) -> None:
    out = tmp_path / "words.npz"
    rows = json.loads(points("lstm-8", "--words", "--json", "--out", str(out)).stdout)["words"]
    assert len(rows) == len(WordAttractors.load(out).words)
    logits = [row["logit"] for row in rows]
    assert logits == sorted(logits)
    for row in rows:  # only a certified fixed point has a time constant
        assert (row["time_constant"] is None) == (row["kind"] != "fixed")
        assert (row["period"] > 1) == (row["kind"] == "cycle")
    place = {row["word"]: k for k, row in enumerate(rows)}
    assert place["worst"] < 40
    assert place["excellent"] > len(rows) - 40
    table = points("lstm-8", "--words", "--limit", "5").stdout.splitlines()
    assert [line.split()[-1] for line in table[2:7]] == [rows[k]["word"] for k in (0, 1, 2, -2, -1)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-network"], "no network"),
        (["lstm-8", "--input", "zzxqj"], "no input called 'zzxqj'"),
        (["gru-100-flip-flop-3", "--words"], "takes vectors, not words"),
        (["rnn-16-flip-flop-3", "--along", "4"], "has no channel '4'; expected a number from 1 to 3"),
        (["gru-100-flip-flop-3", "--input", "1,2"], "takes 3 finite numbers"),
    ],
)
def test_what_cannot_be_searched_is_an_error(arguments: list[str], message: str) -> None:
    done = points(*arguments)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert "Traceback" not in done.output
