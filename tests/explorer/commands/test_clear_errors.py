"""One clear line for what a machine or a command line lacks."""

from __future__ import annotations

import errno
import importlib
import json
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from explorer.cli import error_message, pinkx
from explorer.gui.libraries import GuiUnavailable, Probe, check
from explorer.session.keymap import keys_path
from explorer.tui import launch
from explorer.tui.launch import _check_terminal
from explorer.tui.terminal import textual_internals


@pytest.mark.parametrize("verb", ["tui", "gui"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--screenshot", "nowhere/picture.svg"], "there is no folder 'nowhere'", id="folder"),
        pytest.param(["--size", "80x24"], "--size belongs to a picture: use it with --screenshot", id="size"),
        pytest.param(["--after", "3"], "--after belongs to a picture", id="after"),
    ],
)
def test_options_of_a_picture(verb: str, arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(pinkx, [verb, *arguments])
    assert done.exit_code != 0
    assert message in done.stderr


def test_keys_are_printed_for_scripts() -> None:
    done = CliRunner().invoke(pinkx, ["keys", "--json"])
    assert json.loads(done.stdout)["play"] == ["space"]


def test_a_bad_file_of_keys_leaves_the_defaults_to_repair_it_from() -> None:
    keys_path().parent.mkdir(parents=True, exist_ok=True)
    keys_path().write_text("fly = 'f'")
    done = CliRunner().invoke(pinkx, ["keys"])
    assert done.exit_code == 0
    assert "no action 'fly'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert 'play = "space"' in done.stdout


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        pytest.param({"TERM": "dumb"}, "TERM=dumb", id="dumb"),
        pytest.param({"TERM": ""}, "TERM=is not set", id="unset"),
    ],
)
def test_a_terminal_without_a_cursor(
    environment: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(click.UsageError, match=message):
        _check_terminal()


def test_without_termios_the_console_is_left_to_textual(monkeypatch: pytest.MonkeyPatch) -> None:
    """No module of the terminal explorer needs termios, fcntl or tty before Textual's own driver, as on Windows."""
    monkeypatch.setitem(sys.modules, "termios", None)
    monkeypatch.setitem(sys.modules, "textual.drivers.linux_driver", None)
    assert launch._terminal_attributes() == []
    importlib.reload(textual_internals)


def test_a_terminal_without_block_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ascii:
        encoding = "ANSI_X3.4-1968"

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", Ascii())
    with pytest.raises(click.UsageError, match=r"encoding is ANSI_X3.4-1968.*C.UTF-8"):
        _check_terminal()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        pytest.param({"PYQTGRAPH_QT_LIB": "PyQt5", "DISPLAY": ":0"}, "unset PYQTGRAPH_QT_LIB", id="binding"),
        pytest.param(
            {"WAYLAND_DISPLAY": "wayland-77", "XDG_RUNTIME_DIR": "/nowhere"},
            "'wayland-77' does not answer",
            id="wayland",
        ),
    ],
)
def test_a_desktop_that_cannot_be_used(environment: dict[str, str], message: str) -> None:
    class Installed(Probe):
        def has_package(self, name: str) -> bool:
            return True

    with pytest.raises(GuiUnavailable, match=message):
        check(on_screen=True, probe=Installed(platform="linux", environment=environment))


def test_reviews_are_numbered_as_the_option_takes_them(tmp_path: Path) -> None:
    file = tmp_path / "two.csv"
    file.write_text("text,label\nA warm film,1\nA dull film,0\n")
    lines = CliRunner().invoke(pinkx, ["reviews", str(file)]).stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["1", "2"]


def test_an_error_of_the_system_names_its_file_and_what_to_do() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/data/a.svg")
    assert error_message(full) == "/data/a.svg: No space left on device; free some space, or name another folder"
    assert error_message(ValueError("three words")) == "three words"
    assert error_message(FileNotFoundError("no such recording")) == "no such recording"
