"""A terminal that receives only differences shows the same as one that receives everything."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st
from rich.cells import cell_len

from explorer.tui.terminal.screen_buffer import MAX_CODES, ScreenBuffer

pyte = pytest.importorskip("pyte", reason="pyte, an independent terminal, is not installed")

WIDTH, HEIGHT = 24, 6
COLOURS = [(10, 20, 30), (200, 0, 99), (0, 0, 0)]
STYLES = ["", "0", "1", "3;4", "31", "92", "44", "103", "38;5;99", "39", "49", "48;5;7", "7"]
STYLES += [f"38;2;{r};{g};{b};48;2;{r2};{g2};{b2}" for r, g, b in COLOURS for r2, g2, b2 in COLOURS]
TEXTS = ["film", " ", "▀", "▀▀▀", "⠁⠂ ⣿", "世界", "a世b", "日", "│┃", "…", "é", "e\u0301", "🎬", "  ", "x" * 30]


def terminal() -> Any:
    screen = pyte.Screen(WIDTH, HEIGHT)
    screen.reset_mode(pyte.modes.DECAWM)
    return screen


def seen(screen: Any) -> list[list[tuple[Any, ...]]]:
    """The visible characters: a half block by the colours of its halves, a blank by its background alone."""
    lines = []
    for row in range(HEIGHT):
        line: list[tuple[Any, ...]] = []
        for column in range(WIDTH):
            cell = screen.buffer[row][column]
            front, ground = (cell.bg, cell.fg) if cell.data == "▄" else (cell.fg, cell.bg)
            drawn = (cell.bold, cell.italics, cell.underscore, cell.reverse)
            coloured = cell.data in "▀▄" and front != "default" and ground != "default" and not cell.reverse
            if coloured or (cell.data == " " and not any(drawn)):
                line.append((front if coloured else cell.bg, ground if coloured else cell.bg))
            else:
                line.append((cell.data, cell.fg, cell.bg, *drawn))
        lines.append(line)
    return lines


parts = st.lists(st.tuples(st.sampled_from(STYLES), st.sampled_from(TEXTS)), max_size=6)
narrow = st.lists(st.tuples(st.sampled_from(STYLES), st.sampled_from([t for t in TEXTS if t.isascii() or t in "▀▀▀…"])))
# Textual draws whole lines of a region and never cuts a wide character.
pieces = st.tuples(st.integers(1, 3), st.just(1), parts) | st.tuples(
    st.integers(4, HEIGHT), st.integers(1, WIDTH), narrow
)


def drawn(piece: tuple[int, int, list[tuple[str, str]]]) -> str:
    row, column, texts = piece
    out, room = f"\x1b[{row};{column}H", WIDTH - column + 1
    for style, text in texts:
        while cell_len(text) > room:
            text = text[:-1]
        room -= cell_len(text)
        out += f"\x1b[{style}m{text}\x1b[0m"
    return out + (" " * room if column == 1 else "")


FULL = "".join(f"\x1b[{row};1H\x1b[38;2;9;9;9;48;2;1;2;3m{'.' * WIDTH}\x1b[0m" for row in range(1, HEIGHT + 1))


@settings(deadline=None, max_examples=300)
@example(
    [[(1, 1, [])], [(1, 1, [("", "世界")])], [(1, 1, [])]], 1, 4635, 1 << 17
)  # stops between the halves of a wide character
@given(
    st.lists(st.lists(pieces, max_size=5), min_size=1, max_size=6),
    st.integers(1, 300),
    st.integers(0, 2**32),
    st.sampled_from([10, MAX_CODES]),  # with 10 the code table is often rebuilt
)
def test_both_terminals_show_the_same(updates: list[list[Any]], limit: int, seed: int, max_codes: int) -> None:
    whole, differences = terminal(), terminal()
    streams = pyte.Stream(whole), pyte.Stream(differences)
    screen = ScreenBuffer(WIDTH, HEIGHT, max_codes)
    dice = random.Random(seed)
    for data in [FULL, *("".join(map(drawn, update)) for update in updates)]:
        streams[0].feed(data)
        assert screen.write(data) == ""
        for _ in range(dice.randrange(3)):  # what is not sent now is sent later, or changes again
            streams[1].feed(screen.take(limit))
    while part := screen.take(limit):
        streams[1].feed(part)
    assert not screen.waiting
    assert seen(differences) == seen(whole)


def test_unchanged_cells_are_not_sent() -> None:
    screen = ScreenBuffer(WIDTH, HEIGHT)
    screen.write(FULL)
    screen.take(10_000)
    screen.write(FULL)
    assert screen.take(10_000) == ""
    screen.write("\x1b[2;3H\x1b[38;2;9;9;9;48;2;1;2;3mx\x1b[0m")
    assert screen.take(10_000) == "\x1b[2;3Hx"


def test_cells_that_change_back_before_they_are_sent_are_not_sent() -> None:
    screen = ScreenBuffer(WIDTH, HEIGHT)
    screen.write("\x1b[1;1Hone")
    screen.take(10_000)
    screen.write("\x1b[1;1Htwo")
    assert screen.waiting
    screen.write("\x1b[1;1Hone")
    assert screen.take(10_000) == ""


def test_lines_with_few_changes_come_first() -> None:
    screen = ScreenBuffer(WIDTH, HEIGHT)
    screen.write(FULL)
    screen.take(10_000)
    screen.write("".join(f"\x1b[{row};1H{'picture ' * 3}" for row in (1, 2)) + "\x1b[5;1Hkey")
    assert screen.take(10).startswith("\x1b[5;1H")
    assert "picture" in screen.take(10_000)


def test_after_a_resize_or_an_unknown_state_everything_is_sent() -> None:
    screen = ScreenBuffer(WIDTH, HEIGHT)
    screen.write(FULL)
    everything = screen.take(10_000)
    screen.invalidate()
    assert screen.take(10_000) == everything
    screen.resize(10, 2)
    screen.write(FULL)  # what does not fit is dropped
    assert screen.take(10_000).count(".") == 20


def test_other_sequences_are_passed_through() -> None:
    screen = ScreenBuffer(WIDTH, HEIGHT)
    data = "\x1b[?1049h\x1b]0;title\x07\x1b[?2026h\x1b[1;1Hfilm\x1b[?2026l\x07"
    assert screen.write(data) == "\x1b[?1049h\x1b]0;title\x07\x07"
    assert "film" in screen.take(10_000)


def test_unused_codes_are_dropped_when_there_are_many() -> None:
    screen = ScreenBuffer(WIDTH, HEIGHT, max_codes=200)
    for first in range(0x4E00, 0x4E00 + 2000, 10):
        screen.write("\x1b[1;1H" + "".join(map(chr, range(first, first + 10))))
    assert screen.generation > 1
    assert screen.code_count <= 200


def test_a_screen_of_more_characters_than_that_does_not_rebuild_the_table_each_time() -> None:
    screen = ScreenBuffer(WIDTH, HEIGHT, max_codes=10)
    text = "".join(map(chr, range(0x3B1, 0x3B1 + WIDTH)))
    for _ in range(100):
        for row in range(HEIGHT):
            screen.write(f"\x1b[{row + 1};1H\x1b[3{row % 8}m{text}")
    assert screen.generation < 10


def test_put_and_write_give_the_same_cells() -> None:
    written, put = ScreenBuffer(WIDTH, HEIGHT), ScreenBuffer(WIDTH, HEIGHT)
    style = ("38;2;9;9;9", "", "1")
    for row, text in enumerate(["film", "a世b", "日本", "e\u0301"]):
        written.write(f"\x1b[{row + 1};{row * 3 + 1}H\x1b[38;2;9;9;9;1m{text}")
        put.put([(row, row * 3, put.codes(text, style))])
    put.put([(HEIGHT, 0, put.codes("x", style)), (0, WIDTH, put.codes("x", style))])  # outside the screen
    assert put.take(10_000) == written.take(10_000)
