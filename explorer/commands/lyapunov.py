"""``pinkx lyapunov``: Lyapunov exponents under the driving input, and how long an input affects the state."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from explorer.commands.device_option import device_option
from explorer.commands.plots import Curve, curves, plot_option

if TYPE_CHECKING:
    from torch import Tensor

    from engine.cells import Cell
    from engine.network import Network

STEPS = 200
"""Length of a run of a task."""


@dataclass(frozen=True)
class Driven:
    """Results of one run: ``exponents`` (K,) and ``shuffled`` (K,) in nats a step, ``norm`` (lag,), ``half_life``."""

    name: str
    steps: int
    exponents: NDArray[np.float64]
    shuffled: NDArray[np.float64]
    norm: NDArray[np.float64]
    half_life: float

    def json(self) -> dict[str, Any]:
        """Return the results in JSON types; a half-life beyond the longest lag is null."""
        return {
            "name": self.name,
            "steps": self.steps,
            "exponents": self.exponents.tolist(),
            "shuffled": self.shuffled.tolist(),
            "memory": self.norm.tolist(),
            "half_life": self.half_life if math.isfinite(self.half_life) else None,
        }


@click.command
@click.argument("network")
@click.option(
    "--reviews", "source", metavar="SOURCE",
    help="Reviews that drive a network of words.  [default: the reviews that ship with pinkx]",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="Number of reviews, or of runs of the task."
)
@click.option("--count", type=click.IntRange(1), default=4, show_default=True, help="Number of exponents.")
@click.option("--lags", type=click.IntRange(2), default=100, show_default=True, help="Number of lags of the memory.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the shuffles and the task.")
@device_option
@plot_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(
    network: str,
    source: str | None,
    limit: int,
    count: int,
    lags: int,
    seed: int,
    device: str,
    plot: bool,
    as_json: bool,
) -> None:
    """Measure the Lyapunov exponents of NETWORK while it reads, and the decay of its memory.

    λ₁ is the largest exponent in nats a step, λ₂ the next: negative means that the run forgets its initial state and
    follows the input alone. SHUFFLED is λ₁ for the same inputs in random order. HALF-LIFE is the lag in steps from
    which the effect of an input on the final state, ‖∂h_T/∂x_t‖, stays below half of its maximum.
    """
    from engine.devices import choose, or_on_the_cpu
    from engine.lyapunov import TRANSIENT
    from engine.network import Network

    chosen = choose(device, "runs").device
    loaded = Network.load(network)
    inputs = _reviews(loaded, source, limit) if loaded.vocabulary is not None else _task(loaded, limit, seed)
    long_enough = {name: x for name, x in inputs.items() if len(x) > TRANSIENT}
    if not long_enough:
        raise ValueError(f"no run is longer than {TRANSIENT} steps; expected at least one: choose longer reviews")

    def measure(on: str) -> list[Driven]:
        rng, cell = np.random.default_rng(seed), loaded.cell.to(device=on)
        return [_measure(cell, name, x, count, lags, rng) for name, x in long_enough.items()]

    rows = or_on_the_cpu(chosen, measure)
    if as_json:
        document = {"network": loaded.name, "too_short": len(inputs) - len(rows), "runs": [row.json() for row in rows]}
        click.echo(json.dumps(document, indent=2))
        return
    _show(loaded.name, rows, len(inputs) - len(rows), lags)
    if plot:
        click.echo("\n" + _charts(rows), nl=False)


def _reviews(network: Network, source: str | None, limit: int) -> dict[str, Tensor]:
    from engine.reviews import CUT, open_reviews

    assert network.vocabulary is not None, "called for networks of words"
    reviews = [review for review in open_reviews(source)[:limit] if review.words]
    return {
        review.name: network.embed(network.vocabulary.encode(network.split(review.text)[:CUT])) for review in reviews
    }


def _task(network: Network, limit: int, seed: int) -> dict[str, Tensor]:
    import torch

    from engine.start_states import TASK_SEED
    from engine.tasks import task_from_name

    sequences, _ = task_from_name(network.task).sequences(limit, STEPS, TASK_SEED + seed)
    return {f"run {number}": torch.from_numpy(x) for number, x in enumerate(sequences, 1)}


def _measure(cell: Cell, name: str, x: Tensor, count: int, lags: int, rng: np.random.Generator) -> Driven:
    import torch

    from engine.lyapunov import lyapunov_spectrum, memory_decay

    x = x.double()
    both = torch.stack((x, x[rng.permutation(len(x))]))
    exponents, of_shuffled = lyapunov_spectrum(cell, both, count=count)
    decay = memory_decay(cell, x.unsqueeze(0), lags=lags)
    return Driven(name, len(x), exponents, of_shuffled, decay.norm[0], float(decay.half_life[0]))


def _show(name: str, rows: list[Driven], too_short: int, lags: int) -> None:
    from engine.text import printable

    click.echo(
        f"{name}: {len(rows)} runs" + (f"; {too_short} were too short" if too_short else "") + "; nats a step, steps"
    )
    click.echo(f"{'RUN':<36}{'STEPS':>6}{'λ₁':>10}{'λ₂':>10}{'SHUFFLED':>10}{'HALF-LIFE':>11}")
    for row in rows:
        second = row.exponents[1] if len(row.exponents) > 1 else np.nan
        half = f"{row.half_life:.0f}" if math.isfinite(row.half_life) else f"> {min(lags, row.steps)}"
        click.echo(
            f"{printable(row.name)[:35]:<36}{row.steps:>6}{_number(row.exponents[0]):>10}{_number(second):>10}"
            f"{_number(row.shuffled[0]):>10}{half:>11}"
        )
    if len(rows) > 1:
        first, mixed = np.array([row.exponents[0] for row in rows]), np.array([row.shuffled[0] for row in rows])
        difference = _mean(first - mixed)
        click.echo(f"mean ± standard error: λ₁ {_mean(first)}, shuffled {_mean(mixed)}, difference {difference}")


def _mean(values: NDArray[np.float64]) -> str:
    return f"{_number(float(values.mean()))} ± {values.std(ddof=1) / len(values) ** 0.5:.4f}"


def _number(value: float) -> str:
    return "—" if math.isnan(value) else f"{value:.4f}".replace("-", "−")


def _charts(rows: list[Driven]) -> str:
    longest = max(len(row.norm) for row in rows)
    norms = np.full((len(rows), longest), np.nan)
    for padded, row in zip(norms, rows, strict=True):
        padded[: len(row.norm)] = row.norm
    memory = np.log10(np.nanmedian(norms, axis=0).clip(1e-300))
    spectra: Mapping[str, NDArray[np.float64]] = {
        "driven": np.mean([row.exponents for row in rows], axis=0),
        "shuffled": np.mean([row.shuffled for row in rows], axis=0),
    }
    numbers = np.arange(1, len(spectra["driven"]) + 1)
    marks = [Curve(name, numbers, values, marks=True) for name, values in spectra.items()]
    return "\n".join(
        [
            curves("Lyapunov exponents, mean", marks, "number", "nats a step"),
            curves("Memory, median", [Curve("", np.arange(longest), memory)], "lag, steps", "log₁₀ ‖∂h_T/∂x_t‖"),
        ]
    )
