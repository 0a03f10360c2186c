"""A GPU that is simulated on the CPU: tensors on "cuda" that refuse what a real card refuses.

An operation on tensors of both devices, or a NumPy array of a tensor on the card, is an error, as on a card; only
scalars and indices may lie on the CPU. This finds tensors on a wrong device where no card is. Streams, memory and the
limits of a card are not simulated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

CUDA = torch.device("cuda", 0)
CPU = torch.device("cpu")
_INDEXING = (Tensor.__getitem__, Tensor.__setitem__)
_COPYING = (Tensor.copy_, Tensor.to, Tensor.cpu)
_TO_NUMPY = (Tensor.numpy, Tensor.__array__)
_HERE = (Tensor.tolist, Tensor.item)


class CudaTensor(Tensor):
    """A tensor of the simulated card; its values lie on the CPU."""


def _is_card(value: object) -> bool:
    return _is_device(value) and str(value).startswith("cuda")


_generator = torch.Generator


class _Generator:  # a class, since type hints join it with others
    def __new__(cls, device: str = "cpu") -> torch.Generator:  # type: ignore[misc]
        return _generator("cpu")


class _Card(TorchFunctionMode):
    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        options = dict(kwargs or {})
        tensors = [value for value in tree_leaves((args, options)) if isinstance(value, Tensor)]
        on_card = [value for value in tensors if isinstance(value, CudaTensor)]
        first_on_card = bool(args) and isinstance(args[0], CudaTensor)
        name = getattr(func, "__name__", "")
        if name == "__get__" and first_on_card and func.__self__ in (Tensor.device, Tensor.is_cuda):
            return CUDA if func.__self__ is Tensor.device else True
        if name == "_parse_to":  # of Module.to, which then moves each parameter
            return func(*args, **options)
        if name == "_has_compatible_shallow_copy_type":  # False: Module.to makes new parameters
            return len({isinstance(value, CudaTensor) for value in tensors}) == 1
        if func in _TO_NUMPY and first_on_card:
            raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")
        if func in _INDEXING:
            if on_card and not first_on_card and func is Tensor.__getitem__:
                raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
        elif on_card and func not in _COPYING:
            for value in tensors:
                if not isinstance(value, CudaTensor) and value.dim():
                    raise RuntimeError(f"{name}: expected all tensors to be on the same device, found cuda:0 and cpu")
        places = (
            [value for value in (*args, *options.values()) if _is_device(value)] if func is not Tensor.copy_ else []
        )
        like = [value for value in args[1:] if isinstance(value, Tensor)] if func is Tensor.to else []
        to_card = first_on_card if func in (*_INDEXING, *_COPYING) else bool(on_card)
        if places:
            to_card = _is_card(places[0])
        elif like:
            to_card = isinstance(like[0], CudaTensor)
        elif func is Tensor.cpu:
            to_card = False
        args, options = tree_map(lambda value: CPU if _is_card(value) else value, (tuple(args), options))
        with torch._C.DisableTorchFunctionSubclass():
            found = func(*args, **options)
            if func in _HERE:
                return found

            def placed(value: Any) -> Any:
                if not isinstance(value, Tensor) or isinstance(value, CudaTensor) == to_card:
                    return value
                # A copy to the other device shares no memory.
                moved = value.clone() if any(value is one for one in tensors) else value
                return moved.as_subclass(CudaTensor if to_card else Tensor)

            return tree_map(placed, found)


def _is_device(value: object) -> bool:
    if isinstance(value, torch.device):
        return True
    return isinstance(value, str) and value.partition(":")[0] in ("cpu", "cuda")


def enter_card() -> None:
    """Let this thread see the simulated card: what it does to tensors belongs to a thread."""
    _Card().__enter__()  # type: ignore[no-untyped-call]


@contextmanager
def simulated_gpu() -> Iterator[None]:
    """Let "cuda" be the simulated card within the block; its kernels run in Triton's interpreter."""
    properties = SimpleNamespace(shared_memory_per_block_optin=232_448)
    with (
        patch.object(Tensor, "pin_memory", lambda tensor: tensor),
        patch("torch.Generator", _Generator),
        patch("torch.backends.cudnn.is_acceptable", lambda tensor: False),
        patch("torch.cuda.device", lambda device: nullcontext()),
        patch("torch.cuda.get_device_properties", lambda device: properties),
        patch("torch.cuda.mem_get_info", lambda device: (2**30, 2**30)),
        patch("torch.cuda.memory_reserved", lambda device: 0),
        patch("torch.cuda.memory_allocated", lambda device: 0),
        patch("engine.devices.cuda_problem", lambda: ""),
        ExitStack() as modules,
    ):
        for module in ("devices", "recording", "corpus_statistics", "fluctuation"):
            modules.enter_context(patch(f"engine.{module}.kernel_problem", lambda: ""))
        with _Card():
            yield
