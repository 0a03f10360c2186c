"""The desktop's plots of branches and of the memory, with results at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

import pyqtgraph as pg
from PySide6.QtCore import Qt

from explorer.gui.dialogs.dynamics import BranchesDialog, MemoryDialog
from explorer.gui.window import Window
from explorer.session.session import Session
from explorer.session.views.branch_curves import Target
from explorer.session.views.memory import Memory, MemoryOfRun
from tests.explorer.session.test_attractors import found_map
from tests.explorer.session.test_dynamics import one_unit
from tests.explorer.small import show_found

pytestmark = pytest.mark.panels("review")

RUN = MemoryOfRun(np.array([-0.01, -0.2, -0.4]), np.geomspace(1, 0.01, 50), 7.0)


def test_stable_branches_are_solid_and_unstable_ones_dashed(window: Window, session: Session) -> None:
    show_found(session, found_map())
    session.branches.target = Target("film")
    session.branches._computation._result = one_unit()
    dialog = BranchesDialog(window, window.theme, session)
    items = dialog.picture.getPlotItem().items
    curves = [item for item in items if isinstance(item, pg.PlotCurveItem)]
    assert sorted(curve.opts["pen"].style() == Qt.PenStyle.SolidLine for curve in curves) == [False, True, True]
    folds, crossings = (item for item in items if isinstance(item, pg.ScatterPlotItem))
    assert (len(folds.data), len(crossings.data)) == (1, 0)
    assert "1 fold" in dialog.text.text()
    assert dialog.picture.getPlotItem().getAxis("left").labelText == "logit"
    dialog.axes.setCurrentText("PC1")
    assert dialog.picture.getPlotItem().getAxis("left").labelText == "PC1 of h"
    dialog.networks.setCurrentText("gru-100-flip-flop-3")
    assert session.branches.target == Target("1", "gru-100-flip-flop-3")
    dialog.channels.setCurrentText("3")
    assert session.branches.target == Target("3", "gru-100-flip-flop-3")
    assert dialog.windowTitle() == "Fixed points of gru-100-flip-flop-3, channel 3 from −1 to 1"
    assert "branches" not in dialog.text.text()
    dialog.close()


def test_the_memory_is_drawn_once_it_is_computed(window: Window, session: Session, qtbot: Any) -> None:
    dialog = MemoryDialog(window, window.theme, session)
    assert "nothing is measured yet" in dialog.text.text()
    session.memory._computation._result = Memory("first", 144, (RUN, RUN))
    dialog.update_plots()
    assert "half-life" in dialog.text.text()
    dots = [item for item in dialog.spectrum.getPlotItem().items if isinstance(item, pg.ScatterPlotItem)]
    assert [len(each.data) for each in dots] == [3, 3]
    curves = [item for item in dialog.decay.getPlotItem().items if isinstance(item, pg.PlotCurveItem)]
    assert np.allclose(curves[0].getData()[1], np.log10(RUN.decay))
    dialog.close()
