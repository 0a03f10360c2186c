"""Record a review with a shipped network and plot how its answer forms.

    python docs/examples/record_a_review.py OUTPUT_FOLDER

The script writes ``review.png``: h of every cell, the layer sum of h, and P(positive) after every word.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

import engine


def main(folder: Path) -> None:
    """Record, print and plot."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    network = engine.Network.load("lstm-8")
    review = engine.open_reviews()[0]
    assert network.vocabulary is not None
    recording = engine.record(network, network.vocabulary.encode(review.words))
    probability = recording.probability[0]
    print(recording)
    print(f"{review.name}: P(positive) {probability[-1]:.3f} after {len(review.words)} words, label {review.label}")

    change = abs(probability[1:] - probability[:-1])
    for time in sorted(change.argsort()[-5:] + 1):
        print(f"  word {time + 1:4} {review.words[time]:>14}  {probability[time - 1]:.2f} → {probability[time]:.2f}")

    figure, (cells, total, answer) = pyplot.subplots(3, 1, sharex=True, figsize=(10, 6), layout="constrained")
    cells.imshow(recording["h"][0].T, aspect="auto", cmap="RdBu_r", vmin=-1, vmax=1)
    cells.set_ylabel("cell")
    total.plot(recording.series("h")[0])
    total.set_ylabel("Σ h")
    answer.plot(probability)
    answer.set(ylabel="P(positive)", ylim=(0, 1), xlabel="word")
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "review.png")
    print(f"wrote review.png to {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
