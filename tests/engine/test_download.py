"""Download of the archive from a local server that works, fails or stops."""

import hashlib
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from engine.download import fetch, is_fetched
from engine.imdb import FILE_NAME
from engine.text import ReviewError
from tests.local_server import serve

CONTENT = bytes(range(256)) * 1024
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves the content as the path says: /whole, /half of it, /silent for ever, or not at all."""

    requests: list[str] = []

    def do_GET(self) -> None:
        self.requests.append(self.path)
        if self.path not in ("/whole", "/half", "/silent"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/whole" else CONTENT[: len(CONTENT) // 2])
        if self.path == "/silent":
            time.sleep(1)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(Handler, "requests", [])
    with serve(Handler) as address:
        yield address


def test_the_archive_arrives_once(server: str, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    path = fetch(tmp_path / "new" / "folder", f"{server}/whole", MD5, progress=lambda *step: steps.append(step))
    assert path == tmp_path / "new" / "folder" / FILE_NAME
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == [FILE_NAME]
    assert steps[0] == (1 << 16, len(CONTENT))
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert is_fetched(path, MD5)
    assert fetch(path.parent, f"{server}/whole", MD5) == path
    assert Handler.requests == ["/whole"]


def test_a_damaged_archive_is_downloaded_again(server: str, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(CONTENT[:1000])
    assert not is_fetched(tmp_path / FILE_NAME, MD5)
    assert fetch(tmp_path, f"{server}/whole", MD5).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("half", "/half: the connection broke during the transfer; try again, or .* --imdb PATH or PINKX_IMDB"),
        ("silent", "/silent: no answer within 0.2 seconds"),
        ("missing", "/missing: the server answered 404 Not Found"),
    ],
)
def test_a_download_that_fails_leaves_nothing(server: str, tmp_path: Path, page: str, message: str) -> None:
    with pytest.raises(ReviewError, match=message):
        fetch(tmp_path, f"{server}/{page}", MD5, patience=0.2)
    assert not list(tmp_path.iterdir())


def test_a_file_with_another_checksum_is_deleted(server: str, tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"sent a file that is not the official archive .* and was deleted"):
        fetch(tmp_path, f"{server}/whole")
    assert not list(tmp_path.iterdir())


def test_an_interrupted_download_leaves_nothing(server: str, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, f"{server}/whole", MD5, progress=interrupt)
    assert not list(tmp_path.iterdir())


def test_a_missing_server_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with serve(Handler) as address:
        url = f"{address}/whole"
    with pytest.raises(ReviewError, match="/whole: no connection to the server"):
        fetch(tmp_path, url, MD5)


def test_an_invalid_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match="cannot download nonsense: "):
        fetch(tmp_path, "nonsense", MD5)


def test_a_folder_that_is_a_file_is_refused(server: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ReviewError, match=r"cannot save the archive in '.*taken': "):
        fetch(tmp_path / "taken", f"{server}/whole", MD5)
