"""Files with the state of an interrupted training: written whole, with a digest, and named when they are damaged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.files import atomic_write
from engine.text import printable

Layout = dict[str, tuple[torch.Size, torch.dtype]]


class CheckpointError(ValueError):
    """A checkpoint is damaged, or of another recipe."""


def write_checkpoint(path: Path, header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> None:
    """Write ``tensors`` and a header with the entries ``recipe``, ``epoch`` and ``best``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {key: value.detach().cpu().clone() for key, value in tensors.items()}
    with atomic_write(path) as temporary:
        save_file(content, temporary, {**header, "digest": _digest(header, content)})


@contextmanager
def opened_checkpoint(path: Path, device: str) -> Iterator[tuple[dict[str, str], dict[str, Tensor]]]:
    """Yield header and tensors of a checkpoint.

    Raises
    ------
    CheckpointError
        If it cannot be read, its digest differs, or the block finds it unfit by a KeyError, TypeError or ValueError.
    RuntimeError
        If a GPU fails: the checkpoint is sound then.
    """
    with _damage(path, SafetensorError, OSError, RuntimeError):
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
        tensors = load_file(path)
        if "digest" in header and header["digest"] != _digest(header, tensors):  # pinkx 0.1.0 wrote none
            raise ValueError("its digest differs")
    # Adam counts its steps on the host.
    tensors = {key: value.to(device) if value.ndim else value for key, value in tensors.items()}
    with _damage(path, *(() if device != "cpu" else (RuntimeError,))):
        yield header, tensors


@contextmanager
def _damage(path: Path, *errors: type[Exception]) -> Iterator[None]:
    """Raise a CheckpointError for these errors, and for those of unfit content."""
    caught: tuple[type[Exception], ...] = (KeyError, ValueError, TypeError, *errors)
    try:
        yield
    except CheckpointError:
        raise
    except caught as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise CheckpointError(
            f"{path}: the checkpoint is damaged ({printable(reason)[:200]}); delete it to start again"
        ) from None


def other_recipe(path: Path) -> CheckpointError:
    """Return the error for a checkpoint of another recipe."""
    return CheckpointError(f"{path}: the checkpoint has another recipe; delete it, or choose another file")


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, by the rest of their names."""
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def layout(tensors: Mapping[str, Tensor]) -> Layout:
    """Return shape and type of each tensor."""
    return {key: (value.shape, value.dtype) for key, value in tensors.items()}


def checked_epoch(header: Mapping[str, str], epochs: int) -> int:
    """Return the number of complete epochs; ValueError if it is impossible."""
    epoch = int(header["epoch"])
    if not 1 <= epoch <= epochs:
        raise ValueError(f"epoch {epoch} of {epochs}")
    return epoch


def checked_measures(best: object) -> dict[str, float]:
    """Return the measures of a best epoch; ValueError if they are not numbers."""
    if not isinstance(best, dict) or not all(isinstance(value, float) for value in best.values()):
        raise ValueError("the losses of its best epoch are not numbers")
    return best


def _digest(header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of the entries and tensors of a checkpoint: damage would change every later number."""
    digest = hashlib.sha256(json.dumps([header[key] for key in ("recipe", "epoch", "best")]).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(
            tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
            if tensor.ndim
            else b"%f" % tensor.item()
        )
    return digest.hexdigest()
