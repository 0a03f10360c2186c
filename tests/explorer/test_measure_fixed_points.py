"""The fixed-point paper's claims as numbers, on a network whose geometry is known to be a cube."""

from __future__ import annotations

import json
from pathlib import Path

import platformdirs
import pytest
from click.testing import CliRunner

from engine.network import Network
from explorer.measure.fixed_points import findings, main


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / name)


def test_a_cube_is_called_a_cube() -> None:
    found = findings(Network.load("rnn-16-flip-flop-3"), starts=1024)
    assert (found.corner, found.centre) == (8, 1)
    assert 8 <= found.edge <= 12
    assert 3 <= found.face <= 6
    assert found.fixed == found.corner + found.edge + found.face + found.centre
    assert found.slow == 0
    assert found.pc3 > 0.95
    assert found.pc1 < 0.5  # three directions alike
    assert found.channel_cosine < 0.2  # at right angles
    assert found.mirror > 0.9
    assert (found.plus, found.minus) == (1, 1)
    assert len(found.linear) == 3
    assert 1 > found.linear[0] > found.linear[1] > found.linear[2]


def test_the_command_answers_in_json_and_as_a_table() -> None:
    done = CliRunner().invoke(main, ["rnn-16-flip-flop-3", "--starts", "64", "--json"])
    (told,) = json.loads(done.stdout)
    assert told["network"] == "rnn-16-flip-flop-3"
    assert told["corner"] <= 8
    table = CliRunner().invoke(main, ["rnn-16-flip-flop-3", "--starts", "64"]).stdout
    assert "rnn-16-flip-flop-3" in table
    assert str(told["edge"]) in table
