"""Write a file of many short reviews: ``python -m tests.benchmarks.many_reviews FILE.jsonl --reviews 1000000``.

Each is a run of consecutive words of a bundled review, 20 to 120 words long, with the label of that review.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from engine.files import atomic_write
from engine.reviews import open_reviews

SHORTEST, LONGEST = 20, 120  # words
PART = 10_000  # reviews drawn at once


def write_reviews(path: Path, count: int, seed: int = 0) -> None:
    """Write ``count`` reviews as JSON Lines; the same seed gives the same file."""
    sources = [(review.words, review.label) for review in open_reviews()]
    random = np.random.default_rng(seed)
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for first in range(0, count, PART):
            size = min(PART, count - first)
            chosen = random.integers(len(sources), size=size).tolist()
            lengths = random.integers(SHORTEST, LONGEST + 1, size).tolist()
            places = random.random(size).tolist()
            for source, length, place in zip(chosen, lengths, places, strict=True):
                words, label = sources[source]
                start = int(place * max(1, len(words) - length + 1))
                row = {"text": " ".join(words[start : start + length]), "label": int(bool(label))}
                file.write(json.dumps(row) + "\n")


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--reviews", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write_reviews(options.file, options.reviews, options.seed)
    print(f"{options.file}: {options.reviews:,} reviews, {options.file.stat().st_size / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
