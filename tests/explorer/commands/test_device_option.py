"""``--device``: every verb that computes has it, and refuses a card that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from explorer.cli import pinkx

COMPUTE = {
    *("tui", "gui", "train", "points", "lyapunov", "calibrate", "bench", "read"),
    *("measure one-over-f", "measure fixed-points", "measure sweep", "measure ingredients", "measure reviews"),
}


def leaves(group: click.Group, context: click.Context, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, context, f"{path}{name} ")
        else:
            yield path + name, command


def test_every_verb_that_computes_has_the_option() -> None:
    assert isinstance(pinkx, click.Group)
    having = {
        name
        for name, command in leaves(pinkx, click.Context(pinkx))
        if any(parameter.name == "device" for parameter in command.params)
    }
    assert having == COMPUTE


@pytest.mark.parametrize(
    "verb",
    [
        ["points", "lstm-8"],
        ["lyapunov", "lstm-8"],
        ["calibrate"],
        ["read", "--network", "rnn-16-flip-flop-3"],
        ["bench"],
        ["train", "--task", "integration-1"],
        ["measure", "reviews", "lstm-8", "--reviews", "bundled"],
        ["measure", "fixed-points"],
        ["measure", "one-over-f"],
        ["measure", "sweep", "FOLDER"],
        ["measure", "ingredients", "FOLDER"],
    ],
    ids=lambda verb: " ".join(verb),
)
def test_a_card_that_is_not_there_is_refused_in_one_sentence(
    verb: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("torch.version.cuda", None)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    given = [str(tmp_path) if word == "FOLDER" else word for word in verb]
    done = CliRunner().invoke(pinkx, [*given, "--device", "cuda"])
    assert done.exit_code == 1, done.output
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: --device cuda: PyTorch ")
    assert "use --device cpu" in line
    assert not list(tmp_path.iterdir())
