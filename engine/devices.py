"""Which device computes, and why: the rule of ``--device auto``.

The rule was measured on an H100 and 16 CPU cores (docs/performance.md): the GPU is faster for many reviews and for
fixed points. Live runs stay on the CPU, which was faster before the present GPU kernels; with these they have not been
timed on a card: ``pinkx bench --device all`` prints both rates.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

Result = TypeVar("Result")
Work = Literal["live", "reviews", "points"]

NAMES: Final = ("auto", "cpu", "cuda")
CAPABILITY: Final = (8, 0)  # of the oldest cards for which the kernels are compiled in the tests
TRITON: Final = (3, 6)  # the oldest version with which the kernels ran
UNTRIED: Final = (3, 9)  # tests of the kernels fail with this version

_REASONS: Final[dict[Work, str]] = {
    "live": "faster here before the present GPU kernels, with which live runs have not been timed",
    "reviews": "many reviews at once are faster on the GPU",
    "points": "a thousand starts at once are faster on the GPU",
}


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

    try:
        version = importlib.metadata.version("triton")
    except importlib.metadata.PackageNotFoundError:
        return "Triton, which compiles the GPU kernels, is not installed"
    if tuple(int(part) for part in version.split(".")[:2]) < TRITON:
        return f"Triton {version} is too old for the GPU kernels; expected {'.'.join(map(str, TRITON))} or newer"
    if tuple(int(part) for part in version.split(".")[:2]) >= UNTRIED:
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


def choose(name: str, work: Work) -> Choice:
    """Return the device for ``auto``, ``cpu`` or ``cuda``.

    Raises
    ------
    ValueError
        If CUDA is asked for and PyTorch cannot use it.
    """
    if name == "cpu":
        return Choice("cpu", "as asked for")
    problem = cuda_problem() if name == "cuda" or work == "points" else kernel_problem()
    if name == "cuda":
        if problem:
            raise ValueError(
                f"--device cuda: {problem}; use --device cpu, or install a CUDA build of PyTorch and its driver"
            )
        return Choice("cuda", "as asked for")
    if problem or work == "live":
        return Choice("cpu", problem or _REASONS[work])
    return Choice("cuda", _REASONS[work])


def own_stream(device: str) -> AbstractContextManager[object]:
    """Return a context in which this thread's launches on a GPU run beside those of other threads."""
    if device == "cpu":
        return nullcontext()
    import torch

    return torch.cuda.stream(torch.cuda.Stream(device))


def or_on_the_cpu(device: str, compute: Callable[[str], Result]) -> Result:
    """Return ``compute(device)``, or ``compute("cpu")`` with a warning where the GPU fails.

    A card fails if it disappears or runs out of memory, or if its driver does not fit PyTorch.
    """
    if device == "cpu":
        return compute(device)
    try:
        return compute(device)
    except (RuntimeError, TypeError) as error:
        reason = str(error).strip().split("\n")[0]
        warnings.warn(f"the GPU failed ({reason}); the CPU computes instead", RuntimeWarning, stacklevel=2)
        return compute("cpu")
