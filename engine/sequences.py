"""Sequences of real-valued input: drawn from the network's task, or read from a file; and any input as arrays."""

from __future__ import annotations

import csv
import io
import json
import math
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.number_format import MINUS
from engine.sources.streams import checked
from engine.tasks import Task, task_from_name
from engine.text import CharacterReview, Review, ReviewError, decode, printable

if TYPE_CHECKING:
    from engine.network import Network

Float32s = NDArray[np.float32]

SUFFIXES: Final = (".csv", ".npy")
DRAWN: Final = 256  # sequences of a task to choose from
STEPS: Final = 200  # of each: four times as long as in training, so that pulses far apart are seen
_LARGEST: Final = 1 << 28  # bytes of a file
_MOST_STEPS: Final = 10**5  # of a sequence
_MOST_SEQUENCES: Final = 10**4  # of a file
_NUMBERS: Final = 4  # of a vector as a text
_DELIMITERS: Final = ",;\t "


@dataclass(frozen=True, kw_only=True, eq=False)
class InputSequence(Review):
    """A sequence of input vectors, which a network reads instead of words.

    Attributes
    ----------
    inputs : (time, channel) float32 array
    channels : tuple of str
        Names of the input channels.
    targets : (time, output) float32 array or None
        What the network should answer after each step, NaN where anything is right; None if it is not known.
    """

    inputs: Float32s
    channels: tuple[str, ...]
    targets: Float32s | None = None

    @property
    def length(self) -> int:
        """The count of steps."""
        return len(self.inputs)

    @property
    def summary(self) -> str:
        """The count of steps and the names of the channels, for lists."""
        return f"{len(self.inputs):,} steps: {', '.join(self.channels)}"[:120]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The vector of each step as a text: ``1 0 −0.52``, the first four numbers."""
        return steps_as_text(self.inputs)

    @cached_property
    def surface(self) -> tuple[str, ...]:
        return self.words


def steps_as_text(inputs: Float32s) -> tuple[str, ...]:
    """Return the vectors (time, channel) as texts of at most four numbers each."""
    more = " …" if inputs.shape[1] > _NUMBERS else ""
    rows = inputs[:, :_NUMBERS].tolist()
    return tuple(" ".join(f"{value:.3g}" for value in row).replace("-", MINUS) + more for row in rows)


Content = Sequence[str] | Float32s
"""Content of a review: words, or the input vectors of a sequence, (time, channel)."""


def content_of(review: Review) -> Content:
    """Return the words of a review, or the vectors of a sequence."""
    return review.inputs if isinstance(review, InputSequence) else review.words


def encoded(network: Network, review: Review) -> NDArray[Any]:
    """Return what a network reads of a review: ids (time,), or vectors (time, input) of a sequence.

    An upper layer of a stack reads vectors of a review, too: those that the layers below put out.

    Raises
    ------
    ValueError
        If the network reads words and this is a sequence of vectors, or the other way round, or if the sequence has
        another number of channels.
    """
    of_words = network.unit != "step" and not isinstance(review, InputSequence)
    if of_words and (network.unit == "character") != isinstance(review, CharacterReview):
        other = "word" if network.unit == "character" else "character"
        raise ValueError(
            f"{network.name} reads {network.unit}s, and {review.name!r} was opened {other} by {other}: start pinkx "
            "anew with that network (--network)"
        )
    return encode(network, content_of(review), review.name)


def encode(network: Network, content: Content, name: str) -> NDArray[Any]:
    """Return the same of the content of a review of that name."""
    if network.stack is not None and network.level:
        below = encode(network.watching(0), content, name)
        return network.inputs(below).float().cpu().numpy() if len(below) else np.empty((0, network.cell.inputs), "f4")
    if network.vocabulary is not None:
        if isinstance(content, np.ndarray):
            raise ValueError(f"{network.name} reads words, and {name!r} is a sequence of vectors")
        return network.vocabulary.encode(content)
    if not len(content):
        return np.empty((0, network.cell.inputs), dtype=np.float32)
    if not isinstance(content, np.ndarray):
        raise ValueError(f"{network.name} takes numbers, not reviews: choose a sequence of {_wanted(network)}")
    if content.shape[1] != network.cell.inputs:
        raise ValueError(f"{name!r} has {_channels(content.shape[1])}; {network.name} takes {_wanted(network)}")
    return content


def as_read(network: Network, reviews: Sequence[Review]) -> Sequence[Review]:
    """Return reviews as a network reads them: a network of characters has the characters of each text as words."""
    if network.unit != "character":
        return reviews
    return [CharacterReview(review.name, review.text, review.label) for review in reviews]


def open_sequences(
    network: Network, source: str | Path | None = None, targets: str | Path | None = None
) -> Sequence[InputSequence]:
    """Return the sequences of a source for a network over real-valued input.

    Parameters
    ----------
    network : Network
    source : str, path or None
        None: sequences of the network's own task, the first drawn with seed 1. Otherwise a file: ``.csv``, one row a
        step and one column a channel, with the channels' names in the first line; or ``.npy``, (time, channel) or
        (sequence, time, channel).
    targets : str or path, optional
        A file of the same formats and the same steps: what each output should be, NaN (``nan``) where anything is
        right.

    Raises
    ------
    ReviewError
        If a file cannot be read, or has another number of channels than the network takes, or the targets do not fit.
    """
    if source is None:
        if targets is not None:
            raise ReviewError(f"--targets {str(targets)!r} belongs to a signal: give one with --reviews signal.csv")
        return [drawn_sequence(network, seed) for seed in range(1, DRAWN + 1)]
    path = Path(source)
    if path.suffix.lower() not in SUFFIXES:
        raise ReviewError(
            f"{network.name} takes numbers, not reviews: expected a .csv or .npy file of {_wanted(network)}, "
            f"got {str(source)!r}"
        )
    sequences = _read(path)
    found = len(sequences[0].channels)
    if found != network.channels:
        names = f" ({', '.join(sequences[0].channels)[:80]})" if path.suffix.lower() == ".csv" else ""
        raise ReviewError(
            f"{str(path)!r} has {_channels(found)}{names}; {network.name} takes {_wanted(network)}, one column each"
        )
    return sequences if targets is None else _with_targets(sequences, Path(targets), network)


def _with_targets(sequences: list[InputSequence], path: Path, network: Network) -> list[InputSequence]:
    if path.suffix.lower() not in SUFFIXES:
        raise ReviewError(f"--targets: expected a .csv or .npy file of numbers, got {str(path)!r}")
    goals = [one.inputs for one in _read(path, gaps=True)]
    expected = [(one.length, network.outputs) for one in sequences]
    if [one.shape for one in goals] != expected:
        found, wanted = (", ".join(map(str, shapes[:3])) for shapes in ([one.shape for one in goals], expected))
        raise ReviewError(f"{str(path)!r} has targets of shape {found}; expected (steps, outputs) {wanted}")
    return [replace(one, targets=goal) for one, goal in zip(sequences, goals, strict=True)]


# ---- the network's own task ---------------------------------------------------------------------------------------


def task_of(network: Network) -> Task | None:
    """Return the task of a network with the parameters it was trained with; None if its file names no task."""
    try:
        recipe = json.loads(network.info.get("recipe", "{}"))
        return task_from_name(network.task, **{name: float(recipe[name]) for name in ("gamma", "p") if name in recipe})
    except (ValueError, TypeError, AttributeError):
        return None


def drawn_sequence(network: Network, seed: int) -> InputSequence:
    """Draw a sequence of a network's task.

    Raises
    ------
    ReviewError
        If it names no task that fits it.
    """
    task = task_of(network)
    if task is None or task.channels != network.channels:
        raise ReviewError(
            f"{network.name} takes {_wanted(network)} and names no task to draw sequences from: "
            "give a file of numbers, such as --reviews signal.csv"
        )
    answered = task.channels == network.outputs
    names = tuple(f"channel {channel}" for channel in range(1, task.channels + 1))
    (inputs,), (targets,) = task.sequences(1, STEPS, seed)
    name = f"{task.name}, seed {seed}"
    return InputSequence(name, "", inputs=inputs, channels=names, targets=targets if answered else None)


def edited(sequence: InputSequence, text: str, task: Task | None) -> InputSequence:
    """Return a sequence with the vectors of some steps replaced, and the targets of its task if it had targets.

    Parameters
    ----------
    sequence : InputSequence
    text : str
        One step a line: its number, counted from 1, a colon and its numbers, such as ``57: 0 1 -0.5``.
    task : Task, optional

    Raises
    ------
    ValueError
        If a line has another form, or there is no such step.
    """
    steps, channels = sequence.inputs.shape
    inputs = sequence.inputs.copy()
    for line in filter(str.strip, text.replace(MINUS, "-").splitlines()):
        step, _, numbers = line.partition(":")
        values = numbers.replace(",", " ").split()
        if not step.strip().isdecimal() or len(values) != channels or not all(map(_is_number, values)):
            example = " ".join(["0"] * channels)
            raise ValueError(f"{line.strip()[:40]!r}: expected a step and {_numbers(channels)}, such as 57: {example}")
        if not 1 <= int(step) <= steps:
            raise ValueError(f"there is no step {int(step)}: this sequence has steps 1 to {steps}")
        inputs[int(step) - 1] = [float(value) for value in values]
    targets = sequence.targets
    if targets is not None:
        targets = None if task is None else task.targets(inputs[None])[0]
    name = f"{sequence.name.removesuffix(', edited')}, edited"
    return InputSequence(name, "", inputs=inputs, channels=sequence.channels, targets=targets)


# ---- files --------------------------------------------------------------------------------------------------------


def _read(path: Path, gaps: bool = False) -> list[InputSequence]:
    """Read every sequence of a file; ``gaps``: NaN is a value."""
    return _read_npy(path, gaps) if path.suffix.lower() == ".npy" else [_read_csv(path, gaps)]


def _read_npy(path: Path, gaps: bool) -> list[InputSequence]:
    checked(path, _LARGEST)
    try:
        # Mapped: a wrong size in the header takes no memory.  `numpy.load` would take another file for a pickle.
        array: NDArray[np.generic] = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError, EOFError, SyntaxError, TypeError, OverflowError, tokenize.TokenError) as error:
        raise ReviewError(f"{str(path)!r} is no .npy file of numbers: {error}") from None
    if array.dtype.kind not in "biuf":
        raise ReviewError(f"{str(path)!r} holds {array.dtype}; expected an array of real numbers")
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim not in (2, 3) or not array.size:
        raise ReviewError(
            f"{str(path)!r} has the shape {array.shape}; expected (time, channel) or (sequence, time, channel)"
        )
    several = array if array.ndim == 3 else array[None]
    if len(several) > _MOST_SEQUENCES:
        raise ReviewError(f"{str(path)!r} has {len(several):,} sequences; expected at most {_MOST_SEQUENCES:,}")
    names = tuple(f"channel {channel}" for channel in range(1, several.shape[2] + 1))
    return [
        _sequence(path, values, names, path.stem if array.ndim == 2 else f"{path.stem}, sequence {number}", gaps)
        for number, values in enumerate(several, 1)
    ]


def _read_csv(path: Path, gaps: bool) -> InputSequence:
    checked(path, _LARGEST)
    text = decode(path.read_bytes(), repr(str(path)))
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=lambda sign: (first.count(sign), -_DELIMITERS.index(sign)))
    rows = list(_rows(path, text, delimiter))
    if not rows:
        raise ReviewError(f"{str(path)!r} is empty; expected one row a step")
    head = [printable(cell) for cell in rows[0][1]]
    named = not all(_is_number(cell, gaps) for cell in head)
    names = tuple(head) if named else tuple(f"channel {channel}" for channel in range(1, len(head) + 1))
    if not rows[named:]:
        raise ReviewError(f"{str(path)!r} has a header and no row; expected one row a step")
    values = np.empty((len(rows) - named, len(names)))
    for step, (line, cells) in enumerate(rows[named:]):
        if len(cells) != len(names):
            raise ReviewError(f"{str(path)!r}, line {line}: {len(cells)} values, expected {len(names)}")
        for channel, cell in enumerate(cells):
            if not _is_number(cell, gaps):
                raise ReviewError(
                    f"{str(path)!r}, line {line}, {names[channel][:40]}: {cell.strip()[:40]!r} is not a finite number"
                )
            values[step, channel] = float(cell)
    return _sequence(path, values, names, path.stem, gaps)


def _rows(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank with the number of their line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row[:-1] if delimiter == " " and not row[-1] else row
    except csv.Error as error:
        raise ReviewError(f"{str(path)!r} is not CSV: {error} (line {reader.line_num})") from None


def _is_number(cell: str, gaps: bool = False) -> bool:
    try:
        return math.isfinite(float(cell)) or (gaps and math.isnan(float(cell)))
    except ValueError:
        return False


def _sequence(path: Path, values: NDArray[np.generic], names: tuple[str, ...], name: str, gaps: bool) -> InputSequence:
    if len(values) > _MOST_STEPS:
        raise ReviewError(f"{str(path)!r} has {len(values):,} steps; expected at most {_MOST_STEPS:,}: split it")
    with np.errstate(over="ignore"):
        inputs = np.ascontiguousarray(values, dtype=np.float32)
    wrong = np.isinf(inputs) if gaps else ~np.isfinite(inputs)
    if wrong.any():
        step, channel = np.argwhere(wrong)[0].tolist()
        raise ReviewError(
            f"{name!r}, step {step + 1}, {names[channel]}: {values[step, channel]} is not finite in single precision; "
            "fill or cut what is missing"
        )
    return InputSequence(name, "", inputs=inputs, channels=names)


def _numbers(count: int) -> str:
    return f"{count} number{'s' * (count != 1)}"


def _channels(count: int) -> str:
    return f"{count} channel{'s' * (count != 1)}"


def _wanted(network: Network) -> str:
    return _channels(network.channels)
