"""Lists page by key: forwards and backwards, over ties and unknown numbers, whatever they are sorted by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector.errors import FilterError, NotFound
from collector.model import SpanPart, Usage
from collector.store import lists, open_reader
from collector.store.lists import SESSIONS, SPANS, TRACES
from collector.store.reader import Reader
from collector.store.rows import Page, SessionRow, SpanRow, TraceRow
from tests.builders import MS, T0, make_part, make_started, span_id, trace_id
from tests.store_read.files import make_trace, write


def mixed(n: int) -> SpanPart:
    """Ties in every column, and unknown names, costs, tokens and sessions."""
    return make_trace(
        n,
        start_ns=T0 + n % 4 * MS,
        took_ms=n % 3,
        name=f"name {n % 3}" if n % 5 else None,
        kind="llm",
        model=None if n % 2 else "gpt-4o-mini",
        usage=Usage(n % 4, 1) if n % 3 else None,
        cost_nanousd=n % 6 * 1000 if n % 2 else None,
        session_id=f"thread-{n % 7}" if n % 4 else None,
        ttft_ns=n % 2 * MS if n % 3 else None,
        status="error" if n % 5 == 1 else None,
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("lists") / "traces.db"
    running = make_started(1, trace=trace_id(99), start_ns=T0 + 2 * MS)
    late = make_part(2, trace=trace_id(98), start_ns=None, end_ns=None)  # only a late part of it came: a ghost
    return write(file, *(mixed(n) for n in range(1, 40)), running, late)


def tokens(usage: Usage) -> int:
    return (usage.input_tokens or 0) + (usage.output_tokens or 0)


def known(number: int | None) -> int:
    return -1 if number is None else number


TRACE_VALUES: dict[str, Callable[[TraceRow], Any]] = {
    "start": lambda r: r.start_ns,
    "duration": lambda r: known(None if r.end_ns is None else r.end_ns - r.start_ns),
    "cost": lambda r: known(r.cost_nanousd),
    "tokens": lambda r: tokens(r.usage),
    "errors": lambda r: r.error_count,
    "spans": lambda r: r.span_count,
    "name": lambda r: r.name or "",
    "calls": lambda r: r.llm_calls,
    "tools": lambda r: r.tool_calls,
    "status": lambda r: r.status,
    "input": lambda r: r.input_preview or "",
    "model": lambda r: next(iter(r.models), ""),
    "service": lambda r: r.service or "",
    "session": lambda r: r.session_id or "",
    "user": lambda r: r.user_id or "",
    "env": lambda r: r.environment or "",
    "release": lambda r: r.release or "",
}
SPAN_VALUES: dict[str, Callable[[SpanRow], Any]] = {
    "start": lambda r: r.start_ns,
    "duration": lambda r: known(None if r.end_ns is None else r.end_ns - r.start_ns),
    "cost": lambda r: known(r.cost_nanousd),
    "tokens": lambda r: (r.input_tokens or 0) + (r.output_tokens or 0),
    "name": lambda r: r.name,
    "ttft": lambda r: known(r.ttft_ns),
}
SESSION_VALUES: dict[str, Callable[[SessionRow], Any]] = {
    "last": lambda r: r.last_ns,
    "first": lambda r: r.first_ns,
    "cost": lambda r: known(r.cost_nanousd),
    "traces": lambda r: r.trace_count,
    "tokens": lambda r: tokens(r.usage),
    "errors": lambda r: r.error_count,
    "session": lambda r: r.session_id,
    "duration": lambda r: r.last_ns - r.first_ns,
    "calls": lambda r: r.llm_calls,
    "user": lambda r: r.user_id or "",
}
Ask = Callable[..., Sequence[Any]]
LISTS: dict[str, tuple[Callable[[Reader], Ask], dict[str, Any], Callable[[Any], str]]] = {
    "traces": (lambda reader: reader.traces, TRACE_VALUES, lambda r: r.trace_id),
    "spans": (lambda reader: reader.spans, SPAN_VALUES, lambda r: str(r.id)),
    "sessions": (lambda reader: reader.sessions, SESSION_VALUES, lambda r: r.session_id),
}
SORTS = [(what, sign + name) for what, (_, values, _) in LISTS.items() for name in values for sign in ("", "-")]


def test_every_sort_of_every_list_is_tried_here() -> None:
    assert [set(v) for _, v, _ in LISTS.values()] == [set(x.sorts) for x in (TRACES, SPANS, SESSIONS)]


@pytest.mark.parametrize(("what", "sort"), SORTS)
def test_a_list_is_ordered_and_its_pages_join_without_gap_or_repeat(path: Path, what: str, sort: str) -> None:
    reader_list, values, key = LISTS[what]
    value = values[sort.lstrip("-")]
    with open_reader(path) as reader:
        ask = reader_list(reader)
        everything = ask(limit=1000, sort=sort)
        assert (
            ask(limit=4, sort=sort, after=replace(lists.place(lists.LISTS[what], everything[5], sort), inclusive=True))
            == (everything[5:9])
        )
        assert [lists.place(lists.LISTS[what], row, sort) for row in everything] == [
            place(row, value, key) for row in everything
        ]
        forwards: list[Any] = []
        while page := ask(limit=3, sort=sort, after=place(forwards[-1], value, key) if forwards else None):
            forwards += page
        backwards: list[Any] = []
        last = everything[-1]
        while page := ask(limit=4, sort=sort, before=place(backwards[0] if backwards else last, value, key)):
            backwards = [*page, *backwards]
    tie = (lambda r: r.id) if what == "spans" else key
    assert len(everything) == {"traces": 40, "spans": 40, "sessions": 7}[what]
    assert everything == sorted(everything, key=lambda r: (value(r), tie(r)), reverse=sort.startswith("-"))
    assert forwards == everything
    assert backwards == everything[:-1]


def place(row: Any, value: Callable[[Any], Any], key: Callable[[Any], str]) -> Page:
    return Page(value(row), key(row))


def test_an_unknown_sort_names_the_known_ones(path: Path) -> None:
    with open_reader(path) as reader, pytest.raises(FilterError, match=r"cannot sort by 'price'.*start, duration"):
        reader.traces(sort="-price")


def test_a_ghost_is_not_listed(path: Path) -> None:
    with open_reader(path) as reader:
        assert trace_id(98) not in {row.trace_id for row in reader.traces(limit=1000)}
        assert trace_id(98) not in {row.trace_id for row in reader.spans(limit=1000)}


def test_a_trace_row_says_all_that_is_known_and_none_where_it_is_not(tmp_path: Path) -> None:
    call = make_trace(
        1, name="chat", kind="llm", model="gpt-4o-mini", provider="openai", usage=Usage(10, 5), cost_nanousd=700,
        session_id="s", user_id="u", environment="prod", release="1.2", project="p", level="warning", service="shop",
        tags=("b", "a"), metadata={"tier": "gold"},
    )  # fmt: skip
    write(tmp_path / "t.db", call, make_started(1, trace=trace_id(2)))
    with open_reader(tmp_path / "t.db") as reader:
        running, done = reader.traces()
        assert reader.trace(trace_id(1)) == done
    assert (done.name, done.status, done.start_ns, done.end_ns, done.duration_ns) == (
        "chat", "ok", T0 + MS, T0 + 101 * MS, 100 * MS,
    )  # fmt: skip
    assert (done.session_id, done.user_id, done.environment, done.release, done.project, done.level, done.service) == (
        "s", "u", "prod", "1.2", "p", "warning", "shop",
    )  # fmt: skip
    assert (done.tags, done.metadata, done.models) == (("a", "b"), {"tier": "gold"}, ("gpt-4o-mini",))
    assert (done.span_count, done.running_count, done.error_count, done.llm_calls, done.tool_calls) == (1, 0, 0, 1, 0)
    assert (done.cost_nanousd, done.unpriced_calls, done.usage) == (700, 0, Usage(10, 5))
    assert (running.end_ns, running.duration_ns, running.cost_nanousd, running.usage) == (None, None, None, Usage())
    assert (running.running_count, running.tags, running.metadata, running.models) == (1, (), {}, ())


def test_a_session_sums_its_traces(tmp_path: Path) -> None:
    calls = [make_trace(n, kind="llm", usage=Usage(10, n), cost_nanousd=n, session_id="s", user_id="u") for n in (1, 2)]
    write(tmp_path / "t.db", *calls, make_trace(3, session_id="s", status="error"))
    with open_reader(tmp_path / "t.db") as reader:
        (row,) = reader.sessions()
    assert row == SessionRow("s", "u", T0 + MS, T0 + 3 * MS, 3, 3, 1, 2, 0, 0, 3, Usage(20, 3))


def test_a_trace_is_found_by_the_beginning_of_its_id(path: Path) -> None:
    whole = f"{0xABC:032x}"
    with open_reader(path) as reader:
        assert reader.resolve_trace(trace_id(7)) == trace_id(7)
        assert reader.resolve_trace(f" {trace_id(7).upper()} ") == trace_id(7)
        for prefix, said in (
            ("000", "several"),
            (whole, "no trace that begins"),
            ("x%'", "is no trace id"),
            ("", "is no"),
        ):
            with pytest.raises(NotFound, match=said):
                reader.resolve_trace(prefix)


def test_a_trace_that_is_not_there_is_said_to_be_missing(path: Path) -> None:
    with open_reader(path) as reader:
        with pytest.raises(NotFound, match="has no trace"):
            reader.trace("f" * 32)
        with pytest.raises(NotFound, match="has no span"):
            reader.span(trace_id(1), "f" * 16)
        assert list(reader.tree_spans("f" * 32)) == []


def test_children_page_by_start_and_id(tmp_path: Path) -> None:
    brood = [make_part(n, parent=1, start_ns=T0 + n % 2 * MS) for n in range(2, 9)]
    write(tmp_path / "t.db", make_part(1), *brood, make_part(20, parent=2))
    trace = brood[0].trace_id
    with open_reader(tmp_path / "t.db") as reader:
        (root,) = reader.children(trace, None)
        seen: list[SpanRow] = []
        while page := reader.children(
            trace, span_id(1), limit=2, after=Page(seen[-1].start_ns, seen[-1].span_id) if seen else None
        ):
            seen += page
        counts = reader.child_counts(trace, [span_id(n) for n in (1, 2, 3, 77)])
    assert root.span_id == span_id(1)
    assert [row.span_id for row in seen] == [span_id(n) for n in (2, 4, 6, 8, 3, 5, 7)]
    assert counts == {span_id(1): 7, span_id(2): 1, span_id(3): 0, span_id(77): 0}


def test_the_spans_of_a_trace_come_by_start_and_can_be_limited(tmp_path: Path) -> None:
    write(tmp_path / "t.db", make_part(3), make_part(1), make_part(2), make_trace(9))
    with open_reader(tmp_path / "t.db") as reader:
        rows = reader.tree_spans(make_part(1).trace_id)
        assert [row.span_id for row in rows] == [span_id(1), span_id(2), span_id(3)]
        assert reader.tree_spans(make_part(1).trace_id, limit=2) == rows[:2]


def test_changes_name_each_trace_once_and_go_on_from_where_they_ended(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", make_part(1), make_part(2), make_trace(5))
    with open_reader(path) as reader:
        first = reader.changes_since(0)
        assert (set(first.trace_ids), len(first.trace_ids), first.more) == (
            {make_part(1).trace_id, trace_id(5)},
            2,
            False,
        )
        assert first.seq == reader.seq()
        assert reader.changes_since(first.seq).trace_ids == ()
        before = reader.data_version()
        write(path, make_trace(6), make_trace(7))
        assert reader.data_version() != before
        one = reader.changes_since(first.seq, limit=1)
        two = reader.changes_since(one.seq, limit=1)
        assert one.more
        assert {*one.trace_ids, *two.trace_ids} == {trace_id(6), trace_id(7)}
        assert reader.changes_since(two.seq).trace_ids == ()
        assert reader.changes_since(two.seq).seq == two.seq


def test_totals_equal_the_sum_of_the_rows(path: Path) -> None:
    with open_reader(path) as reader:
        rows, totals = reader.traces(limit=1000), reader.totals()
    assert totals.traces == len(rows) == 40
    assert totals.spans == sum(r.span_count for r in rows)
    assert totals.errors == sum(r.error_count for r in rows)
    assert totals.unpriced_calls == sum(r.unpriced_calls for r in rows)
    assert totals.cost_nanousd == sum(r.cost_nanousd or 0 for r in rows)


def test_the_totals_of_nothing_know_no_cost(tmp_path: Path) -> None:
    with open_reader(write(tmp_path / "t.db")) as reader:
        totals = reader.totals()
    assert (totals.traces, totals.spans, totals.errors, totals.unpriced_calls, totals.cost_nanousd) == (
        0,
        0,
        0,
        0,
        None,
    )
