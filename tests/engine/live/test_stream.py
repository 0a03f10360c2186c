"""The live run shows what a recording of the whole review shows, whatever the commands on the way."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

from engine.activity import THRESHOLD
from engine.cells import cell_from_torch
from engine.fluctuation import RollingExponent, rolling_scales
from engine.live.engine_process import EngineProcess
from engine.live.stream import Event, Stream
from engine.network import Network, Vocabulary
from engine.recording import record_reference
from engine.reviews import Review

WORDS = [f"w{k}" for k in range(40)]
WINDOW = 32


def make(kind: str = "lstm", size: int = 6, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    layer = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind](3, size)
    return Network(
        cell_from_torch(layer),
        torch.randn(1, size),
        torch.randn(1),
        embedding=torch.randn(42, 3),
        vocabulary=Vocabulary(WORDS),
        name=f"{kind}-{size}",
    )


def review(count: int, seed: int = 0) -> Review:
    random = np.random.default_rng(seed)
    return Review(f"review {seed}", " ".join(random.choice([*WORDS, "unheard"], count)))


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the stream did not get there"
        time.sleep(0.002)


def next_event(stream: Stream, kind: str) -> Event:
    while True:
        event = stream.events.get(timeout=60)
        if event.kind == kind:
            return event


@pytest.fixture(params=["lstm", "gru", "rnn"])
def network(request: pytest.FixtureRequest) -> Network:
    return make(request.param)


@pytest.fixture(scope="module")
def process_stream() -> Iterator[Stream]:
    """A stream whose engine is a process: one for all tests, because it takes seconds to start."""
    made = Stream(make(), window=WINDOW, capacity=128, engine=EngineProcess())
    yield made
    made.close()


@pytest.fixture(params=["thread", "process"])
def stream(request: pytest.FixtureRequest) -> Iterator[Stream]:
    if request.param == "thread":
        made = Stream(make(), window=WINDOW, capacity=128)
        yield made
        made.close()
        return
    made, network = request.getfixturevalue("process_stream"), make()
    made.pause()
    made.set_continuous(False)
    made.set_speed(None)
    made.set_threshold(THRESHOLD)
    made.watch("h")
    made.use_network(network)
    until(lambda: made.snapshot.network is network)
    while not made.events.empty():
        made.events.get()
    yield made


def expected_alpha(network: Network, text: Review, signal: str, count: int) -> float:
    assert network.vocabulary is not None
    recording = record_reference(network, network.vocabulary.encode(text.words))
    rolling = RollingExponent(rolling_scales(WINDOW), WINDOW, 1)
    rolling.push(recording.layer_sum(signal)[0, :count, None])
    return float(rolling.alpha[0])


def test_reads_a_review_to_its_end(network: Network) -> None:
    text = review(100)
    stream = Stream(network, window=WINDOW)
    try:
        stream.open(text)
        stream.play()
        next_event(stream, "finished")
        assert network.vocabulary is not None
        recording = record_reference(network, network.vocabulary.encode(text.words))
        for signal in network.signals:
            np.testing.assert_allclose(stream.read(signal.name), recording[signal.name][0], atol=1e-5)
        np.testing.assert_allclose(stream.read("probability")[:, 0], recording.probability[0], atol=1e-5)
        seen = stream.snapshot
        assert (seen.time, seen.words, seen.finished, seen.playing) == (100, 100, True, False)
        assert seen.unknown == text.words.count("unheard") > 0
        assert seen.probability == pytest.approx(network.classify(seen.ids), abs=1e-5)
        assert seen.alpha["h"] == pytest.approx(expected_alpha(network, text, "h", 100), rel=1e-4)
        assert seen.beta["h"] == pytest.approx(2 * seen.alpha["h"] - 1)
        alphas = stream.read("alpha")
        assert np.isnan(alphas[: WINDOW - 1]).all()
        assert alphas[-1, [s.name for s in network.signals].index("h")] == pytest.approx(seen.alpha["h"], rel=1e-6)
        np.testing.assert_allclose(seen.activity, recording["h"][0, -WINDOW:].std(axis=0), atol=1e-5)
        np.testing.assert_array_equal(seen.dead, seen.activity < seen.threshold)
    finally:
        stream.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.lists(st.tuples(st.sampled_from(["seek", "step"]), st.integers(-60, 230)), min_size=1, max_size=6))
def test_wherever_it_goes_it_shows_the_same(stream: Stream, path: list[tuple[str, int]]) -> None:
    """Words older than the ring (128) are read again; younger ones come back from it."""
    text = review(200, seed=1)
    stream.open(text)
    at = 0
    for command, value in path:
        getattr(stream, command)(value)
        at = max(0, min(200, value if command == "seek" else at + value))
        until(lambda: stream.snapshot.time == at and stream.snapshot.review is text)
    recording = record_reference(stream.snapshot.network, stream.snapshot.ids)
    first = max(0, at - 128)
    shown = stream.read("c")
    np.testing.assert_allclose(shown, recording["c"][0, at - len(shown) : at], atol=1e-5)
    assert min(at, 1) <= len(shown) <= at - first
    if at >= WINDOW:
        expected = expected_alpha(stream.snapshot.network, text, "f", at)
        assert stream.snapshot.alpha["f"] == pytest.approx(expected, rel=1e-3)
    else:
        assert stream.snapshot.reason["f"] == "too short"


def test_reads_at_the_given_speed(stream: Stream) -> None:
    text = review(1000)
    stream.open(text)
    stream.set_speed(200)
    stream.play()
    until(lambda: stream.snapshot.review is text and stream.snapshot.time >= 20)
    begin, first = time.monotonic(), stream.snapshot.time
    time.sleep(0.5)
    words = stream.snapshot.time - first
    assert 0.6 < words / ((time.monotonic() - begin) * 200) < 1.3
    stream.pause()
    until(lambda: not stream.snapshot.playing)
    stopped = stream.snapshot.time
    time.sleep(0.1)
    assert stream.snapshot.time == stopped < 1000
    stream.set_speed(None)
    stream.play()
    next_event(stream, "finished")


def test_goes_from_review_to_review(stream: Stream) -> None:
    texts = [review(50, seed) for seed in range(3)]
    stream.set_continuous(True)
    stream.open(texts, 1)
    stream.play()
    first = next_event(stream, "finished").run
    assert [next_event(stream, "finished").run for _ in range(2)] == [first + 1, first + 2]
    stream.set_continuous(False)
    until(lambda: not stream.snapshot.playing)
    stream.open(texts, 0)
    stream.turn(-1)
    until(lambda: stream.snapshot.index == 2)
    stream.turn()
    until(lambda: stream.snapshot.index == 0)
    assert stream.snapshot.reviews == 3


def test_steps_on_a_torch_device_as_on_the_cpu(network: Network) -> None:
    """ "meta" would be no test and "cuda" needs a card: torch's own name for the CPU takes the same path."""
    text = review(70)
    stream = Stream(network, window=WINDOW, device="cpu:0")
    try:
        stream.open(text)
        stream.seek(60)
        until(lambda: stream.snapshot.time == 60)
        stream.step(-20)
        stream.seek(70)
        until(lambda: stream.snapshot.time == 70)
        assert network.vocabulary is not None
        recording = record_reference(network, network.vocabulary.encode(text.words))
        for signal in network.signals:
            np.testing.assert_allclose(stream.read(signal.name), recording[signal.name][0], atol=1e-6)
    finally:
        stream.close()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_steps_on_cuda(network: Network) -> None:
    stream = Stream(network, window=WINDOW, device="cuda")
    try:
        stream.open(review(70))
        stream.seek(70)
        until(lambda: stream.snapshot.time == 70)
        recording = record_reference(network, stream.snapshot.ids)
        np.testing.assert_allclose(stream.read("h"), recording["h"][0], atol=1e-4)
    finally:
        stream.close()


def test_changes_the_network_under_a_review(stream: Stream) -> None:
    stream.open(review(100))
    stream.seek(60)
    until(lambda: stream.snapshot.time == 60)
    stream.use_network(make("gru", 9))
    until(lambda: stream.snapshot.network.name == "gru-9" and stream.snapshot.time == 60)
    assert stream.read("z").shape == (60, 9)
    assert stream.snapshot.dead.shape == (9,)


def test_watches_every_cell_of_a_signal(stream: Stream) -> None:
    text = review(90)
    stream.open(text)
    stream.seek(70)
    until(lambda: stream.snapshot.time == 70)
    stream.watch("f")
    until(lambda: stream.snapshot.watched == "f")
    recording = record_reference(stream.snapshot.network, stream.snapshot.ids)
    rolling = RollingExponent(rolling_scales(WINDOW), WINDOW, 6)
    rolling.push(recording["f"][0, :70])
    np.testing.assert_allclose(stream.snapshot.cell_alpha, rolling.alpha, rtol=1e-3)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (lambda s: s.open(Review("blank", "...")), "'blank' has no word to read"),
        (lambda s: s.open([review(5)], 3), "no review 3: there are 1"),
        (lambda s: s.watch("z"), "no signal 'z'; lstm-6 has i, f, g, o, c, c_out, h, x"),
        (lambda s: s.use_network("lstm-9"), "no network 'lstm-9'"),
    ],
)
def test_says_what_failed_and_lives_on(stream: Stream, command: Callable[[Stream], None], says: str) -> None:
    command(stream)
    assert says in next_event(stream, "failed").message
    stream.open(review(10))
    stream.play()
    next_event(stream, "finished")


def test_the_threshold_of_dead_cells_follows_live(stream: Stream) -> None:
    stream.open(review(40))
    stream.seek(40)
    until(lambda: stream.snapshot.time == 40)
    for threshold in (float(np.median(stream.snapshot.activity)), 10.0, 0.0):
        stream.set_threshold(threshold)
        until(lambda: stream.snapshot.threshold == threshold)
        np.testing.assert_array_equal(stream.snapshot.dead, stream.snapshot.activity < threshold)
    for wrong in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="0 or more"):
            stream.set_threshold(wrong)


def test_refuses_a_pace_that_is_none(stream: Stream) -> None:
    with pytest.raises(ValueError, match="positive"):
        stream.set_speed(0)


def test_plays_again_from_the_end(stream: Stream) -> None:
    stream.open(review(40))
    stream.play()
    first = next_event(stream, "finished").run
    stream.play()
    assert next_event(stream, "finished").run == first + 1


def test_reads_a_hundred_thousand_words(stream: Stream) -> None:
    stream.open(review(100_000))
    stream.seek(100_000)
    until(lambda: stream.snapshot.time == 100_000, seconds=90)
    assert stream.read("h").shape == (128, 6)
