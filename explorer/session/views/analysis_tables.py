"""The numbers of the dialogs of analyses as tables, with columns named as in `explorer.session.views.tables`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from explorer.session.core import SessionError
from explorer.session.views.attribution import WordAttribution
from explorer.session.views.contexts import ENDS, Contexts, Text, context
from explorer.session.views.epochs import Epochs
from explorer.session.views.saturation import Saturation
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


class NamedText(Text, Protocol):
    """Part of a review that `contexts_table` needs."""

    @property
    def name(self) -> str: ...


def contexts_table(found: Contexts | None, reviews: Sequence[NamedText]) -> Table:
    """The places of highest value, then those of lowest value, each from the best; reviews count from 1."""
    if found is None:
        raise SessionError("nothing is found yet: save the contexts when some are")
    columns = ("end", "rank", "review", "name", "time", "before", "text", found.signal, "cell", "reviews_read")
    rows = []
    for end in ENDS:
        for rank, place in enumerate(found.places(end), start=1):
            review = reviews[place.review]
            before, word, _ = context(review, place.word)
            read = found.extremes.reviews
            rows.append(
                (end, rank, place.review + 1, review.name, place.word, before, word, place.value, found.cell, read)
            )
    return Table(columns, rows)


def saturation_table(found: Saturation | None) -> Table:
    """Every cell with the fractions of words at which each gate is left- and right-saturated."""
    if found is None:
        raise SessionError("nothing is measured yet: save the saturation when it is")
    gates = found.gates
    columns = ("cell", *(f"{side}_{gate}" for gate in gates.gates for side in ("left", "right")), "words")
    parts = [side[k].tolist() for k in range(len(gates.gates)) for side in (gates.left, gates.right)]
    return Table(columns, [(cell, *row, gates.words) for cell, row in enumerate(zip(*parts, strict=True))])


def epochs_table(found: Epochs | None, threshold: float) -> Table:
    """Every epoch with its loss, accuracy and dead cells; numbers of points are NaN until they are found."""
    if found is None:
        raise SessionError("no epoch is measured yet: save them when one is")
    columns = (
        "epoch", "network", "loss", "accuracy", "validation_loss", "reviews", "dead", "cells", "fixed_points",
        "stable_points", "slow_points",
    )  # fmt: skip
    rows = []
    for k, epoch in enumerate(found.epochs):
        points = found.points_of(k)
        counts = (float("nan"),) * 3
        if points is not None:
            counts = int(points.fixed.sum()), int(points.stable.sum()), int((~points.fixed).sum())
        dead = int(found.dead(threshold)[k])
        rows.append(
            (
                epoch.number, epoch.path.stem, epoch.loss, epoch.accuracy, epoch.validation_loss, found.reviews, dead,
                len(epoch.activity), *counts,
            )
        )  # fmt: skip
    return Table(columns, rows)
