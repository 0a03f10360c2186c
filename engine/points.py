"""FixedPoints: what a search found, one row a point, with everything needed to judge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.arrays import load_arrays, save_arrays

_KIND = "fixed points of pinkx, 2"


@dataclass(frozen=True)
class FixedPoints:
    """Fixed and slow points of one network, under one input or several.

    P points, S numbers a state, K modes kept.  All arrays; indexing, masks and slices give ``FixedPoints`` again.

    Attributes
    ----------
    states : (P, S)
        ``h``, or ``[h, c]`` for an LSTM.
    inputs : (P, inputs)
        The input held while looking for the point.
    input_names : (P,) str
        What that input is called: a word, ``zero``, ….
    q : (P,)
        Speed, ½‖F(s, x) − s‖².
    newton_step : (P,)
        ‖(J − I)⁻¹(F(s, x) − s)‖: how far the root still is, to first order; ∞ where J − I is singular.
    slope : (P,)
        The largest |cosine| between F(s, x) − s and a column of J − I: 0 at a minimum of q, which a slow point is.
    fixed : (P,) bool
        The Newton step is below tolerance; False is a slow point, where only q is, and its slope.
    hits : (P,) int
        How many starts ended here.
    eigenvalues : (P, S) complex
        Of the Jacobian of the full map, by falling modulus.
    right : (P, S, K) complex
        Right eigenvectors of the first K eigenvalues, as columns of length 1.
    left : (P, K, S) complex
        Left eigenvectors, as rows, scaled so that ``left[k] @ right[:, k]`` is 1.
    readout : (P, k)
        The readout's logits at the point; k = 0 if no readout was given.
    starts : int
        How many starts the search had; those in no ``hits`` ended nowhere.
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
    starts: int

    # ---- what the points are ---------------------------------------------------------------------------------

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
    def time_constants(self) -> NDArray[np.float64]:
        """Steps (words) in which each mode shrinks or grows e-fold, 1/|ln|λ||, (P, S); 0 for λ = 0, ∞ for |λ| = 1."""
        with np.errstate(divide="ignore"):
            return 1 / np.abs(np.log(np.abs(self.eigenvalues)))

    @property
    def lost(self) -> int:
        """How many starts ended at no point here."""
        return self.starts - int(self.hits.sum())

    # ---- a container -----------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.q)

    def __getitem__(self, which: int | slice | Sequence[int] | NDArray[Any]) -> Self:
        """Some of the points, by number, slice, list or mask; a single number keeps the leading axis."""
        rows = np.atleast_1d(np.arange(len(self))[which])
        return replace(self, **{name: getattr(self, name)[rows] for name in _ARRAYS})

    @classmethod
    def concatenate(cls, parts: Sequence[FixedPoints]) -> FixedPoints:
        """All points of several searches of one network.

        Raises
        ------
        ValueError
            If there is no part, or they differ in the size of states, inputs, modes or readout.
        """
        if not parts:
            raise ValueError("nothing to concatenate: expected at least one FixedPoints")
        shapes = {tuple(getattr(part, name).shape[1:] for name in _ARRAYS) for part in parts}
        if len(shapes) > 1:
            raise ValueError("cannot concatenate the fixed points of networks of different shapes")
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
        return FixedPoints(**arrays, starts=sum(part.starts for part in parts))

    # ---- files -----------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write one ``.npz`` (no pickle): beside it first, then renamed."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        save_arrays(path, _KIND, arrays | {"starts": np.array(self.starts)})

    @classmethod
    def load(cls, path: str | Path) -> FixedPoints:
        """Read what ``save`` wrote.

        Raises
        ------
        ValueError
            If the file is no whole ``.npz`` of fixed points.
        OSError
            If it cannot be opened.
        """
        found: dict[str, Any] = load_arrays(path, _KIND, (*_ARRAYS, "starts"))
        return cls(**found | {"starts": int(found["starts"])})


_ARRAYS = tuple(field.name for field in fields(FixedPoints) if field.name != "starts")
