"""The desktop's dialog of surrogates, with a result at hand."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt's libraries are not installed", exc_type=ImportError)

from explorer.gui.dialogs.surrogates import SurrogatesDialog
from explorer.gui.window import Window
from explorer.session.session import Session
from tests.explorer.session.test_surrogates import FOUND

pytestmark = pytest.mark.panels("alpha")


def test_surrogates_are_drawn(window: Window, session: Session) -> None:
    dialog = SurrogatesDialog(window, window.theme, session)
    assert "nothing is measured yet" in dialog.text.text()
    session.surrogates._computation._result = FOUND
    dialog.update_view()
    assert "no single exponent" in dialog.text.text()
    x, y = dialog.points.getData()
    assert x[:3].tolist() == [FOUND.beta, *FOUND.halves]
    assert sorted(set(y)) == [-5, -4, -3, -2, -1, 0]
    assert len(dialog.table().rows) == 9
    dialog.close()
