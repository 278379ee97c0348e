"""Rows with fixed clock and ids, and a reader that holds them in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from collector.errors import FilterError, NotFound
from collector.model import Content, Event, Message, Resource, Scope, SpanPart, Tool, Usage
from collector.store.complete import Completion, complete
from collector.store.lists import SESSIONS, TRACES, List, place
from collector.store.measures import Measures
from collector.store.rows import FileState, Page, SearchHit, SessionRow, SpanDetail, SpanRow, Totals, TraceRow
from collector.store.skeleton import Skeleton
from tracetui.app import Explorer
from tracetui.source import Source

MS = 1_000_000
S = 1_000_000_000
NOW = 1_750_000_000 * S


def make_trace(number: int = 0, **changes: Any) -> TraceRow:
    row = TraceRow(
        id=number, seq=number, trace_id=f"{number:032x}", name="support_agent", status="ok",
        start_ns=NOW - 3600 * S + number * S, end_ns=NOW - 3600 * S + number * S + 1240 * MS, duration_ns=1240 * MS,
        service="shop", session_id="thread-42", user_id="user-7", environment="prod", release=None, project=None,
        level=None, tags=("beta",), metadata={}, models=("gpt-4o-mini",), span_count=6, running_count=0, error_count=0,
        llm_calls=3, tool_calls=1, unpriced_calls=0, cost_nanousd=2_100_000,
        usage=Usage(input_tokens=4000, output_tokens=100, cache_read_tokens=2440),
        input_preview="Where is my order 789?", output_preview="It was delivered yesterday.",
    )  # fmt: skip
    return replace(row, **changes)


def make_span(number: int = 1, parent: int | None = None, **changes: Any) -> SpanRow:
    row = SpanRow(
        id=number, seq=number, trace_id=f"{0:032x}", span_id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}", name=f"span {number}", kind="span", status="ok",
        start_ns=NOW - 10 * S + number * 100 * MS, end_ns=NOW - 10 * S + number * 100 * MS + 80 * MS, ttft_ns=None,
        service="shop", provider=None, model=None, input_tokens=None, output_tokens=None, cache_read_tokens=None,
        cost_nanousd=None, counted=True, session_id="thread-42", user_id="user-7", tool_name=None, error_type=None,
        status_message=None,
    )  # fmt: skip
    return row._replace(**changes)


def make_detail(row: SpanRow, **changes: Any) -> SpanDetail:
    empty: dict[str, Any] = dict.fromkeys(
        ("operation", "request_model", "response_id", "convention", "params", "cost_source", "input", "output", "tool",
         "tool_definitions", "prompt_name", "prompt_version", "agent_name", "environment", "release", "project",
         "level", "metadata", "replay_of")
    )  # fmt: skip
    lists: dict[str, Any] = dict.fromkeys(
        ("system", "documents", "finish_reasons", "tags", "notes", "events", "links", "logs"), ()
    )
    usage = Usage(row.input_tokens, row.output_tokens, row.cache_read_tokens)
    detail = SpanDetail(row=row, usage=usage, attributes={}, resource=Resource(), scope=Scope(), **empty, **lists)
    return replace(detail, **changes)


def agent_spans() -> list[SpanRow]:
    """One run: an agent, three calls (the last still running), a failed and a good tool, noise, an orphan."""
    start = NOW - 6200 * MS

    def at(number: int, parent: int | None, name: str, kind: str, begin: int, end: int | None, **more: Any) -> SpanRow:
        end_ns = None if end is None else start + end * MS
        status = more.pop("status", "running" if end is None else "ok")
        return make_span(number, parent, name=name, kind=kind, start_ns=start + begin * MS, end_ns=end_ns,
                         status=status, **more)  # fmt: skip

    model = {"model": "gpt-4o-mini", "provider": "openai"}
    return [
        at(1, None, "support_agent", "agent", 0, None),
        at(2, 1, "chat gpt-4o-mini", "llm", 40, 860, ttft_ns=210 * MS, input_tokens=1204, output_tokens=96,
           cache_read_tokens=900, cost_nanousd=238_000, **model),
        at(3, 2, "POST", "http", 60, 850), at(4, 2, "POST", "http", 70, 80), at(5, 4, "connect", "http", 71, 78),
        at(6, 1, "get_order", "tool", 900, 1210, tool_name="get_order"),
        at(7, 1, "search 日本語 🙂", "retriever", 1250, 1400),
        at(8, 1, "refund", "tool", 1420, 1500, status="error", error_type="PermissionError",
           status_message="user 54321 may not refund", tool_name="refund"),
        at(9, 1, "chat gpt-4o-mini", "llm", 1550, 2650, ttft_ns=300 * MS, input_tokens=2400, output_tokens=180,
           **model),
        at(10, 1, "chat gpt-4o-mini", "llm", 2700, None, ttft_ns=400 * MS, **model),
        at(11, 1, "lost_child", "span", 2800, None, status="abandoned"),
        at(12, 99, "late_part", "chain", 3000, 3400),
    ]  # fmt: skip


def agent_detail(row: SpanRow) -> SpanDetail:
    call = {"type": "tool_call", "id": "c1", "name": "get_order", "arguments": {"user_id": 54321}}
    result = {"type": "tool_result", "id": "c1", "result": {"order_id": 999, "status": "delivered"}}
    told = (
        Message("user", ({"type": "text", "text": "Hello"},)),
        Message("assistant", ({"type": "text", "text": "Hi! How can I help?"},)),
        Message("user", ({"type": "text", "text": "Where is my order 789?"},)),
    )
    if row.kind == "llm":
        more = (Message("assistant", (call,)), Message("tool", (result,)))
        says = ({"type": "reasoning", "text": "The order was delivered. " * 9},
                {"type": "text", "text": "Your order was **delivered** yesterday.\nAnything else?"})  # fmt: skip
        return make_detail(
            row, operation="chat", request_model=row.model, finish_reasons=("stop",), convention="genai",
            params={"temperature": 0.2, "max_tokens": 512}, cost_source="table",
            system=(Message("system", ({"type": "text", "text": "You are a helpful shop assistant."},)),),
            input=Content(messages=told + more if row.span_id != f"{2:016x}" else told),
            output=Content(messages=(Message("assistant", says, finish_reason="stop"),)) if row.end_ns else None,
            attributes={"gen_ai.system": "openai", "server.address": "api.openai.com", "n": 3},
            scope=Scope("opentelemetry.instrumentation.openai_v2", "2.4b0"),
            resource=Resource({"service.name": "shop"}),
        )  # fmt: skip
    if row.kind == "tool":
        tool = Tool(row.tool_name, "c1", {"user_id": 54321}, None if row.status == "error" else result["result"])
        stack = 'Traceback (most recent call last):\n  File "shop.py", line 12, in refund\nPermissionError: no'
        events = (Event(row.start_ns + 79 * MS, "exception", {"exception.type": "PermissionError",
                  "exception.message": "user 54321 may not refund", "exception.stacktrace": stack}),)  # fmt: skip
        return make_detail(row, tool=tool, events=events if row.status == "error" else ())
    return make_detail(
        row, input=Content(value={"question": "Where is my order 789?", "user": "user-7"}),
        output=None if row.end_ns is None else Content(value="It was delivered yesterday."),
    )  # fmt: skip


class FakeReader:
    """The whole file in memory. `asked` records what was asked for, to prove that lists ask for little."""

    def __init__(self, traces: Sequence[TraceRow] = (), spans: Sequence[SpanRow] = (), details: Any = None) -> None:
        self.rows = sorted(traces, key=lambda row: (row.start_ns, row.trace_id))
        self.spans = list(spans)
        self.details: dict[str, SpanDetail] = details or {}
        self.session_rows: list[SessionRow] = []
        self.version = 0
        self.sampled_out = 0
        self.asked: list[tuple[str, int | None]] = []
        self.state = FileState("traces.db", writable=True)

    def data_version(self) -> int:
        return self.version

    def traces(
        self, where: str = "", *, limit: int = 100, after: Page | None = None, before: Page | None = None,
        sort: str = "-start",
    ) -> list[Any]:  # fmt: skip
        self.asked.append(("traces", limit))
        rows = [row for row in self.rows if where in (row.name or "")]
        return self._page(TRACES, rows, limit, after, before, sort)

    def sessions(
        self, where: str = "", *, limit: int = 100, after: Page | None = None, before: Page | None = None,
        sort: str = "-last",
    ) -> list[Any]:  # fmt: skip
        return self._page(SESSIONS, self.session_rows, limit, after, before, sort)

    @staticmethod
    def _page(
        what: List, rows: Sequence[Any], limit: int, after: Page | None, before: Page | None, sort: str
    ) -> list[Any]:
        def at(row: Any) -> tuple[Any, str]:
            found = place(what, row, sort)
            return found.value, found.key

        down, edge = sort.startswith("-"), before or after
        rows = sorted(rows, key=at, reverse=down)
        if edge is not None:
            mark = (edge.value, edge.key)
            less = down != (before is not None)
            rows = [
                row
                for row in rows
                if (at(row) < mark if less else at(row) > mark) or (edge.inclusive and at(row) == mark)
            ]
        return list(rows[-limit:] if before is not None else rows[:limit])

    def trace(self, trace_id: str) -> TraceRow:
        for row in self.rows:
            if row.trace_id == trace_id:
                return row
        raise NotFound(f"no trace {trace_id}")

    def seen(self, trace_id: str) -> list[Any]:
        return []

    def seen_before(self, trace_id: str) -> list[Any]:
        return []

    def signals(self, trace_id: str, limits: Any) -> list[Any]:
        return []

    def signal_counts(self, where: Any = None) -> list[Any]:
        return []

    def unlooked(self) -> int:
        return 0

    def first_places(self, trace_id: str, text: str) -> list[Any]:
        return []

    def span_names(self, trace_id: str) -> dict[str, str]:
        return {}

    def skeleton(self, trace_id: str, *, since: int | None = None) -> Skeleton:
        def news(row: SpanRow) -> bool:
            return since is None or row.seq > since or row.status == "running"

        return Skeleton.of(row for row in self.spans if news(row))

    def measures(self, trace_id: str) -> Measures:
        return Measures.of(self.spans)

    def found_in(self, trace_id: str, text: str) -> dict[int, int]:
        """By name, and by what the span's details hold."""
        word = text.rstrip("*").strip('"').lower()
        held = {int(row.span_id, 16): repr(self.span(trace_id, row.span_id)).lower().count(word) for row in self.spans}
        return {number: count for number, count in held.items() if count and word}

    def span_rows(self, trace_id: str, numbers: Sequence[int]) -> dict[int, SpanRow]:
        return {int(row.span_id, 16): row for row in self.spans if int(row.span_id, 16) in set(numbers)}

    def children(self, trace_id: str, parent_id: str | None, *, limit: int = 100) -> list[SpanRow]:
        rows = [row for row in self.spans if row.parent_id == parent_id]
        return sorted(rows, key=lambda row: (row.start_ns, row.span_id))[:limit]

    def span(self, trace_id: str, span_id: str) -> SpanDetail:
        if span_id in self.details:
            return self.details[span_id]
        return agent_detail(next(row for row in self.spans if row.span_id == span_id))

    def parts_named(self, names: Any) -> list[SpanPart]:
        return [
            SpanPart(trace_id, span_id, name="as sent", start_ns=NOW, end_ns=NOW + S) for trace_id, span_id in names
        ]

    def search(self, text: str, where: str = "", *, limit: int = 100) -> list[SearchHit]:
        self.asked.append((f"search {text}", limit))
        word = text.rstrip("*").lower()
        return [
            SearchHit(row.trace_id, row.span_id, row.name, row.kind, row.start_ns, f"they said {row.name} here",
                      ((10, 10 + len(row.name)),))
            for row in reversed(self.spans) if word in row.name.lower()
        ][:limit]  # fmt: skip

    def resolve_trace(self, prefix: str) -> str:
        found = [row.trace_id for row in self.rows if row.trace_id.startswith(prefix)]
        if not found:
            raise NotFound(f"traces.db has no trace that begins with {prefix}")
        return found[0]

    def interrupt(self) -> None: ...

    def totals(self, where: str = "", *, told: Any = None) -> Totals:
        cost = sum(row.cost_nanousd or 0 for row in self.rows)
        errors = sum(row.status == "error" for row in self.rows)
        unpriced = sum(row.unpriced_calls for row in self.rows)
        return Totals(len(self.rows), len(self.spans), errors, unpriced, cost or None, self.sampled_out)

    def session_totals(self, where: str = "") -> Totals:
        found = self.session_rows
        cost = sum(row.cost_nanousd or 0 for row in found) or None
        traces, errors = sum(row.trace_count for row in found), sum(row.error_count for row in found)
        return Totals(traces, 0, errors, 0, cost, self.sampled_out, len(found))

    def complete(self, text: str, cursor: int, views: Any) -> Completion:
        return complete(None, text, cursor, views)

    def close(self) -> None:
        pass


def fake_parse(text: str) -> str:
    if "nope:" in text:
        raise FilterError("unknown key nope; known are status model kind name", text, text.index("nope:"))
    return text


def make_source(reader: FakeReader) -> Source:
    @contextmanager
    def open_reader() -> Iterator[FakeReader]:
        yield reader

    return Source("/home/me/app/traces.db", open_reader, fake_parse)


def make_app(reader: FakeReader, **changes: Any) -> Explorer:
    return Explorer(make_source(reader), **({"now_ns": lambda: NOW, "tail": False} | changes))


def some_traces() -> list[TraceRow]:
    """A list worth a picture: every status, unknown numbers, wide text, an unpriced call."""
    return [
        make_trace(1, name="nightly_eval", status="abandoned", duration_ns=None, end_ns=None, start_ns=NOW - 7200 * S,
                   models=("claude-sonnet-4",), llm_calls=9, cost_nanousd=310_000_000, output_preview=None,
                   usage=Usage(80_000, 8_100), input_preview="Score the answers of yesterday"),
        make_trace(2, name="summarise", status="error", duration_ns=1382 * S, start_ns=NOW - 180 * S, error_count=40,
                   models=("gpt-4", "gpt-4o"), llm_calls=40, cost_nanousd=151 * 10**9, usage=Usage(4_900_000, 100_000),
                   input_preview="annual_report_2025.pdf", output_preview="RateLimitError 429"),
        make_trace(3, name="天気エージェント", start_ns=NOW - 120 * S, input_preview="パティアラの天気は？ 🙂",
                   output_preview="31 °C、晴れ", models=("llama3.1:8b",), unpriced_calls=2, cost_nanousd=None),
        make_trace(4, name="embed", start_ns=NOW - 60 * S, models=(), llm_calls=0, usage=Usage(), cost_nanousd=None,
                   input_preview=None, output_preview=None, duration_ns=4_200_000),
        make_trace(5, name="weather_agent", start_ns=NOW - 12 * S, usage=Usage(260, 26), cost_nanousd=100_000,
                   input_preview="What's the weather in Patiala?", output_preview="31 °C, sunny"),
        make_trace(0, status="running", start_ns=NOW - 6200 * MS, end_ns=None, duration_ns=None, output_preview=None,
                   running_count=2, error_count=1),
    ]  # fmt: skip
