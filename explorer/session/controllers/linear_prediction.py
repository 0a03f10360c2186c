"""How far the linear map at the nearest fixed point tells the words that come: the test of what a point is good for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.linearised import LinearMaps
    from explorer.session.session import Frame, Session
    from explorer.session.views.point_map import PointMap

AHEAD = (1, 5, 10)
WINDOW = 128  # words read over which the map is judged
PACE = 1.0  # seconds: while reading it is judged anew so often

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Foretold:
    """``explained``: of the last ``words`` words, the variance that the linear map at the nearest certified point
    explains ``AHEAD`` words ahead, with the words as inputs; 1 is all, 0 no more than the guess that nothing moves,
    NaN too few words. ``path`` (k + 1, n): h at the word looked at, and where the map takes it with the words that
    come.
    """

    explained: tuple[float, ...]
    words: int
    path: Floats


class LinearPredictionController:
    """Judges the linear maps of the points that are shown; what is asked for twice is computed once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._maps: tuple[PointMap, LinearMaps] | None = None
        self._known: tuple[tuple[object, ...], Foretold] | None = None

    def at(self, map: PointMap, frame: Frame) -> Foretold | None:
        """The test at the word looked at; None without a point, a word, or a whole state (a recording may lack c)."""
        if map.found.points is None or not map.certified or frame.word < 0:
            return None
        reading = frame.snapshot.playing and frame.following
        moment = ("reading", time.monotonic() // PACE) if reading else ("word", frame.word)
        asked = (map, frame.snapshot.run, frame.snapshot.review, moment)
        if self._known is None or self._known[0] != asked:
            found = self._judge(map, frame)
            if found is None:
                return None
            self._known = asked, found
        return self._known[1]

    def _judge(self, map: PointMap, frame: Frame) -> Foretold | None:
        import torch

        from engine.linearised import LinearMaps, predict_linearly

        network, points = map.found.network, map.found.points
        assert points is not None, "asked only where there are points"
        first, last = max(0, frame.word + 1 - WINDOW), frame.word + 1
        parts = [self._session.read(part, first, last) for part in network.cell.state_parts]
        if any(part.shape != (last - first, map.size) for part in parts):  # no longer kept, or of another network
            return None
        if self._maps is None or self._maps[0] is not map:
            self._maps = map, LinearMaps(network.cell, points)
        states = torch.from_numpy(np.concatenate(parts, axis=1))
        ids = frame.snapshot.ids[first : last + max(AHEAD)]
        x = network.embed(torch.from_numpy(np.asarray(ids)).long())
        farthest = max((k for k in AHEAD if len(states) > 2 * k), default=0)
        explained = np.full(max(AHEAD), np.nan)
        if farthest:
            told = predict_linearly(network.cell, self._maps[1], states[None], x[None, : len(states)], farthest)
            explained[:farthest] = told.explained
        path = torch.cat((states[-1:].double(), self._maps[1].run(states[-1:], x[None, len(states) :])[0]))
        return Foretold(
            tuple(explained[[k - 1 for k in AHEAD]].tolist()), len(states), path[:, : map.size].cpu().numpy()
        )
