"""Basins and cycles: found in the job, entries of the map, named in lines and tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import platformdirs
import pytest
import torch

from engine.cells import RnnCell
from engine.fixed_points import find_fixed_points
from engine.network import Network, Vocabulary
from engine.word_attractors import word_attractors
from explorer.session.controllers.fixed_points import details_of
from explorer.session.controllers.point_search import send_ends
from explorer.session.views.many_points import point_selection
from explorer.session.views.point_map import STATES, FoundPoints, PointMap, PointView, scene_of
from explorer.session.views.point_readouts import (
    cycles_line,
    elsewhere_line,
    entry_line,
    point_legend,
    point_lines,
    points_line,
    word_map_line,
)
from explorer.session.views.runs import plain
from explorer.session.views.tables import points_table, word_map_table
from explorer.session.views.word_map import word_kinds, word_map

WORDS = ["calm", "film", "turn"]


@pytest.fixture(scope="module", autouse=True)
def _empty_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platformdirs, "user_cache_path", lambda name, **_: folder / name)
        yield


def network() -> Network:
    """Three uncoupled units: with gain 2 two stable points, with −2 a cycle of two, with 0.5 one point.

    Without input every state ends on one of two cycles; the input “film” holds the second unit at rest instead.
    """
    cell = RnnCell(torch.eye(3), torch.diag(torch.tensor([2.0, -2.0, 0.5])), torch.tensor([0.01, 0.01, 0.0]))
    embedding = torch.zeros(5, 3)
    embedding[2:] = torch.tensor([[0.0, 4.0, 0.0], [0.0, 5.0, 0.0], [0.5, 0.0, 0.0]])
    return Network(cell, torch.tensor([[1.0, 0.5, 0.0]]), torch.zeros(1), embedding=embedding,
                   vocabulary=Vocabulary(WORDS))  # fmt: skip


@cache
def found_map() -> PointMap:
    net = network()
    assert net.embedding is not None
    x = torch.stack([net.embedding[0], net.embedding[3]]).double()
    torch.manual_seed(0)
    states = torch.rand(40, 3, dtype=torch.float64) * 2 - 1
    points = find_fixed_points(net.cell, x, states, readout=(net.readout_weight, net.readout_bias),
                               input_names=("zero", "film"))  # fmt: skip
    sent: list[Any] = []

    def report(part: object) -> bool:
        sent.append(part)
        return True

    send_ends(report, net, points)
    ends = {name: value for part in sent if part and part[0] == "ends" for name, value in part[1].items()}
    return PointMap(FoundPoints(net, states.numpy(), points, word_attractors(net), ends))


def test_the_job_counts_where_states_end_under_each_input() -> None:
    points = found_map()
    assert set(points.found.ends) == {"zero", "film"}
    for name, ends in points.found.ends.items():
        for part in (ends.visited, ends.uniform):
            cycles = sum(cycle.hits for cycle in part.cycles)
            assert int(part.counts.sum()) + cycles + part.elsewhere == part.states == 128
            assert (cycles > 0) == (name == "zero")
    assert [each.cycle.period for each in points.cycles] == [2, 2]
    assert {each.name for each in points.cycles} == {"zero"}


def test_a_job_that_is_not_wanted_sends_nothing() -> None:
    sent: list[Any] = []
    points = found_map().found.points
    assert points is not None

    def refuse(part: object) -> bool:
        sent.append(part)
        return False

    send_ends(refuse, network(), points)
    assert sent == [None]


def test_the_states_of_cycles_are_entries_between_points_and_words() -> None:
    points = found_map()
    assert points.first_word == points.certified + 4
    assert len(points) == points.first_word + len(WORDS)
    assert [STATES[state] for state in points.state[points.certified : points.first_word]] == ["cycle"] * 4
    h = points.h[points.certified : points.first_word]
    image = np.tanh(h * [2, -2, 0.5] + [0.01, 0.01, 0])
    assert np.allclose(image, h[[1, 0, 3, 2]], atol=1e-9)
    assert points.names[points.certified : points.first_word] == ("zero",) * 4
    assert np.allclose(points.logit, points.h @ [1, 0.5, 0], atol=1e-6)
    assert points.cycle_at(points.certified + 3) == (1, 1)
    assert points.cycle_lines.shape == (4, 2, 3)
    assert points.order.tolist()[: points.first_word] == list(range(points.first_word))
    assert len(scene_of(points, np.empty((0, 3)), PointView()).cycles) == 4


def test_basins_belong_to_stable_points_and_cycles_and_share_all_states() -> None:
    points = found_map()
    found = points.found.points
    assert found is not None
    film = [k for k in points.basins if k < points.certified and found.input_names[k] == "film"]
    assert all(found.unstable[k] == 0 for k in film)
    assert sum(points.basins[k].visited.share for k in film) == pytest.approx(1)
    on_cycles = [points.basins[points.certified], points.basins[points.certified + 2]]
    assert sum(basin.uniform.share for basin in on_cycles) == pytest.approx(1)
    for basin in points.basins.values():
        for part in basin:
            assert 0 <= part.low <= part.share <= part.high <= 1
    sizes = points.basin_sizes
    assert np.flatnonzero(np.isfinite(sizes)).tolist() == sorted(points.basins)
    assert sizes[film[0]] ** 2 == pytest.approx(points.basins[film[0]].visited.share)


def test_a_cycle_in_lines() -> None:
    points = found_map()
    details = details_of(points, points.certified)
    assert (details.kind, details.period, details.stability) == ("cycle", 2, "stable")
    lines = [plain(line) for line in point_lines(details)]
    assert lines[0] == "zero input cycle 0"
    assert lines[1].startswith("cycle of period 2  amplitude 1.9")
    assert lines[2].startswith("stable  |μ| 0.")
    share = points.basins[points.certified].visited
    assert lines[4].startswith(f"basin {share.share:.0%} ({share.low:.0%}"[:-1])
    assert plain(cycles_line(points)).startswith("◇ 2 cycles (zero: period 2, amplitude 1.9")
    assert "◇ 2 cycles" in plain(points_line(points, PointView()))
    assert "cycle of period 2, amplitude 1.9" in plain(entry_line(points, points.certified))
    assert plain(point_legend(False, cycles=True, basins=True)).count("◇ cycle  size: basin") == 1


def test_states_that_end_nowhere_are_counted() -> None:
    points = found_map()
    assert elsewhere_line(points) == ()
    ends = points.found.ends["zero"]
    lost = ends._replace(visited=dataclasses.replace(ends.visited, elsewhere=32))
    drifting = PointMap(dataclasses.replace(points.found, ends={"zero": lost}))
    assert plain(elsewhere_line(drifting)) == "zero: 25% of visited states end at no certified attractor"


def test_a_stable_point_has_its_basin_in_its_line() -> None:
    points = found_map()
    entry = next(k for k in points.basins if k < points.certified)
    assert any(plain(line).startswith("basin ") for line in point_lines(details_of(points, entry)))
    assert plain(entry_line(points, entry)).endswith(" of visited states")
    unstable = next(k for k in range(points.certified) if k not in points.basins)
    assert not any("basin" in plain(line) for line in point_lines(details_of(points, unstable)))


def test_words_without_a_certified_attractor_say_what_they_are() -> None:
    points = found_map()
    words = points.found.words
    assert words is not None
    assert words.kind.tolist() == ["fixed", "fixed", "cycle"]
    turn = points.first_word + WORDS.index("turn")
    assert np.isnan(points.time_constant[turn])
    assert points.colours("time constant")[turn] == -1
    line = plain(entry_line(points, turn))
    assert "cycle of period 2, amplitude 1.9" in line
    assert "τ" not in line
    details = details_of(points, turn)
    assert "τ" not in "".join(plain(each) for each in point_lines(details))
    assert abs(details.eigenvalues[0]) < 1  # the multipliers of its cycle
    assert "slowest τ" in plain(entry_line(points, points.first_word))
    restless = dataclasses.replace(words, period=np.array([1, 1, 0]), q=np.array([0, 0, 0.1]))
    moving = PointMap(dataclasses.replace(points.found, words=restless))
    assert "moving: no certified attractor" in plain(entry_line(moving, turn))
    assert plain(point_lines(details_of(moving, turn))[1]) == "moving  no certified attractor"
    drifting = dataclasses.replace(restless, q=np.array([0, 0, 1e-7]))
    assert drifting.kind[2] == "drifting"


def test_the_word_map_leaves_out_words_without_a_time_constant() -> None:
    points = found_map()
    shown = word_map(points, "readout × time constant")
    assert shown is not None
    assert shown.hidden == 1
    assert np.isnan(shown.places[2, 1])
    line = plain(word_map_line(3, "readout", word_kinds(points), shown.hidden))
    assert line == (
        "3 words, each repeated forever; colour: readout   1 in a cycle   1 without a time constant are not drawn"
    )
    assert word_map(points, "components").hidden == 0  # type: ignore[union-attr]


def test_tables_have_periods_amplitudes_and_basins() -> None:
    points = found_map()
    table = points_table(points)
    assert table.column("period_words")[points.certified :] == [2, 2, 2, 2, 1, 1, 2]
    assert np.allclose(table.column("amplitude")[points.certified], points.cycles[0].cycle.amplitude)
    entry = next(iter(points.basins))
    certified = points.found.points
    assert certified is not None
    assert table.column("index")[: points.certified] == certified.index.tolist()
    assert table.column("only_root_within")[: points.certified] == certified.unique_within.tolist()
    assert set(table.column("index")[points.certified :]) == {0}
    assert table.column("basin_visited")[entry] == points.basins[entry].visited.share
    assert table.column("basin_uniform_high")[entry] == points.basins[entry].uniform.high
    assert np.isnan(table.column("basin_visited")[-1])
    assert all(len(row) == len(table.columns) for row in table.rows)
    words = word_map_table(points)
    assert words.column("kind") == ["fixed", "fixed", "cycle"]
    assert np.isnan(words.column("time_constant_words")[2])


def test_several_entries_at_once() -> None:
    points = found_map()
    every = point_selection(points, range(len(points)))
    assert f"{points.certified} points, 4 states of cycles, 3 words" in every.summary
    turn = point_selection(points, [len(points) - 1])
    assert turn.summary.endswith("no time constant")
