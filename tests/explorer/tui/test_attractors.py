"""Cycles and basins in the terminal's picture of the points."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.session.session import Session
from explorer.tui.panels.fixed_points import _ring
from tests.explorer.session.test_attractors import found_map
from tests.explorer.small import show_found
from tests.explorer.tui.harness import shown, text_of


async def test_cycles_and_basins_are_drawn_listed_and_selected(session: Session) -> None:
    points = show_found(session, found_map())
    async with shown(session) as (app, pilot):
        picture = text_of(app, "#points")
        assert picture.count("◇") >= 2 + 1  # states of cycles, and the legend
        assert "◇ cycle" in picture
        assert "◇ 2 cycles" in str(app.query_one("#points").border_subtitle)
        for _ in range(points.certified + 1):
            await pilot.press("right_square_bracket")
        assert session.fixed_points.view.selected == points.certified
        spectrum = text_of(app, "#spectrum")
        assert "cycle of period 2" in spectrum
        assert "zero input cycle 0" in spectrum


def test_a_ring_grows_with_the_share_of_states() -> None:
    place = np.array([0.2, -0.3])
    radii = [np.abs((_ring(place, np.sqrt(share), 40, 20) - place)[:, 0]).max() for share in (0.01, 0.25, 1.0)]
    assert radii == sorted(radii)
    assert radii[-1] == pytest.approx(5.5 / 40)
