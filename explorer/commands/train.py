"""``pinkx train``: one network, from reviews to a .safetensors file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from engine import training


@click.command
@click.option("--cell", type=click.Choice(["lstm", "gru", "rnn"]), default="lstm", show_default=True)
@click.option("--size", type=click.IntRange(1), default=8, show_default=True, help="Cells in the layer.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=8, show_default=True)
@click.option(
    "--imdb", type=click.Path(path_type=Path), help="The IMDb archive [default: PINKX_IMDB, or the fetched one]."
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU threads for torch.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The file to write [default: CELL-SIZE-sSEED.safetensors]."
)
def command(
    cell: str, size: int, seed: int, epochs: int, imdb: Path | None, device: str, threads: int, out: Path | None
) -> None:
    """Train a sentiment network on the 25,000 training reviews of IMDb and measure it on the 25,000 test reviews.

    The recipe is Table I of Chong & Ling (2024).  A run that was interrupted goes on from its last whole epoch when
    the same command is given again.
    """
    import torch

    from engine import training
    from engine.reviews import open_reviews

    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: torch sees no CUDA device here; use --device cpu, or see `pinkx doctor`")
    torch.set_num_threads(threads)
    out = out or Path(f"{cell}-{size}-s{seed}.safetensors")
    checkpoint = out.with_suffix(".checkpoint")
    recipe = training.Recipe(cell=cell, size=size, seed=seed, epochs=epochs)
    console = Console()

    console.print(f"reading reviews, to train {size} {cell} cells (seed {seed}) on {device}")
    reviews = open_reviews("imdb", split="train", imdb=imdb)
    corpus = training.Corpus.of(reviews, recipe.vocabulary, recipe.cut)
    with _Bar(console) as show:
        network = training.train_sentiment(corpus, recipe, device=device, checkpoint=checkpoint, progress=show)

    console.print("measuring on the test reviews")
    test = training.Corpus.of(open_reviews("imdb", split="test", imdb=imdb), corpus.vocabulary, recipe.cut)
    accuracy = training.accuracy(network, test)
    network.info |= {"accuracy": f"{accuracy:.5f}"}
    network.save(out)
    checkpoint.unlink(missing_ok=True)
    console.print(f"{out}: {accuracy:.2%} of {len(test):,} test reviews right")


class _Bar:
    """Progress on a terminal: a bar with the time left; everywhere: a line an epoch."""

    def __init__(self, console: Console) -> None:
        self.console = console
        columns = (TextColumn("epoch {task.fields[epoch]}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, TextColumn("loss {task.fields[loss]:.4f}"), console=console)
        self.task = self.progress.add_task("", total=None, epoch=1, loss=float("nan"))

    def __enter__(self) -> Callable[[training.Progress], None]:
        self.progress.start()
        return self.show

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def show(self, now: training.Progress) -> None:
        self.progress.update(self.task, total=now.batches, completed=now.batch, epoch=now.epoch + 1, loss=now.loss)
        if now.validation_loss is not None:
            self.console.print(
                f"epoch {now.epoch + 1}: training loss {now.loss:.4f}, validation loss {now.validation_loss:.4f}, "
                f"accuracy {now.validation_accuracy:.2%}, {now.seconds:.0f} s",
                highlight=False,
            )
