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
    from engine.task_training import TaskRecipe


@click.command
@click.option("--task", help="Instead of reviews: integration-K or flip-flop-K, of K channels (such as flip-flop-3).")
@click.option("--gamma", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="Integration's discount.")
@click.option("--cell", type=click.Choice(["lstm", "gru", "rnn"]), default="lstm", show_default=True)
@click.option("--size", type=click.IntRange(1), help="Cells in the layer [default: 8, or 100 for a --task].")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=8, show_default=True)
@click.option(
    "--batches", type=click.IntRange(1), default=4000, show_default=True, help="Of 64 sequences, for a --task."
)
@click.option(
    "--imdb", type=click.Path(path_type=Path), help="The IMDb archive [default: PINKX_IMDB, or the fetched one]."
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU threads for torch.")
@click.option(
    "--every-epoch", is_flag=True, help="Keep the network after every epoch, too: OUT-e00, untrained, OUT-e01, …"
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The file to write [default: CELL-SIZE-sSEED.safetensors]."
)
def command(
    task: str | None,
    gamma: float,
    cell: str,
    size: int | None,
    seed: int,
    epochs: int,
    batches: int,
    imdb: Path | None,
    device: str,
    threads: int,
    every_epoch: bool,
    out: Path | None,
) -> None:
    """Train a sentiment network on the 25,000 training reviews of IMDb and measure it on the 25,000 test reviews.

    The recipe is Table I of Chong & Ling (2024).  A run that was interrupted goes on from its last whole epoch when
    the same command is given again.  With --task: a network for a synthetic task, by the recipe of Cheng, Schmid &
    Lange (2021); it takes a minute or two on the CPU.
    """
    import torch

    from engine import training
    from engine.network import Network
    from engine.reviews import open_reviews
    from engine.task_training import TaskRecipe

    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: torch sees no CUDA device here; use --device cpu, or see `pinkx doctor`")
    torch.set_num_threads(threads)
    if task is not None:
        of_task = TaskRecipe(task=task, gamma=gamma, cell=cell, size=size or 100, seed=seed, batches=batches)
        _train_task(of_task, device, out)
        return
    size = size or 8
    out = out or Path(f"{cell}-{size}-s{seed}.safetensors")
    checkpoint = out.with_suffix(".checkpoint")
    recipe = training.Recipe(cell=cell, size=size, seed=seed, epochs=epochs)
    console = Console()

    console.print(f"reading reviews, to train {size} {cell} cells (seed {seed}) on {device}")
    reviews = open_reviews("imdb", split="train", imdb=imdb)
    corpus = training.EncodedReviews.from_reviews(reviews, recipe.vocabulary, recipe.cut)

    def epoch_file(epoch: int) -> Path:
        return out.with_stem(f"{out.stem}-e{epoch:02}")

    def keep(epoch: int, early: Network) -> None:
        early.info |= {"epoch": str(epoch)}
        early.save(epoch_file(epoch))

    with _Bar(console) as show:
        network = training.train_sentiment(
            corpus,
            recipe,
            device=device,
            checkpoint=checkpoint,
            progress=show,
            every_epoch=keep if every_epoch else None,
        )

    console.print("measuring on the test reviews")
    test = training.EncodedReviews.from_reviews(
        open_reviews("imdb", split="test", imdb=imdb), corpus.vocabulary, recipe.cut
    )
    for file in [epoch_file(epoch) for epoch in range(recipe.epochs + 1)] if every_epoch else []:
        early = Network.load(file)
        early.info |= {"accuracy": f"{training.accuracy(early, test):.5f}"}
        early.save(file)
    accuracy = training.accuracy(network, test)
    network.info |= {"accuracy": f"{accuracy:.5f}"}
    network.save(out)
    checkpoint.unlink(missing_ok=True)
    console.print(f"{out}: {accuracy:.2%} of {len(test):,} test reviews right")


def _train_task(recipe: TaskRecipe, device: str, out: Path | None) -> None:
    from engine.task_training import train_task

    out = out or Path(f"{recipe.cell}-{recipe.size}-{recipe.task}-s{recipe.seed}.safetensors")
    console = Console()
    columns = (TextColumn("batch"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("loss {task.fields[loss]:.4f}"), console=console) as bar:
        row = bar.add_task("", total=recipe.batches, loss=float("nan"))
        network = train_task(
            recipe, device=device, progress=lambda batch, loss: bar.update(row, completed=batch, loss=loss)
        )
    network.save(out)
    console.print(f"{out}: {float(network.info['accuracy']):.2%} of the answers to fresh sequences right")


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
