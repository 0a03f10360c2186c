"""The terminal's dialogs of analyses, with results at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.contexts import Extremes, Place
from engine.reviews import Review
from explorer.session.session import Session
from explorer.session.views.attribution import METHODS, WordAttribution
from explorer.session.views.contexts import Contexts
from explorer.tui.dialogs.attribution import AttributionDialog
from explorer.tui.dialogs.base import AskDialog, ChooseDialog
from explorer.tui.dialogs.contexts import ContextsDialog
from explorer.tui.dialogs.epochs import EpochsDialog
from explorer.tui.dialogs.saturation import SaturationDialog
from explorer.tui.panels.review import ReviewPanel
from tests.explorer.session.test_dynamics import HeldJobs
from tests.explorer.session.test_epochs import made
from tests.explorer.small import REVIEWS
from tests.explorer.tui.harness import rows_text, shown, text_of, until


def attributed(session: Session) -> WordAttribution:
    """Give the session an attribution after word 100, without a job."""
    values = np.zeros(100)
    values[[7, 40]] = 2.0, -1.0
    found = WordAttribution(METHODS[0], "logit", values, 1.5, 0.5, 16)
    session.attribution.use(METHODS[0])
    session.attribution._computation._jobs = HeldJobs()
    session.update()
    session.attribution._computation._result = found
    session.update()
    return found


async def test_words_are_coloured_and_the_strongest_listed_and_gone_to(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shown(session) as (app, pilot):
        attributed(session)
        app.draw()
        panel = app.query_one("#review", ReviewPanel)
        assert "colour: attribution by" in str(panel.border_subtitle)
        assert "logit after word 100 (±2.00)" in str(panel.border_subtitle)
        session.brush.open_at(40)
        session.brush.close_at(42)
        app.draw()
        assert "brushed words" in str(panel.border_subtitle)
        for named in ("integrated gradients (mean)", "logit after word 100 (±2.00)"):
            assert named in str(panel.border_title)
        session.brush.clear()
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.screen, AttributionDialog) and app.screen.rows.count == 100)
        surface = session.stream.snapshot.review.surface
        first, second = rows_text(app.screen)[:2]
        assert first.split()[:2] == ["8", "2.00"]
        assert first.rstrip().endswith(surface[7])
        assert second.split()[:2] == ["41", "−1.00"]
        await pilot.press("e")
        await until(pilot, lambda: bool([*tmp_path.glob("*-attribution-1.csv")]))
        await pilot.press("i")
        assert session.attribution.method == METHODS[1]
        await pilot.press("i", "i")
        assert session.attribution.method == METHODS[0]
        await until(pilot, lambda: isinstance(app.screen, AttributionDialog) and app.screen.rows.count == 100)
        await pilot.press("down", "enter")
        await until(pilot, lambda: session.choices.cursor == 40)


async def test_top_contexts_are_listed_without_control_characters_and_opened(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.contexts._computation._jobs = HeldJobs()
        await pilot.press("down", "K")
        await until(pilot, lambda: isinstance(app.screen, ContextsDialog))
        dialog = app.screen
        assert isinstance(dialog, ContextsDialog)
        extremes = Extremes((Place(1, 4, 0.9), Place(0, 8, 0.5)), (Place(1, 2, -0.7),), 2, 157)
        session.contexts._computation._result = Contexts("h", 0, 3, 3, extremes)
        await until(pilot, lambda: dialog.rows.count == 2)
        first = rows_text(dialog)[0]
        assert first.split()[:5] == ["0.90", "2", "−", "word", "5"]
        assert " ".join(first.split()[5:]) == "A dull film. I would not see it"
        await pilot.press("s")
        await until(pilot, lambda: dialog.rows.count == 1)
        assert rows_text(dialog)[0].split()[0] == "−0.70"
        hostile = Review("evil", "a \x1b[31mred\x07 word \u202eis here", None)
        session.core.reviews = session.reviews = [*REVIEWS, hostile]
        places = tuple(Place(3, word, 0.1) for word in range(len(hostile.surface)))
        session.contexts._computation._result = Contexts("h", 0, 4, 4, Extremes(places, places[:1], 1, 5))
        await until(pilot, lambda: rows_text(dialog)[0].split()[0] == "0.10")
        await pilot.press("s")
        await until(pilot, lambda: dialog.rows.count == len(places))
        assert all(line.isprintable() for line in rows_text(dialog))
        session.contexts._computation._result = Contexts("h", 0, 3, 3, extremes)
        await until(pilot, lambda: dialog.rows.count == 2)
        await pilot.press("enter")
        await until(pilot, lambda: session.stream.snapshot.review.name == "second")


async def test_the_saturation_is_drawn(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.saturation._computation._jobs = HeldJobs()
        app.push_screen(SaturationDialog(session))
        await until(pilot, lambda: isinstance(app.screen, SaturationDialog) and "●" in app.screen.chart.text)
        dialog = app.screen
        assert isinstance(dialog, SaturationDialog)
        assert "100 words of this review" in dialog.chart.text
        assert "f, forget gate" in dialog.chart.text
        await pilot.press("down")
        await until(pilot, lambda: "#000   i right" in dialog.chart.text)
        assert "◉" in dialog.chart.text
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: dialog.chart.size.height < 24 and "f, forget gate" in dialog.chart.text)
        await pilot.press("s")
        await until(pilot, lambda: "starting …" in dialog.chart.text)


async def test_the_slider_moves_loss_dead_cells_and_points_together(session: Session) -> None:
    async with shown(session) as (app, pilot):
        chosen: list[str | None] = []
        session.epochs._computation._result = made()
        app.push_screen(EpochsDialog(session), chosen.append)
        await until(pilot, lambda: isinstance(app.screen, EpochsDialog) and "epoch 2" in app.screen.chart.text)
        dialog = app.screen
        assert isinstance(dialog, EpochsDialog)
        assert "searching" in dialog.chart.text
        await pilot.press("home")
        await until(pilot, lambda: "epoch 0, untrained   loss 0.70" in dialog.chart.text)
        assert "† 2 of 3" in dialog.chart.text
        assert "● 1 stable" in dialog.chart.text
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: dialog.chart.size.height < 24)
        dialog.update_chart()
        before = dialog.chart.text
        await pilot.press("right")
        await until(pilot, lambda: "epoch 1   loss 0.50" in dialog.chart.text)
        assert "† 1 of 3" in dialog.chart.text
        assert dialog.chart.text.splitlines()[3].index("●") > before.splitlines()[3].index("●")
        await pilot.press("enter")
        await until(pilot, lambda: bool(chosen))
        assert chosen == ["run-e01.safetensors"]


async def test_a_vector_is_chosen_and_added_by_keys(session: Session) -> None:
    async with shown(session) as (app, pilot):
        session.brush.open_at(40)
        session.brush.close_at(42)
        await pilot.press("Y")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, AskDialog))
        await pilot.press("minus", "2", "enter")
        await until(pilot, lambda: session.steering.strength == -2)
        await pilot.press("y")
        await until(pilot, lambda: len(session.stream.snapshot.pushes) == 1 and session.stream.snapshot.time == 100)
        app.draw()
        assert "∅ steered after word 100" in text_of(app, "#status")
        await pilot.press("Z")
        await until(pilot, lambda: not session.stream.snapshot.pushes)
