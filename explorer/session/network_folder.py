"""A folder of networks as a table, and how a row is opened in a front end of its own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from engine.catalogue import SHIPPED, NetworkError, describe, shipped_networks
from engine.files import atomic_write
from engine.sweeps.rows import HEADER, header_row, varying
from engine.sweeps.table import TableError, read_table, table_file
from engine.text import printable
from explorer.session.core import SessionError
from explorer.session.views.atlas import atlas_page
from explorer.session.views.network_table import FILE, NAME, Row, Value

NETWORKS: Final = "networks"  # the folder of a sweep's networks


@dataclass(frozen=True, eq=False)
class NetworkFolder:
    """Rows, one a network.

    Attributes
    ----------
    source : Path
        The folder or the file that was read.
    base : Path
        The folder to which the files of the rows are relative.
    rows : list of mapping
    notes : tuple of str
        What could not be read.
    """

    source: Path
    base: Path
    rows: list[Row]
    notes: tuple[str, ...] = ()

    def path_of(self, number: int) -> Path:
        """Return the file of a row's network.

        Raises
        ------
        SessionError
            If the row names none, or it does not exist.
        """
        row = self.rows[number]
        file, name = row.get(FILE), row.get(NAME)
        if not isinstance(file, str) or not file:
            raise SessionError(f"the row {name!r} names no file: its network is not in {self.source}")
        path = self.base / file
        if not path.is_file():
            raise SessionError(f"{path}: no such file; move the networks back, or measure them again")
        return path


def open_folder(source: Path) -> NetworkFolder:
    """Read the table of a folder; without one, the headers of its networks, also in ``networks/``.

    ``source`` may also be a table, or the numbers of `pinkx measure one-over-f` as JSON.

    Raises
    ------
    TableError
        If there is neither a table nor a network, or the table is damaged.
    OSError
        If the folder cannot be read.
    """
    if source.is_file() and source.suffix == ".json":
        return NetworkFolder(source, source.parent, _study_rows(source))
    if not source.exists():
        raise TableError(f"{source}: no such folder; give a folder of networks, such as one of a sweep")
    if (file := table_file(source)) is not None:
        rows: list[Row] = list(read_table(file))
        return NetworkFolder(source, file.parent, rows)
    files = sorted([*source.glob("*.safetensors"), *(source / NETWORKS).glob("*.safetensors")])
    found, notes = list[Row](), list[str]()
    for path in files:
        try:
            found.append({**header_row(describe(path)), FILE: os.path.relpath(path, source)})
        except NetworkError as error:
            notes.append(str(error))
    if not found:
        raise TableError(f"{source}: no table and no network; expected table.parquet, table.csv or .safetensors files")
    return NetworkFolder(source, source, list(varying(found, (*HEADER, FILE))), tuple(notes))


def _study_rows(path: Path) -> list[Row]:
    """Return the networks in the numbers of the 1/f study."""
    shipped = {(info.cell, info.size, info.seed, _accuracy(info.accuracy)): info.path for info in shipped_networks()}
    try:
        networks = json.loads(path.read_text(encoding="utf-8"))["networks"]
        return [_study_row(one, shipped, path.parent) for one in networks]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise TableError(
            f"{path}: expected the numbers of `pinkx measure one-over-f`, with a list of networks"
        ) from None


def _study_row(one: dict[str, Any], shipped: dict[Any, Path], base: Path) -> Row:
    row: dict[str, Value] = {NAME: printable(one["name"])[:200]}
    row |= {key: one[key] for key in ("cell", "size", "seed", "accuracy")}
    for signal, fit in one["beta"].items():
        half = 1.96 * fit["sd"] / fit["count"] ** 0.5
        row |= {f"beta_{signal}": fit["mean"]}
        if signal == "h":
            row |= {"beta_h_low": fit["mean"] - half, "beta_h_high": fit["mean"] + half}
    row["dead"] = one["dead"] / one["size"]
    file = shipped.get((one["cell"], one["size"], one["seed"], _accuracy(one["accuracy"])))
    row[FILE] = None if file is None else os.path.relpath(file, base)
    return row


def _accuracy(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def write_atlas(folder: NetworkFolder, order: Sequence[int], path: Path) -> None:
    """Write the atlas of some rows; see `explorer.session.views.atlas`.

    Raises
    ------
    OSError
        If it cannot be written.
    """

    def command(number: int) -> str | None:
        try:
            network = folder.path_of(number)
        except SessionError:
            return None
        own = network.resolve()
        shown = own.stem if own.parent == SHIPPED.resolve() else os.path.relpath(network, path.parent)
        return f"--network {shlex.quote(shown)}"

    page = atlas_page(
        f"Atlas of {folder.source.name}", folder.rows, order, [command(k) for k in range(len(folder.rows))]
    )
    with atomic_write(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


FrontEnd = Literal["tui", "gui"]


def command_line(front_end: FrontEnd, network: Path) -> list[str]:
    """Return the command that opens a network in a front end."""
    program = "from explorer.cli import main; main()"
    return [sys.executable, "-c", program, front_end, "--network", str(network)]


def has_display() -> bool:
    """Return whether a window can be opened, as far as the environment says."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def start_desktop(network: Path, command: Sequence[str] | None = None) -> subprocess.Popen[bytes]:
    """Open a network in the desktop window, as a process of its own that outlives this one.

    Raises
    ------
    SessionError
        If there is no display.
    """
    if not has_display():
        raise SessionError(
            "no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set): press Enter for the terminal"
        )
    null = subprocess.DEVNULL
    return subprocess.Popen(
        command or command_line("gui", network), stdin=null, stdout=null, stderr=null, start_new_session=True
    )
