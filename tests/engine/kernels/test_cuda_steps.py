"""The recurrent kernels for a GPU against float64 steps; without a card they run in Triton's interpreter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from torch import Tensor

from engine.cells import Cell
from engine.network import Network
from tests.engine.random_cells import INPUTS, random_cell

pytest.importorskip("triton", reason="Triton, which compiles the GPU kernels, is not installed")
from engine.kernels.cuda import launch

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
TOLERANCE = 2e-5
WORDS = 20


def compare(
    cell: Cell,
    lengths: list[int],
    generator: torch.Generator,
    *,
    state: float = 1.0,
    clamps: dict[str, Tensor] | None = None,
    record: tuple[str, ...] | None = None,
    statistic: str | None = None,
    shared: int | None = None,
) -> None:
    """Run reviews of random words and compare every output with float64 steps."""
    names = tuple(signal.name for signal in cell.signals)
    record = names if record is None else record
    reviews, time = len(lengths), max(lengths)
    vectors = torch.randn(WORDS, cell.inputs, generator=generator)
    tokens = torch.randint(WORDS, (reviews, time), generator=generator)
    start = state * torch.randn(reviews, cell.state_size, generator=generator)
    readout = torch.randn(cell.size, generator=generator)
    exact = cell.to(dtype=torch.float64)
    fixed = {name: values.double() for name, values in (clamps or {}).items()}
    _, expected = exact.run(vectors.double()[tokens], start.double(), fixed)

    layer = launch.arrange(cell.to(device=DEVICE), readout.to(DEVICE), shared=shared)
    end = start.clone().to(DEVICE)
    found = launch.run(
        layer,
        launch.input_table(layer, vectors.to(DEVICE)),
        tokens.int().to(DEVICE),
        np.array(lengths),
        end,
        clamps=launch.clamp_table(layer, clamps or {}),
        record=record,
        sums=names[::-1],
        readout=True,
        statistic=statistic,
    )
    read = torch.arange(time) < torch.tensor(lengths)[:, None]

    def close(values: Tensor, wanted: Tensor, tolerance: float) -> None:
        assert ((values.cpu() - wanted)[read]).abs().max() <= tolerance
        assert values.cpu()[~read].isnan().all()

    assert found.sums is not None
    assert found.readout is not None
    for values, name in zip(found.record if found.record is not None else [], record, strict=True):
        close(values, expected[name], TOLERANCE)
    for values, name in zip(found.sums, names[::-1], strict=True):
        close(values, expected[name].sum(-1), TOLERANCE * cell.size)
    close(found.readout, expected["h"] @ readout.double(), TOLERANCE * cell.size)
    for review, length in enumerate(lengths):
        last = torch.cat([expected[part][review, length - 1] for part in cell.state_parts])
        torch.testing.assert_close(end[review].cpu().double(), last, rtol=0, atol=TOLERANCE)
        if statistic is not None:
            assert found.statistics is not None
            values, (mean, square, below, above) = expected[statistic][review, :length], found.statistics[:, review]
            torch.testing.assert_close(mean.cpu().double(), values.mean(0), rtol=0, atol=TOLERANCE)
            deviation = (square.cpu() / length).sqrt().double()
            torch.testing.assert_close(deviation, values.std(0, correction=0), rtol=1e-3, atol=TOLERANCE)
            assert below.tolist() == (values < 0.1).sum(0).tolist()
            assert above.tolist() == (values > 0.9).sum(0).tolist()


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(["lstm", "gru", "rnn"]),
    n=st.sampled_from([1, 5, 8, 16, 17, 33, 100]),
    lengths=st.lists(st.integers(1, 4), min_size=1, max_size=18),
    state=st.sampled_from([0.0, 1e-3, 1.0, 30.0]),
    seed=st.integers(0, 99),
)
def test_any_shape_equals_float64_steps(name: str, n: int, lengths: list[int], state: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    compare(random_cell(name, n, generator), lengths, generator, state=state)


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("n", [7, 20])
def test_clamps_a_subset_and_statistics(name: str, n: int) -> None:
    generator = torch.Generator().manual_seed(n)
    cell = random_cell(name, n, generator)
    clamps = {}
    for k, signal in enumerate(cell.signals):
        clamps[signal.name] = torch.full((n,), torch.nan)
        clamps[signal.name][k % n] = 0.95 if k % 2 else -2.0
    compare(cell, [1, 4, 2], generator, clamps=clamps, record=("h",), statistic=cell.signals[0].name)


@pytest.mark.parametrize(("name", "n"), [("gru", 3), ("rnn", 40)], ids=["in 64 bits", "in memory"])
def test_long_reviews_count_their_saturated_steps(name: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "SHORT", 3)
    generator = torch.Generator().manual_seed(1)
    signal = {"gru": "z", "rnn": "h"}[name]
    compare(random_cell(name, n, generator), [4, 2], generator, state=30.0, record=("h",), statistic=signal)


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
def test_a_layer_too_large_for_one_multiprocessor_runs_in_blocks(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    cell = random_cell(name, 70, generator)
    clamps = {"h": torch.where(torch.arange(70) == 66, 0.5, torch.nan)}
    compare(cell, [3, 1], generator, clamps=clamps, statistic="h", shared=0)


@pytest.mark.parametrize(
    "network", ["rnn-64", *(pytest.param(name, marks=pytest.mark.benchmark) for name in ("lstm-32", "gru-64"))]
)
def test_trained_weights_stay_exact_for_499_words(network: str) -> None:
    cell = Network.load(network).cell
    names = tuple(signal.name for signal in cell.signals)
    generator = torch.Generator().manual_seed(0)
    words = torch.randn(WORDS, cell.inputs, generator=generator) / 3
    tokens = torch.randint(WORDS, (3, 499), generator=generator)
    _, expected = cell.to(dtype=torch.float64).run(words.double()[tokens])
    layer = launch.arrange(cell.to(device=DEVICE))
    lengths = np.array([499, 2, 1])
    state = torch.zeros(3, cell.state_size, device=DEVICE)
    table = launch.input_table(layer, words.to(DEVICE))
    found = launch.run(layer, table, tokens.int().to(DEVICE), lengths, state, record=names)
    assert found.record is not None
    for values, name in zip(found.record.cpu(), names, strict=True):
        errors = [(values[k] - expected[name][k])[:length].abs().max() for k, length in enumerate(lengths)]
        assert max(errors) <= TOLERANCE


def test_the_choice_of_the_kernel_depends_on_size_and_shared_memory() -> None:
    kib = 1024
    h100, a100, small = 227 * kib, 163 * kib, 99 * kib
    assert launch.plan(4, 8, small) == launch.Plan(True, 16, False, True, True, 8)
    assert launch.plan(4, 64, small) == launch.Plan(True, 64, True, True, True, 8)
    assert launch.plan(4, 128, h100) == launch.Plan(True, 128, True, True, False, 8)
    assert not launch.plan(4, 128, a100).narrow
    assert launch.plan(3, 128, a100).narrow
    assert not launch.plan(1, 129, h100).narrow
    assert launch.plan(4, 200, h100).padded == 256


def test_weights_too_large_for_float16_are_refused() -> None:
    cell = random_cell("rnn", 20, torch.Generator().manual_seed(0))
    cell.weight_hh[0, 0] = 1e5
    with pytest.raises(ValueError, match="a recurrent weight of 1e\\+05 is above 60,000; use the CPU"):
        launch.arrange(cell)


def test_the_input_table_holds_w_x_plus_b() -> None:
    cell = random_cell("gru", 5, torch.Generator().manual_seed(0)).to(device=DEVICE)
    vectors = torch.randn(4, INPUTS, device=DEVICE)
    table = launch.input_table(launch.arrange(cell), vectors)
    assert table.shape == (4, 3, 16)
    np.testing.assert_allclose(
        table[..., :5].cpu().reshape(4, -1), (vectors @ cell.weight_ih.mT + cell.bias).cpu(), atol=1e-6
    )
    assert not table[..., 5:].any()
