"""Display of the network: the signal, the cells and their order, colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from explorer.session.core import Choices, Core, Frame, SessionError, word_of
from explorer.session.moment import Moment
from explorer.session.palette import MAPS
from explorer.session.views.outputs import cell_weights
from explorer.session.views.traces import saturation_of, value_at

if TYPE_CHECKING:
    from engine.live.stream import Snapshot

ORDERS: Final = ("number", "activity", "α", "value", "weight", "saturation")
THRESHOLDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)  # steps of the dead-cell threshold
BINS: Final = ("mean", "max")
CONTRASTS: Final = ("each cell", "range", "bounds")


class Display:
    """Changes what is shown, and makes frames."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._order: NDArray[np.intp] = np.arange(core.snapshot.network.cell.size)
        self._ordered_for: tuple[object, ...] = ()

    # ---- frames ----------------------------------------------------------------------------------------------

    def frame(self) -> Frame:
        """Return the newest state; has no effect."""
        snapshot = self._core.snapshot
        choices = self._core.valid_choices(snapshot)
        word = word_of(snapshot, choices)
        moment = self._core.moment(snapshot, choices)
        stored = self._ordered_for == _order_key(snapshot, choices, word)
        order = self._order if stored else self._ordered(snapshot, choices, word, moment)
        return Frame(snapshot, choices, word, order, self._core.note, moment, self._core.replaying)

    def update(self) -> Frame:
        """Return the newest state, and store its choices and its order of cells for the frames that follow."""
        frame = self.frame()
        self._core.adopt(frame.snapshot, frame.choices)
        self._order, self._ordered_for = frame.order, _order_key(frame.snapshot, frame.choices, frame.word)
        return frame

    def _ordered(self, snapshot: Snapshot, choices: Choices, word: int, moment: Moment) -> NDArray[np.intp]:
        ranked = np.argsort(-self._rank(snapshot, choices, word, moment), kind="stable")
        pins = np.array(choices.pins, dtype=np.intp)
        return np.concatenate([pins, ranked[~np.isin(ranked, pins)]])

    def _rank(self, snapshot: Snapshot, choices: Choices, word: int, moment: Moment) -> NDArray[np.float64]:
        """Return the values by which the cells are ordered, (n,); the highest comes first."""
        size, order = snapshot.network.cell.size, choices.order
        if order == "activity":
            return np.nan_to_num(moment.activity, nan=-1.0)
        if order == "α":
            return np.nan_to_num(moment.cell_alpha, nan=-9.0)
        if order == "weight":
            return np.abs(np.nan_to_num(cell_weights(snapshot.network)))
        if order == "saturation":
            return np.nan_to_num(saturation_of(self._core, snapshot, choices.signal, word), nan=-1.0)
        if order == "value":
            return np.nan_to_num(value_at(self._core, snapshot, choices.signal, word), nan=-np.inf)
        return np.zeros(size)

    # ---- actions ---------------------------------------------------------------------------------------------

    def next_signal(self) -> None:
        """Show the next signal of the network."""
        self._turn_signal(1)

    def previous_signal(self) -> None:
        """Show the previous signal."""
        self._turn_signal(-1)

    def select_down(self) -> None:
        """Select the next cell in the order shown."""
        self._turn_selected(1)

    def select_up(self) -> None:
        """Select the previous cell in the order shown."""
        self._turn_selected(-1)

    def pin(self) -> None:
        """Pin the selected cell to the top, or unpin it.

        Raises
        ------
        SessionError
            If no cell is selected.
        """
        cell, pins = self._core.choices.selected, self._core.choices.pins
        if cell is None:
            keys = self._core.key_of("select-up", "select-down")
            raise SessionError(f"no cell is selected: choose one with {keys} or a click, then pin it")
        self._core.choose(pins=tuple(pin for pin in pins if pin != cell) if cell in pins else (*pins, cell))

    def next_order(self) -> None:
        """Order the cells by the next of ``ORDERS``."""
        self._core.choose(order=_after(ORDERS, self._core.choices.order))

    def raise_threshold(self) -> None:
        """Raise the threshold of dead cells to the next of ``THRESHOLDS``."""
        present = self._core.stream.threshold
        self._step_threshold(next((step for step in THRESHOLDS if step > present), THRESHOLDS[-1]))

    def lower_threshold(self) -> None:
        """Lower the threshold of dead cells to the previous of ``THRESHOLDS``."""
        present = self._core.stream.threshold
        self._step_threshold(next((step for step in reversed(THRESHOLDS) if step < present), THRESHOLDS[0]))

    def next_bins(self) -> None:
        """Change how cells that share a row are merged."""
        self._core.choose(bins=_after(BINS, self._core.choices.bins))

    def next_colour_map(self) -> None:
        """Use the next colour map."""
        self._core.choose(colour_map=_after(MAPS, self._core.choices.colour_map))

    def next_contrast(self) -> None:
        """Use the next of ``CONTRASTS``."""
        self._core.choose(contrast=_after(CONTRASTS, self._core.choices.contrast))

    def toggle_scaling(self) -> None:
        """Show F(s) in place of rolling α, or rolling α again."""
        self._core.choose(scaling=not self._core.choices.scaling)

    # ---- with an argument ------------------------------------------------------------------------------------

    def choose_signal(self, name: str) -> None:
        """Show a signal of the network by its name.

        Raises
        ------
        SessionError
            If the network has no such signal.
        """
        names = [signal.name for signal in self._core.snapshot.network.signals]
        if name not in names:
            raise SessionError(f"no signal {name!r}; this network has {', '.join(names)}")
        self._core.choose(signal=name)
        self._core.stream.watch(name)

    def select(self, cell: int | None) -> None:
        """Select a cell by its number, or none."""
        self._core.choose(selected=cell)

    def set_threshold(self, deviation: float) -> None:
        """Count a cell as dead if the standard deviation of its h over the window is below ``deviation``."""
        self._core.stream.set_threshold(max(0.0, deviation))

    def _step_threshold(self, deviation: float) -> None:
        self.set_threshold(deviation)
        self._core.note = f"dead cells: standard deviation of h below {deviation:g}"

    def _turn_signal(self, change: int) -> None:
        names = [signal.name for signal in self._core.snapshot.network.signals]
        here = names.index(self._core.choices.signal) if self._core.choices.signal in names else 0
        self.choose_signal(names[(here + change) % len(names)])

    def _turn_selected(self, change: int) -> None:
        order, selected = self.frame().order.tolist(), self._core.choices.selected
        if selected in order:
            place = (order.index(selected) + change) % len(order)
        else:
            place = 0 if change > 0 else len(order) - 1
        self._core.choose(selected=order[place])


def _order_key(snapshot: Snapshot, choices: Choices, word: int) -> tuple[object, ...]:
    """Return the values on which an order of cells depends.

    Rows that change places at every word cannot be followed: while reading, cells are ordered once a window.
    """
    reading = snapshot.playing and choices.cursor is None
    moment = snapshot.time // snapshot.window if reading else -word
    size = snapshot.network.cell.size
    return choices.order, choices.pins, snapshot.run, size, choices.order != "number" and moment


def _after(options: Sequence[str], present: str) -> str:
    return options[(options.index(present) + 1) % len(options)]
