"""How far the linear map at the nearest point tells the words that come, against a plain recomputation."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
import torch

from explorer.session.controllers.linear_prediction import AHEAD, PACE, Foretold
from explorer.session.session import Frame, Session
from explorer.session.views.point_map import PointMap
from tests.explorer.small import open_session, settle, wait


@pytest.fixture
def session(searched: Session) -> Session:
    return searched


def foretold(session: Session) -> Foretold:
    found = session.points.foretold(session.frame())
    assert found is not None
    return found


def plain(session: Session, word: int) -> tuple[list[float], np.ndarray]:
    """The same, word by word."""
    network, points = session.stream.snapshot.network, settle(session).found.points
    assert points is not None
    cell = network.cell.to(dtype=torch.float64)
    states = np.concatenate([session.read(part, 0, word + 1) for part in ("h", "c")], axis=1).astype(float)
    x = network.embed(torch.from_numpy(session.stream.snapshot.ids.copy()).long()).double()

    def run(state: np.ndarray, first: int, k: int) -> list[np.ndarray]:
        nearest = np.linalg.norm(points.states - state, axis=1).argmin()
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
    told = foretold(session)
    explained, path = plain(session, 39)
    assert told.words == 40
    assert told.explained == pytest.approx(explained, rel=1e-4)
    np.testing.assert_allclose(told.path, path, atol=1e-4)


def test_the_path_ends_with_the_review(session: Session) -> None:
    words = session.stream.snapshot.words
    session.stream.seek(words)
    wait(lambda: session.stream.snapshot.time == words)
    assert len(foretold(session).path) == 1
    session.look_at(words - 4)
    assert len(foretold(session).path) == 4


def test_the_scene_draws_the_path_from_the_state_looked_at(session: Session) -> None:
    session.look_at(39)
    scene = session.points.scene(session.frame())
    assert scene is not None
    assert len(scene.path) == 11
    np.testing.assert_allclose(scene.path[0], scene.trail[-1], atol=1e-6)


def test_few_words_tell_nothing_of_ten_ahead(session: Session) -> None:
    session.look_at(8)
    one, five, ten = foretold(session).explained
    assert math.isfinite(one)
    assert math.isnan(five)
    assert math.isnan(ten)


def test_it_is_computed_once_for_a_word_and_now_and_then_while_reading(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    judged: list[int] = []
    judge = session.points._foretelling._judge

    def counted(map: PointMap, frame: Frame) -> Any:
        judged.append(frame.word)
        return judge(map, frame)

    monkeypatch.setattr(session.points._foretelling, "_judge", counted)
    session.look_at(20)
    for _ in range(5):
        foretold(session)
    assert judged == [20]
    session.live()
    frame = session.frame()
    reading = replace(frame, snapshot=replace(frame.snapshot, playing=True))
    for word in range(30, 50):
        monkeypatch.setattr(time, "monotonic", lambda: 1000 + word * PACE / 10)
        session.points.foretold(replace(reading, word=word))
    assert judged == [20, 30, 40]


def test_without_points_or_words_there_is_nothing() -> None:
    session = open_session(search=True)
    assert session.points.foretold(session.frame()) is None
    settle(session)
    assert session.points.foretold(session.frame()) is None  # no word is read
    session.close()


def test_a_state_that_is_not_whole_is_not_judged(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    read = session.read
    session.look_at(30)
    monkeypatch.setattr(session, "read", lambda name, a, b: read(name, a, b)[: 0 if name == "c" else None])
    assert session.points.foretold(session.frame()) is None


def test_maps_are_made_once(session: Session) -> None:
    foretold(session)
    maps = session.points._foretelling._maps
    session.look_at(50)
    foretold(session)
    assert session.points._foretelling._maps is maps
