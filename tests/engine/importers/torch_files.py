"""Files as PyTorch users save them. No other file may call torch.save; this one only writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.network import Network


class Classifier(nn.Module):
    """Network that many tutorials build: embedding, recurrent layer, linear readout."""

    def __init__(self, network: Network, nonlinearity: str = "tanh") -> None:
        super().__init__()
        assert network.embedding is not None
        self.embedding = nn.Embedding.from_pretrained(network.embedding.clone())
        self.lstm = network.cell.to_torch()
        if isinstance(self.lstm, nn.RNN):
            self.lstm.nonlinearity = nonlinearity
        self.fc = nn.Linear(network.cell.size, network.outputs)
        with torch.no_grad():
            self.fc.weight.copy_(network.readout_weight)
            self.fc.bias.copy_(network.readout_bias)

    def forward(self, ids: Tensor) -> Tensor:
        """P(positive) after the last of ids (time, review)."""
        hidden = self.lstm(self.embedding(ids))[0]
        return torch.sigmoid(self.fc(hidden[-1]))


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return a state dict as a wrapper module saves it."""
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def save(value: Any, path: Path, *, old: bool = False) -> Path:
    """Write a file with torch.save, in the format before version 1.6 if ``old``."""
    torch.save(value, path, _use_new_zipfile_serialization=not old)
    return path
