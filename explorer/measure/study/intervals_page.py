"""The section of docs/fluctuations.md on the interval of a single β, written from the shipped table."""

from __future__ import annotations

import json
from typing import Any, Final

from engine.intervals import TABLE
from explorer.measure.study.documentation import ROOT, fill, table
from explorer.measure.study.page import typeset
from explorer.measure.study.written_sections import with_section

PAGE: Final = ROOT / "docs" / "fluctuations.md"
MODULE: Final = "explorer.measure.study.intervals_page"
_SCALES: Final = {"rolling": "4 … N/4", "default": "10 … N/4"}


def section(document: dict[str, Any]) -> str:
    """Return the section for the table of `engine.intervals.tabulate`."""
    rows = document["coverage"]
    betas = list(dict.fromkeys(row["beta"] for row in rows))
    lines = []
    for kind, length in dict.fromkeys((row["scales"], row["length"]) for row in rows):
        own = [row for row in rows if (row["scales"], row["length"]) == (kind, length)]
        for name, label in (("gaussian", "Gaussian"), ("heavy", "heavy-tailed")):
            lines.append([f"{length:,}", _SCALES[kind], label, *(f"{100 * row[name]:.1f}" for row in own)])
    every = [100 * row[name] for row in rows for name in ("gaussian", "heavy")]
    inside = sum(88 <= value <= 92 for value in every)
    (count,) = {row["series"] for row in rows}
    error = 100 * (0.09 / count) ** 0.5
    means = {name: sum(100 * row[name] for row in rows) / len(rows) for name in ("gaussian", "heavy")}
    text = f"""## The interval of a single β

Every β of pinkx has a 90% interval: the true β for which the estimate lies between the 5% and the 95% quantile of
estimates from noise of the same length, at the same scales (`engine.intervals`). The null process is ARFIMA(0, β/2, 0),
half of it Gaussian and half with Student-t innovations of 3 degrees of freedom; for fractional Gaussian noise or
Brownian motion of the same exponent, β differs by up to 0.15. The quantiles come from {document["count"]:,} series
for each β (a
quarter above 500 words). The standard error of the straight-line fit is several times too small.

Coverage in per cent for {count:,} new series in each place (standard error {error:.2f}), nominal 90:

{table(("N", "scales", "noise", *(f"β = {beta:g}" for beta in betas)), lines)}

{inside} of {len(every)} places lie within 88 … 92, all within {min(every):.1f} … {max(every):.1f}; the mean is
{means["gaussian"]:.1f} for Gaussian and {means["heavy"]:.1f} for heavy-tailed noise.
`pinkx calibrate --write-intervals FILE` simulates the quantiles and this table anew.
"""
    return typeset(fill(text.strip()))


def current_page(page: str) -> str:
    """Return the text of the page with the section for the shipped table."""
    return with_section(page, MODULE, section(json.loads(TABLE.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    PAGE.write_text(current_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
