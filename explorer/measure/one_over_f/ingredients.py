"""Effects of the ingredients of the published recipe: β of training runs of which every epoch was stored.

`find_runs` finds them, `measure_run` measures every epoch of one, and `rows` and `epoch_rows` make the tables of
docs/one_over_f.md from the JSON document of `document`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from engine.activity import is_dead
from engine.beta import series_beta
from engine.catalogue import NetworkError, describe
from engine.corpus_statistics import corpus_statistics
from engine.devices import or_on_the_cpu
from engine.epochs import epoch_files
from engine.fluctuation import SCALES
from engine.network import Network, Vocabulary
from engine.recipes import PUBLISHED, Recipe
from engine.recording import record
from engine.reviews import CUT, Review
from engine.state_runs import last_probability
from engine.training import EncodedReviews
from explorer.measure.one_over_f.means import FEWEST, MeanInterval
from explorer.measure.one_over_f.published import EXTERNAL, INTERNAL
from explorer.measure.one_over_f.results import summary
from explorer.measure.study.cache import cache_file, cached
from explorer.measure.study.output import json_values
from explorer.measure.study.progress import ShowFraction

FORMAT: Final = "pinkx ingredients 2"
VERSION: Final = 1  # of cached results: increase it when the numbers change

EARLIER: Final = "lowest test loss"  # the published recipe, ended at that epoch

Measured = Mapping[str, Any]


@dataclass(frozen=True)
class TrainingRun:
    """A training run: its recipe, and the file of every epoch."""

    recipe: Recipe
    files: Mapping[int, Path]

    @property
    def changes(self) -> str:
        """Differences from the published recipe, such as "padding none"; "published" without any."""
        given = asdict(self.recipe)
        changed = [name for name in given if name not in ("size", "seed") and given[name] != getattr(PUBLISHED, name)]
        if "epochs" in changed and given["epochs"] < PUBLISHED.epochs:  # its epochs are those of a longer run
            changed.remove("epochs")
        return ", ".join(f"{name.replace('_', ' ')} {given[name]}" for name in changed) or "published"


@dataclass(frozen=True, eq=False)
class Corpus:
    """Reviews that are not trained on: ``long`` for β, measured on ``device``, and ``test`` for loss and accuracy."""

    long: Sequence[Review]
    test: Sequence[Review]
    device: str = "cpu"

    @cached_property
    def digest(self) -> str:
        """Hash of the words that are read."""
        content = hashlib.sha256()
        for review in (*self.long, None, *self.test):
            content.update(b"\0" if review is None else f"\n{review.label} {' '.join(review.words[:CUT])}".encode())
        return content.hexdigest()

    def encoded(self, vocabulary: Vocabulary) -> tuple[NDArray[np.int32], EncodedReviews]:
        """Return the ids of ``long`` (review, time), and ``test``; encoded once for each vocabulary."""
        if vocabulary.words not in self._known:
            long = np.stack([vocabulary.encode(review.words[:CUT]) for review in self.long])
            self._known[vocabulary.words] = long, EncodedReviews.from_reviews(self.test, vocabulary)
        return self._known[vocabulary.words]

    @cached_property
    def _known(self) -> dict[tuple[str, ...], tuple[NDArray[np.int32], EncodedReviews]]:
        return {}


def find_runs(folders: Iterable[Path]) -> list[TrainingRun]:
    """Return the runs with files of epochs in these folders, the published recipe first.

    Raises
    ------
    ValueError
        If a folder has none.
    """
    runs = []
    for given in folders:
        inner = given / "networks"  # of a sweep
        folder = inner if inner.is_dir() else given
        found: dict[tuple[Path, ...], dict[int, Path]] = {}
        for path in sorted(folder.glob("*.safetensors")):
            files = epoch_files(path)
            if len(files) > 1:
                found[tuple(files.values())] = files
        if not found:
            raise ValueError(
                f"{str(folder)!r} has no networks of single epochs (NAME-e00.safetensors, NAME-e01.safetensors, …); "
                "train some with `pinkx train --every-epoch --out FOLDER/NAME.safetensors`"
            )
        for files in found.values():
            stored = describe(next(iter(files.values()))).json()["recipe"]
            runs.append(TrainingRun(Recipe(**stored), files))
    return sorted(runs, key=lambda run: _order(run.changes, run.recipe.size, run.recipe.seed))


def _order(changes: str, size: int, seed: int) -> tuple[bool, str, int, int]:
    """Return the sort key of a run: the published recipe first, then by size and seed."""
    return changes != "published", changes, size, seed


def measure_run(
    run: TrainingRun, corpora: Mapping[str, Corpus], folder: Path, show: ShowFraction = lambda fraction: None
) -> dict[str, Any]:
    """Measure every epoch of a run on the reviews of its split, or read what ``folder`` has of it."""
    corpus, epochs = corpora[run.recipe.split], []
    for done, (epoch, path) in enumerate(run.files.items()):
        show(done / len(run.files))
        epochs.append({"epoch": epoch, **_measured_file(path, run.recipe, corpus, folder)})
        if epoch and epochs[-1]["loss"] is None:
            raise ValueError(f"{path}: its header lacks the training loss; train it with `pinkx train --every-epoch`")
    recipe = asdict(run.recipe)
    return {"changes": run.changes, "size": recipe["size"], "seed": recipe["seed"], "recipe": recipe, "epochs": epochs}


def _measured_file(path: Path, recipe: Recipe, corpus: Corpus, folder: Path) -> dict[str, Any]:
    network = Network.load(path)
    stored = json.loads(network.info.get("measured", "{}"))
    losses = {"loss": stored.get("training_loss")}
    if "validation_loss" in stored:
        losses["validation_loss"] = stored["validation_loss"]
    weights = [*network.cell.weights().values(), network.readout_weight, network.readout_bias, network.embedding]
    key = [float(weight.double().square().sum()) for weight in weights if weight is not None]
    file = cache_file(folder, path.stem, VERSION, key, corpus.digest)
    found: dict[str, Any] = cached(file, lambda: measure_network(network, recipe, corpus), dict)
    return {**losses, **found}


def measure_network(network: Network, recipe: Recipe, corpus: Corpus) -> dict[str, Any]:
    """Return test loss, test accuracy, dead cells, and `summary` of β of every signal and of the logit."""
    if network.vocabulary is None or network.outputs != 1 or network.activation != "sigmoid":
        raise NetworkError(f"{network.name} is no network that reads words and has one output, P(positive)")
    long, test = corpus.encoded(network.vocabulary)
    found = or_on_the_cpu(corpus.device, lambda name: corpus_statistics(network.to(device=name), long))
    beta = {name: summary(found.exponents(name).beta) for name in found.signals}
    weight = network.readout_weight[:1].detach().double().cpu().numpy().T
    logits = (record(network, list(long), ("h",))["h"].astype(np.float64) @ weight)[..., 0]
    beta["logit"] = summary(series_beta(logits, SCALES))
    right = test.labels > 0.5
    p = np.clip(last_probability(network, test.padded(recipe).ids), 1e-7, 1 - 1e-7)
    return {
        "test_accuracy": float(np.mean((p >= 0.5) == right)),
        "test_loss": float(-np.mean(np.log(np.where(right, p, 1 - p)))),
        "dead": int(is_dead(found.deviation.mean(axis=0)).sum()),
        "beta": beta,
    }


def read_document(path: Path, corpus: Corpus) -> list[Measured]:
    """Return the runs of a document that were measured on the same reviews.

    Raises
    ------
    ValueError
        If it is no document of `document`, or was measured on other reviews.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        runs = _latest(found["runs"])
        form = found["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not an ingredients.json of `pinkx measure ingredients` ({error!r})") from error
    if form != FORMAT:
        raise ValueError(f"{path}: its format is {form!r}, expected {FORMAT!r}")
    # Older documents have no digest.
    if other := [key for key, value in _reviews(corpus).items() if found.get(key, value) != value]:
        raise ValueError(
            f"{path}: measured on other reviews ({', '.join(other)} differ); expected the {len(corpus.long)} for β and "
            f"the {len(corpus.test)} test reviews of this run: set --reviews, --test-reviews and --imdb accordingly"
        )
    return runs


def _reviews(corpus: Corpus) -> dict[str, Any]:
    return {"reviews": len(corpus.long), "test_reviews": len(corpus.test), "digest": corpus.digest}


def document(runs: Sequence[Measured], corpus: Corpus) -> dict[str, Any]:
    """Return all numbers as JSON values; of runs with equal recipes, the last one."""
    found: dict[str, Any] = json_values({"format": FORMAT, **_reviews(corpus), "runs": _latest(runs)}, digits=5)
    return found


def _latest(runs: Iterable[Measured]) -> list[Measured]:
    """Return the last run of each recipe, in the order of the tables."""
    latest = {json.dumps(run["recipe"], sort_keys=True): run for run in runs}
    return sorted(latest.values(), key=lambda run: _order(run["changes"], run["size"], run["seed"]))


# ---- tables --------------------------------------------------------------------------------------------------------


def chosen(run: Measured, selection: str = "recipe") -> Measured:
    """Return the measurements of the epoch that the recipe of a run selects, or of that with the lowest test loss."""
    epochs = [one for one in run["epochs"] if one["epoch"] > 0]
    by_recipe = "validation_loss" if run["recipe"]["selection"] == "validation" else "loss"
    name = "test_loss" if selection == "test" else by_recipe
    best: Measured = min(epochs, key=lambda one: float(one[name]))
    return best


def _mean(values: Sequence[float], digits: int = 2) -> str:
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def group_betas(ones: Sequence[Measured], group: Sequence[str]) -> list[float]:
    """Return the mean β over the signals of a group, for each of the epochs."""
    return [float(np.mean([one["beta"][signal]["mean"] for signal in group])) for one in ones]


def _row(name: str, ones: Sequence[Measured]) -> list[str]:
    """Return a row of the table: one ingredient, the epochs chosen in its runs."""
    h = MeanInterval.of([one["beta"]["h"] for one in ones])
    return [
        *(name, str(len(ones)), ", ".join(f"{one['beta']['h']['mean']:.2f}" for one in ones)),
        f"{h.low:.2f} … {h.high:.2f}" if len(ones) >= FEWEST else "–",
        *(_mean(group_betas(ones, group)) for group in (INTERNAL["lstm"], EXTERNAL["lstm"])),
        _mean([one["beta"]["logit"]["mean"] for one in ones]),
        _mean([one["beta"]["x"]["mean"] for one in ones]),
        ", ".join(str(one["dead"]) for one in ones),
        ", ".join(str(one["epoch"]) for one in ones),
        _mean([one["loss"] for one in ones], 3),
        _mean([one["test_loss"] - one["loss"] for one in ones], 3),
        _mean([100 * one["test_accuracy"] for one in ones], 1),
    ]


HEADINGS: Final = (
    *("recipe", "networks", "β of h of each", "95% interval", "internal", "external", "logit", "x", "dead"),
    *("epoch", "training loss", "gap", "test accuracy, %"),
)


class Group(NamedTuple):
    """Runs that differ in the seed alone: by what differs from the published recipe, and by the number of cells."""

    changes: str
    size: int

    def label(self, smallest: int) -> str:
        """Return the name in tables, which says the number of cells except of the smallest networks."""
        return self.changes if self.size == smallest else f"{self.changes}, {self.size} cells"


def smallest_size(document: Measured) -> int:
    """Return the smallest number of cells of all runs."""
    return min(int(run["size"]) for run in document["runs"])


def grouped(document: Measured) -> dict[Group, list[Measured]]:
    """Return the runs by group, in the order of the document."""
    runs: dict[Group, list[Measured]] = {}
    for run in document["runs"]:
        runs.setdefault(Group(run["changes"], run["size"]), []).append(run)
    return runs


def published_by_size(document: Measured) -> dict[int, list[Measured]]:
    """Return the chosen epochs of the runs under the published recipe, by the number of cells."""
    groups = grouped(document).items()
    return {group.size: [chosen(run) for run in runs] for group, runs in groups if group.changes == "published"}


def size_trend(published: Mapping[int, Sequence[Measured]]) -> str:
    """Return the rank correlation of β of h with the number of cells, in words; the runs as in `published_by_size`."""
    pairs = [(size, one["beta"]["h"]["mean"]) for size, ones in published.items() for one in ones]
    rho, p = spearmanr(*zip(*pairs, strict=True))
    return f"the rank correlation ρ = {rho:.2f} (two-sided p = {p:.2g}, one test, {len(pairs)} networks)"


def paired_changes(document: Measured, of: Callable[[Measured], float]) -> dict[Group, list[float]]:
    """Return the changes of a quantity of the chosen epoch, for each group.

    They are differences from the published recipe with the same size and seed. `EARLIER` is the change by an earlier
    end of the published recipe itself.
    """
    published: dict[tuple[int, int], float] = {}
    changes: dict[Group, list[float]] = {}
    for group, runs in grouped(document).items():
        values = {(run["size"], run["seed"]): of(chosen(run)) for run in runs}
        if group.changes == "published":
            published |= values
            earlier = [of(chosen(run, "test")) - of(chosen(run)) for run in runs]
            changes[Group(EARLIER, group.size)] = earlier
        elif both := values.keys() & published.keys():
            changes[group] = [values[key] - published[key] for key in sorted(both)]
    return changes


def rows(document: Measured) -> list[list[str]]:
    """Return the rows of the table of ingredients: two for each, by the loss that selects the epoch."""
    table = []
    smallest = smallest_size(document)
    for group, runs in grouped(document).items():
        table.append(_row(group.label(smallest), [chosen(run) for run in runs]))
        table.append(_row("… epoch of the lowest test loss", [chosen(run, "test") for run in runs]))
    return table


SHOWN_EPOCHS: Final = (0, 1, 2, 3, 5, 8, 12, 16, 20, 25, 40, 60)


def epoch_rows(document: Measured) -> list[list[str]]:
    """Return the rows of the table of epochs: means over the runs of an ingredient, from the untrained network on."""
    table = []
    smallest = smallest_size(document)
    for group, runs in grouped(document).items():
        for epoch in SHOWN_EPOCHS:
            ones = [one for run in runs for one in run["epochs"] if one["epoch"] == epoch]
            if not ones:
                continue
            known = [one["loss"] for one in ones if one["loss"] is not None]
            table.append(
                [
                    *(group.label(smallest), str(len(ones)), str(epoch)),
                    *(_mean([one["beta"][signal]["mean"] for one in ones]) for signal in ("h", "logit")),
                    *(_mean(group_betas(ones, group)) for group in (INTERNAL["lstm"], EXTERNAL["lstm"])),
                    _mean(known, 3) if known else "–",
                    _mean([one["test_loss"] for one in ones], 3),
                    _mean([100 * one["test_accuracy"] for one in ones], 1),
                ]
            )
    return table


EPOCH_HEADINGS: Final = (
    *("recipe", "networks", "epoch", "β of h", "logit", "internal", "external"),
    *("training loss", "test loss", "test accuracy, %"),
)
