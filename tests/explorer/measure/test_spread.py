"""Measurements made elsewhere are the cached results of a study."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.network import Network
from engine.points import FixedPoints
from engine.sweeps.shards import map_shards
from explorer.commands.points import search
from explorer.measure.study.cache import cache_file, cached
from explorer.measure.study.spread import Call, fill_cache


def measure(number: int, reviews: list[int], folder: Path) -> int:
    return cached(cache_file(folder, "net", number, reviews), lambda: number + sum(reviews), int)


def test_the_cache_is_filled_once(tmp_path: Path) -> None:
    calls = [Call(f"network {k}", (k,), measure, (k,)) for k in range(3)]
    fill_cache(tmp_path, None, calls, ([1, 2],))
    files = sorted(path.name for path in tmp_path.glob("*.json"))
    assert files == sorted(cache_file(tmp_path, "net", k, [1, 2]).name for k in range(3))

    def fail() -> None:
        raise AssertionError("the result is in the cache")

    assert [cached(cache_file(tmp_path, "net", k, [1, 2]), fail, int) for k in range(3)] == [3, 4, 5]
    fill_cache(tmp_path, None, [Call("network 1", (1,), fail, ())], ())  # nothing is left to compute


def test_points_are_the_same_when_their_inputs_are_spread() -> None:
    network = Network.load("rnn-16-flip-flop-3")
    options = {"count": 16, "seed": 3, "cache": False}
    together = search(network, ["zero", "+1"], "cpu", options)
    calls = {name: (network, [name], "cpu", options) for name in ("zero", "+1")}
    spread = FixedPoints.concatenate(map_shards(search, calls, None))
    assert spread.starts == together.starts
    for name in ("hits", "input_names", "index"):
        np.testing.assert_array_equal(getattr(spread, name), getattr(together, name))
    np.testing.assert_allclose(spread.states, together.states, rtol=0, atol=1e-13)  # batches of other sizes
