"""Layers of a Keras file (.keras, .h5, .hdf5) with their settings and weights, read with h5py alone."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.catalogue import NetworkError
from engine.importers.time_limit import check_readable, limit_memory

_MAX_RATIO: Final = 20  # how many times larger than the file a compressed array may be


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a Keras model. ``settings`` is None in a file that holds weights only.

    ``sources`` names the layers that it reads in a Functional model; it is empty where the order of the layers says so.
    A Bidirectional layer is its forward layer; ``backward`` is the other, and ``merge`` says how their outputs are
    joined.
    """

    kind: str
    name: str
    settings: Mapping[str, Any] | None
    weights: tuple[NDArray[Any], ...]
    sources: frozenset[str] = frozenset()
    backward: Layer | None = None
    merge: str = "concat"

    @property
    def directions(self) -> tuple[Layer, ...]:
        """The layer, and its backward one if it has two."""
        return (self,) if self.backward is None else (self, self.backward)


@dataclass(frozen=True)
class KerasModel:
    """The layers in the order of the model, the version of Keras that wrote them, and what the file is."""

    layers: tuple[Layer, ...]
    version: str
    source: str


def read_keras(path: Path) -> KerasModel:
    """Read a Keras model or its weights.

    Raises
    ------
    NetworkError
        If h5py is missing, or the file is damaged, holds no layers, or takes too long to read.
    """
    if importlib.util.find_spec("h5py") is None:
        raise NetworkError("reading a Keras file needs h5py; install it with: pip install 'pinkx[keras]'")
    check_readable(path)
    return _read(path)


def try_reading(path: str) -> str:
    """Return why a file is refused, or "" if it can be read, for `check_readable`; limits this process's memory."""
    file = Path(path)
    limit_memory(_MAX_RATIO * file.stat().st_size)
    try:
        _read(file)
    except NetworkError as error:
        return str(error)
    except MemoryError:
        return "damaged Keras file: it claims far more memory than its size; save or fetch it again"
    return ""


def _read(path: Path) -> KerasModel:
    import h5py

    limit = _MAX_RATIO * path.stat().st_size
    try:
        if not zipfile.is_zipfile(path):
            with h5py.File(path, "r") as file:
                return _read_hdf5(file, limit)
        with zipfile.ZipFile(path) as archive:
            sizes = [archive.getinfo(name).file_size for name in ("config.json", "model.weights.h5")]
            if sum(sizes) > limit:
                raise NetworkError("damaged archive: its members claim to be far larger than the file")
            config = json.loads(archive.read("config.json"))
            metadata = json.loads(archive.read("metadata.json")) if "metadata.json" in archive.namelist() else {}
            with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
                layers = _with_settings(config, _keras3_weights(file, limit))
    except NetworkError:
        raise
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, zipfile.BadZipFile) as error:
        raise NetworkError(f"damaged Keras file ({type(error).__name__}: {error}); save or fetch it again") from None
    return KerasModel(layers, str(metadata.get("keras_version", "3")), "Keras model (.keras)")


def _read_hdf5(file: Any, limit: int) -> KerasModel:
    version = _text(file.attrs.get("keras_version", file.get("model_weights", file).attrs.get("keras_version", "")))
    if "model_config" in file.attrs:
        weights = {name: _old_weights(group, limit) for name, group in _old_layers(file["model_weights"])}
        config = json.loads(_text(file.attrs["model_config"]))
        layers = tuple(
            _with_directions(Layer(kind, name, settings, weights.get(name, ()), sources))
            for kind, name, settings, sources in _configured(config)
        )
        return KerasModel(layers, version, "Keras model (HDF5)")
    if "layer_names" in file.attrs:
        found = ((name, _old_weights(group, limit), group) for name, group in _old_layers(file))
        layers = tuple(_of_weights(name, weights, group) for name, weights, group in found)
        return KerasModel(layers, version, "Keras weights (HDF5)")
    weights3 = _keras3_weights(file, limit)
    if not weights3:
        raise NetworkError("an HDF5 file, but not one of Keras")
    layers = tuple(_of_weights(key, arrays, None) for key, arrays in weights3.items())
    return KerasModel(layers, version or "3", "Keras weights (HDF5)")


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _member(group: Any, name: str) -> Any:
    """Return a member of a group that lies in this file; a link to another file is refused."""
    import h5py

    at = group
    for part in name.strip("/").split("/"):
        link = at.get(part, getlink=True)
        if link is None:
            raise NetworkError(f"damaged Keras file: {name} is missing")
        if not isinstance(link, h5py.HardLink):
            raise NetworkError(f"the Keras file links {name} to another place; expected the weights themselves")
        at = at[part]
    return at


def _array(group: Any, name: str, limit: int) -> NDArray[Any]:
    data = _member(group, name)
    if getattr(data, "external", None) or getattr(data, "is_virtual", False):
        raise NetworkError(f"the Keras file stores {name} in another file; expected the weights themselves")
    if data.nbytes > limit:
        raise NetworkError(f"damaged Keras file: {name} claims {data.nbytes} bytes, far more than the file")
    array: NDArray[Any] = data[()]
    if not np.issubdtype(array.dtype, np.floating):
        raise NetworkError(f"{name} has type {array.dtype}; expected floating-point numbers")
    return array


# ---- the two layouts of weights -----------------------------------------------------------------------------------


def _old_layers(group: Any) -> Iterator[tuple[str, Any]]:
    for name in map(_text, group.attrs["layer_names"]):
        yield name, _member(group, name)


def _old_weights(group: Any, limit: int) -> tuple[NDArray[Any], ...]:
    return tuple(_array(group, _text(name), limit) for name in group.attrs["weight_names"])


def _keras3_weights(file: Any, limit: int) -> dict[str, tuple[NDArray[Any], ...]]:
    """Weights of every layer by its key, the class name in snake case with a counter, such as ``lstm_1``."""
    container = next((name for name in ("layers", "_layer_checkpoint_dependencies") if name in file), None)
    if container is None:
        return {}
    layers = _member(file, container)
    found = {}
    for key in layers:
        group = _member(layers, key)
        parts = [_member(group, name) for name in ("forward_layer", "backward_layer") if name in group] or [group]
        found[str(key)] = tuple(array for part in parts for array in _variables(part, limit))
    return found


def _variables(group: Any, limit: int) -> Iterator[NDArray[Any]]:
    group = _member(group, "cell") if "cell" in group else group
    for name in sorted(_member(group, "vars"), key=int) if "vars" in group else []:
        yield _array(group, f"vars/{name}", limit)


def _with_settings(config: Any, weights: Mapping[str, tuple[NDArray[Any], ...]]) -> tuple[Layer, ...]:
    counts: Counter[str] = Counter()
    layers = []
    for kind, name, settings, sources in _configured(config):
        snake = _snake(kind)
        key = f"{snake}_{counts[snake]}" if counts[snake] else snake
        counts[snake] += 1
        layers.append(_with_directions(Layer(kind, name, settings, weights.get(key, ()), sources)))
    return tuple(layers)


def _snake(name: str) -> str:
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _configured(config: Any) -> Iterator[tuple[str, str, Mapping[str, Any], frozenset[str]]]:
    """Class, name, settings and sources of every layer of a Sequential or a Functional model."""
    kind, inner = config["class_name"], config["config"]
    if kind not in ("Sequential", "Functional", "Model"):
        raise NetworkError(f"a Keras model of class {kind}; expected Sequential or Functional")
    layers = inner["layers"] if isinstance(inner, dict) else inner  # a bare list before Keras 2.2
    names = {str(layer["config"].get("name", layer.get("name", ""))) for layer in layers}
    for layer in layers:
        settings = layer["config"]
        sources = frozenset(_texts(layer.get("inbound_nodes", ()))) & names
        yield str(layer["class_name"]), str(settings.get("name", layer.get("name", ""))), settings, sources


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in nested lists and objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _with_directions(layer: Layer) -> Layer:
    """Return a Bidirectional layer as its forward layer with the backward one; any other as it is."""
    settings = layer.settings or {}
    inner = settings.get("layer") if layer.kind == "Bidirectional" else None
    if not isinstance(inner, Mapping):
        return layer
    other, half = settings.get("backward_layer") or inner, len(layer.weights) // 2
    kinds = [str(one["class_name"]) for one in (inner, other)]
    parts = [
        Layer(kind, layer.name, {**one["config"], "go_backwards": False}, weights, layer.sources)
        for kind, one, weights in zip(kinds, (inner, other), (layer.weights[:half], layer.weights[half:]), strict=True)
    ]
    if kinds[0] != kinds[1] or inner["config"].get("go_backwards"):
        raise NetworkError(
            f"{layer.name}: a Bidirectional layer of {kinds[0]} and {kinds[1]}, or of one that itself "
            "reads backwards, is not supported"
        )
    return replace(parts[0], backward=parts[1], merge=str(settings.get("merge_mode", "concat")))


def _of_weights(name: str, weights: tuple[NDArray[Any], ...], group: Any) -> Layer:
    """Return a layer of a file of weights."""
    first, second = weights[: len(weights) // 2], weights[len(weights) // 2 :]
    if len(weights) in (4, 6) and [one.shape for one in first] == [one.shape for one in second]:
        kind = _kind_of(name, first, None)
        return Layer(kind, name, None, first, backward=Layer(kind, name, None, second))
    return Layer(_kind_of(name, weights, group), name, None, weights)


def _kind_of(name: str, weights: tuple[NDArray[Any], ...], group: Any) -> str:
    """Return the class of a layer in a file of weights, from their shapes; its name where those leave it open."""
    shapes = [weight.shape for weight in weights]
    matrices = [shape for shape in shapes if len(shape) == 2]
    if len(matrices) >= 2 and len(shapes[0]) == len(shapes[1]) == 2 and shapes[0][1] == shapes[1][1]:
        size = shapes[1][0]
        gates = shapes[1][1] // size
        bias = int(np.prod(shapes[2])) if len(shapes) == 3 else gates * size
        cudnn = "CuDNN" if bias == 2 * gates * size and (gates == 4 or len(shapes[2]) == 1) else ""
        return cudnn + {1: "SimpleRNN", 3: "GRU", 4: "LSTM"}.get(gates, name)
    if len(shapes) == 2 and len(shapes[0]) == 2 and shapes[1] == (shapes[0][1],):
        return "Dense"
    named = [_text(one) for one in group.attrs["weight_names"]] if group is not None else [name]
    if len(shapes) == 1 and len(shapes[0]) == 2 and "embedding" in named[0]:
        return "Embedding"
    return "InputLayer" if not weights else name
