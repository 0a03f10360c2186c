"""Principal components: the few directions in which states, or points, spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Projection:
    """A basis of principal components, from states or from fixed points.

    Attributes
    ----------
    mean : (S,)
    basis : (K, S)
        Orthonormal rows by falling variance.  Signs are fixed: each row's largest component is positive, so that the
        same data never come out mirrored.
    explained : (K,)
        Fraction of the total variance along each row.
    """

    mean: NDArray[np.float64]
    basis: NDArray[np.float64]
    explained: NDArray[np.float64]

    @classmethod
    def of(cls, states: ArrayLike, components: int = 3) -> Projection:
        """The first ``components`` principal components of (..., S) states, by singular value decomposition.

        With fewer states than components the missing rows are an orthonormal completion and explain nothing.

        Raises
        ------
        ValueError
            If there is no state, one is not finite, or there are fewer numbers a state than components.
        """
        data = np.asarray(states, dtype=np.float64)
        if data.ndim < 2 or data.size == 0:
            raise ValueError(f"principal components need an array (..., states, numbers), got shape {data.shape}")
        data = data.reshape(-1, data.shape[-1])
        if not np.isfinite(data).all():
            raise ValueError("principal components need finite states")
        if not 1 <= components <= data.shape[1]:
            raise ValueError(
                f"states of {data.shape[1]} numbers have 1 to {data.shape[1]} components, not {components}"
            )
        mean = data.mean(axis=0)
        # Rows of zeros change no component and complete the basis when there are fewer states than components.
        rows = np.concatenate((data - mean, np.zeros((max(0, components - len(data)), data.shape[1]))))
        _, values, basis = np.linalg.svd(rows, full_matrices=False)
        largest = np.take_along_axis(basis, np.abs(basis).argmax(axis=1, keepdims=True), axis=1)
        variance = values**2
        total = variance.sum()
        explained = variance / total if total > 0 else np.zeros_like(variance)
        return cls(mean, (basis * np.sign(largest))[:components], explained[:components])

    def transform(self, states: ArrayLike) -> NDArray[np.float64]:
        """States (..., S) → coordinates (..., K)."""
        return (np.asarray(states, dtype=np.float64) - self.mean) @ self.basis.T

    def directions(self, vectors: ArrayLike) -> NDArray[np.float64]:
        """Differences of states (..., S), such as eigenvectors' real parts → (..., K): no mean is taken off."""
        return np.asarray(vectors, dtype=np.float64) @ self.basis.T
