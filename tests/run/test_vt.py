"""The terminal in memory: what programs draw comes out as lines, and nothing of their sequences does."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.hostile import HOSTILE
from tracetui import format as fmt
from tracetui.looks import PLAIN, Look, painted
from tracetui.vt import Screen

CSI = "\x1b["


def lines(text: str, columns: int = 20, rows: int = 5) -> list[str]:
    screen = Screen(columns, rows)
    screen.feed(text)
    return screen.text().split("\n") if len(screen) else []


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("one\r\ntwo\r\n", ["one", "two"]),
        ("no end", ["no end"]),
        ("one\ntwo", ["one", "   two"]),  # a bare line feed keeps the column, as a terminal does
        ("10%\r 50%\r100%", ["100%"]),
        ("loading...\r\x1b[Kdone\r\n", ["done"]),
        ("abc\b\bX", ["aXc"]),
        ("a\tb", ["a       b"]),
        ("1\r\n2\r\n3\x1b[2A\rX\x1b[2B", ["X", "2", "3"]),
        ("x" * 25, ["x" * 20, "x" * 5]),
        ("日本語" * 4, ["日本語" * 3 + "日", "本語"]),
        ("日\rX", ["X"]),
        ("日本\x1b[2GX", [" X本"]),
        ("e\u0301a", ["e\u0301a"]),
        ("\x1b[31mred\x1b[0m", ["red"]),
        ("\x1b]0;title\x07after", ["after"]),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", ["link"]),
        ("\x1bP1$r0m\x1b\\dcs", ["dcs"]),
        ("\x1b_apc\x1b\\x\x1b^pm\x1b\\y", ["xy"]),
        ("\x1b[?25l\x1b[?2004h\x1b[>4;2mquiet\x1b[c\x1b[6n", ["quiet"]),
        ("\x9b31mc1", ["c1"]),
        ("abc\x1b[2J\x1b[Hnew", ["new"]),
        ("abcdef\x1b[3D\x1b[2P", ["abcf"]),
        ("abc\x1b[2D\x1b[2@", ["a  bc"]),
        ("a\r\nb\r\nc\x1b[2;1H\x1b[1L", ["a", "", "b", "c"]),
        ("a\r\nb\r\nc\x1b[1;1H\x1b[1M", ["b", "c"]),
        ("\x1b7abc\x1b8X", ["Xbc"]),
        ("main\x1b[?1049hfull screen\x1b[?1049l", ["main"]),
        ("[red]not markup[/red]", ["[red]not markup[/red", "]"]),
        ("a\x00b\x05c\x7fd", ["abcd"]),
    ],
)
def test_what_is_written_is_seen_as_in_a_terminal(written: str, seen: list[str]) -> None:
    assert lines(written) == seen


def test_a_sequence_may_come_in_pieces() -> None:
    written = "a\x1b[31mb\x1b]0;t\x1b\\c\x1b[2Kd日\x1b[1;32;40me"
    for at in range(len(written)):
        screen = Screen(20, 5)
        screen.feed(written[:at])
        screen.feed(written[at:])
        whole = Screen(20, 5)
        whole.feed(written)
        assert screen.line(0) == whole.line(0), at


def test_what_scrolls_away_is_kept_up_to_a_limit() -> None:
    screen = Screen(20, 3, history=10)
    screen.feed("".join(f"line {n}\r\n" for n in range(100)))
    assert len(screen) == 12
    assert screen.text().split("\n")[0] == "line 88"
    assert screen.dropped == 88


def test_an_endless_line_and_an_endless_string_stay_bounded() -> None:
    screen = Screen(80, 24, history=100)
    for _ in range(20):
        screen.feed("x" * 100_000)
        screen.feed("\x1b]0;" + "y" * 100_000)
    assert len(screen) <= 124
    assert len(screen._held) <= 4096
    screen.feed("\x07\r\nback\r\n")
    assert "back" in screen.text(3)


def test_a_smaller_screen_keeps_what_no_longer_fits_above() -> None:
    screen = Screen(20, 4)
    screen.feed("1\r\n2\r\n3\r\n4")
    screen.resize(10, 2)
    assert screen.text() == "1\n2\n3\n4"
    screen.feed("\r\n5")
    assert screen.text() == "1\n2\n3\n4\n5"


@pytest.mark.parametrize(
    ("params", "look"),
    [
        ("", PLAIN), ("0", PLAIN), ("1;31", Look(fg=1, bold=True)), ("97;100", Look(fg=15, bg=8)),
        ("38;5;208", Look(fg=208)), ("38;2;1;2;3", Look(fg=(1, 2, 3))), ("38:2:1:2:3", Look(fg=(1, 2, 3))),
        ("48;5;999", Look(bg=255)), ("38", PLAIN), ("38;2;1", PLAIN), ("4;24", PLAIN), ("1;2;22;7", Look(reverse=True)),
        ("99999999999999999999999", PLAIN), ("1;;3", Look(italic=True)),
    ],
)  # fmt: skip
def test_colours_are_read_however_they_are_written(params: str, look: Look) -> None:
    assert painted(PLAIN, params) == look


def test_a_program_that_draws_whole_screens_wants_the_keyboard() -> None:
    screen = Screen()
    for on, off in (("?1049h", "?1049l"), ("?1000h", "?1000l")):
        screen.feed(CSI + on)
        assert screen.wants_keys
        screen.feed(CSI + off)
        assert not screen.wants_keys


ANYTHING = st.text(
    st.sampled_from("ab1;?[]mHJKABCDhlPX@LMrsu\x1b\x1b\x1b\x9b\x07\b\t\r\n\x00\x7f\\日é\u0301\u202e\ud800🙂 ")
    | st.characters()
)


@given(st.lists(ANYTHING | st.sampled_from(HOSTILE), max_size=8))
def test_whatever_is_written_lines_are_harmless_and_fit(pieces: list[str]) -> None:
    screen = Screen(7, 3, history=20)
    for piece in pieces:
        screen.feed(piece)
    screen.resize(5, 2)
    screen.resize(9, 4)
    for piece in pieces:
        screen.feed(piece)
    for at in range(len(screen)):
        text = "".join(text for text, _ in screen.line(at))
        assert fmt.plain(text) == text
        assert fmt.cells(text) <= 18
    assert 0 <= screen.y < screen.rows
    assert 0 <= screen.x <= screen.columns


MOVES = st.sampled_from(
    ["\r\n", "\r", "\b", "\t", "abc", "x", "hello ", "\x1b[A", "\x1b[2B", "\x1b[C", "\x1b[3D", "\x1b[H", "\x1b[2;3H",
     "\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[J", "\x1b[2J", "\x1b[5G", "\x1b[2d", "\x1bM", "\x1bD", "\x1b[31m",
     "\x1b[2P", "\x1b[2X"]
)  # fmt: skip


@given(st.lists(MOVES, max_size=30))
def test_it_draws_what_another_terminal_draws(pieces: list[str]) -> None:
    """pyte as the judge, of what scripts and progress bars use."""
    other = pyte.Screen(12, 4)
    stream = pyte.Stream(other)
    screen = Screen(12, 4)
    for piece in pieces:
        screen.feed(piece)
        stream.feed(piece)
    mine = ["".join(text for text, _ in screen.line(at)).rstrip() for at in range(len(screen))][len(screen.above) :]
    assert mine + [""] * (4 - len(mine)) == [line.rstrip() for line in other.display]
