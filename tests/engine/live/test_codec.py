"""Tests of what the process of the views stores of its commands to the engine."""

from __future__ import annotations

import weakref
from typing import Any, cast

from engine.live.codec import Encoder, Recorded, RecordNumbered, TakeNumbered
from engine.live.commands import RecordRuns, TakeRecording
from engine.live.replay import RecordedReview

RUN = cast(RecordedReview, object())


class Runs(list[Any]):
    """A list that can be referred to weakly."""


def test_the_runs_of_a_recording_are_freed_once_the_engine_has_ended_it() -> None:
    encoder = Encoder()
    runs = Runs()
    seen = weakref.ref(runs)
    record = encoder.encode(RecordRuns(runs.append))
    early = encoder.encode(TakeRecording(lambda recording: None))
    encoder.encode(RecordRuns(None))
    late = encoder.encode(TakeRecording(lambda recording: None))
    assert isinstance(record, RecordNumbered)
    assert isinstance(early, TakeNumbered)
    assert isinstance(late, TakeNumbered)
    encoder.deliver(Recorded(early.request, None))
    encoder.deliver(Recorded(record.request, RUN))  # it was on its way when the recording was ended
    assert runs == [RUN]
    encoder.deliver(Recorded(late.request, RUN))
    del runs
    assert seen() is None


def test_a_later_recording_goes_on() -> None:
    encoder = Encoder()
    first, second = Runs(), Runs()
    encoder.encode(RecordRuns(first.append))
    record = encoder.encode(RecordRuns(second.append))
    take = encoder.encode(TakeRecording(lambda recording: None))
    assert isinstance(record, RecordNumbered)
    assert isinstance(take, TakeNumbered)
    encoder.deliver(Recorded(take.request, None))
    encoder.deliver(Recorded(record.request, RUN))
    assert (first, second) == ([], [RUN])
