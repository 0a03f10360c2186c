"""Principal components of states or fixed points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Projection:
    """A basis of principal components.

    Attributes
    ----------
    mean : (S,)
    basis : (K, S)
        Orthonormal rows by falling variance.  The largest component of each row is positive, so that the same data
        never come out mirrored.
    explained : (K,)
        Fraction of the total variance along each row.
    """

    mean: NDArray[np.float64]
    basis: NDArray[np.float64]
    explained: NDArray[np.float64]

    @classmethod
    def of(cls, states: ArrayLike, components: int = 3) -> Projection:
        """Compute the first principal components of (..., S) states by singular value decomposition.

        With fewer states than components, the other rows complete the orthonormal basis and explain no variance.

        Raises
        ------
        ValueError
            If there is no state, a state is not finite, or ``components`` exceeds S.
        """
        data = np.asarray(states, dtype=np.float64)
        if data.ndim < 2 or data.size == 0:
            raise ValueError(f"principal components need states of shape (..., state, S), got shape {data.shape}")
        data = data.reshape(-1, data.shape[-1])
        if not np.isfinite(data).all():
            raise ValueError("principal components need finite states, got NaN or infinite ones")
        if not 1 <= components <= data.shape[1]:
            raise ValueError(f"states of size {data.shape[1]} have 1 to {data.shape[1]} components, got {components}")
        mean = data.mean(axis=0)
        # Zero rows complete the basis when there are fewer states than components; they change no component.
        rows = np.concatenate((data - mean, np.zeros((max(0, components - len(data)), data.shape[1]))))
        _, values, basis = np.linalg.svd(rows, full_matrices=False)
        largest = np.take_along_axis(basis, np.abs(basis).argmax(axis=1, keepdims=True), axis=1)
        variance = values**2
        total = variance.sum()
        explained = variance / total if total > 0 else np.zeros_like(variance)
        return cls(mean, (basis * np.sign(largest))[:components], explained[:components])

    def transform(self, states: ArrayLike) -> NDArray[np.float64]:
        """Return the coordinates (..., K) of states (..., S)."""
        return (np.asarray(states, dtype=np.float64) - self.mean) @ self.basis.T

    def directions(self, vectors: ArrayLike) -> NDArray[np.float64]:
        """Return the coordinates (..., K) of differences of states (..., S), such as eigenvectors."""
        return np.asarray(vectors, dtype=np.float64) @ self.basis.T
