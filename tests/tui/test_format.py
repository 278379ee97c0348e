"""Values to text, and the gate for foreign text."""

from __future__ import annotations

import unicodedata

import pytest
from rich.cells import cell_len

from tracetui import format as fmt

from .hostile import CONTROL_STRINGS, HOSTILE, WIDE


@pytest.mark.parametrize("text", [*HOSTILE, *CONTROL_STRINGS])
def test_plain_text_holds_nothing_a_terminal_would_obey(text: str) -> None:
    for line in [fmt.plain(text), *fmt.plain_lines(text)]:
        assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in line), ascii(line)
        line.encode()


@pytest.mark.parametrize("text", HOSTILE[:3])
def test_markup_is_text_and_stays(text: str) -> None:
    assert fmt.plain(text) == text


def test_a_coloured_tool_output_reads_like_its_text() -> None:
    assert fmt.plain("\x1b[1;31merror\x1b[0m: no \x1b]8;;http://x\x07link\x1b]8;;\x07") == "error: no link"


def test_an_unterminated_sequence_swallows_nothing() -> None:
    assert fmt.plain("\x1b]0;title then the text") == "␛]0;title then the text"


def test_stray_controls_show_as_pictures() -> None:
    assert fmt.plain("a\x00b\x07c") == "a␀b␇c"


def test_newlines_fold_or_split() -> None:
    assert fmt.plain("a\r\nb\u2028c") == "a⏎b⏎c"
    assert fmt.plain_lines("a\r\nb\tc\x85d") == ["a", "b   c", "d"]


@pytest.mark.parametrize(("text", "width"), WIDE)
def test_widths_are_those_of_the_cells_painted(text: str, width: int) -> None:
    assert fmt.cells(fmt.plain(text)) == width


@pytest.mark.parametrize("width", range(9))
@pytest.mark.parametrize("text", ["", "abc", "日本語テキスト", "a日b本c", "🙂🙂🙂🙂🙂", "plain ascii text"])
def test_clip_and_fit_keep_to_the_cells(text: str, width: int) -> None:
    assert fmt.cells(fmt.clip(text, width)) <= width
    assert fmt.cells(fmt.fit(text, width)) == width
    assert fmt.cells(fmt.fit(text, width, right=True)) == width
    if fmt.cells(text) > width > 0:
        assert fmt.clip(text, width).endswith("…")


@pytest.mark.parametrize("width", [2, 3, 7, 20])
@pytest.mark.parametrize("text", ["", "one two three four", "日本語のテキスト です", "x" * 50, "a " * 30, "   lead"])
def test_wrapped_lines_fit_and_lose_no_letter(text: str, width: int) -> None:
    lines = fmt.wrap(text, width)
    assert lines
    assert all(fmt.cells(line.rstrip()) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (None, "–"),
        (0, "0µs"),
        (310_000, "310µs"),
        (4_200_000, "4.2ms"),
        (310_000_000, "310ms"),
        (999_999_999, "1.00s"),
        (1_240_000_000, "1.24s"),
        (12_400_000_000, "12.4s"),
        (59_990_000_000, "1m 00s"),
        (1_382_000_000_000, "23m 02s"),
        (7_500_000_000_000, "2h 05m"),
        (273_600_000_000_000, "3d 04h"),
    ],
)
def test_durations(ns: int | None, text: str) -> None:
    assert fmt.duration(ns) == text


def test_a_running_duration_says_so() -> None:
    assert fmt.duration(6_200_000_000, running=True) == "6.2s⋯"
    assert fmt.duration(None, running=True) == "⋯"


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "–"), (0, "0"), (286, "286"), (4_100, "4.1k"), (12_400, "12.4k"), (310_400, "310k"), (999_999, "1.0M"),
     (5_000_000, "5.0M"), (1_200_000_000, "1.2G")],
)  # fmt: skip
def test_tokens(count: int | None, text: str) -> None:
    assert fmt.tokens(count) == text


@pytest.mark.parametrize(
    ("nano", "text"),
    [(None, "–"), (0, "$0"), (20_000, "<$0.0001"), (100_000, "$0.0001"), (18_200_000, "$0.0182"),
     (20_000_000, "$0.0200"), (310_000_000, "$0.31"), (182_400_000, "$0.182"), (4_120_000_000, "$4.12"),
     (31_200_000_000, "$31.2"), (151_000_000_000, "$151"), (1_240_000_000_000, "$1.24k")],
)  # fmt: skip
def test_money(nano: int | None, text: str) -> None:
    assert fmt.money(nano) == text


def test_money_where_one_inspects_has_every_digit() -> None:
    assert fmt.money_exact(18_234_501) == "$0.018234501"
    assert fmt.money_exact(4_000_000_000) == "$4.00"


@pytest.mark.parametrize(("seconds", "text"), [(0, "now"), (12, "12s"), (185, "3m"), (7_200, "2h"), (432_000, "5d")])
def test_ages(seconds: int, text: str) -> None:
    assert fmt.age(10**18, 10**18 + seconds * 10**9) == text


@pytest.mark.parametrize("glyphs", [fmt.UNICODE, fmt.ASCII])
def test_every_sign_is_one_cell(glyphs: fmt.Glyphs) -> None:
    signs = [value for value in glyphs if isinstance(value, str)]
    signs += [*glyphs.kinds.values(), *glyphs.states.values(), *glyphs.heat, *glyphs.dense]
    assert all(len(sign) == 1 and cell_len(sign) == 1 for sign in signs)


def test_ascii_signs_are_ascii_and_both_sets_name_the_same_kinds() -> None:
    signs = "".join(value for value in fmt.ASCII if isinstance(value, str))
    assert signs.isascii()
    assert fmt.ASCII.kinds.keys() == fmt.UNICODE.kinds.keys()
    assert "".join(fmt.ASCII.kinds.values()).isascii()
    assert fmt.ascii_signs("1.2s⋯ – a…").isascii()


@pytest.mark.parametrize(
    ("preview", "told"),
    [
        ('{"question": "Where is \\"it\\"?"}', 'Where is "it"?'),
        ('{"question":"Where"}', "Where"),
        ('{"question": "a long one that was cut o…', "a long one that was cut o"),
        ('{"question": "cut in an escape \\u00', "cut in an escape \\u00"),
        ('{"a": "1", "b": "2"}', '{"a": "1", "b": "2"}'),
        ('{"a": {"b": "c"}}', '{"a": {"b": "c"}}'),
        ('{"n": 3}', '{"n": 3}'),
        ("plain", "plain"),
    ],
)
def test_a_single_text_argument_is_shown_as_that_text(preview: str, told: str) -> None:
    assert fmt.sole_text(preview) == told
