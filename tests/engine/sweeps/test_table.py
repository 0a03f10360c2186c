"""`engine.sweeps.table`: what is written is read back, as Parquet and as CSV."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.sweeps import table
from engine.sweeps.table import TableError, Value, read_table, write_table

ROWS: list[dict[str, Value]] = [
    {"name": "a, \"b\"\n'c'", "size": 8, "beta_h": 1, "note": "007", "loss": math.inf},
    {"name": "", "size": None, "beta_h": 0.1, "note": "nan", "dead": 0.25},
    {"name": " ß ", "size": -3, "beta_h": 1e-300, "note": None, "loss": None},
]


@pytest.fixture(params=["Parquet", "CSV"])
def file_format(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "Parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    else:
        monkeypatch.setattr(table, "find_spec", lambda _: None)
    return str(request.param)


def test_a_table_is_read_back(tmp_path: Path, file_format: str) -> None:
    path = write_table(tmp_path, ROWS)
    assert path.suffix == f".{file_format.lower()}"
    expected: list[dict[str, Value]] = [
        {"name": "a, \"b\"\n'c'", "size": 8, "beta_h": 1.0, "note": "007", "loss": math.inf, "dead": None},
        {"name": "", "size": None, "beta_h": 0.1, "note": "nan", "loss": None, "dead": 0.25},
        {"name": " ß ", "size": -3, "beta_h": 1e-300, "note": None, "loss": None, "dead": None},
    ]
    for found in (read_table(tmp_path), read_table(path)):
        assert found == expected
        assert [[type(value) for value in row.values()] for row in found] == [
            [type(value) for value in row.values()] for row in expected
        ]
    assert list(found[0]) == ["name", "size", "beta_h", "note", "loss", "dead"]


def test_pandas_reads_a_table(tmp_path: Path, file_format: str) -> None:
    pandas = pytest.importorskip("pandas", reason="an independent reader of tables")
    path = write_table(tmp_path, ROWS)
    frame = pandas.read_parquet(path) if file_format == "Parquet" else pandas.read_csv(path)
    assert list(frame.columns) == ["name", "size", "beta_h", "note", "loss", "dead"]
    assert frame["beta_h"].tolist() == [1.0, 0.1, 1e-300]
    assert frame["name"][0] == ROWS[0]["name"]


def test_values_of_numpy_and_mixed_columns_get_one_type(tmp_path: Path, file_format: str) -> None:
    rows: list[dict[str, Any]] = [{"a": np.float32(0.5), "b": 1, "c": True}, {"a": np.int64(2), "b": "x", "c": 0}]
    write_table(tmp_path, rows)
    assert read_table(tmp_path) == [{"a": 0.5, "b": "1", "c": 1}, {"a": 2.0, "b": "x", "c": 0}]


def test_a_table_replaces_that_of_the_other_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    assert write_table(tmp_path, [{"a": 1}]).name == table.PARQUET
    monkeypatch.setattr(table, "find_spec", lambda _: None)
    write_table(tmp_path, [{"a": 2}])
    assert [file.name for file in tmp_path.iterdir()] == [table.CSV]
    assert read_table(tmp_path) == [{"a": 2}]


@pytest.mark.parametrize("rows", [[], [{"a": [1]}], [{"a": b"x"}]])
def test_what_cannot_be_written_leaves_no_file(tmp_path: Path, rows: list[dict[str, Value]], file_format: str) -> None:
    with pytest.raises(TableError, match="at least one row|expected texts and numbers"):
        write_table(tmp_path, rows)
    assert not list(tmp_path.iterdir())


def test_a_table_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes('\ufeffname,"size"\r\n"lstm-8",8\r\n\'x\',\r\n'.encode())
    assert read_table(path) == [{"name": "lstm-8", "size": 8}, {"name": "'x'", "size": None}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1\n", "row 2 has another number of cells \\(1\\) than the first row \\(2\\)"),
        (b"a,a\n1,2\n", "two columns have the same name"),
        (b'a\n1"2\n', "a quotation mark is misplaced"),
        (b"a\n\xff\n", "is no CSV table"),
        (b"PAR1 and more", "damaged Parquet|needs pyarrow"),
        (b"a,b\n", "a table without rows"),
        (b"", "a table without rows"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / table.CSV).write_bytes(content)
    with pytest.raises(TableError, match=message):
        read_table(tmp_path)


def test_a_parquet_file_with_another_start_is_damaged(tmp_path: Path) -> None:
    (tmp_path / table.PARQUET).write_bytes(b"a,b\n1,2\n")
    with pytest.raises(TableError, match="damaged Parquet|needs pyarrow"):
        read_table(tmp_path)


def test_a_folder_without_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no table; expected table.parquet or table.csv"):
        read_table(tmp_path)
