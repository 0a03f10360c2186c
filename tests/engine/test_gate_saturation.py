"""Saturation of the gates against a plain loop over plain steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.cells import TRAINED
from engine.gate_saturation import GateSaturation, corpus_saturation, gate_names, saturation_of
from engine.network import Network
from engine.recording import record_reference
from tests.engine.test_attribution import network


def wide(kind: str) -> Network:
    """A network whose gates are often saturated."""
    net = network(kind)
    net.cell.weight_ih *= 8
    return net


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_fractions_are_those_of_a_plain_count(kind: str) -> None:
    net, generator = wide(kind), np.random.default_rng(0)
    reviews = [generator.integers(2, 6, length).astype(np.int32) for length in (9, 1, 5, *[4] * 15)]
    clamp = {gate_names(net.cell)[0]: np.array([0.95, *[np.nan] * 4], dtype=np.float32)}
    parts: list[GateSaturation] = []
    found = corpus_saturation(net, reviews, clamp=clamp, progress=lambda part: not parts.append(part))  # type: ignore[func-returns-value]
    words = sum(map(len, reviews))
    for k, gate in enumerate(found.gates):
        rows = torch.cat([torch.from_numpy(record_reference(net, ids, clamp=clamp)[gate][0]) for ids in reviews])
        for cell in range(5):
            values = rows[:, cell].tolist()
            assert found.left[k, cell] == pytest.approx(sum(value < 0.1 for value in values) / words)
            assert found.right[k, cell] == pytest.approx(sum(value > 0.9 for value in values) / words)
    assert found.right[0, 0] == 1
    assert 0 < found.left.mean() < 1
    assert (found.reviews, found.words) == (18, words)
    assert [part.reviews for part in parts] == [16, 18]
    assert corpus_saturation(net, reviews, progress=lambda _: False).reviews == 16


def test_a_review_alone_gives_the_same() -> None:
    net, ids = wide("lstm"), np.array([2, 3, 4, 5, 2, 2], dtype=np.int32)
    gates = gate_names(net.cell)
    alone = saturation_of({gate: record_reference(net, ids)[gate][0] for gate in gates})
    both = corpus_saturation(net, [ids])
    assert alone.left == pytest.approx(both.left)
    assert alone.right == pytest.approx(both.right)
    assert (alone.gates, alone.words) == (both.gates, both.words)


def test_which_signals_are_gates() -> None:
    assert {kind: gate_names(network(kind).cell) for kind in TRAINED} == {
        "rnn": (), "gru": ("r", "z"), "lstm": ("i", "f", "o"),
    }  # fmt: skip
    with pytest.raises(ValueError, match="no gate between 0 and 1"):
        corpus_saturation(network("rnn"), [np.array([2])])
    with pytest.raises(ValueError, match="no review to read"):
        corpus_saturation(network("gru"), [])
