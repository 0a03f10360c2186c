"""Last states of reviews against plain steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import state_runs
from engine.network import PADDING
from engine.recipes import Recipe
from engine.recording import record_reference
from engine.state_runs import last_probability, last_states
from engine.training import untrained_network
from engine.vocabulary import Vocabulary

WORDS = 30
FRONT = (0, 3, 9, 12, 9, 12)  # steps over the padding; the review of 12 words is all padding


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_reviews_share_the_steps_over_the_padding_in_front(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = untrained_network(Recipe(cell=cell, size=12, seed=2), Vocabulary([f"w{k}" for k in range(WORDS)]))
    random = np.random.default_rng(0)
    reviews = [random.integers(1, WORDS, 12) for _ in FRONT]
    for ids, front in zip(reviews, FRONT, strict=True):
        ids[:front] = PADDING
    reviews[0][5:8] = PADDING  # within a review it is a word like others
    widths: list[int] = []
    run = state_runs._run

    def counted(*given: Any) -> Any:
        widths.append(given[1].shape[1])
        return run(*given)

    monkeypatch.setattr(state_runs, "_run", counted)
    found = last_states(network, reviews)
    assert widths == [11, 12]

    plain = record_reference(network, reviews)
    parts = ("h", "c") if cell == "lstm" else ("h",)
    np.testing.assert_allclose(found, np.concatenate([plain[name][:, -1] for name in parts], axis=1), atol=1e-6)
    np.testing.assert_allclose(last_probability(network, reviews), network.classify(reviews), atol=1e-6)
