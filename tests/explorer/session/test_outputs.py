"""A readout is a sigmoid, a softmax or linear: names, scales, classes and tables follow it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from engine.cells import LstmCell
from engine.live.stream import Stream
from engine.network import Network, Vocabulary
from explorer.session.controllers.text_diff import word_by_word
from explorer.session.reading import Comparison, Reading, read_words
from explorer.session.session import Session
from explorer.session.views.outputs import POSITIVE, activated, output_of, outputs_at, scale_of
from explorer.session.views.readouts import overview_line, review_rows
from explorer.session.views.runs import plain
from explorer.session.views.tables import words_table
from explorer.session.views.traces import difference, output_at
from tests.explorer.small import REVIEWS, SHARED_JOBS, wait


def network_with(activation: str, outputs: int) -> Network:
    torch.manual_seed(3)
    words = sorted({word for review in REVIEWS[:2] for word in review.words})
    return Network(
        LstmCell.from_torch(torch.nn.LSTM(4, 6)), 5 * torch.randn(outputs, 6), torch.zeros(outputs),
        embedding=torch.randn(len(words) + 2, 4), vocabulary=Vocabulary(words), info={"activation": activation},
    )  # fmt: skip


@pytest.fixture(params=[("linear", 2), ("softmax", 3), ("sigmoid", 1)], ids=lambda param: param[0])
def reading(request: pytest.FixtureRequest) -> Iterator[Session]:
    session = Session(Stream(network_with(*request.param), speed=None), REVIEWS, jobs=SHARED_JOBS)
    wait(lambda: session.stream.snapshot.run == 1)
    session.fixed_points.close()
    session.stream.seek(30)
    wait(lambda: session.stream.snapshot.time == 30)
    yield session
    session.close()


def test_names_follow_the_readout() -> None:
    named = {
        (activation, k): output_of(network_with(activation, k))
        for activation, k in (("sigmoid", 1), ("sigmoid", 2), ("softmax", 3), ("linear", 1))
    }
    assert [output.name for output in named.values()] == ["P(positive)", "P(output 0)", "P(class 0)", "output 0"]
    assert [output.positive for output in named.values()] == [True, False, False, False]
    assert [output.middle for output in named.values()] == [0.5, 0.5, 0.5, 0.0]


def test_every_line_and_table_names_the_output(reading: Session) -> None:
    frame = reading.frame()
    network, output = frame.snapshot.network, output_of(frame.snapshot.network)
    value, outputs = output_at(reading, frame), outputs_at(reading, frame)
    h = reading.read("h", 29, 30)
    logits = h @ network.readout_weight.numpy().T
    expected = {"linear": logits, "sigmoid": 1 / (1 + np.exp(-logits)),
                "softmax": np.exp(logits) / np.exp(logits).sum()}[network.activation]  # fmt: skip
    assert outputs == pytest.approx(expected[0], abs=1e-5)
    assert value == pytest.approx(outputs[0], abs=1e-5)
    assert plain(overview_line(frame, value)).startswith(f"{output.name} ")
    assert words_table(reading, frame).columns[2] == output.column
    rows = {row.label: plain(row.line) for row in review_rows(frame, value, outputs=outputs)}
    assert output.name in rows
    if network.activation == "linear":
        assert "network" not in rows
    elif network.activation == "softmax":
        assert rows["network"].startswith(f"class {outputs.argmax()}  ")
    else:
        assert rows["network"] in ("positive", "negative")


def test_a_linear_output_has_an_axis_of_its_own() -> None:
    linear = output_of(network_with("linear", 1))
    scale = scale_of(linear, np.array([-3.0, 2.0, np.nan]))
    assert (scale.low, scale.high, scale.middle) == (-3.0, 2.0, 0.0)
    assert scale.fraction(-3) == 0
    assert scale.fraction(2) == 1
    assert scale_of(linear, np.empty(0)).high > scale_of(linear, np.empty(0)).low
    assert scale_of(POSITIVE, np.array([0.4])).high == 1


def test_outputs_of_different_kinds_are_not_compared(reading: Session) -> None:
    frame = reading.frame()
    words = frame.snapshot.review.words
    own = read_words(frame.snapshot.network, words, 64, (4, 6, 9), {})
    other = read_words(network_with("linear" if output_of(frame.snapshot.network).bounded else "sigmoid", 1), words,
                       64, (4, 6, 9), {})  # fmt: skip
    assert isinstance(own, Reading)
    assert isinstance(other, Reading)
    assert own.output == pytest.approx(activated(frame.snapshot.network, own.h)[:, 0])
    every = np.arange(len(words))
    same, mixed = Comparison("own", own, True, every), Comparison("other", other, False, every, comparable=False)
    for comparison, known in ((same, True), (mixed, False)):
        found = difference(reading, comparison, frame)
        assert found is not None
        assert np.isfinite(found.values[:30]).all() == known
        assert found.reach > 0
    assert np.isnan([pair.difference for pair in word_by_word(other, own).pairs]).all()
    assert word_by_word(own, own).output == output_of(frame.snapshot.network)


def test_without_p_positive_the_corpus_has_no_error(reading: Session) -> None:
    reading.corpus.request(reading.frame())
    wait(lambda: len(reading.corpus.rows(reading.frame())) >= 2)
    frame = reading.frame()
    entries = [reading.corpus.entry(frame, row) for row in range(2)]
    positive = output_of(frame.snapshot.network).positive
    assert [np.isfinite(entry.confidence) for entry in entries] == [positive] * 2
    assert all(np.isfinite(entry.output) for entry in entries)
