"""A live run over a sequence of vectors shows what `record` shows, and can be recorded and played."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.live.replay import RecordedSequence, load_recording, save_recording
from engine.live.stream import Stream
from engine.network import Network
from engine.recording import record
from engine.sequences import InputSequence, open_sequences
from engine.text import Review
from tests.engine.live.test_stream import make, next_event, until


@pytest.fixture(scope="module")
def network() -> Network:
    return Network.load("rnn-16-flip-flop-3")


@pytest.fixture(scope="module")
def sequence(network: Network) -> InputSequence:
    return open_sequences(network)[0]


@pytest.fixture
def stream(network: Network) -> Iterator[Stream]:
    made = Stream(network, window=32)
    yield made
    made.close()


def _read(stream: Stream, sequence: Review) -> None:
    stream.open(sequence)
    stream.play()
    next_event(stream, "finished")


def test_a_run_has_the_signals_of_a_recording(stream: Stream, network: Network, sequence: InputSequence) -> None:
    _read(stream, sequence)
    whole = record(network, sequence.inputs)
    for name in whole.names:
        np.testing.assert_array_equal(stream.read(name), whole[name][0])
    snapshot = stream.snapshot
    assert (snapshot.words, snapshot.unknown, snapshot.network.unit) == (len(sequence.inputs), 0, "step")
    np.testing.assert_array_equal(snapshot.ids, sequence.inputs)
    np.testing.assert_allclose(stream.read("probability")[:, 0], whole.probability[0, :, 0], rtol=1e-5)


def test_clamps_and_going_back_work(stream: Stream, network: Network, sequence: InputSequence) -> None:
    clamp = np.full(16, np.nan, dtype=np.float32)
    clamp[3] = 0.5
    _read(stream, sequence)
    stream.clamp({"h": clamp})
    until(lambda: bool(stream.snapshot.clamps) and stream.snapshot.finished)
    np.testing.assert_array_equal(stream.read("h"), record(network, sequence.inputs, ["h"], clamp={"h": clamp})["h"][0])
    stream.seek(50)
    stream.play()
    until(lambda: stream.snapshot.finished)
    assert (stream.read("h")[:, 3] == 0.5).all()


def test_other_input_is_refused_and_the_run_goes_on(stream: Stream, sequence: InputSequence) -> None:
    _read(stream, sequence)
    stream.open(Review("text", "a film"))
    assert "takes numbers, not reviews" in next_event(stream, "failed").message
    stream.use_network(make())
    assert "reads words, and" in next_event(stream, "failed").message
    assert stream.snapshot.review is sequence


@pytest.mark.parametrize("targets", [True, False])
def test_a_recording_plays(stream: Stream, sequence: InputSequence, tmp_path: Path, targets: bool) -> None:
    watched = InputSequence("one", "", inputs=sequence.inputs, channels=("a", "b", "c"))
    _read(stream, sequence if targets else watched)
    h, taken = stream.read("h"), stream.take_recording().result(30)
    assert taken is not None
    save_recording(tmp_path / "run.safetensors", [taken], "1")
    (run,) = load_recording(tmp_path / "run.safetensors")
    assert isinstance(run, RecordedSequence)
    assert run.channels == (sequence if targets else watched).channels
    np.testing.assert_array_equal(run.inputs, sequence.inputs)
    if targets:
        np.testing.assert_array_equal(run.targets, sequence.targets)
    else:
        assert run.targets is None
    player = Stream(run.network, window=32)
    try:
        _read(player, run)
        np.testing.assert_array_equal(player.read("h"), h)
        np.testing.assert_array_equal(player.snapshot.ids, sequence.inputs)
    finally:
        player.close()
