"""Where shards run: what --on accepts, and processes of this machine."""

from __future__ import annotations

import pytest

from engine.sweeps.executors import InProcess, check, open_pool


@pytest.mark.parametrize(
    ("on", "says"),
    [
        ("nowhere", "expected local:N, dask://HOST:PORT or slurm:KEY=VALUE"),
        ("local", "expected local:N"),
        ("local:0", "expected the number of processes"),
        ("local:two", "expected the number of processes"),
        ("dask:host:1", "expected local:N, dask://HOST:PORT"),
        ("slurm:nodes=4", "cannot read 'nodes=4'; expected KEY=VALUE with partition, account,"),
        ("slurm:time=long", "cannot read 'time=long'"),
    ],
)
def test_an_unknown_place_is_one_sentence(on: str, says: str) -> None:
    with pytest.raises(ValueError, match="--on") as error:
        check(on)
    assert says in str(error.value)


@pytest.mark.parametrize(("on", "package"), [("dask://host:8786", "distributed"), ("slurm:time=5", "submitit")])
def test_a_missing_package_is_named(on: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(ValueError, match=rf"needs the package {package}: pip install 'pinkx\[cluster\]'"):
        check(on)


def test_this_process_is_an_executor() -> None:
    with open_pool(None) as pool:
        assert isinstance(pool.executor, InProcess)
        assert pool.width == 1
        assert pool.executor.submit(divmod, 7, 2).result() == (3, 1)
        assert isinstance(pool.executor.submit(divmod, 7, 0).exception(), ZeroDivisionError)
        assert pool.share("reviews") == "reviews"
