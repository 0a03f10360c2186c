"""Measure the 1/f exponents of your own ``torch.nn.LSTM``.

    python docs/examples/exponents_of_your_lstm.py OUTPUT_FOLDER

Replace ``your_lstm`` and ``your_inputs``.  The script records every signal of every cell, sums each over the cells,
and writes the exponents to ``exponents.csv`` and F(s) of the layer sum of h to ``fluctuations.png``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray

import engine


def your_lstm() -> torch.nn.LSTM:
    """Return any LSTM of one layer and one direction; here 5 inputs and 32 untrained cells."""
    torch.manual_seed(0)
    return torch.nn.LSTM(5, 32)


def your_inputs() -> NDArray[np.float32]:
    """Return sequences (sequence, time, inputs); here twenty sequences of 500 steps of white noise."""
    return np.random.default_rng(0).standard_normal((20, 500, 5), dtype=np.float32)


def main(folder: Path) -> None:
    """Record, measure, print and save."""
    cell = engine.LstmCell.from_torch(your_lstm())
    # A recording needs no readout: any (1, n) weight and (1,) bias will do.
    network = engine.Network(cell, torch.zeros(1, cell.size), torch.zeros(1), name="my LSTM", task="")
    inputs = your_inputs()
    recording = engine.record(network, list(inputs))
    print(recording)

    scales = engine.default_scales(inputs.shape[1])
    print(f"β = 2α − 1 of the layer sums, mean ± standard deviation over {len(inputs)} sequences (white 0, pink 1):")
    lines = ["signal,beta_mean,beta_sd"]
    for name in recording.names:
        fit = engine.exponents(engine.fluctuations(recording.series(name), scales), scales)
        print(f"  {name:5}  {fit.beta.mean():5.2f} ± {fit.beta.std(ddof=1):.2f}".replace("-", "−"))
        lines.append(f"{name},{fit.beta.mean():.4f},{fit.beta.std(ddof=1):.4f}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "exponents.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    matplotlib.use("Agg")
    h = recording.series("h")[0]
    ax = engine.exponents(engine.fluctuations(h, scales), scales).plot()
    ax.figure.savefig(folder / "fluctuations.png")
    print(f"wrote exponents.csv and fluctuations.png to {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
