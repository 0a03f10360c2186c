"""The formats that pinkx reads: a good file of each, how it is damaged, and what is done with what was read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.basins import Basins, basins, uniform_states
from engine.cells import GruCell
from engine.fixed_points import find_fixed_points
from engine.live.replay import Analysis, load_recording, recorded, save_recording
from engine.points import FixedPoints
from engine.recipes import Recipe
from engine.recording import record
from engine.reviews import Review
from engine.training import EncodedReviews, train_sentiment
from engine.word_attractors import WordAttractors, word_attractors
from explorer.session.keymap import actions_with, load_keys
from explorer.session.saved_state import State, load_state, save_state
from tests.explorer.small import REVIEWS, small_network
from tests.robustness import mutations
from tests.robustness.kinds import Format, read_live
from tests.robustness.network_formats import NETWORK_FORMATS
from tests.robustness.review_formats import REVIEW_FORMATS

# ---- what the program does with a file -----------------------------------------------------------------------------


def use_recording(path: Path) -> None:
    runs = load_recording(path)
    read_live(runs[0].network, runs)
    save_recording(path.with_name("again.safetensors"), runs, "0")


def use_points(path: Path) -> None:
    points = FixedPoints.load(path)
    repr(points)
    points[points.fixed].stability.tolist()
    [points.input_names.tolist(), points.time_constants, points.index_sum]
    points.save(path.with_name("again.npz"))


def use_basins(path: Path) -> None:
    found = Basins.load(path)
    found.interval()
    [(cycle.period, cycle.states.shape[1], abs(cycle.multipliers), cycle.hits) for cycle in found.cycles]
    found.save(path.with_name("again.npz"))


def use_words(path: Path) -> None:
    found = WordAttractors.load(path)
    [found.kind.tolist(), found.words[:3], found.time_constant[found.fixed], found.order_by_logit()]
    found.save(path.with_name("again.npz"))


def use_state(path: Path) -> None:
    state = load_state(path)
    if path.exists():
        save_state(state, path)


def use_checkpoint(path: Path) -> None:
    train_sentiment(_reviews(), RECIPE, checkpoint=path)


# ---- good files ----------------------------------------------------------------------------------------------------

RECIPE = Recipe(size=2, embedding=2, vocabulary=20, cut=10, epochs=1, batch=2, validation=1)


def _reviews() -> EncodedReviews:
    return EncodedReviews.from_reviews([Review("a", "a warm film", True), Review("b", "a dull one", False)] * 2, 20)


def make_recording(path: Path) -> None:
    network, review = small_network(4), REVIEWS[1]
    assert network.vocabulary is not None
    ids = network.vocabulary.encode(review.words)
    recording = record(network, ids)
    values = {name: np.asarray(recording[name]).reshape(len(ids), -1) for name in recording.names}
    values["x"] = network.embed(ids).numpy()
    analysis = Analysis(32, (4, 5, 6, 8), 0.02)
    save_recording(path, [recorded(network, review, ids, 0, values, analysis)] * 2, "0.1.0")


def make_points(path: Path) -> None:
    torch.manual_seed(0)
    cell = GruCell.from_torch(torch.nn.GRU(2, 3).double())
    find_fixed_points(cell, torch.zeros(1, 2).double(), torch.randn(8, 3).double(), input_names=["zero"]).save(path)


def make_basins(path: Path) -> None:
    torch.manual_seed(0)
    cell = GruCell.from_torch(torch.nn.GRU(2, 3).double())
    zero = torch.zeros(2).double()
    points = find_fixed_points(cell, zero[None], torch.randn(8, 3).double())
    found = basins(cell, zero, torch.from_numpy(points.states), uniform_states(cell, 16, seed=0))
    assert found is not None
    found.save(path)


def make_words(path: Path) -> None:
    found = word_attractors(small_network(3))
    assert found is not None
    found.save(path)


def make_state(path: Path) -> None:
    session: dict[str, Any] = {
        "network": "lstm-8",
        "reviews": None,
        "review": 2,
        "speed": 8.0,
        "signal": "f",
        "pins": [1, 2],
    }
    session |= {"selected": 3, "azimuth": 20.0, "own_networks": ["a"], "order": "activity", "scaling": True}
    save_state(State(session, {"tab": 1}, {"docks": "00ff", "theme": "dark"}), path)


def make_keys(path: Path) -> None:
    text = '# my keys\nplay = "f15"\nstep = ["f13", "f16"]\n"zoom" = "f17"\nhelp = \'f14\'\n'
    path.write_text(text, encoding="utf-8")


def make_checkpoint(path: Path) -> None:
    train_sentiment(_reviews(), RECIPE, checkpoint=path)


FORMATS: dict[str, Format] = {
    **NETWORK_FORMATS,
    **REVIEW_FORMATS,
    "recording": Format("r.safetensors", make_recording, mutations.damage_safetensors, use_recording),
    "points": Format("p.npz", make_points, mutations.damage_arrays, use_points),
    "basins": Format("b.npz", make_basins, mutations.damage_arrays, use_basins),
    "words": Format("w.npz", make_words, mutations.damage_arrays, use_words),
    "state": Format("state.json", make_state, mutations.damage_json, use_state),
    "keys": Format("keys.toml", make_keys, mutations.damage_lines, lambda path: actions_with(load_keys(path))),
    "checkpoint": Format("c.safetensors", make_checkpoint, mutations.damage_safetensors, use_checkpoint),
}
