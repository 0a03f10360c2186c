"""``pinkx read``: read a text and print one line a word, without a screen."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from engine.number_format import MISSING, number
from engine.sources.options import ReadOptions
from explorer.commands.read_options import read_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.network import Network
    from engine.points import FixedPoints


@dataclass(frozen=True)
class Word:
    """What is known after a word: ``output`` is the first output, ``point`` (number, stability, distance of h) the
    nearest fixed point under zero or mean input; None for what is not known, as before the window is full."""

    review: int
    word: int
    text: str
    output: float
    alpha: float | None
    beta: float | None
    beta_interval: tuple[float, float] | None
    dead: int | None
    point: tuple[int, str, float] | None

    def json(self, output: str) -> dict[str, Any]:
        """Return the values in JSON types; ``output`` is the name of the output."""
        point = None
        if self.point is not None:
            point = dict(zip(("number", "stability", "distance"), self.point, strict=True))
        return {
            "review": self.review,
            "word": self.word,
            "text": self.text,
            output: self.output,
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
        return (
            f"{self.review}:{self.word}\t{self.text}\t{output} {_number(self.output)}\tα {_number(self.alpha)}\t"
            f"β {_number(self.beta)} ({ends})\tdead {dead}\tpoint {point}"
        )


def _number(value: float | None) -> str:
    return number(math.nan if value is None else value)


@click.command
@click.argument("source", metavar="FILE|-", required=True)
@click.option(
    "--network", metavar="NAME", help="A shipped network (see `pinkx networks`) or a file.  [default: lstm-32]"
)
@click.option("--signal", metavar="NAME", default="h", show_default=True, help="Signal whose layer sum has α and β.")
@click.option(
    "--window", type=click.IntRange(min=32), default=64, show_default=True, help="Words behind α, β and the dead cells."
)
@click.option("--points/--no-points", default=True, show_default=True, help="Find the fixed points, once.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
@read_options
def command(
    source: str, network: str | None, signal: str, window: int, points: bool, as_json: bool, reading: ReadOptions
) -> None:
    """Read the text in FILE, or standard input with -, and print one line a word.

    Each line has the review and the word (counted from 1), the output, α and β of the layer sum with the 90% interval
    of β, the number of dead cells, and the nearest fixed point with its distance. FILE may also be a folder, a table
    (.csv, .jsonl and others) or an archive of reviews.
    """
    import torch

    from engine.network import Network
    from engine.reviews import open_reviews
    from engine.text import printable
    from explorer.session.launcher import default_network
    from explorer.session.views.outputs import output_of

    torch.set_num_threads(1)
    reviews = open_reviews(source, options=reading)
    if notice := reviews.report.notice():
        click.echo(printable(notice), err=True)
    loaded = Network.load(network or default_network())
    if loaded.vocabulary is None:
        raise ValueError(f"{loaded.name} takes numbers, not words: choose another of `pinkx networks`")
    names = [s.name for s in loaded.signals]
    if signal not in names:
        raise ValueError(f"no signal {signal!r}; this network has {', '.join(names)}")
    found = _points(loaded) if points else None
    output = output_of(loaded).short
    for index, review in enumerate(reviews, 1):
        for word in read_words(loaded, index, review.words, signal, window, found):
            if as_json:
                click.echo(json.dumps(word.json("output" if output != "P(+)" else "P"), ensure_ascii=False))
            else:
                click.echo(word.line("P" if output == "P(+)" else output))


def _points(network: Network) -> FixedPoints:
    """Return the points that the front ends search first; they share the cache."""
    from engine.points_cache import network_points
    from explorer.session.controllers.point_search import INPUTS, STARTS, encoded_reviews

    return network_points(network, INPUTS, count=STARTS, reviews=encoded_reviews(network))


def read_words(
    network: Network, review: int, words: Sequence[str], signal: str, window: int, points: FixedPoints | None
) -> Iterator[Word]:
    """Read words one by one and yield what is known after each, as soon as it is read."""
    from engine.activity import RollingActivity, is_dead
    from engine.fluctuation import RollingExponent, rolling_scales
    from engine.intervals import beta_interval
    from engine.recording import Stepper
    from engine.samples import sum_over_cells
    from explorer.session.views.outputs import activated

    assert network.vocabulary is not None, "checked by the command"
    n, scales = network.cell.size, rolling_scales(window)
    stepper, exponent, activity = Stepper(network), RollingExponent(scales, window, 1), RollingActivity(window, n)
    for place, (text, token) in enumerate(zip(words, network.vocabulary.encode(words).tolist(), strict=True), 1):
        signals = stepper.advance([token])
        h = signals["h"]
        activity.push(h)
        exponent.push(sum_over_cells(signals[signal])[:, None])
        alpha, beta = float(exponent.alpha[0]), float(exponent.beta[0])
        known, full = math.isfinite(beta), place >= window
        low, high = beta_interval(beta, window, scales).tolist() if known else (math.nan, math.nan)
        yield Word(
            review,
            place,
            text,
            float(activated(network, h)[0, 0]),
            alpha if known else None,
            beta if known else None,
            (low, high) if known else None,
            int(is_dead(activity.std).sum()) if full else None,
            _nearest(points, h[0]) if points is not None and len(points) else None,
        )


def _nearest(points: FixedPoints, h: np.ndarray[Any, Any]) -> tuple[int, str, float]:
    distance = np.linalg.norm(points.states[:, : len(h)] - h, axis=1)
    nearest = int(distance.argmin())
    kind = str(points.stability[nearest]) if points.fixed[nearest] else "slow"
    return nearest, kind, float(distance[nearest])
