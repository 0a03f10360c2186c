"""`pinkx reviews`: JSON, plain lines in a pipe, a table in a terminal, and the download."""

import hashlib
import json
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from engine.imdb import FILE_NAME
from explorer.cli import pinkx
from tests.engine.small_archive import OFFICIAL, pack
from tests.local_server import serve

HOSTILE = "\x1b[2Jgood\x07\u202e [red]film[/red]<br />\u200b" + "映画" * 50


def run(*arguments: object, **settings: str) -> Result:
    return CliRunner(env={"PINKX_IMDB": None, **settings}).invoke(pinkx, ["reviews", *map(str, arguments)])


def test_without_a_source_the_bundled_reviews_are_listed() -> None:
    listed = json.loads(run("--json").stdout)
    assert len(listed) >= 12
    assert listed == json.loads(run("list", "--json").stdout)
    assert [review["review"] for review in listed] == list(range(1, len(listed) + 1))
    assert {review["label"] for review in listed} == {"pos", "neg"}
    assert all(review["words"] > 500 and review["name"] and review["beginning"] for review in listed)


def test_a_pipe_gets_a_plain_line_for_each_review(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("good film")
    (tmp_path / "2_\x1b[2J.txt").write_text(HOSTILE)
    first, second = run(tmp_path).stdout.splitlines()
    assert first.split("\t") == ["1", "1", "", "2", "good film"]
    index, name, label, words, beginning = second.split("\t")
    assert (index, name, label, words) == ("2", "2_[2J", "", "3")
    assert beginning == "[2Jgood [red]film[/red] " + "映画" * 8 + "映 …"
    assert cell_len(beginning) <= 60


def test_a_terminal_gets_a_table_of_its_width(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number}.txt").write_text(HOSTILE)
    reader, writer = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from explorer.cli import main; main()", "reviews", str(tmp_path)],
        stdout=writer,
        env=os.environ | {"COLUMNS": "70", "NO_COLOR": "1", "TERM": "xterm"},
    )
    os.close(writer)
    shown = b""
    with open(reader, "rb", buffering=0) as terminal, suppress(OSError):  # EIO: the other end is closed
        while chunk := terminal.read(1 << 12):
            shown += chunk
    assert process.wait() == 0
    head, *rows, rest = shown.decode().splitlines()
    assert re.sub(r"\x1b\[\d+m", "", head).split() == ["review", "label", "words", "beginning"]
    assert len(rows) == 50
    assert rest == "… and 10 more; use --limit 60 to list all"
    assert all(row.replace("…", "").isprintable() and "[red]film[/red]" in row for row in rows)
    assert {cell_len(row) for row in rows} == {70}


def test_the_archive_is_named_by_option_or_environment(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar.gz", OFFICIAL)
    named = run("--imdb", path, "--limit", 2)
    assert [line.split("\t")[1:3] for line in named.stdout.splitlines()] == [
        ["test/neg/2_1", "neg"],
        ["test/pos/9_10", "pos"],
    ]
    assert run("imdb", "--limit", 2, PINKX_IMDB=str(path)).stdout == named.stdout
    assert json.loads(run("imdb:unsup", "--imdb", path, "--json").stdout)[0] == {
        "review": 1,
        "name": "train/unsup/0_0",
        "label": None,
        "words": 2,
        "beginning": "who cares",
    }


@pytest.mark.parametrize("source", ["nowhere.txt", "imdb"])
def test_a_source_that_is_missing_is_an_error(source: str, tmp_path: Path) -> None:
    result = run(source, XDG_CACHE_HOME=str(tmp_path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")


def test_the_archive_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = pack(tmp_path / "page.tar.gz", OFFICIAL)
    monkeypatch.setattr("explorer.commands.reviews.MD5", hashlib.md5(page.read_bytes()).hexdigest())
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_PROXY": "*"}
    with serve(partial(SimpleHTTPRequestHandler, directory=str(tmp_path))) as address:
        first = run("fetch", "--url", f"{address}/{page.name}", **cache)
    path = tmp_path / "cache" / "pinkx" / FILE_NAME
    assert first.stdout == f"downloaded {path}\n"
    assert path.read_bytes() == page.read_bytes()
    assert run("fetch", **cache).stdout == f"{path} exists already\n"
    assert len(run("imdb", **cache).stdout.splitlines()) == 3
    assert run("fetch", "--to", path.parent).stdout == f"{path} exists already\n"


def test_a_file_that_is_not_the_archive_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = pack(tmp_path / "page.tar.gz", OFFICIAL)
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    with serve(partial(SimpleHTTPRequestHandler, directory=str(tmp_path))) as address:
        result = run("fetch", "--to", tmp_path / "to", "--url", f"{address}/{page.name}", NO_PROXY="*")
    assert result.exit_code == 1
    assert "error: http://127.0.0.1" in result.stderr
    assert not list((tmp_path / "to").iterdir())
