"""The command line: fast help, error messages, exit status."""

from __future__ import annotations

import builtins
import importlib
import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from explorer import cli, signal_watch
from explorer.cli import VERBS, pinkx

PINKX = [sys.executable, "-c", "from explorer.cli import main; main()"]

Invoke = Callable[..., Result]
Failing = Callable[[BaseException], Invoke]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Add a verb ``fail`` that raises a given error; returns a function that runs pinkx."""

    def prepare(error: BaseException) -> Invoke:
        @click.command
        def command() -> None:
            raise error

        module = types.ModuleType("explorer.commands.fail")
        module.command = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(VERBS, "fail", "Fail.")
        return lambda *args: CliRunner().invoke(pinkx, args, prog_name="pinkx")

    return prepare


def test_help_lists_every_verb_with_its_description() -> None:
    done = CliRunner().invoke(pinkx, ["--help"], terminal_width=200)
    assert done.exit_code == 0
    for verb, help_line in VERBS.items():
        assert f"  {verb} " in done.output
        assert help_line in done.output


def test_help_takes_less_than_a_third_of_a_second() -> None:
    # processor time, because the machine may be busy
    took = []
    for _ in range(3):
        before = os.times()
        subprocess.run([*PINKX, "--help"], check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        took.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(took) < 0.3


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str) -> None:
    done = CliRunner().invoke(pinkx, [verb, "--help"])
    assert done.exit_code == 0
    assert done.output.startswith(f"Usage: pinkx {verb} ")


def test_an_unknown_verb_lists_the_known_ones() -> None:
    done = CliRunner().invoke(pinkx, ["sing"])
    assert done.exit_code == 2
    assert "no verb 'sing'" in done.stderr
    assert ", ".join(VERBS) in done.stderr


def test_version() -> None:
    done = CliRunner().invoke(pinkx, ["--version"])
    assert done.output.startswith("pinkx 0.")


@pytest.mark.parametrize("error", [ValueError("no such thing"), FileNotFoundError("no such thing")])
def test_an_error_is_one_line_on_standard_error(failing: Failing, error: Exception) -> None:
    done = failing(error)("fail")
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "error: no such thing\n")


def test_an_error_quoting_a_file_sends_no_control_characters_to_the_terminal(failing: Failing) -> None:
    done = failing(ValueError("found '\x1b[2J\x07\u202e'\nexpected a word"))("fail")
    assert done.stderr == "error: found '�[2J��'\nexpected a word\n"


def test_debug_shows_where_an_error_arose(failing: Failing) -> None:
    error = ValueError("no such thing")
    assert failing(error)("--debug", "fail").exception is error


def test_a_bug_is_not_hidden(failing: Failing) -> None:
    error = KeyError("i")
    assert failing(error)("fail").exception is error


def test_ctrl_c_ends_silently(failing: Failing) -> None:
    done = failing(KeyboardInterrupt())("fail")
    assert (done.exit_code, done.output) == (130, "")


def test_a_closed_pipe_is_no_error() -> None:
    process = subprocess.Popen([*PINKX, "networks", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.wait()
    process.stderr.close()


def test_a_signal_during_an_import_ends_the_process_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(signal_watch, "end_now", ended.append)
    (tmp_path / "slow_to_load.py").write_text("import inspect\nhandler(15, inspect.currentframe())\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(builtins, "handler", cli._exit_in_order, raising=False)
    with pytest.raises(SystemExit):
        importlib.import_module("slow_to_load")
    assert set(ended) == {143}  # the real one does not return
    ended.clear()
    with pytest.raises(SystemExit):
        cli._exit_in_order(15, sys._getframe())
    assert ended == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminated_program_runs_its_finally(number: signal.Signals) -> None:
    program = """
import sys, time, types, click
from explorer import cli

@click.command
def command():
    try:
        print("ready", flush=True)
        time.sleep(30)
    finally:
        print("closed")

cli.VERBS["wait"] = "Wait."
sys.modules["explorer.commands.wait"] = types.SimpleNamespace(command=command)
sys.argv = ["pinkx", "wait"]
cli.main()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (128 + number, b"closed\n", b"")
