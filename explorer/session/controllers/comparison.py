"""Something to compare with, on the same axis: another network, another review, or both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from engine.network import Network
    from engine.reviews import Review
    from explorer.session.session import Frame, Session

BLOCK = 1024  # words between two looks at whether a reading is still wanted


@dataclass(frozen=True, eq=False)
class Reading:
    """What a network made of words: P(positive) after each (time,), rolling α of the layer sum of each signal (time,),
    and h (time, n)."""

    network: Network
    words: tuple[str, ...]
    probability: NDArray[np.float64]
    alpha: Mapping[str, NDArray[np.float64]]
    h: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Comparison:
    """The other side. ``name`` says what it is: a network, a review, or both."""

    name: str
    reading: Reading

    @property
    def probability(self) -> NDArray[np.float64]:
        """P(positive) after every word, (time,)."""
        return self.reading.probability

    def at(self, word: int) -> float:
        """P(positive) after a word; NaN where there is none."""
        return float(self.probability[word]) if 0 <= word < len(self.probability) else float("nan")


class ComparisonController:
    """Reads what is compared with, in a thread of its own. ``network`` (a name or path) and ``review`` are what was
    chosen; where one is None, the other side has the same as the run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.network: str | None = None
        self.review: Review | None = None
        self._result: Comparison | None = None
        self._wanted: tuple[Any, ...] = ()
        self._loaded: tuple[str, Network] | None = None

    def compare_with(self, network: str | None) -> None:
        """Compare with a network by name or path; None: with none but the present one."""
        self.network, self._wanted = network, ()

    def compare_review(self, review: Review | None) -> None:
        """Compare with another review; None: with none but the present one."""
        self.review, self._wanted = review, ()

    @property
    def name(self) -> str:
        """What is compared with, in few words; empty without a comparison."""
        from pathlib import Path

        parts = [Path(self.network).stem] if self.network is not None else []
        return " on ".join([*parts, *([self.review.name] if self.review is not None else [])])

    def comparison(self, frame: Frame) -> Comparison | None:
        """The other side, None until it is read."""
        snapshot, own = frame.snapshot, self.network is None
        if (own and self.review is None) or not snapshot.words:
            return None
        review = self.review or snapshot.review
        wanted = (self.network, review, snapshot.network if own else None, snapshot.clamps if own else None)
        if len(self._wanted) != len(wanted) or any(a is not b for a, b in zip(wanted, self._wanted, strict=True)):
            self._wanted, self._result = wanted, None
            work = threading.Thread(target=self._read, args=(wanted, snapshot), name="pinkx compare", daemon=True)
            work.start()
        return self._result

    def _read(self, wanted: tuple[Any, ...], snapshot: Snapshot) -> None:
        path, review, network, clamps = wanted
        try:
            network = network or self._load(path)
            reading = read_through(network, review.words, snapshot, clamps or {}, lambda: self._wanted is wanted)
        except ValueError as error:
            self._session.note, self.network = str(error), None
            return
        if reading is not None and self._wanted is wanted:
            self._result = Comparison(self.name, reading)

    def _load(self, path: str) -> Network:
        from engine.network import Network

        loaded = self._loaded
        if loaded is None or loaded[0] != path:
            loaded = self._loaded = path, Network.load(path)
        return loaded[1]


def read_through(
    network: Network,
    words: Sequence[str],
    snapshot: Snapshot,
    clamps: Mapping[str, NDArray[np.float32]],
    wanted: Callable[[], bool] = lambda: True,
) -> Reading | None:
    """Words through a network with signals ``held``, analysed as the run of ``snapshot`` is; None if it was given up.

    Raises
    ------
    ValueError
        If the network takes no words.
    """
    from engine.fluctuation import RollingExponent
    from engine.probability import positive_probability
    from engine.recording import Stepper

    if network.vocabulary is None:
        raise ValueError(f"{network.name} takes numbers, not reviews: nothing to compare")
    stepper = Stepper(network)
    stepper.clamps = clamps
    names = [signal.name for signal in network.signals]
    exponents = RollingExponent(snapshot.scales, snapshot.window, len(names))
    ids = network.vocabulary.encode(words)
    h, alpha = [], []
    for first in range(0, len(ids), BLOCK):
        if not wanted():
            return None
        signals = stepper.advance(ids[first : first + BLOCK])
        sums = np.stack([signals[name].sum(axis=1, dtype=np.float64) for name in names], axis=1)
        h.append(signals["h"])
        alpha.append(exponents.trace(sums).alpha)
    hidden, exponent = np.concatenate(h), np.concatenate(alpha)
    weight = network.readout_weight[0].cpu().double().numpy()
    logit = hidden @ weight + float(network.readout_bias[0])
    return Reading(
        network, tuple(words), positive_probability(logit), dict(zip(names, exponent.T, strict=True)), hidden
    )
