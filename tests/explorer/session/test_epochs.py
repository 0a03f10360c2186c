"""The epochs of a run in the session: found beside the present network, measured by a job, shown as curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.epochs import Epoch, EpochPoints, epoch_file, measure_epoch
from explorer.session.controllers.epochs import measure
from explorer.session.core import SessionError
from explorer.session.session import Session
from explorer.session.views.analysis_tables import epochs_table
from explorer.session.views.epochs import Epochs, epochs_lines
from explorer.session.views.runs import plain
from tests.explorer.session.test_dynamics import HeldJobs, Results
from tests.explorer.small import REVIEWS, small_network, wait

NAN = float("nan")


def trained(folder: Path, size: int = 2) -> dict[int, Path]:
    """Save a run of three epochs; every epoch is another random network."""
    files = {epoch: epoch_file(folder / "run.safetensors", epoch) for epoch in range(3)}
    for epoch, path in files.items():
        small_network(size, seed=epoch).save(path)
    return files


def made(points: int = 2) -> Epochs:
    """Three epochs with known numbers; the points of the first ones are found."""
    generator = np.random.default_rng(0)
    epochs = tuple(
        Epoch(
            k, Path(f"run-e{k:02}.safetensors"), 0.7 - 0.2 * k, 0.5 + 0.2 * k, NAN if k == 0 else 0.6,
            np.array([0.001, 0.1 * k, 0.3]), generator.normal(0, 1, (20, 3)).astype(np.float32),
        )
        for k in range(3)
    )  # fmt: skip
    every = EpochPoints(
        generator.normal(0, 1, (3, 3)), ("zero", "mean", "mean"), np.zeros(3), np.array([True, True, False]),
        np.array([True, False, False]),
    )  # fmt: skip
    return Epochs("run", 3, 14, epochs, (every,) * points)


def test_the_job_measures_all_epochs_before_it_searches(tmp_path: Path) -> None:
    files, results = trained(tmp_path), Results()
    measure(results, files, REVIEWS[:2])
    parts = [value for part in results.parts if part is not None for what, value in [part] if what == "result"]
    assert [(len(part.epochs), len(part.points)) for part in parts] == [(1, 0), (2, 0), (3, 0), (3, 1), (3, 2), (3, 3)]
    last = parts[-1]
    assert (last.run, last.total, last.reviews) == ("run", 3, 2)
    for epoch, path in files.items():
        alone = measure_epoch(epoch, path, [review.words for review in REVIEWS[:2]], [True, False])
        assert last.epochs[epoch].loss == pytest.approx(alone.loss)
        assert last.epochs[epoch].activity == pytest.approx(alone.activity)
    assert last.loss.tolist() == [epoch.loss for epoch in last.epochs]
    stopped = Results(most=1)
    measure(stopped, files, REVIEWS[:2])
    assert len(stopped.parts) == 1


def test_epochs_are_found_beside_the_present_network(session: Session, tmp_path: Path) -> None:
    jobs = HeldJobs()
    session.epochs._computation._jobs = jobs
    with pytest.raises(SessionError, match="no networks of single epochs lie beside lstm-12: train with --every-epoch"):
        session.epochs.begin()
    files = trained(tmp_path)
    session.use_network(str(files[1]))
    wait(lambda: session.stream.snapshot.network.name == "run-e01")
    session.epochs.begin()
    session.epochs.begin()
    assert len(jobs.jobs) == 1
    assert session.epochs.place_of_present(made()) == 1


def test_lines_of_one_epoch() -> None:
    head, numbers, points = (plain(line) for line in epochs_lines(made(), 1, 0.02, "fixed points of epoch 2 …"))
    assert head == "run  3 networks of 3   fixed points of epoch 2 …   n = 14 labelled reviews of the source"
    assert numbers == "epoch 1   loss 0.50   accuracy 70%   validation loss 0.60   † 1 of 3 dead"
    assert points == "2 fixed points: ● 1 stable  ○ 1 not  ◌ 1 slow"
    assert plain(epochs_lines(made(), 0, 0.02, "")[1]).startswith("epoch 0, untrained   loss 0.70   accuracy 50%   † 2")
    assert plain(epochs_lines(made(), 2, 0.02, "")[2]) == "points: searching …"
    assert plain(epochs_lines(None, 0, 0.02, "starting …")[0]) == "starting …"


def test_dead_cells_follow_the_threshold_and_the_axes_stay() -> None:
    found = made(3)
    assert found.dead(0.02).tolist() == [2, 1, 1]
    assert found.dead(0.5).tolist() == [3, 3, 3]
    (x0, x1), (y0, y1) = found.limits
    for epoch in found.epochs:
        places = found.places(epoch.visited)
        assert ((places >= [x0, y0]) & (places <= [x1, y1])).all()
    one = np.concatenate([epoch.visited for epoch in found.epochs]).astype(float)
    values = np.linalg.eigvalsh(np.cov(one.T))[::-1]
    assert found.projection.explained == pytest.approx(values[:2] / values.sum())


def test_the_table_has_a_row_an_epoch() -> None:
    table = epochs_table(made(), 0.02)
    assert table.column("epoch") == [0, 1, 2]
    assert table.column("network") == ["run-e00", "run-e01", "run-e02"]
    assert table.column("dead") == [2, 1, 1]
    assert table.column("stable_points")[:2] == [1, 1]
    assert np.isnan(table.column("stable_points")[2])
    assert table.column("loss") == pytest.approx([0.7, 0.5, 0.3])
    with pytest.raises(SessionError, match="no epoch is measured yet"):
        epochs_table(None, 0.02)
