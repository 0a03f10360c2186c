"""The two front ends show the same numbers: both perform the same steps, and their texts are compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from engine.live.replay import load_recording, save_recording
from engine.live.stream import Stream
from explorer.gui.panels.overview import OverviewPanel
from explorer.gui.window import Window
from explorer.session.session import Session
from explorer.tui.app import Explorer
from explorer.tui.panels.panel import Panel
from explorer.tui.terminal.styles import NOTHING, OTHER, braille
from tests.explorer.small import SHARED_JOBS, open_session, settle, small_file, wait
from tests.explorer.tui.harness import explorer, text_of

# What the user does in turn; the names are the same in both front ends.
STEPS = (
    (), ("step-back", "step-back"), ("signal", "select-down", "select-down"), ("next-point",), ("next-point", "order"),
    ("signal-back", "signal-back", "order", "start"), ("live", "deselect"),
)  # fmt: skip
PREDICTED = re.compile(r"\+(\d+) (\d+%|<0|–)")  # share that the linear map explains, by words ahead
HALF = 36  # words: before the rolling window is full


def recorded(folder: Path) -> Path:
    """A run of the small network as a file."""
    session = open_session()
    session.stream.seek(144)
    wait(lambda: session.stream.snapshot.time == 144)
    run = session.stream.take_recording().result(10)
    assert run is not None
    save_recording(folder / "run.safetensors", [run], "test")
    session.close()
    return folder / "run.safetensors"


def opened(folder: Path, replayed: bool) -> Session:
    """Reads the same words, live or from the recording."""
    if not replayed:
        session = open_session(search=True)
        settle(session)
        return session
    runs = load_recording(folder / "run.safetensors")
    analysis = runs[0].analysis
    stream = Stream(runs[0].network, window=analysis.window, scales=analysis.scales, threshold=analysis.threshold)
    session = Session(stream, runs, jobs=SHARED_JOBS)
    wait(lambda: stream.snapshot.run == 1)
    return session


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", html)))


def after(text: str, pattern: str) -> list[str]:
    """The numbers that follow something."""
    return re.findall(rf"{pattern}\s*(−?[\d.,]*\d(?:e−?\d+)?|–)", text)


def in_the_terminal(app: Explorer) -> dict[str, Any]:
    """Return the text on the terminal."""
    alpha, cells, spectrum = (text_of(app, name) for name in ("#alpha", "#cells", "#spectrum"))
    overview = app.screen_stack[0].query_one("#overview")
    said = plain(str(overview._border_title.plain if overview._border_title else ""))
    rows = re.findall(r"#(\d{3})(.) .*│.*?\s([−\d.%e<]+|–)" + r" +([−\d.%e<]+|–)" * 4 + " *$", cells, re.M)
    return {
        "P(positive)": after(said, r"P\(positive\)")[:1],
        "α": after(alpha, "α")[:1],
        "β": after(alpha, "β")[:1],
        "r²": after(alpha, "r²")[:1],
        "dead": re.findall(r"† (\d+ dead|needs \d+ words)", cells),
        "working": re.findall(r"([\d.]+|–) (?:working|effective)", cells),
        "cells": rows,
        "τ": after(spectrum, "τ"),
        "|λ|": after(spectrum, r"\|λ\|"),
        "logit": after(spectrum, "logit"),
        "linear": PREDICTED.findall(spectrum),
    }


def in_the_window(window: Window) -> dict[str, Any]:
    """Return the text in the window."""
    panels: dict[str, Any] = dict(window.panels)
    for name in panels:
        window.raise_panel(name)
    window.redraw()
    alpha, cells = panels["alpha"].readout.text(), panels["cells"].readout.text()
    spectrum, table = plain(panels["spectrum"].details.text()), panels["cells"].table.cells
    rows = [[table.data(table.index(row, column)) for column in range(6)] for row in range(table.rowCount())]
    return {
        "P(positive)": after(panels["overview"].readout.text(), r"P\(positive\)")[:1],
        "α": after(alpha, "α")[:1],
        "β": after(alpha, "β")[:1],
        "r²": after(alpha, "r²")[:1],
        "dead": re.findall(r"† (\d+ dead|needs \d+ words)", cells),
        "working": re.findall(r"([\d.]+|–) (?:working|effective)", cells),
        "cells": [(f[0][1:4], f[0][5:6] or " ", *f[1:]) for f in rows],
        "τ": after(spectrum, "τ"),
        "|λ|": after(spectrum, r"\|λ\|"),
        "logit": after(spectrum, "logit"),
        "linear": PREDICTED.findall(spectrum),
    }


def curve_in(app: Explorer) -> list[str]:
    """Return the braille in the terminal's overview that has the colour of the other reading."""
    lines = app.screen_stack[0].query_one("#overview", Panel).lines
    drawn = ("".join(s.text if s.style == OTHER else NOTHING * len(s.text) for s in line) for line in lines)
    return ["".join(c if c >= NOTHING else NOTHING for c in line) for line in drawn]


async def test_both_front_ends_draw_the_same_difference(qapp: Any, tmp_path: Path) -> None:
    sessions = [open_session() for _ in range(2)]
    app, window = explorer(sessions[0]), Window(session=sessions[1], show_rates=False)
    window.show()
    window.raise_panel("overview")
    path = small_file(tmp_path, 5)
    async with app.run_test(size=(150, 60)) as pilot:  # room for every word
        for session in sessions:
            session.stream.seek(100)
            session.comparison.compare_with(str(path))
        for session in sessions:
            wait(lambda: session.stream.snapshot.time == 100)
            wait(lambda: session.comparison.result(session.update()) is not None)
        app.draw()
        await pilot.pause()  # it takes its further lines
        app.draw()
        window.redraw()
        overview, panel = app.screen_stack[0].query_one("#overview"), window.panels["overview"]
        assert isinstance(panel, OverviewPanel)
        title = plain(str(overview._border_title.plain if overview._border_title else ""))
        pattern = r"difference (\S+) (?:in|\(axis) (±[\d.]+)"
        (numbers,) = re.findall(pattern, title)
        assert re.findall(pattern, panel.readout.text()) == [numbers]
        _, values = panel.difference.getData()
        high, rows, below = float(numbers[1][1:]), curve_in(app), (overview.size.height + 1) // 2
        expected = braille(np.repeat(values, 2), below, -high, high)
        here = 99  # where the line of the place looked at stands
        cut = [line[:here] + NOTHING + line[here + 1 :] for line in expected]
        assert [line.rstrip(NOTHING) for line in rows[-below:]] == [line.rstrip(NOTHING) for line in cut]
        assert any(set(line) - {NOTHING} for line in cut)
    window.close()
    window.deleteLater()
    for session in sessions:
        session.close()


@pytest.mark.parametrize("replayed", [False, True], ids=["text", "recording"])
async def test_both_front_ends_show_the_same_numbers(tmp_path: Path, qapp: Any, replayed: bool) -> None:
    if replayed:
        recorded(tmp_path)
    sessions = [opened(tmp_path, replayed) for _ in range(2)]
    app, window = explorer(sessions[0]), Window(session=sessions[1], show_rates=False)
    window.resize(1400, 900)
    window.show()
    seen: list[dict[str, Any]] = []

    def until(condition: Callable[[Session], bool]) -> None:
        for session in sessions:
            wait(lambda: condition(session))

    def predicted(session: Session) -> bool:
        frame = session.update()
        session.fixed_points.request(frame)  # as the panels do
        prediction = session.fixed_points.prediction(frame)
        return prediction is not None and prediction.at == frame.word

    async with app.run_test(size=(150, 60)) as pilot:
        for words, walk in ((HALF, STEPS[:2]), (144, STEPS)):
            for session in sessions:
                session.stream.seek(words)
            until(lambda session: session.stream.snapshot.time == words)
            for steps in walk:
                for name in steps:
                    app.action_perform(name)
                    window.perform(name)
                # the engine takes the signal to watch a moment later
                until(lambda session: session.stream.snapshot.watched == session.choices.signal)
                if not replayed:
                    until(predicted)
                await pilot.pause()
                app.draw()
                qapp.processEvents()
                terminal, shown = in_the_terminal(app), in_the_window(window)
                listed = {row[0] for row in terminal["cells"]}  # the terminal has room for some of them
                shown["cells"] = [row for row in shown["cells"] if row[0] in listed]
                assert terminal == shown
                assert sessions[0].choices == sessions[1].choices
                seen.append(terminal)
    window.close()
    window.deleteLater()
    for session in sessions:
        session.close()
    assert all(len(numbers["cells"]) > 5 for numbers in seen)
    assert all(numbers[name] for numbers in seen for name in ("P(positive)", "α", "β", "dead", "working"))
    assert len({tuple(numbers["P(positive)"]) for numbers in seen}) > 2
    assert all(bool(numbers["τ"]) is not replayed for numbers in seen)
    assert all(len(numbers["linear"]) == (0 if replayed else 3) for numbers in seen)
    assert len({tuple(numbers["|λ|"]) for numbers in seen}) > (0 if replayed else 1)
