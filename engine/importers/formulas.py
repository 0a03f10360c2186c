"""Nonlinearities in NumPy, for the independent bodies of the importers; the cells use `engine.nonlinearities`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from engine.importers.parts import Array

VALUES: Final[Mapping[str, Callable[[Array], Array]]] = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "hard_sigmoid_5": lambda a: np.clip(0.2 * a + 0.5, 0, 1),
    "hard_sigmoid_6": lambda a: np.clip(a / 6 + 0.5, 0, 1),
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "softplus": lambda a: np.logaddexp(a, 0),
    "linear": lambda a: a,
    "shifted": lambda a: np.where(a >= 0, a + 0.5, 1 / (1 + np.exp(-np.minimum(a, 0)))),
}
