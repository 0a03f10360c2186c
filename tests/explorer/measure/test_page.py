"""The report: a single HTML file, and its figures as separate files."""

from __future__ import annotations

import base64
import copy
import re
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure

from explorer.cli import pinkx
from explorer.measure.study.page import Page


def drawn() -> Figure:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1], [1, 0])
    return figure


def test_a_page_holds_what_it_was_given(tmp_path: Path) -> None:
    page = Page("A < B", "of & about")
    page.heading("What was found")
    page.text("Nothing <script>alert(1)</script> to run.")
    page.table(["claim", "β"], [["it is pink here", "1.0"], ["holds", 2]], "Two rows.")
    page.figure(drawn(), "a-line", "A line, falling.")
    path = page.write(tmp_path / "new" / "folder")
    html = path.read_text()
    assert "<h1>A &lt; B</h1>" in html
    assert "<script" not in html
    assert '<a href="#section-1">What was found</a>' in html
    assert '<span class="yes">holds</span>' in html
    assert re.findall(r'(?:src|href)="(?!data:|#)', html) == []  # nothing is fetched
    (embedded,) = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", html)
    assert base64.b64decode(embedded) == (path.parent / "a-line.png").read_bytes()
    assert (path.parent / "a-line.pdf").read_bytes().startswith(b"%PDF")
    assert sorted(file.name for file in path.parent.iterdir()) == ["a-line.pdf", "a-line.png", "index.html"]


def test_the_same_page_twice_is_the_same_files(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        page = Page("title", "subtitle")
        page.figure(drawn(), "line", "A line.")
        page.write(tmp_path / folder)
    for name in ("line.png", "line.pdf", "index.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


class OtherProcess(Executor):
    """Hand figures over as to another process, or fail as one that was killed."""

    def __init__(self, killed: str) -> None:
        self.killed = killed
        self.drawn = 0

    def submit(self, task: Any, /, *given: Any, **named: Any) -> Future[Any]:
        done = Future[Any]()
        if self.killed == "before":
            raise BrokenExecutor("the process ended")
        if self.killed:
            done.set_exception(BrokenExecutor("the process ended"))
        else:
            self.drawn += 1
            done.set_result(task(*copy.deepcopy(given)))  # a copy by __getstate__, as of pickle
        return done


@pytest.mark.parametrize("killed", ["", "before", "while it draws"])
def test_another_process_draws_the_same_files_or_this_one_does(tmp_path: Path, killed: str) -> None:
    other = OtherProcess(killed)
    for name, processes in (("here", None), ("elsewhere", other)):
        page = Page("title", "subtitle", processes)
        page.figure(drawn(), "line", "A line.")
        page.figure(drawn(), "again", "Again.")
        page.write(tmp_path / name)
    assert other.drawn == (0 if killed else 2)
    here, elsewhere = (
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("here", "elsewhere")
    )
    assert len(here) == 5
    assert elsewhere == here


def test_wrong_parts_are_refused() -> None:
    page = Page("title", "subtitle")
    with pytest.raises(ValueError, match="a row of 1 cells under 2 headings"):
        page.table(["a", "b"], [["x"]], "A table.")
    page.figure(drawn(), "line", "A line.")
    for name in ("line", "../line", ""):
        with pytest.raises(ValueError, match="a figure's name"):
            page.figure(drawn(), name, "A line.")


def test_the_verb_lists_the_papers() -> None:
    text = CliRunner().invoke(pinkx, ["measure", "--help"]).stdout
    assert "one-over-f" in text
    assert "fixed-points" in text
