"""The paper's figures 3 to 10, and what the points predict about trajectories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.probability import Activation, activate
from explorer.measure.fixed_points.results import NetworkResult
from explorer.measure.fixed_points.searches import SADDLE, SLOW, STABLE, Cloud
from explorer.measure.fixed_points.trajectories import AHEAD

KINDS: Final = {STABLE: ("o", "stable"), SADDLE: ("D", "saddle"), SLOW: (".", "slow")}
SIGNS: Final = {"zero": "#6b7480", "+1": "#c2387a", "-1": "#1f5fa8", "+0.1": "#e39abd", "-0.1": "#8fb3d9"}
CELLS: Final = {"lstm": "#1f5fa8", "gru": "#c2387a", "rnn": "#2c8a57"}
LOGIT_COLOURS: Final = "cividis"

Floats = NDArray[np.float64]


def shown(results: Sequence[NetworkResult], task: str) -> list[NetworkResult]:
    """Return one network of each architecture, of the lowest seed."""
    first: dict[str, NetworkResult] = {}
    for one in results:
        if one.task == task:
            first.setdefault(one.cell, one)
    return list(first.values())


# ---- three dimensions ----------------------------------------------------------------------------------------------


def architectures(results: Sequence[NetworkResult], tasks: Sequence[str]) -> Figure:
    """Draw figure 3: the points under zero input of every architecture, one row for each task."""
    return _grid([shown(results, task) for task in tasks])


def seeds(results: Sequence[NetworkResult], task: str) -> Figure:
    """Draw figures 6 and 7: the same for one task, one row for each seed."""
    of_task = [one for one in results if one.task == task]
    cells = [one.cell for one in shown(results, task)]
    rows = [
        [one for cell in cells for one in of_task if one.cell == cell and (one.seed or 0) == number]
        for number in sorted({one.seed or 0 for one in of_task})
    ]
    return _grid(rows)


def inputs_together(results: Sequence[NetworkResult], task: str) -> Figure:
    """Draw figure 8: the points under 0, +1 and −1, coloured by input."""
    figure, places = _three(1, (some := shown(results, task)))
    for axes, one in zip(places[0], some, strict=True):
        for name, cloud in one.pictures.joint.items():
            _scatter(axes, cloud, SIGNS[name])
        _label(axes, one.pictures.joint_explained, _named(one))
    _legend(figure, [(SIGNS[name], "o", f"input {name}") for name in ("zero", "+1", "-1")])
    return figure


def inputs_separate(results: Sequence[NetworkResult], task: str) -> Figure:
    """Draw figure 9: the points under +1 and −1, and those under +1 alone."""
    figure, places = _three(2, (some := shown(results, task)))
    for number, names in enumerate((("+1", "-1"), ("+1",))):
        for axes, one in zip(places[number], some, strict=True):
            for name in names:
                _scatter(axes, one.pictures.joint[name], SIGNS[name])
            count = " and ".join(f"{len(one.pictures.joint[name].hits)} under {name}" for name in names)
            _label(axes, one.pictures.joint_explained, f"{_named(one)}: {count}")
    _legend(figure, [(SIGNS[name], "o", f"input {name}") for name in ("+1", "-1")])
    return figure


def _grid(rows: Sequence[Sequence[NetworkResult]]) -> Figure:
    """Draw rows of points coloured by their answer, with the edges of the cube and the directions of the channels."""
    columns = max(map(len, rows))
    figure = Figure(figsize=(3.4 * columns, 3.3 * len(rows) + 0.4), layout="constrained")
    for r, row in enumerate(rows):
        for c, one in enumerate(row):
            cloud = one.pictures.clouds["zero"]
            axes = figure.add_subplot(len(rows), columns, r * columns + c + 1, projection="3d")
            _edges(axes, cloud)
            _axes_of_channels(axes, one, cloud)
            _scatter(axes, cloud, _answers(cloud, one.activation))
            _label(axes, one.pictures.explained, _named(one))
    signs = [(SIGNS["zero"], mark, name) for mark, name in KINDS.values()]
    _legend(figure, [*signs, ("#444444", "-", "answers that differ in one channel")])
    return figure


def _three(rows: int, some: Sequence[NetworkResult]) -> tuple[Figure, list[list[Any]]]:
    figure = Figure(figsize=(3.4 * len(some), 3.3 * rows + 0.3), layout="constrained")
    places = figure.subplots(rows, len(some), squeeze=False, subplot_kw={"projection": "3d"})
    return figure, [list(row) for row in places]


def _scatter(axes: Any, cloud: Cloud, colours: Any) -> None:
    at, kinds = np.array(cloud.places), np.array(cloud.kind)
    for kind, (mark, _) in KINDS.items():
        here = kinds == kind
        if here.any():
            filled = colours if isinstance(colours, str) else colours[here]
            axes.scatter(
                *at[here].T, c=filled, marker=mark, s=34 if kind != SLOW else 12, depthshade=False, lw=0.3, ec="k"
            )


def _answers(cloud: Cloud, activation: Activation) -> Floats:
    """Return colours: red, green and blue are the outputs of the three channels, linear ones scaled to 0…1."""
    chance = activate(cloud.readout, activation)
    if activation == "linear":
        chance = 0.5 + 0.5 * chance / np.abs(chance).max(initial=1e-9)
    return np.clip(0.1 + 0.8 * np.pad(chance, ((0, 0), (0, max(0, 3 - chance.shape[1]))))[:, :3], 0, 1)


def _edges(axes: Any, cloud: Cloud) -> None:
    """Join the most frequent stable points of answers that differ in one channel: the edges of a cube, if complete."""
    corners: dict[tuple[bool, ...], int] = {}
    for k in np.argsort(-np.array(cloud.hits), kind="stable").tolist():
        if cloud.kind[k] == STABLE:
            corners.setdefault(tuple(value > 0 for value in cloud.readout[k]), k)
    at = np.array(cloud.places)
    for (a, i), (b, j) in combinations(corners.items(), 2):
        if sum(x != y for x, y in zip(a, b, strict=True)) == 1:
            axes.plot(*at[[i, j]].T, color="#444444", lw=0.7)


def _axes_of_channels(axes: Any, one: NetworkResult, cloud: Cloud) -> None:
    at = np.array(cloud.places)
    reach = np.abs(at - at.mean(axis=0)).max()
    for number, way in enumerate(np.array(one.pictures.directions)):
        ends = at.mean(axis=0) + np.outer([-reach, reach], way / max(np.linalg.norm(way), 1e-9))
        axes.plot(*ends.T, color=("#c22", "#282", "#22c")[number % 3], lw=0.8, ls=":")


def _label(axes: Any, explained: Sequence[float], title: str) -> None:
    axes.set_title(title, fontsize=8)
    for number, share in enumerate(explained):
        label = getattr(axes, f"set_{'xyz'[number]}label")
        label(f"PC{number + 1} ({share:.0%})", fontsize=7, labelpad=-10)
        axis = getattr(axes, f"{'xyz'[number]}axis")
        axis.set_ticklabels([])


# ---- one channel ---------------------------------------------------------------------------------------------------


def line(results: Sequence[NetworkResult], task: str) -> Figure:
    """Draw figure 4: the points under zero input in PC1 and PC2, and their logit against PC1."""
    some = shown(results, task)
    figure, axes = _panels(2, len(some))
    for column, one in enumerate(some):
        cloud = one.pictures.clouds["zero"]
        at, logit = np.array(cloud.places), np.array(cloud.readout)[:, 0]
        reach = np.abs(logit).max()
        for upper, values in ((True, at[:, 1]), (False, logit)):
            here = axes[0 if upper else 1][column]
            for kind, rows in _kinds(cloud):
                drawn = here.scatter(
                    *(at[rows, 0], values[rows]), c=logit[rows], vmin=-reach, vmax=reach, cmap=LOGIT_COLOURS,
                    marker=KINDS[kind][0], s=34 if kind != SLOW else 18, lw=0.3, ec="k",
                )  # fmt: skip
            here.set(xlabel=f"PC1 ({one.pictures.explained[0]:.0%})")
            here.set_ylabel(f"PC2 ({one.pictures.explained[1]:.0%})" if upper else "logit")
        axes[0][column].set_title(_named(one), fontsize=9)
        figure.colorbar(drawn, ax=axes[0][column], label="logit", fraction=0.05)
    _legend(figure, [(SIGNS["zero"], mark, name) for mark, name in KINDS.values()])
    return figure


def line_inputs(results: Sequence[NetworkResult], task: str) -> Figure:
    """Draw figure 5: the points under 0, ±1 and ±0.1, coloured by input."""
    some = shown(results, task)
    figure, axes = _panels(1, len(some))
    for here, one in zip(axes[0], some, strict=True):
        for name, cloud in one.pictures.clouds.items():
            at = np.array(cloud.places)
            for kind, rows in _kinds(cloud):
                here.plot(*at[rows, :2].T, KINDS[kind][0], color=SIGNS[name], ms=5, ls="", mec="k", mew=0.3)
        here.set(xlabel=f"PC1 ({one.pictures.explained[0]:.0%})", ylabel=f"PC2 ({one.pictures.explained[1]:.0%})")
        here.set_title(_named(one), fontsize=9)
    _legend(figure, [(colour, "o", f"input {name}") for name, colour in SIGNS.items()])
    return figure


def paths(results: Sequence[NetworkResult], task: str) -> Figure:
    """Draw figure 10: runs of the task, and the points under zero input."""
    some = shown(results, task)
    figure, axes = _panels(1, len(some))
    for here, one in zip(axes[0], some, strict=True):
        for path in np.array(one.pictures.paths):
            here.plot(*path[:, :2].T, lw=0.6, alpha=0.8)
            here.plot(*path[-1, :2], "k>", ms=4)
        at = np.array(one.pictures.clouds["zero"].places)
        for kind, rows in _kinds(one.pictures.clouds["zero"]):
            here.plot(*at[rows, :2].T, KINDS[kind][0], color="k", ms=6, ls="", mfc="w" if kind == SADDLE else "k")
        here.set(xlabel=f"PC1 ({one.pictures.explained[0]:.0%})", ylabel=f"PC2 ({one.pictures.explained[1]:.0%})")
        here.set_title(_named(one), fontsize=9)
    signs = [("k", mark, name) for mark, name in KINDS.values()]
    _legend(figure, [*signs, ("k", ">", "end of a run"), ("#1f77b4", "-", "run")])
    return figure


# ---- trajectories --------------------------------------------------------------------------------------------------


def predictions(results: Sequence[NetworkResult]) -> Figure:
    """Draw what the points predict: next steps, ends and answers, as means over draws; bars are means of networks."""
    tasks = sorted({one.task for one in results})
    figure, axes = _panels(2, len(tasks))
    for column, task in enumerate(tasks):
        some = [one for one in results if one.task == task]
        cells = [one.cell for one in shown(results, task)]
        steps, ends = axes[0][column], axes[1][column]
        for number, cell in enumerate(cells):
            of_cell = [one.trajectories for one in some if one.cell == cell]
            for part, offset, fill in (("linear", -0.2, CELLS.get(cell, "k")), ("elsewhere", 0.2, "none")):
                for k in range(len(AHEAD)):
                    values = np.array([getattr(one, part)[k].mean for one in of_cell])
                    _bar(steps, k * (len(cells) + 1) + number + offset, np.maximum(values, -1), 0.35, cell, fill)
            pairs = ("predicted", "most_frequent", "answer", "present")
            for k, part in enumerate(pairs):
                values = np.array([getattr(one, part).mean for one in of_cell])
                fill = CELLS.get(cell, "k") if k % 2 == 0 else "none"
                _bar(ends, k * (len(cells) + 1) + number, values[np.isfinite(values)], 0.7, cell, fill)
        middle = (len(cells) - 1) / 2
        steps.set_xticks(
            [k * (len(cells) + 1) + middle for k in range(len(AHEAD))], [f"{k} step{'s' * (k > 1)}" for k in AHEAD]
        )
        steps.set(title=task, ylim=(-1.05, 1.05))
        steps.axhline(0, color="k", lw=0.6)
        names = ["end:\nnearest\npoint", "end:\nmost\nfrequent", "answer:\nnearest\npoint", "answer:\nat start"]
        ends.set_xticks([k * (len(cells) + 1) + middle for k in range(4)], names, fontsize=7)
        ends.set(ylim=(0, 1.05))
    axes[0][0].set_ylabel("variance explained\n(clipped at −1)")
    axes[1][0].set_ylabel("fraction correct")
    marks = [(colour, "s", cell.upper()) for cell, colour in CELLS.items()]
    _legend(figure, [*marks, ("k", "s", "filled: points; hollow: visited states or baseline")])
    return figure


def _bar(axes: Axes, x: float, values: Floats, width: float, cell: str, fill: str) -> None:
    if len(values):
        axes.bar(x, values.mean(), width, color=fill, edgecolor=CELLS.get(cell, "k"), alpha=0.6)
        axes.plot(np.full(len(values), x), values, "k.", ms=3)


# ---- parts ---------------------------------------------------------------------------------------------------------


def _kinds(cloud: Cloud) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Yield the points of each kind, slow points first, so that the others are drawn on top."""
    for kind in (SLOW, SADDLE, STABLE):
        rows = np.array(cloud.kind) == kind
        if rows.any():
            yield kind, rows


def _named(one: NetworkResult) -> str:
    return f"{one.cell.upper()}-{one.size} {one.task}" + ("" if one.seed is None else f", seed {one.seed}")


def _panels(rows: int, columns: int) -> tuple[Figure, list[list[Axes]]]:
    figure = Figure(figsize=(3.6 * columns, 2.9 * rows + 0.3), layout="constrained")
    return figure, [list(row) for row in figure.subplots(rows, columns, squeeze=False)]


def _legend(figure: Figure, signs: Sequence[tuple[str, str, str]]) -> None:
    """Add a legend of colours and marks below the panels."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, ls="-" if mark == "-" else "", marker="" if mark == "-" else mark, label=name)
        for colour, mark, name in signs
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 5), fontsize="small")
