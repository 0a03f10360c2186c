"""The part of ``pinkx points`` that follows fixed points while the input changes (``--along``)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from explorer.commands.plots import Curve, curves

if TYPE_CHECKING:
    from engine.branches import Branch
    from engine.network import Network
    from engine.points import FixedPoints


def follow(network: Network, target: str, find: Callable[[Sequence[str]], FixedPoints]) -> list[Branch]:
    """Return the branches of fixed points, by their smallest weight.

    Parameters
    ----------
    network : Network
    target : str
        See ``engine.branches.sections``.
    find : callable
        Finds the points under inputs given by name.
    """
    from engine.branches import branches_along, inputs_along, sections

    parts = sections(network, target)
    return branches_along(network, parts, find(inputs_along(parts)))


def show_branches(network: Network, target: str, found: Sequence[Branch], limit: int | None) -> None:
    """Print the table of branches, at most ``limit`` rows."""
    what = f"weight of “{target}” from 0 to 1" if network.embedding is not None else f"channel {target} from −1 to 1"
    click.echo(f"{network.name}: {len(found)} branches of fixed points, {what}")
    output = _output(network).upper()
    click.echo(f"{'':>4}  {'FROM':>6}{'TO':>7}  {'UNSTABLE':<10}{output:>15}  {'FOLDS':<16}  |λ| = 1")
    for number, branch in enumerate(found[:limit]):
        logit = "—" if not branch.readout.shape[1] else f"{branch.readout[0, 0]:.2f} → {branch.readout[-1, 0]:.2f}"
        line = (
            f"{number:>4}  {branch.weight[0]:>6.2f}{branch.weight[-1]:>7.2f}  "
            f"{f'{branch.unstable[0]} → {branch.unstable[-1]}':<10}{logit:>15}  "
            f"{_weights(branch, branch.folds):<16}  {_weights(branch, branch.crossings)}"
        )
        click.echo((line + (" (lost)" if branch.ended == "stuck" else "")).replace("-", "−"))
    if limit is not None and len(found) > limit:
        click.echo(f"… {len(found) - limit:,} more; use --limit to list them")


def branches_json(network: Network, target: str, found: Sequence[Branch], limit: int | None) -> str:
    """Return the branches as a JSON object."""
    rows = [_as_object(branch) for branch in found[:limit]]
    return json.dumps({"network": network.name, "along": target, "branches": rows}, indent=2)


def save(path: Path, found: Sequence[Branch]) -> None:
    """Write the branches, with their states, to an .npz file."""
    from engine.branches import save_branches

    save_branches(path, found)


def branches_chart(network: Network, found: Sequence[Branch]) -> str:
    """Return a chart of the first logit, or linear output, against the weight: stable and unstable points."""
    weight = np.concatenate([branch.weight for branch in found])
    logit = np.concatenate([branch.readout[:, 0] for branch in found])
    stable = np.concatenate([branch.unstable for branch in found]) == 0
    parts = {"stable": stable, "unstable": ~stable}
    drawn = [Curve(name, weight[rows], logit[rows], marks=True) for name, rows in parts.items() if rows.any()]
    return curves("Fixed points along the input", drawn, "weight", _output(network))


def _output(network: Network) -> str:
    """Return what the readout gives: a linear one no logits."""
    return "output" if network.activation == "linear" else "logit"


def _weights(branch: Branch, places: NDArray[np.int64]) -> str:
    return " ".join(f"{branch.weight[k]:.3f}" for k in places.tolist()) or "—"


def _as_object(branch: Branch) -> dict[str, Any]:
    return {
        "weight": branch.weight.tolist(),
        "unstable": branch.unstable.tolist(),
        "slowest": branch.slowest.tolist(),
        "readout": branch.readout.tolist(),
        "folds": branch.weight[branch.folds].tolist(),
        "crossings": branch.weight[branch.crossings].tolist(),
        "ended": branch.ended,
    }
