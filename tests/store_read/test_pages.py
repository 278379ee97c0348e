"""Looking ahead, and looking row by row, finds what walking the whole list finds: page by page, either way."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collector.model import Process
from collector.store import narrow, open_reader, pages, tally
from collector.store.filters import parse
from collector.store.groups import groups
from collector.store.reader import Reader
from collector.store.rows import Page
from tests.builders import MS, T0, assistant, conversation, make_llm, make_part, trace_id, user
from tests.store_read.files import Plans, write

WORDS = ["common", "other", "rare"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = random.Random(5)
    parts = []
    for n in range(1, 80):
        start = T0 + rng.randrange(1000) * MS
        session = f"s{n % 9}" if n % 5 else None
        reading = {"kind": rng.choice(["agent", "chain"]), "session_id": session, "user_id": f"u{n % 4}"}
        parts.append(
            make_llm(
                1, trace=trace_id(n), start_ns=start, end_ns=start + MS, name=rng.choice(["Run", "run it", "GO"]),
                model=None, tokens=None, reading=reading, status=rng.choice(["ok", "error"]),
            )
        )  # fmt: skip
        for k in range(2, 2 + rng.randrange(4)):
            said = " ".join(rng.sample(WORDS[: 2 + (n % 20 == 0)], 1 + rng.randrange(2)))
            fields: dict[str, Any] = {"kind": rng.choice(["llm", "tool", "retriever" if n % 13 == 0 else "llm"])}
            fields |= {"input": conversation(user(f"{said} {n % 7}")), "output": conversation(assistant("common end"))}
            fields |= {"request_model": rng.choice([None, "asked-x", "m-1"])}
            running = {"end_ns": None, "process_id": "gone"} if n % 11 == 0 else {"end_ns": start + k * MS}
            parts.append(
                make_llm(
                    k, trace=trace_id(n), parent=1, start_ns=start + k, model=rng.choice(["m-1", "m-2", "rare-m"]),
                    name=rng.choice(["Chat", "chat", "get_weather", "*"]), reading=fields, **running,
                )
            )  # fmt: skip
    gone = Process("gone", 1, 1, heartbeat_ns=T0, ended_ns=T0)
    return write(
        tmp_path_factory.mktemp("pages") / "traces.db", *parts, make_part(9, trace=trace_id(99)), processes=[gone]
    )


FILTERS = [
    "kind:retriever", "kind:llm", "kind:r*,tool", "-kind:llm", "kind:guardrail", "model:m-1", "model:rare*",
    "model:asked-x", "model:nope", "model:*", "-model:m-1 kind:llm", "name:CHAT", "name:run*",
    "name:get_weather kind:retriever", "name:x", "name:chat,go", "common", "rare", "-rare", "-common", "common -rare",
    "rare model:m-2", "common status:error", '"common other"', "nothing", "other kind:retriever user:u1",
    "status:abandoned", "status:running", "session:s3 other", "status:abandoned,running name:chat", "-name:chat",
    "common other rare", "user:u2", "user:u2 common", "...",
]  # fmt: skip
LISTS: dict[str, tuple[Callable[..., Any], Callable[[Any], Page]]] = {
    "traces": (Reader.traces, lambda row: Page(row.start_ns, row.trace_id)),
    "spans": (Reader.spans, lambda row: Page(row.start_ns, str(row.id))),
    "sessions": (Reader.sessions, lambda row: Page(row.last_ns, row.session_id)),
}


@pytest.mark.parametrize("most", [0, 3, 40, 3000])
@pytest.mark.parametrize("name", LISTS)
def test_every_way_to_a_page_finds_the_same(path: Path, name: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, page_of = LISTS[name]
    sort = "last" if name == "sessions" else "start"
    with open_reader(path) as reader:
        for text in FILTERS:
            where = parse(text, T0)
            with monkeypatch.context() as plain:
                plain.setattr(pages, "narrow", lambda *_, **__: None)
                plain.setattr(pages, "is_common", lambda *_: False)
                every = ask(reader, where, limit=1000, sort=f"-{sort}")
            monkeypatch.setattr(narrow, "MOST", most)
            monkeypatch.setattr(pages, "WINDOW", 10)
            assert ask(reader, where, limit=1000, sort=f"-{sort}") == every, text
            assert ask(reader, where, limit=1000, sort=sort) == every[::-1], text
            if len(every) > 4:
                assert ask(reader, where, limit=3, sort=f"-{sort}") == every[:3], text
                assert ask(reader, where, limit=2, sort=f"-{sort}", after=page_of(every[1])) == every[2:4], text
                assert ask(reader, where, limit=2, sort=f"-{sort}", before=page_of(every[4])) == every[2:4], text
            if name == "traces":
                assert reader.totals(where).traces == len(every), text
            if name == "sessions":
                sums, costs = reader.session_totals(where), [row.cost_nanousd for row in every]
                assert (sums.sessions, sums.traces) == (len(every), sum(row.trace_count for row in every)), text
                assert sums.cost_nanousd == (sum(filter(None, costs)) if any(c is not None for c in costs) else None)


@pytest.mark.parametrize("near", [0, 7, 1000])
@pytest.mark.parametrize("name", LISTS)
def test_what_is_gathered_in_one_walk_is_what_is_looked_up(
    path: Path, name: str, near: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Far down a list that hardly any row holds for, in any order, and for sums and groups: the same rows."""
    ask, page_of = LISTS[name]
    sort = "last" if name == "sessions" else "start"
    other = "errors" if name != "spans" else "name"
    with open_reader(path) as reader:
        for text in [*FILTERS, "any:(kind:llm status:error)", "root:name:run", "tool:x or error.type:y", "level:nope"]:
            where = parse(text, T0)
            every, sorted_ = (ask(reader, where, limit=1000, sort=by) for by in (f"-{sort}", other))
            sums, by_user = reader.totals(where), groups(reader, "user", where)
            with monkeypatch.context() as far:
                far.setattr(narrow, "MOST", 0)
                far.setattr(pages, "NEAR", dict.fromkeys(pages.NEAR, near))
                far.setattr(pages, "FIFTH", 10**9)
                far.setattr(tally, "WINDOW", 1 + near)
                assert ask(reader, where, limit=1000, sort=f"-{sort}") == every, text
                assert ask(reader, where, limit=1000, sort=sort) == every[::-1], text
                assert ask(reader, where, limit=1000, sort=other) == sorted_, text
                if len(every) > 4:
                    assert ask(reader, where, limit=2, sort=f"-{sort}", after=page_of(every[1])) == every[2:4], text
                    assert ask(reader, where, limit=2, sort=f"-{sort}", before=page_of(every[4])) == every[2:4], text
                told: list[int] = []
                assert reader.totals(where, told=lambda so_far, told=told: told.append(so_far.traces)) == sums, text
                assert told == sorted(told)
                assert groups(reader, "user", where) == by_user, text


def test_a_page_that_hardly_any_row_holds_for_is_gathered_from_the_spans(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "NEAR", dict.fromkeys(pages.NEAR, 5))
    monkeypatch.setattr(pages, "FIFTH", 10**9)
    with open_reader(path) as reader:
        plans = Plans(reader)
        assert reader.traces(parse("tool:nope", T0)) == []
        assert "SCAN s" in plans.scans()
        plans = Plans(reader)
        assert len(reader.traces(parse("kind:llm", T0), limit=2)) == 2
        assert (plans.scans(), plans.sorts()) == ([], [])  # the first page is full before that


def test_a_resource_that_nobody_has_is_looked_for_in_no_span(path: Path) -> None:
    with open_reader(path) as reader:
        for ask in (reader.traces, reader.spans, reader.sessions):
            plans = Plans(reader)
            assert ask(parse("res.host:nope -kind:llm", T0)) == []
            assert [sql for sql, _ in plans.seen if "bodies" in sql] == []


@pytest.mark.parametrize("name", LISTS)
def test_the_sql_that_is_shown_is_what_the_list_shows(path: Path, name: str) -> None:
    ask, page_of = LISTS[name]
    sort = "-last" if name == "sessions" else "-start"
    key = {"traces": 2, "spans": 0, "sessions": 0}[name]
    with open_reader(path) as reader, closing(sqlite3.connect(path)) as plain:
        for text in [*FILTERS, "name:it's", 'user:"u1\' or 1=1"', "since:1d"]:
            shown = reader.list_sql(name, parse(text, T0), limit=20, sort=sort)
            listed = [page_of(row).key for row in ask(reader, parse(text, T0), limit=20, sort=sort)]
            assert [str(row[key]) for row in plain.execute(shown)] == listed, shown


def test_search_within_a_filter_that_holds_for_few_finds_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_reader(path) as reader:
        for text in FILTERS:
            where = parse(text, T0)
            looked_ahead = {(hit.trace_id, hit.span_id) for hit in reader.search("common", where, limit=1000)}
            with monkeypatch.context() as plain:
                plain.setattr(narrow, "MOST", 0)
                assert {
                    (hit.trace_id, hit.span_id) for hit in reader.search("common", where, limit=1000)
                } == looked_ahead


def test_the_file_has_what_the_filters_ask_for(path: Path) -> None:
    with open_reader(path) as reader:
        empty = [text for text in FILTERS if not reader.traces(parse(text, T0))]
    assert empty == ["kind:guardrail", "model:nope", "name:x", "nothing", "status:running", "..."]
