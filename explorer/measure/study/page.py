"""A report as a single HTML file: text, tables and embedded figures.

Figures are also written as PNG and PDF next to the page.  The page follows the reader's light or dark setting, and has
a style for printing.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure

from engine.files import atomic_write

STYLE: Final[dict[Any, Any]] = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "figure.constrained_layout.use": True,
    "font.size": 9.0,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # text in a PDF stays text
}
"""Matplotlib settings of every figure, for `with rc_context(STYLE)`."""

DPI: Final = 150

_VERDICTS: Final = {
    "holds": "yes",
    "depends on a choice": "perhaps",
    "does not hold": "no",
    "undecided": "open",
    "not measured": "open",
}

_CSS: Final = """
:root { color-scheme: light dark; --text: #1d232b; --paper: #fff; --faint: #5d6875; --line: #d9dee4; --wash: #f5f7f9;
  --yes: #1a7f4b; --perhaps: #9a6200; --no: #b3261e; --open: #5d6875; }
@media (prefers-color-scheme: dark) { :root { --text: #dfe5ec; --paper: #14181d; --faint: #97a3b0; --line: #323a44;
  --wash: #1c2229; --yes: #5fd39a; --perhaps: #f0b859; --no: #ff8f85; --open: #97a3b0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 68rem; color: var(--text); background: var(--paper);
  font: 16px/1.55 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.3rem; margin: 2.8rem 0 .6rem; padding-top: .9rem; border-top: 1px solid var(--line); }
p { max-width: 46rem; margin: .6rem 0; }
p.subtitle, figcaption, caption { color: var(--faint); }
nav { columns: 2; margin: 1.4rem 0; font-size: .92rem; }
nav a { display: block; color: inherit; text-decoration-color: var(--line); text-underline-offset: .2em; }
figure { margin: 1.6rem 0; break-inside: avoid; }
figure img { display: block; max-width: 100%; height: auto; padding: .5rem; background: #fff; border-radius: 6px;
  border: 1px solid var(--line); }
figcaption, caption { font-size: .88rem; text-align: left; max-width: 52rem; }
figcaption { margin-top: .5rem; }
caption { caption-side: top; padding-bottom: .4rem; }
.scroll { overflow-x: auto; margin: 1.2rem 0; break-inside: avoid; }
table { border-collapse: collapse; font-size: .84rem; font-variant-numeric: tabular-nums; }
th, td { padding: .32rem .6rem; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; background: var(--wash); }
th:first-child, td:first-child, td.words, th.words { text-align: left; }
td { white-space: nowrap; }
td.words { min-width: 8rem; white-space: normal; }
.yes, .perhaps, .no, .open { font-weight: 600; }
.yes { color: var(--yes); } .perhaps { color: var(--perhaps); } .no { color: var(--no); } .open { color: var(--open); }
@page { margin: 16mm 14mm; }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; } nav { display: none; }
  h2 { break-after: avoid; } .scroll { overflow: visible; break-inside: auto; } tr { break-inside: avoid; }
  table { font-size: 7.5pt; } th, td { padding: .2rem .3rem; } td.words { min-width: 0; } }
"""


class Page:
    """A page that is built from top to bottom and written by `write`.

    Parameters
    ----------
    title, subtitle : str
        Plain text; like all text of a page, it is escaped.
    processes : Executor, optional
        Where the PDF files are drawn, while this process goes on; see `prepare_drawing`.
    """

    def __init__(self, title: str, subtitle: str, processes: Executor | None = None) -> None:
        self.title = title
        self.subtitle = subtitle
        self._processes = processes
        self._body: list[str] = []
        self._headings: list[tuple[str, str]] = []
        self._files: dict[str, bytes] = {}
        self._drawn_elsewhere: dict[str, tuple[Figure, Future[bytes]]] = {}

    def heading(self, text: str) -> None:
        """Begin a section, which is listed at the top of the page."""
        anchor = f"section-{len(self._headings) + 1}"
        self._headings.append((anchor, text))
        self._body.append(f'<h2 id="{anchor}">{escape(text)}</h2>')

    def text(self, paragraph: str) -> None:
        """Add a paragraph."""
        self._body.append(f"<p>{escape(typeset(paragraph))}</p>")

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[object]], caption: str) -> None:
        """Add a table; words are aligned left, numbers right, and verdicts are coloured.

        Raises
        ------
        ValueError
            If the number of cells of a row differs from the number of headings.
        """
        cells = [[str(cell) for cell in row] for row in rows]
        for row in cells:
            if len(row) != len(headings):
                raise ValueError(f"a row of {len(row)} cells under {len(headings)} headings: {row}")
        kinds = [' class="words"' if any(map(_is_words, column)) else "" for column in zip(*cells, strict=True)]
        kinds = kinds or [""] * len(headings)
        head = "".join(f"<th{kind}>{escape(text)}</th>" for kind, text in zip(kinds, headings, strict=True))
        body = "".join(
            "<tr>"
            + "".join(f"<td{kind}>{_shown(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
            + "</tr>\n"
            for row in cells
        )
        self._body.append(
            f'<div class="scroll"><table><caption>{escape(caption)}</caption>'
            f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>"
        )

    def figure(self, figure: Figure, name: str, caption: str) -> None:
        """Add a figure, which is also written as ``NAME.png`` and ``NAME.pdf``.

        It is rendered immediately, or its PDF in another process: do not change it afterwards.

        Raises
        ------
        ValueError
            If the name has characters other than a-z, 0-9 and ``-``, or is in use.
        """
        if not re.fullmatch(r"[a-z0-9-]+", name) or f"{name}.png" in self._files:
            raise ValueError(f"a figure's name must be unique and consist of a-z, 0-9 and -, got {name!r}")
        with rc_context(STYLE):
            figure.set_dpi(DPI)
            # `savefig` would draw each twice. The layout stays: computing it again takes as long as drawing.
            FigureCanvasAgg(figure).print_png(png := io.BytesIO(), metadata={"Software": None})
            figure.set_layout_engine("none")
        self._files[f"{name}.png"] = png.getvalue()
        if (pdf := self._submit(figure)) is None:
            self._files[f"{name}.pdf"] = pdf_of(figure)
        else:
            self._drawn_elsewhere[f"{name}.pdf"] = figure, pdf
        data = base64.b64encode(self._files[f"{name}.png"]).decode()
        width = round(96 * figure.get_figwidth())
        self._body.append(
            f'<figure><img alt="{escape(caption)}" width="{width}" src="data:image/png;base64,{data}">'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )

    def _submit(self, figure: Figure) -> Future[bytes] | None:
        """Let the other process draw a PDF; None if there is none, or if it has ended, such as for its memory."""
        if self._processes is None:
            return None
        try:
            return self._processes.submit(pdf_of, figure)
        except BrokenExecutor:
            return None

    def write(self, folder: Path, name: str = "index.html") -> Path:
        """Write the figures and the page into a folder; returns the path of the page."""
        while self._drawn_elsewhere:
            file, (figure, pdf) = self._drawn_elsewhere.popitem()
            try:
                self._files[file] = pdf.result()
            except BrokenExecutor:
                self._files[file] = pdf_of(figure)
        folder.mkdir(parents=True, exist_ok=True)
        for file, data in (*self._files.items(), (name, self._html().encode())):
            with atomic_write(folder / file) as temporary:
                temporary.write_bytes(data)
        return folder / name

    def _html(self) -> str:
        contents = "".join(f'<a href="#{anchor}">{escape(text)}</a>' for anchor, text in self._headings)
        return (
            '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self.title)}</title>\n<style>{_CSS}</style></head>\n<body>\n"
            f'<h1>{escape(self.title)}</h1>\n<p class="subtitle">{escape(self.subtitle)}</p>\n'
            f"<nav>{contents}</nav>\n" + "\n".join(self._body) + "\n</body>\n</html>\n"
        )


def pdf_of(figure: Figure) -> bytes:
    """Return a figure as a PDF file, laid out as it is."""
    with rc_context(STYLE):
        FigureCanvasPdf(figure).print_pdf(pdf := io.BytesIO(), metadata={"CreationDate": None})
    return pdf.getvalue()


def prepare_drawing(processes: Executor) -> None:
    """Let processes load Matplotlib, for a `Page`: of the time for a page, its PDF files take half."""
    with suppress(BrokenExecutor):
        processes.submit(pdf_of, Figure(figsize=(1, 1)))


def typeset(text: str) -> str:
    """Replace the hyphen of negative numbers by a minus sign."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def _shown(cell: str) -> str:
    kind = _VERDICTS.get(cell)
    cell = typeset(cell)
    return escape(cell) if kind is None else f'<span class="{kind}">{escape(cell)}</span>'


def _is_words(cell: str) -> bool:
    return len(re.findall(r"[^\W\d_]{2,}", cell)) > 1 or cell in _VERDICTS
