"""Draw the samples of soaks: ``python -m tests.robustness.soak_picture FILE.svg SAMPLES.json …``, a panel each.

By default a panel stacks the memory of the processes. With ``--lines`` it shows each without pages of files, which the
soak fits lines to, over a grey ground while a recording is in progress.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

SAMPLES = 250  # of a panel at most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("samples", type=Path, nargs="+")
    parser.add_argument("--lines", action="store_true")
    options = parser.parse_args()
    matplotlib.rcParams["svg.hashsalt"] = "pinkx"  # the same picture from the same samples
    figure = Figure(figsize=(3.6 * len(options.samples), 2.8), layout="constrained")
    axes = figure.subplots(1, len(options.samples), sharey=True, squeeze=False)[0]
    for axis, path in zip(axes, options.samples, strict=True):
        found = json.loads(path.read_text(encoding="utf-8"))
        every = 1 + len(found["seconds"]) // SAMPLES
        minutes = np.array(found["seconds"][::every]) / 60
        if options.lines:
            for name, mib in found["own"].items():
                axis.plot(minutes, mib[::every], label=name, linewidth=1)
            grounds = np.array(found["recording"][::every])
            axis.fill_between(minutes, 0, 1, grounds, transform=axis.get_xaxis_transform(), color="0.9", linewidth=0)
        else:
            axis.stackplot(minutes, *(mib[::every] for mib in found["mib"].values()), labels=list(found["mib"]))
        axis.set_title(f"{found['explorer']}: {found['words'][-1]:,} words", fontsize="medium")
        axis.set_xlabel(f"minutes, with an action every {found['every']:g} s")
        axis.margins(0)
    axes[0].set_ylabel("memory without files, MiB" if options.lines else "memory (Pss), MiB")
    if options.lines:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    else:
        axes[0].legend(loc="lower right", fontsize="small")
    figure.savefig(options.file, metadata={"Date": None})


if __name__ == "__main__":
    main()
