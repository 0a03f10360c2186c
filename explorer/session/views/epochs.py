"""The epochs of a training run: loss, dead cells and fixed points, each as a curve or a map with one epoch marked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine.activity import is_dead
from engine.projection import Projection
from explorer.session.views.number_format import count, number, percent
from explorer.session.views.runs import Line, Run, join

if TYPE_CHECKING:
    from engine.epochs import Epoch, EpochPoints

LOSS_TITLE, DEAD_TITLE, POINTS_TITLE = "loss, nats", "dead cells", "fixed points, PC1 and PC2 of h"
MEANING: Final = (
    "Loss: mean cross entropy of labelled reviews of the source. Dead: cells whose standard deviation of h over a "
    "review, averaged over reviews, is below the threshold. Points: under zero and the mean embedding, on the "
    "principal components of the states of all epochs, so that the axes stay."
)


@dataclass(frozen=True, eq=False)
class Epochs:
    """Measurements of a run so far; ``points`` are those of the first epochs, ``reviews`` those of the sample."""

    run: str
    total: int
    reviews: int
    epochs: tuple[Epoch, ...]
    points: tuple[EpochPoints, ...]

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The number of each epoch, (epoch,)."""
        return np.array([epoch.number for epoch in self.epochs], dtype=np.float64)

    @property
    def loss(self) -> NDArray[np.float64]:
        """Loss after each epoch, (epoch,)."""
        return np.array([epoch.loss for epoch in self.epochs])

    def dead(self, threshold: float) -> NDArray[np.float64]:
        """Return the number of dead cells after each epoch, (epoch,)."""
        return np.array([is_dead(epoch.activity, threshold).sum() for epoch in self.epochs], dtype=np.float64)

    def points_of(self, place: int) -> EpochPoints | None:
        """Return the points of an epoch by its place in the list; None until they are found."""
        return self.points[place] if place < len(self.points) else None

    @cached_property
    def projection(self) -> Projection:
        """The principal components of the states that the networks of all epochs visit."""
        states = np.concatenate([epoch.visited for epoch in self.epochs])
        return Projection.of(states, min(2, states.shape[1]))

    def places(self, h: NDArray[np.floating]) -> NDArray[np.float64]:
        """Project hidden states (..., n) to (..., 2)."""
        found = self.projection.transform(h)
        return found if found.shape[-1] == 2 else np.concatenate([found, np.zeros_like(found)], axis=-1)

    @cached_property
    def limits(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The ends of both axes of the map, the same for every epoch."""
        every = np.concatenate([self.places(epoch.visited) for epoch in self.epochs])
        every = np.concatenate([every, *(self.places(points.h) for points in self.points)])
        low, high = every.min(axis=0), every.max(axis=0)
        margin = 0.05 * np.maximum(high - low, 1e-9)
        (x0, y0), (x1, y1) = (low - margin).tolist(), (high + margin).tolist()
        return (x0, x1), (y0, y1)


def epochs_lines(
    found: Epochs | None, place: int, threshold: float, progress: str, width: int | None = None
) -> tuple[Line, ...]:
    """The run and its sample; then the loss, accuracy, dead cells and points of one epoch."""
    if found is None:
        return ((Run(progress or "no epoch is measured yet", "warning"),),)
    head = join(
        (
            (Run(found.run, "value"), Run(f"  {count(len(found.epochs), 'network')} of {found.total}")),
            (Run(progress, "warning"),) if progress else (),
            (Run(f"n = {count(found.reviews, 'labelled review')} of the source"),),
        ),
        width,
    )
    epoch, points = found.epochs[place], found.points_of(place)
    name = f"epoch {epoch.number}" + (", untrained" if epoch.number == 0 else "")
    validation = (Run("validation loss "), Run(number(epoch.validation_loss), "text"))
    dead, cells = int(found.dead(threshold)[place]), len(epoch.activity)
    parts: tuple[Line, ...] = (
        (Run(name, "accent"),),
        (Run("loss "), Run(number(epoch.loss), "value")),
        (Run("accuracy "), Run(percent(epoch.accuracy), "text")),
        () if math.isnan(epoch.validation_loss) else validation,
        (Run(f"† {dead} of {cells}", "dead"), Run(" dead")),
    )
    return head, join(parts, width), _points_line(points)


def _points_line(points: EpochPoints | None) -> Line:
    if points is None:
        return (Run("points: searching …", "warning"),)
    stable, fixed = int(points.stable.sum()), int(points.fixed.sum())
    slow = len(points.fixed) - fixed
    return (
        Run(f"{count(fixed, 'fixed point')}: ", "text"),
        Run(f"● {stable} stable", "good"),
        Run(f"  ○ {fixed - stable} not", "pink"),
        *((Run(f"  ◌ {slow} slow", "warning"),) if slow else ()),
    )
