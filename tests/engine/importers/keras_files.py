"""Files in the layouts of Keras, written with h5py."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.network import Network

h5py = pytest.importorskip("h5py", reason="h5py, which reads Keras files, is not installed")

Weights = NDArray[Any]


@dataclass
class KerasLayer:
    """A layer to write: its class, settings and named weights."""

    kind: str
    name: str
    weights: Mapping[str, Weights]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, Any]:
        return {"class_name": self.kind, "config": {"name": self.name, **self.settings}}


def keras_layers(network: Network, *, cudnn: bool = False, dense: str = "sigmoid") -> list[KerasLayer]:
    """Return a network of ours as Keras would hold it: gates i f c o or z r h, kernels transposed."""
    assert network.embedding is not None
    cell = network.cell
    weights = {name: tensor.numpy() for name, tensor in cell.weights().items()}
    order = {"lstm": (0, 1, 2, 3), "gru": (1, 0, 2), "rnn": (0,)}[cell.name]
    gates = len(order)

    def reordered(array: Weights) -> Weights:
        return np.concatenate([np.split(array, gates)[k] for k in order])

    kernel, recurrent = reordered(weights["weight_ih"]).T, reordered(weights["weight_hh"]).T
    bias = reordered(weights["bias"])
    if cell.name == "gru":
        bias = np.stack((bias, reordered(weights["bias_hh"])))
    kind = {"lstm": "LSTM", "gru": "GRU", "rnn": "SimpleRNN"}[cell.name]
    if cudnn:
        kind = f"CuDNN{kind}"
        kernel = np.hstack([part.T.reshape(part.shape) for part in np.hsplit(kernel, gates)])
        recurrent = np.hstack([part.T for part in np.hsplit(recurrent, gates)])
        bias = (bias if bias.ndim == 2 else np.stack((bias / 2, bias / 2))).reshape(-1)
    settings: dict[str, Any] = {} if cudnn else {"activation": "tanh", "units": cell.size}
    if kind in ("LSTM", "GRU"):
        settings["recurrent_activation"] = "sigmoid"
    return [
        KerasLayer("InputLayer", "input", {}),
        KerasLayer("Embedding", "embedding", {"embeddings": network.embedding.numpy()}),
        KerasLayer("Dropout", "dropout", {}, {"rate": 0.2}),
        KerasLayer(kind, "layer", {"kernel": kernel, "recurrent_kernel": recurrent, "bias": bias}, settings),
        KerasLayer(
            "Dense",
            "dense",
            {"kernel": network.readout_weight.numpy().T, "bias": network.readout_bias.numpy()},
            {"activation": dense},
        ),
    ]


def write_hdf5(layers: Sequence[KerasLayer], path: Path, *, weights_only: bool = False, version: str = "2.5.0") -> Path:
    """Write a .h5 file as Keras before version 3 does."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = version
        group = file
        if not weights_only:
            model = {"class_name": "Sequential", "config": {"layers": [layer.config for layer in layers]}}
            file.attrs["model_config"] = json.dumps(model)
            group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        for layer in layers:
            own = group.create_group(layer.name)
            own.attrs["weight_names"] = [f"{layer.name}/{key}:0".encode() for key in layer.weights]
            for key, array in layer.weights.items():
                own[f"{layer.name}/{key}:0"] = array
    return path


def write_keras(layers: Sequence[KerasLayer], path: Path) -> Path:
    """Write a .keras file as Keras 3 does: weights by class and position, of recurrent layers under ``cell``."""
    counts: Counter[str] = Counter()
    snake = {"SimpleRNN": "simple_rnn", "InputLayer": "input_layer"}
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for layer in layers:
            cell = "/cell" if layer.kind in ("SimpleRNN", "GRU", "LSTM") else ""
            key = snake.get(layer.kind, layer.kind.lower())
            counts[key] += 1
            key = key if counts[key] == 1 else f"{key}_{counts[key] - 1}"
            group = file.create_group(f"layers/{key}{cell}/vars")
            for number, array in enumerate(layer.weights.values()):
                group[str(number)] = array
    model = {"class_name": "Sequential", "config": {"layers": [layer.config for layer in layers]}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.12.0"}))
        archive.writestr("config.json", json.dumps(model))
        archive.writestr("model.weights.h5", memory.getvalue())
    return path
