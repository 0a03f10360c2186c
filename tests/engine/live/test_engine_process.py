"""A run in a process of its own is the run that a thread would be, and shows the objects of this process."""

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

from engine.live.engine_process import _NUMBERED, SOURCES, Apart
from engine.live.replay import RecordedReview
from engine.live.shared_state import Block, shared_file
from engine.live.stream import Stream
from engine.network import Network
from engine.recording import record_reference
from tests.engine.live.test_stream import WINDOW, make, next_event, review, until

WIDTHS = {"h": 2, "p": 1}


@pytest.fixture(scope="module")
def network() -> Network:
    return make()


@pytest.fixture(scope="module")
def stream(network: Network) -> Iterator[Stream]:
    made = Stream(network, window=WINDOW, engine=Apart())
    yield made
    made.close()


def test_shows_what_a_thread_shows(stream: Stream) -> None:
    network, text = make("gru", 7), review(90)
    thread = Stream(network, window=WINDOW)
    try:
        for one in (thread, stream):
            one.use(network)
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


def test_what_it_shows_is_of_this_process(stream: Stream) -> None:
    network, source = make("lstm", 5), [review(40, seed) for seed in range(3)]
    stream.use(network)
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


def test_turns_among_more_sources_than_it_keeps(stream: Stream) -> None:
    sources = [[review(3, seed)] for seed in range(_NUMBERED + SOURCES)]
    for number in (*range(6), 0, 5, 1, *range(len(sources) - 1, 0, -9)):
        stream.open(sources[number])
        until(lambda: stream.snapshot.review is sources[number][0])
    for source in sources:  # without a look between them
        stream.open(source)
    until(lambda: stream.snapshot.review is sources[-1][0])


def test_hands_runs_over_and_plays_them(stream: Stream) -> None:
    network, texts = make("rnn", 4), [review(30, seed) for seed in range(3)]
    kept: list[RecordedReview] = []
    stream.use(network)
    stream.open(texts, 0)
    stream.record(kept.append)
    for text in texts:
        stream.open(text)
        stream.seek(30)
        until(lambda: stream.snapshot.review is text and stream.snapshot.time == 30)
    stream.record(None)
    last = stream.take().result(60)
    assert last is not None
    assert [run.name for run in (*kept, last)][-3:] == [text.name for text in texts]
    assert network.vocabulary is not None
    expected = record_reference(network, network.vocabulary.encode(texts[2].words))["h"][0]
    np.testing.assert_allclose(last.network.values["h"], expected, atol=1e-5)
    played = Stream(last.network, window=WINDOW, engine=Apart())
    try:
        played.open([last])
        played.play()
        next_event(played, "finished")
        assert played.snapshot.network is last.network
        np.testing.assert_array_equal(played.read("h"), last.network.values["h"])
        played.clamp({"h": np.zeros(4)})
        assert "nothing in it can be silenced" in next_event(played, "failed").message
    finally:
        played.close()


def test_a_network_comes_by_its_path(stream: Stream, tmp_path: Path) -> None:
    make("gru", 3).save(tmp_path / "small.safetensors")
    stream.use(tmp_path / "small.safetensors")
    until(lambda: stream.snapshot.network.name == "small")
    assert stream.snapshot.network.classify([3, 4]) == pytest.approx(make("gru", 3).classify([3, 4]))


def test_what_cannot_be_sent_is_told(stream: Stream) -> None:
    stream.clamp({"h": (k for k in range(6))})  # type: ignore[dict-item]
    assert "pickle" in next_event(stream, "failed").message


def test_refuses_as_a_thread_does() -> None:
    network = make()
    network.vocabulary = network.embedding = None
    engine = Apart()
    with pytest.raises(ValueError, match="it takes numbers, not reviews"):
        Stream(network, engine=engine)
    assert engine._worker.process.poll() is not None


def test_an_end_by_itself_is_told(network: Network) -> None:
    engine = Apart()
    stream = Stream(network, window=WINDOW, engine=engine)
    stream.open(review(1000))
    stream.speed(1.0)
    stream.play()
    until(lambda: stream.snapshot.playing)
    kept: list[RecordedReview] = []
    stream.record(kept.append)
    os.kill(engine._worker.process.pid, signal.SIGKILL)
    assert "ended by itself, with code -9" in next_event(stream, "failed").message
    assert not stream.snapshot.playing
    assert not kept
    stream.play()  # nobody listens, and nothing breaks
    assert stream.read("h").shape[1] == 6
    stream.close()


def test_no_process_outlives_what_began_it() -> None:
    program = (
        "import os\nfrom engine.live.engine_process import Apart\n"
        "print(Apart()._worker.process.pid, flush=True)\nos.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    def gone() -> bool:
        try:
            os.kill(int(done.stdout), 0)
        except ProcessLookupError:
            return True
        with open(f"/proc/{int(done.stdout)}/stat") as file:  # an orphan that nobody waits for
            return file.read().rpartition(") ")[2].startswith("Z")

    until(gone)


def test_an_engine_that_nobody_used_ends() -> None:
    engine = Apart()
    engine.close()
    assert engine._worker.process.poll() is not None


@given(states=st.lists(st.binary(max_size=64), min_size=1, max_size=6))
def test_the_newest_state_is_seen(states: list[bytes]) -> None:
    handle = shared_file(Block.size(WIDTHS, 4, 128))
    there = os.dup(handle)
    here, other = Block(handle, WIDTHS, 4, 128), Block(there, WIDTHS, 4, 128)
    for number, state in enumerate(states, 1):
        here.show(state)
        assert other.look() == (number, state)
    with pytest.raises(ValueError, match="and there is room for 128"):
        here.show(bytes(129))
    here.ring.write({"h": np.ones((3, 2)), "p": np.zeros((3, 1))})
    assert other.ring.read("h", 0).tolist() == [[1, 1]] * 3


def test_a_state_is_never_half_of_another() -> None:
    handle = shared_file(Block.size(WIDTHS, 4, 1 << 16))
    there = os.dup(handle)
    writer, reader = Block(handle, WIDTHS, 4, 1 << 16), Block(there, WIDTHS, 4, 1 << 16)
    writer.show(b"\0")
    ended = threading.Event()

    def write() -> None:
        for number in range(4000):
            writer.show(bytes([number % 251]) * (1 + number * 7919 % 60_000))
        ended.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = 0
    while not ended.is_set():
        number, state = reader.look()
        assert state.count(state[0]) == len(state)
        assert number >= seen
        seen = number
    thread.join()
