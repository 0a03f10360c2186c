"""Download the official IMDb archive."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.imdb import FILE_NAME
from engine.text import Progress, ReviewError

URL: Final = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
MD5: Final = "7c2ac02c03563afcf9b574c7e56c153a"
PATIENCE: Final = 30.0
"""Seconds without data after which a download fails."""


class _Bar:
    """pooch's progress bar interface on top of a `Progress` function."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.total = 0  # pooch sets it when the server has sent the size
        self.done = 0

    def update(self, step: int) -> None:
        self.done += step
        self.progress(min(self.done, self.total) if self.total else self.done, self.total)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        """Do nothing: the caller owns its progress bar."""


def is_fetched(path: Path, md5: str = MD5) -> bool:
    """Return whether ``path`` is the complete archive."""
    import pooch

    return path.is_file() and pooch.file_hash(str(path), "md5") == md5


def fetch(
    folder: Path, url: str = URL, md5: str = MD5, progress: Progress | None = None, patience: float = PATIENCE
) -> Path:
    """Download the archive into a folder, unless it is there, and return its path.

    The file has a temporary name until its MD5 is verified; a failed or interrupted download leaves nothing behind.

    Raises
    ------
    ReviewError
        If there is no connection, the server refuses, stops or sends nothing for ``patience`` seconds, the MD5 differs,
        or the folder is not writable.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")  # the caller reports progress and errors
    downloader = pooch.HTTPDownloader(
        progressbar=_Bar(progress) if progress else False, chunk_size=1 << 16, timeout=patience
    )
    try:
        path = pooch.retrieve(url, f"md5:{md5}", fname=FILE_NAME, path=folder, downloader=downloader)
    except requests.RequestException as error:
        raise ReviewError(
            f"cannot download {url}: {_reason(error, patience)}; try again, or download it in a browser and "
            "name the file with --imdb PATH or PINKX_IMDB"
        ) from error
    except ValueError as error:
        raise ReviewError(
            f"{url} sent a file that is not the official archive (its MD5 is not {md5}) and was deleted; try again"
        ) from error
    except OSError as error:
        raise ReviewError(f"cannot save the archive in {str(folder)!r}: {error.strerror or error}") from error
    return Path(path)


def _reason(error: Exception, patience: float) -> str:
    """Return a short reason for a failed download; the messages of requests are long and name its classes."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout) or "timed out" in str(
        error
    ):  # a timeout during the transfer is another class
        return f"no answer within {patience:g} seconds"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke during the transfer"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return str(error)
