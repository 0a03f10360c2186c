"""``pinkx import``: convert a file of another program to a network file of pinkx."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--vocabulary",
    metavar="FILE",
    help="Words of the embedding: one a line, JSON word to id, or CSV. keras-imdb:FILE reads the ranks of "
    "keras.datasets.imdb (id = rank + 3).",
)
@click.option("--layer", metavar="NAME", help="Recurrent layer to watch first, if the file has several.")
@click.option("--readout", metavar="NAME", help="Linear layer that reads the cells; none imports the cells alone.")
@click.option("--embedding", metavar="NAME", help="Embedding; none for a layer that takes vectors.")
@click.option(
    "--output", type=click.Choice(["sigmoid", "softmax", "linear"]), help="What the readout's numbers become."
)
@click.option(
    "--nonlinearity",
    metavar="NAME",
    help="Nonlinearity that the file does not name: tanh or relu of an RNN; of Keras weights also hard_sigmoid, that "
    "of the gates, or both, such as relu,hard_sigmoid.",
)
@click.option(
    "--reset",
    type=click.Choice(["before", "after"]),
    help="Where the reset gate of a GRU acts, before or after the recurrent product, if Keras weights do not say.",
)
@click.option(
    "--direction",
    type=click.Choice(["forward", "backward"]),
    help="Direction of a bidirectional layer to watch first.  [default: forward]",
)
@click.option(
    "--reads",
    type=click.Choice(["final", "last", "each"]),
    help="States of two directions that the readout reads: the final one of each, both at the last word, or both at "
    "every word.",
)
@click.option(
    "--task",
    metavar="NAME",
    help="Task of a network that takes vectors, such as flip-flop-3; `pinkx points` starts from its sequences.",
)
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: NAME.safetensors]")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(
    file: Path,
    vocabulary: str | None,
    layer: str | None,
    readout: str | None,
    embedding: str | None,
    output: str | None,
    nonlinearity: str | None,
    reset: str | None,
    direction: str | None,
    reads: str | None,
    task: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Import the network in FILE and write it as a .safetensors file that every verb opens.

    FILE is a state dict, a checkpoint, a whole module or a TorchScript archive of PyTorch, a .safetensors file, a Keras
    model or its weights, an ONNX graph, or a .toml that describes weights. No code in it is run. The network has
    recurrent layers on top of each other, a linear readout, and an embedding if it reads words. The result is compared
    with an independent computation of the original, and the largest difference is printed.
    """
    import torch

    from engine.catalogue import find
    from engine.importers.check import check_import
    from engine.importers.parts import ImportOptions
    from engine.importers.read import import_network
    from engine.network import Network

    torch.set_num_threads(1)
    path = find(file)
    out = out or path.with_suffix(".safetensors").relative_to(path.parent)
    if out.exists() and out.samefile(path):
        raise ValueError(f"{out}: would replace the file that is imported; choose another with --out")
    parts = import_network(
        path, ImportOptions(vocabulary, layer, direction, nonlinearity, readout, embedding, output, task, reads, reset)
    )
    network = Network.from_parts(parts)
    found = check_import(network, parts)
    network.save(out)
    cell = network.cell
    known = network.text_vocabulary
    if as_json:
        result = {
            "file": str(out),
            "source": parts.info["imported_from"],
            "layer": parts.info["imported_layer"],
            "cell": cell.name,
            "settings": cell.settings,
            "cells": cell.size,
            "inputs": network.channels if known is None else None,
            "words": None if known is None else len(known),
            "layers": 1 if network.stack is None else len(network.stack.layers),
            "watched": network.level,
            "direction": network.direction,
            "directions": 1 if network.stack is None else len(network.stack.layers[network.level]),
            "outputs": network.outputs,
            "activation": network.output,
            "notes": list(parts.notes),
            "steps": found.steps,
            "difference": {"states": float(found.states), "outputs": float(found.outputs)},
        }
        click.echo(json.dumps(result, indent=2))
        return
    reads = f"vectors of {network.channels} numbers" if known is None else f"{len(known):,} words"
    outputs = f"{network.outputs} {network.output} output{'s' if network.outputs > 1 else ''}"
    silent = network.output == "none"
    source = f"{parts.info['imported_from']}, layer {parts.info['imported_layer']}"
    click.echo(
        f"{source}: {cell.size} {cell.label.replace(cell.title, f'{cell.title} cells', 1)}, reads {reads}, "
        f"{'no output' if silent else outputs}"
    )
    for note in parts.notes:
        click.echo(f"note: {note}")
    click.echo(
        f"largest difference from the original over {found.steps} random inputs: {found.states:.1e} in the states"
        + ("" if silent else f", {found.outputs:.1e} in the outputs")
    )
    click.echo(f"{out}: written; open it with `pinkx tui --network {out}`" if known else f"{out}: written")
