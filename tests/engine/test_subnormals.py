"""Training steps treat subnormal numbers as zeros, without an effect on the weights."""

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from engine.network import Vocabulary
from engine.recipes import PUBLISHED
from engine.subnormals import subnormals_as_zeros
from engine.training import EncodedReviews, SentimentRun

supported = torch.set_flush_denormal(False)
pytestmark = pytest.mark.skipif(not supported, reason="PyTorch cannot switch subnormal numbers off on this processor")

TINY = float(np.finfo(np.float32).tiny)


def kept() -> bool:
    """Return whether this thread computes with subnormal numbers."""
    return bool(torch.tensor(TINY) / 4 != 0)


def test_subnormals_are_zeros_within_the_block_alone() -> None:
    assert kept()
    with subnormals_as_zeros():
        assert not kept()
        with subnormals_as_zeros():
            pass
        assert not kept()  # as before the inner block
    with pytest.raises(KeyError), subnormals_as_zeros():
        raise KeyError
    assert kept()


@pytest.fixture(scope="module")
def encoded() -> EncodedReviews:
    random = np.random.default_rng(0)
    ids = tuple(random.integers(2, 30, random.integers(5, 60)).astype(np.int32) for _ in range(48))
    return EncodedReviews(ids, (random.random(48) < 0.5).astype(np.float32), Vocabulary([f"w{k}" for k in range(28)]))


@pytest.mark.parametrize("changes", [{}, {"padding": "behind"}, {"dropout_mask": "step", "clip": 0.2}])
def test_weights_are_the_same_bit_for_bit(changes: dict[str, Any], encoded: EncodedReviews) -> None:
    """Gradients vanish over 500 steps of padding, so that plain steps have subnormal numbers."""
    recipe = replace(PUBLISHED, size=4, batch=16, **changes)
    runs = [SentimentRun(encoded, recipe, "cpu") for _ in range(2)]
    steps = (SentimentRun._train_batch, inspect.unwrap(SentimentRun._train_batch))
    subnormal = [0, 0]
    for run in runs:
        run.module.workspace.get("by_inputs", 17 * recipe.cut, 24).zero_()  # memory for all batches
    for batch in runs[0].batches(np.random.default_rng(0)):
        for side, (step, run) in enumerate(zip(steps, runs, strict=True)):
            step(run, batch, torch.Generator().manual_seed(0))
            gradients = run.module.workspace.get("by_inputs", 17 * recipe.cut, 24).numpy()
            subnormal[side] += int(((gradients != 0) & (np.abs(gradients) < TINY)).sum())
    assert kept()
    assert subnormal[0] == 0 < subnormal[1]
    for ours, plain in zip(runs[0].learned, runs[1].learned, strict=True):
        assert torch.equal(ours.view(torch.int32), plain.view(torch.int32))
