"""Choice of the layer of a network to watch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engine.network import Network


def watched(network: Network, layer: int | None, direction: Literal["forward", "backward"] | None) -> Network:
    """Return a network watched at a layer, counted from 1, in a direction; None keeps what its file says.

    Raises
    ------
    ValueError
        If it has no such layer or direction.
    """
    if layer is None and direction is None:
        return network
    stack = network.stack
    if stack is None:
        if layer in (None, 1) and direction in (None, "forward"):
            return network
        raise ValueError(f"{network.name} has one layer in one direction: leave out --layer and --direction")
    level = network.level if layer is None else layer - 1
    if level >= len(stack.layers):
        raise ValueError(f"--layer {layer}: {network.name} has the layers 1 to {len(stack.layers)}")
    if direction == "backward" and len(stack.layers[level]) == 1:
        raise ValueError(f"--direction backward: layer {level + 1} of {network.name} has the forward direction alone")
    return network.watching(level, direction or (network.direction if len(stack.layers[level]) > 1 else "forward"))
