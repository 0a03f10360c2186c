"""The desktop's dialogs of analyses, with results at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from engine.contexts import Extremes, Place
from explorer.gui.dialogs.attribution import AttributionDialog
from explorer.gui.dialogs.base import ChooseDialog, PromptDialog
from explorer.gui.dialogs.contexts import ContextsDialog
from explorer.gui.dialogs.epochs import EpochsDialog
from explorer.gui.dialogs.saturation import SaturationDialog
from explorer.gui.panels.review import ReviewPanel
from explorer.gui.window import Window
from explorer.session.session import Session
from explorer.session.views.attribution import METHODS
from explorer.session.views.contexts import Contexts
from tests.explorer.session.test_dynamics import HeldJobs
from tests.explorer.session.test_epochs import made
from tests.explorer.small import wait
from tests.explorer.tui.test_analysis_dialogs import attributed

pytestmark = pytest.mark.panels("review")


def test_words_are_coloured_by_the_attribution(window: Window, session: Session) -> None:
    attributed(session)
    window.redraw()
    panel = window.panels["review"]
    assert isinstance(panel, ReviewPanel)
    assert panel.words._codes[[7, 40, 50]].tolist() == [255, 64, 128]
    assert "logit after word 100 (±2.00)" in panel.readout.text()


def test_the_strongest_words_are_listed_and_gone_to(
    window: Window, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    attributed(session)
    dialog = AttributionDialog(window, window.theme, session, window.look_at)
    assert dialog.words.rowCount() == 100
    texts = dialog.words.texts(1)
    assert texts[:2] == ["41", "−1.00"]
    assert texts[3] == session.stream.snapshot.review.surface[40]
    assert "integrated gradients from the mean embedding" in dialog.text.text()
    dialog.save()
    assert [*tmp_path.glob("*-attribution-1.csv")]
    assert "saved" in dialog.text.text()
    dialog.methods.setCurrentIndex(2)
    assert session.attribution.method == METHODS[2]
    assert dialog.words.rowCount() == 0
    dialog.methods.setCurrentIndex(0)
    dialog.choose(1)
    assert session.choices.cursor == 40


def test_top_contexts_are_listed_and_opened(window: Window, session: Session) -> None:
    found: list[Place] = []
    session.contexts._computation._jobs = HeldJobs()
    session.select(0)
    session.contexts.begin()
    dialog = ContextsDialog(window, window.theme, session, found.append)
    assert "starting …" in dialog.text.text()
    extremes = Extremes((Place(1, 4, 0.9), Place(0, 8, 0.5)), (Place(1, 2, -0.7),), 2, 157)
    session.contexts._computation._result = Contexts("h", 0, 3, 3, extremes)
    dialog.update_view()
    assert dialog.places.texts(0) == ["0.90", "    2 −", "5", "… A dull film. I", "would", "not see it …"]
    assert dialog.places.rowCount() == 2
    dialog.ends.setCurrentIndex(1)
    assert dialog.places.texts(0)[0] == "−0.70"
    dialog.choose(0)
    assert found == [Place(1, 2, -0.7)]


def test_the_saturation_is_drawn_and_a_click_selects_a_cell(window: Window, session: Session) -> None:
    session.saturation._computation._jobs = HeldJobs()
    chosen: list[int] = []
    session.select(3)
    dialog = SaturationDialog(window, window.theme, session, chosen.append)
    assert len(dialog.plots) == 3
    for gate, points in zip("ifo", dialog.points, strict=True):
        values = session.read(gate, 0, 100)
        x, y = points.getData()
        assert x == pytest.approx((values < 0.1).mean(axis=0))
        assert y == pytest.approx((values > 0.9).mean(axis=0))
    assert "#003" in dialog.text.text()
    dialog.points[0].sigClicked.emit(dialog.points[0], [dialog.points[0].points()[5]], None)
    assert chosen == [5]
    dialog.scopes.setCurrentIndex(1)
    assert session.saturation.scope == "corpus"
    assert "starting …" in dialog.text.text()
    assert all(len(points.data) == 0 for points in dialog.points)
    dialog.close()


def test_the_slider_moves_loss_dead_cells_and_points_together(window: Window, session: Session) -> None:
    chosen: list[str] = []
    session.epochs._computation._result = found = made()
    dialog = EpochsDialog(window, window.theme, session, chosen.append)
    assert dialog.slider.value() == 2
    assert "searching" in dialog.text.text()
    for place, dead in ((0, 2), (1, 1)):
        dialog.slider.setValue(place)
        assert f"† {dead} of 3" in dialog.text.text()
        for plot, values in ((dialog.loss, found.loss), (dialog.dead, found.dead(0.02))):
            curve, mark = plot.getPlotItem().items
            assert curve.getData()[1] == pytest.approx(values)
            assert mark.getData()[0].tolist() == [place]
            assert mark.getData()[1] == pytest.approx(values[[place]])
        points = found.points_of(place)
        assert points is not None
        drawn = dialog.map.getPlotItem().items[-1].getData()  # the stable ones come last
        assert drawn == pytest.approx(found.places(points.h[points.stable]).T)
    dialog.read_with_it()
    assert chosen == ["run-e01.safetensors"]
    dialog.close()


def test_a_vector_is_chosen_and_added(window: Window, session: Session) -> None:
    session.brush.open_at(40)
    session.brush.close_at(42)
    window.perform("steering-vector")
    (choose,) = window.findChildren(ChooseDialog)
    choose.list.setCurrentRow(1)
    choose.search.returnPressed.emit()
    (ask,) = (each for each in window.findChildren(PromptDialog) if each.isVisible())
    ask.line.setText("−2")
    ask.line.returnPressed.emit()
    assert session.steering.strength == -2
    window.perform("steer")
    wait(lambda: len(session.stream.snapshot.pushes) == 1 and session.stream.snapshot.time == 100)
    window.redraw()
    assert "steered after word 100" in window.status.state.text()
