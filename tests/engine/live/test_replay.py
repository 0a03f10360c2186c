"""A run that is saved and played again shows what it showed while it was read."""

import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as save_tensors

from engine.cells import cell_from_torch
from engine.live.replay import Analysis, RecordedReview, ReplayError, load_recording, recorded, save_recording
from engine.live.stream import Snapshot, Stream
from engine.network import Network, Vocabulary
from engine.reviews import Review
from engine.text import split_surface, split_words

REVIEWS = (
    Review("warm <one>", "A warm, half-hearted film. " * 20 + "Zyzzyva!", True),
    Review("dull", "Dull film; a dull and half warm film about nothing at all. " * 7, None),
)


def network(kind: str) -> Network:
    torch.manual_seed(0)
    layer = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind](3, 5)
    words = sorted({word for review in REVIEWS for word in review.words} - {"zyzzyva"})
    return Network(
        cell_from_torch(layer),
        torch.randn(1, 5),
        torch.randn(1),
        embedding=torch.randn(len(words) + 2, 3),
        vocabulary=Vocabulary(words),
        name=f"{kind}-5",
    )


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the stream did not get there"
        time.sleep(0.002)


@pytest.fixture
def streams() -> Iterator[Callable[..., Stream]]:
    opened: list[Stream] = []

    def start(network: Network, **options: float) -> Stream:
        opened.append(Stream(network, window=32, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield start
    for stream in opened:
        stream.close()


def read_to(stream: Stream, reviews: tuple[Review, ...] | list[RecordedReview], index: int, time: int) -> Snapshot:
    run = stream.snapshot.run
    stream.open(reviews, index)
    stream.seek(time)
    until(lambda: stream.snapshot.run > run and stream.snapshot.time == time)
    return stream.snapshot


def saved(stream: Stream, path: Path) -> list[RecordedReview]:
    run = stream.take_recording().result(10)
    assert run is not None
    save_recording(path, [run], "1.2")
    return load_recording(path)


def everything(stream: Stream, snapshot: Snapshot) -> dict[str, object]:
    names = [signal.name for signal in snapshot.network.signals]
    stored = {name: stream.read(name).copy() for name in (*names, "probability", "alpha")}
    fields = ("time", "words", "unknown", "probability", "alpha", "r2", "reason", "cell_alpha", "activity", "dead")
    return stored | {name: getattr(snapshot, name) for name in fields} | {"ids": snapshot.ids.tolist()}


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_every_number_is_that_of_the_live_run(kind: str, streams: Callable[..., Stream], tmp_path: Path) -> None:
    live = streams(network(kind), threshold=0.05)
    here = read_to(live, REVIEWS, 0, REVIEWS[0].words.__len__())
    (run,) = saved(live, tmp_path / "run.safetensors")
    assert (run.name, run.label, run.first, run.analysis.window) == ("warm <one>", True, 0, 32)
    assert run.surface == REVIEWS[0].surface
    played = streams(run.network, threshold=run.analysis.threshold)
    there = read_to(played, [run], 0, here.time)
    expected, got = everything(live, here), everything(played, there)
    for name, value in expected.items():
        np.testing.assert_equal(got[name], value, err_msg=name)
    assert there.network.name == f"{kind}-5"
    assert [signal.name for signal in there.network.signals] == [signal.name for signal in here.network.signals]


def test_it_is_played_paused_sought_and_stepped_like_a_live_one(streams: Callable[..., Stream], tmp_path: Path) -> None:
    live = streams(network("gru"))
    read_to(live, REVIEWS, 1, 60)
    runs = saved(live, tmp_path / "run.safetensors")
    played = streams(runs[0].network)
    read_to(played, runs, 0, 60)
    commands: list[tuple[Callable[[], object], int]] = [
        (lambda: played.seek(7), 7),
        (lambda: played.step(2), 9),
        (lambda: played.step(-4), 5),
        (lambda: played.seek(41), 41),
        (played.play, 60),
    ]
    for command, place in commands:
        command()
        until(lambda: played.snapshot.time == place)
        np.testing.assert_array_equal(played.read("h"), live.read("h", 0, place))
    assert not played.snapshot.playing


def test_what_another_run_replaces_is_handed_over_and_all_go_into_one_file(
    streams: Callable[..., Stream], tmp_path: Path
) -> None:
    stream = streams(network("lstm"))
    stored: list[RecordedReview] = []
    stream.record_runs(stored.append)
    read_to(stream, REVIEWS, 0, 12)
    read_to(stream, REVIEWS, 1, 5)
    stream.use_network(network("rnn"))  # reads on to where the other stood
    until(lambda: stream.snapshot.network.name == "rnn-5" and stream.snapshot.time == 5)
    stream.record_runs(None)
    read_to(stream, REVIEWS, 0, 3)
    assert [(run.network.name, len(run.words)) for run in stored] == [("lstm-5", 12), ("lstm-5", 5)]
    last = stream.take_recording().result(10)
    assert last is not None
    save_recording(tmp_path / "runs.safetensors", [*stored, last], "1")
    runs = load_recording(tmp_path / "runs.safetensors")
    played = streams(runs[0].network)
    assert read_to(played, runs, 2, 3).network.name == "rnn-5"
    np.testing.assert_array_equal(played.read("h"), stream.read("h"))
    assert read_to(played, runs, 1, 5).network.name == "lstm-5"


def test_the_end_of_a_long_run_is_recorded(streams: Callable[..., Stream], tmp_path: Path) -> None:
    live = streams(network("rnn"), capacity=50)
    read_to(live, REVIEWS, 1, 70)
    (run,) = saved(live, tmp_path / "run.safetensors")
    assert (run.first, len(run.words)) == (20, 50)
    assert run.words == REVIEWS[1].words[20:70]
    played = streams(run.network)
    read_to(played, [run], 0, 50)
    np.testing.assert_array_equal(played.read("probability"), live.read("probability"))


def test_a_recording_refuses_what_needs_the_network(streams: Callable[..., Stream], tmp_path: Path) -> None:
    live = streams(network("rnn"))
    assert live.take_recording().result(10) is None
    read_to(live, REVIEWS, 0, 10)
    runs = saved(live, tmp_path / "run.safetensors")
    played = streams(runs[0].network)
    read_to(played, runs, 0, 10)
    refused: list[Callable[[], object]] = [lambda: played.use_network(network("lstm")), lambda: played.open(REVIEWS[1])]
    for command in refused:
        command()
        until(lambda: any(event.kind == "failed" for event in drained(played)))
        assert played.snapshot.review.name == "warm <one>"
        assert played.snapshot.network.name == "rnn-5"
        assert played.snapshot.time == 10
    assert torch.isnan(runs[0].network.cell.weight_hh).all()


def drained(stream: Stream):  # type: ignore[no-untyped-def]
    while not stream.events.empty():
        yield stream.events.get()


TEXTS = st.lists(st.sampled_from([*"ab1 -/<>br'\".,\u200b\x1bİßǅ\u0301ſ\n界", "<br />"]), max_size=30).map("".join)


@settings(deadline=None)
@given(TEXTS, st.integers(0, 5), st.integers(1, 8))
def test_the_spelling_of_a_part_has_the_words_of_the_part(text: str, first: int, count: int) -> None:
    part = slice(first, first + count)
    assert split_words(" ".join(split_surface(text)[part])) == split_words(text)[part]


# ---- files that are not whole ----------------------------------------------------------------------------------


@pytest.fixture
def whole(streams: Callable[..., Stream], tmp_path: Path) -> Path:
    live = streams(network("rnn"))
    read_to(live, REVIEWS, 0, 10)
    saved(live, tmp_path / "whole.safetensors")
    return tmp_path / "whole.safetensors"


def changed(whole: Path, header: dict[str, str], **tensors: np.ndarray) -> Path:
    """The file with parts of its header or tensors replaced."""
    runs = {
        "format": "pinkx recording 1",
        "version": "1",
        "analysis": json.dumps({"window": 32, "scales": [4, 5, 6, 7, 8], "threshold": 0.02}),
        "runs": json.dumps([FACTS]),
    }
    path = whole.with_name("changed.safetensors")
    save_file(load_file(whole) | {f"0/{name}": value for name, value in tensors.items()}, path, runs | header)
    return path


FACTS = {
    "cell": "rnn", "size": 5, "inputs": 3, "network": "n", "task": "sentiment", "review": "r",
    "text": "a warm half hearted film a warm half hearted film", "label": True, "first": 0,
}  # fmt: skip


def test_the_file_those_changes_are_made_to_is_sound(whole: Path) -> None:
    (run,) = load_recording(changed(whole, {}))
    assert len(run.words) == 10


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"format": "pinkx network 1"}, "not a recording"),
        ({"format": "pinkx recording 2"}, "needs a newer pinkx"),
        ({"runs": "[{"}, "damaged"),
        ({"runs": "[]"}, "without a run"),
        ({"runs": "{}"}, "without a run"),
        ({"runs": "[3]"}, "damaged"),
        ({"runs": json.dumps([FACTS | {"size": 6}])}, "must be"),
        ({"runs": json.dumps([FACTS | {"cell": "transformer"}])}, "'transformer'"),
        ({"runs": json.dumps([FACTS | {"text": "a warm film"}])}, "must be"),
        ({"runs": json.dumps([FACTS | {"text": ""}])}, "0 words"),
        ({"runs": json.dumps([FACTS | {"label": "pos"}])}, "label"),
        ({"runs": json.dumps([FACTS, FACTS])}, "is missing"),
        ({"analysis": "{}"}, "is missing"),
        ({"analysis": json.dumps({"window": 4, "scales": [4, 5, 6], "threshold": 0})}, "window"),
        (
            {"analysis": json.dumps({"window": 10**9, "scales": [4, 5, 6], "threshold": 0})},
            "window 1000000000, expected",
        ),
        (
            {"analysis": json.dumps({"window": 2**63, "scales": [4, 5, 6], "threshold": 0})},
            "window 9223372036854775808",
        ),
        ({"analysis": json.dumps({"window": 16, "scales": [4, 5, 2**80], "threshold": 0})}, "a scale 120"),
        ({"analysis": json.dumps({"window": 16, "scales": [4, 5, 6], "threshold": math.nan})}, "threshold nan"),
        ({"runs": json.dumps([FACTS | {"size": math.inf}])}, "size inf, expected a whole number"),
        ({"runs": json.dumps([FACTS | {"inputs": 0}])}, "inputs 0, expected a whole number"),
        ({"runs": json.dumps([FACTS | {"first": -5}])}, "first -5, expected a whole number"),
        ({"runs": "[" * 10_000}, "damaged"),
    ],
)
def test_a_header_that_contradicts_is_an_error(whole: Path, header: dict[str, str], message: str) -> None:
    path = changed(whole, header)
    with pytest.raises(ReplayError, match=message) as caught:
        load_recording(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float8_e4m3fn, torch.bool])
def test_rows_of_a_type_that_numpy_lacks_are_an_error(whole: Path, kind: torch.dtype) -> None:
    path = changed(whole, {})
    with safe_open(path, "pt") as file:
        tensors, header = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    save_tensors(tensors | {"0/h": tensors["0/h"].to(kind)}, path, header)
    with pytest.raises(ReplayError, match="0/h has type .*, expected F32"):
        load_recording(path)


def test_rows_that_are_no_numbers_are_an_error(whole: Path) -> None:
    with pytest.raises(ReplayError, match="finite"):
        load_recording(changed(whole, {}, h=np.full((10, 5), np.nan, dtype=np.float32)))
    with pytest.raises(ReplayError, match="float64"):
        load_recording(changed(whole, {}, h=np.zeros((10, 5))))


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_an_error(whole: Path, part: float) -> None:
    data = whole.read_bytes()
    whole.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(ReplayError, match="incomplete recording"):
        load_recording(whole)


def test_a_missing_or_foreign_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="nowhere"):
        load_recording(tmp_path / "nowhere.safetensors")
    (tmp_path / "text").write_text("no recording at all, but a text that goes on for a while")
    with pytest.raises(ReplayError, match="incomplete recording"):
        load_recording(tmp_path / "text")
    with pytest.raises(ReplayError):
        load_recording(tmp_path)


def test_nothing_read_is_nothing_to_save(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no word is read"):
        save_recording(tmp_path / "none.safetensors", [], "1")


def test_a_recording_stores_the_activation_of_the_outputs(tmp_path: Path) -> None:
    torch.manual_seed(0)
    cell, vocabulary = cell_from_torch(torch.nn.RNN(2, 3)), Vocabulary(["good", "film"])
    classes = Network(
        cell, torch.randn(3, 3), torch.randn(3), embedding=torch.randn(4, 2), vocabulary=vocabulary,
        info={"activation": "softmax"},
    )  # fmt: skip
    ids = vocabulary.encode(["good", "film"])
    values = {"h": np.zeros((2, 3), np.float32), "x": np.zeros((2, 2), np.float32)}
    run = recorded(classes, Review("one", "good film"), ids, 0, values, Analysis(64, (4, 8, 16), 0.1))
    save_recording(tmp_path / "run.safetensors", [run], "1")
    (again,) = load_recording(tmp_path / "run.safetensors")
    assert again.network.activation == "softmax"
    h = torch.randn(4, 3)
    torch.testing.assert_close(again.network.probability(h), classes.probability(h))
