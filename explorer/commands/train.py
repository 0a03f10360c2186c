"""``pinkx train``: train a network on reviews or on a task, and save it as a .safetensors file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn, track

from engine.recipes import CHOICES, RECIPES, Recipe
from explorer.commands.device_option import device_option
from explorer.commands.on_option import on_option
from explorer.commands.plots import Curve, curves, plot_option

if TYPE_CHECKING:
    from engine import training
    from engine.task_training import TaskRecipe
    from engine.text import Review

_RATE: Final = click.FloatRange(0, 1, max_open=True)
_INGREDIENTS: Final[dict[str, tuple[click.ParamType[Any], str]]] = {
    "epochs": (click.IntRange(1), "Number of epochs."),
    "padding": (
        click.Choice(CHOICES["padding"]),
        "Side on which reviews are padded to 500 words; none: read the words alone, which equals masked padding.",
    ),
    "batching": (click.Choice(CHOICES["batching"]), "Reviews of a batch: of similar length, or random."),
    "dropout": (_RATE, "Rate at which components of the input are dropped."),
    "dropout_mask": (click.Choice(CHOICES["dropout_mask"]), "Draw dropout at every word, or once for a sequence."),
    "word_dropout": (_RATE, "Rate at which words are dropped."),
    "l2": (click.FloatRange(0), "Factor of the squared input weights in the loss."),
    "clip": (click.FloatRange(0), "Norm at which gradients are clipped; 0: no clipping."),
    "averaging": (_RATE, "Decay of the running mean of the weights; 0: no mean."),
    "schedule": (click.Choice(CHOICES["schedule"]), "Course of the learning rate."),
    "validation": (click.IntRange(0), "Number of training reviews held out for validation."),
    "selection": (click.Choice(CHOICES["selection"]), "Loss that selects the epoch."),
    "split": (
        click.Choice(CHOICES["split"]),
        "Train on the 25,000 training reviews, or on 80 % of all 50,000 joined.",
    ),
}


def _ingredient_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add an option for every ingredient of a recipe, None unless given."""
    for name, (kind, text) in reversed(_INGREDIENTS.items()):
        defaults = {key: f"{getattr(recipe, name)}" for key, recipe in RECIPES.items()}
        same = len(set(defaults.values())) == 1
        shown = defaults["pinkx"] if same else ", ".join(f"{key} {value}" for key, value in defaults.items())
        option = f"--{name.replace('_', '-')}"
        function = click.option(option, name, type=kind, help=f"{text}  [default: {shown}]")(function)
    return function


@click.command
@click.option(
    "--task",
    metavar="TASK",
    help="Train on a task instead of reviews: integration-K or flip-flop-K with K channels, such as flip-flop-3.",
)
@click.option(
    "--gamma", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="Discount factor of integration."
)
@click.option(
    "--cell", type=click.Choice(["lstm", "gru", "rnn"]), default="lstm", show_default=True, help="Type of the layer."
)
@click.option("--size", type=click.IntRange(1), help="Number of cells in the layer.  [default: 8; with --task 100]")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of weights and batches.")
@click.option(
    "--recipe",
    "recipe_name",
    type=click.Choice(list(RECIPES)),
    default="pinkx",
    show_default=True,
    help="pinkx: the recipe of the shipped networks; published: that of the authors' public code. "
    "The options under it, up to --split, change one ingredient.",
)
@_ingredient_options
@click.option(
    "--batches", type=click.IntRange(1), default=4000, show_default=True,
    help="Number of batches of 64 sequences; with --task.",
)  # fmt: skip
@click.option(
    "--reviews", "source", metavar="SOURCE",
    help="Train on these labelled reviews instead of IMDb, or on the `bundled` ones; every fifth is a test review.",
)  # fmt: skip
@click.option(
    "--imdb", type=click.Path(path_type=Path), help="The IMDb archive.  [default: $PINKX_IMDB, or the downloaded one]"
)
@device_option
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Number of CPU threads.")
@click.option(
    "--every-epoch", is_flag=True, help="Also save the network after every epoch: OUT-e00 (untrained), OUT-e01, …"
)
@click.option(
    "--grid", metavar="FIELD=VALUES …",
    help="Train every combination of these values, such as 'cell=lstm,gru size=8..128x2 seed=0..9', into the folder "
    "--out  [default: runs]. a..b: all whole numbers; a..b+s and a..bxf: steps; any field of the recipe; switch=all: "
    "each ingredient as in the other recipe. Networks that are there already are not trained again.",
)  # fmt: skip
@on_option
@plot_option
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: CELL-SIZE-sSEED.safetensors]")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object at the end; progress goes to stderr.")
def command(
    task: str | None,
    gamma: float,
    cell: str,
    size: int | None,
    seed: int,
    recipe_name: str,
    batches: int,
    source: str | None,
    imdb: Path | None,
    device: str,
    threads: int,
    every_epoch: bool,
    grid: str | None,
    on: str | None,
    plot: bool,
    out: Path | None,
    as_json: bool,
    **ingredients: float | str | None,
) -> None:
    """Train a network on the 25,000 IMDb training reviews and test it on the 25,000 test reviews.

    Both recipes follow Table I of Chong & Ling (2024); they differ in what the paper leaves open. To resume an
    interrupted run after its last complete epoch, run the same command again.

    With --grid, train many networks, small ones side by side; --on spreads them over processes or a cluster. An
    interrupted grid resumes after its last complete epochs; on tasks, after its last complete group of networks.
    `pinkx measure sweep` measures the networks, `pinkx measure ingredients` the epochs of each.

    With --task, train on a synthetic task by the recipe of Cheng, Schmid & Lange (2021). This takes a minute or two
    on a CPU.

    A seed gives the same network only on the same device. If a GPU fails, the CPU continues after the last complete
    epoch; a task begins again. On a cluster, --device auto is the CPU.
    """
    import torch

    from engine.devices import choose
    from engine.task_training import TaskRecipe

    if on is None or on.startswith("local"):
        device = choose(device, "training").device
    elif device == "auto":  # what the workers have is not known here
        device = "cpu"
    if grid is None and on is not None:
        raise ValueError("--on spreads the networks of a --grid; one network is trained in this process")
    torch.set_num_threads(threads)
    console = Console(stderr=as_json)
    if task is not None:
        of_task = TaskRecipe(task=task, gamma=gamma, cell=cell, size=size or 100, seed=seed, batches=batches)
        if grid is not None:
            from explorer.commands.train_grid import train_tasks

            train_tasks(of_task, grid, on, device, out, console, as_json)
            return
        _train_task(of_task, device, out, plot, as_json)
        return
    changes: Any = {name: value for name, value in ingredients.items() if value is not None}
    recipe = replace(RECIPES[recipe_name], cell=cell, size=size or 8, seed=seed, **changes)
    if grid is not None:
        from explorer.commands.train_grid import train_reviews

        (other,) = (one for name, one in RECIPES.items() if name != recipe_name)
        train_reviews(
            recipe, other, grid, lambda: _splits(source, imdb), on, device, out, every_epoch, console, as_json
        )
        return
    console.print(f"reading reviews to train {recipe.size} {cell.upper()} cells on {device}")
    file = out or Path(f"{cell}-{recipe.size}-s{seed}.safetensors")
    result, epochs = _train_reviews(recipe, _splits(source, imdb), file, device, every_epoch, console)
    if plot and not as_json:
        _plot_epochs(epochs)
    if as_json:
        click.echo(json.dumps(result, indent=2))


def _splits(source: str | None, imdb: Path | None) -> tuple[Sequence[Review], Sequence[Review]]:
    """Return the reviews to train and to test on."""
    from engine.reviews import open_reviews

    if source is None:
        return open_reviews("imdb", split="train", imdb=imdb), open_reviews("imdb", split="test", imdb=imdb)
    labelled = [one for one in open_reviews(source) if one.label is not None]
    if len(labelled) < 5:
        raise ValueError(f"--reviews {source}: {len(labelled)} reviews have a label; expected 5 or more")
    return [one for k, one in enumerate(labelled) if k % 5 != 2], labelled[2::5]


def _train_reviews(
    recipe: Recipe,
    splits: tuple[Sequence[Review], Sequence[Review]],
    out: Path,
    device: str,
    every_epoch: bool,
    console: Console,
) -> tuple[dict[str, Any], list[training.Progress]]:
    """Train one network, save it, and return the JSON values of the run and its epochs."""
    from engine import training
    from engine.devices import or_on_the_cpu
    from engine.epochs import epoch_file
    from engine.network import Network

    checkpoint = out.with_suffix(".checkpoint")
    reviews, test_reviews = training.split_reviews(*splits, recipe)
    corpus = training.EncodedReviews.from_reviews(reviews, recipe.vocabulary, recipe.cut)

    def save(epoch: int, early: Network) -> None:
        early.info |= {"epoch": str(epoch)}
        early.save(epoch_file(out, epoch))

    bar = _Bar(console)
    with bar as show:
        network = or_on_the_cpu(
            device,
            lambda where: training.train_sentiment(
                corpus,
                recipe,
                device=where,
                checkpoint=checkpoint,
                progress=show,
                every_epoch=save if every_epoch else None,
            ),
            console.print,
        )

    console.print("testing on the test reviews")
    test = training.EncodedReviews.from_reviews(test_reviews, corpus.vocabulary, recipe.cut)
    epochs_tested = [epoch_file(out, epoch) for epoch in range(recipe.epochs + 1)] if every_epoch else []
    for file in track(epochs_tested, "testing every epoch", console=console, disable=not epochs_tested):
        early = Network.load(file)
        early.info |= {"accuracy": f"{training.accuracy(early, test):.5f}"}
        early.save(file)
    accuracy = training.accuracy(network, test)
    network.info |= {"accuracy": f"{accuracy:.5f}"}
    network.save(out)
    checkpoint.unlink(missing_ok=True)
    console.print(f"{out}: {accuracy:.2%} of {len(test):,} test reviews classified correctly")
    epochs = [
        {
            "epoch": now.epoch + 1,
            "loss": now.loss,
            "validation_loss": now.validation_loss,
            "validation_accuracy": now.validation_accuracy,
            "seconds": now.seconds,
        }
        for now in bar.epochs
    ]
    return {"file": str(out), "accuracy": accuracy, "reviews": len(test), "epochs": epochs}, bar.epochs


def _train_task(recipe: TaskRecipe, device: str, out: Path | None, plot: bool, as_json: bool) -> None:
    from engine.devices import or_on_the_cpu
    from engine.task_training import train_task

    out = out or Path(f"{recipe.cell}-{recipe.size}-{recipe.task}-s{recipe.seed}.safetensors")
    console = Console(stderr=as_json)
    losses: list[float] = []
    columns = (TextColumn("batch"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("loss {task.fields[loss]:.4f}"), console=console) as bar:
        row = bar.add_task("", total=recipe.batches, loss=float("nan"))

        def show(batch: int, loss: float) -> None:
            losses[batch - 1 :] = [loss]
            bar.update(row, completed=batch, loss=loss)

        network = or_on_the_cpu(device, lambda on: train_task(recipe, device=on, progress=show), console.print)
    network.save(out)
    console.print(f"{out}: {float(network.info['accuracy']):.2%} of the answers to new sequences correct")
    if as_json:
        result = {"file": str(out), "accuracy": float(network.info["accuracy"]), "losses": losses}
        click.echo(json.dumps(result, indent=2))
    elif plot:
        click.echo(curves("Training loss", [Curve("", range(1, len(losses) + 1), losses)], "batch", "loss"), nl=False)


def _plot_epochs(epochs: list[training.Progress]) -> None:
    """Draw the loss curves of the epochs of this run; a resumed run has only its own."""
    if not epochs:
        click.echo("no loss curve: every epoch was trained before this run resumed")
        return
    number = [now.epoch + 1 for now in epochs]
    drawn = [Curve("training", number, [now.loss for now in epochs])]
    if epochs[0].validation_loss is not None:
        drawn.append(Curve("validation", number, [now.validation_loss or float("nan") for now in epochs]))
    click.echo(curves("Loss", drawn, "epoch", "loss"), nl=False)


class _Bar:
    """Progress: a bar with the time left on a terminal, and a line for each epoch everywhere."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.epochs: list[training.Progress] = []
        """The last report of every epoch."""
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
        if now.ends_epoch:
            self.epochs = [known for known in self.epochs if known.epoch < now.epoch] + [now]
            validation = (
                f"validation loss {now.validation_loss:.4f}, accuracy {now.validation_accuracy:.2%}, "
                if now.validation_loss is not None
                else ""
            )
            self.console.print(
                f"epoch {now.epoch + 1}: training loss {now.loss:.4f}, {validation}{now.seconds:.0f} s", highlight=False
            )
