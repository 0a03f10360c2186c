"""``pinkx read``: read a text or a sequence and print one line a word or step, without a screen."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import numpy as np

from engine.number_format import MISSING, number
from engine.sources.options import ReadOptions
from explorer.commands.device_option import device_option
from explorer.commands.layer_options import layer_options
from explorer.commands.read_options import read_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.device_stepper import FallbackStepper
    from engine.network import Network
    from engine.points import FixedPoints
    from engine.text import Review


@dataclass(frozen=True)
class Vectors:
    """The inputs at a step, and the outputs and targets after it; None for a target that is open.

    ``targets`` is None if they are not known at all.
    """

    channels: tuple[str, ...]
    inputs: tuple[float, ...]
    outputs: tuple[float, ...]
    targets: tuple[float | None, ...] | None

    def json(self) -> dict[str, Any]:
        """Return the values in JSON types."""
        inputs = dict(zip(self.channels, self.inputs, strict=True))
        return {"inputs": inputs, "outputs": [*map(_known, self.outputs)], "targets": self.targets and [*self.targets]}

    def line(self) -> str:
        """Return the values as parts of a line."""
        parts = {"in": self.inputs, "out": self.outputs, "target": self.targets or (None,) * len(self.outputs)}
        return "\t".join(f"{name} {' '.join(map(_number, values))}" for name, values in parts.items())


def _known(value: float) -> float | None:
    """Return None for NaN, the output of a layer that no readout reads: JSON has no NaN."""
    return None if math.isnan(value) else value


@dataclass(frozen=True)
class Word:
    """Values after a word: ``output`` is the first output, ``point`` (number, stability, distance of h) the
    nearest fixed point under zero or mean input; None for what is not known, as before the window is full.

    ``vectors`` belong to a step of a sequence of vectors.
    """

    review: int
    word: int
    text: str
    output: float
    alpha: float | None
    beta: float | None
    beta_interval: tuple[float, float] | None
    dead: int | None
    point: tuple[int, str, float] | None
    vectors: Vectors | None = None

    def json(self, output: str) -> dict[str, Any]:
        """Return the values in JSON types; ``output`` is the name of the output."""
        point = None
        if self.point is not None:
            point = dict(zip(("number", "stability", "distance"), self.point, strict=True))
        if self.vectors is None:
            read = {"review": self.review, "word": self.word, "text": self.text, output: _known(self.output)}
        else:
            read = {"sequence": self.review, "step": self.word, **self.vectors.json()}
        return read | {
            "alpha": self.alpha,
            "beta": self.beta,
            "beta_interval": self.beta_interval,
            "dead": self.dead,
            "nearest_point": point,
        }

    def line(self, output: str) -> str:
        """Return the values as one line that also reads well aloud."""
        ends = "no interval"
        if self.beta_interval is not None:
            ends = " to ".join(map(_number, self.beta_interval))
        point = MISSING
        if self.point is not None:
            index, stability, distance = self.point
            point = f"#{index} {stability} at {_number(distance)}"
        dead = MISSING if self.dead is None else str(self.dead)
        read = f"{self.text}\t{output} {_number(self.output)}" if self.vectors is None else self.vectors.line()
        return (
            f"{self.review}:{self.word}\t{read}\tα {_number(self.alpha)}\t"
            f"β {_number(self.beta)} ({ends})\tdead {dead}\tpoint {point}"
        )


def _number(value: float | None) -> str:
    return number(math.nan if value is None else value)


@click.command
@click.argument("source", metavar="FILE|-", required=False)
@click.option(
    "--network", metavar="NAME", help="A shipped network (see `pinkx networks`) or a file.  [default: lstm-32]"
)
@click.option("--signal", metavar="NAME", default="h", show_default=True, help="Signal whose layer sum has α and β.")
@click.option(
    "--window", type=click.IntRange(min=32), default=64, show_default=True, help="Words behind α, β and the dead cells."
)
@click.option(
    "--seed",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Seed of the sequence of a network's own task that is read without FILE.",
)
@click.option(
    "--targets",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What the outputs should be at every step of the signal in FILE: .csv or .npy, nan for open.",
)
@click.option("--points/--no-points", default=True, show_default=True, help="Find the fixed points, once.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
@device_option
@layer_options
@read_options
def command(
    source: str | None,
    network: str | None,
    signal: str,
    window: int,
    seed: int,
    targets: Path | None,
    points: bool,
    as_json: bool,
    device: str,
    layer: int | None,
    direction: Literal["forward", "backward"] | None,
    reading: ReadOptions,
) -> None:
    """Read the text in FILE, or standard input with -, and print one line a word.

    Each line has the review and the word (counted from 1), the output, α and β of the layer sum with the 90% interval
    of β, the number of dead cells, and the nearest fixed point with its distance. FILE may also be a folder, a table
    (.csv, .jsonl and others) or an archive of reviews.

    A network over real-valued input reads the numbers in FILE (.csv or .npy), or without FILE a sequence of its own
    task: one line a step, with the inputs, the outputs and the targets.

    --device runs the network, in blocks of words as the live run does, and searches the fixed points. α, β and the dead
    cells of a single text are too little work for a GPU: the CPU computes them.
    """
    import torch

    from engine.device_stepper import FallbackStepper
    from engine.devices import choose
    from engine.network import Network
    from engine.sequences import as_read, drawn_sequence, open_sequences
    from explorer.session.launcher import default_network
    from explorer.session.layers import watched
    from explorer.session.views.outputs import output_of

    torch.set_num_threads(1)
    running, searching = choose(device, "live").device, choose(device, "points").device
    if source is not None and network is None:
        reviews: Sequence[Review] = _opened(source, reading)  # reported at once if they cannot be read
    loaded = watched(Network.load(network or default_network()), layer, direction)
    if loaded.unit == "step":
        drawn = source is None and targets is None
        reviews = [drawn_sequence(loaded, seed)] if drawn else open_sequences(loaded, source, targets)
    elif targets is not None:
        raise click.UsageError(f"--targets belongs to a signal of numbers: {loaded.name} reads {loaded.unit}s")
    elif source is None:
        raise click.UsageError(f"{loaded.name} reads words: give a FILE, or - for standard input")
    elif network is not None:
        reviews = as_read(loaded, _opened(source, reading))
    names = [s.name for s in loaded.signals]
    if signal not in names:
        raise ValueError(f"no signal {signal!r}; this network has {', '.join(names)}")
    found = _points(loaded, reviews[:1], searching) if points else None
    output = output_of(loaded).short
    stepper, problem = FallbackStepper(loaded, running), ""
    for index, review in enumerate(reviews, 1):
        for word in read_words(stepper, index, review, signal, window, found):
            if stepper.problem != problem:
                problem = stepper.problem
                click.echo(f"the GPU failed ({problem}); the CPU computes instead", err=True)
            if as_json:
                click.echo(json.dumps(word.json("output" if output != "P(+)" else "P"), ensure_ascii=False))
            else:
                click.echo(word.line("P" if output == "P(+)" else output))


def _opened(source: str, reading: ReadOptions) -> Sequence[Review]:
    """Open reviews, and print to standard error what the user should know about them."""
    from engine.reviews import open_reviews
    from engine.text import printable

    reviews = open_reviews(source, options=reading)
    if notice := reviews.report.notice():
        click.echo(printable(notice), err=True)
    return reviews


def _points(network: Network, sequences: Sequence[Review], device: str) -> FixedPoints:
    """Return the points that the front ends search first; they share the cache."""
    from engine.sequences import encoded
    from explorer.commands.points import search
    from explorer.session.controllers.point_search import STARTS, first_inputs, start_inputs

    read = [encoded(network, review) for review in sequences] if network.vocabulary is None else []
    options = {"count": STARTS, "reviews": start_inputs(network, read)}
    return search(network, first_inputs(network), device, options)


def read_words(
    stepper: FallbackStepper, number: int, review: Review, signal: str, window: int, points: FixedPoints | None
) -> Iterator[Word]:
    """Read words or steps, a block at once, and yield what is known after each.

    Parameters
    ----------
    stepper : FallbackStepper
        Runs the network from its initial state.
    number : int
        Number of the review in its source.
    """
    from engine.activity import RollingActivity, is_dead
    from engine.fluctuation import RollingExponent, rolling_scales
    from engine.intervals import beta_interval
    from engine.live.layers import BackwardStepper, WholeOutputs
    from engine.samples import sum_over_cells
    from engine.sequences import encoded
    from explorer.session.views.outputs import activated

    network, block, scales = stepper.network, stepper.block, rolling_scales(window)
    exponent, activity = RollingExponent(scales, window, 1), RollingActivity(window, network.cell.size)
    reader: FallbackStepper | BackwardStepper = stepper
    ids = encoded(network, review)
    stepper.reset()
    if network.backward:  # it reads the review from its end
        reader = BackwardStepper(stepper)
        reader.start(ids, ())
        ids = np.arange(len(ids))
    whole = WholeOutputs(network) if network.shares_readout else None
    if whole is not None:
        whole.start(encoded(network.watching(0), review), {}, ())
    for place, text in enumerate(review.words, 1):
        row = (place - 1) % block
        if not row:
            signals = reader.advance(ids[place - 1 : place - 1 + block])
            states, series = signals["h"], sum_over_cells(signals[signal])[:, None]
            results = activated(network, states) if whole is None else whole.advance(place - 1, states)
        activity.push(states[row : row + 1])
        exponent.push(series[row : row + 1])
        alpha, beta = float(exponent.alpha[0]), float(exponent.beta[0])
        known, full = math.isfinite(beta), place >= window
        low, high = beta_interval(beta, window, scales).tolist() if known else (math.nan, math.nan)
        outputs = results[row].tolist()
        yield Word(
            number,
            place,
            text,
            outputs[0],
            alpha if known else None,
            beta if known else None,
            (low, high) if known else None,
            int(is_dead(activity.std).sum()) if full else None,
            _nearest(points, states[row]) if points is not None and len(points) else None,
            _vectors(review, place - 1, outputs),
        )


def _vectors(review: Review, step: int, outputs: list[float]) -> Vectors | None:
    """Return what a sequence of vectors has at a step; None for a review of words."""
    from engine.sequences import InputSequence

    if not isinstance(review, InputSequence):
        return None
    targets = None
    if review.targets is not None:
        targets = tuple(value if math.isfinite(value) else None for value in review.targets[step].tolist())
    return Vectors(review.channels, tuple(review.inputs[step].tolist()), tuple(outputs), targets)


def _nearest(points: FixedPoints, h: np.ndarray[Any, Any]) -> tuple[int, str, float]:
    distance = np.linalg.norm(points.states[:, : len(h)] - h, axis=1)
    nearest = int(distance.argmin())
    kind = str(points.stability[nearest]) if points.fixed[nearest] else "slow"
    return nearest, kind, float(distance[nearest])
