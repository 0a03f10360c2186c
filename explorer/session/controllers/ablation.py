"""Changing the network while it reads: silenced cells and held gates. Everything measured follows; one key undoes all.

A silenced cell is one whose h is held at its mean so far, which is the functional test of a dead cell: nobody hears
more of it than a constant. Any other signal of a cell can be held at a value in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.live.stream import Snapshot
    from engine.network import Network
    from explorer.session.session import Session

Clamps = Mapping[str, NDArray[np.float32]]
"""Signal → values (n,), NaN where a cell is free."""


class AblationController:
    """What is silenced and held. Actions of the table that change the network are methods here."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked: tuple[Network, Clamps] | None = None
        self._searched: tuple[Network, Clamps, Network] | None = None

    # ---- what faces draw -------------------------------------------------------------------------------------

    def network(self, snapshot: Snapshot) -> Network:
        """The network that is really at work, for what looks at its weights."""
        if not snapshot.clamps:
            return snapshot.network
        known = self._searched
        if known is None or known[0] is not snapshot.network or known[1] is not snapshot.clamps:
            from engine.ablation import clamped_network

            known = snapshot.network, snapshot.clamps, clamped_network(snapshot.network, snapshot.clamps)
            self._searched = known
        return known[2]

    # ---- actions ---------------------------------------------------------------------------------------------

    def ablate(self) -> None:
        """Silence the selected cell, or let it speak again; without a selection let all silenced ones speak."""
        cell, silenced = self._session.choices.selected, self._cells("h")
        if cell is None and not silenced:
            keys = self._session.key_of("select-up", "select-down")
            self._refuse(f"no cell is selected: choose one with {keys} or a click, then silence it")
        self._silence(silenced ^ {cell} if cell is not None else set())

    def ablate_dead(self) -> None:
        """Silence all dead cells; if any cell is silenced, let all speak."""
        dead = set(np.flatnonzero(self._session.stream.snapshot.dead).tolist())
        if not self._cells("h") and not dead:
            self._refuse("no cell is dead in the last words")
        self._silence(set() if self._cells("h") else dead)

    def undo_ablation(self) -> None:
        """Undo every change of the network."""
        if not self._clamps:
            self._refuse("the network is as it was trained: nothing is silenced or held")
        self._clamp({})
        self._session.note = "nothing is silenced or held any more"

    # ---- what faces call with an argument ---------------------------------------------------------------------

    @property
    def question(self) -> str:
        """What `hold_at` would hold now: ``f of cell #3, .93 on average so far``.

        Raises
        ------
        SessionError
            If it is the input.
        """
        name, cells, means = self._chosen()
        whose = f"cell #{cells[0]}" if len(cells) == 1 else f"all {len(cells)} cells"
        average = float(means[cells].mean())
        return f"{name} of {whose}" + (f", {average:.2f} on average so far" if math.isfinite(average) else "")

    def clamp_at(self, text: str) -> None:
        """Hold the chosen signal of the selected cell, or of all, at a typed value; each at its mean for no text.

        Raises
        ------
        SessionError
            If it cannot be held there; the message says why.
        """
        name, cells, means = self._chosen()
        signal = next(s for s in self._session.stream.snapshot.network.signals if s.name == name)
        values = means[cells]
        if text.strip():
            try:
                values = np.full(len(cells), float(text), dtype=np.float32)
            except ValueError:
                self._refuse(f"{text.strip()!r} is no number: give one such as 0.5")
        if not np.isfinite(values).all():
            self._refuse("give a number: no word is read yet, so there is no mean")
        if not ((signal.low <= values) & (values <= signal.high)).all():
            self._refuse(f"{name} lies between {signal.low:g} and {signal.high:g}: it cannot be held at {text.strip()}")
        clamps = self._clamps.get(name, np.full(len(means), np.nan, dtype=np.float32)).copy()
        clamps[cells] = values
        self._clamp({**self._clamps, name: clamps})
        at = "the mean of each" if not text.strip() else f"{values[0]:g}"
        self._session.note = f"held at {at}: {name} of {len(cells)} of {len(means)} cells ({self._undo})"

    def forget(self) -> None:
        """What was asked for may have failed: what the engine holds is what counts."""
        self._asked = None

    # ---- inside ----------------------------------------------------------------------------------------------

    @property
    def _clamps(self) -> Clamps:
        """What is asked for of the present network; the engine may not have got there yet."""
        snapshot = self._session.stream.snapshot
        if self._asked is None or self._asked[0] is not snapshot.network:
            self._asked = snapshot.network, snapshot.clamps
        return self._asked[1]

    @property
    def _undo(self) -> str:
        return f"{self._session.key_of('undo-ablation')} undoes"

    def _cells(self, signal: str) -> set[int]:
        return set(np.flatnonzero(~np.isnan(self._clamps.get(signal, np.empty(0)))).tolist())

    def _chosen(self) -> tuple[str, list[int], NDArray[np.float32]]:
        """The chosen signal, the cells that are meant, and every cell's mean so far."""
        choices, size = self._session.choices, self._session.stream.snapshot.network.cell.size
        if choices.signal == "x":
            key = self._session.key_of("signal")
            self._refuse(f"x is the input, not a cell's: choose a gate with {key}, then hold it")
        cells = [*range(size)] if choices.selected is None else [choices.selected]
        return choices.signal, cells, self._means(choices.signal)

    def _means(self, signal: str) -> NDArray[np.float32]:
        size = self._session.stream.snapshot.network.cell.size
        values = self._session.read(signal, 0, self._session.stream.snapshot.time)
        return values.mean(axis=0) if len(values) else np.full(size, np.nan, dtype=np.float32)

    def _silence(self, cells: set[int]) -> None:
        means = np.nan_to_num(self._means("h"))  # 0 is where every cell begins
        before = self._clamps.get("h", np.full(len(means), np.nan, dtype=np.float32))
        h = np.where(np.isnan(before), means, before)
        h[[cell for cell in range(len(h)) if cell not in cells]] = np.nan
        clamps = {name: values for name, values in self._clamps.items() if name != "h"}
        self._clamp(clamps | {"h": h} if cells else clamps)
        speak = f"{len(cells)} of {len(h)} cells are silenced, each held at the mean of its h ({self._undo})"
        self._session.note = speak if cells else "every cell speaks again"

    def _clamp(self, clamps: Clamps) -> None:
        self._asked = self._session.stream.snapshot.network, clamps
        self._session.stream.clamp(clamps)

    def _refuse(self, reason: str) -> NoReturn:
        from explorer.session.session import SessionError

        raise SessionError(reason)


def clamped_cells(snapshot: Snapshot) -> dict[int, tuple[str, ...]]:
    """Every cell of which something is held → the names of what is."""
    found: dict[int, tuple[str, ...]] = {}
    for name, values in snapshot.clamps.items():
        for cell in np.flatnonzero(~np.isnan(values)).tolist():
            found[cell] = (*found.get(cell, ()), name)
    return found


def told(snapshot: Snapshot) -> str:
    """What is changed about the network in few words: ``silenced 2, f held 1``; empty if nothing is."""
    counts = {name: int((~np.isnan(values)).sum()) for name, values in snapshot.clamps.items()}
    return ", ".join(f"silenced {count}" if name == "h" else f"{name} held {count}" for name, count in counts.items())
