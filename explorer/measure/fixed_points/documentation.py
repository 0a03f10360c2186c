"""The page docs/fixed_points.md, written from the JSON of the study, so that every number in it is a measured one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from explorer.measure.study.documentation import ROOT, fill, shipped_results, table
from explorer.measure.study.page import typeset

PAGE: Final = ROOT / "docs" / "fixed_points.md"

Network = dict[str, Any]


def write_page(document: dict[str, Any], completeness: dict[str, Any]) -> str:
    """Return the page for the results of the study, ``document``, and of the searches with and without completion."""
    networks = document["networks"]
    parts = (
        *(_head(document), _claims(document), _completeness(completeness, networks), MORE),
        *(_findings(document), _lines(document), _searches(document)),
    )
    return typeset("\n\n".join(fill(part.strip()) for part in parts) + "\n")


def _head(document: dict[str, Any]) -> str:
    networks = document["networks"]
    certified = [row["fixed"] + row["slow"] for one in networks for row in one["searches"]]
    searches = len(certified)
    complete = sum(count == document["starts"] for count in certified)
    return f"""# Fixed points: results

<!-- Written by `python -m explorer.measure.fixed_points.documentation`; change the text there. -->

Cheng, Schmid & Lange (2021) find fixed points of recurrent networks by gradient descent and interpret pictures of them.
`pinkx measure fixed-points` reproduces their figures 3 to 10 and decides which of their claims hold. This page shows
the results for the {len(networks)} networks of 100 cells that ship with pinkx: three architectures and three tasks,
one seed.
All numbers are in `assets/measured/fixed_points.json` and `completeness.json`.

```
pinkx measure fixed-points --published-way {document["both_ways"][0]["starts"]} --out fixed-points
pinkx train --task flip-flop-3 --cell gru --seed 1 --out nets/gru-100-flip-flop-3-s1.safetensors     more seeds
pinkx measure fixed-points --networks 'gru-100-*' --networks 'nets/gru-100-*.safetensors' --out fixed-points
```

Without `--networks`, the shipped networks are measured. Results are cached in `fixed-points/cache`: the same command
resumes an interrupted run, and measures only networks that are new. The report is `index.html`, next to its figures
(PNG, PDF), the numbers (JSON) and tables (CSV).

**What was renewed.** Version 0.1.0 of this page showed 27 networks: these {len(networks)}, and two more seeds of
each, which do
not ship with pinkx. Their search was not complete (see below), so those numbers are withdrawn; the other
{27 - len(networks)}
networks have not been trained again. A verdict on this page is about one seed of each architecture and task.

## Method

Each network is searched from {document["starts"]} states that it visits while it performs the task, each state from a
sequence of its own, under five constant inputs. A point is *fixed* if the Newton step to the root is below 1e-8. It is
*slow* if it is a certified minimum of the speed q = ½‖F(s) − s‖² with q below 0.001: the slope is at its floor and no
eigenvalue of the Hessian is negative. In {complete} of {searches} searches all starts end at a fixed or a slow
point: a start that
reaches neither is advanced by the network itself and tried again, and the speed is followed to its minimum. A small q
alone proves nothing: where a gate of a GRU closes, q decreases forever without any point nearby. Then the index
completes the set.

What depends on start states was measured for {_draws(networks)} draws of sequences and states. ± is the standard
error with the
sequence as the unit.

## Published and measured

A claim *holds* if all networks concerned meet a criterion, which is stated in the report and applied by code, and
*depends on a choice* (the architecture or the task) if some do. The criteria are ours; those of the last four rows were
chosen after a first look at the same three networks. Values are means over networks, with their median and range in
brackets.
"""


def _draws(networks: Sequence[Network]) -> int:
    return len(networks[0]["trajectories"]["reached"]["draws"])


def _claims(document: dict[str, Any]) -> str:
    fields = ("claim", "place", "published", "measured")
    rows = [
        [*(one[field].replace("|", "\\|") for field in fields), f"**{one['verdict']}**"] for one in document["claims"]
    ]
    return table(("claim", "where", "published", "measured", "verdict"), rows)


def _completeness(document: dict[str, Any], networks: Sequence[Network]) -> str:
    rows = document["searches"]
    slower = max(rows, key=lambda row: float(_ratio(row)))
    large = [_ratio(row) for row in rows if "-16-" not in row["network"]]
    total = sum(sum(row["after"]["by_unstable"]) for row in rows)
    certified = sum(row["after"]["certified"] for row in rows)
    missing = [row for row in rows if row["before"]["index_sum"] != 1 and sum(row["before"]["by_unstable"])]
    added = [row for row in rows if sum(row["after"]["by_unstable"]) > sum(row["before"]["by_unstable"])]
    whole = [one for one in networks if one["task"] == "integration-3" and one["geometry"]["corners"] == 8]
    return f"""## Completeness

The indices sign det(I − J) of all fixed points under one input add up to Σ = 1 (Lefschetz), so any other sum proves
that points are missing; Σ = 1 does not prove that none are. pinkx completes every search: damped Newton from the
midpoints of pairs of points, and a gain homotopy that leads from each point to its partner of opposite index
(`engine/completeness.py`). All shipped networks, {document["starts"]} starts, without and with completion; points
with 0, 1, 2, …
unstable directions, and processor seconds on one thread of a shared machine:

{table(_HEADINGS, map(_compared, rows))}

Without completion, Σ shows in {len(missing)} of {len(rows)} searches that points are missing; completion adds points
in {len(added)}, and
Σ is 1 in all. It takes {max(large):.2f} times the seconds at most in networks of 64 cells or more
{_exception(slower, max(large))}. {_proved(certified, total)}

**Correction.** The three flip-flops are exact 3 × 3 × 3 cubes of 27 points (8, 12, 6 and 1 with 0, 1, 2 and 3 unstable
directions); this page gave 18, 21 and 14 points. It also said that integration over three channels has no whole
cube, which is false: {_names(whole)} has a stable point for all eight answers. And it said that linear maps at points
predict the next step better than maps at visited states in 25 of 27 networks; those visited states came from 16
sequences, and were fewer, as the sets of points were not complete. From states of
separate sequences, this holds in {_better(networks)} of {len(networks)} networks.
"""


_HEADINGS: Final = (*("network", "input", "points", "Σ", "s", "completed: points", "Σ", "slow points", "s", "ratio"),)


def _ratio(row: dict[str, Any]) -> float:
    return float(row["after"]["seconds"] / row["before"]["seconds"])


def _compared(row: dict[str, Any]) -> list[str]:
    before, after = row["before"], row["after"]
    return [
        *(row["network"], row["input"], _counts(before["by_unstable"]), str(before["index_sum"])),
        *(f"{before['seconds']:.2f}", _counts(after["by_unstable"]), str(after["index_sum"]), str(after["slow"])),
        *(f"{after['seconds']:.2f}", f"{_ratio(row):.2f}"),
    ]


def _counts(by_unstable: Sequence[int]) -> str:
    """Return ``8 12 6 1``; ``11: 1`` where only saddles with many unstable directions exist."""
    if len(by_unstable) > 6:
        return ", ".join(f"{k}: {count}" for k, count in enumerate(by_unstable) if count)
    return " ".join(map(str, by_unstable)) or "–"


def _exception(slower: dict[str, Any], most: float) -> str:
    if _ratio(slower) <= most:
        return ""
    seconds = slower["after"]["seconds"]
    return f"({_ratio(slower):.2f} in {slower['network']}, whose search takes {seconds:.2f} s)"


def _proved(certified: int, total: int) -> str:
    if certified == total:
        return (
            f"Every one of the {total} points is proved to be the only root within a radius (Krawczyk's test with "
            "outward rounding, `engine/certificates.py`)."
        )
    return (
        f"{certified} of the {total} points are proved to be the only root within a radius (Krawczyk's test with "
        "outward rounding, `engine/certificates.py`); of the others an eigenvalue is too close to 1."
    )


def _names(networks: Sequence[Network]) -> str:
    return " and ".join(_name(one) for one in networks)


def _name(one: Network) -> str:
    return f"{one['cell']}-{one['size']}-{one['task']}"


MORE: Final = """## Cycles, basins, branches and exponents

`pinkx points NAME` prints, below the points, where 256 visited and 256 uniformly drawn states end under each input: the
share of each stable point with a 95 % interval (Wilson), the cycles with period and amplitude, and the states that end
at neither (`--basins 0` leaves this out). `pinkx points NAME --words` shows for each word whether repeating it ends at
a certified fixed point, in a cycle, in a drift or still in motion; only a fixed point has a time constant.

`pinkx points NAME --along WORD` follows the fixed points while the weight of a word rises from 0 to 1; for a network
that performs a task, `--along 2` follows them while channel 2 changes from −1 to 1. The table lists each branch with
its folds, where two points meet and vanish, and the other places where |λ| passes 1; `--plot` draws the first logit
against the weight, `--json` and `--out` export every place. In both front ends `F` draws the same curves. A branch that
reaches neither end nor zero input is not found.

`pinkx lyapunov NAME` measures, for each review or run of the task, the largest Lyapunov exponents under the driving
input (QR method), the same with the words shuffled, and the lag from which the effect of an input on the final state,
‖∂h_T/∂x_t‖, stays below half of its maximum.
"""


def _means(networks: Iterable[Network], part: str, index: int | None = None) -> list[float]:
    found = []
    for one in networks:
        value = one["trajectories"][part]
        draws = (value if index is None else value[index])["draws"]
        if None not in draws:
            found.append(float(np.mean(draws)))
    return found


def _range(values: Sequence[float], form: Callable[[float], str] = lambda value: f"{100 * value:.0f}") -> str:
    low, high = form(min(values)), form(max(values))
    return low if low == high else f"{low} to {high}"


def _better(networks: Iterable[Network]) -> int:
    """Count the networks whose points predict the next step better than equally many visited states."""
    values = ((one["trajectories"][part][0]["draws"] for part in ("linear", "elsewhere")) for one in networks)
    return sum(bool(np.mean(at_points) > np.mean(at_states)) for at_points, at_states in values)


def _median(networks: Iterable[Network], number: int) -> str:
    """Return the median over networks of the variance that linear maps at points explain."""
    median = 100 * float(np.median(_means(networks, "linear", number)))
    return "less than −100 %" if median < -100 else f"{median:.0f} %"


def _error(networks: Iterable[Network]) -> float:
    parts = ("reached", "predicted", "most_frequent", "answer", "present")
    return max(float(one["trajectories"][part]["error"] or 0) for one in networks for part in parts)


def _findings(document: dict[str, Any]) -> str:
    networks = document["networks"]
    flips = [one for one in networks if one["task"] == "flip-flop-3"]
    three = [one for one in networks if one["task"] == "integration-3"]
    lines = [one for one in networks if one["task"] == "integration-1"]
    under_one = {one["geometry"][sign] for one in flips for sign in ("plus", "minus")}
    recurrent = [one for one in networks if one["cell"] != "lstm"]
    lstms = [one for one in networks if one["cell"] == "lstm"]
    arrived = [one for one in networks if None not in one["trajectories"]["predicted"]["draws"]]
    predicted, frequent = (_means(arrived, part) for part in ("predicted", "most_frequent"))
    ways = {row["input"]: row for row in document["both_ways"]}
    adam = ways["adam, +1"]
    rows = [
        [
            *(row["input"], str(row["fixed"]), str(row["slow"]), str(row["moving"])),
            *(str(sum(row["by_unstable"]) + row["slow_points"]), f"{row['seconds']:.1f}"),
        ]
        for row in document["both_ways"]
    ]
    corners = "; ".join(f"{one['cell'].upper()} {one['geometry']['corners']}" for one in three)
    return f"""## Findings

**The flip-flop is a cube.** In all {len(flips)} networks, each of the eight answers has a stable fixed point of its
own,
with saddles on the edges and faces between them and in the centre, and the directions of the channels are
perpendicular (largest |cosine| {_range([one["geometry"]["cosine"] for one in flips], lambda value: f"{value:.2f}")}).
Integration over three channels also has slow points; answers with a stable point: {corners} of 8.

**Under ±1 there {"is a single point" if under_one == {1} else f"are {_range(sorted(under_one), str)} points"}.** The
paper reports that the structure of zero input is repeated there. In
all {len(flips)} flip-flop networks, one fixed point is left. From the same {adam["starts"]:,} starts, 2,000 steps of
Adam
{"never reach it" if not adam["fixed"] else f"reach it in {adam['fixed']} cases"}: the
{sum(adam["by_unstable"]) + adam["slow_points"]} places that count as slow by q alone are on their way, and still
show where
they started.

{table(("method, input", "→ fixed", "→ slow", "moving", "distinct points", "s"), rows)}

**The points predict trajectories at rest.** Under zero input, a flip-flop ends at the stable point that was nearest at
the start in {_range(_means(flips, "predicted"))} % of cases, where the most frequent end is correct in
{_range(_means(flips, "most_frequent"))} %. Over all networks that come to rest the mean is
{100 * np.mean(predicted):.0f} % (median
{100 * np.median(predicted):.0f} %) compared with {100 * np.mean(frequent):.0f} % (median
{100 * np.median(frequent):.0f} %).
{_range(_means(networks, "reached"))} % of visited states come within 0.1 of a point in 2,000 steps. No standard
error of these
fractions exceeds {100 * _error(networks):.1f} percentage points.

One step ahead under the inputs of the task, the linear map at the nearest point explains
{_range(_means(recurrent, "linear", 0))} % of the variance in GRUs and RNNs and {_range(_means(lstms, "linear", 0))} %
in LSTMs (medians over networks: {_median(recurrent, 0)} and {_median(lstms, 0)}). In {_better(networks)} of
{len(networks)} networks it is better than linear maps at equally many visited states, so most of what it explains is
no merit of the points. Ten steps ahead the median is {_median(three, 2)} over the networks that integrate three
channels,
{_median(lines, 2)} over those that integrate one, and {_median(flips, 2)} over flip-flops, whose pulses push the state
over a saddle; a negative number is worse than assuming no movement. So the paper's doubt is justified for driven
trajectories, but not for where they come to rest.

**With one channel, the points form a line, and PC1 is the readout** (|r|
{_range([one["geometry"]["readout"] for one in lines], lambda value: f"{value:.3f}")}). The line is bent, so that PC1
explains
{_range([one["geometry"]["pc1"] for one in lines])} %.
"""


def _lines(document: dict[str, Any]) -> str:
    lines = {one["network"]: one for one in document["line_attractors"]}
    slow = "; ".join(
        f"{name} {one['slowest']:.0f} words, the next {one['next']:.0f}"
        for name, one in lines.items()
        if one["slowest"] is not None
    )
    restless = [name for name, one in lines.items() if not one["stable"]]
    rows = [
        [
            *(one["network"], " ".join(f"{100 * part:.0f}" for part in one["states"])),
            *(f"{one['fixed']} fixed, {one['slow']} slow", str(one["stable"])),
            *("–" if one[name] is None else f"{one[name]:.0f}" for name in ("slowest", "next")),
            "–" if one["aligned"] is None else f"{one['aligned']:.2f}",
            *(f"{100 * one['words']:.0f}", f"{one['words_correlation']:.2f}"),
        ]
        for one in lines.values()
    ]
    headings = ("network", "PC1–3 of states, %", "points", "stable", "slowest, words", "next", "aligned")
    return f"""**Networks that read reviews** have one slow direction: {slow}. {" and ".join(restless)} has no stable
point under the mean embedding: its states end in a cycle.

{table((*headings, "PC1 of words, %", "r"), rows)}
"""


def _searches(document: dict[str, Any]) -> str:
    rows = [
        [
            *(_name(one), row["input"], str(row["fixed"]), str(row["slow"])),
            *(_counts(row["by_unstable"]), str(row["index_sum"]), str(row["slow_points"] or "–")),
            *("–" if row[name] is None else f"{row[name]:.0e}".replace("-", "−") for name in ("q", "step", "slow_q")),
            *(" ".join(f"{100 * part:.0f}" for part in row["explained"]) or "–", f"{row['seconds']:.1f}"),
        ]
        for one in document["networks"]
        for row in one["searches"]
    ]
    headings = ("network", "input", "→ fixed", "→ slow", "fixed points with 0, 1, … unstable", "Σ", "slow points")
    return f"""## The {len(document["networks"])} shipped networks under five inputs

{document["starts"]} starts each; q and step are maxima over the fixed points, slow q over the slow points; seconds are
processor time on one thread of a shared machine.

{table((*headings, "q", "step", "slow q", "PC1–3, %", "s"), rows)}
"""


def current_page() -> str:
    """Return the page for the shipped results."""
    return write_page(shipped_results("fixed_points"), shipped_results("completeness"))


if __name__ == "__main__":
    PAGE.write_text(current_page(), encoding="utf-8")
