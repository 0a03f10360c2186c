"""Cost of measuring against networks, reviews and processes: ``python -m tests.benchmarks.sweep_growth``.

Measures LSTMs of 8 cells on short reviews (`tests.benchmarks.many_reviews`): 1 to 1,000 networks on 1,000 reviews each,
and two networks on 1,000 to 1,000,000 reviews, in one and in two processes; β of h and of the input, and once of all
signals.  Results go into assets/measured, the figure into assets/pictures, and both into the documentation.

A finished run is not repeated, so that an interrupted call continues.  A run that would exceed --minutes, by the rate
of the last one of its kind, is left out; the next call takes it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure

from engine.catalogue import find
from engine.files import atomic_write
from engine.sources.options import DEFAULTS
from engine.sweeps.shards import Shard, run_shards
from explorer.measure.reviews import measure_file
from explorer.measure.study.documentation import MEASURED, ROOT, fill, table
from explorer.measure.study.written_sections import write_section
from tests.benchmarks.many_reviews import write_reviews

MODULE: Final = "tests.benchmarks.sweep_growth"
RESULTS: Final = MEASURED / "sweep_growth.json"
FIGURE: Final = ROOT / "assets" / "pictures" / "sweep-growth.svg"
PERFORMANCE: Final = ROOT / "docs" / "performance.md"
TABLES: Final = ROOT / "docs" / "tables.md"

PLAN: Final = (80_000, 50_000)  # networks, reviews
CORES: Final = (16, 1_000)
FEW: Final = ("h", "x")


@dataclass(frozen=True)
class Run:
    """Networks measured on reviews each, in a number of processes."""

    series: str  # "networks", "reviews" or "signals"
    networks: int
    reviews: int
    workers: int
    signals: tuple[str, ...] | None = FEW  # None: all

    @property
    def total(self) -> int:
        """Reviews read by all networks."""
        return self.networks * self.reviews


RUNS: Final = (
    *(Run("networks", count, 1_000, workers) for count in (1, 10, 100, 1_000) for workers in (1, 2)),
    *(Run("reviews", 2, count, workers) for count in (1_000, 10_000, 100_000) for workers in (1, 2)),
    Run("signals", 2, 50_000, 1, None),
    Run("reviews", 2, 1_000_000, 2),
)


def measured_seconds(run: Run, source: Path) -> float:
    """Return the wall-clock seconds of a run, with the start of its processes."""
    file = str(find("lstm-8"))
    call = file, str(source), None, run.signals, DEFAULTS
    shards = [Shard(f"network {k}", str(k), measure_file, call) for k in range(run.networks)]
    start = time.perf_counter()
    run_shards(shards, f"local:{run.workers}")
    return time.perf_counter() - start


def expected_seconds(run: Run, rows: Sequence[dict[str, Any]]) -> float:
    """Return at most how long a run takes, from the one before in its series; 0 for the first."""
    before = [row for row in rows if (row["series"], row["workers"]) == (run.series, run.workers)]
    return max((row["seconds"] * run.total / _total(row) for row in before[-1:]), default=0.0)


def measure(results: Path, largest: int, minutes: float) -> dict[str, Any]:
    """Measure what the results do not have, and return all."""
    document: dict[str, Any] = (
        json.loads(results.read_text(encoding="utf-8"))
        if results.exists()
        else {"format": "pinkx sweep growth 1", "date": date.today().isoformat(), "processor": processor()}
        | {"cores": os.cpu_count(), "python": platform.python_version(), "rows": []}
    )
    rows = document["rows"]
    keys = ("series", "networks", "reviews", "workers")
    known = {tuple(row[key] for key in keys) for row in rows}
    end = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm.jsonl"
        write_reviews(warm, 100)
        measured_seconds(Run("", 1, 100, 1, None), warm)  # Numba may have to compile
        for run in RUNS:
            if tuple(getattr(run, key) for key in keys) in known or run.total > largest:
                continue
            name = f"{run.networks:,} networks × {run.reviews:,} reviews, in {run.workers}"
            if time.monotonic() + (expected := expected_seconds(run, rows)) > end:
                print(f"{name}: left out, would take up to {expected:.0f} s; run this again", flush=True)
                continue
            source = Path(folder) / f"{run.reviews}.jsonl"
            if not source.exists():
                write_reviews(source, run.reviews)
            load = os.getloadavg()[0]
            seconds = measured_seconds(run, source)
            rows.append(asdict(run) | {"seconds": round(seconds, 2), "load": round(load, 1)})
            with atomic_write(results) as temporary:
                temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
            print(f"{name}: {seconds:.1f} s, load before {load:.1f}", flush=True)
    return document


def processor() -> str:
    """Return the name of the processor; that of the architecture where the system does not give it."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), platform.machine())


# ---- documentation -------------------------------------------------------------------------------------------------


def performance_section(document: dict[str, Any]) -> str:
    """Return the section of docs/performance.md."""
    rows = document["rows"]
    cells = [
        (f"{row['networks']:,}", f"{row['reviews']:,}", "all" if row["signals"] is None else ", ".join(row["signals"]),
         str(row["workers"]), f"{row['seconds']:.1f}", f"{_rate(row):,.0f}")
        for row in rows
    ]  # fmt: skip
    loads = [row["load"] for row in rows]
    shown = table(("networks", "reviews each", "signals", "processes", "seconds", "reviews/s"), cells)
    text = f"""## Growth with networks, reviews and processes

{document["processor"]}, {document["cores"]} cores; LSTMs of 8 cells, reviews of 20 to 120 words. Seconds are those of
the clock and include the start of the processes; between {min(loads):.1f} and {max(loads):.1f} processes wanted a core
before a run, those of the run before among them.

{shown}

![Seconds against the number of networks and of reviews, in one and in two processes](../assets/pictures/{FIGURE.name})

A plan for a large study from these rates: [tables](tables.md#planning-a-large-study)."""
    return fill(text)


def plan_section(document: dict[str, Any]) -> str:
    """Return the section of docs/tables.md: how long `PLAN` takes at the measured rates."""
    rows = document["rows"]
    networks, reviews = PLAN
    total = networks * reviews
    lines = []
    for label, series, workers in (
        ("β of h and of the input, one process", "reviews", 1),
        ("the same, two processes", "reviews", 2),
        ("β of all eight signals, one process", "signals", 1),
    ):
        chosen = [one for one in rows if (one["series"], one["workers"]) == (series, workers)]
        if not chosen:  # a trial with --largest
            continue
        row = max(chosen, key=_total)
        rate = _rate(row) / workers
        hours = total / rate / 3600
        lines.append((label, f"{rate:,.0f}", f"{hours:,.0f}", *(_duration(hours / cores) for cores in CORES)))
    heads = ("what is measured", "reviews/s a core", "core hours", *(f"on {cores:,} cores" for cores in CORES))
    text = f"""{networks:,} networks of 8 cells × {reviews:,} such reviews are {total / 1e9:g}·10⁹ readings. At the
rates [measured](performance.md#growth-with-networks-reviews-and-processes) on {document["processor"]} they take

{table(heads, lines)}

Larger networks take longer in proportion to the time a word takes, see [performance](performance.md)."""
    return fill(text)


def _total(row: dict[str, Any]) -> int:
    return int(row["networks"] * row["reviews"])


def _rate(row: dict[str, Any]) -> float:
    return float(_total(row) / row["seconds"])


def _duration(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.0f} min"


def draw(document: dict[str, Any], path: Path) -> None:
    """Draw seconds against networks and against reviews."""
    figure = Figure(figsize=(7, 3), layout="constrained")
    for axes, series in zip(figure.subplots(1, 2), ("networks", "reviews"), strict=True):
        for workers, colour in ((1, "#1b6ca8"), (2, "#d6246e")):
            chosen = [row for row in document["rows"] if (row["series"], row["workers"]) == (series, workers)]
            x, y = [row[series] for row in chosen], [row["seconds"] for row in chosen]
            axes.loglog(x, y, "o-", color=colour, markersize=4, label=f"{workers} process{'es' * (workers > 1)}")
        axes.set_xlabel("networks, 1,000 reviews each" if series == "networks" else "reviews, two networks")
        axes.set_ylabel("seconds")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Measure, draw and write the documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, help="For a trial: write there, and only print the documentation.")
    parser.add_argument("--largest", type=int, default=2_000_000, help="Largest number of reviews in all of a run.")
    parser.add_argument("--minutes", type=float, default=9.0)
    options = parser.parse_args()
    trial = options.results is not None
    document = measure(options.results or RESULTS, options.largest, options.minutes)
    draw(document, options.results.with_suffix(".svg") if trial else FIGURE)
    for page, section in ((PERFORMANCE, performance_section), (TABLES, plan_section)):
        if trial:
            print(section(document), end="\n\n")
        else:
            write_section(page, MODULE, section(document))


if __name__ == "__main__":
    main()
