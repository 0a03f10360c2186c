"""Numbers published by Chong & Ling (2024), and where; the figures of the paper give no further numbers."""

from __future__ import annotations

from typing import Final

ACCURACY: Final = {
    8: 88.95,
    16: 88.97,
    32: 88.78,
    48: 88.79,
    64: 88.96,
    80: 88.56,
    96: 88.32,
    112: 88.78,
    128: 88.24,
}
"""Table II: mean accuracy in per cent over networks of each size; their number is not given."""

ACCURACY_RANGE: Final = (87.61, 89.63)  # section III
BETA_H: Final = (0.833, 0.132)  # section III A and Figure 3(c): one network, mean and spread over reviews
BETA_H_SIZE: Final = 8
BETA_X: Final = (0.002, 0.116)  # section III B and Figure 3(c)
R2: Final = 0.061  # section III B and Figure 4

INTERNAL: Final = {"lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n"), "rnn": ()}
EXTERNAL: Final = {"lstm": ("c_out", "h"), "gru": ("h",), "rnn": ("h",)}
"""The two groups of section III D; the groups of the GRU are ours."""

NAMES: Final = {"g": "c̃", "c_out": "c_out", "n": "n (candidate)"}
"""Our g is the paper's c̃."""
