"""The terminal's charts of branches and of the memory, with results at hand."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.session.session import Session
from explorer.session.views.branch_curves import Target
from explorer.session.views.memory import Memory, MemoryOfRun
from explorer.tui.dialogs.dynamics import BranchesDialog, ChartDialog, MemoryDialog
from tests.explorer.session.test_attractors import found_map
from tests.explorer.session.test_dynamics import one_unit
from tests.explorer.small import show_found
from tests.explorer.tui.harness import shown, until

RUN = MemoryOfRun(np.array([-0.01, -0.2, -0.4]), np.geomspace(1, 0.01, 50), 7.0)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_branches_are_drawn_along_both_axes(session: Session, size: tuple[int, int]) -> None:
    show_found(session, found_map())
    async with shown(session, *size) as (app, pilot):
        session.branches.target = Target("film")
        session.branches._computation._result = one_unit()
        app.push_screen(BranchesDialog(session))
        await until(pilot, lambda: isinstance(app.screen, ChartDialog) and "fold" in app.screen.chart.text)
        dialog = app.screen
        assert isinstance(dialog, BranchesDialog)
        assert "2 branches" in dialog.chart.text
        assert "logit against weight   ── stable   ╌╌ unstable   ◂ fold" in dialog.chart.text
        assert "◂" in "\n".join(dialog.chart.text.splitlines()[2:])
        assert "·" in dialog.chart.text
        await pilot.press("n")
        title = str(dialog.query_one("#chart").border_title)
        assert title == f"Fixed points of {session.branches.networks[1]}, channel 1 from −1 to 1"
        await pilot.press("c")
        assert session.branches.target == Target("2", session.branches.networks[1])
        assert "2 branches" not in dialog.chart.text
        await pilot.press("escape")
        assert not isinstance(app.screen, ChartDialog)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_memory_is_drawn_once_it_is_computed(session: Session, size: tuple[int, int]) -> None:
    async with shown(session, *size) as (app, pilot):
        app.push_screen(MemoryDialog(session))
        await until(pilot, lambda: isinstance(app.screen, ChartDialog) and bool(app.screen.chart.text))
        dialog = app.screen
        assert isinstance(dialog, MemoryDialog)
        assert "nothing is measured yet" in dialog.chart.text
        session.memory._computation._result = Memory("first", 144, (RUN, RUN))
        await until(pilot, lambda: "half-life 7 words" in dialog.chart.text)
        assert "Lyapunov exponents" in dialog.chart.text
        assert "●" in dialog.chart.text
        assert any("⠁" <= character <= "⣿" for character in dialog.chart.text)
