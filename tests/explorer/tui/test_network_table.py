"""`pinkx table` in the terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, Static

from engine.catalogue import SHIPPED
from engine.sweeps.table import read_table
from explorer.session.core import SessionError
from explorer.session.network_folder import NetworkFolder
from explorer.session.views.network_table import Row
from explorer.tui.network_table import NetworkTable, ScatterPlot


def row(size: int, beta: float, dead: float) -> Row:
    name = f"lstm-{size}"
    return {"name": name, "cell": "lstm", "size": size, "beta_h": beta, "dead": dead, "file": f"{name}.safetensors"}


ROWS: list[Row] = [
    row(8, 1.25, 0.0),
    row(16, 0.9, 0.25),
    row(128, 1.4, 0.625),
    {"name": "lost", "cell": "gru", "size": 64, "beta_h": None, "dead": 0.5, "file": None},
]


def folder(base: Path = SHIPPED) -> NetworkFolder:
    return NetworkFolder(Path("sweep"), base, ROWS)


@asynccontextmanager
async def shown(**options: Any) -> AsyncIterator[tuple[NetworkTable, Pilot[None], list[Path]]]:
    """The application with the networks that it opened."""
    opened: list[Path] = []

    def explore(app: App[None], network: Path) -> None:
        opened.append(network)

    app = NetworkTable(folder(), **{"explore": explore, "desktop": opened.append, **options})
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.pause()
        yield app, pilot, opened


def names(app: NetworkTable) -> list[str]:
    table = app.query_one(DataTable)
    return [str(table.get_row_at(k)[0]) for k in range(table.row_count)]


def note(app: NetworkTable) -> str:
    return str(app.query_one("#note", Static).render()).strip()


async def test_a_key_sorts_by_the_column_of_the_cursor_and_the_cursor_stays_on_its_row() -> None:
    async with shown() as (app, pilot, _):
        await pilot.press("right", "right", "down", "s")
        assert names(app) == ["lstm-8", "lstm-16", "lost", "lstm-128"]
        await pilot.press("s")
        assert names(app) == ["lstm-128", "lost", "lstm-16", "lstm-8"]
        table = app.query_one(DataTable)
        assert (table.cursor_row, table.cursor_column) == (2, 2)
        await pilot.press("s")
        assert names(app) == [str(row["name"]) for row in ROWS]


async def test_a_filter_is_applied_while_it_is_typed_and_a_wrong_one_is_explained() -> None:
    async with shown() as (app, pilot, _):
        await pilot.press("slash")
        app.query_one(Input).value = "size>=16 cell=lstm"
        await pilot.pause()
        assert names(app) == ["lstm-16", "lstm-128"]
        app.query_one(Input).value = "weight>1"
        await pilot.pause()
        assert names(app) == ["lstm-16", "lstm-128"]
        assert note(app).startswith("no column 'weight'")
        app.query_one(Input).value = ""
        await pilot.press("escape")
        assert len(names(app)) == 4
        assert note(app) == ""
        assert not app.query_one(Input).display


async def test_enter_and_a_key_open_the_network_of_the_row() -> None:
    async with shown() as (app, pilot, opened):
        await pilot.press("down", "enter", "d")
        assert opened == [SHIPPED / "lstm-16.safetensors"] * 2
        assert note(app) == "lstm-16.safetensors opens in a window of its own"
        await pilot.press("down", "down", "enter")
        assert len(opened) == 2
        assert note(app).startswith("the row 'lost' names no file")


async def test_where_no_window_can_open_one_sentence_says_so() -> None:
    def refuse(network: Path) -> None:
        raise SessionError("no display to open a window on")

    async with shown(desktop=refuse) as (app, pilot, _):
        await pilot.press("d")
        assert note(app) == "no display to open a window on"


async def test_what_is_shown_is_exported(tmp_path: Path) -> None:
    async with shown(exports=tmp_path) as (app, pilot, _):
        await pilot.press("right", "right", "s", "e")
        (path,) = tmp_path.iterdir()
        assert note(app) == f"saved {path}"
        assert [row["size"] for row in read_table(path)] == [8, 16, 64, 128]


async def test_a_selected_point_selects_its_row() -> None:
    async with shown() as (app, pilot, _):
        plot, table = app.query_one(ScatterPlot), app.query_one(DataTable)
        plot.focus()
        await pilot.press("left")  # β falls from 1.25 to 0.9
        assert table.cursor_row == 1
        await pilot.press("right", "right")
        assert table.cursor_row == 2
        assert plot.row == 2
        width, height = plot.size
        await pilot.click(ScatterPlot, offset=(width // 2, height // 2))
        assert table.cursor_row == 2  # there is no point
        place = place_of(app, 1, width, height)
        await pilot.click(ScatterPlot, offset=place)
        assert table.cursor_row == 1


def place_of(app: NetworkTable, row: int, width: int, height: int) -> tuple[int, int]:
    """Return the position of a row's point in the plot, its border included."""
    found = app.browser.scatter()
    (place,) = found.places[found.rows == row]
    return 1 + round((place[0] + 1) / 2 * (width - 1)), 2 + round((1 - place[1]) / 2 * (height - 3))


async def test_columns_are_chosen_as_axes_and_the_plot_can_be_hidden() -> None:
    async with shown() as (app, pilot, _):
        plot = app.query_one(ScatterPlot)
        await pilot.press("right", "right", "x")
        assert (plot.border_subtitle, plot.border_title) == ("size", "dead")
        await pilot.press("left", "y")
        assert note(app).startswith("cell has no numbers")
        await pilot.press("p")
        assert not plot.display


def test_picture(snap_compare: Any) -> None:
    assert snap_compare(NetworkTable(folder()), terminal_size=(120, 20), press=["down", "right", "right", "s"])


@pytest.mark.parametrize("size", [(60, 16), (30, 8)])
async def test_a_small_terminal_shows_the_table_alone(size: tuple[int, int]) -> None:
    app = NetworkTable(folder())
    async with app.run_test(size=size) as pilot:
        await pilot.press("p", "p")
        assert not app.query_one(ScatterPlot).display
