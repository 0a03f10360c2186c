"""Steering: mean final states against plain steps, and additions to the state of a live run against a plain loop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from engine.live.pushes import MOST, Push, additions, checked, same_pushes
from engine.live.stream import Stream
from engine.recording import record
from engine.reviews import Review
from engine.steering import mean_final_state
from tests.explorer.small import REVIEWS, small_network, wait


def test_the_mean_final_state_by_plain_steps() -> None:
    network = small_network()
    reviews = [np.array(ids, dtype=np.int32) for ids in ([2, 3, 4], [5, 6], [7])]
    ends = []
    for ids in reviews:
        state, _ = network.cell.run(network.embed(ids))
        ends.append(state.numpy())
    done: list[int] = []
    found = mean_final_state(network, reviews, progress=lambda count: not done.append(count))  # type: ignore[func-returns-value]
    assert found == pytest.approx(np.mean(ends, axis=0), abs=1e-6)
    assert done == [3]
    assert mean_final_state(network, reviews, progress=lambda _: False) is None
    with pytest.raises(ValueError, match="no review"):
        mean_final_state(network, [])


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
def test_a_steered_run_is_a_plain_loop_with_additions(device: str) -> None:
    network, words = small_network(), 40
    generator = np.random.default_rng(0)
    pushes = [Push(word, generator.normal(0, 0.5, 24).astype(np.float32), f"at {word}") for word in (9, 30, 9)]
    clamps = {"h": np.full(12, np.nan, dtype=np.float32), "c": np.full(12, np.nan, dtype=np.float32)}
    clamps["h"][2], clamps["c"][5] = 0.1, -0.4
    stream = Stream(network, device=device)
    stream.open(Review("first", " ".join(REVIEWS[0].words[:words])))
    stream.clamp(clamps)
    stream.seek(words)
    stream.steer(pushes)
    wait(lambda: bool(stream.snapshot.pushes) and stream.snapshot.time == words)
    x = network.embed(stream.snapshot.ids)
    state, held = torch.zeros(24), {name: torch.from_numpy(values) for name, values in clamps.items()}
    free = torch.ones(24)
    free[[2, 12 + 5]] = 0
    for word in range(words):
        state, _ = network.cell.step(x[word], state, held)
        for push in pushes:
            if push.word == word:
                state = state + free * torch.from_numpy(push.addition)
        assert stream.read("h", word, word + 1)[0] == pytest.approx(state[:12].numpy(), abs=1e-5), word
        assert stream.read("c", word, word + 1)[0] == pytest.approx(state[12:].numpy(), abs=1e-5), word
    logit = float(state[:12] @ network.readout_weight[0] + network.readout_bias[0])
    assert stream.snapshot.probability == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-5)
    assert [push.label for push in stream.snapshot.pushes] == ["at 9", "at 30", "at 9"]
    stream.seek(20)  # back to a stored state, then on: the same again
    wait(lambda: stream.snapshot.time == 20)
    stream.seek(words)
    wait(lambda: stream.snapshot.time == words)
    assert stream.read("h", words - 1, words)[0] == pytest.approx(state[:12].numpy(), abs=1e-5)
    stream.close()


def test_another_review_and_another_network_are_not_steered() -> None:
    network = small_network()
    stream = Stream(network)
    changes: list[Callable[[], None]] = [
        lambda: stream.open(REVIEWS, 1),
        lambda: stream.use_network(small_network(seed=1)),
    ]
    for change in changes:
        stream.open(REVIEWS, 0)
        stream.seek(20)
        stream.steer([Push(5, np.ones(24, dtype=np.float32), "one")])
        wait(lambda: bool(stream.snapshot.pushes) and stream.snapshot.time == 20)
        change()
        wait(lambda: not stream.snapshot.pushes)
        stream.seek(10)
        wait(lambda: stream.snapshot.time == 10)
        plain = record(stream.snapshot.network, stream.snapshot.ids[:10])["h"][0]
        assert stream.read("h", 9, 10)[0] == pytest.approx(plain[9], abs=1e-6)
    stream.close()


def test_what_does_not_fit_is_refused() -> None:
    one = Push(3, np.ones(4, dtype=np.float32), "one")
    assert checked([one], 4, 4) == (one,)
    with pytest.raises(ValueError, match="words 0 to 2"):
        checked([one], 3, 4)
    with pytest.raises(ValueError, match="5 finite numbers"):
        checked([one], 4, 5)
    with pytest.raises(ValueError, match="undo some first"):
        checked([one] * (MOST + 1), 4, 4)


def test_additions_after_one_word_are_summed_and_leave_the_vectors_as_they_are() -> None:
    one = Push(3, np.ones(4, dtype=np.float32), "one")
    clamps = {"c": np.array([0.5, np.nan], dtype=np.float32)}
    assert additions([one, one], clamps, ("h", "c"))[3].tolist() == [2, 2, 0, 2]
    assert additions([one], clamps, ("h", "c"))[3].tolist() == [1, 1, 0, 1]
    assert one.addition.tolist() == [1, 1, 1, 1]


def test_equal_pushes_are_recognised() -> None:
    one, same, other = (Push(3, np.full(2, value, dtype=np.float32), "one") for value in (1, 1, 2))
    assert same_pushes((one,), (same,))
    assert not same_pushes((one,), (other,))
    assert not same_pushes((one,), ())
