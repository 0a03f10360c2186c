"""Branches of fixed points between zero input and a word: where points appear, vanish and change stability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.session.controllers.ablation import AblationController
from explorer.session.controllers.computation import Computation
from explorer.session.controllers.fixed_points import FixedPointsController
from explorer.session.controllers.point_search import INPUTS, STARTS, encoded_reviews, progress_to
from explorer.session.core import Core, SessionError
from explorer.session.jobs import JobRunner, Report
from explorer.session.views.branch_curves import Branches

if TYPE_CHECKING:
    from engine.network import Network


class BranchSearch:
    """Follows the fixed points while the weight of one word rises from 0 to 1.

    Attributes
    ----------
    word : str
        The word that is followed; "" before the first.
    """

    def __init__(
        self, core: Core, ablation: AblationController, points: FixedPointsController, jobs: JobRunner
    ) -> None:
        self.word = ""
        self._core = core
        self._ablation = ablation
        self._points = points
        self._computation: Computation[Branches] = Computation(jobs)

    @property
    def progress(self) -> str:
        """What is being computed, or what failed; "" at rest."""
        return self._computation.progress

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
        self.word = name
        self._computation.request((network, name), follow, network, name)

    def result(self) -> Branches | None:
        """Return the branches; None until they are complete."""
        return self._computation.result()


def follow(report: Report, network: Network, name: str) -> None:
    """Job: send ``("result", Branches)``, and ``("progress", text)`` meanwhile."""
    import torch

    from engine.branches import branches
    from engine.points_cache import network_points

    reviews = encoded_reviews(network)
    ends = []
    for each in ("zero", name):
        progress = progress_to(report, f"fixed points for {each}")
        found = network_points(network, (each,), count=STARTS, reviews=reviews, progress=progress)
        if not report(None):
            return
        ends.append((torch.from_numpy(found.inputs[0]), torch.from_numpy(found.states[found.fixed])))
    report(("progress", f"following {len(ends[0][1])} points …"))
    (x0, start), (x1, end) = ends
    readout = network.readout_weight, network.readout_bias
    report(("result", Branches(name, tuple(branches(network.cell, x0, x1, start, end, readout=readout)))))
