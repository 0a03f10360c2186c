"""Ablating cells and clamping signals while the network reads. Every analysis follows; one action undoes all.

Ablation here is mean-ablation: h of a cell is clamped at its mean so far. That is the functional test of a dead cell,
because the layers above then get a constant from it. Any other signal of a cell can be clamped at a value, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.number_format import significant
from explorer.session.core import UNDOABLE, Core, SessionError
from explorer.session.views.clamps import clamp_summary
from explorer.session.views.number_format import cell_name, number
from explorer.session.views.units import unit_names

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from engine.network import Network

Clamps = Mapping[str, NDArray[np.float32]]
"""Signal → values (n,), NaN where a cell is not clamped."""


class AblationController:
    """The ablated and clamped cells of the present network."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._requested: tuple[Network, Clamps] | None = None
        # Before each change: its number, and what it changed, with the cells of `_together`.
        self._history: list[tuple[int, Network, Clamps, set[int]]] = []
        self._together: set[int] = set()  # the cells that `ablate_dead` ablated
        self._clamped: tuple[Network, Clamps, Network] | None = None

    def network(self, snapshot: Snapshot) -> Network:
        """Return the network with its clamps built into the weights, for analyses of the weights."""
        if not snapshot.clamps:
            return snapshot.network
        cached = self._clamped
        if cached is None or cached[0] is not snapshot.network or cached[1] is not snapshot.clamps:
            from engine.ablation import clamped_network

            cached = snapshot.network, snapshot.clamps, clamped_network(snapshot.network, snapshot.clamps)
            self._clamped = cached
        return cached[2]

    # ---- actions ---------------------------------------------------------------------------------------------

    def ablate(self) -> None:
        """Ablate the selected cell, or restore it; with no cell selected restore all ablated cells.

        Raises
        ------
        SessionError
            If no cell is selected and none is ablated.
        """
        cell, ablated = self._core.choices.selected, self._clamped_cells("h")
        if cell is None and not ablated:
            keys = self._core.key_of("select-up", "select-down")
            raise SessionError(f"no cell is selected: choose one with {keys} or a click, then ablate it")
        changed = {cell} if cell is not None else ablated
        self._ablate(ablated ^ changed, self._together - changed)

    def ablate_dead(self) -> None:
        """Ablate all dead cells, or restore those that this action ablated; a cell ablated by itself stays ablated.

        Raises
        ------
        SessionError
            If this action has ablated no cell, and no other cell is dead.
        """
        snapshot = self._core.snapshot
        moment = self._core.moment(snapshot, self._core.valid_choices(snapshot))
        ablated, dead = self._clamped_cells("h"), set(np.flatnonzero(moment.dead).tolist())
        if self.dead_are_ablated:
            self._ablate(ablated - self._together, set())
            return
        if not dead - ablated:
            units = unit_names(snapshot.network).units
            raise SessionError(f"no other cell is dead in the last {snapshot.window} {units} before the one looked at")
        self._ablate(ablated | dead, dead - ablated)

    @property
    def dead_are_ablated(self) -> bool:
        """Whether `ablate_dead` would restore cells."""
        return bool(self._together & self._clamped_cells("h"))

    def undo_last(self) -> None:
        """Undo the last change of ablated and clamped cells, be it an ablation, a clamp or a restoration.

        Raises
        ------
        SessionError
            If there is none in the present network.
        """
        if not self.newest_change:
            raise SessionError("nothing to undo: no cell of this network was ablated or clamped")
        *_, clamps, self._together = self._history.pop()
        self._request(clamps)
        left = clamp_summary(clamps)
        self._core.note = f"undone: {left} ({self._undo_hint})" if left else "undone: no cell is ablated or clamped"

    @property
    def newest_change(self) -> int:
        """The number of the change that `undo_last` would undo; 0 if there is none in the present network."""
        network, clamps = self._core.snapshot.network, self._clamps
        self._history = [entry for entry in self._history if entry[1] is network]
        while self._history and _equal(self._history[-1][2], clamps):  # the engine refused that change
            self._history.pop()
        return self._history[-1][0] if self._history else 0

    def undo(self) -> None:
        """Undo every ablation and clamp.

        Raises
        ------
        SessionError
            If there is none.
        """
        if not self._clamps:
            raise SessionError("the network is as it was trained: no cell is ablated or clamped")
        self._clamp({}, set())
        again = self._core.key_of("undo")
        self._core.note = f"no cell is ablated or clamped any more ({again} undoes)"

    # ---- with an argument ------------------------------------------------------------------------------------

    @property
    def question(self) -> str:
        """Signal and cells that `clamp_at` would clamp now, such as ``f of cell #003, 0.93 on average so far``.

        Raises
        ------
        SessionError
            If the chosen signal is the input.
        """
        name, cells, means = self._chosen()
        owner = f"cell {cell_name(cells[0])}" if len(cells) == 1 else f"all {len(cells)} cells"
        average = float(means[cells].mean())
        return f"{name} of {owner}" + (f", {number(average)} on average so far" if math.isfinite(average) else "")

    def clamp_at(self, text: str) -> None:
        """Clamp the chosen signal of the selected cell, or of all cells.

        Parameters
        ----------
        text : str
            The value; empty for the mean of each cell so far.

        Raises
        ------
        SessionError
            If the signal cannot take that value.
        """
        name, cells, means = self._chosen()
        signal = next(s for s in self._core.snapshot.network.signals if s.name == name)
        values = means[cells]
        if text.strip():
            try:
                values = np.full(len(cells), float(text), dtype=np.float32)
            except ValueError:
                raise SessionError(f"{text.strip()!r} is no number: enter one such as 0.5") from None
        if not np.isfinite(values).all():
            raise SessionError("enter a finite number: no word is read yet, so there is no mean")
        if not ((signal.low <= values) & (values <= signal.high)).all():
            limits = f"{name} lies between {significant(signal.low)} and {significant(signal.high)}"
            raise SessionError(f"{limits}: it cannot be clamped at {text.strip()}")
        clamps = self._clamps.get(name, np.full(len(means), np.nan, dtype=np.float32)).copy()
        clamps[cells] = values
        self._clamp({**self._clamps, name: clamps})
        at = "the mean of each" if not text.strip() else significant(float(values[0]))
        self._core.note = f"clamped at {at}: {name} of {len(cells)} of {len(means)} cells ({self._undo_hint})"

    def forget_request(self) -> None:
        """Forget what was requested, because the engine refused it; its own state counts."""
        self._requested = None

    # ---- internals -------------------------------------------------------------------------------------------

    @property
    def _clamps(self) -> Clamps:
        """Clamps requested for the present network; the engine may not have applied them yet."""
        snapshot = self._core.snapshot
        if self._requested is None or self._requested[0] is not snapshot.network:
            return snapshot.clamps
        return self._requested[1]

    @property
    def _undo_hint(self) -> str:
        return f"{self._core.key_of('undo-ablation')} restores"

    def _clamped_cells(self, signal: str) -> set[int]:
        return set(np.flatnonzero(~np.isnan(self._clamps.get(signal, np.empty(0)))).tolist())

    def _chosen(self) -> tuple[str, list[int], NDArray[np.float32]]:
        """Return the chosen signal, the cells it would be clamped in, and every cell's mean so far."""
        choices, size = self._core.choices, self._core.snapshot.network.cell.size
        if choices.signal == "x":
            key = self._core.key_of("signal")
            raise SessionError(f"x is the input, which belongs to no cell: choose a gate with {key}, then clamp it")
        cells = [*range(size)] if choices.selected is None else [choices.selected]
        return choices.signal, cells, self._means(choices.signal)

    def _means(self, signal: str) -> NDArray[np.float32]:
        snapshot = self._core.snapshot
        values = self._core.read(signal, 0, snapshot.time)
        return values.mean(axis=0) if len(values) else np.full(snapshot.network.cell.size, np.nan, dtype=np.float32)

    def _ablate(self, cells: set[int], together: set[int]) -> None:
        """Ablate these cells and no others; ``together`` are those ablated as dead.

        Cells that are already ablated keep their value.
        """
        means = np.nan_to_num(self._means("h"))  # before the first word: the initial state, 0
        before = self._clamps.get("h", np.full(len(means), np.nan, dtype=np.float32))
        h = np.where(np.isnan(before), means, before)
        h[[cell for cell in range(len(h)) if cell not in cells]] = np.nan
        clamps = {name: values for name, values in self._clamps.items() if name != "h"}
        self._clamp(clamps | {"h": h} if cells else clamps, together)
        ablated = f"{len(cells)} of {len(h)} cells ablated, each with h clamped at its mean ({self._undo_hint})"
        self._core.note = ablated if cells else "every ablated cell is restored"

    def _clamp(self, clamps: Clamps, together: set[int] | None = None) -> None:
        """Clamp these signals and no others; ``together`` are the cells that `ablate_dead` ablated, if they change."""
        self._history.append((next(self._core.changes), self._core.snapshot.network, self._clamps, self._together))
        del self._history[:-UNDOABLE]
        if together is not None:
            self._together = together
        self._request(clamps)

    def _request(self, clamps: Clamps) -> None:
        self._requested = self._core.snapshot.network, clamps
        self._core.stream.clamp(clamps)


def _equal(first: Clamps, second: Clamps) -> bool:
    return first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name], equal_nan=True) for name in first
    )
