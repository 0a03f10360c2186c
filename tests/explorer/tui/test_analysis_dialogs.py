"""The terminal's dialogs of analyses, with results at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorer.session.session import Session
from explorer.session.views.attribution import METHODS, WordAttribution
from explorer.tui.dialogs.attribution import AttributionDialog
from explorer.tui.panels.review import ReviewPanel
from tests.explorer.session.test_dynamics import HeldJobs
from tests.explorer.tui.harness import rows_text, shown, until


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


async def test_words_are_coloured_by_the_attribution(session: Session) -> None:
    async with shown(session) as (app, _):
        attributed(session)
        app.draw()
        panel = app.query_one("#review", ReviewPanel)
        assert "attribution of the logit after word 100[" in str(panel.border_subtitle)
        assert "by integrated gradients from the mean embedding (±2.00)" in str(panel.border_subtitle)


async def test_the_strongest_words_are_listed_and_gone_to(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shown(session) as (app, pilot):
        attributed(session)
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
