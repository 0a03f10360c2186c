"""Completing every search by its index, and what it costs: ``python -m tests.benchmarks.bench_completeness``.

Searches each shipped network under each input from 256 starts, without and with completion, and prints both.  With
``--out assets/measured/completeness.json`` it also writes the numbers of a table in docs/fixed_points.md.  Seconds are
processor time on one thread; of a search that takes less than three, the shortest of three times.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.catalogue import shipped_networks
from engine.fixed_points import find_fixed_points
from engine.network import Network
from engine.reviews import CUT, open_reviews
from engine.start_states import input_from_name, visited_states

STARTS = 256
SHORT, REPETITIONS = 3.0, 3  # seconds; times that a shorter search is run
FORMAT = "pinkx completeness 1"


def search(network: Network, name: str, starts: torch.Tensor, complete: bool) -> dict[str, Any]:
    """Search under one input."""
    begin = time.process_time()
    x = input_from_name(network, name)
    found = find_fixed_points(network.cell, x, starts, input_names=[name], complete=complete)
    seconds = time.process_time() - begin
    return {
        "by_unstable": np.bincount(found[found.fixed].unstable).tolist(),
        "slow": int((~found.fixed).sum()),
        "index_sum": found.index_sum.get(name, 0),
        "certified": int(np.isfinite(found.unique_within[found.fixed]).sum()),
        "seconds": seconds,
    }


def compare(network: Network, name: str, starts: torch.Tensor) -> dict[str, Any]:
    """Search under one input without and with completion, by turns."""
    best: dict[str, dict[str, Any]] = {}
    for _ in range(REPETITIONS):
        for key, complete in (("before", False), ("after", True)):
            found = search(network, name, starts, complete)
            best[key] = min(best.get(key, found), found, key=lambda one: float(one["seconds"]))
        if best["before"]["seconds"] > SHORT:
            break
    assert best["after"]["index_sum"] == 1 or not best["after"]["by_unstable"]
    return {"network": network.name, "input": name, **best}


def main(out: Path | None = None) -> None:
    torch.set_num_threads(1)
    rows = []
    texts = [review.words[:CUT] for review in open_reviews(None)[:100]]
    for info in shipped_networks():
        network = Network.load(info.path)
        read = network.vocabulary
        reviews = [read.encode(words) for words in texts] if read is not None else None
        starts = visited_states(network, STARTS, reviews=reviews)
        for name in ("zero", "mean") if read is not None else ("zero", "+1", "-1"):
            rows.append(compare(network, name, starts))
            print(json.dumps(rows[-1]), flush=True)
    if out is not None:
        document = {"format": FORMAT, "starts": STARTS, "searches": rows}
        out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


@pytest.mark.benchmark
def test_completeness() -> None:
    main()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    main(parser.parse_args().out)
