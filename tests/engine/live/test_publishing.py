"""No reader ever gets a torn row or state: not while a process writes, and not if stores arrive in any other order.

A processor with weak memory ordering may make stores visible in another order than the program's. Here a write is made
on a private copy of the memory, and what it changed is then stored piece by piece in random order in the memory that
readers look at.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable
from itertools import count
from queue import SimpleQueue

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.live.ring import Ring
from engine.live.shared_state import SharedState, shared_file
from engine.live.worker import ParentConnection, Worker

CAPACITY = 12
WIDTHS = {"h": 9, "x": 4}
ROOM = 1 << 12
WRITES = 6_000


class Writer:
    """Writer of rows whose values all say when they were written and which word they belong to."""

    def __init__(self, ring: Ring, seed: int = 0) -> None:
        self.ring = ring
        self._random = np.random.default_rng(seed)
        self._numbers = count(1)

    def write(self) -> None:
        choice = self._random.random()
        if choice < 0.05:
            self.ring.clear()
        elif choice < 0.15:
            self.ring.rewind(int(self._random.integers(self.ring.first, self.ring.time + 1)))
        words = self.ring.time + np.arange(self._random.integers(1, CAPACITY + 2))
        pairs = np.stack([np.full(len(words), next(self._numbers)), words], axis=1)
        self.ring.write({name: np.tile(pairs, width)[:, :width] for name, width in WIDTHS.items()})


def check_rows(rows: NDArray[np.float32]) -> None:
    """Assert that every row is one row that was written, and that the rows are consecutive words."""
    written, words = rows[:, ::2], rows[:, 1::2]
    assert (written == written[:, :1]).all()
    assert (words == words[:, :1]).all()
    assert (np.diff(words[:, 0]) == 1).all()


def stores(before: NDArray[np.uint8], after: NDArray[np.uint8], size: int) -> list[slice]:
    """Return the differences of two memories as stores of ``size`` bytes."""
    changed = np.flatnonzero((before != after).reshape(-1, size).any(axis=1))
    return [slice(size * k, size * (k + 1)) for k in changed]


@pytest.mark.parametrize("size", [1, 4, 8])
def test_a_row_is_never_torn_whatever_the_order_of_the_stores(size: int) -> None:
    random = np.random.default_rng(size)
    private, shared = bytearray(Ring.size(WIDTHS, CAPACITY)), bytearray(Ring.size(WIDTHS, CAPACITY))
    after, seen = np.frombuffer(private, np.uint8), np.frombuffer(shared, np.uint8)
    writer, reader = Writer(Ring(WIDTHS, CAPACITY, private)), Ring(WIDTHS, CAPACITY, shared, patience=0)
    rows = partial = 0
    for _ in range(120):
        writer.write()
        pending = stores(seen, after, size)
        random.shuffle(pending)
        pauses = set(random.integers(0, len(pending) - 1, 8).tolist())
        for k, store in enumerate(pending):
            seen[store] = after[store]
            if k in pauses:
                for name in WIDTHS:
                    read = reader.read(name, 0)
                    check_rows(read)
                    rows += len(read)
                    partial += len(read) < CAPACITY
        for name in WIDTHS:  # and once every store has arrived, nothing is missing
            np.testing.assert_array_equal(reader.read(name, 0), writer.ring.read(name, 0))
    assert rows > 500  # the reader did get rows,
    assert partial > 500  # and had to leave out others


def test_a_stamp_depends_on_every_value_the_word_and_the_epoch() -> None:
    memory = bytearray(Ring.size({"h": 3}, 4))
    ring, reader = Ring({"h": 3}, 4, memory), Ring({"h": 3}, 4, memory, patience=0)
    ring.write({"h": np.arange(12.0).reshape(4, 3)})
    values = np.frombuffer(memory, np.float32)[-12:]
    for cell in range(12):
        original, values[cell] = float(values[cell]), 99.0
        assert len(reader.read("h", 0)) == 3 - cell // 3  # the rows after the one that does not match
        values[cell] = original
    assert len(reader.read("h", 0)) == 4
    values[:3], values[3:6] = values[3:6].copy(), values[:3].copy()
    assert len(reader.read("h", 0)) == 2
    old = bytes(memory)
    ring.clear()
    ring.write({"h": np.ones((4, 3))})
    rows = slice(len(memory) - 48, None)
    memory[rows] = old[rows]  # the rows of the epoch before
    assert len(reader.read("h", 0)) == 0


@pytest.mark.parametrize("size", [1, 4, 8])
def test_a_state_is_never_torn_whatever_the_order_of_the_stores(size: int) -> None:
    random = np.random.default_rng(size)
    length = SharedState.size(WIDTHS, CAPACITY, ROOM)
    handles = [shared_file(length) for _ in range(2)]
    after, seen = (np.frombuffer(mmap.mmap(handle, length), np.uint8) for handle in handles)
    writer, reader = (SharedState(handle, WIDTHS, CAPACITY, ROOM, patience=0) for handle in handles)
    states: dict[int, bytes] = {}
    newest = newer = 0
    for number in range(1, 150):
        states[number] = bytes([number]) * int(random.integers(1, ROOM // 2))
        writer.publish(states[number])
        pending = stores(seen, after, size)
        random.shuffle(pending)
        pauses = set(random.integers(0, len(pending) - 1, 8).tolist())
        for k, store in enumerate(pending):
            seen[store] = after[store]
            if k in pauses and (read := reader.read()) is not None:
                assert read[1] == states[read[0]]
                assert read[0] >= newest
                newer += read[0] > newest
                newest = read[0]
        assert reader.read() == (number, states[number])
        newest = number
    assert newer == 0  # a state is whole only with its last store


# ---- processes -----------------------------------------------------------------------------------------------------


def write_all(handle: int, file: int) -> None:
    """Entry of the writing process."""
    parent, shared = ParentConnection(handle), SharedState(file, WIDTHS, CAPACITY, ROOM)
    parent.receive()
    writer = Writer(shared.ring)
    for number in range(1, WRITES + 1):
        writer.write()
        shared.publish(bytes([number % 251]) * (1 + number * 7919 % (ROOM - 100)))
    parent.send("written")
    parent.receive()


def read_all(handle: int, file: int) -> None:
    """Entry of a reading process: reads until the last state, and sends what went wrong, "" if nothing did."""
    parent, shared = ParentConnection(handle), SharedState(file, WIDTHS, CAPACITY, ROOM)
    parent.send("ready")
    newest = rows = states = 0
    try:
        while newest < WRITES:
            for name in WIDTHS:
                read = shared.ring.read(name, 0)
                check_rows(read)
                rows += len(read)
            state = shared.read()
            if state is not None:
                number, text = state
                assert number >= newest
                assert text == bytes([number % 251]) * (1 + number * 7919 % (ROOM - 100))
                states += number > newest
                newest = number
        for name in WIDTHS:
            assert len(shared.ring.read(name, 0)) == shared.ring.time - shared.ring.first
        assert rows > 1000
        assert states > 10
    except BaseException as error:
        parent.send(repr(error))
    else:
        parent.send("")
    parent.receive()


def test_three_processes_read_while_another_writes() -> None:
    file = shared_file(SharedState.size(WIDTHS, CAPACITY, ROOM))
    answers: SimpleQueue[str] = SimpleQueue()
    ended: list[str] = []

    def start(entry: Callable[[int, int], None]) -> Worker:
        return Worker(
            f"{__name__}:{entry.__name__}",
            file,
            name="test",
            on_message=answers.put,
            on_exit=ended.append,
            on_send_error=lambda _, error: ended.append(error),
            handles=[file],
        )

    workers = [start(read_all) for _ in range(3)]
    try:
        assert [answers.get(timeout=60) for _ in workers] == ["ready"] * 3
        workers.append(start(write_all))
        workers[-1].send("write")
        assert sorted(answers.get(timeout=90) for _ in workers) == ["", "", "", "written"]
    finally:
        os.close(file)
        for worker in workers:
            worker.close(1)
    assert not ended


def test_a_writer_that_is_killed_leaves_whole_rows_and_holds_up_nobody() -> None:
    file = shared_file(SharedState.size(WIDTHS, CAPACITY, ROOM))
    shared = SharedState(os.dup(file), WIDTHS, CAPACITY, ROOM)
    writer = Worker(
        f"{__name__}:write_all",
        file,
        name="test",
        on_message=print,
        on_exit=print,
        on_send_error=print,
        handles=[file],
    )
    os.close(file)
    writer.send("write")
    end = time.monotonic() + 60
    while shared.ring.time == 0 or shared.newest < 3:
        assert time.monotonic() < end
        time.sleep(0.001)
    writer.close(0)
    began = time.monotonic()
    for name in WIDTHS:
        check_rows(shared.ring.read(name, 0))
    state = shared.read()
    assert state is not None
    assert state[0] in (shared.newest - 1, shared.newest)
    assert time.monotonic() - began < 1
