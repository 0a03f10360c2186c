"""Eigensystems of many matrices against those of NumPy, one by one."""

import numpy as np
import pytest
import torch

from engine.eigensystems import Eigensystems, eigensystems

DEFECTIVE = np.array([[2.0, 1, 0], [0, 2, 0], [0, 0, 1]])


def matrices(count: int = 5, size: int = 12) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal((count, size, size)))


def assert_solves(found: Eigensystems, given: torch.Tensor) -> None:
    for k, matrix in enumerate(given.cpu().numpy()):
        expected = np.linalg.eigvals(matrix)
        np.testing.assert_allclose(np.sort_complex(found.values[k]), np.sort_complex(expected), atol=1e-7)
        assert (np.diff(np.abs(found.values[k])) < 1e-12).all()
        np.testing.assert_allclose(matrix @ found.right[k], found.right[k] * found.values[k], atol=1e-12)
        np.testing.assert_allclose(found.left[k] @ matrix, found.values[k][:, None] * found.left[k], atol=1e-12)
        np.testing.assert_allclose(np.linalg.norm(found.right[k], axis=0), 1)
        np.testing.assert_allclose(np.linalg.norm(found.left[k], axis=1), 1)


@pytest.mark.parametrize("batched", [False, True])
def test_equals_numpy(batched: bool) -> None:
    given = matrices()
    found = eigensystems(given, batched=batched)
    assert_solves(found, given)
    for k, matrix in enumerate(given.numpy()):
        values, right = np.linalg.eig(matrix)
        condition = np.linalg.norm(np.linalg.inv(right), axis=1)[np.argsort(-np.abs(values), kind="stable")]
        np.testing.assert_allclose(1 / np.abs(found.overlap[k]), condition, rtol=1e-9)


@pytest.mark.parametrize("batched", [False, True])
def test_a_defective_matrix_among_others(batched: bool) -> None:
    given = torch.stack([torch.from_numpy(DEFECTIVE), *matrices(2, 3)])
    found = eigensystems(given, batched=batched)
    assert_solves(found, given)
    assert (np.abs(found.overlap[0]) < 1e-6).tolist() == [True, True, False]


def test_threads_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = eigensystems(matrices())
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    together = eigensystems(matrices())
    for name in ("values", "right", "left"):
        np.testing.assert_array_equal(getattr(together, name), getattr(alone, name))


@pytest.mark.parametrize("batched", [False, True])
def test_no_matrix(batched: bool) -> None:
    assert eigensystems(matrices(0, 4), batched=batched).values.shape == (0, 4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("batched", [False, True, None])
def test_equals_numpy_on_a_card(batched: bool | None) -> None:
    given = matrices().cuda()
    assert_solves(eigensystems(given, batched=batched), given)
