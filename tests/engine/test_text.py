"""The text rules, and the original spelling of each word."""

import re
import time

import pytest
from hypothesis import given, strategies as st

from engine.text import (
    Review,
    ReviewError,
    count_words,
    decode,
    has_words,
    most_words,
    plain_text,
    printable,
    split_surface,
    split_words,
)

PIECES = st.sampled_from(
    ["<br />", "<BR />", "<br>", "<br", "/>", "—", "-", "/", " ", "\x1b[31m", "don't", "É", "İ", "K", "�", "a"]
)
TEXTS = st.text() | st.lists(PIECES | st.characters()).map("".join)


def plain_rule(text: str) -> list[str]:
    """The rules as they are written down, one after the other."""
    text = re.sub(r"<br\s*/?>|[-/‒–—―]", " ", text.lower())
    return re.sub(r"[^a-z0-9\s]", "", text).split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't go.<br /><br />It's AWFUL!", ["dont", "go", "its", "awful"]),
        ("a well-known 7/10 film", ["a", "well", "known", "7", "10", "film"]),
        ("<BR />one<br/>two<br>three", ["one", "two", "three"]),
        ("good—no, fine – a ‒ b―c", ["good", "no", "fine", "a", "b", "c"]),
        ("café\u00a0crème\ttwo\x85three", ["caf", "crme", "two", "three"]),
        ("… — !", []),
    ],
)
def test_the_rules_by_example(text: str, words: list[str]) -> None:
    assert split_words(text) == words
    assert most_words(text) >= len(words)


@given(TEXTS)
def test_words_follow_the_rules_as_written(text: str) -> None:
    assert split_words(text) == plain_rule(text)
    assert has_words(text) == bool(plain_rule(text))
    assert most_words(text) >= len(plain_rule(text))


@given(TEXTS)
def test_every_word_has_its_spelling(text: str) -> None:
    review = Review("any", text)
    assert list(review.words) == split_words(text)
    assert len(review.surface) == len(review.words)
    # Breaks are gone, so what "<BR<BR />/>" leaves is not a break of its own: here "<" is a character to drop.
    pieces = [split_words(piece.replace("<", ""))[:1] for piece in review.surface]
    assert pieces == [[word] for word in review.words]
    assert all(piece.isprintable() for piece in review.surface)


def test_spelling_keeps_case_and_punctuation() -> None:
    surface = split_surface('"Well-made" -- and/or (so\n<br />they say) … good \x1b[31m!\u200b')
    assert surface == ['"Well-', 'made" --', "and/", "or", "(so", "they", "say) …", "good", "[31m!"]


def test_printable_is_one_safe_line() -> None:
    assert printable("a\n\tb\x1b[2J\x07\u202e\u200bc 映画") == "a b[2Jc 映画"


def test_words_are_counted_over_reviews() -> None:
    counts = count_words([Review("a", "Good, good film."), Review("b", "a good-bye")])
    assert counts == {"good": 3, "film": 1, "a": 1, "bye": 1}


def test_a_hundred_thousand_words_take_a_moment() -> None:
    review = Review("long", "Not bad - at all, <br />really! " * 20_000)
    start = time.perf_counter()
    assert len(review.words) == len(review.surface) == 100_000
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Third<BR/>none. Tom &amp; Ann: &quot;ok&quot; &lt;3 it&#39;s", 'Third none. Tom & Ann: "ok" <3 it\'s'),
        ("<html><body><p>A <i class='x'>fine</i> film</p></body></html>", "A fine film"),
        ("<grin> 1 < 2 and 3 > 2 &unknown; R&D <3", "<grin> 1 < 2 and 3 > 2 &unknown; R&D <3"),
        ("a<script>var x = 1 < 2;</script>b<!-- a > b -->c<style>p {}</style>d", "a b c d"),
        ("it\x92s fine \x97 no\x85really\x81", "it’s fine — no… really"),
        ("caf\xe9 \ud800", "café ?"),
    ],
)
def test_html_is_removed_and_other_text_stays(text: str, plain: str) -> None:
    assert " ".join(plain_text(text).split()) == plain


@pytest.mark.parametrize("text", ["<" * 10**5, "<script>" * 10**4, "<a " * 10**4, "&a" * 10**5, "<!--" * 10**4])
def test_removing_html_takes_time_in_proportion_to_the_text(text: str) -> None:
    start = time.perf_counter()
    plain_text(text)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("déjà vu".encode("latin1"), r"a.txt is not UTF-8 text: byte 0xe9 at offset 1; convert it, .* iconv"),
        ("film".encode("utf-16"), r"is not UTF-8 text: byte 0xff at offset 0"),
        (b"\xef\xbb\xbfgood \xff", r"byte 0xff at offset 8"),
        (b"film\0\0\1", r"is not text: it has a zero byte at offset 4"),
    ],
)
def test_what_is_not_text_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ReviewError, match=message):
        decode(data, "a.txt")


def test_a_byte_order_mark_is_removed() -> None:
    assert decode(b"\xef\xbb\xbfgood", "a.txt") == "good"


def test_equal_pieces_of_a_review_are_one_string() -> None:
    surface = Review("a", "Good, Good, bad").surface
    assert surface == ("Good,", "Good,", "bad")
    assert surface[0] is surface[1]
