"""Displays in a notebook: recordings, exponents and fixed points as tables and as figures."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib import pyplot
from matplotlib.figure import Figure

from engine.cells import LstmCell, RnnCell
from engine.fixed_points import find_fixed_points
from engine.fluctuation import Exponents, exponents, fluctuations
from engine.network import Network, Vocabulary
from engine.number_format import significant
from engine.points import FixedPoints
from engine.projection import Projection
from engine.recording import Recording, record

SCALES = (10, 14, 20, 28, 40)


@pytest.fixture(autouse=True)
def no_figure_left() -> Iterator[None]:
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def recording() -> Recording:
    torch.manual_seed(0)
    network = Network(
        LstmCell.from_torch(torch.nn.LSTM(4, 12)),
        torch.randn(1, 12),
        torch.zeros(1),
        embedding=torch.randn(52, 4),
        vocabulary=Vocabulary([f"w{k}" for k in range(50)]),
        name="small",
    )
    random = np.random.default_rng(0)
    return record(network, [random.integers(2, 52, length) for length in (200, 90)], ["h", "x", "f"])


@pytest.fixture(scope="module")
def fits() -> Exponents:
    series = np.random.default_rng(0).standard_normal((2, 3, 200)).cumsum(axis=-1)
    series[0, 1] = 1
    series[1, 2, 7] = np.nan
    return exponents(fluctuations(series, SCALES), SCALES)


@pytest.fixture(scope="module")
def points() -> FixedPoints:
    """h' = tanh(diag(2, ½) h): the origin is a saddle between two stable points."""
    cell = RnnCell(torch.zeros(2, 1), torch.diag(torch.tensor([2.0, 0.5])), torch.zeros(2))
    starts = np.array([[1.0, 0.2], [0.8, 0.1], [-1.0, 0.1], [0.0, 0.1]])
    return find_fixed_points(cell, [0.0], starts, input_names=["zero"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.0034567, "0.00346"),
        (-1.5, "−1.5"),
        (123.4, "123"),
        (1.234e-21, "1.23e−21"),
        (4.5e7, "4.50e7"),
        (np.nan, "–"),
        (np.inf, "∞"),
        (-np.inf, "−∞"),
    ],
)
def test_numbers_have_three_digits_and_a_true_minus(value: float, text: str) -> None:
    assert significant(value) == text


# ---- recordings ----------------------------------------------------------------------------------------------------


def test_a_recording_shows_network_signals_lengths_and_memory(recording: Recording) -> None:
    megabytes = (recording["h"].nbytes + recording["f"].nbytes) / 1e6
    assert repr(recording).splitlines() == [
        "Recording of 2 reviews of 90 to 200 words by small (LSTM, 12 cells)",
        "  signals: f h, each (review, time, cell) = (2, 200, 12); x (review, time, input) = (2, 200, 4)",
        f"  memory: {megabytes:.4f} MB",
    ]
    one = record(recording.network, np.arange(2, 7), ["h"])
    assert repr(one).startswith("Recording of 1 review of 5 words by small")


@pytest.mark.parametrize("name", ["h", "f", "x"])
def test_series_end_with_their_review(recording: Recording, name: str) -> None:
    series = recording.series(name)
    assert [len(values) for values in series] == [200, 90]
    for k, values in enumerate(series):
        assert values.dtype == recording[name].dtype  # DFA needs to know its precision
        np.testing.assert_array_equal(values, recording.layer_sum(name)[k, : len(values)])
    assert np.isnan(exponents(fluctuations(recording.layer_sum(name), SCALES), SCALES).alpha[1])
    assert np.isfinite([exponents(fluctuations(values, SCALES), SCALES).alpha for values in series]).all()


def test_xarray_has_named_dims_and_the_same_numbers(recording: Recording) -> None:
    pytest.importorskip("xarray", reason="the optional extra xarray is not installed")
    data = recording.to_xarray()
    assert data["h"].dims == data["f"].dims == ("review", "time", "cell")
    assert data["x"].dims == ("review", "time", "input")
    for name in recording.names:
        np.testing.assert_array_equal(data[name], recording[name])
    assert data["length"].values.tolist() == [200, 90]
    assert data["f"].attrs == {"long_name": "forget gate: 1 keeps the old cell state", "kind": "internal"}
    assert data.attrs == {"network": "small", "cell": "lstm", "size": 12}


def test_without_xarray_the_error_names_the_extra(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def missing(name: str, *given: Any, **options: Any) -> Any:
        if name == "xarray":
            raise ImportError(name)
        return imported(name, *given, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=re.escape("pip install 'pinkx[xarray]'")):
        recording.to_xarray()


# ---- exponents -----------------------------------------------------------------------------------------------------


def test_exponents_read_as_a_table(fits: Exponents) -> None:
    lines = repr(fits).splitlines()
    assert lines[0] == "Exponents of 6 series of shape (2, 3), 5 scales from 10 to 40 words"
    assert lines[1].split() == ["series", "α", "±", "α", "β", "R²", "reason"]
    assert lines[2].split() == [
        "0,",
        "0",
        *(significant(part[0, 0]) for part in (fits.alpha, fits.alpha_stderr, fits.beta, fits.r2)),
    ]
    assert lines[3].split() == ["0,", "1", "–", "–", "–", "–", "flat"]
    assert lines[7].endswith("not finite")
    assert len(lines) == 8


def test_a_long_table_counts_the_other_rows() -> None:
    series = np.random.default_rng(0).standard_normal((50, 200))
    lines = repr(exponents(fluctuations(series, SCALES), SCALES)).splitlines()
    assert len(lines) == 2 + 20 + 1
    assert lines[-1] == "… 30 more rows"


def test_some_exponents_stay_exponents(fits: Exponents) -> None:
    row = fits[0]
    assert row.alpha.shape == row.reason.shape == (3,)
    assert row.F.shape == (3, 5)
    np.testing.assert_array_equal(row.beta, fits.beta[0])
    one = fits[0, 0]
    assert one.alpha == fits.alpha[0, 0]
    assert "Exponents of 1 series of shape ()" in repr(one)


def test_the_plot_has_the_points_and_the_fitted_line(fits: Exponents) -> None:
    ax = fits[0, :2].plot()
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    dots, line, flat = ax.get_lines()
    np.testing.assert_array_equal(dots.get_xdata(), SCALES)
    np.testing.assert_array_equal(dots.get_ydata(), fits.F[0, 0])
    slope, intercept = np.polyfit(np.log(SCALES), np.log(fits.F[0, 0]), 1)
    np.testing.assert_allclose(np.asarray(line.get_ydata()), np.exp(intercept) * np.array(SCALES) ** slope, rtol=1e-9)
    assert np.isnan(np.asarray(flat.get_ydata(), dtype=float)).all()
    texts = [text.get_text() for text in ax.get_legend().get_texts()]  # type: ignore[union-attr]
    assert texts == [f"series 0: α = {slope:.2f}, β = {2 * slope - 1:.2f}", "series 1: no exponent"]


def test_a_plot_goes_into_given_axes(fits: Exponents, points: FixedPoints) -> None:
    left, right = Figure().subplots(1, 2)
    assert fits[0, 0].plot(left) is left
    assert points.plot(right) is right
    assert pyplot.get_fignums() == []


# ---- fixed points --------------------------------------------------------------------------------------------------


def test_fixed_points_read_as_a_table(points: FixedPoints) -> None:
    title, headings, *rows = repr(points).splitlines()
    assert title == "FixedPoints: 3 fixed and 0 slow points (inputs: zero; 4 starts, 0 reached no point); Σ 1 ✓"
    for word in ("kind", "q", "Newton step", "unstable", "slowest |λ|", "τ (words)", "starts"):
        assert word in headings
    table = [row.split() for row in rows]
    assert [row[2] for row in table] == ["fixed"] * 3
    assert [(row[5], row[8]) for row in table] == [
        (str(u), str(n)) for u, n in zip(points.unstable, points.hits, strict=True)
    ]
    saddle = next(row for row in table if row[5] == "1")
    # the saddle's eigenvalues are 2 and ½: both double or halve in a step
    assert saddle[6] in ("2", "0.5")
    assert saddle[7] == significant(1 / np.log(2))
    root = 0.9575040240772687  # of tanh(2h) = h
    stable = next(row for row in table if row[5] == "0")
    assert stable[6] == "0.5"
    assert 2 * (1 - root**2) < 0.5


def test_no_points_have_a_title_only(points: FixedPoints) -> None:
    assert repr(points[:0]) == "FixedPoints: 0 fixed and 0 slow points (inputs: none; 4 starts, 4 reached no point)"


def test_points_are_drawn_by_stability(points: FixedPoints) -> None:
    ax = points.plot()
    drawn = {str(dots.get_label()): np.asarray(dots.get_offsets()) for dots in ax.collections}
    assert list(drawn) == ["2 stable", "1 saddle with 1 unstable direction"]
    places = Projection.of(points.states, 2).transform(points.states)
    np.testing.assert_allclose(drawn["2 stable"], places[points.unstable == 0])
    np.testing.assert_allclose(drawn["1 saddle with 1 unstable direction"], places[points.unstable == 1])
    assert ax.get_xlabel() == "PC1 (100 % of the variance)"


def test_points_are_drawn_in_other_components(points: FixedPoints) -> None:
    basis = Projection(np.zeros(2), np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0.7, 0.3]))
    ax = points.plot(projection=basis)
    (stable, _) = ax.collections
    np.testing.assert_allclose(np.asarray(stable.get_offsets()), points.states[points.unstable == 0][:, ::-1])
    assert ax.get_ylabel() == "PC2 (30 % of the variance)"
