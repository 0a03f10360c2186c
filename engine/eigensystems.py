"""Eigenvalues and eigenvectors of many real matrices: by LAPACK on the host's threads, or in one call on a GPU."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.linalg
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.device_speeds import stored_speeds

BATCH: Final = 32
"""Matrices with which ``pinkx bench`` compares both ways."""

_DEFECTIVE: Final = 1e-6  # |left · right| of unit vectors below which an inverse gives no accurate left eigenvectors

Complexes = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Eigensystems:
    """Eigensystems of P matrices of size S.

    Attributes
    ----------
    values : (P, S)
        Eigenvalues by falling modulus.
    right, left : (P, S, S)
        Eigenvectors of length 1: the columns of ``right``, the rows of ``left`` (already conjugated).
    """

    values: Complexes
    right: Complexes
    left: Complexes

    @property
    def overlap(self) -> Complexes:
        """left · right of each eigenvalue, (P, S); 1 / |overlap| is its condition number."""
        found: Complexes = np.einsum("pks,psk->pk", self.left, self.right)
        return found


def eigensystems(matrices: Tensor, *, batched: bool | None = None) -> Eigensystems:
    """Compute the eigensystem of every matrix.

    Parameters
    ----------
    matrices : (P, S, S) float64 tensor
    batched : bool, optional
        Whether to compute all in one call on the tensor's device; by default on a GPU on which ``pinkx bench`` found
        that faster than LAPACK, from `BATCH` matrices on.
    """
    if batched is None:
        batched = matrices.is_cuda and len(matrices) >= BATCH and _faster_in_one_call()
    return _in_one_call(matrices) if batched and len(matrices) else _by_lapack(matrices.cpu().numpy())


def _faster_in_one_call() -> bool:
    measured = stored_speeds()
    speeds = None if measured is None else measured.of("eigensystems")
    return speeds is not None and speeds.gpu_is_faster


def _by_lapack(matrices: NDArray[np.float64]) -> Eigensystems:
    values = np.empty(matrices.shape[:2], dtype=np.complex128)
    right, left = np.empty((2, *matrices.shape), dtype=np.complex128)

    def solve(k: int) -> None:  # LAPACK runs without the GIL
        value, lefts, rights = scipy.linalg.eig(matrices[k], left=True, right=True)
        order = np.argsort(-np.abs(value), kind="stable")
        values[k], right[k], left[k] = value[order], rights[:, order], lefts[:, order].conj().T

    threads = min(torch.get_num_threads(), len(matrices))
    if threads < 2:
        for k in range(len(matrices)):
            solve(k)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(solve, range(len(matrices))))
    return Eigensystems(values, right, left)


def _in_one_call(matrices: Tensor) -> Eigensystems:
    """Take the left eigenvectors from the inverse of the right ones; LAPACK solves nearly defective matrices."""
    values, right = torch.linalg.eig(matrices)
    order = values.abs().argsort(dim=-1, descending=True, stable=True)
    values, right = values.gather(-1, order), right.gather(-1, order[:, None].expand_as(right))
    left, failed = torch.linalg.inv_ex(right)
    length = left.norm(dim=-1, keepdim=True)  # 1 / |overlap|, as the right vectors have length 1
    again = (failed != 0) | ~(length.squeeze(-1) < 1 / _DEFECTIVE).all(-1)
    found = Eigensystems(values.cpu().numpy(), right.cpu().numpy(), (left / length).cpu().numpy())
    if again.any():
        rows = again.nonzero().squeeze(-1)
        exact, rows = _by_lapack(matrices[rows].cpu().numpy()), rows.cpu().numpy()
        found.values[rows], found.right[rows], found.left[rows] = exact.values, exact.right, exact.left
    return found
