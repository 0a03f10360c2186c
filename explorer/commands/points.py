"""``pinkx points``: the fixed and slow points of a network, along an input too, or the attractor of every word."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from explorer.commands.basins import ends_json, find_ends, show_ends
from explorer.commands.device_option import device_option
from explorer.commands.layer_options import layer_options
from explorer.commands.on_option import on_option, shard_progress
from explorer.commands.plots import eigenvalues, histogram, plot_option

if TYPE_CHECKING:
    from engine.basins import Ends
    from engine.network import Network
    from engine.points import FixedPoints
    from engine.points_cache import Progress
    from engine.probability import Activation
    from engine.word_attractors import WordAttractors

LONGEST = 1e6  # steps; longer time constants are printed as ∞
ROWS = 50  # default length of a table
_NOISE: Final = 64, 100  # sequences of white noise, and their steps


@click.command
@click.argument("network")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="INPUT",
    help="Constant input during the search: zero, a number (for every input), numbers separated by commas, mean, or a "
    "word. Can be repeated.  [default: zero, +1, -1; of a network that reads words: zero, mean]",
)
@click.option(
    "--starts", type=click.IntRange(1), default=1024, show_default=True, help="Number of start states for each input."
)
@click.option(
    "--noise",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Standard deviation of noise added to the start states.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the start states.")
@click.option(
    "--method", type=click.Choice(["newton", "adam"]), default="newton", show_default=True,
    help="Newton's method, or gradient descent on the speed q as in the paper.",
)  # fmt: skip
@click.option(
    "--reviews", "source", metavar="SOURCE",
    help="Reviews that provide the start states, or a signal (.csv, .npy) for a network over real-valued input.  "
    "[default: the reviews that ship with pinkx; sequences of the network's task, or white noise if it names none]",
)  # fmt: skip
@click.option(
    "--words", is_flag=True, help="Find the attractor of every word instead: the state if it were repeated forever."
)
@click.option(
    "--along",
    metavar="WORD|CHANNEL",
    help="Follow the points instead, while the weight of a word rises from 0 to 1, or a channel (a number from 1) from "
    "−1 to 1.",
)
@click.option(
    "--basins", "states", type=click.IntRange(0), default=256, show_default=True, metavar="N",
    help="Find where N visited and N uniformly drawn states end, also in cycles; 0 for none.",
)  # fmt: skip
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Number of CPU threads.")
@device_option
@layer_options
@on_option
@click.option("--fresh", is_flag=True, help="Search again instead of using a cached result.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Save everything, including eigenvectors, to this .npz file."
)
@click.option("--limit", type=click.IntRange(min=1), help=f"Maximum number of rows.  [default: {ROWS} in a table]")
@plot_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(
    network: str,
    inputs: tuple[str, ...],
    starts: int,
    noise: float,
    seed: int,
    method: Any,
    source: str | None,
    words: bool,
    along: str | None,
    states: int,
    threads: int,
    device: str,
    layer: int | None,
    direction: Literal["forward", "backward"] | None,
    on: str | None,
    fresh: bool,
    out: Path | None,
    limit: int | None,
    plot: bool,
    as_json: bool,
) -> None:
    """Find the fixed and slow points of NETWORK, starting from states that it visits.

    The indices of all fixed points under one input add up to Σ = 1; any other sum proves that points are missing.
    RADIUS is the distance (maximum norm, in h) within which the point is proved to be the only root; — where the proof
    fails, because an eigenvalue is too close to 1. STABILITY has a ± where |λ| is 1 within its error.

    STARTS is the number of start states that reached the point, Q the speed ½‖F(s) − s‖², STEP the Newton step and τ
    the time constant of the leading mode in steps (of growth at a saddle); P are the output probabilities, OUTPUT the
    outputs of a linear readout. A small Newton step certifies a fixed point, a small slope of Q a slow point.

    With --along, UNSTABLE is the number of unstable directions at both ends of a branch; at a FOLD two points meet and
    vanish, and at |λ| = 1 the stability changes otherwise. Branches that reach neither end are not found.

    --device computes the searches, the attractors of words and the basins. A branch is followed point by point, which
    is too little work for a GPU: the CPU does it.
    """
    import torch

    from engine.devices import choose, or_on_the_cpu
    from engine.network import Network
    from engine.points_cache import cached_word_attractors
    from explorer.session.layers import watched

    if on is not None and (words or along is not None):
        raise ValueError("--on spreads a search over the inputs; leave out --words and --along, or --on")
    torch.set_num_threads(threads)
    loaded = watched(Network.load(network), layer, direction)
    chosen = choose(device, "points").device
    if words:
        with _bar("words") as show:
            attractors = or_on_the_cpu(
                chosen,
                lambda on: cached_word_attractors(loaded.to(device=on), progress=show, cache=not fresh),
            )
        assert attractors is not None, "a search without a stop signal has a result"
        if out is not None:
            attractors.save(out)
        _show_words(loaded, attractors, limit, as_json)
        if plot and not as_json:
            output = "output" if loaded.activation == "linear" else "logit"
            click.echo("\n" + histogram("Attractors", {output: attractors.logit}, output, "words"), nl=False)
        return
    names = inputs or (("zero", "mean") if loaded.unit != "step" else ("zero", "+1", "-1"))
    reviews = _reviews(loaded, source)

    options = {"count": starts, "noise": noise, "seed": seed, "method": method, "reviews": reviews, "cache": not fresh}

    def find(names: Sequence[str]) -> FixedPoints:
        with _bar("starts") as show:
            return search(loaded, names, chosen, options, show)

    if along is not None:
        from explorer.commands import along as changes

        branches = changes.follow(loaded, along, find)
        if out is not None:
            changes.save(out, branches)
        if as_json:
            click.echo(changes.branches_json(loaded, along, branches, limit))
            return
        changes.show_branches(loaded, along, branches, limit or ROWS)
        if plot:
            click.echo("\n" + changes.branches_chart(loaded, branches), nl=False)
        return
    if on is None:
        found = find(names)
    else:
        from rich.console import Console

        from engine.points import FixedPoints
        from engine.sweeps.shards import map_shards

        calls = {f"input {name}": (loaded, [name], chosen, options) for name in names}
        with shard_progress(Console(stderr=True), "inputs") as (count, say):
            found = FixedPoints.concatenate(map_shards(search, calls, on, count, say))
    if out is not None:
        found.save(out)
    ends = find_ends(loaded, found, states, seed, reviews, device=chosen, cache=not fresh) if states else {}
    _show_points(loaded, found, ends, limit, as_json)
    if plot and not as_json:
        kinds = {"stable": found.fixed & (found.unstable == 0), "saddle": found.fixed & (found.unstable > 0)}
        kinds["slow"] = ~found.fixed
        groups = {f"{kind} points": found.eigenvalues[rows] for kind, rows in kinds.items() if rows.any()}
        click.echo("\n" + eigenvalues("Eigenvalues", groups), nl=False)


def search(
    network: Network,
    names: Sequence[str],
    device: str,
    options: Mapping[str, Any],
    progress: Progress | None = None,
) -> FixedPoints:
    """Return `engine.points_cache.network_points` on a device, or on the CPU if that fails."""
    from engine.devices import or_on_the_cpu
    from engine.points_cache import network_points

    return or_on_the_cpu(device, lambda on: network_points(network.to(device=on), names, progress=progress, **options))


def _reviews(network: Network, source: str | None) -> list[Any]:
    if network.unit == "step":
        return _signals(network, source)
    from engine.reviews import CUT, open_reviews
    from engine.sequences import encode

    texts = [network.split(review.text)[:CUT] for review in open_reviews(source)[:100]]
    return [encode(network, words, "a review") for words in texts]


def _signals(network: Network, source: str | None) -> list[Any]:
    """Return input vectors that provide the start states; none if the network's own task does."""
    from engine.sequences import encoded, open_sequences, task_of

    if source is not None:
        return [encoded(network, sequence) for sequence in open_sequences(network, source)]
    if task_of(network) is not None:
        return []
    click.echo(
        f"{network.name} names no task: the start states are those that it visits under white noise of variance 1; "
        "give --reviews signal.csv for others",
        err=True,
    )
    import numpy as np

    from engine.sequences import encode

    noise = np.random.default_rng(0).normal(size=(*_NOISE, network.channels)).astype(np.float32)
    return [encode(network, values, "noise") for values in noise]


@contextmanager
def _bar(unit: str) -> Iterator[Progress]:
    """Show progress on standard error, so that a pipe gets only the result."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeRemainingColumn

    columns = (TextColumn(unit), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show_points(
    network: Network, found: FixedPoints, ends: Mapping[str, Ends], limit: int | None, as_json: bool
) -> None:
    from engine.points import describe_sums

    explained = _explained(found)
    rows = [_as_object(found, k, network.activation) for k in range(len(found))]
    if as_json:
        summary = {"network": network.name, "starts": found.starts, "lost": found.lost, "explained_variance": explained}
        summary |= {"index_sum": found.index_sum, "activation": network.activation, "points": rows[:limit]}
        click.echo(json.dumps(summary | {"ends": ends_json(ends)}, indent=2))
        return
    click.echo(
        f"{network.name}: {len(found)} points ({int(found.fixed.sum())} fixed) from {found.starts:,} starts, "
        f"{found.lost:,} of which reached none; the first three components explain "
        + ", ".join(f"{part:.1%}" for part in explained)
    )
    click.echo(describe_sums(found.index_sum, indexed=found.indexed))
    output = "OUTPUT" if network.activation == "linear" else "P"
    heading = f"{'':>4}  {'INPUT':<12}{'KIND':<7}{'STABILITY':<16}{'STARTS':>6}{'Q':>10}{'STEP':>10}{'RADIUS':>9}"
    click.echo(f"{heading}{'τ':>9}  {output}")
    shown = rows[: limit or ROWS]
    for number, row in enumerate(shown):
        outputs = " ".join(f"{value:.3f}" for value in row["output"]).replace("-", "−")
        tau = _time_constant(row["time_constant"])
        step = "—" if row["newton_step"] is None else f"{row['newton_step']:.1e}"
        radius = "—" if row["unique_within"] is None else f"{row['unique_within']:.0e}"
        stability = row["stability"] + (f" ± {row['uncertain']}" if row["uncertain"] and row["kind"] == "fixed" else "")
        click.echo(
            f"{number:>4}  {row['input']:<12}{row['kind']:<7}{stability:<16}{row['hits']:>6}"
            f"{row['q']:>10.1e}{step:>10}{radius:>9}{tau:>9}  {outputs}"
        )
    _print_remaining(len(rows) - len(shown))
    show_ends(ends, limit or ROWS)


def _show_words(network: Network, attractors: WordAttractors, limit: int | None, as_json: bool) -> None:
    order = attractors.order_by_logit().tolist()
    rows = [
        {
            "word": attractors.words[k],
            "logit": float(attractors.logit[k]),
            "time_constant": _finite(float(attractors.time_constant[k])),
            "kind": str(attractors.kind[k]),
            "period": int(attractors.period[k]),
            "amplitude": _finite(float(attractors.amplitude[k])),
            "q": float(attractors.q[k]),
        }
        for k in order
    ]
    if as_json:
        click.echo(json.dumps({"network": network.name, "words": rows[:limit]}, indent=2))
        return
    kinds = Counter(row["kind"] for row in rows)
    counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    click.echo(f"{network.name}: {len(rows):,} words from negative to positive ({counts})")
    output = "OUTPUT" if network.activation == "linear" else "LOGIT"
    click.echo(f"{output:>8}{'τ':>9}  {'KIND':<12} WORD")
    most = limit or ROWS
    # The most negative and the most positive words are the interesting ones.
    ends = rows if len(rows) <= most else rows[: (most + 1) // 2] + rows[len(rows) - most // 2 :]
    for row in ends:
        tau = _time_constant(row["time_constant"]) if row["kind"] == "fixed" else "–"
        kind = f"cycle of {row['period']}" if row["kind"] == "cycle" else row["kind"]
        click.echo(f"{row['logit']:>8.2f}".replace("-", "−") + f"{tau:>9}  {kind:<12} {row['word']}")
    _print_remaining(len(rows) - len(ends))


def _print_remaining(left: int) -> None:
    if left:
        click.echo(f"… {left:,} more; use --limit to list them")


def _as_object(found: FixedPoints, k: int, activation: Activation) -> dict[str, Any]:
    """Return a point in JSON types; a number that is not finite becomes null."""
    from engine.probability import activate

    output = activate(found.readout[k], activation).tolist()
    return {
        "input": str(found.input_names[k]),
        "kind": str(found.kind[k]),
        "stability": str(found.stability[k]),
        "unstable": int(found.unstable[k]),
        "uncertain": int(found.uncertain[k]),
        "index": int(found.index[k]),
        "exists_within": _finite(float(found.exists_within[k])),
        "unique_within": _finite(float(found.unique_within[k])),
        "hits": int(found.hits[k]),
        "q": float(found.q[k]),
        "newton_step": _finite(float(found.newton_step[k])),
        "slope": _finite(float(found.slope[k])),
        "time_constant": _finite(float(found.time_constants[k, 0])),
        "eigenvalues": [[value.real, value.imag] for value in found.eigenvalues[k, :10].tolist()],
        "readout": found.readout[k].tolist(),
        "output": output,
        "probability": None if activation == "linear" else output,
    }


def _time_constant(steps: float | None) -> str:
    """Format a time constant; a slow point has λ = 1 up to rounding, so a very long one is infinite."""
    return "∞" if steps is None or steps > LONGEST else f"{steps:.1f}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _explained(found: FixedPoints) -> Sequence[float]:
    if not len(found):
        return []
    from engine.projection import Projection

    explained: list[float] = Projection.of(found.states, min(3, found.states.shape[1])).explained.tolist()
    return explained
