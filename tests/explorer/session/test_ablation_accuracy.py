"""The accuracy over the source without each cell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from engine.ablation_accuracy import count_correct, mean_states
from engine.recording import record
from engine.reviews import Review
from explorer.session.core import SessionError
from explorer.session.session import Session
from explorer.session.views.cell_readouts import accuracy_line
from explorer.session.views.runs import plain
from explorer.session.views.tables import cells_table
from explorer.session.views.traces import cell_table
from tests.explorer.session.test_corpus import opened, reviews
from tests.explorer.small import small_network, wait

COUNT = 30


@pytest.fixture
def session() -> Iterator[Session]:
    found = opened(reviews(COUNT))
    yield found
    found.close()


def encoded(source: list[Review]) -> tuple[list[np.ndarray[tuple[int, ...], np.dtype[np.int32]]], list[bool]]:
    vocabulary = small_network().vocabulary
    assert vocabulary is not None
    labelled = [review for review in source if review.label is not None]
    return [vocabulary.encode(review.words) for review in labelled], [bool(review.label) for review in labelled]


def settle(session: Session) -> None:
    def done() -> bool:
        found = session.ablation_accuracy.result(session.update())
        return found is not None and found.reviews == found.total

    wait(done)


def test_each_cell_is_clamped_at_its_mean_in_every_review() -> None:
    network, (ids, labels) = small_network(), encoded(reviews(12))
    recording = record(network, ids, ["h"])
    means = mean_states(network, ids)
    np.testing.assert_allclose(means, recording["h"][recording.mask].mean(axis=0), atol=1e-6)
    clamp = {"f": np.where(np.arange(12) == 1, 0.9, np.nan), "h": np.where(np.arange(12) == 5, 0.2, np.nan)}
    found = count_correct(network, [*ids, ids[0][:0]], [*labels, True], means, clamp=clamp)
    assert found is not None
    assert found.reviews == len(ids)
    for cell in (0, 5, 11):
        h = np.where(np.arange(12) == 5, 0.2, np.nan)
        h[cell] = h[cell] if cell == 5 else means[cell]
        read = record(network, ids, ["h"], clamp={**clamp, "h": h})
        last = read.probability[np.arange(len(ids)), read.lengths - 1]
        assert found.without[cell] == ((last >= 0.5) == np.array(labels)).sum()
    assert found.without[5] == found.intact
    assert count_correct(network, ids, labels, means, wanted=lambda cell: cell < 2) is None


def test_the_column_is_filled_over_more_and_more_reviews_and_follows_a_clamp(session: Session) -> None:
    frame = session.update()
    assert session.ablation_accuracy.result(frame) is None
    session.perform("accuracy-without")
    settle(session)
    frame = session.frame()
    found = session.ablation_accuracy.result(frame)
    assert found is not None
    assert found.reviews == found.total == 20
    rows = cell_table(session, frame, accuracy=found.without)
    assert [row.accuracy_without for row in rows] == found.without.tolist()
    table = cells_table(rows, "h", found.reviews)
    assert table.column("accuracy_without") == found.without.tolist()
    assert set(table.column("accuracy_reviews")) == {20}
    assert "accuracy_without" not in cells_table(rows, "h").columns
    text = plain(accuracy_line(found, "reading …"))
    assert text.startswith(f"accuracy {100 * found.intact:.1f}% of n = 20 reviews")
    clamps = {"h": np.where(np.arange(12) == 2, 0.9, np.nan).astype(np.float32)}
    session.stream.clamp(clamps)
    wait(lambda: bool(session.stream.snapshot.clamps))
    assert session.ablation_accuracy.result(session.frame()) is None
    settle(session)
    after = session.ablation_accuracy.result(session.frame())
    assert after is not None
    assert after.without[2] == after.intact
    session.perform("accuracy-without")
    assert not session.ablation_accuracy.shown
    assert session.ablation_accuracy.result(session.frame()) is None


def test_reviews_without_labels_have_no_accuracy() -> None:
    session = opened([Review("a", "a film"), Review("b", "a dull film")])
    with pytest.raises(SessionError, match="no review of this source has a label"):
        session.perform("accuracy-without")
    session.close()
