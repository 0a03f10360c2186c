"""The linear prediction at the nearest point, against a plain recomputation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from explorer.session.controllers.linear_prediction import AHEAD, PERIOD, LinearPredictor, Prediction
from explorer.session.core import Core
from explorer.session.session import Session
from tests.explorer.small import REVIEWS, CountingJobs, open_session, settle, wait


@pytest.fixture
def session(searched: Session) -> Session:
    return searched


def predicted(session: Session) -> Prediction:
    """Wait for the prediction at the word looked at."""

    def done() -> bool:
        frame = session.update()
        session.fixed_points.request(frame)
        found = session.fixed_points.prediction(frame)
        return found is not None and found.at == frame.word

    wait(done)
    found = session.fixed_points.prediction(session.frame())
    assert found is not None
    return found


def plain(session: Session, word: int, point: int | None = None) -> tuple[list[float], np.ndarray]:
    """Compute the prediction word by word, at the nearest points or at one point."""
    network, points = session.stream.snapshot.network, settle(session).found.points
    assert points is not None
    cell = network.cell.to(dtype=torch.float64)
    states = np.concatenate([session.read(part, 0, word + 1) for part in ("h", "c")], axis=1).astype(float)
    x = network.embed(torch.from_numpy(session.stream.snapshot.ids.copy()).long()).double()

    def run(state: np.ndarray, first: int, k: int) -> list[np.ndarray]:
        nearest = np.linalg.norm(points.states - state, axis=1).argmin() if point is None else point
        base, clamps = torch.from_numpy(points.states[nearest]), torch.from_numpy(points.inputs[nearest])
        a, b = torch.autograd.functional.jacobian(lambda s, i: cell.step(i, s)[0], (base, clamps))
        path, now = [], torch.from_numpy(state)
        for t in range(first, first + k):
            now = cell.step(clamps, base)[0] + a @ (now - base) + b @ (x[t] - clamps)
            path.append(now.numpy())
        return path

    explained = []
    for k in AHEAD:
        error = moved = 0.0
        for t in range(word + 1 - max(AHEAD)):
            error += ((run(states[t], t + 1, k)[-1] - states[t + k]) ** 2).sum()
            moved += ((states[t] - states[t + k]) ** 2).sum()
        explained.append(1 - error / moved)
    ahead = min(max(AHEAD), len(x) - word - 1)
    return explained, np.array([states[-1], *run(states[-1], word + 1, ahead)])[:, :12]


def test_the_numbers_equal_a_plain_recomputation_and_so_does_the_path(session: Session) -> None:
    session.look_at(39)
    found = predicted(session)
    explained, path = plain(session, 39)
    assert found.words == 40
    assert found.explained == pytest.approx(explained, rel=1e-4)
    np.testing.assert_allclose(found.path, path, atol=1e-4)


def test_with_a_point_selected_the_numbers_and_the_path_are_those_of_its_map(session: Session) -> None:
    session.look_at(39)
    nearest, points = predicted(session), settle(session)
    state = session.read("h", 39, 40)[0]
    distance = np.linalg.norm(points.h[: points.certified] - state, axis=1)
    far = int(distance.argmax())
    assert points.certified > 1
    session.fixed_points.select(far)
    found = predicted(session)
    explained, path = plain(session, 39, far)
    assert found.explained == pytest.approx(explained, rel=1e-4)
    np.testing.assert_allclose(found.path, path, atol=1e-4)
    assert found.explained != pytest.approx(nearest.explained, rel=1e-3)
    session.fixed_points.select(points.certified)  # a word, which has no linear map here
    frame = session.update()
    session.fixed_points.request(frame)
    assert session.fixed_points.prediction(frame) is None


def test_the_path_ends_with_the_review(session: Session) -> None:
    words = session.stream.snapshot.words
    session.stream.seek(words)
    wait(lambda: session.stream.snapshot.time == words)
    assert len(predicted(session).path) == 1
    session.look_at(words - 4)
    assert len(predicted(session).path) == 4


def test_the_scene_draws_the_path_from_the_state_looked_at(session: Session) -> None:
    session.look_at(39)
    predicted(session)
    scene = session.fixed_points.scene(session.frame())
    assert scene is not None
    assert len(scene.path) == 11
    np.testing.assert_allclose(scene.path[0], scene.trail[-1], atol=1e-6)


def test_few_words_give_no_value_for_ten_ahead(session: Session) -> None:
    session.look_at(8)
    one, five, ten = predicted(session).explained
    assert math.isfinite(one)
    assert math.isnan(five)
    assert math.isnan(ten)


def test_it_is_computed_once_for_a_word_and_once_a_period_while_reading(session: Session) -> None:
    core, runner, now = session.core, CountingJobs(), [1000.0]
    points, predictor = settle(session), LinearPredictor(core, runner, lambda: now[0])
    session.look_at(20)
    for _ in range(5):
        predictor.request(points, session.frame())
    assert runner.started == ["judge"]
    session.playback.follow()
    frame = session.frame()
    reading = replace(frame, snapshot=replace(frame.snapshot, playing=True))
    judged = []
    for word in range(30, 50):
        now[0] = 1000 + word * PERIOD / 10
        before = len(runner.started)
        predictor.request(points, replace(reading, word=word))
        judged += [word] * (len(runner.started) - before)
    assert judged == [30, 40]


def test_without_points_or_words_there_is_no_prediction() -> None:
    session = open_session(search=True)
    session.fixed_points.request(session.frame())
    assert session.fixed_points.prediction(session.frame()) is None
    settle(session)
    assert session.fixed_points.prediction(session.frame()) is None  # no word is read
    session.close()


class CoreWithoutMemory(Core):
    """A core whose c is not stored, as in some recordings."""

    def read(self, name: str, start: int, stop: int) -> NDArray[np.float32]:
        return super().read(name, start, stop)[: 0 if name == "c" else None]


def test_an_incomplete_state_is_not_judged(session: Session) -> None:
    points, runner = settle(session), CountingJobs()
    predictor = LinearPredictor(CoreWithoutMemory(session.stream, REVIEWS), runner)
    session.look_at(30)
    predictor.request(points, session.frame())
    assert predictor.result(points, session.frame()) is None
    assert runner.started == []
