"""``pinkx points``: a network's fixed and slow points, or the attractor of every word."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from engine.network import Network
    from engine.points import FixedPoints
    from engine.points_cache import Progress
    from engine.word_attractors import WordAttractors

LONGEST = 1e6  # steps
ROWS = 50  # of a table, unless --limit says otherwise


@click.command
@click.argument("network")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="INPUT",
    help="Held while searching: zero, a number (for all), numbers with commas, mean, or a word. May be repeated.",
)
@click.option("--starts", type=click.IntRange(1), default=1024, show_default=True, help="Visited states, for an input.")
@click.option("--noise", type=click.FloatRange(0), default=0.0, show_default=True, help="Added to them (std. dev.).")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--method", type=click.Choice(["newton", "adam"]), default="newton", show_default=True)
@click.option("--reviews", "source", help="What a network that reads words reads [default: the bundled reviews].")
@click.option("--words", is_flag=True, help="Instead: where every word would lead if it were repeated for ever.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU threads for torch.")
@click.option("--fresh", is_flag=True, help="Search again, even if the result is remembered.")
@click.option("--out", type=click.Path(path_type=Path), help="Write all, eigenvectors too, to this .npz file.")
@click.option("--limit", type=click.IntRange(min=1), help=f"At most so many rows (a table shows {ROWS}).")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def command(
    network: str,
    inputs: tuple[str, ...],
    starts: int,
    noise: float,
    seed: int,
    method: Any,
    source: str | None,
    words: bool,
    threads: int,
    fresh: bool,
    out: Path | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Find the fixed and slow points of NETWORK, from states that its own runs visit.

    Q is the speed ½‖F(s) − s‖², STEP the Newton step, which certifies a fixed point (a slow one is certified by
    the slope of Q); MEMORY the leading mode's time constant in steps (in which it grows, at a saddle).
    """
    import torch

    from engine.network import Network
    from engine.points_cache import cached_word_attractors, network_points

    torch.set_num_threads(threads)
    loaded = Network.load(network)
    if words:
        with _bar("words") as show:
            attractors = cached_word_attractors(loaded, progress=show, cache=not fresh)
        assert attractors is not None, "only an interrupted search has no result"
        if out is not None:
            attractors.save(out)
        _show_words(loaded, attractors, limit, as_json)
        return
    names = inputs or (("zero", "mean") if loaded.embedding is not None else ("zero", "+1", "-1"))
    with _bar("starts") as show:
        found = network_points(
            loaded,
            names,
            count=starts,
            noise=noise,
            seed=seed,
            method=method,
            reviews=_reviews(loaded, source),
            progress=show,
            cache=not fresh,
        )
    if out is not None:
        found.save(out)
    _show_points(loaded, found, limit, as_json)


def _reviews(network: Network, source: str | None) -> list[Any]:
    if network.vocabulary is None:
        return []
    from engine.reviews import CUT, open_reviews

    return [network.vocabulary.encode(review.words[:CUT]) for review in open_reviews(source)[:100]]


@contextmanager
def _bar(unit: str) -> Iterator[Progress]:
    """A bar on standard error, so that a pipe gets the result alone."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeRemainingColumn

    columns = (TextColumn(unit), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show_points(network: Network, found: FixedPoints, limit: int | None, as_json: bool) -> None:
    explained = _explained(found)
    rows = [_as_object(found, k) for k in range(len(found))]
    if as_json:
        summary = {"network": network.name, "starts": found.starts, "lost": found.lost, "explained_variance": explained}
        click.echo(json.dumps(summary | {"points": rows[:limit]}, indent=2))
        return
    click.echo(
        f"{network.name}: {len(found)} points ({int(found.fixed.sum())} fixed) from {found.starts:,} starts, "
        f"{found.lost:,} of them lost; first three components explain " + ", ".join(f"{part:.1%}" for part in explained)
    )
    click.echo(f"{'':>4}  {'INPUT':<12}{'KIND':<7}{'STABILITY':<16}{'STARTS':>6}{'Q':>10}{'STEP':>10}{'MEMORY':>9}  P")
    shown = rows[: limit or ROWS]
    for number, row in enumerate(shown):
        chances = " ".join(f"{p:.3f}" for p in row["probability"])
        memory = _memory(row["memory"])
        step = "—" if row["newton_step"] is None else f"{row['newton_step']:.1e}"
        click.echo(
            f"{number:>4}  {row['input']:<12}{row['kind']:<7}{row['stability']:<16}{row['hits']:>6}"
            f"{row['q']:>10.1e}{step:>10}{memory:>9}  {chances}"
        )
    _say_rest(len(rows) - len(shown))


def _show_words(network: Network, attractors: WordAttractors, limit: int | None, as_json: bool) -> None:
    order = attractors.order_by_logit().tolist()
    rows = [
        {
            "word": attractors.words[k],
            "logit": float(attractors.logit[k]),
            "memory": _finite(float(attractors.time_constant[k])),
            "kind": "fixed" if attractors.fixed[k] else "slow" if attractors.slow[k] else "moving",
            "q": float(attractors.q[k]),
        }
        for k in order
    ]
    if as_json:
        click.echo(json.dumps({"network": network.name, "words": rows[:limit]}, indent=2))
        return
    click.echo(f"{network.name}: {len(rows):,} words from negative to positive")
    click.echo(f"{'LOGIT':>8}{'MEMORY':>9}  {'KIND':<7} WORD")
    most = limit or ROWS
    # Both ends tell more than the first rows alone.
    ends = rows if len(rows) <= most else rows[: (most + 1) // 2] + rows[len(rows) - most // 2 :]
    for row in ends:
        memory = _memory(row["memory"])
        click.echo(f"{row['logit']:>8.2f}{memory:>9}  {row['kind']:<7} {row['word']}")
    _say_rest(len(rows) - len(ends))


def _say_rest(left: int) -> None:
    if left:
        click.echo(f"… {left:,} more; --limit shows them")


def _as_object(found: FixedPoints, k: int) -> dict[str, Any]:
    """A point in JSON's types; a number without a finite value is null."""
    from engine.probability import positive_probability

    return {
        "input": str(found.input_names[k]),
        "kind": str(found.kind[k]),
        "stability": str(found.stability[k]),
        "unstable": int(found.unstable[k]),
        "hits": int(found.hits[k]),
        "q": float(found.q[k]),
        "newton_step": _finite(float(found.newton_step[k])),
        "slope": _finite(float(found.slope[k])),
        "memory": _finite(float(found.time_constants[k, 0])),
        "eigenvalues": [[value.real, value.imag] for value in found.eigenvalues[k, :10].tolist()],
        "readout": found.readout[k].tolist(),
        "probability": positive_probability(found.readout[k]).tolist(),
    }


def _memory(steps: float | None) -> str:
    """A slow point has λ = 1 by its nature: what lasts so long lasts for ever, as far as anybody can tell."""
    return "∞" if steps is None or steps > LONGEST else f"{steps:.1f}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _explained(found: FixedPoints) -> Sequence[float]:
    if not len(found):
        return []
    from engine.projection import Projection

    explained: list[float] = Projection.of(found.states, min(3, found.states.shape[1])).explained.tolist()
    return explained
