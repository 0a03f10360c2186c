"""Choice of the device that computes, with its reason: the rule of ``--device auto``.

Where ``pinkx bench`` has measured both devices of this machine, the faster one computes (`engine.device_speeds`).
Otherwise the rule is that of an H100 and 16 CPU cores (docs/performance.md): the GPU for many reviews and for fixed
points, the CPU for live runs and training, which have not been timed on a card with the present kernels.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from engine.device_speeds import stored_speeds

Result = TypeVar("Result")
Work = Literal["live", "reviews", "points", "runs", "training"]

NAMES: Final = ("auto", "cpu", "cuda")
CAPABILITY: Final = (8, 0)  # of the oldest cards for which the kernels are compiled in the tests
TRITON: Final = (3, 6)  # the oldest version with which the kernels ran
UNTRIED: Final = (3, 9)  # tests of the kernels fail with this version

_REASONS: Final[dict[Work, str]] = {
    "live": "faster here before the present GPU kernels, with which live runs have not been timed",
    "reviews": "many reviews at once are faster on the GPU",
    "points": "a thousand starts at once are faster on the GPU",
    "runs": "one run at a time has too little work for a GPU",
    "training": "training has not been timed on a GPU",
}
_ON_CPU: Final[tuple[Work, ...]] = ("live", "runs", "training")  # without a measurement
_NEEDS_KERNELS: Final[tuple[Work, ...]] = ("live", "reviews")
_DISTRIBUTIONS: Final = ("triton", "pytorch-triton")  # the second of PyTorch's nightly builds


@dataclass(frozen=True)
class Choice:
    """The device that computes, ``"cpu"`` or ``"cuda"``, and why."""

    device: str
    reason: str


def cuda_problem() -> str:
    """Return why PyTorch cannot compute on a GPU here, "" if it can."""
    import torch

    if torch.version.cuda is None:
        return f"PyTorch {torch.__version__} is a CPU build"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = torch.cuda.is_available()
    if found:
        return ""
    old = [str(warning.message) for warning in caught if "driver" in str(warning.message)]
    return old[0].split(". ")[0] if old else f"PyTorch {torch.__version__} finds no CUDA device"


def kernel_problem() -> str:
    """Return why the kernels of ``engine.kernels.cuda`` cannot run on the GPU, "" if they can.

    Without them, recordings on a GPU take plain PyTorch steps, which are slower than the CPU.
    """
    problem = cuda_problem()
    if problem:
        return problem
    import torch

    version = triton_version()
    if version is None:
        return "Triton, which compiles the GPU kernels, is not installed"
    known = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if known < TRITON:
        return f"Triton {version} is too old for the GPU kernels; expected {'.'.join(map(str, TRITON))} or newer"
    if known >= UNTRIED:
        return (
            f"Triton {version} is too new for the GPU kernels; expected a version before {'.'.join(map(str, UNTRIED))}"
        )
    if not (os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")):
        return "Triton finds no C compiler for its launchers; install gcc or clang, or name one in CC"
    capability = torch.cuda.get_device_capability()
    if capability < CAPABILITY:
        has, wants = (".".join(map(str, pair)) for pair in (capability, CAPABILITY))
        return f"{torch.cuda.get_device_name()} has compute capability {has}; the GPU kernels need {wants}"
    return ""


def triton_version() -> str | None:
    """Return the version of Triton, None without it."""
    for name in _DISTRIBUTIONS:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return None


def choose(name: str, work: Work) -> Choice:
    """Return the device for ``auto``, ``cpu`` or ``cuda``.

    Raises
    ------
    ValueError
        If CUDA is asked for and PyTorch cannot use it.
    """
    if name == "cpu":
        return Choice("cpu", "as asked for")
    problem = kernel_problem() if name != "cuda" and work in _NEEDS_KERNELS else cuda_problem()
    if name == "cuda":
        if problem:
            raise ValueError(
                f"--device cuda: {problem}; use --device cpu, or install a CUDA build of PyTorch and its driver"
            )
        return Choice("cuda", "as asked for")
    if problem:
        return Choice("cpu", problem)
    measured = stored_speeds()
    if measured is not None and (speeds := measured.of(work)) is not None:
        reason = f"{speeds}, measured by pinkx bench on {measured.date}"
        return Choice("cuda" if speeds.gpu_is_faster else "cpu", reason)
    return Choice("cpu" if work in _ON_CPU else "cuda", _REASONS[work])


_idle: list[Any] = []  # streams: each has a pool of memory of its own, so that new ones would leave theirs unused
_lock = threading.Lock()


@contextmanager
def own_stream(device: str) -> Iterator[None]:
    """Run this thread's launches on a GPU concurrently with those of other threads.

    What was launched before on the current stream ends first, and what is launched on it afterwards waits.
    """
    if device == "cpu":
        yield
        return
    import torch

    with _lock:
        stream = _idle.pop() if _idle else torch.cuda.Stream(device)
    current = torch.cuda.current_stream(device)
    stream.wait_stream(current)
    with torch.cuda.stream(stream):
        yield
    current.wait_stream(stream)
    with _lock:
        _idle.append(stream)


def failure(error: Exception) -> str:
    """Return why a GPU failed, in one line."""
    lines = [line for line in str(error).strip().split("\n") if line.strip()]
    place = bool(lines) and re.fullmatch(r"at \d+:\d+:?", lines[0].strip())  # Triton quotes the source after it
    return f"{type(error).__name__}: {lines[-1].strip()}" if place else lines[0] if lines else repr(error)


def or_on_the_cpu(device: str, compute: Callable[[str], Result], notify: Callable[[str], None] | None = None) -> Result:
    """Return ``compute(device)``, or ``compute("cpu")`` where the GPU fails; ``notify`` gets the reason, by default
    a warning.

    A card fails if it disappears, is too small or runs out of memory, or if its driver or the compiler of the kernels
    does not work: each library raises errors of its own. A ValueError is that of the input, on either device.
    """
    if device == "cpu":
        return compute(device)
    try:
        return compute(device)
    except ValueError:
        raise
    except Exception as error:
        text = f"the GPU failed ({failure(error)}); the CPU computes instead"
    if notify is None:
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    else:
        notify(text)
    return compute("cpu")
