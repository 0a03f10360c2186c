"""The part of ``pinkx points`` about where states end: basins of attraction and cycles (``--basins``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.basins import Basins, Ends
    from engine.cycles import Cycle
    from engine.network import Network
    from engine.points import FixedPoints


def find_ends(
    network: Network,
    found: FixedPoints,
    states: int,
    seed: int,
    reviews: Sequence[NDArray[np.integer]],
    *,
    device: str = "cpu",
    cache: bool = True,
) -> dict[str, Ends]:
    """Find where ``states`` visited and as many uniform states end, for each input with a point.

    The CPU takes over, with a warning, at the input at which the device fails.
    """
    from engine.devices import or_on_the_cpu
    from engine.points_cache import network_ends

    def find(name: str, on: str) -> Ends | None:
        there = network.to(device=on)
        return network_ends(there, found, name, count=states, seed=seed, reviews=reviews, cache=cache)

    ends = {}
    for name in dict.fromkeys(found.input_names.tolist()):
        one = or_on_the_cpu(device, partial(find, name))
        assert one is not None, "nothing stops this computation"
        ends[name] = one
    return ends


def show_ends(ends: Mapping[str, Ends], limit: int) -> None:
    """Print a table of the shares, at most ``limit`` attractors for each input."""
    for name, (visited, uniform) in ends.items():
        count = visited.states
        click.echo(f"\nEnds under {name}: share of {count} visited and {count} uniform states, 95 % intervals")
        shares = zip(visited.points.tolist(), _shares(visited), _shares(uniform), strict=True)
        rows = [f"point {number:<12}{first:<24}{second}" for number, first, second in shares]
        for kind, basins in (("visited", visited), ("uniform", uniform)):
            for cycle in basins.cycles:
                share = f"{cycle.hits / count:.0%} of the {kind} states"
                rows.append(f"cycle of {cycle.period}, amplitude {cycle.amplitude:.2f}: {share}")
            if basins.elsewhere:
                rows.append(f"no attractor found: {basins.elsewhere / count:.0%} of the {kind} states")
        for row in rows[:limit]:
            click.echo(f"  {row}")
        if len(rows) > limit:
            click.echo(f"… {len(rows) - limit:,} more; use --limit to list them")


def ends_json(ends: Mapping[str, Ends]) -> dict[str, Any]:
    """Return the shares and cycles under each input in JSON types."""
    return {name: {kind: _as_object(basins) for kind, basins in pair._asdict().items()} for name, pair in ends.items()}


def _shares(basins: Basins) -> list[str]:
    bounds = zip(basins.share, basins.interval(), strict=True)
    return [f"{share:.1%} ({low:.1%} … {high:.1%})" for share, (low, high) in bounds]


def _as_object(basins: Basins) -> dict[str, Any]:
    return {
        "states": basins.states,
        "points": basins.points.tolist(),
        "share": basins.share.tolist(),
        "interval": basins.interval().tolist(),
        "cycles": [_cycle(cycle) for cycle in basins.cycles],
        "elsewhere": basins.elsewhere,
    }


def _cycle(cycle: Cycle) -> dict[str, Any]:
    return {
        "period": cycle.period,
        "amplitude": cycle.amplitude,
        "stable": cycle.stable,
        "newton_step": cycle.newton_step,
        "hits": cycle.hits,
    }
