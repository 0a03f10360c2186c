"""A session over a stack of two layers: the watched layer changes at the same word, and is named everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.ablation_accuracy import count_correct, mean_states
from engine.live.pushes import Push
from engine.live.replay import load_recording
from engine.live.stream import Stream
from engine.network import Network
from engine.recording import record
from engine.sequences import as_read
from engine.stack import Direction
from engine.stack_outputs import final_outputs
from engine.start_states import visited_states
from engine.word_attractors import word_attractors
from explorer.session.controllers.point_search import first_inputs, start_inputs
from explorer.session.core import SessionError
from explorer.session.reading import read_words
from explorer.session.session import Session
from explorer.session.views.point_readouts import entry_line, point_lines
from explorer.session.views.readouts import review_rows, status_parts
from explorer.session.views.runs import plain
from tests.explorer.small import REVIEWS, SHARED_JOBS, deep_network, small_network, wait


@pytest.fixture
def session() -> Iterator[Session]:
    found = Session(Stream(deep_network(), speed=None, window=32), REVIEWS, jobs=SHARED_JOBS)
    yield found
    found.close()


def read(session: Session, words: int) -> None:
    session.stream.seek(words)
    wait(lambda: session.update().snapshot.time == words)


def watched(session: Session) -> str:
    return plain(status_parts(session.update())["network"])


def test_the_key_watches_the_next_layer_at_the_same_word(session: Session) -> None:
    read(session, 20)
    network = session.update().snapshot.network
    assert watched(session) == "deep · layer 2 of 2 · sentiment"
    ids = network.watching(0).vocabulary.encode(REVIEWS[0].words)[:20]  # type: ignore[union-attr]
    h = network.watching(0).hidden(network.watching(0).embed(ids)[None])
    top = network.hidden(h)[0]
    np.testing.assert_allclose(session.read("h", 0, 20), top.detach(), atol=1e-6)
    snapshot = session.update().snapshot
    assert snapshot.probability == pytest.approx(float(network.probability(top)[-1, 0].detach()), abs=1e-6)
    session.perform("layer")
    wait(lambda: session.update().snapshot.network.level == 0 and session.update().snapshot.time == 20)
    assert watched(session) == "deep · layer 1 of 2 · sentiment"
    assert session.note == "watching layer 1 of 2"
    np.testing.assert_allclose(session.read("h", 0, 20), h[0].detach(), atol=1e-6)
    assert session.update().snapshot.probability == pytest.approx(snapshot.probability, abs=1e-6)
    session.stream.step(-4)
    wait(lambda: session.update().snapshot.time == 16)
    session.stream.step(4)
    wait(lambda: session.update().snapshot.time == 20)
    assert session.update().snapshot.probability == pytest.approx(snapshot.probability, abs=1e-6)
    session.perform("layer")
    wait(lambda: session.update().snapshot.network.level == 1)


def test_what_needs_the_words_or_one_layer_is_refused(session: Session) -> None:
    read(session, 2)
    assert "mean input" in session.refusal("find-points")
    assert "several layers" in session.refusal("epochs")
    assert session.refusal("layer") == session.refusal("ablate") == session.refusal("corpus") == ""
    assert "no map of words" in session.refusal("focus-word-map")
    with pytest.raises(ValueError, match="layer 2 of 2 takes vectors, not words.*choose the first layer"):
        word_attractors(session.update().snapshot.network)
    session.perform("layer")
    wait(lambda: session.update().snapshot.network.level == 0)
    assert session.refusal("find-points") == session.refusal("focus-word-map") == ""


def test_the_corpus_is_measured_in_an_upper_layer(session: Session) -> None:
    read(session, 2)

    def measured() -> bool:
        frame = session.update()
        session.corpus.request(frame)
        assert session.corpus.trouble == ""
        return len(session.corpus.rows(frame)) == len(REVIEWS)

    wait(measured)
    (row,) = (row for row in session.corpus.rows(session.update()) if row["review"] == 0)
    network = session.update().snapshot.network
    ids = network.text_vocabulary.encode(REVIEWS[0].words)  # type: ignore[union-attr]
    assert row["probability"] == pytest.approx(float(network.classify(ids)), abs=1e-6)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_accuracy_without_a_cell_is_that_of_the_whole_stack(direction: Direction) -> None:
    network = deep_network(bidirectional=True)
    stack, random = network.stack, np.random.default_rng(0)
    assert stack is not None
    assert stack.vocabulary is not None
    assert stack.readout is not None
    ids = [stack.vocabulary.encode(random.choice(stack.vocabulary.words, 5).tolist()) for _ in range(9)]
    weight, bias = stack.readout
    middle = float(np.median(final_outputs(stack, "linear", ids)))
    stack = replace(stack, readout=(500 * weight, 500 * (bias - middle)))  # half of the reviews positive
    network = Network.of_stack(stack, 0, "deep", network.task, network.info, direction)
    means, labels = mean_states(network, ids), [True, False, True] * 3
    recording = record(network, ids, ["h"])
    np.testing.assert_allclose(means, recording["h"][recording.mask].mean(axis=0), atol=1e-6)
    found = count_correct(network, ids, labels, means, clamp={"h": np.where(np.arange(6) == 2, 0.1, np.nan)})
    assert found is not None
    for cell in range(6):
        h = np.where(np.arange(6) == 2, 0.1, np.nan)
        h[cell] = 0.1 if cell == 2 else means[cell]
        read = record(network, ids, ["h"], clamp={"h": h})
        last = read.probability[np.arange(len(ids)), read.lengths - 1].ravel()
        assert found.without[cell] == ((last >= 0.5) == np.array(labels)).sum()
    assert found.without[2] == found.intact
    assert len(set(found.without.tolist())) > 1


def test_accuracy_without_a_cell_is_shown_in_every_layer(both: Session) -> None:
    for _ in range(2):
        both.perform("accuracy-without")
        wait(lambda: (found := both.ablation_accuracy.result(both.update())) is not None and found.reviews == 2)
        both.perform("accuracy-without")
        here = both.update().snapshot.network
        both.perform("layer")
        wait(lambda here=here: both.update().snapshot.network is not here)  # type: ignore[misc]


def test_a_network_of_one_layer_has_no_other() -> None:
    session = Session(Stream(small_network(), window=32), REVIEWS, jobs=SHARED_JOBS)
    with pytest.raises(SessionError, match="one layer"):
        session.perform("layer")
    session.close()


def test_a_recording_names_the_layer(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read(session, 20)
    session.perform("export-run")
    wait(lambda: bool(list(tmp_path.glob("*.safetensors"))))
    (path,) = tmp_path.glob("*.safetensors")
    (run,) = load_recording(path)
    assert run.network.title == "deep · layer 2 of 2"
    np.testing.assert_array_equal(run.network.values["h"], session.read("h", 0, 20))
    played = Session(Stream(run.network, window=32, capacity=20), [run], jobs=SHARED_JOBS)
    read(played, 20)
    assert played.update().snapshot.probability == pytest.approx(session.update().snapshot.probability, abs=1e-6)
    played.close()


def test_a_layer_that_the_readout_does_not_read_alone_has_points_without_an_output(session: Session) -> None:
    session.perform("layer")
    wait(lambda: session.update().snapshot.network.level == 0)
    read(session, 4)
    points = session.fixed_points

    def found() -> bool:
        points.request(session.update())
        return points.details(session.update()) is not None

    wait(found)
    point = points.details(session.update())
    assert point is not None
    assert "no output of this state alone" in map(plain, point_lines(point))
    assert points.point_map is not None
    assert "output" not in plain(entry_line(points.point_map, 0))


def test_points_are_those_under_zero_and_mean_input(session: Session) -> None:
    read(session, 20)
    points = session.fixed_points
    assert first_inputs(deep_network()) == ("zero", "mean")

    def searched() -> bool:
        points.request(session.update())
        return points.point_map is not None and points.point_map.certified > 0 and not points.search.progress

    wait(searched)
    assert points.point_map is not None
    assert set(points.point_map.names[: points.point_map.certified]) == {"zero", "mean"}
    assert points.details(session.update()) is not None


def test_ablation_and_comparison_of_reviews_work(session: Session) -> None:
    read(session, 40)
    session.select(1)
    session.perform("ablate")
    wait(lambda: bool(session.update().snapshot.clamps))
    points = session.fixed_points
    points.request(session.update())
    wait(lambda: session.update().snapshot.time == 40)
    session.comparison.compare_review(REVIEWS[1])
    wait(lambda: session.comparison.result(session.update()) is not None)


@pytest.fixture
def both() -> Iterator[Session]:
    found = Session(Stream(deep_network(bidirectional=True), speed=None, window=32), REVIEWS, jobs=SHARED_JOBS)
    yield found
    found.close()


def cut(network: Network, words: int) -> float:
    """P(positive) of the first review cut after some words, by `torch.nn` through `Network.classify`."""
    assert network.text_vocabulary is not None
    return float(network.classify(network.text_vocabulary.encode(REVIEWS[0].words)[:words]))


def test_every_layer_and_direction_is_watched_in_turn_at_the_same_word(both: Session) -> None:
    read(both, 20)
    titles = ["layer 1 of 2 →", "layer 1 of 2 ←", "layer 2 of 2 →", "layer 2 of 2 ←"]
    network = both.update().snapshot.network
    for title in [*titles[3:], *titles[:3]]:
        both.perform("layer")
        wait(lambda title=title: both.update().snapshot.network.title == f"deep · {title}")  # type: ignore[misc]
        wait(lambda: both.update().snapshot.time == 20)
        snapshot = both.update().snapshot
        assert both.note.startswith(f"watching {title}")
        assert ("from the last word to the first" in both.note) is title.endswith("←")
        assert watched(both) == f"deep · {title} · sentiment"
        assert snapshot.probability == pytest.approx(cut(network, 20), abs=1e-6)
        expected = record(snapshot.network, [network.text_vocabulary.encode(REVIEWS[0].words)], ["h"])["h"][0]  # type: ignore[union-attr]
        np.testing.assert_allclose(both.read("h", 0, 20), expected[:20], atol=1e-6)


def test_a_clamp_and_an_addition_act_through_all_layers(both: Session) -> None:
    both.playback.watch_layer(0, "backward")
    wait(lambda: both.update().snapshot.network.backward)
    read(both, 10)
    before = both.update().snapshot.probability
    both.stream.clamp({"h": np.full(6, 0.5, dtype=np.float32)})
    wait(lambda: bool(both.update().snapshot.clamps) and both.update().snapshot.time == 10)
    held = both.update().snapshot.probability
    np.testing.assert_array_equal(both.read("h", 0, 10), np.full((10, 6), 0.5))
    assert abs(held - before) > 1e-4
    both.stream.clamp({})
    wait(lambda: not both.update().snapshot.clamps and both.update().snapshot.time == 10)
    assert both.update().snapshot.probability == pytest.approx(before, abs=1e-6)
    rows = both.read("h", 0, 10)
    both.stream.steer([Push(5, np.ones(12, dtype=np.float32), "one")])
    wait(lambda: bool(both.update().snapshot.pushes) and both.update().snapshot.time == 10)
    changed = np.abs(both.read("h", 0, 10) - rows).max(axis=1)
    assert (changed[6:] == 0).all()
    assert (changed[:6] > 1e-3).all()
    assert abs(both.update().snapshot.probability - before) > 1e-5


def test_a_recording_of_a_direction_has_the_outputs_of_all_layers(
    both: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read(both, 12)
    both.perform("export-run")
    wait(lambda: bool(list(tmp_path.glob("*.safetensors"))))
    (run,) = load_recording(next(tmp_path.glob("*.safetensors")))
    played = Session(Stream(run.network, window=32, capacity=12), [run], jobs=SHARED_JOBS)
    read(played, 12)
    assert played.update().snapshot.network.title == "deep · layer 2 of 2 →"
    np.testing.assert_array_equal(played.read("probability", 0, 12), both.read("probability", 0, 12))
    played.close()


def test_the_other_side_of_a_comparison_reads_as_the_live_run_does(both: Session) -> None:
    network = deep_network(bidirectional=True).watching(1, "backward")
    found = read_words(network, REVIEWS[0].words[:9], 32, (4, 8, 16), {})
    assert found is not None
    np.testing.assert_allclose(found.output[-1], cut(network, 9), atol=1e-6)
    with pytest.raises(ValueError, match="reads words, and the present network characters"):
        read_words(network, REVIEWS[0].words[:9], 32, (4, 8, 16), {}, unit="character")


def test_unknown_characters_are_counted_as_characters() -> None:
    known = small_network().vocabulary
    assert known is not None
    module = torch.nn.ModuleDict({"embedding": torch.nn.Embedding(len(known), 4), "rnn": torch.nn.LSTM(4, 6)})
    network = Network.from_torch(module, vocabulary=known, name="bare", readout="none")
    network.info = {**network.info, "unit": "character"}
    session = Session(Stream(network, window=32), as_read(network, REVIEWS), jobs=SHARED_JOBS)
    wait(lambda: session.update().snapshot.run == 1)
    frame = session.update()
    assert plain(review_rows(frame, float("nan"))[-1].line).endswith("characters")
    session.close()


@pytest.mark.parametrize(("level", "direction"), [(0, "backward"), (1, "forward"), (1, "backward")])
def test_searches_start_from_states_visited_in_the_bundled_reviews(level: int, direction: Direction) -> None:
    network = deep_network(bidirectional=True).watching(level, direction)
    read = start_inputs(network)
    assert {np.asarray(one).ndim for one in read} == {2 if level else 1}
    assert visited_states(network, 40, reviews=read).unique(dim=0).shape == (40, network.cell.state_size)
