"""A grid in words becomes recipes; a slip becomes one sentence."""

from __future__ import annotations

import pytest

from engine.recipes import PINKX, PUBLISHED
from engine.sweeps.grid import grid_of, sentiment_grid
from engine.task_training import TaskRecipe


def stems(text: str) -> list[str]:
    return list(sentiment_grid(text, PINKX, PUBLISHED).recipes)


def test_every_combination_is_a_network() -> None:
    grid = sentiment_grid("cell=lstm,gru size=8..128x2 seed=0..9", PINKX, PUBLISHED)
    assert len(grid.recipes) == 2 * 5 * 10
    assert grid.varying == ("cell", "size", "seed")
    recipe = grid.recipes["gru-64-s7"]
    assert (recipe.cell, recipe.size, recipe.seed, recipe.epochs) == ("gru", 64, 7, PINKX.epochs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size=8..10", ["lstm-8-s0", "lstm-9-s0", "lstm-10-s0"]),
        ("size=8..20+6", ["lstm-8-s0", "lstm-14-s0", "lstm-20-s0"]),
        ("size=3..26x3", ["lstm-3-s0", "lstm-9-s0"]),
        ("seed=5,1..2,2", ["lstm-8-s5", "lstm-8-s1", "lstm-8-s2"]),
        ("lr=0.001..0.1x10", [f"lstm-8-learning_rate-{rate}-s0" for rate in ("0.001", "0.01", "0.1")]),
        ("dropout=0..0.2+0.1 dropout-mask=step", [f"lstm-8-dropout-{rate}-s0" for rate in ("0", "0.1", "0.2")]),
        ("switch=none,clip", ["lstm-8-s0", "lstm-8-clip-s0"]),
    ],
)
def test_ranges_and_lists(text: str, expected: list[str]) -> None:
    assert stems(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "--grid is empty"),
        ("size", "cannot read 'size'; expected FIELD=VALUES"),
        ("cells=lstm", "a recipe has no field 'cells'; its fields are cell, size, seed,"),
        ("cell=mlp", "cell=mlp is unknown; expected one of lstm, gru, rnn"),
        ("padding=left", "padding=left is unknown; expected one of none, before, behind"),
        ("size=big", "size=big: expected a whole number"),
        ("lr=nan", "learning_rate=nan: expected a finite number"),
        ("dropout=0..1", "dropout=0..1 needs a step"),
        ("size=9..8", "size=9..8 has no values"),
        ("size=8..9x1", "expected a rising range, and a factor above 1"),
        ("size=0,1", "size=0: size must be at least 1, got 0"),
        ("validation=0", "selection by validation loss needs validation reviews"),
        ("seed=1 seed=2", "seed is named twice"),
        ("seed=0..999999", "has more than 100,000 values"),
        ("seed=0..9999 size=1..20", "--grid has 200,000 networks; expected at most 100,000"),
        ("switch=size", "switch=size is unknown; expected one of none, epochs"),
        ("clip=0,0.2 switch=none,clip", "two networks would be saved as"),
    ],
)
def test_a_slip_is_one_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError, match="--grid") as error:
        stems(text)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_tasks_have_grids_too() -> None:
    grid = grid_of("task=flip-flop-1,integration-2 cell=gru seed=0..1", TaskRecipe(size=5), {"cell": ("gru",)})
    assert list(grid.recipes) == [
        f"gru-5-{task}-s{seed}" for task in ("flip-flop-1", "integration-2") for seed in (0, 1)
    ]
    with pytest.raises(ValueError, match="task=chess: "):
        grid_of("task=chess,flip-flop-1", TaskRecipe(), {})
