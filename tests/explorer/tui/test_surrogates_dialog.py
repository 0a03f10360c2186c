"""The terminal's dialog of surrogates, with a result at hand."""

from __future__ import annotations

import pytest

from explorer.session.session import Session
from explorer.session.views.surrogates import ROWS
from explorer.tui.dialogs.surrogates import SurrogatesDialog
from tests.explorer.session.test_surrogates import FOUND
from tests.explorer.tui.harness import shown, until


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_surrogates_are_drawn(session: Session, size: tuple[int, int]) -> None:
    async with shown(session, *size) as (app, pilot):
        app.push_screen(SurrogatesDialog(session))
        await until(pilot, lambda: isinstance(app.screen, SurrogatesDialog) and bool(app.screen.chart.text))
        dialog = app.screen
        assert isinstance(dialog, SurrogatesDialog)
        assert "nothing is measured yet" in dialog.chart.text
        session.surrogates._computation._result = FOUND
        await until(pilot, lambda: "no single exponent" in dialog.chart.text)
        assert all(name in dialog.chart.text for name in ROWS)
        assert "●" in dialog.chart.text
