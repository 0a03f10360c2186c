"""The formats that pinkx reads: a good file of each, how it is damaged, and what is done with what was read."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from engine.basins import Basins, basins, uniform_states
from engine.catalogue import describe
from engine.cells import GruCell
from engine.epochs import measure_epoch
from engine.fixed_points import find_fixed_points
from engine.imdb import read_archive
from engine.importers.parts import ImportOptions
from engine.importers.read import import_network
from engine.live.commands import Open, Seek
from engine.live.replay import Analysis, load_recording, recorded, save_recording
from engine.live.ring import Ring
from engine.live.run import LiveRun, Settings
from engine.live.snapshot import Event
from engine.network import Network
from engine.points import FixedPoints
from engine.recipes import Recipe
from engine.recording import record
from engine.reviews import Review, open_reviews
from engine.training import EncodedReviews, train_sentiment
from engine.word_attractors import WordAttractors, word_attractors
from explorer.session.keymap import actions_with, load_keys
from explorer.session.saved_state import State, load_state, save_state
from tests.engine.importers.torch_files import Classifier, prefixed, save
from tests.explorer.small import REVIEWS, small_network
from tests.robustness import mutations
from tests.robustness.mutations import Mutation

CLEAN = (ValueError, OSError)
"""What a verb prints as one line: `explorer.cli`."""


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes
    ----------
    file_name : str
    make : callable
        Write a good file.
    damage : callable
        Return a damaged copy of its bytes.
    use : callable
        Read the file, and do with its contents what the program does.
    clean : tuple of exception types
        What ``use`` may raise.
    """

    file_name: str
    make: Callable[[Path], object]
    damage: Mutation
    use: Callable[[Path], object]
    clean: tuple[type[Exception], ...] = field(default=CLEAN)


# ---- what the program does with a file -----------------------------------------------------------------------------


class _Outlet:
    """The outlet of a run in this thread."""

    def __init__(self) -> None:
        self.failed = ""

    def allocate(self, network: Network, widths: dict[str, int], capacity: int) -> Ring:
        return Ring(widths, capacity)

    def publish(self, snapshot: Any, reviews: Any) -> None:
        """Nothing looks."""

    def emit(self, event: Event) -> None:
        if event.kind == "failed":
            self.failed = event.message


def read_live(network: Network, reviews: list[Any]) -> None:
    """Read a review as the engine of a live run does, in this thread."""
    outlet = _Outlet()
    run = LiveRun(network, Settings(window=32, capacity=64), outlet)  # type: ignore[arg-type]
    for command in (Open(reviews, 0), Seek(20), None):
        run.commands.put(command)
    run.work()
    if outlet.failed:
        raise AssertionError(f"the engine failed: {outlet.failed}")


def use_network(path: Path) -> None:
    describe(path).json()
    network = Network.load(path)
    network.save(path.with_name("again.safetensors"))
    if network.vocabulary is None:
        record(network, np.zeros((3, network.cell.inputs), dtype=np.float32))
    else:
        network.classify(network.vocabulary.encode(REVIEWS[1].words))
        [network.vocabulary.word(number) for number in range(min(len(network.vocabulary), 40))]
    read_live(network, list(REVIEWS))
    if network.cell.size <= 12 and network.vocabulary is not None:
        measure_epoch(0, path, [REVIEWS[1].words], [True])


def use_recording(path: Path) -> None:
    runs = load_recording(path)
    read_live(runs[0].network, runs)
    save_recording(path.with_name("again.safetensors"), runs, "0")


def use_points(path: Path) -> None:
    points = FixedPoints.load(path)
    repr(points)
    points[points.fixed].stability.tolist()
    [points.input_names.tolist(), points.time_constants, points.index_sum]
    points.save(path.with_name("again.npz"))


def use_basins(path: Path) -> None:
    found = Basins.load(path)
    found.interval()
    [(cycle.period, cycle.states.shape[1], abs(cycle.multipliers), cycle.hits) for cycle in found.cycles]
    found.save(path.with_name("again.npz"))


def use_words(path: Path) -> None:
    found = WordAttractors.load(path)
    [found.kind.tolist(), found.words[:3], found.time_constant[found.fixed], found.order_by_logit()]
    found.save(path.with_name("again.npz"))


def use_state(path: Path) -> None:
    state = load_state(path)
    if path.exists():
        save_state(state, path)


def use_reviews(path: Path) -> None:
    for review in open_reviews(path):
        assert len(review.surface) == len(review.words)


def use_archive(path: Path) -> None:
    for review in read_archive(path):
        assert review.name.isprintable()


def use_checkpoint(path: Path) -> None:
    train_sentiment(_reviews(), RECIPE, checkpoint=path)


# ---- good files ----------------------------------------------------------------------------------------------------

RECIPE = Recipe(size=2, embedding=2, vocabulary=20, cut=10, epochs=1, batch=2, validation=1)


def _reviews() -> EncodedReviews:
    return EncodedReviews.from_reviews([Review("a", "a warm film", True), Review("b", "a dull one", False)] * 2, 20)


def make_network(path: Path) -> None:
    network = small_network(4)
    network.info |= {
        "accuracy": "0.8",
        "seed": "1",
        "recipe": json.dumps({"cell": "lstm", "size": 4}),
        "measured": "{}",
    }
    network.save(path)


def make_recording(path: Path) -> None:
    network, review = small_network(4), REVIEWS[1]
    assert network.vocabulary is not None
    ids = network.vocabulary.encode(review.words)
    recording = record(network, ids)
    values = {name: np.asarray(recording[name]).reshape(len(ids), -1) for name in recording.names}
    values["x"] = network.embed(ids).numpy()
    analysis = Analysis(32, (4, 5, 6, 8), 0.02)
    save_recording(path, [recorded(network, review, ids, 0, values, analysis)] * 2, "0.1.0")


def make_points(path: Path) -> None:
    torch.manual_seed(0)
    cell = GruCell.from_torch(torch.nn.GRU(2, 3).double())
    find_fixed_points(cell, torch.zeros(1, 2).double(), torch.randn(8, 3).double(), input_names=["zero"]).save(path)


def make_basins(path: Path) -> None:
    torch.manual_seed(0)
    cell = GruCell.from_torch(torch.nn.GRU(2, 3).double())
    zero = torch.zeros(2).double()
    points = find_fixed_points(cell, zero[None], torch.randn(8, 3).double())
    found = basins(cell, zero, torch.from_numpy(points.states), uniform_states(cell, 16, seed=0))
    assert found is not None
    found.save(path)


def make_words(path: Path) -> None:
    found = word_attractors(small_network(3))
    assert found is not None
    found.save(path)


def make_state(path: Path) -> None:
    session: dict[str, Any] = {
        "network": "lstm-8",
        "reviews": None,
        "review": 2,
        "speed": 8.0,
        "signal": "f",
        "pins": [1, 2],
    }
    session |= {"selected": 3, "azimuth": 20.0, "own_networks": ["a"], "order": "activity", "scaling": True}
    save_state(State(session, {"tab": 1}, {"docks": "00ff", "theme": "dark"}), path)


def make_keys(path: Path) -> None:
    text = '# my keys\nplay = "f15"\nstep = ["f13", "f16"]\n"zoom" = "f17"\nhelp = \'f14\'\n'
    path.write_text(text, encoding="utf-8")


def make_archive(path: Path, kind: int) -> None:
    with tarfile.open(path, "w:gz", format=kind) as archive:
        for label in ("pos", "neg"):
            text = f"a fine film of {label}".encode()
            member = tarfile.TarInfo(f"aclImdb/test/{label}/0_9.txt")
            member.size = len(text)
            member.pax_headers = {"comment": "x", "mtime": "1.5"} if kind == tarfile.PAX_FORMAT else {}
            archive.addfile(member, io.BytesIO(text))


def make_foreign(path: Path) -> None:
    network = small_network(4)
    state = Classifier(network).state_dict()
    save_file(prefixed({name: tensor.contiguous() for name, tensor in state.items()}, "model."), path)


def _vocabulary() -> list[str]:
    network = small_network(4)
    assert network.vocabulary is not None
    return ["<pad>", "<unk>", *network.vocabulary.words]


def make_torch(path: Path, old: bool) -> None:
    value = {"state_dict": Classifier(small_network(4)).state_dict(), "epoch": 3, "vocab": _vocabulary()}
    save(value, path, old=old)


def use_imported(path: Path) -> None:
    words = path.with_name("words.txt")
    words.write_text("\n".join(_vocabulary()))
    parts = import_network(path, ImportOptions(vocabulary=str(words)))
    read_live(Network.from_parts(parts), list(REVIEWS))


def use_vocabulary(path: Path) -> None:
    model = path.with_name("model.safetensors")
    if not model.exists():
        make_foreign(model)
    Network.from_parts(import_network(model, ImportOptions(vocabulary=str(path))))


def make_checkpoint(path: Path) -> None:
    train_sentiment(_reviews(), RECIPE, checkpoint=path)


_CSV = '"text","label","n"\n"A warm, good film",pos,1\n"A ""dull"" film\nof two lines",neg,2\n'
_JSONL = '{"text": "A warm film", "label": 1, "n": 3}\n\n{"text": "A dull one", "label": 0}\n'


def _text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding="utf-8")


FORMATS: dict[str, Format] = {
    "network": Format("n.safetensors", make_network, mutations.damage_safetensors, use_network),
    "recording": Format("r.safetensors", make_recording, mutations.damage_safetensors, use_recording),
    "points": Format("p.npz", make_points, mutations.damage_arrays, use_points),
    "basins": Format("b.npz", make_basins, mutations.damage_arrays, use_basins),
    "words": Format("w.npz", make_words, mutations.damage_arrays, use_words),
    "state": Format("state.json", make_state, mutations.damage_json, use_state),
    "keys": Format("keys.toml", make_keys, mutations.damage_lines, lambda path: actions_with(load_keys(path))),
    "reviews-txt": Format(
        "one.txt", _text("A warm film <br /> of two – lines.\n"), mutations.damage_lines, use_reviews
    ),
    "reviews-csv": Format("two.csv", _text(_CSV), mutations.damage_lines, use_reviews),
    "reviews-jsonl": Format("two.jsonl", _text(_JSONL), mutations.damage_lines, use_reviews),
    "archive-gnu": Format(
        "a.tar.gz", partial(make_archive, kind=tarfile.GNU_FORMAT), mutations.damage_tar, use_archive
    ),
    "archive-pax": Format(
        "a.tar.gz", partial(make_archive, kind=tarfile.PAX_FORMAT), mutations.damage_tar, use_archive
    ),
    "torch-zip": Format("m.pt", partial(make_torch, old=False), mutations.damage_zip, use_imported),
    "torch-old": Format("m.pt", partial(make_torch, old=True), mutations.damage_bytes, use_imported),
    "safetensors": Format("m.safetensors", make_foreign, mutations.damage_safetensors, use_imported),
    "vocabulary-txt": Format("v.txt", _text("\n".join(_vocabulary())), mutations.damage_lines, use_vocabulary),
    "vocabulary-json": Format(
        "v.json", _text(json.dumps({w: k for k, w in enumerate(_vocabulary())})), mutations.damage_json, use_vocabulary
    ),
    "checkpoint": Format("c.safetensors", make_checkpoint, mutations.damage_safetensors, use_checkpoint),
}
