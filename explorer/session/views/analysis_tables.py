"""The numbers of the dialogs of analyses as tables, with columns named as in `explorer.session.views.tables`."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.session.core import SessionError
from explorer.session.views.attribution import WordAttribution
from explorer.session.views.tables import Table


def attribution_table(found: WordAttribution | None, words: Sequence[str]) -> Table:
    """Every word that is read, in their order, with its attribution and how it was computed."""
    if found is None:
        raise SessionError("nothing is attributed yet: save the attributions when they are computed")
    method = "gradient_times_input" if found.method.baseline is None else "integrated_gradients"
    columns = ("time", "text", "attribution", "attributed", "method", "baseline", "logit", "baseline_logit")
    same = found.output, method, found.method.baseline or "", found.logit, found.baseline_logit
    rows = [(time, words[time], value, *same) for time, value in enumerate(found.values.tolist())]
    return Table(columns, rows)
