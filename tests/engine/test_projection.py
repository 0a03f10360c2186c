"""Principal components against the covariance matrix, and their sign."""

import numpy as np
import pytest

from engine.projection import Projection


def cloud(seed: int = 0, count: int = 500) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(count, 6)) @ (random.normal(size=(6, 6)) * [5, 3, 2, 1, 0.5, 0.1]).T + 7


def test_components_are_the_covariances_eigenvectors() -> None:
    data = cloud()
    found = Projection.of(data, 6)
    values, vectors = np.linalg.eigh(np.cov(data.T))
    np.testing.assert_allclose(found.explained, values[::-1] / values.sum(), rtol=1e-10)
    np.testing.assert_allclose(np.abs(found.basis @ vectors[:, ::-1]), np.eye(6), atol=1e-8)
    np.testing.assert_allclose(found.mean, data.mean(axis=0))


def test_sign_is_fixed() -> None:
    data = cloud()
    one = Projection.of(data, 3)
    mirrored = Projection.of(data.mean(axis=0) * 2 - data, 3)  # the same cloud, turned inside out
    np.testing.assert_allclose(one.basis, mirrored.basis, atol=1e-10)
    assert (np.take_along_axis(one.basis, np.abs(one.basis).argmax(axis=1)[:, None], axis=1) > 0).all()


def test_new_states_and_trajectories_are_transformed() -> None:
    data = cloud()
    found = Projection.of(data.reshape(10, 50, 6), 6)
    coordinates = found.transform(data.reshape(10, 50, 6))
    assert coordinates.shape == (10, 50, 6)
    np.testing.assert_allclose(coordinates @ found.basis + found.mean, data.reshape(10, 50, 6), atol=1e-10)
    np.testing.assert_allclose(
        np.cov(coordinates.reshape(-1, 6).T), np.diag(coordinates.var((0, 1), ddof=1)), atol=1e-9
    )
    step = data[1] - data[0]
    np.testing.assert_allclose(found.directions(step), found.transform(data[1]) - found.transform(data[0]), atol=1e-10)


def test_fewer_states_than_components() -> None:
    found = Projection.of([[1.0, 2, 3, 4]], 3)
    np.testing.assert_allclose(found.basis @ found.basis.T, np.eye(3), atol=1e-12)
    assert found.explained.tolist() == [0, 0, 0]
    two = Projection.of(np.array([[0.0, 0, 0, 0], [0, -2, 0, 0]]), 3)
    np.testing.assert_allclose(two.explained, [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(two.basis[0], [0, 1, 0, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("data", "components", "message"),
    [(np.zeros((0, 3)), 3, "shape"), ([1.0, 2.0], 1, "shape"), ([[np.nan, 1]], 1, "finite"), (np.eye(2), 3, "got 3")],
)
def test_what_has_no_components_is_refused(data: np.typing.ArrayLike, components: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Projection.of(data, components)
