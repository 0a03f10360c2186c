"""Silencing cells live: the others, the prediction and the attractor follow, and one key undoes it.

A silenced cell goes on computing, but what everyone else hears of it is one constant, the mean of its h so far. That
is the functional test of a dead cell: holding it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.network import Network
    from explorer.session.model import Session


def silenced(network: Network, held: Mapping[int, float]) -> Network:
    """The network in which the cells of ``held`` (cell → value of h) are heard as constants.

    Their columns of the recurrent and the readout weights become parts of the biases.
    """
    import torch

    from engine.network import Network

    cells = torch.tensor(sorted(held), dtype=torch.long)
    weights = {name: weight.clone() for name, weight in network.cell.weights().items()}
    readout = network.readout_weight.clone()
    values = torch.tensor([held[int(cell)] for cell in cells], dtype=readout.dtype, device=readout.device)
    # The GRU's reset gate multiplies U h and the hidden bias alike, so what was U h becomes a part of that.
    bias = "bias_hh" if "bias_hh" in weights else "bias"
    weights[bias] = weights[bias] + weights["weight_hh"][:, cells] @ values
    bias_of_readout = network.readout_bias + readout[:, cells] @ values
    weights["weight_hh"][:, cells] = 0
    readout[:, cells] = 0
    return Network(
        type(network.cell)(**weights),
        readout,
        bias_of_readout,
        embedding=network.embedding,
        vocabulary=network.vocabulary,
        name=network.name,
        task=network.task,
        info=network.info,
    )


class Silencing:
    """Which cells are silenced. Actions of the table that silence are methods here."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._whole: Network | None = None
        self._held: dict[int, float] = {}
        self._used: Network | None = None

    @property
    def cells(self) -> frozenset[int]:
        """The silenced cells of the network that is watched."""
        return frozenset(self._held) if self._session.stream.snapshot.network is self._used else frozenset()

    def silence(self) -> None:
        """Silence the selected cell, or let it speak again; without a selection let all speak."""
        cell = self._session.choices.selected
        held = set(self.cells)
        if cell is None:
            if not held:
                self._refuse("no cell is selected: choose one with ↑ ↓ or a click, then silence it")
            self._hold(set())
        else:
            self._hold(held ^ {cell})

    def silence_dead(self) -> None:
        """Silence all dead cells; if any cell is silenced, let all speak."""
        dead = set(np.flatnonzero(self._session.stream.snapshot.dead).tolist())
        if not self.cells and not dead:
            self._refuse("no cell is dead in the last words")
        self._hold(set() if self.cells else dead)

    def _hold(self, cells: set[int]) -> None:
        session, present = self._session, self._session.stream.snapshot.network
        if present is not self._used or self._whole is None:
            self._whole, self._held = present, {}
        time = session.stream.snapshot.time
        h = session.read("h", 0, time)
        means = h.mean(axis=0) if len(h) and h.shape[1] == present.cell.size else np.zeros(present.cell.size)
        self._held = {cell: self._held.get(cell, float(means[cell])) for cell in cells}
        self._used = silenced(self._whole, self._held) if cells else self._whole
        session.stream.use(self._used)
        speak = f"{len(cells)} of {present.cell.size} cells are silenced, each held at the mean of its h"
        session.note = speak if cells else "every cell speaks again"

    def _refuse(self, reason: str) -> None:
        from explorer.session.model import SessionError

        raise SessionError(reason)
