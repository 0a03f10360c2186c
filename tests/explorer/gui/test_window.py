"""The main window: every action by its key, dialogs, the tool bar, start-up, saved state and failures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QDialog, QFileDialog, QTextBrowser

from engine.activity import THRESHOLD
from explorer.gui.dialogs.attribution import AttributionDialog
from explorer.gui.dialogs.base import ChooseDialog, HelpDialog, LegendDialog, PromptDialog, TextDialog
from explorer.gui.dialogs.dynamics import BranchesDialog, MemoryDialog
from explorer.gui.dialogs.export import ExportDialog
from explorer.gui.dialogs.saturation import SaturationDialog
from explorer.gui.dialogs.search_dialogs import PatternDialog, WordSearchDialog
from explorer.gui.dialogs.surrogates import SurrogatesDialog
from explorer.gui.dialogs.text_diff import TextDiffDialog
from explorer.gui.menus import key_sequence, window_keys
from explorer.gui.theme import LIGHT
from explorer.gui.window import Window
from explorer.session.actions import ACTIONS, GROUPS, WINDOW_ACTIONS
from explorer.session.core import Choices
from explorer.session.views.point_map import PointView
from tests.explorer.small import small_file, wait

ALL = (*ACTIONS, *WINDOW_ACTIONS)
Check = Callable[[Window], bool]


def press(qtbot: Any, widget: Any, key: str) -> None:
    """A key as the table writes it."""
    combination = key_sequence(key)[0]  # type: ignore[index]
    qtbot.keyClick(widget, combination.key(), combination.keyboardModifiers())


def dialog(window: Window, kind: type[QDialog]) -> Any:
    """The open dialog of a kind."""
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


@pytest.mark.parametrize(
    ("name", "key"), [("open-reviews", "Ctrl+O"), ("export", "Ctrl+S"), ("undo", "Ctrl+Z"), ("search", "Ctrl+F"),
                      ("full-screen", "F11")],
)  # fmt: skip
@pytest.mark.panels("review")
def test_keys_that_desktop_programs_share(window: Window, name: str, key: str) -> None:
    assert key in [shortcut.toString() for shortcut in window.qt_actions[name].shortcuts()]


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
    "jump-back": lambda w: "no earlier place" in note(w),
    "jump-forward": lambda w: "no later place" in note(w),
    "jump": lambda w: dialog(w, PromptDialog) is not None,
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
    "accuracy-without": lambda w: w.opened_session.ablation_accuracy.shown,
    "clamp": lambda w: dialog(w, PromptDialog) is not None,
    "contexts": lambda w: "no cell is selected" in note(w),
    "saturation": lambda w: dialog(w, SaturationDialog) is not None,
    "surrogates": lambda w: dialog(w, SurrogatesDialog) is not None,
    "steer": lambda w: "no steering vector is chosen" in note(w),
    "steering-vector": lambda w: dialog(w, ChooseDialog) is not None,
    "undo": lambda w: "nothing to undo" in note(w),
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
    "point-colour": lambda w: view(w).colour == "time constant",
    "next-point": lambda w: "wait for the search" in note(w),
    "previous-point": lambda w: "wait for the search" in note(w),
    "find-points": lambda w: "not complete yet" in note(w),
    "follow-input": lambda w: dialog(w, BranchesDialog) is not None,
    "epochs": lambda w: "no networks of single epochs" in note(w),
    "memory": lambda w: dialog(w, MemoryDialog) is not None,
    "attribution": lambda w: "integrated gradients from the mean embedding" in note(w),
    "attributions": lambda w: dialog(w, AttributionDialog) is not None,
    "corpus": lambda w: w.focused.name == "corpus",
    "search": lambda w: dialog(w, WordSearchDialog) is not None,
    "next-found": lambda w: "search for words first" in note(w),
    "previous-found": lambda w: "search for words first" in note(w),
    "agree-elsewhere": lambda w: "brush words in which some cells fire first" in note(w),
    "next-review": lambda w: snapshot(w).review.name == "second",
    "previous-review": lambda w: snapshot(w).review.name == "third",
    "reviews": lambda w: w.focused.name == "reviews",
    "networks": lambda w: dialog(w, ChooseDialog) is not None,
    "layer": lambda w: "this network has one layer" in note(w) or not w.qt_actions["layer"].isEnabled(),
    "compare": lambda w: dialog(w, ChooseDialog) is not None,
    "compare-reviews": lambda w: dialog(w, ChooseDialog) is not None,
    "type": lambda w: dialog(w, TextDialog) is not None,
    "edit": lambda w: dialog(w, TextDialog).text.toPlainText().startswith("The film starts slowly"),
    "word-by-word": lambda w: "nothing is compared yet" in note(w),
    "record": lambda w: w.opened_session.recorder.active,
    "export-run": lambda w: Path("pinkx-lstm-12-first-1.safetensors").exists(),
    "zoom": lambda w: [name for name, dock in w.docks.docks.items() if dock.isVisible()] == ["heatmap"],
    "export": lambda w: dialog(w, ExportDialog) is not None,
    "palette": lambda w: dialog(w, ChooseDialog) is not None,
    "legend": lambda w: dialog(w, LegendDialog) is not None,
    "help": lambda w: dialog(w, HelpDialog) is not None,
    "quit": lambda w: not w.isVisible(),
    "arrange": lambda w: w.docks.docks["heatmap"].isVisible(),
    "copy": lambda w: not QGuiApplication.clipboard().pixmap().isNull(),
    "light": lambda w: w.theme is LIGHT,
    "full-screen": lambda w: w.isFullScreen(),
    "introduction": lambda w: w.introduction is not None,
    **dict.fromkeys(
        ("open-reviews", "open-folder", "open-network", "open-recording"), lambda w: dialog(w, QFileDialog) is not None
    ),
    "restart-engine": lambda w: w.launcher is not None and w.session is w.launcher.session,
    **{entry.id: in_front(entry.id.removeprefix("focus-")) for entry in ALL if entry.id.startswith("focus-")},
}


def test_every_action_has_an_effect_that_is_checked() -> None:
    assert {entry.id for entry in ALL} - set(EFFECTS) == set()


def reset(window: Window) -> None:
    """Bring a window back to the state of its fixture: 100 words of the first review read, nothing chosen."""
    for opened in window.findChildren(QDialog):
        opened.close()
        opened.deleteLater()  # a closed file dialog keeps the keys to itself
    if window.introduction is not None:
        window.introduction.dismiss()
    window.activateWindow()
    wait(window.isActiveWindow)
    session = window.opened_session
    if session.recorder.active:
        session.perform("record")
    run = snapshot(window).run
    session.stream.pause()
    session.stream.set_speed(None)
    session.open_review(0)
    session.stream.seek(100)
    wait(lambda: snapshot(window).run > run and snapshot(window).time == 100)
    session.core.choices = Choices()
    session.fixed_points.view = PointView()
    session.display.set_threshold(THRESHOLD)
    session.brush.clear()
    for places in (session.playback._past, session.playback._future):
        places.clear()
    session.note = ""
    if window.zoomed:
        window.perform("zoom")
    if window.isFullScreen():
        window.perform("full-screen")
    window.raise_panel("heatmap")


@pytest.mark.parametrize("group", GROUPS)
def test_every_key_does_what_the_table_says(
    window: Window, qtbot: Any, group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where files are written
    failed, first = [], window.opened_session
    order = ("restart-engine", "", "record", "quit")
    entries = [entry for entry in ALL if entry.group == group]
    for entry in sorted(entries, key=lambda entry: order.index(entry.id if entry.id in order else "")):
        reset(window)
        press(qtbot, window, window_keys(entry)[0])
        try:
            qtbot.waitUntil(lambda name=entry.id: EFFECTS[name](window))
        except qtbot.TimeoutError:
            failed.append((entry.id, note(window)))
    assert failed == []
    if window.opened_session is not first:
        window.opened_session.close()
    if group == "Program":
        qtbot.waitUntil(lambda: len(list(tmp_path.glob("pinkx-lstm-12-first-*.safetensors"))) == 2)  # both recordings


def test_menus_and_help_list_every_action(window: Window, qtbot: Any) -> None:
    listed = {action.objectName() for menu in window.menus.values() for action in menu.actions()}
    assert {entry.id for entry in ALL} <= listed
    assert list(window.menus) == ["File", "Edit", "View", "Playback", "Cells", "Points", "Reviews", "Panels", "Help"]
    for menu in (window.menuBar(), *window.menus.values()):
        letters = [found[1].lower() for each in menu.actions() if (found := re.search("&([^&])", each.text()))]
        assert len(letters) == len(set(letters)) > 1
    press(qtbot, window, "f1")
    text = dialog(window, HelpDialog).findChild(QTextBrowser).toPlainText()
    assert all(entry.help in text for entry in ALL)


@pytest.mark.panels("reviews", "heatmap")
def test_the_list_of_reviews_handles_its_keys_itself(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "r")
    search = window.panels["reviews"].search  # type: ignore[attr-defined]
    qtbot.waitUntil(search.hasFocus)
    before = choices(window)
    qtbot.keyClicks(search, "gopher q? 12")
    assert search.text() == "gopher q? 12"
    assert choices(window) == before  # no letter was a shortcut
    assert window.isVisible()
    search.clear()
    qtbot.waitUntil(lambda: window.panels["reviews"].model.rowCount() == 3)  # type: ignore[attr-defined]
    table = window.panels["reviews"].table  # type: ignore[attr-defined]
    table.setFocus()
    table.selectRow(0)
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert table.currentIndex().row() == 1
    assert choices(window).selected is None
    qtbot.keyClick(table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: snapshot(window).review.name == "second")


@pytest.mark.panels("heatmap", "alpha")
def test_keys_work_in_a_floating_panel(window: Window, qtbot: Any) -> None:
    dock = window.docks.docks["alpha"]
    dock.setFloating(True)
    dock.show()
    qtbot.waitExposed(dock)
    window.panels["alpha"].setFocus()
    press(qtbot, window.panels["alpha"], "g")
    qtbot.waitUntil(lambda: choices(window).signal == "x")


# ---- dialogs -----------------------------------------------------------------------------------------------------


@pytest.mark.panels("heatmap")
def test_lists_are_searched_and_moved_through_by_keys(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "ctrl+p")
    palette = dialog(window, ChooseDialog)
    qtbot.keyClicks(palette.search, "colour map")
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: choices(window).colour_map == "viridis")
    assert dialog(window, ChooseDialog) is None
    # Arrows move in a list, Esc closes it.
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


@pytest.mark.panels("review")
def test_a_typed_review_is_read_and_an_empty_one_refused(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "t")
    qtbot.keyClick(dialog(window, TextDialog).text, Qt.Key.Key_Return)
    assert "needs at least one word" in note(window)
    press(qtbot, window, "t")
    typing = dialog(window, TextDialog)
    qtbot.keyClicks(typing.text, "A warm film")
    qtbot.keyClick(typing.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(typing.text, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: snapshot(window).words == 3 and snapshot(window).finished)


@pytest.mark.panels("review")
def test_an_edited_review_is_compared_with_the_one_before(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "T")
    typing = dialog(window, TextDialog)
    typing.text.setPlainText(typing.text.toPlainText().replace("wonderful", "dull"))
    qtbot.keyClick(typing.text, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dialog(window, TextDiffDialog) is not None)
    words = dialog(window, TextDiffDialog)
    qtbot.waitUntil(lambda: words.table.rowCount() == 144, timeout=60_000)
    row = words.table.currentRow()
    assert (words.table.item(row, 0).text(), words.table.item(row, 2).text()) == ("wonderful", "dull")
    assert "8 of 144 words differ" in words.summary.text()
    words.table.itemActivated.emit(words.table.item(row, 0))
    qtbot.waitUntil(lambda: choices(window).cursor == row)


@pytest.mark.panels("review")
def test_words_are_found_here_and_in_other_reviews(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "slash")
    search = dialog(window, WordSearchDialog)
    qtbot.keyClicks(search.search, "film")
    qtbot.waitUntil(lambda: search.list.count() == 2 and search.summary.text().startswith("in other reviews: 1× in 1"))
    assert search.list.item(0).text().startswith("8×")
    assert "[film.]" in search.list.item(1).text()
    window.redraw()
    assert window.opened_session.word_search.marked(snapshot(window)) == window.panels["review"].words._found  # type: ignore[attr-defined]
    qtbot.keyClick(search.search, Qt.Key.Key_Down)
    qtbot.keyClick(search.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: snapshot(window).review.name == "second")
    assert dialog(window, WordSearchDialog) is None


@pytest.mark.panels("review")
def test_places_where_brushed_cells_agree_are_listed(window: Window, qtbot: Any) -> None:
    window.brush(90, 91)
    press(qtbot, window, "A")
    places = dialog(window, PatternDialog)
    qtbot.waitUntil(lambda: window.opened_session.pattern_search.results.finished, timeout=60_000)
    places.update_results()
    assert places.list.count() == len(window.opened_session.pattern_search.results.found)
    qtbot.keyClick(places, Qt.Key.Key_Escape)
    assert dialog(window, PatternDialog) is None


@pytest.mark.panels("review")
def test_a_jump_goes_to_a_word_or_a_percentage_and_refuses_the_rest(window: Window, qtbot: Any) -> None:
    def jump(text: str) -> None:
        press(qtbot, window, "j")
        prompt = dialog(window, PromptDialog)
        qtbot.keyClicks(prompt.line, text)
        qtbot.keyClick(prompt.line, Qt.Key.Key_Return)

    for text, word in (("50%", 72), ("12", 11)):
        jump(text)
        assert choices(window).cursor == word
    jump("nowhere")
    qtbot.waitUntil(lambda: "nowhere" in window.status.note.text())
    assert choices(window).cursor == 11


# ---- the tool bar ------------------------------------------------------------------------------------------------


@pytest.mark.panels("review")
def test_the_slider_sets_the_speed_and_follows_it(window: Window, qtbot: Any) -> None:
    window.transport.speed.setValue(3)
    qtbot.waitUntil(lambda: snapshot(window).speed == 8)
    press(qtbot, window, "plus")
    qtbot.waitUntil(lambda: window.transport.speed.value() == 4)


@pytest.mark.panels("review")
def test_networks_are_chosen_from_the_tool_bar(window: Window, qtbot: Any, tmp_path: Path) -> None:
    path = str(small_file(tmp_path, 5))
    window.transport.set_networks([(path, "lstm-5   5 cells")])
    window.transport.b.setCurrentIndex(1)
    window.transport.b.activated.emit(1)
    session = window.opened_session
    qtbot.waitUntil(lambda: session.comparison.result(session.frame()) is not None, timeout=60_000)
    window.transport.a.setCurrentIndex(0)
    window.transport.a.activated.emit(0)
    qtbot.waitUntil(lambda: snapshot(window).network.name == "lstm-5" and snapshot(window).time == 100)
    qtbot.waitUntil(lambda: window.transport.a.currentText() == "lstm-5")
