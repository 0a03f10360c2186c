"""The numbers in view as a table."""

from __future__ import annotations

import csv
from pathlib import Path

from engine.files import written_whole
from explorer.session.model import Frame, Session
from explorer.session.series import alpha_column


def write_csv(session: Session, frame: Frame, path: Path) -> None:
    """One line a word that is read and kept: the word, P(positive), rolling α, and the chosen signal of every cell.

    Written beside and renamed, so that a file is whole or not there.
    """
    time, name = frame.snapshot.time, frame.choices.signal
    values = session.read(name, 0, time)
    first = time - len(values)
    probability = session.read("probability", first, time)[:, 0]
    alpha = alpha_column(session, frame, first, time)[:, 0]
    words = frame.snapshot.review.words[first:time]
    with written_whole(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(
            ["time", "word", "probability", f"alpha_{name}", *(f"{name}_{k}" for k in range(values.shape[1]))]
        )
        for k, word in enumerate(words):
            table.writerow([first + k, word, probability[k], alpha[k], *values[k].tolist()])
