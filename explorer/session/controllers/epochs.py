"""The epochs of the training run of the present network, measured in the worker process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from explorer.session.controllers.computation import ComputationController
from explorer.session.controllers.playback import Playback
from explorer.session.controllers.point_search import encoded_reviews, progress_to
from explorer.session.core import Core, SessionError
from explorer.session.jobs import JobRunner, Report
from explorer.session.review_sample import evenly
from explorer.session.views.epochs import Epochs

if TYPE_CHECKING:
    from engine.reviews import Review

SAMPLE: Final = 200  # labelled reviews


class EpochsController(ComputationController[Epochs]):
    """Measures every epoch: first all losses and activities, then the points, epoch by epoch.

    Parameters
    ----------
    core : Core
    playback : Playback
    jobs : JobRunner
    origin : callable
        Returns the name or file of the network that the session began with; "" for the default.
    """

    def __init__(self, core: Core, playback: Playback, jobs: JobRunner, origin: Callable[[], str]) -> None:
        self._core = core
        self._playback = playback
        self._origin = origin
        super().__init__(jobs)

    def begin(self) -> None:
        """Measure the run of the present network, unless that is done or in progress.

        Raises
        ------
        SessionError
            If no networks of single epochs lie beside its file, or the source has no labelled review.
        """
        from engine.epochs import epoch_files

        core = self._core
        name = core.snapshot.network.name
        file = next((each for each in (self._playback.network_file, self._origin()) if Path(each).stem == name), "")
        files = epoch_files(file) if file else {}
        if not files:
            hint = f"train with --every-epoch, then open that network ({core.key_of('networks')}) or {name}-e00"
            raise SessionError(f"no networks of single epochs lie beside {name}: {hint}")
        known = [k for k, review in enumerate(core.reviews) if review.label is not None]
        reviews = [core.reviews[known[k]] for k in evenly(len(known), SAMPLE)]
        if not reviews:
            raise SessionError("the source has no labelled review, of which the loss could be computed")
        subject = tuple(files.values()), tuple(path.stat().st_mtime_ns for path in files.values()), id(core.reviews)
        self._computation.request(subject, measure, files, reviews)

    def place_of_present(self, found: Epochs) -> int:
        """Return the place of the present network among the epochs, or else the last."""
        name = self._core.snapshot.network.name
        return next((k for k, e in enumerate(found.epochs) if e.path.stem == name), len(found.epochs) - 1)


def measure(report: Report, files: Mapping[int, Path], reviews: Sequence[Review]) -> None:
    """Job: send ``("result", Epochs)`` after every epoch, and ``("progress", text)`` meanwhile."""
    from engine.epochs import epoch_points, measure_epoch

    labelled = [review for review in reviews if review.words]
    words, labels = [review.words for review in labelled], [bool(review.label) for review in labelled]
    run = next(iter(files.values())).stem.rpartition("-e")[0]
    epochs, points = [], []
    for number, path in files.items():
        if not report(("progress", f"loss and activity of epoch {number} …")):
            return
        epochs.append(measure_epoch(number, path, words, labels))
        report(("result", Epochs(run, len(files), len(words), tuple(epochs), ())))
    for number, path in files.items():
        progress = progress_to(report, f"fixed points of epoch {number}")
        if not report(None):
            return
        points.append(epoch_points(path, encoded_reviews, progress))
        report(("result", Epochs(run, len(files), len(words), tuple(epochs), tuple(points))))
