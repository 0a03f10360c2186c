"""Reviews that are appended to a file while the session is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from explorer.session.controllers.corpus import CorpusController
from explorer.session.core import Core
from explorer.session.views.number_format import count

if TYPE_CHECKING:
    from engine.sources.follow import FollowedFile

PERIOD: Final = 0.5  # seconds between two looks at the file


class FollowController:
    """Looks at the file twice a second, and adds what is new to the engine and the corpus."""

    def __init__(self, core: Core, corpus: CorpusController) -> None:
        self._core = core
        self._corpus = corpus
        self._file: FollowedFile | None = None
        self._next = 0.0

    @property
    def skipped(self) -> int:
        """The number of rows that could not be read."""
        return 0 if self._file is None else self._file.skipped

    def start(self, file: FollowedFile) -> None:
        """Follow a file that adds to the reviews of the session."""
        self._file = file

    def update(self) -> None:
        """Add what is new; front ends cause this each tick."""
        file, core = self._file, self._core
        if file is None or core.clock() < self._next:
            return
        self._next = core.clock() + PERIOD
        skipped, first = file.skipped, len(core.reviews)
        if new := file.poll():
            core.stream.extend(core.reviews, core.reviews[first:])
            self._corpus.grow()
            core.note = f"{count(new, 'new review')} in {file.path.name}"
        if file.skipped > skipped:
            core.note = file.trouble

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
