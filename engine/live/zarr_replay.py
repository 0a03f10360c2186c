"""Recordings in Zarr stores as runs to play, like those of `engine.live.replay`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.activity import THRESHOLD
from engine.cells import CELLS, INPUT, blank_cell
from engine.fluctuation import rolling_scales
from engine.live.replay import Analysis, KnownWords, RecordedNetwork, RecordedReview, RecordedSequence, ReplayError
from engine.text import printable, split_words
from engine.zarr_store import StoredRecording

WINDOW: Final = 64  # words of the rolling analyses, as in a live run
LIMIT: Final = 1 << 30  # bytes of signals in memory
_UNREADABLE: Final = "unk"  # in place of what is no word by the rules of `split_words`


def load_store(path: Path, limit: int = LIMIT) -> list[RecordedReview]:
    """Return the reviews of a store as runs: the first ones that fit in ``limit`` bytes, at least one.

    Raises
    ------
    ImportError
        If zarr is not installed.
    ReplayError
        If a signal of the cells is missing, or the store is damaged.
    StoreError
        If there is no store.
    """
    stored = StoredRecording.open(path)
    try:
        facts = stored.facts
        wanted = [signal.name for signal in CELLS[facts["cell"]].signals] + [INPUT.name]
        missing = [name for name in wanted if name not in stored.names]
        if missing:
            raise ReplayError(f"{path}: it lacks {', '.join(missing)}: to play it, record every signal")
        width = 4 * (len(wanted) * int(facts["size"]) + int(facts["inputs"]))
        fitting = np.searchsorted(np.cumsum(stored.lengths) * width, limit, side="right")
        return [_run(stored, number) for number in range(max(1, min(int(fitting), len(stored.lengths))))]
    except ReplayError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReplayError(f"{path}: a damaged recording ({printable(str(error))[:200]}); record it again") from None


def _run(stored: StoredRecording, number: int) -> RecordedReview:
    facts, values, ids = stored.facts, stored.review(number), stored.tokens(number)
    for name, rows in values.items():
        if not np.isfinite(rows).all():
            raise ValueError(f"review {number + 1}: {name} is not finite")
    words = [] if ids is None else _words(ids, facts["words"])
    network = RecordedNetwork(
        blank_cell(facts["cell"], int(facts["inputs"]), int(facts["size"]), json.loads(facts["settings"])),
        np.asarray(facts["readout_weight"], dtype=np.float32),
        np.asarray(facts["readout_bias"], dtype=np.float32),
        None if ids is None else KnownWords(words, ids),
        values,
        name=printable(str(facts["network"])),
        task=printable(str(facts["task"])),
        activation=str(facts["activation"]),
    )
    name, analysis = f"review {number + 1}", Analysis(WINDOW, rolling_scales(WINDOW), THRESHOLD)
    if ids is not None:
        return RecordedReview(name, " ".join(words), None, network=network, first=0, analysis=analysis)
    x = values[INPUT.name]
    channels = tuple(f"input {k + 1}" for k in range(x.shape[1]))
    return RecordedSequence(
        name, "", network=network, first=0, analysis=analysis, inputs=x, channels=channels, targets=None
    )


def _words(ids: NDArray[np.int32], known: Mapping[str, str]) -> list[str]:
    """Return the words of a review, one for each id."""
    found = {int(number): str(known.get(str(number), _UNREADABLE)) for number in np.unique(ids)}
    plain = {number: word if split_words(word) == [word] else _UNREADABLE for number, word in found.items()}
    return [plain[number] for number in ids.tolist()]
