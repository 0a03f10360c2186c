"""Aids to the orientation of the user: notices that expire, the way back, undo, the legend, the introduction."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from explorer.session.actions import ACTIONS, PANELS
from explorer.session.core import NOTICE_SECONDS, Core, SessionError
from explorer.session.saved_state import State, captured, load_state, restore, save_state
from explorer.session.session import Session
from explorer.session.views.cell_readouts import CELL_HEADINGS, cells_line
from explorer.session.views.clamps import clamped_cells
from explorer.session.views.introduction import ANNOTATIONS, KEY_LABELS, KEYS
from explorer.session.views.legend import LEGEND, SENTENCES, section_of
from explorer.session.views.point_readouts import point_legend
from explorer.session.views.readouts import BADGES, status_parts
from explorer.session.views.runs import plain
from explorer.session.views.traces import cell_table
from tests.explorer.small import REVIEWS, wait


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def at_word(session: Session, review: str, word: int) -> bool:
    snapshot = session.stream.snapshot
    return snapshot.review.name == review and session.frame().word == word


def test_a_notice_expires_and_a_long_one_later() -> None:
    clock, stream = Clock(), SimpleNamespace()
    core = Core(cast("Any", stream), REVIEWS, clock=clock)
    core.note = "short"
    clock.now = NOTICE_SECONDS[0]
    assert core.note == "short"
    clock.now += 1
    assert core.note == ""
    core.note = "long" * 20
    clock.now += NOTICE_SECONDS[0] + 1
    assert core.note


def test_jumps_go_back_and_forward(read: Session) -> None:
    clock = Clock()
    read.core.clock = clock
    for place in ("20", "60"):
        clock.now += 1
        read.jump_to(place)
    read.perform("step")  # no jump
    with pytest.raises(SessionError, match="no later place"):
        read.perform("jump-forward")
    read.perform("jump-back")
    assert at_word(read, "first", 19)
    read.perform("jump-back")
    assert at_word(read, "first", 99)
    with pytest.raises(SessionError, match="no earlier place"):
        read.perform("jump-back")
    read.perform("jump-forward")
    read.perform("jump-forward")
    assert at_word(read, "first", 60)  # where the step had led


def test_a_jump_goes_back_to_another_review(read: Session) -> None:
    clock = Clock()
    read.core.clock = clock
    clock.now += 1
    read.open_text("A warm film")
    wait(lambda: read.stream.snapshot.finished)
    clock.now += 1
    read.perform("next-review")
    wait(lambda: read.stream.snapshot.review.name == "second")
    read.update()
    read.perform("jump-back")
    wait(lambda: at_word(read, "typed", 2))
    read.update()
    read.perform("jump-back")
    wait(lambda: at_word(read, "first", 99))
    assert read.index == 0


def test_a_drag_is_one_jump(read: Session) -> None:
    clock = Clock()
    read.core.clock = clock
    clock.now += 1
    for word in range(40, 50):
        clock.now += 0.05
        read.look_at(word)
    read.perform("jump-back")
    assert at_word(read, "first", 99)


def test_undo_goes_one_step_and_undoes_a_restoration(read: Session) -> None:
    def clamped(cells: dict[int, tuple[str, ...]]) -> None:
        wait(lambda: clamped_cells(read.stream.snapshot) == cells and read.stream.snapshot.time == 100)

    with pytest.raises(SessionError, match="nothing to undo"):
        read.perform("undo")
    for cell in (0, 3):
        read.select(cell)
        read.perform("ablate")
    read.perform("undo-ablation")
    clamped({})
    read.perform("undo")
    clamped({0: ("h",), 3: ("h",)})
    read.perform("undo")
    clamped({0: ("h",)})
    assert "1 ablated" in read.note
    read.perform("undo")
    clamped({})
    with pytest.raises(SessionError, match="nothing to undo"):
        read.perform("undo")


def test_the_badge_of_a_changed_network_names_the_key_that_restores_it(read: Session) -> None:
    read.select(2)
    read.perform("ablate")
    read.choose_signal("f")
    read.ablation.clamp_at("0.5")
    wait(lambda: clamped_cells(read.stream.snapshot) == {2: ("h", "f")})
    read.note = "a passing notice"
    badge = status_parts(read.frame(), restore_key=read.key_of("undo-ablation"))["changes"]
    assert plain(badge) == "∅ 1 ablated, f clamped in 1 · U restores"


def test_the_result_of_a_brush_stays_and_marks_its_cells(read: Session) -> None:
    assert read.brush.summary == ""
    read.brush.open_at(12)
    read.brush.close_at(13)
    read.note = ""
    pattern = read.brush.pattern
    assert pattern is not None
    assert pattern.cells
    assert read.brush.summary.startswith("brushed words 13–14: ")
    assert f"{len(pattern.places)} other place" in read.brush.summary
    marks = {row.cell: row.mark for row in cell_table(read, read.frame(), read.brush.signs) if row.mark in "+−"}
    assert marks == {cell: "+" if sign > 0 else "−" for cell, sign in zip(pattern.cells, pattern.signs, strict=True)}
    h = read.read("h", 0, 100)
    for cell, sign in zip(pattern.cells, pattern.signs, strict=True):
        assert np.sign(h[12:14, cell].mean() - h[:, cell].mean()) == sign


def test_an_engine_that_was_lost_stays_named(searched: Session) -> None:
    """The badge stays at every word looked at; a notice would expire."""
    frame = searched.frame()
    lost = replace(frame, snapshot=replace(frame.snapshot, lost=True))
    assert plain(status_parts(lost)["badge"]) == "✖ ENGINE LOST"
    back = replace(lost, choices=replace(lost.choices, cursor=0))
    assert plain(status_parts(back)["badge"]) == "✖ ENGINE LOST"


# ---- the legend and the introduction -------------------------------------------------------------------------


def test_the_legend_names_every_term_of_the_readouts(searched: Session) -> None:
    terms = " ".join(term.shown + " " + term.meaning for section in LEGEND for term in section.terms)
    named = set(re.findall(r"\w+|[^\w\s]", terms))
    frame = searched.frame()
    shown = [
        *CELL_HEADINGS,
        plain(cells_line(frame)),
        plain(point_legend(by_stability=True, cycles=True, basins=True)),
        *(badge.text for badge in BADGES.values()),
        "working sat weight starts τ q r² linear slow saddle 9 in 10 α β σ Σ † ∅ ▸ ⇄ PC1 basin Newton logit effective",
    ]
    missing = {word for text in shown for word in re.findall(r"[^\W\d]\w*|[^\w\s.,–]", text) if word not in named} - {
        "●",
        "‖",
        "◂",
        "■",
        "▸",
        "✖",
        "working",
        "needs",
    }
    assert not missing
    assert "do the work" in terms


def test_every_panel_has_one_sentence() -> None:
    assert set(PANELS) <= set(SENTENCES)
    assert all(sentence.endswith(".") and sentence.count(". ") == 0 for sentence in SENTENCES.values())
    assert all(section_of(panel) for panel in PANELS if panel != "overview")


def test_the_introduction_has_three_sentences_and_three_keys() -> None:
    assert len(ANNOTATIONS) == len(KEYS) == 3
    assert {note.panel for note in ANNOTATIONS} <= set(PANELS)
    assert set(KEYS) == set(KEY_LABELS) <= {action.id for action in ACTIONS}


def test_that_the_introduction_was_seen_is_saved(read: Session, tmp_path: Path) -> None:
    assert not read.introduced
    read.introduced = True
    save_state(captured(read, State()), tmp_path / "state.json")
    read.introduced = False
    restore(read, load_state(tmp_path / "state.json"))
    assert read.introduced
