"""Columns line up, whatever is in them."""

from __future__ import annotations

from tracetui.cli import table
from tracetui.cli.table import Column
from tracetui.cli.traces import shortened
from tracetui.format import cells

COLUMNS = (Column("STATUS"), Column("NAME", flexible=True), Column("COST", right=True))


def test_columns_line_up_with_wide_characters():
    rows = [["ok", "plan", "$1.00"], ["error", "旅行の計画 🌸", "$0.1"]]
    assert table.lines(COLUMNS, rows, None, False) == [
        "STATUS  NAME            COST",
        "ok      plan           $1.00",
        "error   旅行の計画 🌸   $0.1",
    ]


def test_a_flexible_column_gives_way_to_the_screen_and_says_so():
    lines = table.lines(COLUMNS, [["ok", "x" * 100, "$1.00"]], 40, False)
    assert [cells(line) for line in lines] == [40, 40]
    assert "…" in lines[1]


def test_nothing_is_cut_off_a_terminal():
    assert "x" * 500 in table.lines(COLUMNS, [["ok", "x" * 500, "$1.00"]], None, False)[1]


def test_optional_columns_stay_away_from_a_narrow_screen():
    columns = (Column("NAME", flexible=True), Column("MODEL", flexible=True, optional=True))
    assert table.lines(columns, [["a" * 20, "b" * 20]], 12, False) == ["NAME", "a" * 11 + "…"]


def test_colour_touches_the_heading_and_the_status_only():
    plain = table.lines(COLUMNS, [["ok", "ok", "$1"]], None, False)
    coloured = table.lines(COLUMNS, [["ok", "ok", "$1"]], None, True)
    assert coloured == [f"\x1b[2m{plain[0]}\x1b[0m", "\x1b[32mok\x1b[0m" + plain[1][2:]]


def test_ids_are_as_long_as_telling_them_apart_needs():
    assert shortened(["a" * 32, "b" * 32]) == ["a" * 8, "b" * 8]
    assert shortened(["0" * 30 + "01", "0" * 30 + "02"]) == ["0" * 30 + "01", "0" * 30 + "02"]
    assert shortened(["a" * 32, "a" * 32]) == ["a" * 8] * 2
