"""Start-up, recordings, saved state, and what happens when opening or the engine fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from PySide6.QtGui import QImage

from engine.live.replay import load_recording
from explorer.gui.panels.heatmap import HeatmapPanel
from explorer.gui.panels.review import ReviewPanel
from explorer.gui.theme import DARK, LIGHT
from explorer.gui.window import Window
from explorer.session.launcher import LaunchOptions
from explorer.session.saved_state import State, save_state
from explorer.session.session import Session
from tests.explorer.gui.test_window import note, press, snapshot
from tests.explorer.small import open_session, small_file, wait


def test_a_window_opens_at_once_and_the_session_follows(qtbot: Any, tmp_path: Path) -> None:
    window = Window(LaunchOptions(network=str(small_file(tmp_path)), fresh=True, save=False))
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
    window = Window(LaunchOptions(network="no such network", fresh=True, save=False), panels=(ReviewPanel,))
    window.show()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=60_000)
    assert "no such network" in str(window.failure)


@pytest.mark.panels("review")
def test_a_failure_of_the_engine_is_shown_and_survived(window: Window, qtbot: Any, tmp_path: Path) -> None:
    window.opened_session.use_network(str(tmp_path / "nothing.safetensors"))
    qtbot.waitUntil(lambda: "nothing.safetensors" in window.status.note.text())
    press(qtbot, window, "space")
    qtbot.waitUntil(lambda: snapshot(window).finished)


@pytest.mark.panels("review")
def test_a_recording_is_indicated_and_plays_in_a_window(
    window: Window, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    press(qtbot, window, "R")
    qtbot.waitUntil(lambda: "REC 1 run" in window.status.state.text())
    press(qtbot, window, "R")
    path = tmp_path / "pinkx-lstm-12-first-1.safetensors"
    qtbot.waitUntil(path.exists)
    options = LaunchOptions(replay=path, fresh=True, save=False, speed=100)  # several frames are drawn on the way
    replay = Window(options, panels=(ReviewPanel,))
    replay.show()
    run, *others = load_recording(path)
    names = [one.name for one in (run, *others)]

    def played() -> bool:  # before its first word a session has an empty review, which is at its end
        return replay.session is not None and snapshot(replay).review.name in names and snapshot(replay).finished

    qtbot.waitUntil(played, timeout=60_000)
    replay.perform("networks")
    assert "this is a recording" in note(replay)
    for name in ("c", "h"):
        rows = run.network.values[name][:100]
        np.testing.assert_array_equal(rows, window.opened_session.read(name, run.first, run.first + len(rows)))
        assert len(rows)
    replay.close()
    replay.opened_session.close()


def test_foreign_text_is_shown_as_text(qtbot: Any) -> None:
    session = open_session()
    session.open_text("a <b>bold</b> \x1b[31mred\x07 word", "<i>na\x1bme</i>")
    wait(lambda: bool(snapshot_of(session).review.text) and snapshot_of(session).finished)
    window = Window(session=session, panels=(ReviewPanel,), show_rates=False)
    window.show()
    qtbot.waitUntil(lambda: window.fps > 0)
    review: Any = window.panels["review"]
    assert not any("\x1b" in word or "\x07" in word for word in review.words._surface)
    window.close()
    session.close()


def snapshot_of(session: Session) -> Any:
    return session.stream.snapshot


def test_hints_name_the_users_keys(session: Session, qtbot: Any, tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('pin = "f2"\nselect-up = "f3"\n')
    window = Window(LaunchOptions(keys=tmp_path / "keys.toml", save=False), session=session, panels=(HeatmapPanel,))
    assert session.key_of("pin", "focus-word-map") == "F2 7"
    hint = window.panels["heatmap"]._hint.toPlainText()  # type: ignore[attr-defined]
    assert hint == "Hover, select (F3 ↓ or a click) or pin (F2) a cell to see its trace"
    window.close()
    window.deleteLater()


def test_a_key_of_the_users_wins_over_a_standard_one(session: Session, qtbot: Any, tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('pin = "ctrl+s"\n')
    window = Window(LaunchOptions(keys=tmp_path / "keys.toml", save=False), session=session, panels=())
    shortcuts = {
        name: [shortcut.toString() for shortcut in window.qt_actions[name].shortcuts()]
        for name in ("pin", "export", "search")
    }
    assert "Ctrl+S" in shortcuts["pin"]
    assert "Ctrl+S" not in shortcuts["export"]
    assert "Ctrl+F" in shortcuts["search"]
    window.close()
    window.deleteLater()


def test_saved_state_is_restored(window: Window, qtbot: Any) -> None:
    press(qtbot, window, "L")
    window.docks.docks["reviews"].close()
    window.panels["heatmap"].shown = {"f", "h"}  # type: ignore[attr-defined]
    window.panels["reviews"].search.setText("a film")  # type: ignore[attr-defined]
    saved = json.loads(json.dumps(window.own_state()))
    save_state(State(window=saved))
    again = Window(LaunchOptions(save=False))
    again.show()
    assert again.theme is LIGHT
    assert again.docks.docks["reviews"].isHidden()
    assert not again.docks.docks["heatmap"].isHidden()
    assert again.panels["heatmap"].shown == {"f", "h"}  # type: ignore[attr-defined]
    waiting = again.panels["reviews"].saved_state()  # applied once the same reviews are open
    assert (waiting["search"], waiting["source"]) == ("a film", "3 from first")
    again.close()
    save_state(State())


@pytest.mark.parametrize(
    "saved",
    [
        {"docks": "rubbish", "geometry": "%%%", "theme": 7, "panels": {"heatmap": {"shown": 3}}},
        {"docks": 3, "panels": [1]},
    ],
)
def test_invalid_saved_state_is_ignored(qtbot: Any, saved: dict[str, Any]) -> None:
    save_state(State(window=saved))
    window = Window(LaunchOptions(save=False), panels=(HeatmapPanel,))
    window.show()
    assert window.theme is DARK
    assert window.docks.docks["heatmap"].isVisible()
    window.close()
    save_state(State())


def test_zoom_ends_with_the_layout_before_it(window: Window, qtbot: Any) -> None:
    before = {name for name, dock in window.docks.docks.items() if not dock.isHidden()}
    press(qtbot, window, "z")
    press(qtbot, window, "z")
    assert {name for name, dock in window.docks.docks.items() if not dock.isHidden()} == before


def test_a_layout_of_another_version_is_ignored(window: Window) -> None:
    """Version 1 had docks of other names."""
    old = bytes(window.saveState(1).toBase64().data())
    layout = f"{crc32(old):08x}:{old.decode()}"
    window.docks.docks["cells"].close()
    before = window.docks.saved_layout()
    assert not window.docks.restore(layout)
    assert window.docks.saved_layout() == before
    assert window.docks.docks["cells"].isHidden()


def test_a_damaged_layout_is_ignored(window: Window) -> None:
    """Qt crashes on some: one of 357 with a changed byte."""
    layout = window.docks.saved_layout()
    for place in range(0, len(layout), len(layout) // 20):
        changed = "A" if layout[place] != "A" else "B"
        assert not window.docks.restore(layout[:place] + changed + layout[place + 1 :])
    assert window.docks.restore(layout)


@pytest.mark.panels("heatmap")
def test_only_the_gui_thread_draws_and_closing_stops_the_timer(window: Window, qtbot: Any) -> None:
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


def test_importing_the_desktop_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'numba', 'scipy', 'matplotlib'}"
    code = f"import sys, explorer.gui.window, explorer.gui.launch; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# ---- from the command line ---------------------------------------------------------------------------------------


def pinkx(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-c", "from explorer.cli import main; main()", "gui", *arguments],
        capture_output=True, text=True, env=known | environment, timeout=240, check=False,
    )  # fmt: skip


def test_a_picture_needs_no_display(tmp_path: Path) -> None:
    path = tmp_path / "window.png"
    network = str(small_file(tmp_path))
    done = pinkx("--screenshot", str(path), "--after", "0.5", "--size", "1100x720", "--network", network)
    assert (done.returncode, done.stderr) == (0, "")
    picture = QImage(str(path))
    assert (picture.width(), picture.height()) == (1100, 720)
