"""How the cost of measuring grows: ``python -m tests.benchmarks.sweep_growth RESULTS.json [--figure FILE.svg]``.

Measures β of h and of the input of LSTMs of 8 cells on short reviews (`tests.benchmarks.many_reviews`): from 1 to 1,000
networks on 1,000 reviews each, and two networks on 1,000 to 1,000,000 reviews, in one and in two processes. A finished
run is not repeated, so that an interrupted call continues; --largest limits the number of reviews in all for a trial.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from engine.catalogue import find
from engine.files import atomic_write
from engine.sources.options import DEFAULTS
from engine.sweeps.shards import Shard, run_shards
from explorer.measure.reviews import measure_file
from tests.benchmarks.many_reviews import write_reviews

NETWORKS = (1, 10, 100, 1000)
REVIEWS = (1_000, 10_000, 100_000, 1_000_000)
WORKERS = (1, 2)
RUNS = [("networks", count, 1_000) for count in NETWORKS] + [("reviews", 2, count) for count in REVIEWS]
PLAN = (80_000, 50_000)  # networks, reviews


def measured_seconds(networks: int, source: Path, workers: int) -> float:
    """Return the seconds that networks take on a source, with the start of the processes."""
    file = str(find("lstm-8"))
    call = file, str(source), None, ("h", "x"), DEFAULTS
    shards = [Shard(f"network {k}", str(k), measure_file, call) for k in range(networks)]
    start = time.perf_counter()
    run_shards(shards, f"local:{workers}")
    return time.perf_counter() - start


def run(results: Path, largest: int) -> list[dict[str, Any]]:
    """Measure what the results do not have, and return all."""
    rows: list[dict[str, Any]] = json.loads(results.read_text()) if results.exists() else []
    known = {(row["series"], row["networks"], row["reviews"], row["workers"]) for row in rows}
    with tempfile.TemporaryDirectory() as folder:
        for series, networks, reviews in RUNS:
            source = Path(folder) / f"{reviews}.jsonl"
            for workers in WORKERS:
                if (series, networks, reviews, workers) in known or networks * reviews > largest:
                    continue
                if not source.exists():
                    write_reviews(source, reviews)
                seconds = measured_seconds(networks, source, workers)
                rows.append(
                    {"series": series, "networks": networks, "reviews": reviews, "workers": workers, "seconds": seconds}
                )
                with atomic_write(results) as temporary:
                    temporary.write_text(json.dumps(rows, indent=1) + "\n")
                print(f"{networks:,} networks × {reviews:,} reviews, in {workers}: {seconds:.1f} s", flush=True)
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the results as a Markdown table."""
    lines = ["| networks | reviews each | processes | seconds | reviews/s |", "|---|---|---|---|---|"]
    for row in rows:
        total = row["networks"] * row["reviews"]
        cells = (f"{row['networks']:,}", f"{row['reviews']:,}", str(row["workers"]), f"{row['seconds']:.1f}")
        lines.append(f"| {' | '.join(cells)} | {total / row['seconds']:,.0f} |")
    return "\n".join(lines)


def plan(rows: Sequence[dict[str, Any]]) -> str:
    """Return how long `PLAN` would take at the best rate of one process."""
    rates = [row["networks"] * row["reviews"] / row["seconds"] for row in rows if row["workers"] == 1]
    networks, reviews = PLAN
    hours = networks * reviews / max(rates) / 3600
    return (
        f"{networks:,} networks × {reviews:,} reviews at {max(rates):,.0f} reviews/s a core: {hours:,.0f} core hours, "
        f"{hours / 16:,.1f} hours on 16 cores, {hours / 1000:.2f} hours on 1,000."
    )


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw seconds against networks and against reviews."""
    figure = Figure(figsize=(7, 3), layout="constrained")
    for axes, series in zip(figure.subplots(1, 2), ("networks", "reviews"), strict=True):
        for workers, colour in zip(WORKERS, ("#1b6ca8", "#d6246e"), strict=True):
            chosen = [row for row in rows if (row["series"], row["workers"]) == (series, workers)]
            x, y = [row[series] for row in chosen], [row["seconds"] for row in chosen]
            axes.loglog(x, y, "o-", color=colour, markersize=4, label=f"{workers} process{'es' * (workers > 1)}")
        axes.set_xlabel("networks, 1,000 reviews each" if series == "networks" else "reviews, two networks")
        axes.set_ylabel("seconds")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--largest", type=int, default=2_000_000)
    options = parser.parse_args()
    rows = run(options.results, options.largest)
    print(table(rows))
    print(plan(rows))
    if options.figure is not None:
        draw(rows, options.figure)


if __name__ == "__main__":
    main()
