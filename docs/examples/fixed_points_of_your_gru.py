"""Find the fixed points of your own ``torch.nn.GRU`` under a constant input.

    python docs/examples/fixed_points_of_your_gru.py OUTPUT_FOLDER

Replace ``your_gru`` and ``your_inputs``.  The script collects states that the network visits, searches from them,
prints a table, and writes the points to ``fixed_points.npz`` and a picture to ``fixed_points.png``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import torch

import engine


def your_gru() -> torch.nn.GRU:
    """Return any GRU of one layer and one direction; here 16 cells with random, large recurrent weights."""
    torch.manual_seed(0)
    gru = torch.nn.GRU(2, 16)
    with torch.no_grad():
        gru.weight_hh_l0 *= 4
    return gru


def your_inputs() -> torch.Tensor:
    """Return sequences (sequence, time, inputs) that drive the network through its states; here white noise."""
    return torch.randn(50, 40, 2, generator=torch.Generator().manual_seed(0))


def main(folder: Path) -> None:
    """Search, print and save."""
    cell = engine.GruCell.from_torch(your_gru())
    _, signals = cell.run(your_inputs())
    starts = signals["h"].flatten(0, 1)[::5]  # (start, 16)
    points = engine.find_fixed_points(cell, torch.zeros(cell.inputs), starts, input_names=["zero"])
    print(points)

    folder.mkdir(parents=True, exist_ok=True)
    points.save(folder / "fixed_points.npz")
    matplotlib.use("Agg")
    points.plot().figure.savefig(folder / "fixed_points.png")
    print(f"wrote fixed_points.npz and fixed_points.png to {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
