"""Branches of fixed points along a word's weight or a channel: where points appear, vanish and change stability."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from explorer.session.controllers.ablation import AblationController
from explorer.session.controllers.computation import ComputationController
from explorer.session.controllers.fixed_points import FixedPointsController
from explorer.session.controllers.point_search import INPUTS, STARTS, encoded_reviews, progress_to
from explorer.session.core import Core, SessionError
from explorer.session.jobs import JobRunner, Report
from explorer.session.views.branch_curves import Axes, Branches, Target
from explorer.session.views.outputs import readout_of

if TYPE_CHECKING:
    from engine.branches import Branch
    from engine.catalogue import NetworkInfo
    from engine.network import Network
    from engine.points import FixedPoints


class BranchSearch(ComputationController[Branches]):
    """Follows the fixed points while the weight of one word rises from 0 to 1, or a channel from −1 to 1.

    Attributes
    ----------
    target : Target
        What is followed; an empty word before the first `begin`.
    """

    def __init__(
        self, core: Core, ablation: AblationController, points: FixedPointsController, jobs: JobRunner
    ) -> None:
        self.target = Target("")
        self._word = self.target
        self._core = core
        self._ablation = ablation
        self._points = points
        super().__init__(jobs)

    @cached_property
    def _with_task(self) -> dict[str, NetworkInfo]:
        from engine.catalogue import shipped_networks

        return {info.name: info for info in shipped_networks() if info.task != "sentiment"}

    @property
    def networks(self) -> list[str]:
        """Names of what can be followed: "" for the word, then the shipped networks with a task."""
        return ["", *self._with_task]

    def channels(self, network: str) -> list[str]:
        """Return the targets in a network, see ``Target.what``: its channels, or the one word for ""."""
        if not network:
            return [self._word.what]
        return [str(k + 1) for k in range(int(self._with_task[network].metadata["inputs"]))]

    def begin(self) -> None:
        """Follow the selected word, or the input of the selected point, or else the word looked at.

        Raises
        ------
        SessionError
            If the network does not know the word, or none is read yet.
        """
        snapshot, selected, points = self._core.snapshot, self._points.view.selected, self._points.point_map
        network = self._ablation.network(snapshot)
        assert network.vocabulary is not None, "the network being read with takes words"
        name = points.names[selected] if points is not None and selected is not None else ""
        if not name or name in INPUTS:
            if self._core.word < 0:
                raise SessionError("no word is read yet: read one, or select a word in the map of words")
            name = network.vocabulary.word(int(snapshot.ids[self._core.word]))
        if name not in network.vocabulary.words:
            raise SessionError("the network does not know this word: choose another")
        self._word = Target(name)
        self.follow(self._word)

    def follow(self, target: Target) -> None:
        """Follow a word of the present network, or a channel of one of ``networks``."""
        self.target = target
        if target.network:
            self._computation.request((target,), follow_channel, self._with_task[target.network].path, target)
        else:
            network = self._ablation.network(self._core.snapshot)
            self._computation.request((network, target), follow_word, network, target)

    def next_network(self) -> None:
        """Follow the word, or the first channel of the next network with a task."""
        network = _after(self.networks, self.target.network)
        self.follow(Target(self.channels(network)[0], network))

    def next_channel(self) -> None:
        """Follow the next channel of the network."""
        network = self.target.network
        self.follow(Target(_after(self.channels(network), self.target.what), network))


def _after(names: Sequence[str], name: str) -> str:
    return names[(names.index(name) + 1) % len(names)]


# ---- jobs --------------------------------------------------------------------------------------------------------


def follow_word(report: Report, network: Network, target: Target) -> None:
    """Job: send ``("result", Branches)``, and ``("progress", text)`` meanwhile."""
    found = _followed(report, network, target, encoded_reviews(network))
    if found is not None:
        report(("result", Branches(target, found[1])))


def follow_channel(report: Report, path: Path, target: Target) -> None:
    """Job: as ``follow_word``, for the network of a file; the components are those of its points under all inputs."""
    from engine.network import Network
    from engine.projection import Projection

    network = Network.load(path)
    found = _followed(report, network, target, None)
    if found is not None:
        points, branches = found
        h = points.states[:, : network.cell.size]
        axes = Axes(Projection.of(h, 1), network.cell.size, readout_of(network))
        report(("result", Branches(target, branches, axes)))


def _followed(
    report: Report, network: Network, target: Target, reviews: list[NDArray[np.int32]] | None
) -> tuple[FixedPoints, tuple[Branch, ...]] | None:
    """Return the points at the ends of the change and the branches between them; None if they are not wanted."""
    from engine.branches import branches_along, inputs_along, sections
    from engine.points import FixedPoints
    from engine.points_cache import network_points

    parts, found = sections(network, target.what), []
    for name in inputs_along(parts):
        progress = progress_to(report, f"fixed points for {name}")
        found.append(network_points(network, (name,), count=STARTS, reviews=reviews, progress=progress))
        if not report(None):
            return None
    points = FixedPoints.concatenate(found)
    report(("progress", f"following {int(points.fixed.sum())} points …"))
    return points, tuple(branches_along(network, parts, points))
