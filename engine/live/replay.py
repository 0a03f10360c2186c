"""Recorded runs in files: every signal at every word, to be played again without the network's weights.

A ``.safetensors`` file holds any number of runs. Run k has the tensors ``k/SIGNAL`` (time, cell) for every signal
and ``x``, ``k/ids`` (time,), ``k/readout_weight`` (outputs, n) and ``k/readout_bias`` (outputs,); the header holds
``format``, ``version`` and, as JSON, ``analysis`` (window, scales, threshold) and ``runs`` (cell, size, inputs, name
and task of the network; name, text and label of the review; the word its first row belongs to; word and label of each
addition to the state). A steered run also has ``k/additions`` (addition, S). A run over a sequence of vectors has
``channels``, their names, in the header, and ``k/targets`` (time, outputs) instead of ``k/ids`` if its targets are
known. The run of a layer whose network has an output of all layers has ``k/outputs`` (time, outputs), too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from engine.cells import CELLS, INPUT, Cell, Setting, blank_cell
from engine.files import atomic_write
from engine.fluctuation import RollingExponent
from engine.live.pushes import Push, Pushes, checked
from engine.network import UNKNOWN, Network, Vocabulary
from engine.sequences import InputSequence
from engine.text import FileError, Review, printable

FORMAT: Final = "pinkx recording 1"
OUTPUTS: Final = "outputs"
"""Name of the outputs of a whole network, in a ring and in a recording, where the watched layer alone has none."""
_KINDS: Final = ("F32", "F64", "F16", "I32", "I64")  # of tensors, that NumPy can read; `_run` says which are right
_LONGEST_WINDOW: Final = 10**5  # words; analyses of the window take memory in proportion
_MOST: Final = 10**9  # cells, inputs, words

Float32s = NDArray[np.float32]


class ReplayError(FileError):
    """A recording cannot be played."""


class KnownWords(Vocabulary):
    """The words of one review that its network knew, with the ids they had there."""

    def __init__(self, words: Sequence[str], ids: NDArray[np.integer]) -> None:
        known = {word: int(number) for word, number in zip(words, ids, strict=True) if number != UNKNOWN}
        super().__init__(tuple(known))
        self._ids = known
        self._words = {number: word for word, number in known.items()}

    def word(self, number: int) -> str:
        return self._words.get(number, "[unk]")


class RecordedNetwork(Network):
    """The network of a recorded run, with NaN for its recurrent and input weights.

    ``values`` maps every signal of the run, and ``x``, to its rows (time, cell).
    """

    def __init__(
        self,
        cell: Cell,
        readout_weight: Float32s,
        readout_bias: Float32s,
        vocabulary: Vocabulary | None,
        values: Mapping[str, Float32s],
        *,
        name: str,
        task: str,
        activation: str = "sigmoid",
        output: str = "none",
    ) -> None:
        self.values = values
        super().__init__(
            cell,
            torch.from_numpy(readout_weight),
            torch.from_numpy(readout_bias),
            vocabulary=vocabulary,
            name=name,
            task=task,
            info={"activation": activation, "output": output},
        )

    def _check(self) -> None:
        """`load_recording` has checked the file."""

    @property
    def shares_readout(self) -> bool:
        return OUTPUTS in self.values

    @property
    def outputs(self) -> int:
        return self.values[OUTPUTS].shape[1] if self.shares_readout else super().outputs

    def __reduce__(self) -> tuple[Callable[..., Network], tuple[object, ...]]:
        cell = self.cell.name, self.cell.inputs, self.cell.size, self.cell.settings
        weights = self.readout_weight.numpy(), self.readout_bias.numpy()
        names = self.name, self.task, self.activation, self.info["output"]
        return _from_rows, (cell, *weights, self.vocabulary, self.values, *names)


def _from_rows(
    cell: tuple[str, int, int, Mapping[str, Setting]],
    readout_weight: Float32s,
    readout_bias: Float32s,
    vocabulary: Vocabulary,
    values: Mapping[str, Float32s],
    name: str,
    task: str,
    activation: str,
    output: str,
) -> RecordedNetwork:
    parts = blank_cell(*cell), readout_weight, readout_bias, vocabulary, values
    return RecordedNetwork(*parts, name=name, task=task, activation=activation, output=output)


@dataclass(frozen=True)
class Analysis:
    """Parameters of a run's rolling analyses: window and box lengths in words, and the threshold σ of dead cells."""

    window: int
    scales: tuple[int, ...]
    threshold: float


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordedReview(Review):
    """A review and what its network did: a stream that opens it plays the rows of ``network``.

    Its words are those of the recording; the first was word ``first`` of the review. ``pushes`` were added to the
    state, after these words; the rows show their effect.
    """

    network: RecordedNetwork
    first: int
    analysis: Analysis
    pushes: Pushes = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordedSequence(RecordedReview, InputSequence):
    """A recorded run over a sequence of vectors."""


class Playback:
    """A stepper that returns the rows of a recording."""

    def __init__(self, network: RecordedNetwork) -> None:
        self._values = network.values
        self.state: Float32s = np.zeros(network.cell.state_size, dtype=np.float32)

    @property
    def clamps(self) -> Mapping[str, Float32s]:
        """Always empty: recorded rows cannot be clamped."""
        return {}

    @clamps.setter
    def clamps(self, clamps: Mapping[str, ArrayLike]) -> None:
        if clamps:
            raise ValueError("a recording is played as it was read: nothing in it can be clamped")

    def reset(self) -> None:
        """Do nothing: a recording has no state."""

    def advance(self, rows: NDArray[np.integer]) -> dict[str, Float32s]:
        """Return those rows of every signal, (time, cell)."""
        return {name: values[rows] for name, values in self._values.items()}


def recorded(
    network: Network,
    review: Review,
    ids: NDArray[Any],
    first: int,
    values: Mapping[str, Float32s],
    analysis: Analysis,
    pushes: Pushes = (),
) -> RecordedReview:
    """Return a run as a recording: ``values`` (time, cell) are its words of ``review`` from ``first`` on.

    ``ids`` (word,), or vectors, cover the whole review, as do ``pushes``.
    """
    part = slice(first, first + len(values["h"]))
    signal = review if isinstance(review, InputSequence) else None
    facts = RecordedNetwork(
        blank_cell(network.cell.name, network.cell.inputs, network.cell.size, network.cell.settings),
        network.readout_weight.detach().float().cpu().numpy(),
        network.readout_bias.detach().float().cpu().numpy(),
        None if signal is not None else KnownWords(review.words[part], _word_ids(network, review, ids)[part]),
        values,
        name=network.title,
        task=network.task,
        activation=network.activation,
        output=network.output,
    )
    before = review.first if isinstance(review, RecordedReview) else 0
    steered = tuple(
        replace(push, word=push.word - first) for push in pushes if first <= push.word < first + len(values["h"])
    )
    if signal is not None:
        return RecordedSequence(
            review.name,
            "",
            network=facts,
            first=before + first,
            analysis=analysis,
            inputs=values["x"],
            channels=signal.channels,
            targets=None if signal.targets is None else signal.targets[part],
            pushes=steered,
        )
    text = " ".join(review.surface[part])
    return RecordedReview(
        review.name, text, review.label, network=facts, first=before + first, analysis=analysis, pushes=steered
    )


def _word_ids(network: Network, review: Review, ids: NDArray[Any]) -> NDArray[Any]:
    """Return the ids of the words of a review; an upper layer itself reads vectors."""
    vocabulary = None if network.stack is None else network.stack.vocabulary
    return ids if vocabulary is None else vocabulary.encode(review.words)


def save_recording(path: Path, runs: Sequence[RecordedReview], version: str) -> None:
    """Write the runs of a session to one file, atomically.

    Raises
    ------
    ValueError
        If there is no run.
    """
    if not runs:
        raise ValueError("nothing to save: no word is read yet")
    tensors: dict[str, NDArray[Any]] = {}
    for number, run in enumerate(runs):
        network = run.network
        tensors |= {f"{number}/{name}": np.ascontiguousarray(rows) for name, rows in network.values.items()}
        if network.vocabulary is not None:
            tensors[f"{number}/ids"] = network.vocabulary.encode(run.words)
        elif isinstance(run, InputSequence) and run.targets is not None:
            tensors[f"{number}/targets"] = np.ascontiguousarray(run.targets)
        tensors[f"{number}/readout_weight"] = network.readout_weight.numpy()
        tensors[f"{number}/readout_bias"] = network.readout_bias.numpy()
        if run.pushes:
            tensors[f"{number}/additions"] = np.stack([push.addition for push in run.pushes])
    header = {
        "format": FORMAT,
        "version": version,
        "analysis": json.dumps(asdict(runs[0].analysis)),
        "runs": json.dumps([_facts(run) for run in runs]),
    }
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, header)


def _facts(run: RecordedReview) -> dict[str, Any]:
    cell = run.network.cell
    channels = {"channels": run.channels} if isinstance(run, InputSequence) else {}
    return channels | {
        "cell": cell.name,
        "size": cell.size,
        "inputs": cell.inputs,
        "settings": cell.settings,
        "network": run.network.name,
        "task": run.network.task,
        "activation": run.network.activation,
        "output": run.network.output,
        "review": run.name,
        "text": run.text,
        "label": run.label,
        "first": run.first,
        "pushes": [[push.word, push.label] for push in run.pushes],
    }


def is_recording(path: Path) -> bool:
    """Return whether a file is a recording; a network is none."""
    try:
        with safe_open(path, framework="numpy") as file:
            return str((file.metadata() or {}).get("format", "")).startswith("pinkx recording ")
    except (SafetensorError, OSError):
        return False


def load_recording(path: Path) -> list[RecordedReview]:
    """Read every run of a file.

    Raises
    ------
    ReplayError
        If the file is missing, truncated, of another kind, or inconsistent.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            if not str(header.get("format", "")).startswith("pinkx recording "):
                raise ReplayError(f"{path}: a .safetensors file, but not a recording of pinkx")
            if header["format"] != FORMAT:
                raise ReplayError(
                    f"{path}: a {header['format']}, which needs a newer pinkx; this version reads {FORMAT}"
                )
            kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
            for name, kind in kinds.items():
                if kind not in _KINDS:  # NumPy has no bfloat16 or float8
                    name = printable(name)[:80]
                    raise ReplayError(f"{path}: {name} has type {kind}, expected F32, or I32 for ids; record it again")
            tensors = {name: file.get_tensor(name) for name in kinds}
    except (SafetensorError, OSError) as error:
        raise ReplayError(f"{path}: an incomplete recording ({error}); record or copy it again") from None
    try:
        parameters, runs = json.loads(header["analysis"]), json.loads(header["runs"])
        window = _whole("window", parameters["window"], 1, _LONGEST_WINDOW)
        scales = tuple(_whole("a scale", scale, 1, _LONGEST_WINDOW) for scale in parameters["scales"])
        threshold = float(parameters["threshold"])
        if not 0 <= threshold < float("inf"):
            raise ValueError(f"threshold {threshold}, expected a number from 0 on")
        analysis = Analysis(window, scales, threshold)
        RollingExponent(scales, analysis.window, 1)  # raises what the stream that plays it would raise
        found = [_run(number, facts, analysis, tensors) for number, facts in enumerate(runs)]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ReplayError(f"{path}: a damaged recording ({printable(reason)[:200]}); record or copy it again") from None
    if not found:
        raise ReplayError(f"{path}: a recording without a run")
    return found


def _run(
    number: int, facts: Mapping[str, Any], analysis: Analysis, tensors: Mapping[str, NDArray[Any]]
) -> RecordedReview:
    size, inputs = (_whole(name, facts[name], 1, _MOST) for name in ("size", "inputs"))
    outputs = len(tensors[f"{number}/readout_bias"])
    review = Review(printable(str(facts["review"])), str(facts["text"]))
    signal = "channels" in facts
    time = len(tensors[f"{number}/{INPUT.name}"]) if signal else len(review.words)
    label = facts["label"]
    if not time or outputs < 1 or label not in (True, False, None):
        raise ValueError(f"run {number + 1} has {time} words, {outputs} outputs, label {label!r}")
    widths = {signal.name: size for signal in CELLS[facts["cell"]].signals} | {INPUT.name: inputs}
    shapes: dict[str, tuple[int, ...]] = {name: (time, width) for name, width in widths.items()}
    if f"{number}/{OUTPUTS}" in tensors:
        widths[OUTPUTS] = tensors[f"{number}/{OUTPUTS}"].shape[-1]
        shapes[OUTPUTS] = (time, widths[OUTPUTS])
    shapes |= {"readout_weight": (outputs, size), "readout_bias": (outputs,)}
    if not signal:
        shapes["ids"] = (time,)
    elif f"{number}/targets" in tensors:
        shapes["targets"] = (time, widths.get(OUTPUTS, outputs))
    got = {name: tensors[f"{number}/{name}"] for name in shapes}
    for name, shape in shapes.items():
        expected = np.int32 if name == "ids" else np.float32
        finite = name == "targets" or np.isfinite(got[name]).all()
        if got[name].shape != shape or got[name].dtype != expected or not finite:
            raise ValueError(
                f"run {number + 1}: {name} must be {shape} finite {expected.__name__}, "
                f"got {got[name].shape} {got[name].dtype}"
            )
    network = RecordedNetwork(
        blank_cell(facts["cell"], inputs, size, facts.get("settings", {})),  # older recordings have no settings
        got["readout_weight"],
        got["readout_bias"],
        None if signal else KnownWords(review.words, got["ids"]),
        {name: got[name] for name in widths},
        name=printable(str(facts["network"])),
        task=printable(str(facts["task"])),
        activation=str(facts.get("activation", "sigmoid")),  # older recordings have none
        output=str(facts.get("output", "none")),
    )
    first = _whole("first", facts["first"], 0, _MOST)
    pushes = _pushes(number, facts, tensors, time, network.cell.state_size)
    if signal:
        channels = tuple(printable(str(channel)) for channel in facts["channels"])
        if len(channels) != inputs:
            raise ValueError(f"run {number + 1} names {len(channels)} channels, expected {inputs}")
        return RecordedSequence(
            review.name,
            "",
            network=network,
            first=first,
            analysis=analysis,
            inputs=got[INPUT.name],
            channels=channels,
            targets=got.get("targets"),
            pushes=pushes,
        )
    return RecordedReview(
        review.name, review.text, label, network=network, first=first, analysis=analysis, pushes=pushes
    )


def _pushes(
    number: int, facts: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]], time: int, state_size: int
) -> Pushes:
    listed = facts.get("pushes", [])  # older recordings have none
    if not listed:
        return ()
    rows = tensors[f"{number}/additions"]
    if rows.dtype != np.float32 or rows.shape != (len(listed), state_size):
        raise ValueError(f"run {number + 1}: additions must be {(len(listed), state_size)} float32, got {rows.shape}")
    return checked(
        [
            Push(_whole("the word of an addition", word, 0, time - 1), row, printable(str(label)))
            for (word, label), row in zip(listed, rows, strict=True)
        ],
        time,
        state_size,
    )


def _whole(name: str, value: Any, least: int, most: int) -> int:
    """Return a whole number of a file's header.

    Raises
    ------
    ValueError
        If it is none, or out of bounds.
    """
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} {str(value)[:40]}, expected a whole number from {least} to {most}")
    return value
