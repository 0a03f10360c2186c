"""Branches of fixed points, Lyapunov spectrum and memory decay: requested, computed in the worker, shown as curves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from engine.branches import branches
from engine.catalogue import shipped_networks
from engine.cells import RnnCell
from engine.completeness import add_roots
from engine.lyapunov import lyapunov_spectrum, memory_decay
from engine.network import Network
from engine.projection import Projection
from engine.reduced import reduced_equation
from explorer.session.controllers.branch_search import BranchSearch, follow_channel, follow_word
from explorer.session.controllers.computation import Computation
from explorer.session.controllers.memory import measure
from explorer.session.core import SessionError
from explorer.session.jobs import Job, JobRunner
from explorer.session.session import Session
from explorer.session.views.branch_curves import (
    AXES,
    Axes,
    Branches,
    Target,
    branch_curves,
    branches_legend,
    branches_line,
)
from explorer.session.views.memory import Memory, MemoryOfRun, decay_of, memory_lines
from explorer.session.views.outputs import POSITIVE
from explorer.session.views.runs import plain
from tests.explorer.session.test_attractors import found_map, network
from tests.explorer.small import wait


class Results:
    """Collects what a job reports, until it is no longer wanted."""

    def __init__(self, most: int = 10**6) -> None:
        self.parts: list[Any] = []
        self._most = most

    def __call__(self, part: object) -> bool:
        self.parts.append(part)
        return len(self.parts) < self._most

    def result(self) -> Any:
        return next(value for what, value in filter(None, self.parts) if what == "result")


class HeldJobs(JobRunner):
    """Runs nothing; the test sends results."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Job] = []
        self.cancelled: list[Job] = []

    def start(
        self,
        work: Callable[..., None],
        *arguments: Any,
        on_result: Callable[[Any], None],
        on_end: Callable[[str], None],
    ) -> Job:
        self.jobs.append(Job(len(self.jobs), on_result, on_end))
        return self.jobs[-1]

    def cancel(self, job: Job) -> None:
        self.cancelled.append(job)


def one_unit() -> Branches:
    """h = tanh(2 h + u) for u from 0 to 1: two points meet in a fold, the third goes through."""
    f64 = torch.float64
    cell = RnnCell(torch.ones(1, 1, dtype=f64), torch.full((1, 1), 2.0, dtype=f64), torch.zeros(1, dtype=f64))
    x0, x1, nothing = torch.zeros(1, dtype=f64), torch.ones(1, dtype=f64), torch.empty(0, 1, dtype=f64)
    equation = reduced_equation(cell)
    start = add_roots(equation, x0, nothing, torch.tensor([[-0.9], [0.1], [0.9]], dtype=f64))
    end = add_roots(equation, x1, nothing, torch.ones(1, 1, dtype=f64))
    readout = torch.full((1, 1), 3.0), torch.ones(1)
    followed = branches(cell, x0, x1, start, end, readout=readout, longest=0.05)
    projection = Projection.of(np.random.default_rng(0).uniform(-1, 1, (20, 1)), 1)
    return Branches(Target("film"), tuple(followed), Axes(projection, 1, POSITIVE))


def test_curves_are_cut_where_stability_changes() -> None:
    found = one_unit()
    by_readout, by_component = (branch_curves(found, axis, None) for axis in AXES)
    assert by_readout is not None
    assert by_component is not None
    assert len(by_readout.folds) == 1
    assert len(by_readout.crossings) == 0
    assert sorted(piece.stable for piece in by_readout.pieces) == [False, True, True]
    for piece in by_readout.pieces:
        h = (piece.y - 1) / 3
        inner = slice(None, -1)  # the last place belongs to the next piece
        assert ((2 * (1 - h[inner] ** 2) < 1 + 1e-6) == piece.stable).all()
        assert np.allclose(np.tanh(2 * h + piece.x), h, atol=1e-6)
    low, high = by_readout.y_range
    assert low < min(piece.y.min() for piece in by_readout.pieces) <= max(p.y.max() for p in by_readout.pieces) < high
    assert by_readout.y_label == "logit"
    assert by_component.y_label == "PC1 of h"
    assert by_component.x_label == "weight of “film”"
    assert by_component.x_range == (0.0, 1.0)
    assert plain(branches_line(found, "")) == "2 branches from zero input to “film”   ◂ 1 fold"
    assert plain(branches_line(None, "following 3 points …")) == "following 3 points …"
    assert "╌╌ unstable" in plain(branches_legend())


def test_the_job_follows_a_word() -> None:
    results = Results()
    follow_word(results, network(), Target("film"))
    found = results.result()
    assert found.target == Target("film")
    assert branch_curves(found, AXES[0], None) is None  # its axes are those of the map of points
    assert branch_curves(found, AXES[0], found_map()) is not None
    starts = {round(float(branch.weight[0]), 6) for branch in found.branches}
    assert 0.0 in starts
    for branch in found.branches:
        x = branch.weight[:, None] * [0, 5, 0]
        assert np.allclose(np.tanh(branch.states * [2, -2, 0.5] + x + [0.01, 0.01, 0]), branch.states, atol=1e-6)
    assert any(part is not None and part[0] == "progress" for part in results.parts)


def test_the_job_follows_a_channel_of_a_network_with_a_task(tmp_path: Path) -> None:
    cell = RnnCell(torch.tensor([[1.0]]), torch.tensor([[2.0]]), torch.zeros(1))
    path = tmp_path / "unit.safetensors"
    Network(cell, torch.tensor([[3.0]]), torch.ones(1), task="flip-flop-1").save(path)
    results, target = Results(), Target("1", "unit")
    follow_channel(results, path, target)
    found = results.result()
    # h = tanh(2 h + x) folds where 2 (1 − h²) = 1, which is at x = ±(atanh h − 2 h).
    h = 0.5**0.5
    fold = abs(np.arctanh(h) - 2 * h)
    curves = branch_curves(found, "readout", None)
    assert curves is not None
    assert np.allclose(np.sort(curves.folds[:, 0])[[0, -1]], [-fold, fold], atol=0.03)
    assert min(piece.x.min() for piece in curves.pieces) == -1
    assert max(piece.x.max() for piece in curves.pieces) == 1
    assert (curves.x_range, curves.x_label, curves.y_label) == ((-1.0, 1.0), "input of channel 1", "logit of output 1")
    for piece in curves.pieces:
        state = (piece.y - 1) / 3
        assert np.allclose(np.tanh(2 * state + piece.x), state, atol=1e-6)
    assert "of unit, channel 1 from −1 to 1" in plain(branches_line(found, ""))


def test_following_needs_a_known_word(session: Session) -> None:
    session.branches.begin()
    assert session.branches.target == Target(session.stream.snapshot.review.words[99])
    session.look_at(0)
    session.branches.begin()
    assert session.branches.target == Target("the")


def test_the_channels_of_every_network_with_a_task_come_after_the_word() -> None:
    jobs = HeldJobs()
    search = BranchSearch(*(cast(Any, None),) * 3, jobs)
    search.follow(Target("1", search.networks[1]))
    assert len(search.networks) == 1 + sum(info.task != "sentiment" for info in shipped_networks())
    assert search.channels("lstm-100-integration-1") == ["1"]
    search.follow(Target("3", "gru-100-flip-flop-3"))
    search.next_channel()
    assert search.target == Target("1", "gru-100-flip-flop-3")
    search.next_network()
    assert search.target.network == search.networks[search.networks.index("gru-100-flip-flop-3") + 1]
    assert len(jobs.jobs) == 4
    assert len(jobs.cancelled) == 3


def test_the_job_measures_both_orders() -> None:
    net, ids = network(), np.random.default_rng(1).integers(2, 5, 60)
    results = Results()
    measure(results, net, "first", ids)
    found = results.result()
    x = net.embed(ids).double().unsqueeze(0)
    assert found.words == 60
    assert np.allclose(found.runs[0].exponents, lyapunov_spectrum(net.cell, x)[0])
    assert np.allclose(found.runs[0].decay, memory_decay(net.cell, x).norm[0])
    assert not np.allclose(found.runs[0].decay, found.runs[1].decay)
    stopped = Results(most=1)
    measure(stopped, net, "first", ids)
    assert len(stopped.parts) == 1


def test_the_memory_in_lines() -> None:
    run = MemoryOfRun(np.array([-0.01, -0.2]), np.array([2.0, 1.5, 0.5, 0.0]), 2.0)
    endless = MemoryOfRun(np.array([0.02, -0.2]), np.ones(4), float("nan"))
    lines = [plain(line) for line in memory_lines(Memory("first", 60, (run, endless)), "")]
    assert lines[0] == "the network forgets where it began   the largest exponent is below 0   60 words"
    assert lines[1] == "as read  half-life 2 words   largest exponent −0.01 nats/word   next −0.20"
    assert lines[2].startswith("shuffled half-life over 4 words")
    assert "never forgets" in plain(memory_lines(Memory("first", 60, (endless, run)), "")[0])
    assert plain(memory_lines(None, "memory decay …")[0]) == "memory decay …"
    lag, decay = decay_of(run)
    assert lag.tolist() == [0, 1, 2]
    assert decay == pytest.approx(np.log10([2, 1.5, 0.5]))


def test_a_short_review_has_no_spectrum(session: Session) -> None:
    session.open_text("a dull film")
    wait(lambda: session.stream.snapshot.words == 3)
    with pytest.raises(SessionError, match="more than 40"):
        session.memory.begin()


def test_a_computation_is_requested_once_and_replaced_by_another() -> None:
    jobs = HeldJobs()
    computation: Computation[int] = Computation(jobs)
    computation.request(("a",), measure)
    computation.request(("a",), measure)
    assert len(jobs.jobs) == 1
    jobs.jobs[0].on_result(("progress", "half"))
    assert computation.progress == "half"
    assert computation.result() is None
    jobs.jobs[0].on_result(("result", 3))
    jobs.jobs[0].on_end("")
    assert (computation.result(), computation.progress) == (3, "")
    computation.request(("b",), measure)
    assert jobs.cancelled == [jobs.jobs[0]]
    assert computation.result() is None
    jobs.jobs[0].on_result(("result", 4))  # it comes too late
    assert computation.result() is None
    jobs.jobs[1].on_end("no memory left")
    assert computation.progress == "the computation failed: no memory left"
