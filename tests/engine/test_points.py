"""FixedPoints can be indexed, concatenated, and saved without pickle."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.points import FixedPoints, describe_sums


def some_points(count: int = 4, state: int = 3, starts: int = 50) -> FixedPoints:
    random = np.random.default_rng(count)
    eigenvalues = np.array([[0.5, 0.2, 0.1], [1.5, 1j, 0.0], [-2, 2, 3j], [1.0, 0.9, 0.9]], dtype=complex)
    return FixedPoints(
        states=random.normal(size=(count, state)),
        inputs=random.normal(size=(count, 2)),
        input_names=np.array(["zero", "naïve", "zero", "+1"][:count]),
        q=random.random(count),
        newton_step=np.array([1e-12, np.inf, 1e-9, 1.0])[:count],
        slope=np.array([0.5, 1e-8, 0.2, 1e-9])[:count],
        fixed=np.array([True, False, True, False])[:count],
        hits=np.array([10, 5, 3, 2])[:count],
        eigenvalues=eigenvalues[:count],
        right=random.normal(size=(count, state, 2)).astype(np.complex128),
        left=random.normal(size=(count, 2, state)).astype(np.complex128),
        readout=random.normal(size=(count, 1)),
        index=np.array([1, 0, -1, 0])[:count],
        exists_within=np.array([1e-12, np.nan, 1e-11, np.nan])[:count],
        unique_within=np.array([1e-3, np.nan, 1e-4, np.nan])[:count],
        eigenvalue_error=np.full((count, state), 1e-12),
        starts=starts,
    )


def same(one: FixedPoints, two: FixedPoints) -> bool:
    pairs = [(np.asarray(getattr(one, f.name)), np.asarray(getattr(two, f.name))) for f in fields(FixedPoints)]
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc") for a, b in pairs)


def test_stability_counts_what_grows() -> None:
    points = some_points()
    assert points.unstable.tolist() == [0, 1, 3, 0]  # |λ| = 1 does not grow
    assert points.stability.tolist() == ["stable", "saddle with 1", "repeller", "stable"]
    assert points.kind.tolist() == ["fixed", "slow", "fixed", "slow"]
    assert points.lost == 30


def test_the_indices_are_summed_under_each_input() -> None:
    points = some_points()
    assert points.index_sum == {"zero": 0, "naïve": 0, "+1": 0}
    assert points[[0]].index_sum == {"zero": 1}
    assert describe_sums({"zero": 1, "+1": 1}) == "Σ 1 ✓"
    assert describe_sums({"zero": 4, "+1": 1}) == "Σ 4 under zero: points are missing"
    assert describe_sums({"zero": -1}) == "Σ −1 under zero: points are missing"


def test_a_stability_count_is_uncertain_where_a_modulus_is_one_within_its_error() -> None:
    assert some_points().uncertain.tolist() == [0, 1, 0, 1]  # |i| = 1, and 1.0


def test_time_constants_are_those_of_the_moduli() -> None:
    tau = some_points().time_constants
    assert tau[0, 0] == pytest.approx(1 / np.log(2))
    assert tau[1, 0] == pytest.approx(1 / np.log(1.5))
    assert tau[1, 2] == 0
    assert np.isinf(tau[3, 0])
    assert np.exp(-1 / tau[0, 1]) == pytest.approx(0.2)


def test_index_mask_and_slice_keep_rows_together() -> None:
    points = some_points()
    selections: list[tuple[Any, list[int]]] = [
        (1, [1]),
        (-1, [3]),
        (slice(1, 3), [1, 2]),
        ([2, 0], [2, 0]),
        (points.fixed, [0, 2]),
    ]
    for which, rows in selections:
        part = points[which]
        assert len(part) == len(rows)
        np.testing.assert_array_equal(part.states, points.states[rows])
        np.testing.assert_array_equal(part.right, points.right[rows])
        assert part.input_names.tolist() == points.input_names[rows].tolist()
    with pytest.raises(IndexError):
        points[4]


def test_parts_join_to_the_whole() -> None:
    points = some_points()
    joined = FixedPoints.concatenate([points[:1], points[1:]])
    assert joined.starts == 100
    np.testing.assert_array_equal(joined.eigenvalues, points.eigenvalues)
    with pytest.raises(ValueError, match="different sizes"):
        FixedPoints.concatenate([points, some_points(2, state=5)])
    with pytest.raises(ValueError, match="at least one"):
        FixedPoints.concatenate([])


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    points = some_points()
    path = tmp_path / "new folder" / "points.npz"
    points.save(path)
    assert same(points, FixedPoints.load(path))
    assert [entry.name for entry in path.parent.iterdir()] == ["points.npz"]
    none = points[:0]
    none.save(path)
    assert len(FixedPoints.load(path)) == 0


@pytest.mark.parametrize("damage", ["truncated", "text", "other", "pickle"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "points.npz"
    some_points().save(path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "text":
        path.write_text("states: none")
    elif damage == "other":
        np.savez(path, states=np.zeros(3))
    else:
        np.savez(path, states=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match=r"points\.npz"):
        FixedPoints.load(path)
