"""Shards are computed once, stored whole, and resumed."""

from __future__ import annotations

import json
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.sweeps import shards as module
from engine.sweeps.executors import InProcess, Pool
from engine.sweeps.shards import Progress, Result, Shard, ShardError, Store, digest_of, map_shards, run_shards


def square(number: int, added: int) -> Result:
    return Result({"value": number * number + added}, {f"{number}.txt": str(number).encode()})


def refuse(number: int, added: int) -> Result:
    raise ValueError(f"{number} is no good")


def squares(count: int) -> list[Shard]:
    return [Shard(f"square of {k}", digest_of("square", k), square, (k,)) for k in range(count)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "shards", tmp_path / "networks")


def test_a_run_that_was_stopped_resumes(store: Store) -> None:
    seen: list[Progress] = []

    def stop(now: Progress) -> None:
        seen.append(now)
        if now.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_shards(squares(4), None, store, shared=(1,), progress=stop)
    assert len(list(store.folder.iterdir())) == 2
    seen.clear()
    values = run_shards(squares(4), None, store, shared=(1,), progress=seen.append)
    assert values == [{"value": k * k + 1} for k in range(4)]
    assert [(now.done, now.resumed, now.total) for now in seen] == [(2, 2, 4), (3, 2, 4), (4, 2, 4)]
    assert seen[0].rate is None
    assert seen[1].rate is not None
    assert seen[-1].left == 0
    assert sorted(path.name for path in store.files.iterdir()) == [f"{k}.txt" for k in range(4)]
    again = [replace(shard, work=refuse) for shard in squares(4)]  # not called: all results are there
    assert run_shards(again, None, store, shared=(1,)) == values


@pytest.mark.parametrize("damage", ["cut", "value", "file", "lost"])
def test_a_damaged_shard_is_reported_and_computed_again(damage: str, store: Store) -> None:
    (shard,) = squares(3)[2:]
    run_shards([shard], None, store, shared=(1,))
    path = store.folder / f"{shard.digest}.json"
    whole = json.loads(path.read_text())
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    elif damage == "value":
        path.write_text(path.read_text().replace('"value": 5', '"value": 6'))
    elif damage == "file":
        (store.files / "2.txt").write_text("3")
    else:
        (store.files / "2.txt").unlink()
    said: list[str] = []
    assert run_shards([shard], None, store, shared=(1,), report=said.append) == [{"value": 5}]
    assert len(said) == 1
    assert said[0].startswith("square of 2: ")
    assert said[0].endswith("computing it again")
    assert json.loads(path.read_text()) == whole
    assert (store.files / "2.txt").read_text() == "2"


def test_a_shard_that_fails_is_named(store: Store) -> None:
    wrong = Shard("the third", digest_of(3), refuse, (3,))
    with pytest.raises(ShardError, match="the third: 3 is no good"):
        run_shards([*squares(2), wrong], None, store, shared=(1,))
    assert len(list(store.folder.iterdir())) == 2


def test_shards_of_one_digest_are_computed_once() -> None:
    calls: list[Progress] = []
    assert run_shards(squares(2) * 2, shared=(0,), progress=calls.append) == [{"value": 0}, {"value": 1}] * 2
    assert calls[-1].done == 2


def test_the_digest_depends_on_every_part() -> None:
    parts: list[Any] = ["measure", 1, b"weights", {"words": 500}]
    names = {digest_of(*parts)}
    for k, other in enumerate(("train", 2, b"weight", {"words": 501})):
        names.add(digest_of(*parts[:k], other, *parts[k + 1 :]))
    names |= {digest_of("measure", 1, b"weights"), digest_of("a", "bc"), digest_of("ab", "c"), digest_of(b'"a"', "bc")}
    assert len(names) == 9


class Dying(Executor):
    """An executor whose workers die when they run certain shards, and take the others with them."""

    def __init__(self, deadly: dict[str, int]) -> None:
        self.deadly, self.started = deadly, list[str]()

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        from concurrent.futures.process import BrokenProcessPool

        number = str(args[1][0])
        self.started.append(number)
        if self.deadly.get(number, 0) > 0:
            self.deadly[number] -= 1
            future: Future[Any] = Future()
            future.set_exception(BrokenProcessPool("a process ended"))
            return future
        return InProcess().submit(fn, *args)


@pytest.mark.parametrize("deaths", [1, 2, 9])
def test_a_shard_whose_worker_dies_is_tried_again_alone_and_then_named(
    deaths: int, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = Dying({"2": deaths})

    @contextmanager
    def opened(on: str | None) -> Any:
        yield Pool(executor, 2)

    monkeypatch.setattr(module, "open_pool", opened)
    said: list[str] = []
    if deaths < 9:
        values = run_shards(squares(6), "local:2", store, shared=(1,), report=said.append)
        assert values == [{"value": k * k + 1} for k in range(6)]
    else:
        with pytest.raises(ShardError, match="square of 2: its worker died 3 times"):
            run_shards(squares(6), "local:2", store, shared=(1,), report=said.append)
        assert executor.started.count("2") in (3, 4)  # the first time with others, if they have not ended before
    assert all(text.startswith("a worker was lost (a process ended)") for text in said)
    assert len(said) == (deaths if deaths < 9 else executor.started.count("2") - 1)


def test_calls_are_spread_without_a_store() -> None:
    assert map_shards(divmod, {"a": (7, 2), "b": (9, 4)}, None) == [(3, 1), (2, 1)]
