"""Looking at a file while it grows finds in the end what a look at all of it finds."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.ingest import Ingest
from collector.model import Batch, Content, Message, Reading, SpanPart, Tool, Usage
from collector.settings import Settings
from collector.store import signals
from tests.builders import MS, T0, make_part, make_started, trace_id

S = 1000 * MS


def said(role: str, *parts: Any) -> Message:
    return Message(role, tuple({"type": "text", "text": one} if isinstance(one, str) else one for one in parts))


def turn(n: int, asked: str, order: int, result: Any, answer: str, **fields: Any) -> list[SpanPart]:
    """One trace of the session: an agent whose model calls a tool and answers; what came before comes again."""
    trace, at = trace_id(40 + n), T0 + 100 * n * S
    call = {"type": "tool_call", "id": f"c{n}", "name": "get_order", "arguments": {"order_id": order}}
    history = (said("user", asked), said("assistant", call), said("tool", {"type": "tool_result", "id": f"c{n}",
               "result": result}))  # fmt: skip
    shared = {"trace": trace, "parent": 9}

    def llm(m: int, messages: tuple[Message, ...], out: Message, start_ns: int) -> SpanPart:
        usage = Usage(9000, 10, cache_read_tokens=8000 if m == 1 else 0)
        reading = Reading(kind="llm", model="gpt-4o", usage=usage, input=Content(messages=messages),
                          system=(said("system", f"It is {n}:0{m}."),), output=Content(messages=(out,)))  # fmt: skip
        return make_part(m, name="chat", start_ns=start_ns, reading=reading, **shared)

    tool = Reading(kind="tool", tool=Tool("get_order", f"c{n}", {"order_id": order}, result))
    return [
        make_started(9, trace=trace, name="agent", start_ns=at, reading=Reading(kind="agent", session_id="s")),
        llm(1, history[:1], history[1], at + S),
        make_part(2, name="get_order", start_ns=at + 2 * S, reading=tool, **shared, **fields),
        llm(3, history, said("assistant", answer), at + 3 * S),
        make_part(9, trace=trace, name="agent", start_ns=at, end_ns=at + 9 * S,
                  reading=Reading(kind="agent", session_id="s")),
    ]  # fmt: skip


PARTS = [
    *turn(1, "Order 4821371?", 4821371, {"total": 812.35}, "It came to $812.35."),
    *turn(2, "And my parcel?", 4821371, {"error": "gone"}, "It was delivered."),
    *turn(3, "And the invoice?", 9912344, {"total": 77.1}, "The invoice of $812.35 is paid."),
    *turn(4, "Anything else?", 5512344, {}, "No.", status="error", status_message="timed out"),
]


def stored(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("select kind, trace_id, n, span_id, text, spans, value from signals "
                                  "order by trace_id, kind, n").fetchall()  # fmt: skip


def written(path: Path, batches: list[list[SpanPart]], looks: set[int]) -> list[tuple[Any, ...]]:
    """What is found when these come one after the other, with a look after some of them."""
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        for number, batch in enumerate(batches):
            ingest.write(Batch("test", parts=tuple(batch)))
            if number in looks:
                ingest.look()
        ingest.look()
    return stored(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    found = written(tmp_path_factory.mktemp("whole") / "t.db", [PARTS], set())
    assert {row[0] for row in found} >= {"borrowed", "invented", "ignored_result", "cache"}
    return found


@settings(max_examples=8, deadline=None)
@given(
    order=st.permutations(range(len(PARTS))),
    cuts=st.sets(st.integers(1, len(PARTS) - 1), max_size=6),
    looks=st.sets(st.integers(0, 6)),
)
def test_looks_in_between_change_nothing(
    whole: list[tuple[Any, ...]], order: list[int], cuts: set[int], looks: set[int]
) -> None:
    parts = [PARTS[n] for n in order]
    edges = [0, *sorted(cuts), len(parts)]
    batches = [parts[a:b] for a, b in pairwise(edges)]
    with tempfile.TemporaryDirectory() as folder:
        assert written(Path(folder) / "grown.db", batches, looks) == whole


def test_a_turn_that_comes_late_says_where_the_values_of_the_next_ones_are_from(
    whole: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    first = [part for part in PARTS if part.trace_id == trace_id(41)]
    rest = [part for part in PARTS if part.trace_id != trace_id(41)]
    assert written(tmp_path / "t.db", [rest, first], {0}) == whole


def test_of_a_long_session_only_the_turns_near_by_are_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    look_at = signals._look_at

    def recorded(reading: Any, found: Any, trace: str, *more: Any) -> None:
        looked.append(trace)
        look_at(reading, found, trace, *more)

    answers = {6: "It came to $99.99.", 13: "It came to $88.88."}
    parts = [
        part for n in range(1, 14) for part in turn(n, f"Order {4821371 + n}?", 4821371 + n, {}, answers.get(n, "No."))
    ]
    path = tmp_path / "t.db"
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest.write(Batch("test", parts=tuple(parts)))
        ingest.look()
        assert {row[1] for row in stored(path) if row[0] == "invented"} == {trace_id(46), trace_id(53)}
        monkeypatch.setattr(signals, "_look_at", recorded)
        ingest.write(Batch("test", parts=(make_part(5, trace=trace_id(41), parent=9, name="late"),)))
        ingest.look()
    assert set(looked) == {trace_id(n) for n in (41, 42, 43, 44, 46)}, "not the one twelve turns later"
