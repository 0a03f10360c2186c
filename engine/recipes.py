"""Recipes of sentiment networks: every ingredient of a training run is one named field.

`PINKX` trained the shipped networks.  `PUBLISHED` follows the authors' public code for Chong & Ling (2024), with Keras'
defaults where it sets nothing: reviews padded in front to 500 words with a trained embedding of the padding, one
dropout mask for each sequence, no clipping, averaging, word dropout or schedule, no validation reviews, and the epoch
of the lowest training loss.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, get_args, get_type_hints

from engine.text import CUT

Padding = Literal["none", "before", "behind"]


@dataclass(frozen=True)
class Recipe:
    """Parameters of a training run; the defaults are Table I of Chong & Ling (2024), completed as in `PINKX`.

    Attributes
    ----------
    padding : {"none", "before", "behind"}
        Where reviews are padded to ``cut`` words; the network reads the padding, whose embedding is trained.  "none"
        reads each review from its first to its last word, as Keras does with masked padding on either side.
    batching : {"length", "random"}
        Whether the reviews of a batch have similar lengths or are drawn at random.
    dropout : float
        Rate at which components of the layer's input are dropped.
    dropout_mask : {"step", "sequence"}
        Whether the components dropped are drawn at every word, or once for a review, as in Keras.
    word_dropout : float
        Rate at which whole words are dropped.
    l2 : float
        Factor of the squared input weights in the loss.
    clip : float
        Norm at which gradients are clipped; 0: no clipping.
    averaging : float
        Decay of the running mean of the weights; 0: no mean.
    schedule : {"cosine", "constant"}
        Learning rate over the run: along a cosine to zero, or constant.
    validation : int
        Number of training reviews held out for validation.
    selection : {"validation", "training"}
        The loss whose lowest value selects the epoch.  The training loss is the mean over an epoch's batches and
        includes the L2 penalty, as Keras reports it.
    split : {"official", "joined"}
        Train on the 25,000 training reviews, or on the first 80 % of all 50,000 in a fixed random order.
    """

    cell: str = "lstm"
    size: int = 8
    seed: int = 0
    embedding: int = 8
    batch: int = 128
    dropout: float = 0.1
    l2: float = 0.001
    learning_rate: float = 0.005
    vocabulary: int = 4000
    cut: int = CUT
    epochs: int = 8
    word_dropout: float = 0.3
    validation: int = 1250
    clip: float = 0.2
    averaging: float = 0.998
    padding: Padding = "none"
    batching: Literal["length", "random"] = "length"
    dropout_mask: Literal["step", "sequence"] = "step"
    schedule: Literal["cosine", "constant"] = "cosine"
    selection: Literal["validation", "training"] = "validation"
    split: Literal["official", "joined"] = "official"

    def __post_init__(self) -> None:
        for field in ("size", "embedding", "batch", "vocabulary", "cut", "epochs"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        for field in ("validation", "clip", "l2", "learning_rate"):
            if not 0 <= getattr(self, field) < math.inf:  # NaN too
                raise ValueError(f"{field} must be at least 0 and finite, got {getattr(self, field)}")
        for field in ("dropout", "word_dropout", "averaging"):
            if not 0 <= getattr(self, field) < 1:
                raise ValueError(f"{field} must be in [0, 1), got {getattr(self, field)}")
        for field, choices in CHOICES.items():
            if getattr(self, field) not in choices:
                raise ValueError(f"unknown {field} {getattr(self, field)!r}, expected one of {', '.join(choices)}")
        if self.selection == "validation" and not self.validation:
            raise ValueError("selection by validation loss needs validation reviews; use selection 'training'")

    @classmethod
    def stored(cls, entries: object) -> Recipe:
        """Return the recipe in a JSON object of a file; fields that an older file does not have are today's defaults.

        Raises
        ------
        ValueError
            If it is no object, or a field is unknown or of another type.
        """
        types = get_type_hints(cls)
        if not isinstance(entries, dict) or not set(entries) <= set(types):
            raise ValueError("the recipe in the file is damaged, or of a newer pinkx")
        for field, value in entries.items():
            expected = str if get_args(types[field]) else types[field]
            if type(value) is not expected and not (expected is float and type(value) is int):
                raise ValueError(f"the recipe in the file is damaged: {field} is {str(value)[:40]!r}")
        return cls(**entries)


CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "cell": ("lstm", "gru", "rnn"),  # as in engine.cells, which imports PyTorch
    **{name: get_args(hint) for name, hint in get_type_hints(Recipe).items() if get_args(hint)},
}
"""The values that each field with a fixed set of values can have."""

PINKX: Final = Recipe()
PUBLISHED: Final = Recipe(
    epochs=25,
    word_dropout=0.0,
    validation=0,
    clip=0.0,
    averaging=0.0,
    padding="before",
    batching="random",
    dropout_mask="sequence",
    schedule="constant",
    selection="training",
)
RECIPES: Final = {"pinkx": PINKX, "published": PUBLISHED}

INGREDIENTS: Final = tuple(name for name, value in asdict(PUBLISHED).items() if value != getattr(PINKX, name))
"""The fields in which the two recipes differ."""

_TOGETHER: Final = dict.fromkeys(("selection", "validation"), ("selection", "validation"))  # one needs the other


def switched(base: Recipe, other: Recipe, name: str) -> Recipe:
    """Return a recipe with one ingredient as in the other; ``selection`` and ``validation`` change together."""
    changes: Any = {key: getattr(other, key) for key in _TOGETHER.get(name, (name,))}
    return replace(base, **changes)
