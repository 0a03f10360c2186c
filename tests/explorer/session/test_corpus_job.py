"""Measuring the corpus on a GPU in the worker process, and the notice to the user if that fails."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from engine.network import Network
from engine.reviews import Review
from explorer.session import corpus_job
from explorer.session.controllers.ablation_accuracy import measure
from explorer.session.corpus_job import Notice, Numbers, send_rows
from tests.engine.simulated_gpu import simulated_gpu
from tests.explorer.session.test_corpus import reviews
from tests.explorer.small import small_network

COUNT = 5
ORDER = (3, 0, 4, 1, 2)


class Results(list[Any]):
    """Results that a job sends."""

    def __call__(self, result: object) -> bool:
        self.append(result)
        return True

    def rows(self) -> np.ndarray[Any, Any]:
        return np.concatenate([result for result in self if isinstance(result, np.ndarray)])


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_job, "_devices", {"cuda": "cuda", "cpu": "cpu"})
    monkeypatch.setattr(corpus_job, "_encoded", {})
    monkeypatch.setattr(corpus_job, "_whole", None)


def sent(device: str, order: tuple[int, ...] = ORDER, clamps: Any = None, words: int = 300) -> Results:
    found = Results()
    source = [Review(one.name, " ".join(one.words[: words - k]), one.label) for k, one in enumerate(reviews(COUNT))]
    send_rows(found, small_network(), clamps or {}, [source[k] for k in order], Numbers(7, order), device)
    return found


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> None:
    move = Network.to

    def to(network: Network, *, device: str) -> Network:
        if device != "cpu":
            raise RuntimeError("CUDA error: device lost\nmore lines")
        return move(network, device=device)

    monkeypatch.setattr(Network, "to", to)


@pytest.mark.usefixtures("lost")
def test_a_card_that_fails_is_named_once_and_the_cpu_measures_all() -> None:
    expected, found = sent("cpu").rows(), sent("cuda")
    (notice,) = (one for one in found if isinstance(one, Notice))
    assert notice == "the GPU failed (CUDA error: device lost): the CPU measures the reviews"
    rows = found.rows()
    assert rows[np.argsort(rows["review"])].tobytes() == expected[np.argsort(expected["review"])].tobytes()
    assert not [one for one in sent("cuda") if isinstance(one, Notice)]


@pytest.mark.usefixtures("lost")
def test_accuracy_without_a_cell_goes_on_without_the_card() -> None:
    found, source = Results(), [review for review in reviews(COUNT) if review.label is not None]
    numbers = Numbers(8, tuple(range(len(source))))
    measure(found, small_network(), {}, source, numbers, None, "cuda")
    assert isinstance(found[0], Notice)
    assert isinstance(found[1], np.ndarray)
    assert corpus_job.device_of("cuda") == "cpu"


@pytest.mark.skipif(os.environ["TRITON_INTERPRET"] == "0", reason="the kernels are compiled for the card that is here")
def test_a_card_prepares_the_corpus_once_whatever_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton", reason="Triton, which compiles the GPU kernels, is not installed")
    from engine import gpu_corpus

    clamps = {"h": np.where(np.arange(12) == 2, 0.3, np.nan).astype(np.float32)}
    with simulated_gpu():
        before = sent("cuda", ORDER, words=6)
        monkeypatch.setattr(gpu_corpus, "DeviceReviews", None)  # nothing is prepared any more
        found = sent("cuda", ORDER[::-1], clamps, words=6)
    assert not [one for one in (*before, *found) if isinstance(one, Notice)]
    rows = found.rows()
    expected = sent("cpu", ORDER[::-1], clamps, words=6).rows()[rows["review"]]
    for name in ("review", "words", "label"):
        assert rows[name].tolist() == expected[name].tolist()
    for name in ("probability", "deviation"):
        np.testing.assert_allclose(rows[name], expected[name], atol=1e-5)
