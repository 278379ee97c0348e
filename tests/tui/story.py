"""A file worth pictures: five days of an assistant's work, with everything a screen can show. Fixed clock and ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from collector.ingest import Ingest
from collector.model import Batch, Content, Document, Event, Message, Process, Reading, Score, SpanPart, Tool, Usage
from collector.settings import Settings
from tests.builders import MS, T0, make_part, make_started, trace_id

S = 1000 * MS
MINUTE, HOUR, DAY = 60 * S, 3600 * S, 86_400 * S
NOW = T0 + 12 * HOUR
PRICES = {  # ours, so that no picture changes with a price list
    "gpt-4o": {"input": 2.5, "output": 10.0, "cache_read": 1.25},
    "gpt-4o-mini": {"input": 0.15, "output": 0.6, "cache_read": 0.075},
    "claude-sonnet-4": {"input": 3.0, "output": 15.0, "cache_read": 0.3},
}
HELPDESK, LOST, FLAWED = 900, 901, 902
SYSTEM = "You are the assistant of a small shop. Be brief."


def now_ns() -> int:
    return NOW


def said(role: str, *parts: Any) -> Message:
    return Message(role, tuple({"type": "text", "text": one} if isinstance(one, str) else one for one in parts))


def call(n: int, trace: int, start_ns: int, model: str, asked: Content | None, answer: Message | None,
         usage: Usage, took_ms: int = 900, **more: Any) -> SpanPart:  # fmt: skip
    provider = "anthropic" if model.startswith("claude") else "ollama" if ":" in model else "openai"
    reading = Reading(
        kind="llm", operation="chat", model=model, provider=provider, usage=usage, input=asked,
        system=(said("system", more.pop("system", SYSTEM)),), ttft_ns=210 * MS,
        output=None if answer is None else Content(messages=(answer,)), params={"temperature": 0.2},
        **more.pop("reading", {}),
    )  # fmt: skip
    return make_part(n, parent=1, trace=trace_id(trace), name=f"chat {model}", start_ns=start_ns,
                     end_ns=start_ns + took_ms * MS, reading=reading, **more)  # fmt: skip


def agent(trace: int, name: str, start_ns: int, took_ms: int, session: str, user: str, asked: str, answered: str,
          **more: Any) -> SpanPart:  # fmt: skip
    reading = Reading(
        kind="agent", agent_name=name, session_id=session, user_id=user, service="shop", environment="prod",
        input=Content(value=asked), output=Content(value=answered), tags=("checked",),
        metadata={"department": ("sales", "support")[trace % 2]},
    )  # fmt: skip
    return make_part(1, trace=trace_id(trace), name=name, start_ns=start_ns, end_ns=start_ns + took_ms * MS,
                     reading=reading, **more)  # fmt: skip


def days() -> list[SpanPart]:
    """Small runs over five days, of three models with prices and one without."""
    models = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4", "llama3.1:8b")
    asks = ("When does the shop open?", "Can I change my address?", "京都の天気は？", "Is the blue one in stock?")
    parts = []
    for n in range(60):
        start, model, took = NOW - 5 * DAY + n * 2 * HOUR, models[n * 7 % 4], 800 + 137 * (n % 9)
        asked, name = asks[n % 4], ("support_agent", "summarise", "weather_agent")[n % 3]
        usage = Usage(40_000 + 900 * n, 700 + 10 * n, (n % 5) * 6_000)
        parts += [
            agent(n + 1, name, start, took + 200, f"thread-{n % 7}", f"user-{n % 4}", asked, "Of course."),
            call(2, n + 1, start + 50 * MS, model, Content(messages=(said("user", asked),)),
                 said("assistant", "Of course."), usage, took),
        ]  # fmt: skip
        if n % 6 == 5:
            parts.append(failed(n + 1, start, n))
    return parts


def failed(trace: int, start_ns: int, n: int) -> SpanPart:
    """One of three kinds of failure; the numbers in their messages differ."""
    what, name, message = (
        ("RateLimitError", "chat", f"429: limit of gpt-4o reached, try again in {n} s"),
        ("PermissionError", "refund", f"user {50_000 + n} may not refund"),
        ("TimeoutError", "get_order", f"no answer after {n}.0 s from http://orders:80{n}"),
    )[n // 6 % 3]
    kind = "llm" if name == "chat" else "tool"
    return make_part(
        3, parent=1, trace=trace_id(trace), name=name, start_ns=start_ns + 300 * MS, end_ns=start_ns + 500 * MS,
        status="error", status_message=message,
        reading=Reading(kind=kind, error_type=what, tool=Tool(name, None, {"n": n}, None) if kind == "tool" else None),
    )  # fmt: skip


def helpdesk() -> list[SpanPart]:
    """One long run: three calls that resend the history, tools, a retrieval, an agent below, and a failure."""
    at = NOW - 3 * MINUTE
    ask = said("user", "Where is my order 789, and can I still return it?")
    wants = said("assistant", {"type": "tool_call", "id": "c1", "name": "get_order", "arguments": {"order_id": 789}})
    came = said("tool", {"type": "tool_result", "id": "c1", "result": {"order_id": 789, "status": "delivered"}})
    looks = said("assistant", "Delivered on Tuesday. Let me look up the rules for returns.")
    rules = said("user", "Yes please. Here is what I bought:\n\n* a **blue** lamp\n* two bulbs")
    ends = said("assistant", "You may return it **within 14 days**:\n\n1. print the label\n2. drop it at a shop")
    found = tuple(Document(f"returns-{n}", f"Returns are free for {14 * n} days.", 0.93 - n / 10, n) for n in (1, 2, 3))
    return [
        agent(HELPDESK, "support_agent", at, 7200, "thread-42", "user-7", "Where is my order 789?", "Within 14 days."),
        call(2, HELPDESK, at + 40 * MS, "gpt-4o-mini", Content(messages=(ask,)), wants, Usage(1204, 96, 0)),
        make_part(3, parent=1, trace=trace_id(HELPDESK), name="get_order", start_ns=at + 1000 * MS,
                  end_ns=at + 1310 * MS, reading=Reading(kind="tool",
                  tool=Tool("get_order", "c1", {"order_id": 789}, {"order_id": 789, "status": "delivered"}))),
        call(4, HELPDESK, at + 1400 * MS, "gpt-4o-mini", Content(messages=(ask, wants, came)), looks,
             Usage(1420, 60, 1152), 1100),
        make_part(5, parent=1, trace=trace_id(HELPDESK), name="look up returns", start_ns=at + 2600 * MS,
                  end_ns=at + 2900 * MS, reading=Reading(kind="retriever", documents=found)),
        make_part(6, parent=1, trace=trace_id(HELPDESK), name="policy_agent", start_ns=at + 2950 * MS,
                  end_ns=at + 5000 * MS, reading=Reading(kind="agent", agent_name="policy_agent")),
        make_part(7, parent=6, trace=trace_id(HELPDESK), name="chat claude-sonnet-4", start_ns=at + 3000 * MS,
                  end_ns=at + 4900 * MS, reading=Reading(kind="llm", model="claude-sonnet-4", provider="anthropic",
                  usage=Usage(3100, 240), ttft_ns=600 * MS)),
        make_part(8, parent=6, trace=trace_id(HELPDESK), name="GET", start_ns=at + 3100 * MS,
                  end_ns=at + 3400 * MS, reading=Reading(kind="http")),
        make_part(9, parent=1, trace=trace_id(HELPDESK), name="refund", start_ns=at + 5050 * MS,
                  end_ns=at + 5130 * MS, status="error", status_message="user 54321 may not refund",
                  events=(Event(at + 5120 * MS, "exception", {"exception.type": "PermissionError",
                    "exception.message": "user 54321 may not refund", "exception.stacktrace":
                    'Traceback (most recent call last):\n  File "shop.py", line 12, in refund\nPermissionError'}),),
                  reading=Reading(kind="tool", error_type="PermissionError",
                  tool=Tool("refund", "c2", {"user_id": 54321}, None))),
        call(10, HELPDESK, at + 5200 * MS, "gpt-4o-mini", Content(messages=(ask, wants, came, looks, rules)), ends,
             Usage(2410, 180, 1280), 1900),
    ]  # fmt: skip


def flawed() -> list[SpanPart]:
    """A loop, an invented number, a broken cache, an answer that was cut."""
    at = NOW - 30 * MINUTE
    ask = said("user", "How is the weather where my parcel is?")
    wants = said("assistant", {"type": "tool_call", "id": "w", "name": "get_order", "arguments": {"order_id": 48213}})
    came = said("tool", {"type": "tool_result", "id": "w", "result": "in transit"})
    cut = {"finish_reasons": ("length",)}
    loop = Reading(kind="tool", tool=Tool("get_weather", None, {"city": "Patiala"}, "31 °C"))
    return [
        agent(FLAWED, "weather_agent", at, 4000, "thread-42", "user-7", "How is the weather?", "31 °C, and"),
        call(2, FLAWED, at + 50 * MS, "gpt-4o", Content(messages=(ask,)), wants, Usage(9000, 20, 8000),
             system="It is 10:01."),
        *(make_part(n, parent=1, trace=trace_id(FLAWED), name="get_weather", start_ns=at + n * 400 * MS,
                    end_ns=at + n * 400 * MS + 90 * MS, reading=loop) for n in (3, 4, 5)),
        call(6, FLAWED, at + 2500 * MS, "gpt-4o", Content(messages=(ask, wants, came)),
             said("assistant", "It is 31 °C, and"), Usage(9600, 20), system="It is 10:02.", reading=cut),
    ]  # fmt: skip


def running() -> list[SpanPart]:
    """A run that is still at it, in a process that is alive."""
    start = NOW - 5 * S
    begun = Reading(kind="agent", agent_name="planner", session_id="thread-43", user_id="user-9",
                    input=Content(value="Plan three days in Kyoto"))  # fmt: skip
    waits = Reading(kind="llm", model="gpt-4o", provider="openai", input=Content(messages=(said("user", "Plan."),)))
    return [
        make_started(1, trace=trace_id(LOST), name="planner", start_ns=start, reading=begun, process_id="p1"),
        make_started(2, parent=1, trace=trace_id(LOST), name="chat gpt-4o", start_ns=start + 200 * MS, reading=waits,
                     process_id="p1"),
    ]  # fmt: skip


def written(path: Path) -> Path:
    parts = [*days(), *helpdesk(), *flawed(), *running()]
    alive = Process("p1", 4711, 1, "another-host", "boot", "ns", "shop", "python", NOW)
    scores = [Score(f"s{n}", "quality", NOW, trace_id(n), value=0.5 + n % 5 / 10) for n in range(1, 40)]
    with Ingest(path, Settings(db=path, redact="off", prices=PRICES, dimensions=("department",))) as ingest:
        ingest.write(Batch("test", parts=tuple(parts), scores=tuple(scores), processes=(alive,)))
        ingest.flush()
        ingest.look()  # all of it now: on its own it would look once it is quiet
    return path
