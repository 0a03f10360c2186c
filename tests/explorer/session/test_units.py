"""The names of what a network reads."""

import pytest
import torch

from engine.cells import RnnCell
from engine.network import Network, Vocabulary
from explorer.session.views.units import CHARACTERS, STEPS, WORDS, UnitNames, unit_names


def _network(vocabulary: Vocabulary | None, **info: str) -> Network:
    cell = RnnCell(torch.zeros(2, 2), torch.zeros(2, 2), torch.zeros(2))
    embedding = None if vocabulary is None else torch.zeros(len(vocabulary), 2)
    return Network(cell, torch.zeros(1, 2), torch.zeros(1), embedding=embedding, vocabulary=vocabulary, info=info)


def test_a_network_is_named_after_what_it_reads() -> None:
    letters = Vocabulary(["a", "b"])
    assert unit_names(_network(None)) == STEPS
    assert unit_names(_network(letters)) == WORDS
    assert unit_names(_network(letters, unit="character")) == CHARACTERS


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (WORDS, "Words of this review, keyword, word-by-word"),
        (STEPS, "Steps of this sequence, keyword, step-by-step"),
        (CHARACTERS, "Characters of this text, keyword, character-by-character"),
    ],
)
def test_a_text_of_the_program_takes_the_names(names: UnitNames, text: str) -> None:
    assert names.reword("Words of this review, keyword, word-by-word") == text


def test_counts_have_singular_and_plural() -> None:
    assert (STEPS.count(1), STEPS.count(1204), STEPS.units, STEPS.sequences) == (
        "1 step", "1,204 steps", "steps", "sequences",
    )  # fmt: skip
