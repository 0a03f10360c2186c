"""Reviews that are appended to a followed file, in the session, the engine and the corpus; options of reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.live.codec import Decoder, Encoder, NumberedReviews
from engine.live.commands import Extend, Open
from engine.live.stream import Stream
from engine.reviews import ReadOptions, Reviews, open_reviews
from engine.sources.follow import FollowedFile
from engine.text import Review
from explorer.session.launcher import Launcher, LaunchOptions
from explorer.session.saved_state import captured, restored_reading
from explorer.session.session import Session
from tests.explorer.small import SHARED_JOBS, TEXT, small_file, small_network, wait


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "new.csv"
    file.write_text(f'text,label\n"{TEXT}",1\n!,0\n', encoding="utf-8")
    return file


def launched(tmp_path: Path, **options: object) -> tuple[Session, Launcher]:
    launcher = Launcher(LaunchOptions(str(small_file(tmp_path)), save=False, fresh=True, **options))  # type: ignore[arg-type]
    launcher.begin()
    wait(lambda: launcher.done)
    assert launcher.session is not None, launcher.error
    return launcher.session, launcher


def test_appended_reviews_arrive_in_the_session_the_engine_and_the_corpus(path: Path) -> None:
    reviews = Reviews()
    followed = FollowedFile(path, reviews)
    followed.poll()
    session = Session(Stream(small_network(), speed=None), reviews, jobs=SHARED_JOBS)
    session.following.start(followed)
    try:
        wait(lambda: session.stream.snapshot.run == 1)
        session.fixed_points.close()
        assert (len(session.reviews), session.skipped) == (1, 1)
        frame = session.update()
        session.corpus.request(frame)
        with path.open("a", encoding="utf-8") as file:
            file.write("A dull film,0\nA warm film,1\n")
        session.following._next = 0
        session.update()
        assert [review.label for review in session.reviews] == [True, False, True]
        assert session.note == "2 new reviews in new.csv"
        wait(lambda: session.stream.snapshot.reviews == 3)
        session.open_review(2)
        wait(lambda: session.stream.snapshot.review is session.reviews[2])

        def measured() -> bool:
            session.corpus.request(frame := session.update())
            assert session.corpus.trouble == ""
            return len(session.corpus.rows(frame)) == session.corpus.total == 3

        wait(measured, 120)
    finally:
        session.close()


def test_a_copy_of_a_source_gets_each_new_review_once(path: Path) -> None:
    """The source may travel after it has grown: messages wait in a queue."""
    encoder, decoder = Encoder(), Decoder(lambda _: None)
    reviews = open_reviews(path)
    opening = encoder.encode(Open(reviews, 0))
    reviews.append("late", "A warm film", True)
    first = encoder.encode(Extend(reviews, reviews[1:]))
    opened = decoder.decode(opening)
    assert isinstance(opened, Open)
    decoder.decode(first)
    reviews.append("later", "A dull film", False)
    decoder.decode(encoder.encode(Extend(reviews, reviews[2:])))
    assert list(opened.reviews) == list(reviews)


def test_a_notice_says_what_was_skipped_and_the_way_of_reading_is_saved(tmp_path: Path, path: Path) -> None:
    reading = ReadOptions(encoding="cp1252", columns={"text": "text"}, labels={"1": False})
    session, launcher = launched(tmp_path, reviews=str(path), reading=reading)
    try:
        assert "skipped 1: row 2 (line 3): no words" in session.note
        assert (session.skipped, session.reviews[0].label) == (1, False)
        saved = captured(session, launcher.state).session
        assert restored_reading(saved["reading"]) == reading
    finally:
        session.close()


@pytest.mark.parametrize("saved", [{"format": "x"}, {"columns": 5}, {"nonsense": 1}, {"labels": {"a": 2}}])
def test_a_way_of_reading_that_is_unusable_is_ignored(saved: dict[str, object]) -> None:
    assert restored_reading(saved) == ReadOptions()


def test_a_followed_file_may_begin_empty(tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    launcher = Launcher(LaunchOptions(str(small_file(tmp_path)), save=False, fresh=True, follow=path))
    launcher.begin()
    wait(lambda: launcher.progress == "waiting for a review in new.jsonl")
    path.write_text('{"text": "A warm film"}\n', encoding="utf-8")
    wait(lambda: launcher.done)
    assert launcher.session is not None
    assert isinstance(launcher.session.following._file, FollowedFile)
    launcher.session.close()


def test_the_engines_copy_counts_appended_reviews_from_the_end_too() -> None:
    source = NumberedReviews([Review("a", "one"), Review("b", "two")])
    source.extend([Review("c", "three")])
    assert [source[k].name for k in (0, 2, -1, -2, -3)] == ["a", "c", "c", "b", "a"]
    assert [review.name for review in source] == ["a", "b", "c"]
    for index in (3, -4):
        with pytest.raises(IndexError):
            source[index]
