"""The fixed points and word attractors of a network along three principal components, and their projection.

Entries are numbered: fixed and slow points first, then the states of certified cycles, then the ends of all words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.projection import Projection
from explorer.session.palette import codes
from explorer.session.views.attractors import Basin, attracting_cycles, cycle_states, point_basins
from explorer.session.views.outputs import Output, activated, readout_of

if TYPE_CHECKING:
    from engine.basins import Ends
    from engine.network import Network
    from engine.points import FixedPoints
    from engine.word_attractors import WordAttractors

STATES = ("stable", "unstable", "slow", "moving", "cycle")
COLOURS = ("readout", "time constant", "stability", "input")
TIME_CONSTANTS = (1.0, 1000.0)  # words, the ends of the colour scale
HALF_LENGTH = 0.15  # of an unstable direction; the picture is 2 wide

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FoundPoints:
    """Results of the searches of a network so far.

    ``visited`` (state, n) are hidden states h of the bundled reviews; ``ends`` says by input where states end.
    """

    network: Network
    visited: NDArray[np.float64]
    points: FixedPoints | None = None
    words: WordAttractors | None = None
    ends: Mapping[str, Ends] = field(default_factory=dict)


@dataclass(frozen=True)
class PointDetails:
    """Everything known of one entry.

    Attributes
    ----------
    name : str
        The input it belongs to.
    number : int
        Its number among the certified points, or among the words.
    certified : bool
        Whether it is a fixed or slow point found by a search under a constant input; otherwise it is the state that
        repeating a word leads to.
    kind, stability : str
    eigenvalues : (S,)
        Those of the Jacobian, by falling modulus; for a cycle, its multipliers.
    time_constant : float
        The slowest, in words; NaN without a certified attractor.
    q, newton_step : float
    radius : float
        Distance (maximum norm, in h) within which it is proved to be the only root; NaN where the proof fails.
    logit : float
        The first readout.
    value : float
        The first output: the probability of that logit, or the logit itself if the readout is linear.
    output : Output
        Kind of that output.
    hits, starts : int
        How many of the search's start states reached it; 0 for a word.
    basin : Basin or None
        Shares of states that end there; None if they are not known.
    period : int
        Words until the state returns: 1 at rest, 0 if it does not return.
    amplitude : float
        Largest distance between two states of a cycle, Euclidean.
    uncertain : int
        Eigenvalues with |λ| = 1 within their error: the number of unstable directions is known up to these.
    """

    name: str
    number: int
    certified: bool
    kind: str
    stability: str
    eigenvalues: NDArray[np.complex128]
    time_constant: float
    q: float
    newton_step: float
    radius: float
    logit: float
    value: float
    output: Output
    hits: int
    starts: int
    basin: Basin | None = None
    period: int = 1
    amplitude: float = 0.0
    uncertain: int = 0

    @property
    def unstable(self) -> int:
        """The number of unstable directions."""
        return int((np.abs(self.eigenvalues) > 1).sum())


@dataclass(frozen=True)
class PointView:
    """View of the points: angles in degrees, one of ``COLOURS``, the selected entry, and several entries selected
    together."""

    azimuth: float = -20.0
    elevation: float = 50.0
    colour: str = "readout"
    selected: int | None = None
    many: tuple[int, ...] = ()


class PointMap:
    """Places of the entries along the principal components of the hidden states h that the network visits.

    Components are those of h alone: the readout uses only h, and h is bounded while the cell state c is not. Each
    component is stretched to fill the picture; its share of the variance gives its true length.

    Parameters
    ----------
    found : FoundPoints
    """

    def __init__(self, found: FoundPoints) -> None:
        self.found = found
        network, points, words = found.network, found.points, found.words
        self.size = network.cell.size
        self.certified = 0 if points is None else len(points)
        self.cycles = attracting_cycles(found.ends)
        nothing = np.empty((0, self.size))
        certified, repeated = (nothing if part is None else part.states[:, : self.size] for part in (points, words))
        on_cycles = cycle_states(self.cycles, self.size)
        self.first_word = self.certified + len(on_cycles)
        self.h: Floats = np.concatenate([certified, on_cycles, repeated])
        self.projection = Projection.of(_three(found.visited))
        ends = np.concatenate([self.projection.transform(_three(part)) for part in (found.visited, self.h)])
        low, high = ends.min(axis=0), ends.max(axis=0)
        self._centre, self._reach = (low + high) / 2, np.maximum((high - low) / 2, 1e-9)
        self.places = self.place(self.h)
        self.visited = self.place(found.visited)

    def place(self, h: NDArray[np.floating]) -> Floats:
        """Project hidden states (..., n) to places (..., 3) within −1…1 in every component."""
        return (self.projection.transform(_three(h)) - self._centre) / self._reach

    # ---- the entries -----------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.h)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The input of each entry: ``zero``, ``mean``, or a word."""
        points, words = self.found.points, self.found.words
        cycles = (each.name for each in self.cycles for _ in range(each.cycle.period))
        certified = () if points is None else points.input_names.tolist()
        return (*certified, *cycles, *(() if words is None else words.words))

    @cached_property
    def components(self) -> Floats:
        """The entries along the components in units of h, (entry, 3)."""
        return self.projection.transform(_three(self.h))

    @cached_property
    def logit(self) -> Floats:
        """The first readout at each entry, (entry,); above 0 for a positive review where the output is P(positive)."""
        points, words = self.found.points, self.found.words
        network = self.found.network
        weight, bias = network.readout_weight[0].cpu().double().numpy(), float(network.readout_bias[0])
        return np.concatenate(
            [
                np.empty(0) if points is None else points.readout[:, 0],
                self.h[self.certified : self.first_word] @ weight + bias,
                np.empty(0) if words is None else words.logit,
            ]
        )

    @cached_property
    def output(self) -> Output:
        """The first output of the network."""
        return readout_of(self.found.network)

    def value(self, entry: int) -> float:
        """Return the first output at an entry."""
        return float(activated(self.found.network, self.h[entry])[0])

    @cached_property
    def time_constant(self) -> Floats:
        """The slowest time constant at each entry in words, (entry,); NaN for words without a certified attractor."""
        points, words = self.found.points, self.found.words
        return np.concatenate(
            [
                np.empty(0) if points is None else points.time_constants[:, 0],
                [each.time_constant for each in self.cycles for _ in range(each.cycle.period)],
                np.empty(0) if words is None else words.time_constant,
            ]
        )

    @cached_property
    def state(self) -> NDArray[np.intp]:
        """The index in ``STATES`` of each entry. Repeating a word leads to an attractor, so no word is unstable."""
        points, words = self.found.points, self.found.words
        certified = np.empty(0) if points is None else np.where(~points.fixed, 2, np.where(points.unstable > 0, 1, 0))
        on_cycles = np.full(self.first_word - self.certified, STATES.index("cycle"))
        kinds = {"fixed": 0, "drifting": 2, "moving": 3, "cycle": 4}
        repeated = [] if words is None else [kinds[kind] for kind in words.kind.tolist()]
        return np.concatenate([certified, on_cycles, repeated]).astype(np.intp)

    @cached_property
    def basins(self) -> dict[int, Basin]:
        """The shares of states that end at each attractor, by entry; those of a cycle at each of its states."""
        found = point_basins(self.found.points, self.found.ends)
        entry = self.certified
        for each in self.cycles:
            found |= dict.fromkeys(range(entry, entry + each.cycle.period), each.basin)
            entry += each.cycle.period
        return found

    @cached_property
    def basin_sizes(self) -> Floats:
        """√ of the share of visited states that end at each entry, (entry,): its radius; NaN if it is not known."""
        sizes = np.full(len(self), np.nan)
        for entry, basin in self.basins.items():
            sizes[entry] = np.sqrt(basin.visited.share)
        return sizes

    def cycle_at(self, entry: int) -> tuple[int, int]:
        """Return the number of the cycle of an entry, and of the state on it."""
        place = entry - self.certified
        for number, each in enumerate(self.cycles):
            if place < each.cycle.period:
                return number, place
            place -= each.cycle.period
        raise IndexError(f"entry {entry} is no state of a cycle")

    @cached_property
    def cycle_lines(self) -> Floats:
        """Lines that join the states of each cycle in their order, (line, 2, 3)."""
        lines, first = [], self.certified
        for each in self.cycles:
            states = self.places[first : first + each.cycle.period]
            first += each.cycle.period
            lines.append(np.stack([states, np.roll(states, -1, axis=0)], axis=1))
        return np.concatenate([*lines, np.empty((0, 2, 3))])

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """The order of the actions next and previous: points, cycles, then words by rising logit."""
        words = self.first_word + np.argsort(self.logit[self.first_word :], kind="stable")
        return np.concatenate([np.arange(self.first_word), words])

    def nearest(self, h: NDArray[np.floating]) -> int | None:
        """Return the certified point nearest to a hidden state (n,)."""
        if not self.certified:
            return None
        return int(np.linalg.norm(self.h[: self.certified] - h, axis=1).argmin())

    def colours(self, by: str) -> NDArray[np.intp]:
        """Return for each entry a colour map position, or the number of its class (`STATES`; input, −1 for words).

        By time constant, −1 stands for an entry without one.
        """
        if by == "readout":
            reach = float(np.abs(self.logit).max(initial=1e-9))
            return codes(self.logit, -reach, reach).astype(np.intp)
        if by == "time constant":
            low, high = np.log(TIME_CONSTANTS)
            found = codes(np.log(np.maximum(self.time_constant, 1e-9)), low, high).astype(np.intp)
            return np.where(np.isnan(self.time_constant), -1, found)
        if by == "stability":
            return self.state
        names = self.names[: self.first_word]
        known = list(dict.fromkeys(names))
        numbers = np.full(len(self), -1, dtype=np.intp)
        numbers[: self.first_word] = [known.index(name) for name in names]
        return numbers

    @cached_property
    def unstable_directions(self) -> Floats:
        """Short lines through the certified points along their unstable directions, (line, 2, 3): the two ends."""
        points, lines = self.found.points, []
        for k in range(self.certified):
            assert points is not None
            for mode in range(min(int(points.unstable[k]), points.right.shape[2])):
                direction = points.right[k, : self.size, mode].real
                along = self.projection.directions(_three(direction)) / self._reach
                length = np.linalg.norm(along)
                if length > 0:
                    lines.append(self.places[k] + np.outer([-HALF_LENGTH, HALF_LENGTH], along / length))
        return np.array(lines).reshape(-1, 2, 3)


def view_matrix(azimuth: float, elevation: float) -> Floats:
    """Return the (3, 2) matrix from places to a picture within −1…1, x right and y up, that the whole box fills.

    Azimuth rotates about the third component, elevation tilts it towards the viewer, in degrees: (0, 90) shows the
    first two components, (0, 0) the first and the third.
    """
    a, e = np.radians([azimuth, elevation])
    right = [np.cos(a), np.sin(a), 0.0]
    up = [-np.sin(a) * np.sin(e), np.cos(a) * np.sin(e), np.cos(e)]
    matrix = np.array([right, up]).T
    return matrix / np.abs(matrix).sum(axis=0)


@dataclass(frozen=True)
class Scene:
    """The picture of the points; x right, y up, both within −1…1.

    ``places`` (entry, 2), ``colours`` (entry,) as `PointMap.colours` returns them, ``visited`` (state, 2), ``trail``
    (word, 2) oldest first, ``other`` (word, 2) that of the other side of a comparison, ``path`` (word, 2) predicted
    from the state at the word looked at, ``unstable`` (line, 2, 2), ``cycles`` (line, 2, 2) joins the states of cycles,
    ``axes`` (3, 2, 2) from a corner of the box along each component.
    """

    places: Floats
    colours: NDArray[np.intp]
    visited: Floats
    trail: Floats
    path: Floats
    unstable: Floats
    cycles: Floats
    axes: Floats
    selected: int | None
    other: Floats = field(default_factory=lambda: np.empty((0, 2)))

    def pick(self, x: float, y: float, columns: int, rows: int, large: int) -> int | None:
        """Return the entry nearest to a click at (x, y), None if all are far; ``columns`` × ``rows`` characters.

        The first ``large`` entries are drawn larger, so a click near one more likely means it.
        """
        if not len(self.places):
            return None
        # in character widths
        distance = np.hypot((self.places[:, 0] - x) * columns / 2, (self.places[:, 1] - y) * rows)
        distance[:large] -= 1.5
        nearest = int(distance.argmin())
        return nearest if distance[nearest] < 3 else None


def scene_of(
    points: PointMap,
    trail: NDArray[np.floating],
    view: PointView,
    path: NDArray[np.floating] | None = None,
    other: NDArray[np.floating] | None = None,
) -> Scene:
    """Return the picture of a map with the hidden states (word, n) of the trajectory, of the linear prediction, and
    of the ``other`` side of a comparison."""
    matrix = view_matrix(view.azimuth, view.elevation)
    corner = np.full(3, -1.0)
    axes = np.stack([np.stack([corner, corner + 2 * unit]) for unit in np.eye(3)])
    return Scene(
        places=points.places @ matrix,
        colours=points.colours(view.colour),
        visited=points.visited @ matrix,
        trail=(points.place(trail) if len(trail) else np.empty((0, 3))) @ matrix,
        path=(np.empty((0, 3)) if path is None else points.place(path)) @ matrix,
        unstable=points.unstable_directions @ matrix,
        cycles=points.cycle_lines @ matrix,
        axes=axes @ matrix,
        selected=view.selected,
        other=(np.empty((0, 3)) if other is None or not len(other) else points.place(other)) @ matrix,
    )


def _three(h: NDArray[np.floating]) -> NDArray[np.floating]:
    """Pad hidden states of fewer than three cells with zeros: a picture has three components."""
    missing = 3 - h.shape[-1]
    return h if missing <= 0 else np.concatenate([h, np.zeros((*h.shape[:-1], missing), h.dtype)], axis=-1)
