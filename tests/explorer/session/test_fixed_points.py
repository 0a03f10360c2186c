"""The search for points of a session, the map of what it finds, and the details of one point."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine.points_cache
import engine.start_states
from engine.cells import RnnCell
from engine.fixed_points import find_fixed_points
from engine.network import Network, Vocabulary
from explorer.session.controllers.fixed_points import TAIL
from explorer.session.controllers.point_search import PointSearch, Sequences, survey
from explorer.session.core import SessionError
from explorer.session.jobs import Job, Report
from explorer.session.session import Session
from explorer.session.views.point_map import (
    COLOURS,
    STATES,
    FoundPoints,
    PointDetails,
    PointMap,
    PointView,
    scene_of,
    view_matrix,
)
from explorer.session.views.point_readouts import index_line, no_points_line
from explorer.session.views.runs import Run, plain
from tests.explorer.small import CountingJobs, open_session, settle, small_network, unbounded_session, wait


@pytest.fixture
def session(searched: Session) -> Session:
    return searched


def details(session: Session) -> PointDetails:
    found = session.fixed_points.details(session.frame())
    assert found is not None
    return found


def diagonal_network(*gains: float) -> Network:
    """h ← tanh(gain · h) in every cell: each gain above 1 gives three fixed points, the one at 0 unstable."""
    n = len(gains)
    cell = RnnCell(torch.zeros(n, 2), torch.diag(torch.tensor(gains)), torch.zeros(n))
    return Network(
        cell, torch.ones(1, n), torch.zeros(1), embedding=torch.zeros(3, 2), vocabulary=Vocabulary(["a"]), name="rnn"
    )


def diagonal_map(*gains: float) -> PointMap:
    network, n = diagonal_network(*gains), len(gains)
    starts = torch.rand(400, n, generator=torch.Generator().manual_seed(0)) * 2 - 1
    readout = network.readout_weight, network.readout_bias
    points = find_fixed_points(network.cell, torch.zeros(2), starts, readout=readout, input_names=["zero"])
    return PointMap(FoundPoints(network, np.random.default_rng(0).uniform(-1, 1, (50, n)), points))


# ---- the search ----------------------------------------------------------------------------------------------


def test_visited_states_points_and_words_are_found(session: Session) -> None:
    point_map = settle(session)
    words = session.stream.snapshot.network.vocabulary.words  # type: ignore[union-attr]
    assert point_map.found.points is not None
    assert point_map.found.points.fixed.any()
    assert set(point_map.names[: point_map.certified]) == {"zero", "mean"}
    assert point_map.names[point_map.certified :] == words
    assert point_map.found.visited.shape == (1000, 12)


def test_every_found_state_stays_where_it_is(session: Session) -> None:
    point_map, network = settle(session), session.stream.snapshot.network
    stable = np.flatnonzero(point_map.state == 0)
    assert len(stable)
    for entry in stable.tolist():
        name = point_map.names[entry]
        x = engine.start_states.input_from_name(network, name).float()
        certified = entry < point_map.certified
        part = point_map.found.points if certified else point_map.found.words
        assert part is not None
        state = torch.from_numpy(part.states[entry if certified else entry - point_map.certified]).float()
        assert torch.allclose(network.cell.step(x, state)[0], state, atol=1e-5)


def test_cached_points_need_no_search(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_search(*_: Any, **__: Any) -> None:
        raise AssertionError("searched again")

    settle(session)
    monkeypatch.setattr(engine.points_cache, "find_fixed_points", no_search)
    monkeypatch.setattr(engine.points_cache, "word_attractors", no_search)
    parts: list[Any] = []

    def report(part: Any) -> bool:
        parts.append(part)
        return True

    survey(report, session.stream.snapshot.network)
    sent = [part[0] for part in parts if part is not None and part[0] != "progress"]
    assert sent == ["visited", "points", "words", "ends", "ends"]


def fail(report: Report, network: Network, sequences: Sequences) -> None:
    report(("progress", "trying"))
    raise ValueError("no luck")


def wait_until_unwanted(report: Report, network: Network, sequences: Sequences) -> None:
    report(("visited", np.zeros((3, network.cell.size))))
    while report(("progress", "word attractors 1%")):
        time.sleep(0.01)
    report(("words", None))


class ReplacingJobs(CountingJobs):
    """Runs another job in place of `survey`, once it has one."""

    replacement: Callable[..., None] = survey

    def start(self, work: Callable[..., None], *arguments: Any, **callbacks: Any) -> Job:
        return super().start(self.replacement if work is survey else work, *arguments, **callbacks)


def replacing(replacement: Callable[..., None]) -> ReplacingJobs:
    runner = ReplacingJobs()
    runner.replacement = replacement
    return runner


def test_a_search_that_fails_says_so_and_the_next_one_begins_afresh() -> None:
    runner = replacing(fail)
    search = PointSearch(runner)
    search.begin(small_network(seed=1))
    wait(lambda: search.progress == "the search failed: no luck")
    assert search.found is None
    runner.replacement = survey
    search.begin(small_network())
    wait(lambda: search.progress == "" and search.found is not None)
    search.close()


def test_another_network_ends_the_search_and_clears_the_selection(session: Session) -> None:
    session.perform("next-point")
    other = small_network(7, seed=3)
    session.stream.use_network(other)
    wait(lambda: session.stream.snapshot.network is other)
    session.fixed_points.request(session.update())
    assert session.fixed_points.view.selected is None
    assert settle(session).found.network is other


def test_results_of_a_closed_or_outdated_search_are_dropped() -> None:
    search, network = PointSearch(replacing(wait_until_unwanted)), small_network()
    search.begin(network)
    wait(lambda: search.progress == "word attractors 1%")
    found = search.found
    assert found is not None
    other = small_network(7)
    search.begin(other)
    search.add(network, "film")  # too late: the network has changed
    wait(lambda: search.found is not None and search.found.network is other)
    search.close()
    assert search.progress == ""
    search.begin(network)
    search.add(other, "film")
    assert search.progress == ""
    assert search.found is not None
    assert search.found.words is None


# ---- the points under a word -----------------------------------------------------------------------------------


def test_the_points_under_the_word_looked_at_are_found_and_selected(session: Session) -> None:
    before = settle(session)
    session.look_at(1)
    assert session.stream.snapshot.review.words[1] == "film"
    session.fixed_points.select(before.certified + 3)  # a word attractor; stays selected until the search is complete
    session.perform("find-points")
    assert "'film'" in session.note
    point_map = settle(session)
    assert point_map.names[: before.certified] == before.names[: before.certified]
    assert set(point_map.names[before.certified : point_map.certified]) == {"film"}
    assert (details(session).name, details(session).certified) == ("film", True)
    session.fixed_points.select(None)
    session.perform("find-points")  # already found
    assert details(session).name == "film"
    assert session.fixed_points.search.progress == ""


def test_a_selected_word_stays_selected_when_points_come_before_it(session: Session) -> None:
    before = settle(session)
    session.fixed_points.select(before.certified + 3)
    session.fixed_points.search.add(session.stream.snapshot.network, "town")
    wait(lambda: session.fixed_points.search.progress == "")
    after = settle(session)
    assert after.certified > before.certified
    assert details(session).name == before.names[before.certified + 3]


def test_points_under_no_word_or_an_unknown_one_are_refused(session: Session) -> None:
    session.playback.restart()
    wait(lambda: session.stream.snapshot.time == 0)
    with pytest.raises(SessionError, match="no word is read yet"):
        session.perform("find-points")
    session.open_text("xyzzy")
    wait(lambda: session.stream.snapshot.time == 1)
    with pytest.raises(SessionError, match="does not know this word"):
        session.perform("find-points")


def test_without_points_nothing_can_be_selected_or_searched() -> None:
    session = open_session()
    with pytest.raises(SessionError, match="wait for the search"):
        session.perform("next-point")
    with pytest.raises(SessionError, match="not complete yet"):
        session.perform("find-points")
    assert session.fixed_points.scene(session.frame()) is None
    assert session.fixed_points.details(session.frame()) is None
    session.close()


def test_a_search_that_found_no_point_says_so() -> None:
    for session in unbounded_session():
        frame, points = session.update(), session.fixed_points
        points.request(frame)
        found = points.point_map
        assert found is not None
        assert len(found) == 0
        assert index_line(found) == (Run("search ended: no point from 32 starts", "warning"),)
        assert plain(no_points_line("", False, found)) == "fixed points: none found from 32 starts"
        assert points.details(frame) is None
        scene = points.scene(frame)
        assert scene is not None
        assert len(scene.trail) == 20
        with pytest.raises(SessionError, match=r"^the search found no point$"):
            session.perform("next-point")


# ---- the map ---------------------------------------------------------------------------------------------------


def test_the_picture_is_a_projection_that_a_box_fills_from_every_side() -> None:
    assert np.allclose(view_matrix(0, 90), [[1, 0], [0, 1], [0, 0]])
    assert np.allclose(view_matrix(0, 0), [[1, 0], [0, 0], [0, 1]])
    assert np.allclose(view_matrix(90, 0), [[0, 0], [1, 0], [0, 1]])
    corners = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, 8).T
    for azimuth in range(-180, 180, 25):
        for elevation in range(-90, 91, 20):
            assert np.allclose(np.abs(corners @ view_matrix(azimuth, elevation)).max(axis=0), 1)


def test_places_fill_the_box(session: Session) -> None:
    point_map = settle(session)
    everything = np.concatenate([point_map.places, point_map.visited])
    assert np.allclose(everything.min(axis=0), -1)
    assert np.allclose(everything.max(axis=0), 1)


def test_the_trajectory_ends_at_the_word_looked_at(session: Session) -> None:
    point_map = settle(session)
    scene = session.fixed_points.scene(session.frame())
    h = session.read("h", 100 - TAIL, 100)
    view = session.fixed_points.view
    assert scene is not None
    assert np.allclose(scene.trail, point_map.place(h) @ view_matrix(view.azimuth, view.elevation))
    session.look_at(9)
    looking_back = session.fixed_points.scene(session.frame())
    assert looking_back is not None
    assert len(looking_back.trail) == 10
    assert np.allclose(
        looking_back.trail[-1], point_map.place(session.read("h", 9, 10))[0] @ view_matrix(view.azimuth, view.elevation)
    )


def test_colours_show_readout_time_constant_stability_and_input(session: Session) -> None:
    point_map = settle(session)
    order = np.argsort(point_map.logit)
    assert (np.diff(point_map.colours("readout")[order]) >= 0).all()
    assert (np.diff(point_map.colours("time constant")[np.argsort(point_map.time_constant)]) >= 0).all()
    assert set(point_map.colours("stability").tolist()) <= set(range(len(STATES)))
    inputs = point_map.colours("input")
    assert set(inputs[: point_map.certified].tolist()) == {0, 1}
    assert (inputs[point_map.certified :] == -1).all()


def test_unstable_directions_are_drawn_through_saddles_along_their_eigenvectors() -> None:
    point_map = diagonal_map(2.0, 3.0, 0.5)
    points = point_map.found.points
    assert points is not None
    assert len(points) == 9
    assert len(point_map.unstable_directions) == points.unstable.sum() == 2 + 4 * 1 + 2 * 0
    origin = int(np.linalg.norm(points.states, axis=1).argmin())
    through = [
        line for line in point_map.unstable_directions if np.allclose(line.mean(axis=0), point_map.places[origin])
    ]
    assert len(through) == 2
    axes = {
        tuple(np.abs(np.round((line[1] - line[0]) * point_map._reach @ point_map.projection.basis, 9)) > 1e-6)
        for line in through
    }
    assert axes == {(True, False, False), (False, True, False)}
    assert [STATES[state] for state in point_map.state].count("unstable") == 5


def test_a_network_of_one_cell_is_drawn_on_a_line() -> None:
    point_map = diagonal_map(2.0)
    assert point_map.places.shape == (3, 3)
    assert np.ptp(point_map.places[:, 0]) > 1
    assert np.allclose(point_map.places[:, 1:], 0)


def test_a_click_picks_the_nearest_and_prefers_certified_points(session: Session) -> None:
    point_map = settle(session)
    scene = scene_of(point_map, np.empty((0, 12)), PointView())
    for entry in range(point_map.certified):
        x, y = scene.places[entry].tolist()
        picked = scene.pick(x, y, 44, 10, point_map.certified)
        assert picked is not None
        assert np.allclose(scene.places[picked], scene.places[entry], atol=0.1)
    assert scene.pick(40.0, 40.0, 44, 10, point_map.certified) is None
    nothing = scene_of(
        PointMap(FoundPoints(point_map.found.network, point_map.found.visited)), np.empty((0, 12)), PointView()
    )
    assert nothing.pick(0, 0, 44, 10, 0) is None


# ---- actions -----------------------------------------------------------------------------------------------------


def test_rotation_wraps_around_and_tilts_no_further_than_upright(session: Session) -> None:
    for _ in range(36):
        session.perform("turn-right")
        session.perform("tilt-up")
    assert session.fixed_points.view.azimuth == PointView().azimuth
    assert session.fixed_points.view.elevation == 90
    for _ in range(36):
        session.perform("turn-left")
        session.perform("tilt-down")
    assert session.fixed_points.view.azimuth == PointView().azimuth
    assert session.fixed_points.view.elevation == -90


def test_colours_go_round(session: Session) -> None:
    seen = []
    for _ in COLOURS:
        seen.append(session.fixed_points.view.colour)
        session.perform("point-colour")
    assert tuple(seen) == COLOURS
    assert session.fixed_points.view.colour == COLOURS[0]


def test_next_and_previous_walk_through_points_and_then_words_by_readout(session: Session) -> None:
    point_map = settle(session)
    walked = []
    for _ in range(len(point_map)):
        session.perform("next-point")
        assert session.fixed_points.view.selected is not None
        walked.append(session.fixed_points.view.selected)
    assert walked[: point_map.certified] == list(range(point_map.certified))
    assert (np.diff(point_map.logit[walked[point_map.certified :]]) >= 0).all()
    assert sorted(walked) == list(range(len(point_map)))
    session.perform("next-point")
    assert session.fixed_points.view.selected == 0
    session.perform("previous-point")
    assert session.fixed_points.view.selected == walked[-1]
    session.perform("deselect")
    assert session.fixed_points.view.selected is None


# ---- details -----------------------------------------------------------------------------------------------------


def test_without_a_selection_the_details_are_of_the_nearest_certified_point(session: Session) -> None:
    point_map = settle(session)
    h = session.read("h", 99, 100)[0]
    distances = np.linalg.norm(point_map.h[: point_map.certified] - h, axis=1)
    assert details(session).number == distances.argmin()
    assert point_map.nearest(point_map.h[point_map.certified - 1]) == point_map.certified - 1


def test_the_details_of_a_certified_point_are_those_of_the_search(session: Session) -> None:
    point_map = settle(session)
    points = point_map.found.points
    assert points is not None
    session.fixed_points.select(0)
    shown = details(session)
    assert (shown.name, shown.certified, shown.hits, shown.starts) == ("zero", True, points.hits[0], 128)
    assert shown.q == points.q[0]
    assert shown.newton_step == points.newton_step[0]
    assert shown.unstable == points.unstable[0]
    assert shown.value == pytest.approx(1 / (1 + np.exp(-points.readout[0, 0])))


def test_a_words_attractor_is_linearised_when_it_is_selected(session: Session) -> None:
    point_map = settle(session)
    words, network = point_map.found.words, session.stream.snapshot.network
    assert words is not None
    row = words.words.index("film")
    session.fixed_points.select(point_map.certified + row)
    shown = details(session)
    assert (shown.name, shown.certified, shown.kind) == ("film", False, "fixed")
    x = engine.start_states.input_from_name(network, "film")
    jacobian = network.cell.to(dtype=torch.float64).jacobian(x, torch.from_numpy(words.states[row]))
    expected = torch.linalg.eigvals(jacobian).abs().sort(descending=True).values.numpy()
    assert np.allclose(np.abs(shown.eigenvalues), expected)
    assert shown.time_constant == pytest.approx(1 / abs(np.log(expected[0])))
    assert shown.newton_step < 1e-8
    assert shown.logit == words.logit[row]
