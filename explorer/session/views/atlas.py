"""The atlas of a table of networks: a page with one point a network, each with the commands that open it.

The page is one HTML file that loads nothing: plots are SVG, a point is a link to its network's row, and a click on a
heading sorts the table.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Final

from explorer.session.palette import colour_map
from explorer.session.views.network_table import (
    NAME,
    Row,
    Scatter,
    is_missing,
    is_numeric,
    scatter,
    value_text,
)
from explorer.session.views.number_format import count

MOST: Final = 5000
"""Networks of a page at most: a browser draws a point and a row for each."""

PLOTS: Final = (("beta_h", "dead"), ("beta_h", "accuracy"), ("beta_h", "index_sum"), ("dead", "accuracy"))
COLUMNS: Final = (
    NAME, "cell", "size", "seed", "beta_h", "beta_h_low", "beta_h_high", "beta_c", "beta_c_out", "dead", "points",
    "index_sum", "accuracy", "measured_accuracy", "loss",
)  # fmt: skip
MEANINGS: Final[Mapping[str, str]] = {
    "beta_h": "β of h", "beta_c": "β of c", "beta_c_out": "β of tanh c", "dead": "share of dead cells",
    "accuracy": "accuracy", "measured_accuracy": "measured accuracy", "index_sum": "Σ of the points' indices",
    "points": "fixed points", "beta_h_low": "95 % from", "beta_h_high": "to",
}  # fmt: skip
_ALIASES: Final = {"accuracy": "measured_accuracy", "index_sum": "points"}

_WIDTH, _HEIGHT, _MARGIN = 440, 330, 56
_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; color: #1b1f24; }
svg { max-width: 100%; height: auto; } circle { stroke: #fff; stroke-width: .7; } a:hover circle { stroke: #d6246e;
stroke-width: 3; } .plots { display: flex; flex-wrap: wrap; gap: 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { padding: .15rem .6rem; text-align:
left; border-bottom: 1px solid #e3e6ea; white-space: nowrap; } th { cursor: pointer; position: sticky; top: 0;
background: #fff; } td.n { text-align: right; } tr:target { background: #ffd9e8; } code { font-size: 13px; }
.scroll { overflow-x: auto; }
"""
_SORT: Final = """
document.querySelectorAll('th').forEach((head, k) => head.addEventListener('click', () => {
  const body = document.querySelector('tbody'), rows = [...body.rows];
  const down = head.dataset.down = head.dataset.down ? '' : '1', missing = v => v === '' || v === '–';
  const value = row => row.cells[k].dataset.v ?? row.cells[k].textContent;
  rows.sort((first, next) => { const one = value(first), two = value(next);
    if (missing(one) || missing(two)) return missing(one) - missing(two);
    const order = isNaN(one) || isNaN(two) ? one.localeCompare(two, undefined, {numeric: true}) : one - two;
    return down ? order : -order; });
  body.append(...rows);
}));
"""


def atlas_page(title: str, rows: Sequence[Row], order: Sequence[int], commands: Sequence[str | None]) -> str:
    """Return the page.

    Parameters
    ----------
    title : str
    rows : sequence of mapping
    order : sequence of int
        The rows to show; the first `MOST` of them.
    commands : sequence of (str or None)
        For each of ``rows`` the arguments that open it, such as ``--network FILE``; None where there is no file.
    """
    shown = list(order[:MOST])
    names = {name for k in shown for name, value in rows[k].items() if not is_missing(value)}
    columns = [name for name in COLUMNS if name in names]
    plots = [pair for pair in (_available(pair, names) for pair in PLOTS) if pair is not None]
    pictures = "".join(_plot(rows, scatter(rows, shown, *pair)) for pair in dict.fromkeys(plots))
    more = "" if len(shown) == len(order) else f" These are the first {len(shown):,} of {len(order):,}."
    heads = "".join(f"<th>{html.escape(MEANINGS.get(name, name))}</th>" for name in columns)
    body = "".join(_row(rows, k, columns, commands[k]) for k in shown)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>
<h1>{html.escape(title)}</h1>
<p>{count(len(shown), "network")}, one point each; dark points have few cells, bright ones many.{more} A click on a
point goes to its row; a row names the command that opens its network in the terminal (<code>pinkx tui</code>), and
<code>pinkx gui</code> with the same arguments opens it on the desktop. Run the commands in the folder of this page. A
click on a heading sorts.</p>
<div class="plots">{pictures or "<p>The table has no two columns of numbers to plot.</p>"}</div>
<div class="scroll"><table><thead><tr>{heads}<th>open</th></tr></thead><tbody>
{body}</tbody></table></div><script>{_SORT}</script></body></html>
"""


def _available(pair: tuple[str, str], names: set[str]) -> tuple[str, str] | None:
    """Return the columns of a plot, or others that mean the same; None if the table lacks them."""
    x, y = (name if name in names else _ALIASES.get(name, name) for name in pair)
    return (x, y) if {x, y} <= names else None


def _row(rows: Sequence[Row], number: int, columns: Sequence[str], command: str | None) -> str:
    cells = []
    for name in columns:
        value = rows[number].get(name)
        numeric = not isinstance(value, str | None)
        exact = f' class="n" data-v="{"" if is_missing(value) else value}"' if numeric else ""
        cells.append(f"<td{exact}>{html.escape(value_text(value))}</td>")
    opened = "no file here" if command is None else f"<code>pinkx tui {html.escape(command)}</code>"
    return f'<tr id="n{number}">{"".join(cells)}<td>{opened}</td></tr>\n'


def _plot(rows: Sequence[Row], found: Scatter) -> str:
    """Return a scatter plot as SVG; a point is a link to the row of its network."""
    colours = _colours(rows, found)
    inner = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
    points = []
    for number, (x, y), colour in zip(found.rows.tolist(), found.places.tolist(), colours, strict=True):
        at = _MARGIN + (x + 1) / 2 * inner[0], _HEIGHT - _MARGIN - (y + 1) / 2 * inner[1]
        row = rows[number]
        facts = (f"{MEANINGS.get(name, name)} {value_text(row.get(name))}" for name in (found.x, found.y))
        text = html.escape(f"{value_text(row.get(NAME))}: {', '.join(facts)}")
        points.append(
            f'<a href="#n{number}"><circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="4.5" fill="{colour}">'
            f"<title>{text}</title></circle></a>"
        )
    frame = f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{inner[0]}" height="{inner[1]}" fill="none" stroke="#9aa3ad"/>'
    low, right, bottom = _HEIGHT - _MARGIN + 16, _WIDTH - _MARGIN, _HEIGHT - _MARGIN
    x_name, y_name = (html.escape(MEANINGS.get(name, name)) for name in (found.x, found.y))
    ends = [*map(value_text, found.x_range), *map(value_text, found.y_range)]
    texts = (
        f'<text x="{_MARGIN}" y="{low}">{ends[0]}</text><text x="{right}" y="{low}" text-anchor="end">{ends[1]}</text>'
        f'<text x="{_MARGIN - 5}" y="{bottom}" text-anchor="end">{ends[2]}</text>'
        f'<text x="{_MARGIN - 5}" y="{_MARGIN + 10}" text-anchor="end">{ends[3]}</text>'
        f'<text x="{_WIDTH // 2}" y="{low + 14}" text-anchor="middle" font-weight="bold">{x_name}</text>'
        f'<text x="{_MARGIN}" y="{_MARGIN - 10}" font-weight="bold">{y_name}</text>'
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" font-size="11" role="img" '
        f'aria-label="{y_name} against {x_name}">{frame}{texts}{"".join(points)}</svg>'
    )


def _colours(rows: Sequence[Row], found: Scatter) -> list[str]:
    """Return a colour for each point: by the rank of its size, dark to bright."""
    if not is_numeric(rows, "size"):
        return ["#3b6fb6"] * len(found.rows)
    sizes = [rows[number].get("size") for number in found.rows.tolist()]
    ranks = {size: k for k, size in enumerate(sorted({size for size in sizes if isinstance(size, int | float)}))}
    table = colour_map("viridis")
    last = len(table) * 9 // 10  # the brightest are pale on white
    codes = [
        ranks.get(size, 0) * last // max(1, len(ranks) - 1) if isinstance(size, int | float) else 0 for size in sizes
    ]
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in table[codes].tolist()]
