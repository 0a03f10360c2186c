"""The table of a folder of networks: filter, order, formats, plot, and what is read from a folder."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from engine.catalogue import SHIPPED
from engine.sweeps.table import TableError, write_table
from explorer.session.core import SessionError
from explorer.session.network_browser import MAX_LISTED, NetworkBrowser
from explorer.session.network_folder import NetworkFolder, has_display, open_folder, start_desktop, write_atlas
from explorer.session.views.network_table import (
    Row,
    Sorting,
    axes_of,
    chosen_rows,
    scatter,
    text_lines,
    value_text,
)

ROWS: list[Row] = [
    {"name": "lstm-16, seed 1", "cell": "lstm", "size": 16, "beta_h": 1.25, "dead": 0.0, "note": None},
    {"name": "lstm-8, seed 1", "cell": "lstm", "size": 8, "beta_h": -0.5, "dead": 0.5, "note": "a film"},
    {"name": "gru-64", "cell": "gru", "size": 64, "beta_h": math.nan, "dead": 0.25, "note": "b"},
]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("", [0, 1, 2]),
        ("size>=16", [0, 2]),
        ("size>8 cell=LSTM", [0]),
        ("cell=gru,rnn", [2]),
        ("cell!=gru,rnn", [0, 1]),
        ("beta_h<1.2", [1]),
        ("beta_h<=−0.5", [1]),
        ("size=8,64", [1, 2]),
        ("note=", [0]),
        ("note!=b", [0, 1]),
        ('note="a film"', [1]),
        ("'seed 1' 16", [0]),
        ("FILM", [1]),
        ("nowhere", []),
    ],
)
def test_a_filter_keeps_the_rows_that_fulfil_every_term(where: str, found: list[int]) -> None:
    assert chosen_rows(ROWS, where) == found


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("beta<1", "no column 'beta'; the columns are name, cell, size"),
        ("size>=many", "expected a number, as in size>=1"),
        ('note="a', "open quotation mark"),
        ("size>=__import__('os')", "expected a number"),
    ],
)
def test_a_wrong_filter_says_what_was_expected(where: str, message: str) -> None:
    with pytest.raises(SessionError, match=message):
        chosen_rows(ROWS, where)


@pytest.mark.parametrize(
    ("column", "descending", "found"),
    [
        ("name", False, [2, 1, 0]),
        ("size", True, [2, 0, 1]),
        ("beta_h", False, [1, 0, 2]),
        ("beta_h", True, [0, 1, 2]),
        ("note", True, [2, 1, 0]),
    ],
)
def test_rows_are_ordered_with_missing_values_last(column: str, descending: bool, found: list[int]) -> None:
    assert chosen_rows(ROWS, sorting=Sorting(column, descending)) == found


def test_sorting_goes_from_ascending_to_descending_to_the_order_of_the_table() -> None:
    orders = [Sorting().by("size")]
    orders.append(orders[-1].by("size"))
    assert orders == [Sorting("size"), Sorting("size", True)]
    assert orders[-1].by("size") == Sorting()
    assert orders[-1].by("name") == Sorting("name")


def test_values_are_formatted() -> None:
    values = (None, math.nan, 1.0, -0.12345, 3e-7, 80000, -3, "a\x1b[2J b")
    assert [value_text(value) for value in values] == ["–", "–", "1.00", "−0.123", "3.00e−7", "80,000", "−3", "a[2J b"]


def test_lines_are_aligned() -> None:
    lines = text_lines([{"name": "a", "file": "f", "size": 8}, {"name": "bcd", "size": 128}], [1, 0])
    assert lines == ["NAME  SIZE  FILE", "bcd    128  –", "a        8  f"]


def test_points_lie_inside_the_plot_and_rows_without_numbers_have_none() -> None:
    found = scatter(ROWS, [2, 1, 0], *axes_of(ROWS))
    assert (found.x, found.y) == ("beta_h", "dead")
    assert found.rows.tolist() == [1, 0]
    assert (np.abs(found.places) < 1).all()
    assert found.places[0, 0] < found.places[1, 0]
    assert found.places[0, 1] > found.places[1, 1]
    nothing = scatter(ROWS, [], "beta_h", "dead")
    assert nothing.places.shape == (0, 2)
    assert list(nothing.x_range) == [0, 1]
    (alone,) = scatter(ROWS, [0], "beta_h", "dead").places
    assert alone.tolist() == pytest.approx([0, 0])


def test_a_folder_without_a_table_lists_the_headers(tmp_path: Path) -> None:
    for name in ("lstm-8", "gru-64"):
        (tmp_path / "networks").mkdir(exist_ok=True)
        (tmp_path / "networks" / f"{name}.safetensors").symlink_to(SHIPPED / f"{name}.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"x")
    folder = open_folder(tmp_path)
    assert [(row["name"], row["cell"], row["size"]) for row in folder.rows] == [
        ("gru-64", "gru", 64),
        ("lstm-8", "lstm", 8),
    ]
    assert folder.path_of(1) == tmp_path / "networks" / "lstm-8.safetensors"
    assert "broken.safetensors" in folder.notes[0]
    assert "batch" not in folder.rows[0]  # they share it


def test_a_table_is_preferred_and_its_files_are_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "lstm-8.safetensors").symlink_to(SHIPPED / "lstm-8.safetensors")
    rows: list[Row] = [
        {"name": "a", "file": "lstm-8.safetensors"},
        {"name": "b", "file": "gone"},
        {"name": "c", "file": None},
    ]
    path = write_table(tmp_path, rows)
    for source in (tmp_path, path):
        folder = open_folder(source)
        assert folder.rows == rows
        assert folder.path_of(0).is_file()
        with pytest.raises(SessionError, match="gone: no such file"):
            folder.path_of(1)
        with pytest.raises(SessionError, match="the row 'c' names no file"):
            folder.path_of(2)


def test_the_numbers_of_the_study_are_rows() -> None:
    folder = open_folder(SHIPPED.parent / "measured" / "one_over_f.json")
    assert len(folder.rows) >= 45
    assert {"beta_h", "beta_h_low", "dead", "accuracy"} <= folder.rows[0].keys()
    openable = [number for number, row in enumerate(folder.rows) if row["file"]]
    assert {folder.path_of(number).stem for number in openable} >= {"lstm-8", "lstm-128", "gru-64"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone", None, "no such folder"),
        ("empty", "", "no table and no network"),
        ("a.json", "[]", "expected the numbers"),
    ],
)
def test_what_has_no_networks_is_refused(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    if content:
        (tmp_path / name).write_text(content)
    elif content == "":
        (tmp_path / name).mkdir()
    with pytest.raises(TableError, match=message):
        open_folder(tmp_path / name)


def test_without_a_display_the_desktop_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SessionError, match="no display to open a window on"):
        start_desktop(Path("a.safetensors"))
    monkeypatch.setenv("DISPLAY", ":0")
    assert has_display()


def test_many_rows_are_listed_in_part_and_found_by_a_filter(tmp_path: Path) -> None:
    browser = NetworkBrowser(NetworkFolder(tmp_path, tmp_path, [{"name": f"n-{k}", "size": k} for k in range(80_000)]))
    assert len(browser.listed) == MAX_LISTED
    assert "the first 2,000 are listed" in browser.summary()
    browser.filter_by("size>=79999")
    assert browser.listed == [79_999]
    assert browser.summary() == "1 of 80,000 networks"
    with pytest.raises(SessionError):
        browser.filter_by("size>=x")
    assert browser.where == "size>=79999"
    assert browser.export(tmp_path).endswith("-networks-1.csv")
    assert (tmp_path / browser.export(tmp_path).removeprefix("saved ")).read_text() == "name,size\nn-79999,79999\n"


def test_the_atlas_has_a_point_and_a_command_for_every_network(tmp_path: Path) -> None:
    (tmp_path / "my nets").mkdir()
    (tmp_path / "my nets" / "a.safetensors").write_bytes(b"")
    shipped = os.path.relpath(SHIPPED / "lstm-8.safetensors", tmp_path)
    rows: list[Row] = [
        {"name": "<a>", "size": 8, "beta_h": 1.25, "dead": 0.0, "points": 3, "file": "my nets/a.safetensors"},
        {"name": "b", "size": 16, "beta_h": 0.5, "dead": 0.5, "points": 1, "file": None},
        {"name": "c", "size": 32, "beta_h": None, "dead": 0.5, "points": 1, "file": shipped},
    ]
    write_atlas(NetworkFolder(tmp_path, tmp_path, rows), [1, 0, 2], tmp_path / "atlas.html")
    page = (tmp_path / "atlas.html").read_text()
    assert page.count("<svg") == 2  # β against dead cells and against the number of points
    assert page.count("<circle") == 4
    assert "<title>&lt;a&gt;: β of h 1.25, share of dead cells 0</title>" in page
    assert "pinkx tui --network &#x27;my nets/a.safetensors&#x27;" in page
    assert "pinkx tui --network lstm-8<" in page
    assert "no file here" in page
    assert page.index('id="n1"') < page.index('id="n0"')
    assert 'href="#n0"' in page
    assert re.findall(r"https?://|src=|@import", page) == []
    ElementTree.fromstring("".join(re.findall("<svg.*?</svg>", page, re.DOTALL)[:1]))
