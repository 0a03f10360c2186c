"""The documentation: links lead somewhere, commands exist, and the Python snippets run."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from engine.network import Network
from explorer.cli import VERBS, pinkx

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ids = [page.name for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_paths_in_the_text_exist(page: Path) -> None:
    named = set(re.findall(r"`((?:assets|docs|engine|explorer|tests)/[\w/.]+\.\w+)`", page.read_text(encoding="utf-8")))
    assert [name for name in named if not (ROOT / name).exists()] == []


def options(verb: list[str]) -> set[str]:
    """Return the options of a verb, such as ``["measure", "one-over-f"]``."""
    command: click.Command | None = pinkx
    for name in verb:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None
    return {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_and_their_options_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ").replace("`pinkx VERB\n--help`", "")
    blocks = "\n".join(re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    commands = re.findall(r"^pinkx ([^\n]+)", blocks, re.MULTILINE)
    commands += re.findall(
        r"`(?:\.venv/bin/)?pinkx ([a-z][^`]*)`", re.sub(r"^```\n.*?^```", "", text, flags=re.M | re.S)
    )
    assert len(commands) >= {"README.md": 10, "first_steps.md": 4}.get(page.name, 0)
    for words in (command.split() for command in commands):
        assert words[0] in VERBS, words
        verb = words[:2] if words[0] == "measure" else words[:1]
        given = {word.split("=")[0] for word in words if word.startswith("--")}
        assert given <= options(verb) | {"--help"}, words


def test_a_converted_model_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/your_own_network.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "your_own_network.md", "exec"), {})
    network = Network.load(tmp_path / "my-lstm.safetensors")
    assert network.vocabulary is not None
    assert network.classify(network.vocabulary.encode(["good", "film"])).shape == ()
