"""Panels 3 and 4: the points found so far, how they are looked at, and everything known of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from explorer.session.controllers.linear_prediction import Foretold, LinearPredictionController
from explorer.session.controllers.point_search import INPUTS, STARTS, PointSearch
from explorer.session.views.point_map import COLOURS, PointDetails, PointMap, PointView, Scene, scene_of, screen

if TYPE_CHECKING:
    from explorer.session.session import Frame, Session

TURN = 10.0  # degrees
TAIL = 48  # words of the trajectory that are drawn


class FixedPointsController:
    """The points of the network that is watched. Actions of the table that are about points are methods here."""

    def __init__(self, session: Session) -> None:
        self.search = PointSearch(session.worker)
        self.view = PointView()
        self.map: PointMap | None = None
        self._session = session
        self._awaited: str | None = None
        self._portrait: tuple[PointMap, int, PointDetails] | None = None
        self._foretelling = LinearPredictionController(session)

    # ---- what faces draw -------------------------------------------------------------------------------------

    def scene(self, frame: Frame) -> Scene | None:
        """The picture, None until the first states are there."""
        map = self.newest(frame)
        if map is None:
            return None
        trail = self._session.read("h", frame.word + 1 - TAIL, frame.word + 1)
        if trail.shape[1] != map.size:  # of another network, for a moment
            trail = np.empty((0, map.size), dtype=np.float32)
        told = self._foretelling.at(map, frame)
        return scene_of(map, trail, self.view, None if told is None or frame.snapshot.playing else told.path)

    def place_of(self, word: int) -> NDArray[np.float64]:
        """Where the state after a word lies in the picture, (1, 2); (0, 2) for a word that is not read or kept."""
        map = self.map
        h = self._session.read("h", word, word + 1) if word >= 0 else np.empty((0, 0), dtype=np.float32)
        if map is None or h.shape != (1, map.size):
            return np.empty((0, 2))
        return map.place(h) @ screen(self.view.azimuth, self.view.elevation)

    def foretold(self, frame: Frame) -> Foretold | None:
        """How well the linear map at the nearest certified point tells the next words."""
        map = self.newest(frame)
        return None if map is None else self._foretelling.at(map, frame)

    def portrait(self, frame: Frame) -> PointDetails | None:
        """The selected entry, or else the certified point nearest to the state at the word looked at."""
        map = self.newest(frame)
        if map is None:
            return None
        chosen = self.view.selected
        if chosen is None:
            h = self._session.read("h", frame.word, frame.word + 1)
            chosen = map.nearest(h[0]) if h.shape == (1, map.size) else None
        if chosen is None:
            return None
        if self._portrait is None or self._portrait[:2] != (map, chosen):
            draw = _certified_portrait if chosen < map.certified else _word_portrait
            self._portrait = map, chosen, draw(map, chosen)
        return self._portrait[2]

    def newest(self, frame: Frame) -> PointMap | None:
        """All that is found, None until the first states are there; the search begins with the first call."""
        self.search.begin(self._session.ablation.network(frame.snapshot))
        found = self.search.found
        if found is None:
            self.map = None
            self.select(None)
        elif self.map is None or self.map.found is not found:
            before, self.map = self.map, PointMap(found)
            self._keep_selected(before, self.map)
        return self.map

    def _keep_selected(self, before: PointMap | None, now: PointMap) -> None:
        """New points stand before the words; the selected entry stays, unless a search that was asked for has ended."""
        selected = self.view.selected
        if before is None or before.found.network is not now.found.network:
            self.select(None)
        else:
            old, new = before.certified, now.certified - before.certified
            many = tuple(entry + new if entry >= old else entry for entry in self.view.many)
            self._choose(many=many, selected=selected + new if selected is not None and selected >= old else selected)
        if self._awaited in now.names[: now.certified]:
            self._choose(selected=now.names.index(self._awaited))
            self._awaited = None

    # ---- actions ---------------------------------------------------------------------------------------------

    def turn_left(self) -> None:
        self.rotate(-TURN, 0)

    def turn_right(self) -> None:
        self.rotate(TURN, 0)

    def tilt_up(self) -> None:
        self.rotate(0, TURN)

    def tilt_down(self) -> None:
        self.rotate(0, -TURN)

    def point_colour(self) -> None:
        self._choose(colour=COLOURS[(COLOURS.index(self.view.colour) + 1) % len(COLOURS)])

    def next_point(self) -> None:
        self._step(1)

    def previous_point(self) -> None:
        self._step(-1)

    def find_points(self) -> None:
        """Search with the word looked at held as the input."""
        from explorer.session.session import SessionError

        frame = self._session.frame()
        map = self.newest(frame)
        if map is None or map.found.points is None:
            raise SessionError("the first search is not done yet: try again when it is")
        if frame.word < 0:
            raise SessionError("no word is read yet: read one, then look for the points under it")
        network = self._session.ablation.network(frame.snapshot)
        assert network.vocabulary is not None, "a network that is watched reads words"
        name = network.vocabulary.word(int(frame.snapshot.ids[frame.word]))
        if name not in network.vocabulary.words:
            raise SessionError("the network does not know this word: choose another")
        if name in INPUTS:
            raise SessionError(f"{name!r} names an input of its own here: choose another word")
        if name in map.names[: map.certified]:
            self._choose(selected=map.names.index(name))
        else:
            self._awaited = name
            self.search.add(network, name)
            self._session.note = f"looking for the fixed points with {name!r} held as the input"

    # ---- what faces call with an argument ---------------------------------------------------------------------

    def rotate(self, azimuth: float, elevation: float) -> None:
        """Turn by so many degrees."""
        view = self.view
        self._choose(
            azimuth=(view.azimuth + azimuth + 180) % 360 - 180,
            elevation=float(np.clip(view.elevation + elevation, -90, 90)),
        )

    def colour_by(self, what: str) -> None:
        """Colour the entries by one of ``COLOURS``."""
        self._choose(colour=what)

    def select(self, entry: int | None) -> None:
        """Select an entry of the map; None lets go of it, and of many."""
        self._choose(selected=entry, many=() if entry is None else self.view.many)

    def select_many(self, entries: Sequence[int]) -> None:
        """Select several entries together, by their numbers."""
        self._choose(many=tuple(int(entry) for entry in entries))

    def close(self) -> None:
        """End the search; no other begins."""
        self.search.close()

    def _choose(self, **changes: object) -> None:
        self.view = replace(self.view, **changes)  # type: ignore[arg-type]

    def _step(self, change: int) -> None:
        from explorer.session.session import SessionError

        if self.map is None or not len(self.map):
            replaying = self._session.recorder.replaying
            why = "a recording has no network to search" if replaying else "wait for the search"
            raise SessionError(f"no points are found yet: {why}")
        order = self.map.order.tolist()
        selected = self.view.selected
        place = (order.index(selected) + change) % len(order) if selected in order else (0 if change > 0 else -1)
        self._choose(selected=order[place])


def _certified_portrait(map: PointMap, entry: int) -> PointDetails:
    points = map.found.points
    assert points is not None, "an entry below `certified`"
    return PointDetails(
        name=str(points.input_names[entry]),
        number=entry,
        certified=True,
        kind=str(points.kind[entry]),
        stability=str(points.stability[entry]),
        eigenvalues=points.eigenvalues[entry],
        time_constant=float(points.time_constants[entry, 0]),
        q=float(points.q[entry]),
        newton_step=float(points.newton_step[entry]),
        logit=float(points.readout[entry, 0]),
        hits=int(points.hits[entry]),
        starts=STARTS,
    )


def _word_portrait(map: PointMap, entry: int) -> PointDetails:
    import torch

    from engine.fixed_points import certify

    network, words, row = map.found.network, map.found.words, entry - map.certified
    assert words is not None, "an entry beyond `certified`"
    cell = network.cell.to(dtype=torch.float64)
    assert network.vocabulary is not None, "word attractors are of networks that read words"
    x = network.embed(network.vocabulary.encode([words.words[row]])).double()
    state = torch.from_numpy(words.states[row]).to(cell.device).unsqueeze(0)
    with torch.no_grad():
        values = torch.linalg.eigvals(cell.jacobian(x, state))[0].cpu().numpy()
        q, step, _ = certify(cell, x, state)
    values = values[np.argsort(-np.abs(values), kind="stable")]
    unstable = int((np.abs(values) > 1).sum())
    return PointDetails(
        name=words.words[row],
        number=row,
        certified=False,
        kind=("fixed", "fixed", "slow", "moving")[int(map.state[entry])],
        stability="stable" if not unstable else f"saddle with {unstable}",
        eigenvalues=values,
        time_constant=float(words.time_constant[row]),
        q=float(q[0]),
        newton_step=float(step[0]),
        logit=float(words.logit[row]),
        hits=0,
        starts=0,
    )
