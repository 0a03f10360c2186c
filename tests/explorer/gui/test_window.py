"""The window: every action by its key, dialogues, links between panels, what is kept, and what goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QDialog, QFileDialog

from engine.activity import THRESHOLD
from explorer.gui.dialogs.base import AskDialog, ChooseDialog, HelpDialog, TypeDialog
from explorer.gui.dialogs.search_dialogs import AgreeDialog, SearchDialog
from explorer.gui.dialogs.text_diff import WordsDialog
from explorer.gui.menus import key_sequence, window_keys
from explorer.gui.theme import DARK, LIGHT
from explorer.gui.window import Window
from explorer.session.actions import ACTIONS, WINDOW_ACTIONS
from explorer.session.launcher import LaunchOptions
from explorer.session.saved_state import State, save_state
from explorer.session.session import Session
from tests.explorer.small import open_session, small_file, wait

ALL = (*ACTIONS, *WINDOW_ACTIONS)
Check = Callable[[Window], bool]


def press(qtbot: Any, widget: Any, key: str) -> None:
    """A key as the table writes it."""
    combination = key_sequence(key)[0]  # type: ignore[index]
    qtbot.keyClick(widget, combination.key(), combination.keyboardModifiers())


def dialog(window: Window, kind: type[QDialog]) -> Any:
    """The open dialogue of a kind."""
    found = [child for child in window.findChildren(kind) if child.isVisible()]
    return found[-1] if found else None


def choices(window: Window) -> Any:
    return window.opened_session.choices


def snapshot(window: Window) -> Any:
    return window.opened_session.stream.snapshot


def view(window: Window) -> Any:
    return window.opened_session.fixed_points.view


def note(window: Window) -> str:
    return window.opened_session.note


def in_front(name: str) -> Check:
    return lambda window: window.focused.name == name


# ---- the table and its keys ------------------------------------------------------------------------------------


def test_no_key_means_two_things() -> None:
    keys = [key_sequence(key).toString() for entry in ALL for key in window_keys(entry)]
    assert len(keys) == len(set(keys))
    assert all(window_keys(entry) for entry in ALL)


@pytest.mark.parametrize(
    ("key", "expected"),
    [("space", "Space"), ("G", "Shift+G"), ("g", "G"), ("shift+left", "Shift+Left"), ("question_mark", "?"),
     ("ctrl+p", "Ctrl+P"), ("plus", "+"), ("pagedown", "PgDown"), ("escape", "Esc"), ("greater_than_sign", ">"),
     ("f1", "F1"), ("1", "1")],
)  # fmt: skip
def test_keys_as_qt_writes_them(key: str, expected: str) -> None:
    assert key_sequence(key).toString(QKeySequence.SequenceFormat.PortableText) == expected


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValueError, match="no key is named 'warp'"):
        key_sequence("warp")


EFFECTS: dict[str, Check] = {
    "play": lambda w: snapshot(w).finished,
    "step": lambda w: snapshot(w).time == 101,
    "step-back": lambda w: choices(w).cursor == 98,
    "page-back": lambda w: choices(w).cursor == 89,
    "page-on": lambda w: snapshot(w).time == 110,
    "start": lambda w: choices(w).cursor == 0,
    "live": lambda w: choices(w).cursor is None,
    "restart": lambda w: snapshot(w).time == 0,
    "jump": lambda w: dialog(w, AskDialog) is not None,
    "slower": lambda w: snapshot(w).speed == 1000,
    "faster": lambda w: snapshot(w).speed is None,
    "signal": lambda w: choices(w).signal == "x",
    "signal-back": lambda w: choices(w).signal == "c_out",
    "select-down": lambda w: choices(w).selected == 0,
    "select-up": lambda w: choices(w).selected == 11,
    "pin": lambda w: "no cell is selected" in note(w),
    "deselect": lambda w: choices(w).selected is None,
    "brush": lambda w: list(w.opened_session.brush.words) == [99],
    "next-place": lambda w: "brush some words first" in note(w),
    "ablate": lambda w: "no cell is selected" in note(w),
    "ablate-dead": lambda w: "cell" in note(w),
    "clamp": lambda w: dialog(w, AskDialog) is not None,
    "undo-ablation": lambda w: "as it was trained" in note(w),
    "threshold-down": lambda w: snapshot(w).threshold < THRESHOLD,
    "threshold-up": lambda w: snapshot(w).threshold > THRESHOLD,
    "order": lambda w: choices(w).order == "activity",
    "bins": lambda w: choices(w).bins == "mean",
    "colour-map": lambda w: choices(w).colour_map == "viridis",
    "scaling": lambda w: w.focused.name == "scaling",
    "contrast": lambda w: choices(w).contrast == "range",
    "turn-left": lambda w: view(w).azimuth == -30,
    "turn-right": lambda w: view(w).azimuth == -10,
    "tilt-up": lambda w: view(w).elevation == 60,
    "tilt-down": lambda w: view(w).elevation == 40,
    "point-colour": lambda w: view(w).colour == "memory",
    "next-point": lambda w: "wait for the search" in note(w),
    "previous-point": lambda w: "wait for the search" in note(w),
    "find-points": lambda w: "not complete yet" in note(w),
    "corpus": lambda w: w.focused.name == "corpus",
    "search": lambda w: dialog(w, SearchDialog) is not None,
    "next-found": lambda w: "search for words first" in note(w),
    "previous-found": lambda w: "search for words first" in note(w),
    "agree-elsewhere": lambda w: "brush words that move some cells first" in note(w),
    "next-review": lambda w: snapshot(w).review.name == "second",
    "previous-review": lambda w: snapshot(w).review.name == "third",
    "reviews": lambda w: w.focused.name == "reviews",
    "networks": lambda w: dialog(w, ChooseDialog) is not None,
    "compare": lambda w: dialog(w, ChooseDialog) is not None,
    "compare-reviews": lambda w: dialog(w, ChooseDialog) is not None,
    "type": lambda w: dialog(w, TypeDialog) is not None,
    "edit": lambda w: dialog(w, TypeDialog).text.toPlainText().startswith("The film starts slowly"),
    "word-by-word": lambda w: "nothing is compared yet" in note(w),
    "record": lambda w: w.opened_session.recorder.active,
    "export-run": lambda w: Path("pinkx-lstm-12-first-1.safetensors").exists(),
    "zoom": lambda w: [name for name, dock in w.docks.docks.items() if dock.isVisible()] == ["heatmap"],
    "export": lambda w: dialog(w, QFileDialog) is not None,
    "palette": lambda w: dialog(w, ChooseDialog) is not None,
    "help": lambda w: dialog(w, HelpDialog) is not None,
    "quit": lambda w: not w.isVisible(),
    "arrange": lambda w: w.docks.docks["heatmap"].isVisible(),
    "copy": lambda w: not QGuiApplication.clipboard().pixmap().isNull(),
    "light": lambda w: w.theme is LIGHT,
    **{entry.id: in_front(entry.id.removeprefix("focus-")) for entry in ALL if entry.id.startswith("focus-")},
}


def test_every_action_has_an_effect_that_is_checked() -> None:
    assert {entry.id for entry in ALL} - set(EFFECTS) == set()


@pytest.mark.parametrize("name", EFFECTS)
def test_a_key_does_what_the_table_says(
    window: Window, qtbot: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where files go
    entry = next(entry for entry in ALL if entry.id == name)
    press(qtbot, window, window_keys(entry)[0])
    qtbot.waitUntil(lambda: EFFECTS[name](window))
    if name == "record":
        window.perform("record")
        qtbot.waitUntil(lambda: Path("pinkx-lstm-12-first-1.safetensors").exists())


def test_menus_hold_every_action(window: Window) -> None:
    offered = {action.objectName() for menu in window.menus.values() for action in menu.actions()}
    assert {entry.id for entry in ALL} <= offered


def test_typing_into_a_search_is_no_shortcut(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "r")
    search = window.panels["reviews"].search  # type: ignore[attr-defined]
    qtbot.waitUntil(search.hasFocus)
    before = choices(window)
    qtbot.keyClicks(search, "gopher q? 12")
    assert search.text() == "gopher q? 12"
    assert choices(window) == before
    assert window.isVisible()


def test_arrows_move_in_the_list_of_reviews_when_it_has_the_keys(window: Window, qtbot: Any) -> None:
    table = window.panels["reviews"].table  # type: ignore[attr-defined]
    table.setFocus()
    table.selectRow(0)
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert table.currentIndex().row() == 1
    assert choices(window).selected is None
    qtbot.keyClick(table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: snapshot(window).review.name == "second")


def test_keys_work_in_a_floating_panel(window: Window, qtbot: Any) -> None:
    dock = window.docks.docks["alpha"]
    dock.setFloating(True)
    dock.show()
    qtbot.waitExposed(dock)
    window.panels["alpha"].setFocus()
    press(qtbot, window.panels["alpha"], "g")
    qtbot.waitUntil(lambda: choices(window).signal == "x")


# ---- dialogues -------------------------------------------------------------------------------------------------


def test_the_palette_does_what_was_chosen(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "ctrl+p")
    palette = dialog(window, ChooseDialog)
    qtbot.keyClicks(palette.search, "colour map")
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: choices(window).colour_map == "viridis")
    assert dialog(window, ChooseDialog) is None


def test_arrows_move_in_a_list_and_escape_leaves_it(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "C")
    found = dialog(window, ChooseDialog)
    assert found.list.count() == 4
    qtbot.keyClick(found.search, Qt.Key.Key_Down)
    assert found.list.currentRow() == 1
    qtbot.keyClick(found.search, Qt.Key.Key_Up)
    qtbot.keyClick(found.search, Qt.Key.Key_Up)
    assert found.list.currentRow() == 3
    qtbot.keyClick(found.search, Qt.Key.Key_Escape)
    assert dialog(window, ChooseDialog) is None
    assert window.opened_session.comparison.review is None


def test_a_typed_review_is_read(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "t")
    typing = dialog(window, TypeDialog)
    qtbot.keyClicks(typing.text, "A warm film")
    qtbot.keyClick(typing.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(typing.text, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: snapshot(window).words == 3 and snapshot(window).finished)


def test_an_empty_review_is_refused(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "t")
    qtbot.keyClick(dialog(window, TypeDialog).text, Qt.Key.Key_Return)
    assert "needs at least one word" in note(window)


def test_an_edited_review_is_compared_with_the_one_before(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "T")
    typing = dialog(window, TypeDialog)
    typing.text.setPlainText(typing.text.toPlainText().replace("wonderful", "dull"))
    qtbot.keyClick(typing.text, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dialog(window, WordsDialog) is not None)
    words = dialog(window, WordsDialog)
    qtbot.waitUntil(lambda: words.table.rowCount() == 144)
    row = words.table.currentRow()
    assert (words.table.item(row, 0).text(), words.table.item(row, 2).text()) == ("wonderful", "dull")
    assert "8 of 144 words differ" in words.summary.text()
    words.table.itemActivated.emit(words.table.item(row, 0))
    qtbot.waitUntil(lambda: choices(window).cursor == row)


def test_words_are_found_here_and_in_other_reviews(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "slash")
    search = dialog(window, SearchDialog)
    qtbot.keyClicks(search.search, "film")
    qtbot.waitUntil(lambda: search.list.count() == 2 and search.told.text().startswith("1 times in 1 other"))
    assert search.list.item(0).text().startswith("8×")
    assert "[film.]" in search.list.item(1).text()
    window.redraw()
    assert window.opened_session.word_search.marked(snapshot(window)) == window.panels["review"].words._found  # type: ignore[attr-defined]
    qtbot.keyClick(search.search, Qt.Key.Key_Down)
    qtbot.keyClick(search.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: snapshot(window).review.name == "second")
    assert dialog(window, SearchDialog) is None


def test_places_where_brushed_cells_agree_are_listed(window: Window, qtbot: Any) -> None:
    window.brush(90, 91)
    press(qtbot, window, "A")
    places = dialog(window, AgreeDialog)
    qtbot.waitUntil(lambda: window.opened_session.pattern_search.results.finished, timeout=60_000)
    places.look()
    assert places.list.count() == len(window.opened_session.pattern_search.results.found)
    qtbot.keyClick(places, Qt.Key.Key_Escape)
    assert dialog(window, AgreeDialog) is None


@pytest.mark.parametrize(("text", "expected"), [("50%", 72), ("12", 11)])
def test_a_jump(window: Window, qtbot: Any, text: str, expected: int) -> None:
    press(qtbot, window, "j")
    asking = dialog(window, AskDialog)
    qtbot.keyClicks(asking.line, text)
    qtbot.keyClick(asking.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: choices(window).cursor == expected)


def test_no_place_is_told(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "j")
    asking = dialog(window, AskDialog)
    qtbot.keyClicks(asking.line, "nowhere")
    qtbot.keyClick(asking.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "is no place" in window.status.note.text())


def test_help_names_every_action(window: Window, qtbot: Any) -> None:
    from PySide6.QtWidgets import QTextBrowser

    press(qtbot, window, "f1")
    text = dialog(window, HelpDialog).findChild(QTextBrowser).toPlainText()
    assert all(entry.help in text for entry in ALL)


# ---- the tool bar ------------------------------------------------------------------------------------------------


def test_the_slider_sets_the_speed_and_follows_it(window: Window, qtbot: Any) -> None:
    window.transport.speed.setValue(3)
    qtbot.waitUntil(lambda: snapshot(window).speed == 8)
    press(qtbot, window, "plus")
    qtbot.waitUntil(lambda: window.transport.speed.value() == 4)


def test_networks_are_chosen_from_the_tool_bar(window: Window, qtbot: Any, tmp_path: Path) -> None:
    path = str(small_file(tmp_path, 5))
    window.transport.fill([(path, "lstm-5   5 cells")])
    window.transport.b.setCurrentIndex(1)
    window.transport.b.activated.emit(1)
    qtbot.waitUntil(lambda: window.opened_session.comparison.result(window.opened_session.frame()) is not None)
    window.transport.a.setCurrentIndex(0)
    window.transport.a.activated.emit(0)
    qtbot.waitUntil(lambda: snapshot(window).network.name == "lstm-5" and snapshot(window).time == 100)
    qtbot.waitUntil(lambda: window.transport.a.currentText() == "lstm-5")


# ---- opening, failing, leaving -------------------------------------------------------------------------------------


def test_a_window_opens_at_once_and_the_session_follows(qtbot: Any, tmp_path: Path) -> None:
    window = Window(LaunchOptions(network=str(small_file(tmp_path)), fresh=True, keep=False))
    window.show()
    assert "pinkx" in window._progress.text()
    assert window.session is None
    press(qtbot, window, "space")  # nothing to play yet
    qtbot.waitUntil(lambda: window.session is not None, timeout=60_000)
    qtbot.waitUntil(lambda: snapshot(window).time > 0)
    assert not window._progress.isVisible()
    window.close()
    window.opened_session.close()


def test_what_cannot_be_opened_closes_the_window_with_the_reason(qtbot: Any) -> None:
    window = Window(LaunchOptions(network="no such network", fresh=True, keep=False))
    window.show()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=60_000)
    assert "no such network" in str(window.failure)


def test_a_failure_of_the_engine_is_shown_and_survived(window: Window, qtbot: Any, tmp_path: Path) -> None:
    window.opened_session.use_network(str(tmp_path / "nothing.safetensors"))
    qtbot.waitUntil(lambda: "nothing.safetensors" in window.status.note.text())
    press(qtbot, window, "space")
    qtbot.waitUntil(lambda: snapshot(window).finished)


def test_recording_is_told_and_a_recording_plays_in_a_window(
    window: Window, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    press(qtbot, window, "R")
    qtbot.waitUntil(lambda: "REC 1 run" in window.status.state.text())
    press(qtbot, window, "R")
    path = tmp_path / "pinkx-lstm-12-first-1.safetensors"
    qtbot.waitUntil(path.exists)
    replay = Window(LaunchOptions(replay=path, fresh=True, keep=False))
    replay.show()
    qtbot.waitUntil(lambda: replay.session is not None and snapshot(replay).finished, timeout=60_000)
    replay.perform("networks")
    assert "this is a recording" in note(replay)
    for name in ("c", "h"):
        expected = window.opened_session.read(name, 0, 100)
        np.testing.assert_array_equal(replay.opened_session.read(name, 0, 100), expected)
    replay.close()
    replay.opened_session.close()


def test_foreign_text_is_shown_as_text(qtbot: Any) -> None:
    session = open_session()
    session.open_text("a <b>bold</b> \x1b[31mred\x07 word", "<i>na\x1bme</i>")
    wait(lambda: snapshot_of(session).finished)
    window = Window(session=session, show_rates=False)
    window.show()
    qtbot.waitUntil(lambda: window.fps > 0)
    review: Any = window.panels["review"]
    assert not any("\x1b" in word or "\x07" in word for word in review.words._surface)
    window.close()
    session.close()


def snapshot_of(session: Session) -> Any:
    return session.stream.snapshot


def test_hints_name_the_keys_that_a_person_has(session: Session, qtbot: Any, tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('pin = "f2"\nselect-up = "f3"\n')
    window = Window(LaunchOptions(keys=tmp_path / "keys.toml", keep=False), session=session)
    assert session.key_of("pin", "focus-word-map") == "F2 7"
    hint = window.panels["heatmap"]._hint.toPlainText()  # type: ignore[attr-defined]
    assert hint == "hover, select (F3 ↓ or a click) or pin (F2) a cell: here is its trace"
    window.close()
    window.deleteLater()


def test_what_is_kept_comes_back(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "L")
    window.docks.docks["reviews"].close()
    window.panels["heatmap"].shown = {"f", "h"}  # type: ignore[attr-defined]
    window.panels["reviews"].search.setText("a film")  # type: ignore[attr-defined]
    told = json.loads(json.dumps(window.kept()))
    save_state(State(window=told))
    again = Window(LaunchOptions(keep=False))
    again.show()
    assert again.theme is LIGHT
    assert again.docks.docks["reviews"].isHidden()
    assert not again.docks.docks["heatmap"].isHidden()
    assert again.panels["heatmap"].shown == {"f", "h"}  # type: ignore[attr-defined]
    assert again.panels["reviews"].search.text() == "a film"  # type: ignore[attr-defined]
    again.close()
    save_state(State())


@pytest.mark.parametrize(
    "told",
    [
        {"docks": "rubbish", "geometry": "%%%", "theme": 7, "panels": {"heatmap": {"shown": 3}}},
        {"docks": 3, "panels": [1]},
    ],
)
def test_what_cannot_be_taken_from_the_last_visit_is_left(qtbot: Any, told: dict[str, Any]) -> None:
    save_state(State(window=told))
    window = Window(LaunchOptions(keep=False))
    window.show()
    assert window.theme is DARK
    assert window.docks.docks["heatmap"].isVisible()
    window.close()
    save_state(State())


def test_a_zoomed_panel_gives_back_the_room(window: Window, qtbot: Any) -> None:
    before = {name for name, dock in window.docks.docks.items() if not dock.isHidden()}
    press(qtbot, window, "z")
    press(qtbot, window, "z")
    assert {name for name, dock in window.docks.docks.items() if not dock.isHidden()} == before


def test_closing_ends_the_clock_and_only_the_thread_of_the_window_draws(window: Window, qtbot: Any) -> None:
    drawn = set[int]()
    show = window.panels["heatmap"].show_frame

    def counted(*arguments: Any) -> None:
        drawn.add(threading.get_ident())
        show(*arguments)

    window.panels["heatmap"].show_frame = counted  # type: ignore[assignment]
    press(qtbot, window, "space")
    qtbot.waitUntil(lambda: snapshot(window).finished)
    window.redraw()
    assert drawn == {threading.get_ident()}
    window.close()
    ticks = window._ticks
    qtbot.wait(60)
    assert window._ticks == ticks


def test_importing_the_face_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'numba', 'scipy', 'matplotlib'}"
    code = f"import sys, explorer.gui.window, explorer.gui.launch; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
