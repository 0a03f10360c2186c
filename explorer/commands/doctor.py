"""``pinkx doctor``: what works on this machine, and how to fix what does not."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import click

from engine.devices import Work
from explorer.gui.libraries import QT_LIBRARIES, QT_X11_LIBRARIES, missing_packages

SMALLEST, ROOMY = (60, 16), (100, 30)  # columns × rows: the least, and enough for all panels

State = Literal["good", "absent", "broken"]
MARKS: dict[State, str] = {"good": "✓", "absent": "–", "broken": "✗"}
ASCII_MARKS: dict[State, str] = {"good": "ok", "absent": "--", "broken": "!!"}


WORK: dict[Work, str] = {"live": "live run", "reviews": "corpus", "points": "fixed points"}


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
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Check what works on this machine, and how to fix what does not.

    The exit status is 1 if something that pinkx needs is broken (✗). What is optional (–) does not count.
    """
    findings = [*device(), *versions(), *data(), *terminal(), *qt()]
    sound = all(finding.state != "broken" for finding in findings)
    if as_json:
        click.echo(json.dumps({"sound": sound, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        draw(findings)
    ctx.exit(0 if sound else 1)


def draw(findings: list[Finding]) -> None:
    """Print the findings under a heading for each group."""
    unicode = "utf" in (sys.stdout.encoding or "").lower()
    group = ""
    for finding in findings:
        if finding.group != group:
            group = finding.group
            click.secho(group, bold=True)
        mark = (MARKS if unicode else ASCII_MARKS)[finding.state]
        click.echo(f"  {mark} {finding.name:<20} {finding.value}" + (f"  → {finding.advice}" if finding.advice else ""))


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
