"""A run in a process of its own equals one in a thread, and its snapshots hold the objects of this process."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from engine.live.codec import KNOWN_SOURCES, SOURCES
from engine.live.engine_process import EngineProcess
from engine.live.replay import RecordedReview
from engine.live.shared_state import SharedState, shared_file
from engine.live.stream import Stream
from engine.network import Network
from engine.recording import record, record_reference
from engine.sequences import InputSequence
from tests.engine.live.test_stream import WINDOW, make, next_event, review, until

WIDTHS = {"h": 2, "p": 1}


@pytest.fixture(scope="module")
def network() -> Network:
    return make()


@pytest.fixture(scope="module")
def stream(network: Network) -> Iterator[Stream]:
    made = Stream(network, window=WINDOW, engine=EngineProcess())
    yield made
    made.close()


def test_its_snapshots_and_signals_equal_those_of_a_thread(stream: Stream) -> None:
    network, text = make("gru", 7), review(90)
    thread = Stream(network, window=WINDOW)
    try:
        for one in (thread, stream):
            one.use_network(network)
            one.open(text)
            one.watch("z")
            one.seek(80)
            until(lambda: one.snapshot.review is text and one.snapshot.time == 80)
        a, b = thread.snapshot, stream.snapshot
        for name in a.__dataclass_fields__:
            if name not in ("run", "words_per_second"):
                np.testing.assert_equal(getattr(b, name), getattr(a, name), err_msg=name)
        for name in ("z", "x", "alpha", "probability"):
            np.testing.assert_array_equal(stream.read(name), thread.read(name))
    finally:
        thread.close()


def test_snapshots_hold_the_objects_of_this_process(stream: Stream) -> None:
    network, source = make("lstm", 5), [review(40, seed) for seed in range(3)]
    stream.use_network(network)
    stream.open(source, 1)
    until(lambda: stream.snapshot.review is source[1])
    first = stream.snapshot
    assert first.network is network
    assert stream.snapshot is first
    stream.clamp({"h": np.array([np.nan, 0.5, np.nan, np.nan, np.nan], dtype=np.float32)})
    until(lambda: "h" in stream.snapshot.clamps)
    clamps = stream.snapshot.clamps
    stream.seek(10)
    until(lambda: stream.snapshot.time == 10)
    assert stream.snapshot.clamps is clamps
    assert (stream.read("h")[:, 1] == 0.5).all()
    ids = stream.snapshot.ids
    stream.seek(20)
    until(lambda: stream.snapshot.time == 20)
    assert stream.snapshot.ids is ids
    stream.turn()
    until(lambda: stream.snapshot.review is source[2])


def test_opens_more_sources_than_it_stores(stream: Stream) -> None:
    sources = [[review(3, seed)] for seed in range(KNOWN_SOURCES + SOURCES)]
    for number in (*range(6), 0, 5, 1, *range(len(sources) - 1, 0, -9)):
        stream.open(sources[number])
        until(lambda: stream.snapshot.review is sources[number][0])
    for source in sources:  # without reading a snapshot in between
        stream.open(source)
    until(lambda: stream.snapshot.review is sources[-1][0])


def test_records_runs_and_plays_them(stream: Stream) -> None:
    network, texts = make("rnn", 4), [review(30, seed) for seed in range(3)]
    recorded: list[RecordedReview] = []
    stream.use_network(network)
    stream.open(texts, 0)
    stream.record_runs(recorded.append)
    for text in texts:
        stream.open(text)
        stream.seek(30)
        until(lambda: stream.snapshot.review is text and stream.snapshot.time == 30)
    stream.record_runs(None)
    last = stream.take_recording().result(60)
    assert last is not None
    assert [run.name for run in (*recorded, last)][-3:] == [text.name for text in texts]
    assert network.vocabulary is not None
    expected = record_reference(network, network.vocabulary.encode(texts[2].words))["h"][0]
    np.testing.assert_allclose(last.network.values["h"], expected, atol=1e-5)
    played = Stream(last.network, window=WINDOW, engine=EngineProcess())
    try:
        played.open([last])
        played.play()
        next_event(played, "finished")
        assert played.snapshot.network is last.network
        np.testing.assert_array_equal(played.read("h"), last.network.values["h"])
        played.clamp({"h": np.zeros(4)})
        assert "nothing in it can be ablated" in next_event(played, "failed").message
    finally:
        played.close()


def test_loads_a_network_by_its_path(stream: Stream, tmp_path: Path) -> None:
    make("gru", 3).save(tmp_path / "small.safetensors")
    stream.use_network(tmp_path / "small.safetensors")
    until(lambda: stream.snapshot.network.name == "small")
    assert stream.snapshot.network.classify([3, 4]) == pytest.approx(make("gru", 3).classify([3, 4]))


def test_reports_a_command_that_cannot_be_pickled(stream: Stream) -> None:
    stream.clamp({"h": (k for k in range(6))})  # type: ignore[dict-item]
    assert "pickle" in next_event(stream, "failed").message


def test_refuses_settings_of_which_no_exponent_can_be_computed() -> None:
    engine = EngineProcess()
    with pytest.raises(ValueError, match="scale"):
        Stream(make(), window=WINDOW, scales=(4, 8, 2 * WINDOW), engine=engine)
    assert engine.worker.process.poll() is not None


def test_reads_a_sequence_of_vectors() -> None:
    network = make()
    network.vocabulary = network.embedding = None
    inputs = np.random.default_rng(0).normal(size=(70, 3)).astype(np.float32)
    sequence = InputSequence("noise", "", inputs=inputs, channels=("a", "b", "c"))
    stream = Stream(network, window=WINDOW, engine=EngineProcess())
    try:
        stream.open(sequence)
        stream.play()
        next_event(stream, "finished")
        np.testing.assert_array_equal(stream.read("h"), record(network, inputs, ["h"])["h"][0])
        assert stream.snapshot.review is sequence
        np.testing.assert_array_equal(stream.snapshot.ids, inputs)
    finally:
        stream.close()


def test_reports_that_the_process_was_killed(network: Network) -> None:
    engine = EngineProcess()
    stream = Stream(network, window=WINDOW, engine=engine)
    stream.open(review(1000))
    stream.set_speed(1.0)
    stream.play()
    until(lambda: stream.snapshot.playing)
    recorded: list[RecordedReview] = []
    stream.record_runs(recorded.append)
    os.kill(engine.worker.process.pid, signal.SIGKILL)
    assert "ended by itself, with code -9" in next_event(stream, "failed").message
    assert not stream.snapshot.playing
    assert stream.snapshot.lost
    assert not recorded
    stream.play()  # has no effect
    assert stream.read("h").shape[1] == 6
    stream.close()


def test_the_process_ends_with_its_parent() -> None:
    program = (
        "import os\nfrom engine.live.engine_process import EngineProcess\n"
        "print(EngineProcess().worker.process.pid, flush=True)\nos.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    def gone() -> bool:
        try:
            os.kill(int(done.stdout), 0)
        except ProcessLookupError:
            return True
        with open(f"/proc/{int(done.stdout)}/stat") as file:  # a zombie
            return file.read().rpartition(") ")[2].startswith("Z")

    until(gone)


def test_close_before_start_ends_the_process() -> None:
    engine = EngineProcess()
    engine.close()
    assert engine.worker.process.poll() is not None


@given(states=st.lists(st.binary(max_size=64), min_size=1, max_size=6))
def test_the_newest_state_is_read(states: list[bytes]) -> None:
    handle = shared_file(SharedState.size(WIDTHS, 4, 128))
    there = os.dup(handle)
    here, other = SharedState(handle, WIDTHS, 4, 128), SharedState(there, WIDTHS, 4, 128, patience=0)
    assert (other.newest, other.read()) == (0, None)
    for number, state in enumerate(states, 1):
        here.publish(state)
        assert (other.newest, other.read()) == (number, (number, state))
    with pytest.raises(ValueError, match="does not fit into 128"):
        here.publish(bytes(129))
    assert other.read() == (len(states), states[-1])
    here.ring.write({"h": np.ones((3, 2)), "p": np.zeros((3, 1))})
    assert other.ring.read("h", 0).tolist() == [[1, 1]] * 3


def test_a_state_that_is_written_by_another_thread_is_never_torn() -> None:
    handle = shared_file(SharedState.size(WIDTHS, 4, 1 << 16))
    there = os.dup(handle)
    writer, reader = SharedState(handle, WIDTHS, 4, 1 << 16), SharedState(there, WIDTHS, 4, 1 << 16, patience=10)
    writer.publish(b"\0")
    ended = threading.Event()

    def write() -> None:
        for number in range(4000):
            writer.publish(bytes([number % 251]) * (1 + number * 7919 % 60_000))
        ended.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = 0
    while not ended.is_set():
        read = reader.read()
        assert read is not None
        number, state = read
        assert state.count(state[0]) == len(state)
        assert number >= seen
        seen = number
    thread.join()
