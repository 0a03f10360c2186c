"""The corpus screen, by keys and the mouse, and its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from rich.text import Text
from textual.pilot import Pilot
from textual.widgets import Static

from explorer.session.session import Session
from explorer.session.views.number_format import number
from explorer.tui.app import Explorer
from explorer.tui.dialogs.rows import Rows
from explorer.tui.panels.corpus import COLUMNS, CorpusScreen, Histograms
from tests.explorer.session.test_corpus import COUNT, WATCHED, FailingJobs, opened, reviews, settle
from tests.explorer.small import wait
from tests.explorer.tui.harness import explorer, panel_text, rows_text, shown, until


@pytest.fixture
def session() -> Iterator[Session]:
    """All forty reviews measured, with the band of noise; the watched one not begun."""
    found = opened(reviews(), WATCHED)
    frame = settle(found)
    wait(lambda: found.corpus.band(frame) is not None)
    yield found
    found.close()


async def open_screen(app: Explorer, pilot: Pilot[Any]) -> CorpusScreen:
    await pilot.press("h")
    await until(pilot, lambda: isinstance(app.screen, CorpusScreen) and app.screen.query_one(Rows).count > 0)
    await pilot.pause()
    assert isinstance(app.screen, CorpusScreen)
    return app.screen


def status_of(screen: CorpusScreen) -> str:
    return Text.from_markup(str(screen.query_one("#measured", Static).content)).plain


async def test_histograms_mark_the_watched_review_and_show_its_exponents(session: Session) -> None:
    async with shown(session) as (app, pilot):
        screen = await open_screen(app, pilot)
        drawn = panel_text(screen, "#histograms")
        frame = session.frame()
        for signal in ("h", "x"):
            found = session.corpus.histogram(frame, signal, screen.query_one(Histograms).bins)
            assert f"β of {signal}   ▼ this review {number(found.beta)}   median {number(found.median)}" in drawn
        assert drawn.count("1 pink") == 2
        assert "━" in drawn
        assert f"noise of {len(session.reviews[WATCHED].words)} words" in drawn
        assert any(block in drawn for block in "▁▂▃▄▅▆▇█")
        short = sum(len(review.words) < 80 for review in session.reviews)
        summary = session.corpus.summary(frame)
        known = f"accuracy {100 * summary.accuracy:.1f}%   † {summary.dead} dead"
        assert status_of(screen) == f"{COUNT} reviews measured   {known}   {short} without β"


async def test_the_height_of_every_bar_is_its_count(session: Session) -> None:
    async with shown(session) as (app, pilot):
        screen = await open_screen(app, pilot)
        panel = screen.query_one(Histograms)
        height = panel.size.height // 2
        found = session.corpus.histogram(session.frame(), "h", panel.bins)
        bars = panel_text(screen, "#histograms").splitlines()[1 : height - 2]
        for bin, count in enumerate(found.counts.tolist()):
            eighths = sum(" ▁▂▃▄▅▆▇█".find(line[2 * bin].replace("▼", " ")) for line in bars)
            assert eighths == np.ceil(count / found.counts.max() * len(bars) * 8)
        assert sum(line.count("▼") for line in bars) == (found.counts[found.watched] < found.counts.max())


async def test_enter_opens_the_review_of_the_highlighted_row(session: Session) -> None:
    async with shown(session) as (app, pilot):
        screen = await open_screen(app, pilot)
        await pilot.press("down", "down")
        frame = session.frame()
        row = int(session.corpus.listed(frame)[2])
        wanted = session.corpus.entry(frame, row)
        assert wanted.name in rows_text(screen)[2]
        await pilot.press("enter")
        await until(pilot, lambda: session.stream.snapshot.review.name == wanted.name)
        assert not isinstance(app.screen, CorpusScreen)
        assert session.index == wanted.index


async def test_a_click_opens_a_row_and_a_click_on_a_heading_orders(session: Session) -> None:
    async with shown(session) as (app, pilot):
        screen = await open_screen(app, pilot)
        at = 0
        for label, width, order in COLUMNS:
            at += width
            if order not in ("", session.corpus.order):
                await pilot.click("#headings", offset=(at - 1, 0))
                await until(pilot, lambda: session.corpus.order == order)
                assert f"{label}▾" in panel_text(screen, "#headings")
        await pilot.click("#headings", offset=(at - 1, 0))
        await until(pilot, lambda: not session.corpus.falling)
        assert "error▴" in panel_text(screen, "#headings")
        frame = session.frame()
        wanted = session.corpus.entry(frame, int(session.corpus.listed(frame)[3]))
        await pilot.click(Rows, offset=(10, 3))
        await until(pilot, lambda: session.stream.snapshot.review.name == wanted.name)


async def test_keys_change_the_order_and_reverse_it(session: Session) -> None:
    async with shown(session) as (app, pilot):
        screen = await open_screen(app, pilot)
        await pilot.press("o", "o")
        assert session.corpus.order == "length"
        assert "words▾" in panel_text(screen, "#headings")
        first = rows_text(screen)[0]
        await pilot.press("O")
        assert "words▴" in panel_text(screen, "#headings")
        assert rows_text(screen)[0] != first


async def test_keys_choose_a_bin_and_escape_lists_all_reviews(session: Session) -> None:
    async with shown(session) as (app, pilot):
        screen = await open_screen(app, pilot)
        await pilot.press("right")
        frame, bins = session.frame(), screen.query_one(Histograms).bins
        found = session.corpus.histogram(frame, "h", bins)
        assert found.chosen is not None
        assert found.chosen == found.watched
        assert screen.query_one(Rows).count == found.counts[found.watched]
        assert "listed:" in status_of(screen)
        assert "▲▲" in panel_text(screen, "#histograms")
        await pilot.press("left")
        assert session.corpus.histogram(frame, "h", bins).chosen == found.chosen - 1
        await pilot.press("g")
        below = session.corpus.histogram(frame, "x", bins)
        assert below.chosen == below.watched
        await pilot.press("escape")
        assert screen.query_one(Rows).count == COUNT
        assert app.screen is screen
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not screen)
        assert session.index == WATCHED


async def test_a_click_on_a_bar_lists_its_reviews(session: Session) -> None:
    async with shown(session) as (app, pilot):
        screen = await open_screen(app, pilot)
        panel = screen.query_one(Histograms)
        found = session.corpus.histogram(session.frame(), "x", panel.bins)
        fullest = int(found.counts.argmax())
        await pilot.click("#histograms", offset=(2 * fullest + 1, panel.size.height // 2 + 4))
        await until(pilot, lambda: screen.query_one(Rows).count == found.counts[fullest])
        assert session.corpus.narrowed is not None
        assert session.corpus.narrowed[0] == "x"


async def test_a_click_on_the_place_in_the_status_bar_opens_it(session: Session) -> None:
    async with shown(session) as (app, pilot):
        line = panel_text(app.screen, "#status")
        await pilot.click("#status", offset=(line.index(f"review {WATCHED + 1}/"), 0))
        await until(pilot, lambda: isinstance(app.screen, CorpusScreen))


async def test_results_fill_in_and_the_highlight_stays_with_its_review() -> None:
    session = opened(reviews(1500), 5, portion=32)
    async with shown(session) as (app, pilot):
        screen = await open_screen(app, pilot)
        rows = screen.query_one(Rows)
        counts = {rows.count}
        await pilot.press("down")
        frame = session.frame()
        clamps = int(session.corpus.rows(frame)[screen._listed[rows.highlighted]]["review"])
        while session.corpus.rows(session.frame()).size < 1500:
            await pilot.pause(0.05)
            counts.add(rows.count)
        await until(pilot, lambda: rows.count == 1500)
        assert min(counts) < 1500  # the screen was open before all results had arrived
        assert int(session.corpus.rows(frame)[screen._listed[rows.highlighted]]["review"]) == clamps
    session.close()


@pytest.mark.parametrize("colours", [True, False])
async def test_it_draws_at_any_size_and_without_colours(
    session: Session, monkeypatch: pytest.MonkeyPatch, colours: bool
) -> None:
    if not colours:
        monkeypatch.setenv("NO_COLOR", "1")
    async with shown(session) as (app, pilot):
        screen = await open_screen(app, pilot)
        for width, height in [(60, 16), (10, 3), (1, 1), (300, 100), (80, 24)]:
            await pilot.resize_terminal(width, height)
            await pilot.press("right", "g", "down", "o")
            screen.update_results()
            await pilot.pause()
        drawn = panel_text(screen, "#histograms")
        assert "▲" in drawn
        assert "1 pink" in drawn


async def test_an_error_is_shown() -> None:
    runner = FailingJobs()
    session = opened(reviews(), jobs=runner)
    runner.fails_for = session.stream.snapshot.network
    async with shown(session) as (app, pilot):
        await pilot.press("h")
        await until(pilot, lambda: isinstance(app.screen, CorpusScreen))
        screen = app.screen
        assert isinstance(screen, CorpusScreen)
        await until(pilot, lambda: "measuring failed: 'bad'" in status_of(screen))
        await pilot.press("right", "enter", "h")
        await until(pilot, lambda: app.screen is not screen)
    session.close()


PICTURES: list[tuple[str, tuple[int, int], tuple[str, ...]]] = [
    ("large", (120, 40), ()),
    ("small", (80, 24), ("o",)),
    ("bin", (100, 30), ("right", "right", "down")),
]


@pytest.mark.parametrize(
    ("name", "size", "keys"),
    PICTURES,
    ids=[f"{name}-{width}x{height}" for name, (width, height), _ in PICTURES],
)
def test_picture(snap_compare: Any, session: Session, name: str, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    async def prepare(pilot: Pilot[None]) -> None:
        screen = await open_screen(pilot.app, pilot)  # type: ignore[arg-type]
        await pilot.press(*keys)
        screen.update_results()
        await pilot.pause()

    assert snap_compare(explorer(session), terminal_size=size, run_before=prepare), name
