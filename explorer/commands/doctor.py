"""``pinkx doctor``: what works on this machine, and how to fix what does not."""

from __future__ import annotations

import getpass
import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Final, Literal

import click

from engine.devices import Work
from engine.files import atomic_write, user_folder
from engine.text import printable
from explorer.gui.libraries import QT_LIBRARIES, QT_X11_LIBRARIES, missing_packages
from explorer.session.keymap import load_keys

SMALLEST, ROOMY = (60, 16), (100, 30)  # columns × rows: the least, and enough for all panels

State = Literal["good", "absent", "broken"]
MARKS: dict[State, str] = {"good": "✓", "absent": "–", "broken": "✗"}
ASCII_MARKS: dict[State, str] = {"good": "ok", "absent": "--", "broken": "!!"}


_VARIABLES: Final = (
    *("PINKX", "TERM", "COLORTERM", "NO_COLOR", "COLUMNS", "LINES", "LANG", "LC_", "TEXTUAL", "TMUX", "SSH_TTY", "STY"),
    *("QT_", "PYQTGRAPH", "DISPLAY", "WAYLAND_DISPLAY", "XDG_", "PYTHON", "OMP_", "MKL_", "OPENBLAS_", "NUMBA_"),
    *("CUDA_VISIBLE", "MALLOC_", "TMPDIR", "VIRTUAL_ENV"),
)  # beginnings of names

WORK: dict[Work, str] = {
    "live": "live run",
    "reviews": "corpus",
    "points": "fixed points",
    "runs": "Lyapunov exponents",
    "training": "training",
}


@dataclass(frozen=True)
class Finding:
    """One line of the report: pinkx can do without what is absent, but not without what is broken."""

    group: str
    name: str
    value: str
    state: State = "good"
    advice: str = ""


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write everything to a file that you can attach to a bug report; it has no personal paths or names.",
)
@click.pass_context
def command(ctx: click.Context, as_json: bool, report: Path | None) -> None:
    """Check what works on this machine, and how to fix what does not.

    The exit status is 1 if something that pinkx needs is broken (✗). What is optional (–) does not count.
    """
    findings = [*system(), *device(), *versions(), *data(), *folders(), *terminal(), *qt()]
    sound = all(finding.state != "broken" for finding in findings)
    if as_json:
        click.echo(json.dumps({"sound": sound, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        unicode = "utf" in (sys.stdout.encoding or "").lower()
        click.echo(as_text(findings, MARKS if unicode else ASCII_MARKS, lambda group: click.style(group, bold=True)))
    if report is not None:
        with atomic_write(report) as temporary:
            temporary.write_text(anonymous(as_text([*findings, *variables()], MARKS)) + "\n", encoding="utf-8")
        click.echo(f"{report}: written; attach it to a bug report", err=as_json)
    ctx.exit(0 if sound else 1)


def as_text(
    findings: Sequence[Finding], marks: Mapping[State, str], heading: Callable[[str], str] = lambda group: group
) -> str:
    """Return the findings under a heading for each group."""
    lines = []
    for group, members in groupby(findings, key=lambda finding: finding.group):
        lines.append(heading(group))
        for one in members:
            advice = f"  → {one.advice}" if one.advice else ""
            lines.append(f"  {marks[one.state]} {one.name:<20} {one.value}{advice}")
    return "\n".join(lines)


def anonymous(text: str) -> str:
    """Return a text without the path of the user's home folder and without the user's name."""
    home = os.path.expanduser("~")
    for path in {home, os.path.realpath(home)} - {"~", "/"}:
        text = text.replace(path, "~")
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a user without an entry
        return text
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "USER", text)


def system() -> Iterator[Finding]:
    """Return what the system and the installation are, and check that no other package hides a part of pinkx."""
    yield Finding("system", "system", platform.platform())
    yield Finding("system", "interpreter", f"{sys.executable}, {platform.python_implementation()}")
    yield Finding("system", "installation", f"{Path(__file__).parents[2]}")
    owners = importlib.metadata.packages_distributions()
    for name in ("assets", "engine", "explorer"):
        others = sorted(set(owners.get(name, ())) - {"pinkx"})
        if others:
            advice = f"install pinkx in an environment of its own: {', '.join(others)} has a package of the same name"
            yield Finding("system", f"package {name}", "of several distributions", "broken", advice)


def folders() -> Iterator[Finding]:
    """Check the user's folders and files: which can be written, and what the saved state and the keys say."""
    for kind in ("cache", "config", "state"):
        folder = user_folder(kind)
        there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
        if there.is_dir() and os.access(there, os.W_OK):
            free = f", {shutil.disk_usage(there).free / 2**30:.1f} GiB free" if kind == "cache" else ""
            yield Finding("folders", kind, f"{folder}{free}")
        else:
            lost = {"cache": "results are computed anew at each start", "state": "your choices are not saved"}
            yield Finding("folders", kind, f"{folder} cannot be written", "absent", lost.get(kind, ""))
    try:
        count = len(load_keys())
        yield Finding("folders", "keys", f"{count} actions with keys of your own" if count else "the default keys")
    except ValueError as error:
        yield Finding("folders", "keys", str(error), "absent", "correct or delete the file")


def variables() -> Iterator[Finding]:
    """Return the environment variables that change what pinkx does."""
    for name, value in sorted(os.environ.items()):
        if name.startswith(_VARIABLES):
            yield Finding("environment", name, printable(value)[:200])


def device() -> Iterator[Finding]:
    """Check the CPU, PyTorch and CUDA."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("device", "CPU", f"{count} cores, {platform.machine()}")
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding("device", "torch", str(error), "broken", "install another build: make tui TORCH=…")
        return
    from engine.devices import choose, cuda_problem, kernel_problem
    from engine.large_arrays import free_memory

    free = free_memory()
    yield Finding("device", "free memory", "unknown" if free is None else f"{free / 2**30:.1f} GiB")

    problem = cuda_problem()
    if problem:
        yield Finding("device", "CUDA", problem, "absent")
    else:
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            yield Finding("device", f"cuda:{index}", f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB")
        without = kernel_problem()
        yield Finding("device", "GPU kernels", without or "ready", "absent" if without else "good")
    for work, name in WORK.items():
        choice = choose("auto", work)
        yield Finding("device", f"auto, {name}", f"{choice.device}: {choice.reason}")


def versions() -> Iterator[Finding]:
    """Compare every required library with the supported range of versions."""
    from packaging.requirements import Requirement

    yield Finding("versions", "python", platform.python_version())
    yield Finding("versions", "pinkx", importlib.metadata.version("pinkx"))
    for line in importlib.metadata.requires("pinkx") or ():
        wanted = Requirement(line)
        optional = wanted.marker is not None and wanted.marker.evaluate({"extra": "gui"})
        if wanted.marker is not None and not optional:
            continue  # a development dependency, or one of another system
        try:
            found = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            found = ""
        if found and wanted.specifier.contains(found, prereleases=True):
            yield Finding("versions", wanted.name, found)
        else:
            what = f"{found} is not supported" if found else "not installed"
            advice = f"pip install '{wanted.name}{wanted.specifier}'" + (" (desktop only)" if optional else "")
            yield Finding("versions", wanted.name, what, "absent" if optional else "broken", advice)


def data() -> Iterator[Finding]:
    """Check the shipped networks and reviews, and look for the IMDb archive."""
    from engine.catalogue import shipped_networks
    from engine.imdb import find_archive
    from engine.reviews import open_reviews

    again = "reinstall pinkx: its own files are missing or damaged"
    try:
        networks = shipped_networks()
        state: State = "good" if networks else "broken"
        yield Finding("data", "networks", f"{len(networks)} shipped", state, "" if networks else again)
    except (ValueError, OSError) as error:
        yield Finding("data", "networks", str(error), "broken", again)
    try:
        yield Finding("data", "reviews", f"{len(open_reviews())} shipped")
    except (ValueError, OSError) as error:
        yield Finding("data", "reviews", str(error), "broken", again)
    try:
        yield Finding("data", "IMDb archive", str(find_archive()))
    except (ValueError, OSError) as error:
        yield Finding("data", "IMDb archive", "none", "absent", str(error))


def terminal() -> Iterator[Finding]:
    """Check the size, colours and encoding of the terminal."""
    from rich.console import Console

    if not sys.stdout.isatty():
        advice = "run `pinkx tui` in a terminal"
        yield Finding("terminal", "standard output", "is not a terminal", "absent", advice)
        return
    console = Console()
    columns, rows = console.size
    if columns < SMALLEST[0] or rows < SMALLEST[1]:
        advice = f"`pinkx tui` needs at least {SMALLEST[0]}×{SMALLEST[1]}"
        yield Finding("terminal", "size", f"{columns}×{rows}", "absent", advice)
    else:
        roomy = columns >= ROOMY[0] and rows >= ROOMY[1]
        advice = "" if roomy else f"{ROOMY[0]}×{ROOMY[1]} shows all panels at once"
        yield Finding("terminal", "size", f"{columns}×{rows}", advice=advice)
    depth = {"truecolor": "16 million", "256": "256", "standard": "16", "windows": "16"}.get(console.color_system or "")
    settings = ", ".join(
        f"{name}={os.environ[name]}" for name in ("TERM", "COLORTERM", "NO_COLOR") if name in os.environ
    )
    if console.no_color:
        yield Finding("terminal", "colours", f"none ({settings})", "absent", "unset NO_COLOR for colours")
    elif depth == "16 million":
        yield Finding("terminal", "colours", f"{depth} ({settings})")
    else:
        advice = "if the terminal supports more, set COLORTERM=truecolor"
        yield Finding("terminal", "colours", f"{depth or 'none'} ({settings})", "good" if depth else "absent", advice)
    if "utf" in (sys.stdout.encoding or "").lower():
        yield Finding("terminal", "encoding", sys.stdout.encoding)
    else:
        yield Finding(
            "terminal", "encoding", sys.stdout.encoding, "absent", "set LANG to a UTF-8 locale, such as C.UTF-8"
        )


def qt() -> Iterator[Finding]:
    """Look for the system libraries that Qt needs, without loading Qt."""
    if sys.platform != "linux":
        return  # elsewhere Qt ships with its libraries
    for name, libraries in (("without a display", QT_LIBRARIES), ("on X11", QT_LIBRARIES | QT_X11_LIBRARIES)):
        missing = missing_packages(libraries)
        if missing:
            advice = f"apt install {' '.join(missing)} (desktop only)"
            yield Finding("Qt libraries", name, f"{len(missing)} missing", "absent", advice)
        else:
            yield Finding("Qt libraries", name, f"all {len(libraries)} found")
