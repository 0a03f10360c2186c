"""The numbers of every panel as tables: the only source of the columns of exported CSV files.

A column that counts words from 0 is called ``time``, one that counts them from 1 ``word``; cells and points count from
0, reviews from 1, as on screen. Units are in the names of columns. Flags are 0 or 1; a missing number is NaN.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Frame, SessionError, SignalReader
from explorer.session.views.eigenvalues import time_constant
from explorer.session.views.outputs import POSITIVE, Output, other_column, output_of, outputs_between, targets_of
from explorer.session.views.point_map import STATES, PointDetails, PointMap
from explorer.session.views.scaling import fine_fluctuation, fine_scales, scaling
from explorer.session.views.steering import added_after
from explorer.session.views.traces import CellRow, Difference, Overview, alpha_column

if TYPE_CHECKING:
    from engine.reviews import Review


class Table(NamedTuple):
    """The names of the columns, and rows with one value for each."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def column(self, name: str) -> list[Any]:
        """Return the values of one column."""
        at = self.columns.index(name)
        return [row[at] for row in self.rows]


def words_table(
    reader: SignalReader, frame: Frame, words: tuple[int, int] | None = None, signals: Sequence[str] = ()
) -> Table:
    """One row a word that is read and stored: the outputs, rolling α, and the chosen signal of every cell.

    The targets of a sequence of vectors follow its outputs.
    ``added_to_state`` names the steering vectors that were added after the word.
    ``words`` limits the rows to a first word and one past the last; ``signals`` are shown instead of the chosen one.
    """
    signal = frame.choices.signal
    first, values = _stored(reader, frame, signal, words)
    last = first + len(values)
    names = signals or (signal,)
    parts = [values if name == signal else reader.read(name, first, last) for name in names]
    rows = min(map(len, parts))  # the engine may read on
    network = frame.snapshot.network
    output = reader.read("probability", first, last)[:, 0].tolist()
    others = outputs_between(reader, network, first, last)[:, 1:].tolist()
    targets = targets_of(frame.snapshot.review, network.outputs)
    asked = [[]] * rows if targets is None else targets[first:last].tolist()
    alpha = alpha_column(reader, frame, first, last)[:, 0].tolist()
    text = frame.snapshot.review.words[first:last]
    columns = (
        "time",
        "text",
        output_of(network).column,
        *(other_column(network, k) for k in range(1, network.outputs)),
        *(f"target_{k}" for k in range(1, 1 + (0 if targets is None else targets.shape[1]))),
        f"alpha_{signal}",
        "added_to_state",
        *(column for name, part in zip(names, parts, strict=True) for column in _cell_columns(name, part.shape[1])),
    )
    added = [added_after(frame.snapshot.pushes, word) for word in range(first, last)]
    cells = np.concatenate([part[:rows] for part in parts], axis=1).tolist()
    lines = zip(range(first, last), text, output, others, asked, alpha, added, cells, strict=False)
    return Table(
        columns,
        [(time, word, one, *more, *goal, a, push, *row) for time, word, one, more, goal, a, push, row in lines],
    )


def alpha_table(reader: SignalReader, frame: Frame, words: tuple[int, int] | None = None) -> Table:
    """Rolling α and β of every layer sum, one row a word."""
    first, alpha = _stored(reader, frame, "alpha", words)
    names = [signal.name for signal in frame.snapshot.network.signals]
    columns = ("time", *(f"alpha_{name}" for name in names), *(f"beta_{name}" for name in names))
    if alpha.shape[1] != len(names):  # the engine has just changed to another network
        return Table(columns, [])
    both = np.concatenate([alpha, 2 * alpha - 1], axis=1).tolist()
    return Table(columns, [(first + k, *row) for k, row in enumerate(both)])


def scaling_table(reader: SignalReader, frame: Frame, bounds: tuple[float, float] | None = None) -> Table:
    """F at every scale, and whether the fit uses it; ``bounds`` as `scaling` takes them."""
    found = scaling(reader, frame, bounds)
    scales = fine_scales(frame.snapshot.window)
    fluctuation = dict(zip(scales, fine_fluctuation(reader, frame).tolist(), strict=True))
    fitted = dict(zip(found.scales.astype(int).tolist(), found.fluctuation.tolist(), strict=True))
    series = "sum" if found.cell is None else f"{found.cell:03d}"
    rows = [(scale, value, int(scale in fitted)) for scale, value in sorted((fluctuation | fitted).items())]
    return Table(("scale_words", f"F_{frame.choices.signal}_{series}", "fitted"), rows)


def overview_table(
    overview: Overview | None, other: Overview | None, difference: Difference | None, output: Output = POSITIVE
) -> Table:
    """Mean output of each column of the overview, with the other side of a comparison; ``time`` is the first word of
    the column."""
    if overview is None:
        raise SessionError("no word is read yet: save the overview when one is")
    time = np.ceil(overview.edges[:-1]).astype(int).tolist()
    columns: tuple[str, ...] = ("time", output.column)
    values = [overview.values.tolist()]
    if other is not None and difference is not None:
        columns += (f"{output.column}_other", "difference")
        values += [other.values.tolist(), difference.columns(len(time)).values.tolist()]
    return Table(columns, list(zip(time, *values, strict=True)))


def cells_table(rows: Sequence[CellRow], signal: str, reviews: int = 0) -> Table:
    """Every cell with its numbers, in the order given; with the accuracy without it, if that is measured.

    ``reviews`` is the number of labelled reviews over which it is.

    ``state`` is ``ablated`` (h is clamped), ``clamped`` (other signals are, listed in ``clamped``) or empty.
    """
    columns: tuple[str, ...] = (
        "cell", signal, f"alpha_{signal}", f"beta_{signal}", "std_h", f"saturation_{signal}", "readout_weight", "dead",
        "state", "clamped", "pinned", "selected",
    )  # fmt: skip
    if reviews:
        columns += ("accuracy_without", "accuracy_reviews")
    return Table(
        columns,
        [
            (
                row.cell, row.value, row.alpha, 2 * row.alpha - 1, row.activity, row.saturation, row.weight,
                int(row.dead), row.state, " ".join(row.clamps), int(row.pinned), int(row.selected),
                *((row.accuracy_without, reviews) if reviews else ()),
            )
            for row in rows
        ],
    )  # fmt: skip


def points_table(points: PointMap | None, selected: Collection[int | None] = ()) -> Table:
    """Every fixed point, state of a cycle and end of a word, along the principal components in units of h.

    ``basin`` columns are shares of states that end there, of those that reviews visit and of uniform ones, with their
    95% intervals. ``period_words`` is 1 at rest, 0 for a state that does not return. ``index`` (±1) and the radius
    ``only_root_within`` are those of fixed points; 0 and NaN elsewhere, and the radius where its proof fails.
    """
    if points is None:
        raise SessionError("no points are found yet: save them when they are")
    columns = (
        "entry", "input", "certified", "state", "PC1", "PC2", "PC3", "logit", "time_constant_words", "period_words",
        "amplitude", "index", "only_root_within", *_BASIN, "selected",
    )  # fmt: skip
    parts = zip(
        *(points.names, points.state, points.components.tolist()),
        *(*_numbers(points), *_cycles(points), *_proofs(points)),
        strict=True,
    )
    rows = [
        (k, name, int(k < points.first_word), STATES[state], *place, *numbers, *_basin(points, k), int(k in selected))
        for k, (name, state, place, *numbers) in enumerate(parts)
    ]
    return Table(columns, rows)


def word_map_table(points: PointMap | None) -> Table:
    """Every word: where it leads when it is repeated forever, along the principal components in units of h."""
    if points is None or points.found.words is None:
        raise SessionError("no word attractors are found yet: save them when they are")
    words, found = slice(points.first_word, None), points.found.words
    numbers = (part[words] for part in _numbers(points))
    ends = found.kind.tolist(), found.period.tolist(), found.amplitude.tolist()
    parts = zip(points.names[words], points.components[words].tolist(), *numbers, *ends, strict=True)
    rows = [(name, *place, *rest) for name, place, *rest in parts]
    columns = ("text", "PC1", "PC2", "PC3", "logit", "time_constant_words", "kind", "period_words", "amplitude")
    return Table(columns, rows)


def spectrum_table(point: PointDetails | None) -> Table:
    """The eigenvalues of one point, by falling modulus."""
    if point is None:
        raise SessionError("no point is found yet: save its eigenvalues when one is")
    rows = [(value.real, value.imag, abs(value), time_constant(value)) for value in point.eigenvalues.tolist()]
    return Table(("real", "imaginary", "modulus", "time_constant_words"), rows)


class MeasuredReview(Protocol):
    """Review that `corpus_table` lists: `explorer.session.controllers.corpus.Entry`."""

    @property
    def index(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def words(self) -> int: ...
    @property
    def output(self) -> float: ...
    @property
    def label(self) -> bool | None: ...
    @property
    def beta(self) -> tuple[float, ...]: ...
    @property
    def reason(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def error(self) -> float: ...
    @property
    def watched(self) -> bool: ...


def corpus_table(entries: Iterable[MeasuredReview], signals: Sequence[str], output: Output = POSITIVE) -> Table:
    """The measured reviews, with β of the layer sum of every signal."""
    columns = (
        "review", "name", "label", "words", *(f"beta_{signal}" for signal in signals), "reason", output.column, "error",
        "confidence", "watched",
    )  # fmt: skip
    return Table(
        columns,
        [
            (
                entry.index + 1, entry.name, _LABELS[entry.label], entry.words, *entry.beta, entry.reason,
                entry.output, entry.error, entry.confidence, int(entry.watched),
            )
            for entry in entries
        ],
    )  # fmt: skip


def reviews_table(
    reviews: Sequence[Review], shown: Iterable[int], measured: Mapping[str, NDArray[np.float64]]
) -> Table:
    """The list of reviews as it is searched and sorted; ``measured`` has further columns, (review,) each."""
    rows = [
        (
            index + 1, reviews[index].name, _LABELS[reviews[index].label], reviews[index].length,
            *(float(values[index]) for values in measured.values()),
        )
        for index in shown
    ]  # fmt: skip
    return Table(("review", "name", "label", "characters", *measured), rows)


_LABELS = {True: "positive", False: "negative", None: ""}


def _stored(
    reader: SignalReader, frame: Frame, name: str, words: tuple[int, int] | None
) -> tuple[int, NDArray[np.float32]]:
    """The first word that is still stored, and a signal from there on."""
    first, last = (0, frame.snapshot.time) if words is None else (max(0, words[0]), min(words[1], frame.snapshot.time))
    values = reader.read(name, first, last)
    return last - len(values), values


def _cell_columns(signal: str, count: int) -> Iterable[str]:
    return (f"{signal}_{cell:03d}" for cell in range(count))


def _numbers(points: PointMap) -> tuple[list[float], list[float]]:
    return points.logit.tolist(), points.time_constant.tolist()


_BASIN = tuple(f"basin_{which}{end}" for which in ("visited", "uniform") for end in ("", "_low", "_high"))


def _basin(points: PointMap, entry: int) -> tuple[float, ...]:
    basin = points.basins.get(entry)
    return (float("nan"),) * len(_BASIN) if basin is None else (*basin.visited, *basin.uniform)


def _proofs(points: PointMap) -> tuple[list[int], list[float]]:
    """Index and radius of uniqueness of every entry."""
    found, others = points.found.points, len(points) - points.certified
    index, radius = ([], []) if found is None else (found.index.tolist(), found.unique_within.tolist())
    return index + [0] * others, radius + [float("nan")] * others


def _cycles(points: PointMap) -> tuple[list[int], list[float]]:
    """Period and amplitude of every entry."""
    words = points.found.words
    period, amplitude = [1] * points.certified, [0.0] * points.certified
    for each in points.cycles:
        period += [each.cycle.period] * each.cycle.period
        amplitude += [each.cycle.amplitude] * each.cycle.period
    if words is None:
        return period, amplitude
    return period + words.period.tolist(), amplitude + words.amplitude.tolist()
