"""The fixed points and word attractors found so far, how they are viewed, and the details of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.controllers.ablation import AblationController
from explorer.session.controllers.linear_prediction import LinearPredictor, Prediction
from explorer.session.controllers.point_search import INPUTS, STARTS, PointSearch
from explorer.session.core import Core, Frame, SessionError
from explorer.session.reading import Comparison
from explorer.session.views.point_map import COLOURS, PointDetails, PointMap, PointView, Scene, scene_of, view_matrix
from explorer.session.views.units import unit_names

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from engine.network import Network

TURN: Final = 10.0  # degrees
TAIL: Final = 48  # words of the trajectory that are drawn


class FixedPointsController:
    """The points of the present network, with its clamps.

    Attributes
    ----------
    point_map : PointMap or None
        What was found at the last `request`; None before the first states.
    view : PointView
    """

    def __init__(self, core: Core, ablation: AblationController, search: PointSearch, predictor: LinearPredictor):
        self.search = search
        self.view = PointView()
        self.point_map: PointMap | None = None
        self._core = core
        self._ablation = ablation
        self._predictor = predictor
        self._awaited: str | None = None
        self._details: tuple[PointMap, int, PointDetails] | None = None

    # ---- what front ends draw --------------------------------------------------------------------------------

    def request(self, frame: Frame) -> None:
        """Search the present network and take what is found so far; a view of points calls this each tick."""
        self._refresh(frame.snapshot)
        if self.point_map is not None:
            self._predictor.request(self.point_map, frame, self._selected_point)

    def scene(self, frame: Frame, other: Comparison | None = None) -> Scene | None:
        """Return the picture, with the trajectory of the other side of a comparison if its network has as many cells;
        None until the first states are there."""
        if self.point_map is None:
            return None
        trail = self._core.read("h", frame.word + 1 - TAIL, frame.word + 1)
        if trail.shape[1] != self.point_map.size:  # the engine has just changed to another network
            trail = np.empty((0, self.point_map.size), dtype=np.float32)
        prediction = self.prediction(frame)
        drawn = prediction is not None and prediction.at == frame.word and not frame.snapshot.playing
        path = prediction.path if prediction is not None and drawn else None
        return scene_of(self.point_map, trail, self.view, path, self._other_trail(frame, other))

    def _other_trail(self, frame: Frame, other: Comparison | None) -> NDArray[np.float32] | None:
        """Return the last states of the other side up to the counterpart of the word looked at, (word, n)."""
        if other is None or self.point_map is None or other.reading.h.shape[1] != self.point_map.size:
            return None
        at = int(other.counterparts[frame.word]) if 0 <= frame.word < len(other.counterparts) else -1
        return other.reading.h[max(0, at + 1 - TAIL) : at + 1]

    def place_of(self, word: int) -> NDArray[np.float64]:
        """Return where the state after a word lies in the picture, (1, 2); (0, 2) if it is not read or stored."""
        h = self._core.read("h", word, word + 1) if word >= 0 else np.empty((0, 0), dtype=np.float32)
        if self.point_map is None or h.shape != (1, self.point_map.size):
            return np.empty((0, 2))
        return self.point_map.place(h) @ view_matrix(self.view.azimuth, self.view.elevation)

    def prediction(self, frame: Frame) -> Prediction | None:
        """Return how well a linear map predicts the words that follow: that at the selected certified point, or, with
        none selected, that at the point nearest to each state. None for a selected word, which has no such map."""
        selected = self.view.selected
        if self.point_map is None or (selected is not None and self._selected_point is None):
            return None
        return self._predictor.result(self.point_map, frame, self._selected_point)

    @property
    def _selected_point(self) -> int | None:
        """The selected entry, if it is a certified point."""
        selected, points = self.view.selected, self.point_map
        return selected if points is not None and selected is not None and selected < points.certified else None

    def details(self, frame: Frame) -> PointDetails | None:
        """Return the selected entry, or else the certified point nearest to the state at the word looked at."""
        if self.point_map is None:
            return None
        entry = self.view.selected
        if entry is None:
            h = self._core.read("h", frame.word, frame.word + 1)
            entry = self.point_map.nearest(h[0]) if h.shape == (1, self.point_map.size) else None
        if entry is None:
            return None
        if self._details is None or self._details[:2] != (self.point_map, entry):
            self._details = self.point_map, entry, details_of(self.point_map, entry)
        return self._details[2]

    def _refresh(self, snapshot: Snapshot) -> None:
        self.search.begin(self._ablation.network(snapshot), self._sequences(snapshot))
        found = self.search.found
        if found is None:
            self.point_map = None
            self.select(None)
        elif self.point_map is None or self.point_map.found is not found:
            before, self.point_map = self.point_map, PointMap(found)
            self._keep_selected(before, self.point_map)

    def _sequences(self, snapshot: Snapshot) -> tuple[NDArray[np.float32], ...]:
        """Return the present sequence of a network over vectors; it is used where the network names no task."""
        return (snapshot.ids,) if snapshot.network.vocabulary is None and snapshot.words else ()

    def _keep_selected(self, before: PointMap | None, now: PointMap) -> None:
        """Renumber the selected entries, as new points and cycles come before words; select what was searched for."""
        selected = self.view.selected
        if before is None or before.found.network is not now.found.network:
            self.select(None)
        else:
            many = tuple(_renumbered(entry, before, now) for entry in self.view.many)
            self._choose(many=many, selected=None if selected is None else _renumbered(selected, before, now))
        if self._awaited in now.names[: now.certified]:
            self._choose(selected=now.names.index(self._awaited))
            self._awaited = None

    # ---- actions ---------------------------------------------------------------------------------------------

    def turn_left(self) -> None:
        """Turn the picture to the left."""
        self.rotate(-TURN, 0)

    def turn_right(self) -> None:
        """Turn the picture to the right."""
        self.rotate(TURN, 0)

    def tilt_up(self) -> None:
        """Tilt the picture to be seen more from above."""
        self.rotate(0, TURN)

    def tilt_down(self) -> None:
        """Tilt the picture to be seen more from the side."""
        self.rotate(0, -TURN)

    def next_colour(self) -> None:
        """Colour the entries by the next of ``COLOURS``."""
        self._choose(colour=COLOURS[(COLOURS.index(self.view.colour) + 1) % len(COLOURS)])

    def next_point(self) -> None:
        """Select the next entry."""
        self._step(1)

    def previous_point(self) -> None:
        """Select the previous entry."""
        self._step(-1)

    def find_points(self) -> None:
        """Search with the word looked at as the constant input.

        Raises
        ------
        SessionError
            If that cannot be done yet, or not for this word.
        """
        snapshot, word = self._core.snapshot, self._core.word
        self._refresh(snapshot)
        if self.point_map is None or self.point_map.found.points is None:
            raise SessionError("the first search is not complete yet: try again when it is")
        if word < 0:
            unit = unit_names(snapshot.network).unit
            raise SessionError(f"no {unit} is read yet: read one, then search for the points under it")
        network = self._ablation.network(snapshot)
        name = input_at(network, snapshot, word)
        if name in self.point_map.names[: self.point_map.certified]:
            self._choose(selected=self.point_map.names.index(name))
        else:
            self._awaited = name
            self.search.add(network, name)
            self._core.note = f"searching for the fixed points with {name!r} as the constant input"

    # ---- with an argument ------------------------------------------------------------------------------------

    def rotate(self, azimuth: float, elevation: float) -> None:
        """Turn the picture by these degrees."""
        view = self.view
        self._choose(
            azimuth=(view.azimuth + azimuth + 180) % 360 - 180,
            elevation=float(np.clip(view.elevation + elevation, -90, 90)),
        )

    def colour_by(self, what: str) -> None:
        """Colour the entries by one of ``COLOURS``."""
        self._choose(colour=what)

    def select(self, entry: int | None) -> None:
        """Select an entry of the map; None deselects it and those selected together."""
        self._choose(selected=entry, many=() if entry is None else self.view.many)

    def select_many(self, entries: Sequence[int]) -> None:
        """Select several entries together."""
        self._choose(many=tuple(int(entry) for entry in entries))

    def close(self) -> None:
        """End the search; no other begins."""
        self.search.close()

    def _choose(self, **changes: object) -> None:
        self.view = replace(self.view, **changes)  # type: ignore[arg-type]

    def _step(self, change: int) -> None:
        if self.point_map is None or not len(self.point_map):
            if self.point_map is not None and self.point_map.found.points is not None:
                raise SessionError("the search found no point")
            why = "a recording has no network to search" if self._core.replaying else "wait for the search"
            raise SessionError(f"no points are found yet: {why}")
        order = self.point_map.order.tolist()
        selected = self.view.selected
        place = (order.index(selected) + change) % len(order) if selected in order else (0 if change > 0 else -1)
        self._choose(selected=order[place])


def input_at(network: Network, snapshot: Snapshot, word: int) -> str:
    """Return the name of the input at a word or step, as `engine.start_states.input_from_name` takes it.

    Raises
    ------
    SessionError
        If there is none for this word.
    """
    if network.vocabulary is None:
        vector = snapshot.ids[word].tolist()
        return ",".join(f"{value:.6g}" for value in vector) if any(vector) else INPUTS[0]
    name = network.vocabulary.word(int(snapshot.ids[word]))
    if name not in network.vocabulary.words:
        raise SessionError("the network does not know this word: choose another")
    if name in INPUTS:
        raise SessionError(f"{name!r} is the name of a special input here: choose another word")
    return name


def _renumbered(entry: int, before: PointMap, now: PointMap) -> int:
    """Return the number of an entry after more has been found."""
    if entry >= before.first_word:
        return entry + now.first_word - before.first_word
    return entry + now.certified - before.certified if entry >= before.certified else entry


def details_of(points: PointMap, entry: int) -> PointDetails:
    """Return everything known of an entry."""
    if entry < points.certified:
        return _certified_details(points, entry)
    return (_cycle_details if entry < points.first_word else _word_details)(points, entry)


def _certified_details(points: PointMap, entry: int) -> PointDetails:
    found = points.found.points
    assert found is not None, "an entry below `certified`"
    return PointDetails(
        name=str(found.input_names[entry]),
        number=entry,
        certified=True,
        kind=str(found.kind[entry]),
        stability=str(found.stability[entry]),
        eigenvalues=found.eigenvalues[entry],
        time_constant=float(found.time_constants[entry, 0]),
        q=float(found.q[entry]),
        newton_step=float(found.newton_step[entry]),
        radius=float(found.unique_within[entry]),
        logit=float(found.readout[entry, 0]),
        value=points.value(entry),
        output=points.output,
        hits=int(found.hits[entry]),
        starts=STARTS,
        basin=points.basins.get(entry),
        uncertain=int(found.uncertain[entry]) if found.fixed[entry] else 0,
    )


def _cycle_details(points: PointMap, entry: int) -> PointDetails:
    number, place = points.cycle_at(entry)
    found = points.cycles[number]
    return PointDetails(
        name=found.name,
        number=number,
        certified=True,
        kind="cycle",
        stability="stable" if found.cycle.stable else "unstable",
        eigenvalues=found.cycle.multipliers,
        time_constant=found.time_constant,
        q=_speed(found.cycle.states, place),
        newton_step=found.cycle.newton_step,
        radius=float("nan"),
        logit=float(points.logit[entry]),
        value=points.value(entry),
        output=points.output,
        hits=0,
        starts=0,
        basin=found.basin,
        period=found.cycle.period,
        amplitude=found.cycle.amplitude,
    )


def _speed(states: NDArray[np.float64], place: int) -> float:
    """Return q = ½‖F(s) − s‖² of one state of a cycle."""
    return float(0.5 * np.sum((states[(place + 1) % len(states)] - states[place]) ** 2))


def _word_details(points: PointMap, entry: int) -> PointDetails:
    import torch

    from engine.cycles import find_cycles
    from engine.fixed_points import certify

    network, words, row = points.found.network, points.found.words, entry - points.first_word
    assert words is not None, "an entry from `first_word` on"
    cell = network.cell.to(dtype=torch.float64)
    assert network.vocabulary is not None, "only networks that read words have word attractors"
    x = network.embed(network.vocabulary.encode([words.words[row]])).double()
    state = torch.from_numpy(words.states[row]).to(cell.device).unsqueeze(0)
    with torch.no_grad():
        q, step, _ = certify(cell, x, state)
        cycles = find_cycles(cell, x[0], state)[0] if words.kind[row] == "cycle" else []
        values = torch.linalg.eigvals(cell.jacobian(x, state))[0].cpu().numpy()
    if cycles:
        values = cycles[0].multipliers
    values = values[np.argsort(-np.abs(values), kind="stable")]
    unstable = int((np.abs(values) > 1).sum())
    return PointDetails(
        name=words.words[row],
        number=row,
        certified=False,
        kind=str(words.kind[row]),
        stability="stable" if not unstable else f"saddle with {unstable}",
        eigenvalues=values,
        time_constant=float(words.time_constant[row]),
        q=float(q[0]),
        newton_step=cycles[0].newton_step if cycles else float(step[0]),
        radius=float("nan"),
        logit=float(words.logit[row]),
        value=points.value(entry),
        output=points.output,
        hits=0,
        starts=0,
        period=int(words.period[row]),
        amplitude=float(words.amplitude[row]),
    )
