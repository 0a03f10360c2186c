"""Saving what is seen: the screen as SVG, the numbers as CSV."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from textual.app import App

from explorer.session.export import write_csv
from explorer.session.model import Session
from explorer.tui.picture import save_picture


def export(app: App[Any], session: Session, folder: Path | None = None) -> str:
    """Write both files into a folder (by default the present one) under a new name; returns what to tell."""
    frame = session.frame()
    folder = Path.cwd() if folder is None else folder
    review = re.sub(r"[^A-Za-z0-9_-]+", "-", frame.snapshot.review.name).strip("-")[:40] or "review"
    stem = f"pinkx-{frame.snapshot.network.name}-{review}-{frame.choices.signal}"
    number = next(k for k in range(1, 10_000) if not (folder / f"{stem}-{k}.svg").exists())
    picture, table = folder / f"{stem}-{number}.svg", folder / f"{stem}-{number}.csv"
    save_picture(app, picture)
    write_csv(session, frame, table)
    return f"{picture.name} and .csv in {folder}"
