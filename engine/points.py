"""FixedPoints: the result of a search, one row a point, with its certificates and its linearisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.arrays import load_arrays, save_arrays
from engine.display import ROWS, plot_points, table
from engine.number_format import significant
from engine.projection import Projection

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KIND = "fixed points of pinkx, 3"


@dataclass(frozen=True, eq=False, repr=False)
class FixedPoints:
    """Fixed and slow points of one network under one or several constant inputs.

    P points, states of size S, K modes.  An index, slice, list or mask of points returns ``FixedPoints`` again.

    Attributes
    ----------
    states : (P, S)
        ``h``, or ``[h, c]`` for an LSTM.
    inputs : (P, inputs)
        The constant input under which the point was found.
    input_names : (P,) str
        Name of that input: a word, ``zero``, ….
    q : (P,)
        Speed, ½‖F(s, x) − s‖².
    newton_step : (P,)
        ‖(J − I)⁻¹(F(s, x) − s)‖, the distance to the root to first order; ∞ where J − I is singular.
    slope : (P,)
        The largest |cosine| between F(s, x) − s and a column of J − I: 0 at a minimum of q, as a slow point is.
    fixed : (P,) bool
        True where the Newton step is below tolerance; False for a slow point, where only q and the slope are.
    hits : (P,) int
        Number of starts that ended at the point.
    eigenvalues : (P, S) complex
        Eigenvalues of the Jacobian of the full map, by falling modulus.
    right : (P, S, K) complex
        Right eigenvectors of the first K eigenvalues, as columns of length 1.
    left : (P, K, S) complex
        Left eigenvectors, as rows, scaled so that ``left[k] @ right[:, k]`` is 1.
    readout : (P, k)
        Logits of the readout at the point; k = 0 if the search was given no readout.
    index : (P,) int
        sign det(I − J) of the reduced map, +1 or −1; 0 for a slow point, where the determinant vanishes, and for a
        layer whose h has no bounds, as the indices then need not add up to 1.
    exists_within : (P,)
        Radius (maximum norm, in h) within which a root is proved to exist; NaN where the proof fails.
    unique_within : (P,)
        Radius within which that root is proved to be the only one; NaN where the proof fails.
    eigenvalue_error : (P, S)
        Error bound of each eigenvalue, to first order: its condition number times the error of the Jacobian.
    starts : int
        Number of starts of the search; those that ``hits`` does not count reached no point.
    """

    states: NDArray[np.float64]
    inputs: NDArray[np.float64]
    input_names: NDArray[np.str_]
    q: NDArray[np.float64]
    newton_step: NDArray[np.float64]
    slope: NDArray[np.float64]
    fixed: NDArray[np.bool_]
    hits: NDArray[np.int64]
    eigenvalues: NDArray[np.complex128]
    right: NDArray[np.complex128]
    left: NDArray[np.complex128]
    readout: NDArray[np.float64]
    index: NDArray[np.int64]
    exists_within: NDArray[np.float64]
    unique_within: NDArray[np.float64]
    eigenvalue_error: NDArray[np.float64]
    starts: int

    # ---- properties ------------------------------------------------------------------------------------------

    @property
    def kind(self) -> NDArray[np.str_]:
        """``fixed`` or ``slow``, (P,)."""
        return np.where(self.fixed, "fixed", "slow")

    @property
    def unstable(self) -> NDArray[np.int64]:
        """The number of unstable directions, |λ| > 1, (P,)."""
        return (np.abs(self.eigenvalues) > 1).sum(axis=-1)

    @property
    def stability(self) -> NDArray[np.str_]:
        """``stable``, ``saddle with k`` unstable directions, or ``repeller``, (P,)."""
        names = {0: "stable", self.states.shape[1]: "repeller"}
        return np.array([names.get(k, f"saddle with {k}") for k in self.unstable.tolist()], dtype=np.str_)

    @property
    def uncertain(self) -> NDArray[np.int64]:
        """Eigenvalues whose |λ| is 1 within their error, (P,): ``unstable`` is known up to this many."""
        return (np.abs(np.abs(self.eigenvalues) - 1) <= self.eigenvalue_error).sum(axis=-1)

    @property
    def index_sum(self) -> dict[str, int]:
        """Sum Σ of the indices of the fixed points under each input: 1 if none is missing, or some are in pairs."""
        fixed = self.input_names[self.fixed]
        return {
            str(name): int(self.index[self.fixed][fixed == name].sum())
            for name in dict.fromkeys(self.input_names.tolist())
        }

    @property
    def indexed(self) -> bool:
        """Whether the sums of indices prove anything: a fixed point has an index, or there is no fixed point."""
        return not self.fixed.any() or bool(self.index.any())

    @property
    def time_constants(self) -> NDArray[np.float64]:
        """Words in which each mode shrinks or grows e-fold, 1/|ln|λ||, (P, S); 0 for λ = 0, ∞ for |λ| = 1."""
        with np.errstate(divide="ignore"):
            return 1 / np.abs(np.log(np.abs(self.eigenvalues)))

    @property
    def lost(self) -> int:
        """Number of starts that reached none of these points."""
        return self.starts - int(self.hits.sum())

    # ---- a container -----------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.q)

    def __getitem__(self, which: int | slice | Sequence[int] | NDArray[Any]) -> Self:
        """Return some of the points: an index (which keeps the leading axis), slice, list or mask."""
        rows = np.atleast_1d(np.arange(len(self))[which])
        return replace(self, **{name: getattr(self, name)[rows] for name in _ARRAYS})

    @classmethod
    def concatenate(cls, parts: Sequence[FixedPoints]) -> FixedPoints:
        """Join the points of several searches of one network.

        Raises
        ------
        ValueError
            If there are no parts, or their states, inputs, modes or readouts differ in size.
        """
        if not parts:
            raise ValueError("nothing to concatenate: expected at least one FixedPoints")
        shapes = {tuple(getattr(part, name).shape[1:] for name in _ARRAYS) for part in parts}
        if len(shapes) > 1:
            raise ValueError(
                "cannot concatenate fixed points with states, inputs, modes or readouts of different sizes"
            )
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
        return FixedPoints(**arrays, starts=sum(part.starts for part in parts))

    # ---- display ---------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        inputs = ", ".join(dict.fromkeys(self.input_names.tolist())) or "none"
        title = (
            f"FixedPoints: {int(self.fixed.sum()):,} fixed and {int((~self.fixed).sum()):,} slow points "
            f"(inputs: {inputs}; {self.starts:,} starts, {self.lost:,} reached no point)"
        )
        if len(self):
            title += f"; {describe_sums(self.index_sum, indexed=self.indexed)}"
        headings = ["point", "input", "kind", "q", "Newton step", "unstable", "slowest |λ|", "τ (words)", "starts"]
        slowest = np.abs(np.log(np.abs(self.eigenvalues[:ROWS]).clip(1e-300))).argmin(axis=1)
        rows = [
            [
                str(k),
                str(self.input_names[k]),
                str(self.kind[k]),
                significant(self.q[k]),
                significant(self.newton_step[k]),
                str(self.unstable[k]),
                significant(abs(self.eigenvalues[k, mode])),
                significant(self.time_constants[k, mode]),
                f"{self.hits[k]:,}",
            ]
            for k, mode in enumerate(slowest.tolist())
        ]
        return table(title, headings, rows, len(self))

    def plot(self, ax: Axes | None = None, projection: Projection | None = None) -> Axes:
        """Draw the points in their first two principal components, coloured by stability; return the axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw into; a new figure by default.
        projection : Projection, optional
            Components to draw in, for example those of visited states; by default those of the points themselves.

        Raises
        ------
        ValueError
            If there is no point, or the states have fewer than two components.
        """
        components = Projection.of(self.states, 2) if projection is None else projection
        kind = np.where(self.fixed, self.stability, "slow")
        return plot_points(ax, components.transform(self.states)[:, :2], components.explained[:2], kind)

    # ---- files -----------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write one ``.npz`` file, without pickle; an interrupted write leaves the old file."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        save_arrays(path, _KIND, arrays | {"starts": np.array(self.starts)})

    @classmethod
    def load(cls, path: str | Path) -> FixedPoints:
        """Read a file written by ``save``.

        Raises
        ------
        ValueError
            If the file is damaged or holds something else.
        OSError
            If it cannot be opened.
        """
        found: dict[str, Any] = load_arrays(path, _KIND, _LAYOUT)
        return cls(**found | {"starts": int(found["starts"])})


NO_INDEX = "no index: points may be missing, as h has no bounds or every point is degenerate"


def describe_sums(sums: Mapping[str, int], *, indexed: bool = True) -> str:
    """Say what the sums of the indices prove: ``Σ 1 ✓``, or under which inputs points are missing."""
    if not indexed:
        return NO_INDEX
    wrong = [f"Σ {total} under {name}: points are missing" for name, total in sums.items() if total != 1]
    return "; ".join(wrong).replace("-", "−") if wrong else "Σ 1 ✓"


_LAYOUT = {
    "states": "f P S",
    "inputs": "f P inputs",
    "input_names": "U P",
    "q": "f P",
    "newton_step": "f P",
    "slope": "f P",
    "fixed": "b P",
    "hits": "i P",
    "eigenvalues": "c P S",
    "right": "c P S K",
    "left": "c P K S",
    "readout": "f P k",
    "index": "i P",
    "exists_within": "f P",
    "unique_within": "f P",
    "eigenvalue_error": "f P S",
    "starts": "i",
}
_ARRAYS = tuple(field.name for field in fields(FixedPoints) if field.name != "starts")
