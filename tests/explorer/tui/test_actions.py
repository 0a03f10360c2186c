"""Every action of the table, by its first key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import TextArea

from explorer.session.actions import ACTIONS, GROUPS
from explorer.session.session import Session
from explorer.tui.app import Explorer
from explorer.tui.dialogs.attribution import AttributionDialog
from explorer.tui.dialogs.base import AskDialog, ChooseDialog, HelpDialog, LegendDialog, TypeDialog
from explorer.tui.dialogs.dynamics import BranchesDialog, MemoryDialog
from explorer.tui.dialogs.saturation import SaturationDialog
from explorer.tui.dialogs.search_dialogs import SearchDialog
from explorer.tui.dialogs.surrogates import SurrogatesDialog
from explorer.tui.layout import Shares
from explorer.tui.panels.corpus import CorpusScreen
from tests.explorer.small import read_session
from tests.explorer.tui.harness import choices, shown, snapshot, text_of, until

Effect = Callable[[Explorer], bool]
RUN_FILE = Path("pinkx-lstm-12-first-1.safetensors")


def opens(dialog: type) -> Effect:
    return lambda app: isinstance(app.screen, dialog)


def focuses(panel: str) -> Effect:
    return lambda app: app.focused is not None and app.focused.id == panel


def notes(text: str) -> Effect:
    return lambda app: app.session is not None and text in app.session.note


def session_has(condition: Callable[[Session], bool]) -> Effect:
    return lambda app: app.session is not None and condition(app.session)


# 100 of 144 words are read, paused; no fixed points are searched for.
EFFECTS: dict[str, Effect] = {
    "play": lambda app: snapshot(app).finished,
    "step": lambda app: snapshot(app).time == 101,
    "step-back": lambda app: choices(app).cursor == 98,
    "page-back": lambda app: choices(app).cursor == 89,
    "page-on": lambda app: snapshot(app).time == 110,
    "start": lambda app: choices(app).cursor == 0,
    "live": lambda app: choices(app).cursor is None,
    "restart": lambda app: snapshot(app).time == 0,
    "jump": opens(AskDialog),
    "jump-back": notes("no earlier place"),
    "jump-forward": notes("no later place"),
    "slower": lambda app: snapshot(app).speed == 1000,
    "faster": lambda app: snapshot(app).speed is None,
    "signal": lambda app: choices(app).signal == "x",
    "signal-back": lambda app: choices(app).signal == "c_out",
    "select-down": lambda app: choices(app).selected == 0,
    "select-up": lambda app: choices(app).selected == 11,
    "pin": notes("no cell is selected"),
    "deselect": lambda app: choices(app).selected is None,
    "threshold-down": lambda app: snapshot(app).threshold == 0.01,
    "threshold-up": lambda app: snapshot(app).threshold == 0.05,
    "order": lambda app: choices(app).order == "activity",
    "bins": lambda app: choices(app).bins == "mean",
    "colour-map": lambda app: choices(app).colour_map == "viridis",
    "contrast": lambda app: choices(app).contrast == "range",
    "turn-left": session_has(lambda session: session.fixed_points.view.azimuth == -30),
    "turn-right": session_has(lambda session: session.fixed_points.view.azimuth == -10),
    "tilt-up": session_has(lambda session: session.fixed_points.view.elevation == 60),
    "tilt-down": session_has(lambda session: session.fixed_points.view.elevation == 40),
    "point-colour": session_has(lambda session: session.fixed_points.view.colour == "time constant"),
    # With points: test_fixed_points_panels.py.
    "next-point": notes("wait for the search"),
    "previous-point": notes("wait for the search"),
    "find-points": notes("not complete yet"),
    "follow-input": opens(BranchesDialog),
    "epochs": notes("no networks of single epochs"),
    "memory": opens(MemoryDialog),
    "attribution": notes("integrated gradients from the mean embedding"),
    "attributions": opens(AttributionDialog),
    "brush": session_has(lambda session: list(session.brush.words) == [99]),
    "next-place": notes("brush some words first"),
    "ablate": notes("no cell is selected"),
    "ablate-dead": notes("cell"),
    "accuracy-without": session_has(lambda session: session.ablation_accuracy.shown),
    "clamp": opens(AskDialog),
    "contexts": notes("no cell is selected"),
    "saturation": opens(SaturationDialog),
    "surrogates": opens(SurrogatesDialog),
    "steer": notes("no steering vector is chosen"),
    "steering-vector": opens(ChooseDialog),
    "undo": notes("nothing to undo"),
    "undo-ablation": notes("as it was trained"),
    "compare": opens(ChooseDialog),
    "compare-reviews": opens(ChooseDialog),
    "agree-elsewhere": notes("brush words"),
    "search": opens(SearchDialog),
    "next-found": notes("search for words first"),
    "previous-found": notes("search for words first"),
    "edit": lambda app: isinstance(app.screen, TypeDialog) and "film" in app.screen.query_one(TextArea).text,
    "word-by-word": notes("nothing is compared"),
    "palette": opens(ChooseDialog),
    "export": opens(ChooseDialog),
    "scaling": lambda app: choices(app).scaling and "white" in text_of(app, "#alpha"),
    "next-review": lambda app: snapshot(app).review.name == "second",
    "previous-review": lambda app: snapshot(app).review.name == "third",
    "reviews": opens(ChooseDialog),
    "corpus": opens(CorpusScreen),
    "networks": opens(ChooseDialog),
    "layer": notes("one layer"),
    "type": opens(TypeDialog),
    "focus-review": focuses("review"),
    "focus-heatmap": focuses("heatmap"),
    "focus-points": focuses("points"),
    "focus-spectrum": focuses("spectrum"),
    "focus-alpha": focuses("alpha"),
    "focus-cells": focuses("cells"),
    "zoom": lambda app: app.query_one("#heatmap").size.height > 25,
    "arrange": lambda app: app.shares == Shares(),
    "record": session_has(lambda session: session.recorder.active),
    "export-run": lambda _: RUN_FILE.exists(),
    "help": opens(HelpDialog),
    "legend": opens(LegendDialog),
    "quit": lambda app: app.return_code == 0 and not app.is_running,
}


def test_every_action_has_an_effect_that_is_checked() -> None:
    assert set(EFFECTS) == {action.id for action in ACTIONS}


@contextmanager
def fresh_session(app: Explorer) -> Iterator[None]:
    """Give a running application a session of its own for one action."""
    sessions = read_session()
    session = next(sessions)
    session.actions = app.actions
    app.session = session
    try:
        yield
    finally:
        next(sessions, None)


async def close_dialogs(app: Explorer, pilot: Pilot[None]) -> None:
    while len(app.screen_stack) > 1:
        app.pop_screen()
        await pilot.pause()


@pytest.mark.parametrize("group", GROUPS)
async def test_a_key_does_what_the_table_says(
    session: Session, group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # exports are written here
    actions = sorted((action for action in ACTIONS if action.group == group), key=lambda action: action.id == "quit")
    done = []
    async with shown(session) as (app, pilot):
        for action in actions:  # one application for a group: starting it takes longer than most actions
            with fresh_session(app):
                app.raise_panel("heatmap")
                await pilot.pause()
                effect = EFFECTS[action.id]
                if action.id not in ("live", "faster", "deselect", "focus-heatmap", "arrange"):
                    assert not effect(app), f"{action.id}: the effect is there before the key"
                await pilot.press(action.keys[0])
                await until(pilot, lambda: effect(app))
                if action.id == "record":
                    await pilot.press(action.keys[0])
                    await until(pilot, RUN_FILE.exists)
                    RUN_FILE.unlink()
                elif action.id == "zoom":
                    await pilot.press(action.keys[0])
                await close_dialogs(app, pilot) if app.is_running else None
                done.append(action.id)
    assert done == [action.id for action in actions]
