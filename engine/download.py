"""The official IMDb archive, fetched once and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.imdb import FILE_NAME
from engine.text import Progress, ReviewError

URL: Final = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
MD5: Final = "7c2ac02c03563afcf9b574c7e56c153a"
PATIENCE: Final = 30.0
"""Seconds without an answer after which a download is given up."""


class _Bar:
    """What pooch asks of a progress bar, told to a `Progress` function."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.total = 0  # pooch sets it once the server has told the size
        self.done = 0

    def update(self, step: int) -> None:
        self.done += step
        self.progress(min(self.done, self.total) if self.total else self.done, self.total)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        """Nothing to close: the caller owns what it draws."""


def is_fetched(path: Path, md5: str = MD5) -> bool:
    """Whether the whole archive lies at ``path``."""
    import pooch

    return path.is_file() and pooch.file_hash(str(path), "md5") == md5


def fetch(
    folder: Path, url: str = URL, md5: str = MD5, progress: Progress | None = None, patience: float = PATIENCE
) -> Path:
    """Download the archive into a folder, unless it is there, and return its path.

    It arrives under another name and gets its own once its MD5 agrees; a download that fails or is interrupted leaves
    nothing behind, and the next one starts afresh.

    Raises
    ------
    ReviewError
        No connection, a server that refuses, stops or is silent for ``patience`` seconds, a file with another MD5, or a
        folder that cannot be written to.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")  # the caller shows what goes on
    downloader = pooch.HTTPDownloader(
        progressbar=_Bar(progress) if progress else False, chunk_size=1 << 16, timeout=patience
    )
    try:
        path = pooch.retrieve(url, f"md5:{md5}", fname=FILE_NAME, path=folder, downloader=downloader)
    except requests.RequestException as error:
        raise ReviewError(
            f"cannot download {url}: {_reason(error, patience)}; try again, or download it by other means and "
            "name the file with --imdb PATH or PINKX_IMDB"
        ) from error
    except ValueError as error:
        raise ReviewError(
            f"what {url} sent is not the official archive (its MD5 is not {md5}); nothing was kept; try again"
        ) from error
    except OSError as error:
        raise ReviewError(f"cannot save the archive in {str(folder)!r}: {error.strerror or error}") from error
    return Path(path)


def _reason(error: Exception, patience: float) -> str:
    """A download's failure in a few words: what requests says is long and names its own classes."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):  # midway it is no Timeout but names one
        return f"no answer within {patience:g} seconds"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke midway"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return str(error)
