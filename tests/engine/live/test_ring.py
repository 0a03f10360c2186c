"""The ring keeps the newest words, whatever the blocks they came in, and forgets what it is told to."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from engine.live.ring import Ring


@given(capacity=st.integers(1, 9), blocks=st.lists(st.integers(1, 14), max_size=8))
def test_holds_the_newest_words(capacity: int, blocks: list[int]) -> None:
    ring = Ring({"h": 2, "p": 1}, capacity)
    written = np.empty((0, 2), dtype=np.float32)
    for count in blocks:
        block = np.arange(len(written) * 2, (len(written) + count) * 2, dtype=np.float32).reshape(count, 2)
        ring.write({"h": block, "p": block[:, :1]})
        written = np.concatenate((written, block))
    assert ring.time == len(written)
    np.testing.assert_array_equal(ring.read("h", 0, ring.time), written[ring.first :])
    np.testing.assert_array_equal(ring.read("p", 0, ring.time + 5), written[ring.first :, :1])
    assert len(written) - ring.first == min(capacity, len(written))


def test_rewound_words_are_forgotten_and_written_again() -> None:
    ring = Ring({"h": 1}, 8)
    ring.write({"h": np.arange(6.0)[:, None]})
    ring.rewind(4)
    assert ring.read("h", 0, 99).ravel().tolist() == [0, 1, 2, 3]
    ring.write({"h": np.array([[40.0]])})
    assert ring.read("h", 3, 5).ravel().tolist() == [3, 40]


def test_overwritten_words_do_not_come_back() -> None:
    ring = Ring({"h": 1}, 4)
    ring.write({"h": np.arange(5.0)[:, None]})
    ring.rewind(4)
    assert ring.read("h", 0, 99).ravel().tolist() == [1, 2, 3]


def test_a_copy_is_handed_out() -> None:
    ring = Ring({"h": 1}, 4)
    ring.write({"h": np.ones((2, 1))})
    ring.read("h", 0, 2)[:] = 7
    assert ring.read("h", 0, 2).ravel().tolist() == [1, 1]


def test_refuses_words_it_does_not_keep() -> None:
    ring = Ring({"h": 1}, 2)
    ring.write({"h": np.zeros((5, 1))})
    with pytest.raises(ValueError, match="word 1 is not kept: the ring holds 3 to 5"):
        ring.rewind(1)
    with pytest.raises(ValueError, match="at least one word"):
        Ring({"h": 1}, 0)
