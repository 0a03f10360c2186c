"""The ring stores the newest words, whatever their blocks, and drops those that are taken back."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.live.ring import Ring


@settings(deadline=None)  # the first example may compile
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


def test_rewound_words_are_dropped_and_written_again() -> None:
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


def test_another_ring_on_the_same_memory_reads_the_same() -> None:
    memory = bytearray(Ring.size({"h": 3, "p": 1}, 5))
    writer, reader = Ring({"h": 3, "p": 1}, 5, memory), Ring({"h": 3, "p": 1}, 5, memory)
    assert (reader.time, reader.read("h", 0).shape) == (0, (0, 3))
    random = np.random.default_rng(0)
    for dropped in ("none", "some", "all"):
        if dropped == "some":
            writer.rewind(9)
        elif dropped == "all":
            writer.clear()
        for count in (1, 3, 7):
            writer.write({"h": random.standard_normal((count, 3)), "p": random.standard_normal((count, 1))})
            assert (reader.first, reader.time) == (writer.first, writer.time)
            for name in ("h", "p"):
                np.testing.assert_array_equal(reader.read(name, 0), writer.read(name, 0))
                assert len(reader.read(name, 0)) == writer.time - writer.first


def test_read_returns_a_copy() -> None:
    ring = Ring({"h": 1}, 4)
    ring.write({"h": np.ones((2, 1))})
    ring.read("h", 0, 2)[:] = 7
    assert ring.read("h", 0, 2).ravel().tolist() == [1, 1]


def test_refuses_to_rewind_to_words_it_does_not_store() -> None:
    ring = Ring({"h": 1}, 2)
    ring.write({"h": np.zeros((5, 1))})
    with pytest.raises(ValueError, match="word 1 is not stored: the ring holds 3 to 5"):
        ring.rewind(1)
    with pytest.raises(ValueError, match="at least one word"):
        Ring({"h": 1}, 0)
