"""Reading, looking back and opening reviews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from explorer.session.core import Core, SessionError
from explorer.session.views.number_format import reading_speed
from explorer.session.views.units import unit_names

if TYPE_CHECKING:
    from engine.reviews import Review
    from engine.stack import Direction

SPEEDS: Final[tuple[float | None, ...]] = (1, 2, 4, 8, 16, 32, 64, 125, 250, 500, 1000, None)  # words a second
PAGE: Final = 10  # words
LONGEST: Final = 100  # places that jumps can return to
ONE_JUMP: Final = 0.3  # seconds within which jumps count as one: a drag makes many


@dataclass(frozen=True, eq=False)
class Place:
    """A word of a review; ``index`` is that of the source when it was looked at."""

    review: Review
    index: int
    word: int


class Playback:
    """Controls which review is read, how fast, and which word is looked at."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._past: list[Place] = []
        self._future: list[Place] = []
        self._last_jump = -ONE_JUMP
        self.network_file = ""  # the network that was chosen last
        core.stream.open(core.reviews, core.index)

    # ---- actions ---------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Pause, or read on; after looking back, read from the word looked at."""
        core = self._core
        if core.snapshot.playing:
            core.stream.pause()
            return
        if core.choices.cursor is not None:
            core.stream.seek(core.choices.cursor + 1)
            core.choose(cursor=None)
        core.stream.play()

    def step(self) -> None:
        """Look at the next word; read it if it is not read yet."""
        self._move(1)

    def step_back(self) -> None:
        """Look at the previous word."""
        self._move(-1)

    def page_on(self) -> None:
        """Look at the word one page ahead."""
        self._move(PAGE)

    def page_back(self) -> None:
        """Look at the word one page back."""
        self._move(-PAGE)

    def go_to_start(self) -> None:
        """Look at the first word."""
        self.look_at(0)

    def follow(self) -> None:
        """Look at the word being read."""
        self._before_jump()
        self._core.choose(cursor=None)

    def restart(self) -> None:
        """Read the review again from its first word."""
        self._before_jump()
        self._core.choose(cursor=None)
        self._core.stream.seek(0)

    def jump_back(self) -> None:
        """Return to the place before the last jump.

        Raises
        ------
        SessionError
            If there was no jump.
        """
        self._return(self._past, self._future, "there is no earlier place to return to")

    def jump_forward(self) -> None:
        """Undo the last `jump_back`.

        Raises
        ------
        SessionError
            If there was none since the last jump.
        """
        self._return(self._future, self._past, "there is no later place to return to")

    def faster(self) -> None:
        """Read at the next higher speed."""
        self._change_speed(1)

    def slower(self) -> None:
        """Read at the next lower speed."""
        self._change_speed(-1)

    def next_review(self) -> None:
        """Open the next review; after the last comes the first."""
        self.open_review((self._core.index + 1) % len(self._core.reviews))

    def previous_review(self) -> None:
        """Open the previous review; before the first comes the last."""
        self.open_review((self._core.index - 1) % len(self._core.reviews))

    # ---- with an argument ------------------------------------------------------------------------------------

    def open_review(self, index: int) -> None:
        """Open a review of the source by its index."""
        self._before_jump()
        self._core.index = index
        self._core.choose(cursor=None)
        self._core.stream.open(self._core.reviews, index)

    def open_at(self, index: int, word: int) -> None:
        """Open a review of the source and pause at a word."""
        core = self._core
        self._before_jump()
        core.stream.pause()
        if core.snapshot.review is not core.reviews[index]:
            self.open_review(index)
            core.stream.seek(word + 1)
        else:
            self.look_at(word)

    def open_text(self, text: str, name: str = "typed") -> None:
        """Open a typed or pasted review under a name and read it.

        Raises
        ------
        SessionError
            If the text has no word.
        """
        from engine.reviews import Review
        from engine.sequences import as_read

        (review,) = as_read(self._core.snapshot.network, [Review(name, text)])
        if not review.words:
            raise SessionError("nothing to read: a review needs at least one word of letters a–z or digits")
        self.open_unlisted(review)

    def open_unlisted(self, review: Review) -> None:
        """Open a review that is not one of the source, and read it."""
        self._before_jump()
        self._core.stream.open(review)
        self._core.stream.play()

    def use_network(self, name: str) -> None:
        """Read the present review with another network, given by name or path; the engine loads it."""
        self.network_file = name
        self._core.remember_network(name)
        self._core.stream.use_network(name)

    def next_layer(self) -> None:
        """Watch the next layer or direction of a network with several, at the same word.

        Raises
        ------
        SessionError
            If it has one layer in one direction.
        """
        network = self._core.snapshot.network
        if network.stack is None or len(network.stack.positions) == 1:
            raise SessionError("this network has one layer in one direction")
        positions = network.stack.positions
        here = positions.index((network.level, network.direction))
        self.watch_layer(*positions[(here + 1) % len(positions)])

    def watch_layer(self, level: int, direction: Direction = "forward") -> None:
        """Watch a layer in one direction: the present review is read again, up to the same word."""
        network = self._core.snapshot.network
        watched = network.watching(level, direction)
        assert watched.stack is not None
        self._core.stream.use_network(watched)
        says = [f"watching {watched.stack.label(level, direction)}"]
        if watched.backward:
            says.append("it reads from the last word to the first; its states stand at their words")
        if watched.output == "none":
            says.append("the network has no readout, so no output")
        self._core.note = ": ".join(says[:2]) + "".join(f"; {more}" for more in says[2:])

    def look_at(self, word: int) -> None:
        """Jump to a word by its index; if it is not read yet, read up to it."""
        self._before_jump()
        self._look_at(word)

    def _look_at(self, word: int) -> None:
        core, snapshot = self._core, self._core.snapshot
        word = max(0, min(word, snapshot.words - 1))
        cursor: int | None = word
        if word >= snapshot.time:
            cursor = None
            core.stream.seek(word + 1)
        elif word == snapshot.time - 1 and not snapshot.playing:
            cursor = None
        core.choose(cursor=cursor)
        core.adopt(snapshot, core.choices)

    def jump_to(self, place: str) -> None:
        """Look at a word given as text: ``120`` (counted from 1) or ``50%``.

        Raises
        ------
        SessionError
            If the text is neither, or there is no such word.
        """
        words, text = self._core.snapshot.words, place.strip()
        names = unit_names(self._core.snapshot.network)
        try:
            word = round(float(text[:-1]) / 100 * (words - 1)) if text.endswith("%") else int(text) - 1
        except (ValueError, OverflowError):
            raise SessionError(
                f"{place!r} is no place: enter a {names.unit}'s number (1 to {words}) or a percentage (50%)"
            ) from None
        if not 0 <= word < words:
            raise SessionError(
                f"there is no {names.unit} {place}: this {names.sequence} has {names.units} 1 to {words}, or 0% to 100%"
            )
        self.look_at(word)

    def _move(self, count: int) -> None:
        snapshot, cursor = self._core.snapshot, self._core.choices.cursor
        at = snapshot.time - 1 if cursor is None else cursor
        if count > 0 and cursor is None and snapshot.playing:
            return  # already at the newest word
        self._look_at(at + count)

    def _here(self) -> Place:
        core = self._core
        return Place(core.snapshot.review, core.index, max(0, core.word))

    def _before_jump(self) -> None:
        """Store the present place, from which the user jumps."""
        now, before = self._core.clock(), self._last_jump
        self._last_jump = now
        if now - before >= ONE_JUMP:
            self._past = [*self._past, self._here()][-LONGEST:]
            self._future = []

    def _return(self, places: list[Place], others: list[Place], missing: str) -> None:
        """Go to the last of ``places``; the present place becomes the last of the ``others``."""
        core, here = self._core, self._here()
        while places and places[-1].review is here.review and places[-1].word == here.word:
            places.pop()
        if not places:
            raise SessionError(missing)
        place = places.pop()
        others.append(here)
        if place.review is here.review:
            self._look_at(place.word)
            return
        core.index = place.index
        core.stream.pause()
        core.choose(cursor=None)
        if place.index < len(core.reviews) and core.reviews[place.index] is place.review:
            core.stream.open(core.reviews, place.index)
        else:  # a typed one
            core.stream.open(place.review)
        core.stream.seek(place.word + 1)

    def _change_speed(self, change: int) -> None:
        speed = self._core.stream.speed
        nearest = min(range(len(SPEEDS)), key=lambda k: abs((SPEEDS[k] or 1e9) - (speed or 1e9)))
        speed = SPEEDS[max(0, min(nearest + change, len(SPEEDS) - 1))]
        self._core.stream.set_speed(speed)
        self._core.note = f"speed: {reading_speed(speed, unit_names(self._core.snapshot.network).unit)}"
