"""`pinkx measure reviews`: networks on the user's reviews, as rows of a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result as Done

from engine.catalogue import SHIPPED
from engine.reviews import open_reviews
from engine.sweeps.shards import Result
from engine.sweeps.table import read_table
from explorer.cli import pinkx
from explorer.measure import reviews
from explorer.session.network_folder import open_folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "a.jsonl"
    rows = [{"text": f"{'good ' * 50}{'bad film ' * (25 + k)}", "label": k % 2} for k in range(4)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "no\n")
    return path


def measure(*arguments: str | Path) -> Done:
    return CliRunner().invoke(pinkx, ["measure", "reviews", *map(str, arguments)])


def test_every_network_is_a_row_that_names_its_file(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "out"
    done = measure("lstm-8", "rnn-64", "lstm-8", "--reviews", source, "--signals", "h,x", "--out", out, "--json")
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert rows == read_table(out)
    assert [(row["name"], row["cell"], row["size"]) for row in rows] == [("lstm-8", "lstm", 8), ("rnn-64", "rnn", 64)]
    assert {"beta_h", "beta_h_low", "beta_x", "accuracy", "dead", "reviews", "epochs"} <= rows[0].keys()
    assert "batch" not in rows[0]  # both have the same
    assert "beta_f" not in rows[0]
    assert rows[0]["reviews"] == 4
    assert "4 reviews (2 positive, 2 negative)" in done.stderr
    assert "skipped 1: line 5" in done.stderr
    folder = open_folder(out)
    assert [folder.path_of(number).resolve() for number in (0, 1)] == [
        SHIPPED / f"{name}.safetensors" for name in ("lstm-8", "rnn-64")
    ]


def test_the_bundled_reviews_have_a_name(tmp_path: Path) -> None:
    done = measure("lstm-8", "--reviews", "bundled", "--signals", "h", "--out", tmp_path, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)[0]["reviews"] == len(open_reviews())


def test_a_run_is_resumed_unless_the_reviews_change(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, calls = tmp_path / "b.jsonl", list[str]()
    copy.write_bytes(source.read_bytes())

    def counted(file: str, *rest: Any) -> Result:
        calls.append(Path(file).stem)
        return measured(file, *rest)

    measured = reviews.measure_file
    monkeypatch.setattr(reviews, "measure_file", counted)
    command = ("--reviews", copy, "--signals", "h", "--out", tmp_path / "out", "--json")
    first = measure("lstm-8", *command)
    both = measure("rnn-64", "lstm-8", *command)
    assert calls == ["lstm-8", "rnn-64"]
    assert json.loads(both.stdout)[1]["beta_h"] == json.loads(first.stdout)[0]["beta_h"]
    with copy.open("a") as file:
        file.write('{"text": "dull", "label": 0}\n')
    measure("lstm-8", *command)
    assert len(calls) == 3


def test_a_folder_of_networks_is_measured(tmp_path: Path, source: Path) -> None:
    (tmp_path / "networks").mkdir()
    (tmp_path / "networks" / "a.safetensors").symlink_to(SHIPPED / "lstm-8.safetensors")
    done = measure(tmp_path, "--reviews", source, "--signals", "h", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("a: β of h ")
    assert open_folder(tmp_path).path_of(0) == tmp_path / "networks" / "a.safetensors"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lstm-8", "--reviews", "gone.jsonl"), "no such file or folder: 'gone.jsonl'"),
        (("lstm-8", "rnn-64", "--reviews", "-"), "standard input can be read once"),
        (("lstm-9", "--reviews", "gone"), "no network 'lstm-9'"),
        ((SHIPPED.parent / "pictures", "--reviews", "gone"), "no network; expected .safetensors files"),
        (("gru-100-integration-1", "--reviews", "gone"), "reads no reviews"),
    ],
)
def test_an_error_says_what_was_expected(tmp_path: Path, arguments: tuple[str | Path, ...], message: str) -> None:
    done = measure(*arguments, "--out", tmp_path / "out")
    assert done.exit_code != 0
    assert message in done.stderr
