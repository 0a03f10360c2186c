"""Ablation by weights equals clamping at every step."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.ablation import clamped_network
from engine.cells import GruCell, LstmCell, RnnCell
from engine.network import Network, Vocabulary
from engine.recording import record

SIZE = 5
KINDS = {kind.name: kind for kind in (RnnCell, GruCell, LstmCell)}


def network_of(name: str) -> Network:
    torch.manual_seed(3)
    kind, inputs = KINDS[name], 3
    hidden = torch.randn(kind.gates * SIZE) if name == "gru" else None
    shapes = (kind.gates * SIZE, inputs), (kind.gates * SIZE, SIZE), (kind.gates * SIZE,)
    ih, hh, bias = (0.7 * torch.randn(shape) for shape in shapes)
    cell = kind(ih, hh, bias, hidden)
    return Network(
        cell, torch.randn(1, SIZE), torch.randn(1), embedding=torch.randn(6, inputs), vocabulary=Vocabulary("abcd")
    )


def values(**cells: float) -> np.ndarray:
    """``c1=0.3``: cell 1 at 0.3, the others free."""
    out = np.full(SIZE, np.nan, dtype=np.float32)
    for cell, value in cells.items():
        out[int(cell[1:])] = value
    return out


@pytest.mark.parametrize(
    ("name", "clamps"),
    [
        ("lstm", {"i": values(c0=0.25, c3=1.0)}),
        ("lstm", {"f": np.full(SIZE, 0.5, dtype=np.float32), "o": values(c1=0.0)}),
        ("lstm", {"g": values(c2=-0.4)}),
        ("gru", {"r": values(c1=0.0), "z": values(c4=0.75)}),
        ("gru", {"n": values(c0=0.5), "h": values(c2=-0.3)}),
        ("rnn", {"h": values(c0=0.9, c3=-0.2)}),
    ],
)
def test_a_clamped_gate_is_clamped_at_every_word(name: str, clamps: dict[str, np.ndarray]) -> None:
    network, ids = network_of(name), np.arange(40) % 6
    by_weights, by_step = record(clamped_network(network, clamps), ids), record(network, ids, clamp=clamps)
    assert by_weights.probability == pytest.approx(by_step.probability, abs=1e-5)
    compared = {"h": by_weights["h"]} if "h" in clamps else {signal: by_weights[signal] for signal in by_step.names}
    for signal, found in compared.items():
        assert found == pytest.approx(by_step[signal], abs=1e-5), signal


@pytest.mark.parametrize("clamps", [{"h": values(c1=0.3, c4=-0.95)}, {"c_out": values(c0=0.9)}, {"c": values(c2=-3.0)}])
def test_a_clamped_state_of_an_lstm_has_the_same_fixed_point(clamps: dict[str, np.ndarray]) -> None:
    network, ids = network_of("lstm"), np.full(400, 3)
    by_weights, by_step = record(clamped_network(network, clamps), ids), record(network, ids, clamp=clamps)
    assert by_weights["h"][0, -1] == pytest.approx(by_step["h"][0, -1], abs=1e-4)
    assert by_weights.probability[0, -1] == pytest.approx(by_step.probability[0, -1], abs=1e-4)


def test_no_clamps_change_nothing() -> None:
    network = network_of("lstm")
    again = clamped_network(network, {})
    assert all(torch.equal(again.tensors()[name], tensor) for name, tensor in network.tensors().items())
