"""``pinkx measure ingredients``: what single ingredients of a training recipe change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from explorer.commands.device_option import device_option
from explorer.commands.on_option import on_option
from explorer.measure.study.cache import FOLDER
from explorer.measure.study.options import set_threads
from explorer.measure.study.progress import NetworkProgress, time_left

if TYPE_CHECKING:
    from engine.reviews import Review
    from explorer.measure.one_over_f.ingredients import Corpus, TrainingRun


@click.command
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--reviews", "count", type=click.IntRange(2), default=300, show_default=True,
    help="Number of test reviews of 500 words or more for β, evenly spaced.",
)  # fmt: skip
@click.option(
    "--test-reviews", type=click.IntRange(2), default=5000, show_default=True,
    help="Number of test reviews for loss and accuracy, evenly spaced.",
)  # fmt: skip
@click.option(
    "--imdb", type=click.Path(path_type=Path), help="The IMDb archive.  [default: $PINKX_IMDB, or the downloaded one]"
)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Number of CPU threads.")
@device_option
@on_option
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default="ingredients", show_default=True,
    help="Folder for the numbers.",
)  # fmt: skip
@click.option(
    "--add-to", "earlier", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="An ingredients.json measured on the same reviews: keep its runs, unless they are measured again.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as a JSON object, not the table.")
def command(
    folders: tuple[Path, ...],
    count: int,
    test_reviews: int,
    imdb: Path | None,
    threads: int,
    device: str,
    on: str | None,
    out: Path,
    earlier: Path | None,
    as_json: bool,
) -> None:
    """Measure every epoch of the training runs in FOLDERS: β of every signal and of the logit, loss, accuracy.

    Runs of --split joined are measured on the reviews that this split does not train on.

    Train them with `pinkx train --recipe published --every-epoch --grid 'seed=0..2 switch=all'`; switch=none,NAME
    changes one ingredient only. Results are cached in OUT/cache: to resume an interrupted run, run the same command
    again.
    """
    from engine.devices import choose
    from engine.files import atomic_write
    from engine.reviews import CUT, open_reviews
    from engine.training import split_reviews
    from explorer.measure.one_over_f import ingredients
    from explorer.measure.one_over_f.sample import evenly

    chosen = choose(device, "reviews").device
    set_threads(threads)
    runs = ingredients.find_runs(folders)
    console = Console(stderr=True)
    with time_left(console) as bar:
        test = open_reviews("imdb", split="test", imdb=imdb)
        held_out: dict[str, Sequence[Review]] = {"official": test}
        if joined := [run.recipe for run in runs if run.recipe.split == "joined"]:
            held_out["joined"] = split_reviews(open_reviews("imdb", split="train", imdb=imdb), test, joined[0])[1]
        corpora = {
            split: ingredients.Corpus(
                evenly([review for review in reviews if len(review.words) >= CUT], count),
                evenly(reviews, test_reviews),
                chosen,
            )
            for split, reviews in held_out.items()
        }
    corpus = corpora["official"]
    kept = ingredients.read_document(earlier, corpus) if earlier is not None else []
    if on is not None:
        _spread(runs, corpora, out / FOLDER, on)
    with time_left(console) as bar:
        progress = NetworkProgress(bar, [f"{run.changes}, seed {run.recipe.seed}" for run in runs])
        measured = [
            progress.measure(number, partial(ingredients.measure_run, run, corpora, out / FOLDER))
            for number, run in enumerate(runs)
        ]
    document = ingredients.document([*kept, *measured], corpus)
    path = out / "ingredients.json"
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    if as_json:
        click.echo(text, nl=False)
        return
    for row in (ingredients.HEADINGS, *ingredients.rows(document)):
        click.echo("  ".join(row))
    click.echo(path)


def _spread(runs: Sequence[TrainingRun], corpora: Mapping[str, Corpus], folder: Path, on: str) -> None:
    """Measure the epochs of runs elsewhere into the cache."""
    from explorer.measure.one_over_f import ingredients
    from explorer.measure.study.spread import Call, fill_cache

    calls = [
        Call(
            f"{run.changes}, seed {run.recipe.seed}",
            (
                ingredients.VERSION,
                corpora[run.recipe.split].digest,
                [sha256(path.read_bytes()).hexdigest() for path in run.files.values()],
            ),
            ingredients.measure_run,
            (run,),
        )
        for run in runs
    ]
    fill_cache(folder, on, calls, (corpora,))
