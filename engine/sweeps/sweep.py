"""A sweep: the networks of a grid, trained in shards into one folder.

``FOLDER/sweep.json`` has the grid and the versions of the libraries, ``FOLDER/networks`` the networks,
``FOLDER/shards`` the results of the shards, and ``FOLDER/table.csv`` (or ``.parquet``) one row a network.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from engine.checkpoints import CheckpointError
from engine.devices import or_on_the_cpu
from engine.epochs import epoch_file
from engine.files import atomic_write
from engine.network import Network
from engine.recipes import Recipe
from engine.reviews import Review
from engine.sweeps.grid import Grid
from engine.sweeps.shards import Progress, Result, Shard, Store, digest_of, run_shards
from engine.sweeps.side_by_side import SHARED, train_side_by_side
from engine.sweeps.table import write_table
from engine.sweeps.tasks_side_by_side import TASK_SHARED, train_tasks_side_by_side
from engine.task_training import TaskRecipe
from engine.training import EncodedReviews, accuracy, split_reviews

Splits = tuple[Sequence[Review], Sequence[Review]]
Show = Callable[[Progress], None]
Say = Callable[[str], None]

FORMAT: Final = "pinkx sweep 1"
VERSION: Final = 2  # of training: increase it when the weights change
NETWORKS: Final = "networks"
SHARDS: Final = "shards"
UNFINISHED: Final = ".checkpoint"
"""Suffix of the folder of a shard that is not finished, ``shards/DIGEST.checkpoint``."""

ROWS: Final = 8192
"""Cells times sequences of a step of all networks trained side by side: more no longer fit the caches."""
MOST: Final = 16
"""Networks trained side by side at most: more are hardly faster, and fewer shards keep fewer workers busy."""
ALONE: Final = 64
"""Sequences above which PyTorch's fused LSTM of one network is faster."""

_LIBRARIES: Final = ("numpy", "torch", "numba")


def group_size(cell: str, size: int, sequences: int) -> int:
    """Return the number of networks of a shape to train together, as measured with 8 and 10 cells (docs/sweeps.md).

    It does not depend on the number of workers, so that neither do the results.
    """
    if cell == "lstm" and sequences > ALONE:
        return 1
    return max(1, min(MOST, ROWS // (size * sequences)))


@dataclass(frozen=True)
class Corpus:
    """Encoded reviews to train and to test on, for all recipes of one vocabulary, cut and split."""

    train: EncodedReviews
    test: EncodedReviews
    digest: str

    @classmethod
    def encode(cls, splits: Splits, recipe: Recipe) -> Corpus:
        """Encode the reviews as a recipe wants them."""
        reviews, tests = split_reviews(*splits, recipe)
        train = EncodedReviews.from_reviews(reviews, recipe.vocabulary, recipe.cut)
        test = EncodedReviews.from_reviews(tests, train.vocabulary, recipe.cut)
        content = hashlib.sha256("\n".join(train.vocabulary.words).encode())
        for part in (train, test):
            content.update(part.labels.tobytes() + b";".join(ids.tobytes() for ids in part.ids))
        return cls(train, test, content.hexdigest())


def train_sweep(
    folder: Path,
    grid: Grid[Any],
    splits: Splits | None = None,
    *,
    on: str | None = None,
    every_epoch: bool = False,
    device: str = "cpu",
    progress: Show = lambda now: None,
    report: Say = lambda text: None,
) -> list[dict[str, Any]]:
    """Train the networks of a grid that the folder does not have yet, and return the rows of its table.

    Parameters
    ----------
    folder : Path
    grid : Grid
        Of `Recipe` or of `TaskRecipe`.
    splits : pair of sequences of Review, optional
        Reviews to train and to test on; for recipes of sentiment networks.
    on : str, optional
        See `engine.sweeps.executors`.
    every_epoch : bool
        Also save the networks after every epoch, as `engine.epochs.epoch_file` names them.
    device : str
        Where every worker trains, ``cpu`` or ``cuda``.
    progress, report : callable
        See `engine.sweeps.shards.run_shards`.

    Raises
    ------
    ValueError
        If the folder has a network of the same name and another recipe, or a shard fails.
    """
    _describe(folder, grid)
    store = Store(folder / SHARDS, folder / NETWORKS)
    store.folder.mkdir(exist_ok=True)
    shards, shared = _shards(grid, splits, every_epoch, device, store.folder.absolute())

    def show(now: Progress) -> None:
        for unfinished in store.folder.glob(f"*{UNFINISHED}"):
            if unfinished.with_suffix(".json").exists():
                shutil.rmtree(unfinished, ignore_errors=True)
        progress(now)

    values = run_shards(shards, on, store, shared=(shared,), progress=show, report=report)
    trained = {row["name"]: row for group in values for row in group}
    rows = [_row(grid, stem, trained[stem]) for stem in grid.recipes]
    write_table(folder, rows)
    return rows


def _describe(folder: Path, grid: Grid[Any]) -> None:
    """Write ``sweep.json``, with the networks of earlier grids in the same folder."""
    path = folder / "sweep.json"
    recipes = {stem: asdict(recipe) for stem, recipe in grid.recipes.items()}
    known: dict[str, Any] = {}
    if path.exists():
        try:
            known = dict(json.loads(path.read_text(encoding="utf-8"))["networks"])
        except (ValueError, LookupError, TypeError):
            raise ValueError(f"{path} is damaged; delete it, or choose another folder with --out") from None
    for stem, recipe in recipes.items():
        if known.get(stem, recipe) != recipe:
            differing = [name for name in recipe if known[stem].get(name) != recipe[name]]
            raise ValueError(
                f"{folder} has a network {stem} of another recipe ({', '.join(differing)}); choose another folder "
                "with --out"
            )
    document = {
        "format": FORMAT,
        "grid": grid.text,
        "varying": list(grid.varying),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in ("pinkx", *_LIBRARIES)}},
        "networks": known | recipes,
    }
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _row(grid: Grid[Any], stem: str, trained: Mapping[str, Any]) -> dict[str, Any]:
    recipe = asdict(grid.recipes[stem])
    varying = {name: recipe.get(name, grid.switches.get(stem)) for name in grid.varying}
    head = {"name": stem, "file": f"{NETWORKS}/{stem}.safetensors"}
    return {**head, **{name: recipe[name] for name in ("cell", "size", "seed")}, **varying, **trained}


# ---- shards --------------------------------------------------------------------------------------------------------


def _shards(
    grid: Grid[Any], splits: Splits | None, every_epoch: bool, device: str, folder: Path
) -> tuple[list[Shard], dict[str, Corpus]]:
    """Return the shards of a grid, each a group of networks of one shape, and the corpora that they read."""
    corpora: dict[tuple[Any, ...], Corpus] = {}
    groups: dict[tuple[Any, ...], list[str]] = {}
    for stem, recipe in grid.recipes.items():
        names = SHARED if isinstance(recipe, Recipe) else TASK_SHARED
        groups.setdefault(tuple(getattr(recipe, name) for name in names), []).append(stem)
    shards = []
    for stems in groups.values():
        first = grid.recipes[stems[0]]
        sequences, corpus = first.batch, ""
        if isinstance(first, Recipe):
            assert splits is not None, "sentiment networks need reviews"
            key = (first.vocabulary, first.cut, first.split)
            if key not in corpora:
                corpora[key] = Corpus.encode(splits, first)
            corpus = corpora[key].digest
            sequences = max(1, min(first.batch, len(corpora[key].train) - first.validation))
        width = group_size(first.cell, first.size, sequences)
        for start in range(0, len(stems), width):
            some = stems[start : start + width]
            recipes = [grid.recipes[stem] for stem in some]
            where = [] if device == "cpu" else [device]
            digest = digest_of(FORMAT, VERSION, [asdict(one) for one in recipes], some, corpus, every_epoch, *where)
            name = some[0] if len(some) == 1 else f"{some[0]} … {some[-1]}"
            options = _Options(every_epoch, device, folder / f"{digest}{UNFINISHED}")
            if corpus:
                shards.append(Shard(name, digest, _train_reviews, (some, recipes, corpus, options)))
            else:
                shards.append(Shard(name, digest, _train_tasks, (some, recipes, device)))
    return shards, {corpus.digest: corpus for corpus in corpora.values()}


@dataclass(frozen=True)
class _Options:
    """Options for the training of a group; ``folder`` holds the results so far."""

    every_epoch: bool
    device: str
    folder: Path


def _train_reviews(
    stems: Sequence[str], recipes: Sequence[Recipe], digest: str, options: _Options, corpora: Mapping[str, Corpus]
) -> Result:
    """Train a group of sentiment networks, and test them; continue from a checkpoint where the worker sees one."""
    start, corpus = time.process_time(), corpora[digest]
    _check(options.device)
    files: dict[str, bytes] = {}
    folder = options.folder if options.folder.parent.is_dir() else None

    def add(stem: str, network: Network) -> float:
        right = accuracy(network, corpus.test) if len(corpus.test) else float("nan")
        network.info |= {"accuracy": f"{right:.5f}"}
        files[f"{stem}.safetensors"] = _content(network)
        return right

    def save(k: int, epoch: int, network: Network) -> None:
        network.info |= {"epoch": str(epoch)}
        stem = epoch_file(Path(f"{stems[k]}.safetensors"), epoch).stem
        add(stem, network)
        if folder is not None:
            folder.mkdir(exist_ok=True)
            with atomic_write(folder / stem) as temporary:
                temporary.write_bytes(files[f"{stem}.safetensors"])

    def train_on(device: str) -> list[Network]:
        return train_side_by_side(
            corpus.train,
            recipes,
            device=device,
            checkpoint=None if folder is None else folder / "state",
            every_epoch=save if options.every_epoch else None,
        )

    try:
        networks = or_on_the_cpu(options.device, train_on)
    except CheckpointError:
        assert folder is not None
        shutil.rmtree(folder)
        networks = or_on_the_cpu(options.device, train_on)
    if options.every_epoch and folder is not None:  # those before the checkpoint
        for stem, recipe in zip(stems, recipes, strict=True):
            for epoch in range(recipe.epochs + 1):
                early = epoch_file(Path(f"{stem}.safetensors"), epoch)
                files.setdefault(early.name, (folder / early.stem).read_bytes())
    rights = [add(stem, network) for stem, network in zip(stems, networks, strict=True)]
    seconds = (time.process_time() - start) / len(stems)
    rows = []
    for stem, recipe, network, right in zip(stems, recipes, networks, rights, strict=True):
        measured = json.loads(network.info["measured"])
        loss = measured[f"{recipe.selection}_loss"]
        rows.append({"name": stem, "accuracy": right, "loss": loss, "epoch": measured["epoch"], "seconds": seconds})
    return Result(rows, files)


def _train_tasks(stems: Sequence[str], recipes: Sequence[TaskRecipe], device: str, _: Mapping[str, Corpus]) -> Result:
    """Train a group of networks on their tasks; their loss is the mean of the last hundred batches."""
    start = time.process_time()
    _check(device)
    last: dict[int, Sequence[float]] = {}  # batch → losses

    def note(batch: int, losses: Sequence[float]) -> None:
        if batch > recipes[0].batches - 100:
            last[batch] = losses

    networks = or_on_the_cpu(device, lambda where: train_tasks_side_by_side(recipes, device=where, progress=note))
    files = {f"{stem}.safetensors": _content(network) for stem, network in zip(stems, networks, strict=True)}
    seconds = (time.process_time() - start) / len(stems)
    losses = np.mean([*last.values()], axis=0).tolist()
    rows = [
        {"name": stem, "accuracy": float(network.info["accuracy"]), "loss": loss, "seconds": seconds}
        for stem, network, loss in zip(stems, networks, losses, strict=True)
    ]
    return Result(rows, files)


def _check(device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: PyTorch finds no CUDA device where this shard runs; use --device cpu")


def _content(network: Network) -> bytes:
    """Return the file of a network."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        network.save(path)
        return path.read_bytes()
