"""Steering: adding a vector to the state after a word, as an intervention that can be undone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine.live.pushes import Push, Pushes, same_pushes
from engine.number_format import significant
from explorer.session.controllers.brush import BrushController
from explorer.session.controllers.computation import Computation
from explorer.session.core import UNDOABLE, Core, SessionError
from explorer.session.jobs import JobRunner, Report
from explorer.session.views.number_format import count, number
from explorer.session.views.outputs import readout_of
from explorer.session.views.steering import steering_summary
from explorer.session.views.units import unit_names

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from engine.network import Network
    from engine.reviews import Review

SAMPLE: Final = 200  # reviews of each label that are read
LABELS, BRUSH = "labels", "brush"  # the vectors, by their keys in the list


@dataclass(frozen=True, eq=False)
class Vector:
    """A difference of states, ``values`` (S,), and what it is in a few words."""

    name: str
    values: NDArray[np.float32]


class SteeringController:
    """The steering vector, its strength, and what is added to the state in the present review.

    Attributes
    ----------
    key : str
        The chosen vector, as `entries` lists it; "" before the first choice.
    strength : float
        The factor of what is added.
    """

    def __init__(self, core: Core, brush: BrushController, jobs: JobRunner) -> None:
        self.key = ""
        self.strength = 1.0
        self._core = core
        self._brush = brush
        self._computation: Computation[Vector] = Computation(jobs)
        self._from_brush: Vector | None = None
        self._chosen_for: Snapshot | None = None
        self._requested: tuple[Snapshot, Pushes] | None = None
        self._history: list[tuple[int, Snapshot, Pushes]] = []  # before each change: its number, and what it changed

    # ---- choosing --------------------------------------------------------------------------------------------

    def entries(self) -> list[tuple[str, str]]:
        """Return the vectors to choose from as (key, label)."""
        words = self._brush.words
        brushed = f"words {words.start + 1:,} to {words.stop:,}" if words else "none are brushed"
        names = unit_names(self._core.snapshot.network)
        return [
            (LABELS, names.reword("positive − negative reviews   mean state after their last words")),
            (BRUSH, names.reword(f"brushed words   state after them − state before them ({brushed})")),
        ]

    def choose(self, key: str) -> None:
        """Choose a vector; that of the labels is computed in the background.

        Raises
        ------
        SessionError
            If no words are brushed, or not both labels occur in the source.
        """
        snapshot = self._core.snapshot
        if key == BRUSH:
            self._from_brush = self._brushed(snapshot)
        else:
            reviews = [self._labelled(label) for label in (True, False)]
            if not all(reviews):
                raise SessionError("the source has no labelled reviews of both kinds: brush words, and choose those")
            self._computation.request(
                (snapshot.network, id(snapshot.clamps), id(self._core.reviews)),
                compare_labels, snapshot.network, *(self._encoded(each) for each in reviews), dict(snapshot.clamps),
            )  # fmt: skip
        self.key, self._chosen_for = key, snapshot

    @property
    def question(self) -> str:
        """Prompt for the strength: its meaning and its present value."""
        return f"factor of the vector, now {significant(self.strength)}; a negative one turns it round; empty: keep it"

    def set_strength(self, text: str) -> None:
        """Set the strength; an empty text keeps it.

        Raises
        ------
        SessionError
            If it is no finite number other than 0.
        """
        if text.strip():
            try:
                strength = float(text.replace("−", "-"))
            except ValueError:
                strength = math.nan
            if not math.isfinite(strength) or not strength:
                raise SessionError(f"{text.strip()!r} is no strength: enter a number such as 1 or −0.5")
            self.strength = strength
        vector = self.vector
        of = vector.name if vector is not None else "the vector"
        key = self._core.key_of("steer")
        self._core.note = f"{key} adds {significant(self.strength)} × {of} to the state after the word looked at"

    @property
    def vector(self) -> Vector | None:
        """The chosen vector; None until it is computed."""
        return self._from_brush if self.key == BRUSH else self._computation.result()

    # ---- steering --------------------------------------------------------------------------------------------

    @property
    def pushes(self) -> Pushes:
        """Additions requested for the present reading; the engine may not have applied them yet."""
        snapshot = self._core.snapshot
        if self._requested is not None:
            asked, pushes = self._requested
            if asked.network is snapshot.network and asked.review is snapshot.review:
                return pushes
        return snapshot.pushes

    def steer(self) -> None:
        """Add the vector to the state after the word looked at.

        Raises
        ------
        SessionError
            If no vector is chosen, it is not computed yet or of another network, or no word is read yet.
        """
        snapshot, word, vector = self._core.snapshot, self._core.word, self.vector
        choose = self._core.key_of("steering-vector")
        if not self.key or self._chosen_for is None:
            raise SessionError(f"no steering vector is chosen: choose one first ({choose})")
        if self._chosen_for.network is not snapshot.network or self._chosen_for.clamps is not snapshot.clamps:
            raise SessionError(f"the steering vector belongs to the network before: choose it again ({choose})")
        if vector is None:
            raise SessionError(f"the steering vector is not there yet: {self._computation.progress or 'wait'}")
        if word < 0:
            raise SessionError("no word is read yet: read some, then add to the state after one")
        label = f"{significant(self.strength)} × ({vector.name})"
        addition = np.float32(self.strength) * vector.values
        self._request((*self.pushes, Push(word, addition, label)))
        h, output = addition[: snapshot.network.cell.size], readout_of(snapshot.network)
        moved = float(snapshot.network.readout_weight[0].double().cpu().numpy() @ h)
        effect = f"{output.logit} {'+' if moved >= 0 else ''}{number(moved)}, ‖Δh‖ {number(float(np.linalg.norm(h)))}"
        restore = self._core.key_of("undo-ablation")
        unit = unit_names(snapshot.network).unit
        self._core.note = f"{effect}: added {label} after {unit} {word + 1:,} ({restore} restores)"

    @property
    def newest_change(self) -> int:
        """The number of the change that `undo_last` would undo; 0 if there is none in the present reading."""
        present, pushes = self._core.snapshot, self.pushes
        self._history = [
            entry for entry in self._history
            if entry[1].network is present.network and entry[1].review is present.review
        ]  # fmt: skip
        while self._history and same_pushes(self._history[-1][2], pushes):  # the engine refused that change
            self._history.pop()
        return self._history[-1][0] if self._history else 0

    def undo_last(self) -> None:
        """Undo the last addition, or the last removal of all.

        Raises
        ------
        SessionError
            If there is none.
        """
        if not self.newest_change:
            raise SessionError("nothing to undo: nothing was added to the state in this review")
        *_, pushes = self._history.pop()
        self._send(pushes)
        self._core.note = f"undone: {steering_summary(pushes) or 'nothing is added to the state'}"

    def undo(self) -> bool:
        """Undo every addition; return whether there was any."""
        if not self.pushes:
            return False
        self._request(())
        self._core.note = "nothing is added to the state any more"
        return True

    def forget_request(self) -> None:
        """Forget what was requested, because the engine refused it; its own state counts."""
        self._requested = None

    # ---- internals -------------------------------------------------------------------------------------------

    def _request(self, pushes: Pushes) -> None:
        self._history.append((next(self._core.changes), self._core.snapshot, self.pushes))
        del self._history[:-UNDOABLE]
        self._send(pushes)

    def _send(self, pushes: Pushes) -> None:
        self._requested = self._core.snapshot, pushes
        self._core.stream.steer(pushes)

    def _brushed(self, snapshot: Snapshot) -> Vector:
        words = self._brush.words
        if not words or words.stop > snapshot.time:
            raise SessionError(f"brush words that are read first ({self._core.key_of('brush')}), then choose them")
        ends = []
        for word in (words.start - 1, words.stop - 1):
            rows = [self._core.read(part, word, word + 1) for part in snapshot.network.cell.state_parts]
            if word >= 0 and not all(map(len, rows)):
                raise SessionError("the brushed words are no longer stored: brush later ones")
            ends.append(np.concatenate([row[0] for row in rows]) if word >= 0 else np.float32(0))
        name = f"words {words.start + 1:,} to {words.stop:,} of {snapshot.review.name}"
        return Vector(name, np.asarray(ends[1] - ends[0], dtype=np.float32))

    def _labelled(self, label: bool) -> list[Review]:
        """Return at most ``SAMPLE`` reviews of a label, at even distances in the source."""
        known = [k for k, review in enumerate(self._core.reviews) if review.label is label]
        chosen = {known[k * len(known) // SAMPLE] for k in range(SAMPLE)} if len(known) > SAMPLE else known
        return [self._core.reviews[k] for k in sorted(chosen)]

    def _encoded(self, reviews: Sequence[Review]) -> list[NDArray[np.int32]]:
        from engine.sequences import encoded

        network = self._core.snapshot.network
        return [ids for review in reviews if len(ids := encoded(network, review))]


def compare_labels(
    report: Report,
    network: Network,
    positive: Sequence[NDArray[np.int32]],
    negative: Sequence[NDArray[np.int32]],
    clamps: Mapping[str, NDArray[np.float32]],
) -> None:
    """Job: send ``("result", Vector)``, and ``("progress", text)`` meanwhile."""
    from engine.steering import mean_final_state

    means = []
    total = len(positive) + len(negative)
    for before, reviews in ((0, positive), (len(positive), negative)):

        def progress(done: int, before: int = before) -> bool:
            return report(("progress", f"{before + done} of {count(total, 'review')} …"))

        mean = mean_final_state(network, reviews, clamp=clamps, progress=progress)
        if mean is None:
            return
        means.append(mean)
    name = f"{len(positive)} positive − {len(negative)} negative reviews"
    report(("result", Vector(name, means[0] - means[1])))
