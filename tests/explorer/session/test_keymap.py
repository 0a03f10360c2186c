"""Custom keys work in the terminal, its footer, help and palette; a bad file is reported."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from textual.keys import _character_to_key
from textual.widgets import Static

from explorer.cli import pinkx
from explorer.session.actions import ACTIONS, WINDOW_ACTIONS, shown_key
from explorer.session.core import SessionError
from explorer.session.keymap import KeysError, actions_with, key_named, keys_path, load_keys
from explorer.session.launcher import LaunchOptions
from explorer.session.session import Session
from explorer.tui.app import Explorer
from explorer.tui.dialogs.base import ChooseDialog
from explorer.tui.panels.bars import KeyBar
from tests.explorer.small import open_session, wait
from tests.explorer.tui.harness import until


def error_message(tmp_path: Path, text: str) -> str:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(KeysError) as caught:
        load_keys(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_actions_that_the_file_does_not_list_keep_their_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('# mine\nplay = "P"\nsignal = ["?", "ctrl+g"]\nhelp = "f1"\nfaster = "+"\n')
    table = {action.id: action.keys for action in actions_with(load_keys(path))}
    assert table["play"] == ("P",)
    assert table["signal"] == ("question_mark", "ctrl+g")
    assert table["faster"] == ("plus",)
    assert table["step"] == ("right",)
    assert [action.id for action in actions_with({})] == [action.id for action in ACTIONS]


def test_two_actions_may_change_places(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('brush = "p"\npin = "b"\n')
    assert load_keys(path) == {"brush": ("p",), "pin": ("b",)}


def test_notices_name_the_keys_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a recording is written here
    session = open_session()
    session.stream.seek(100)
    wait(lambda: session.stream.snapshot.time == 100)
    own = {
        "brush": "B", "step": "K", "step-back": "J", "select-up": "Y", "select-down": "Z", "undo-ablation": "f2",
        "record": "f3", "signal": "f4", "search": "f5", "compare": "f6", "compare-reviews": "f7", "edit": "f8",
        "next-place": "f9", "agree-elsewhere": "ctrl+a",
    }  # fmt: skip
    session.actions = actions_with({name: (key,) for name, key in own.items()})

    def refused(deed: Callable[[], object]) -> str:
        with pytest.raises(SessionError) as caught:
            deed()
        return str(caught.value)

    assert "choose one with Y Z or a click" in refused(lambda: session.perform("pin"))
    assert "choose one with Y Z or a click" in refused(lambda: session.perform("ablate"))
    assert "search for words first (F5)" in refused(lambda: session.perform("next-found"))
    assert "brush words in which some cells fire first (B)" in refused(session.pattern_search.begin)
    assert "a network (F6) or a review (F7), or edit the text (F8)" in refused(session.text_diff.require_comparison)
    session.perform("next-place")
    assert "brush some words first (B)" in session.note
    session.look_at(40)
    session.perform("brush")
    assert session.note == "brush: go to the other end with J K, then press B again"
    session.perform("brush")
    assert "(F9), and in other reviews (^a)" in session.note
    session.word_search.look_for("xylophonist")
    assert "F5 lists the reviews" in refused(lambda: session.perform("next-found"))
    session.word_search.others.cancel()
    session.perform("record")
    assert "F3 again writes them" in session.note
    session.select(3)
    session.perform("ablate")
    assert "(F2 restores)" in session.note
    session.choose_signal("x")
    assert "choose a gate with F4" in refused(lambda: session.ablation.clamp_at("0"))
    session.choose_signal("f")
    session.ablation.clamp_at("0")
    assert "(F2 restores)" in session.note
    session.close()


def test_no_text_of_the_session_names_a_fixed_key() -> None:
    named = re.compile(r"(?<!F)\([a-zA-Z/?]\)|← →|↑ ↓|\b[A-Z] (again|undoes|restores)|press [a-z]\b")
    assert named.search("there are 3 places (a)")
    assert named.search("go there with ← →")
    for file in (Path(__file__).parents[3] / "explorer" / "session").rglob("*.py"):
        if file.name != "actions.py":
            texts = [n.value for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Constant)]
            assert not [text for text in texts if isinstance(text, str) and named.search(text)], file.name


def test_front_ends_give_the_session_their_keys(session: Session, tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('pin = "f2"\nquit = "Q"\n')
    app = Explorer(LaunchOptions(keys=tmp_path / "keys.toml"), session=session)
    assert session.key_of("pin", "quit") == app.session.key_of("pin", "quit") == "F2 Q"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("play = ", ("is not TOML", "expected lines such as")),
        ('play = "x"\nplay = "y"', ("is not TOML",)),
        ('\nplya = "x"', ("line 2", "no action 'plya'", "did you mean play?", "pinkx keys")),
        ('zoom = "Zoom"', ("line 1", "there is no key 'Zoom'", "pageup", "f24")),
        ('zoom = ""', ("there is no key ''",)),
        ('zoom = "ctrl+"', ("there is no key 'ctrl+'",)),
        ('zoom = "super+k"', ("before a key", "ctrl+")),
        ('zoom = "ctrl+ctrl+k"', ("each once",)),
        ('zoom = "shift+k"', ("write the character",)),
        ("zoom = 3", ("needs a key",)),
        ("zoom = []", ("needs a key",)),
        ('zoom = ["k", 3]', ("needs a key",)),
        ('[zoom]\nkey = "k"', ("line 1", "needs a key")),
        ('zoom = "tab"', ("tab is reserved",)),
        ('zoom = "ctrl+c"', ("ctrl+c is reserved",)),
        ('# one\nzoom = "9"\npin = ["p", "9"]', ("line 3", "9 is the key of both zoom and pin")),
        ('zoom = "space"', ("line 1", "space is already the key of play")),
        ("[" * 100_000, ("is not TOML",)),
    ],
)
def test_errors_name_the_line_and_what_is_allowed(text: str, parts: tuple[str, ...], tmp_path: Path) -> None:
    message = error_message(tmp_path, text)
    for part in parts:
        assert part in message


def test_an_unreadable_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="cannot be read"):
        load_keys(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b'play = "\xe9"')
    with pytest.raises(KeysError, match="is not TOML"):
        load_keys(tmp_path / "latin.toml")


def test_signs_have_the_names_that_a_terminal_gives_them() -> None:
    for sign in string.punctuation + string.digits + string.ascii_letters + "é":
        assert key_named(sign) == _character_to_key(sign)
        assert key_named(f"alt+{sign}".lower()) == f"alt+{_character_to_key(sign.lower())}"
        assert shown_key(key_named(sign)) == sign


def test_every_key_of_the_table_is_named_as_a_file_may_name_it() -> None:
    for action in (*ACTIONS, *WINDOW_ACTIONS):
        assert tuple(map(key_named, action.keys)) == action.keys


def test_the_printed_table_is_a_file_that_changes_nothing(tmp_path: Path) -> None:
    path = keys_path()
    path.parent.mkdir(parents=True)
    printed = CliRunner().invoke(pinkx, ["keys"]).output
    path.write_text(printed)
    assert str(path) in printed
    assert actions_with(load_keys()) == ACTIONS
    path.write_text('play = "P"')
    assert 'play = "P"' in CliRunner().invoke(pinkx, ["keys"]).output


def test_a_bad_file_ends_the_program_before_it_draws(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('plya = "x"')
    done = CliRunner().invoke(pinkx, ["tui", "--keys", str(tmp_path / "keys.toml"), "--screenshot", "x.svg"])
    assert done.exit_code == 1
    assert "did you mean play?" in done.output


@pytest.fixture
def session() -> Iterator[Session]:
    opened = open_session()
    yield opened
    opened.close()


async def test_the_terminal_shows_and_uses_them(session: Session, tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('play = "ctrl+g"\nhelp = "ü"\n')
    app = Explorer(LaunchOptions(keys=tmp_path / "keys.toml"), session=session)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        footer = "".join(segment.text for segment in app.query_one(KeyBar).render_line(0))
        assert "^g Play" in footer
        await pilot.press("space")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: session.stream.snapshot.finished)
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press(*"read on, or pause")
        palette = app.screen
        assert isinstance(palette, ChooseDialog)
        await until(pilot, lambda: palette.rows.count == 1)
        assert "^g" in "".join(segment.text for segment in palette.row(0, 80))
        await pilot.press("escape")
        await pilot.press("ü")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        table = app.screen.query(Static).last().content
        assert "^g" in [str(cell) for cell in table.columns[0].cells]  # type: ignore[union-attr]
    wait(lambda: session.stream.snapshot.finished)
