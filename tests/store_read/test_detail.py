"""What was stored once and by reference comes back as it was sent, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector.model import (
    Content,
    Document,
    Event,
    Link,
    LogRecord,
    Message,
    Process,
    Reading,
    Resource,
    Scope,
    Score,
    SpanPart,
    Tool,
    Usage,
    Value,
)
from collector.store import open_reader
from collector.store.rows import SpanDetail
from tests.builders import T0, TRACE, assistant, conversation, make_part, span_id, user
from tests.store_read.files import write

LONG = "Where is my order 789? " * 20
HISTORY = [
    {"role": role, "content": f'{LONG} turn {n} «ünïcode» 🙂 "quoted" \\ / \t'}
    for n, role in enumerate(["system", *["user", "assistant"] * 6])
]


def read(path: Path, part: SpanPart, **more: Any) -> SpanDetail:
    write(path / "traces.db", part, **more)
    with open_reader(path / "traces.db") as reader:
        return reader.span(part.trace_id, part.span_id)


def test_messages_of_every_part_type_come_back(tmp_path: Path) -> None:
    said = Message(
        "assistant",
        (
            {"type": "reasoning", "text": LONG},
            {"type": "text", "text": "short"},
            {"type": "text", "text": ""},
            {"type": "tool_call", "id": "c1", "name": "get_order", "arguments": {"id": 789, "why": LONG}},
            {"type": "image", "mime_type": "image/png", "data": "iVBORw0KGgo" * 30},
            {"type": "data", "data": [1, None, {"$t": "no reference"}]},
        ),
        name="bot",
        finish_reason="tool_calls",
    )
    answer = Message("tool", ({"type": "tool_result", "id": "c1", "result": {"$j": ["odd"], "n": 1.5}},))
    reading = Reading(
        kind="llm",
        system=(Message("system", ({"type": "text", "text": LONG},)),),
        input=conversation(user(LONG), assistant("ok"), answer, user("go on")),
        output=Content(messages=(said,)),
        finish_reasons=("tool_calls",),
    )
    detail = read(tmp_path, make_part(reading=reading))
    assert detail.system == reading.system
    assert detail.input == reading.input
    assert detail.output == reading.output
    assert detail.finish_reasons == ("tool_calls",)


@pytest.mark.parametrize(
    "value",
    [
        "short", LONG, "", 0, 1.5, True, [], {}, [1, "two", None], {"question": LONG}, {"nested": [{"a": LONG}] * 3},
        {"$t": "not a reference"}, {"$": 1}, {"$o": {"$o": 1}}, {"$t": 1, "other": 2},
        2**63, -(2**63) - 1, 2**64, 10**30, {"n": 10**30},
        "\x00 nul", "line\nline", "'; drop table spans; --",
    ],
    ids=repr,
)  # fmt: skip
def test_a_value_as_input_or_output_comes_back(tmp_path: Path, value: Value) -> None:
    detail = read(
        tmp_path, make_part(reading=Reading(kind="tool", input=Content(value=value), output=Content(value=value)))
    )
    expected = Content(value=value) if value not in ("", [], {}) else detail.input
    assert detail.input == expected
    assert detail.output == detail.input


def test_a_tool_call_comes_back_with_arguments_and_result(tmp_path: Path) -> None:
    tool = Tool("get_order", "call_1", {"order": 789, "note": LONG}, [{"status": "delivered"}, None, LONG])
    assert read(tmp_path, make_part(reading=Reading(kind="tool", tool=tool))).tool == tool


def test_documents_come_back_in_order(tmp_path: Path) -> None:
    documents = (
        Document("a", LONG, 0.9, 0, {"price": 10, "source": LONG}),
        Document(None, None, None, None, None),
        Document("b", "", -1.0, 2, {}),
    )
    assert read(tmp_path, make_part(reading=Reading(kind="retriever", documents=documents))).documents == documents


HOSTILE: dict[str, Value] = {
    "text": LONG, "short": "x", "empty": "", "none": None, "yes": True, "no": False, "int": -1, "big": 2**70,
    "float": 0.1, "inf": float("inf"), "minus": float("-inf"), "bytes": b"\x00\xff", "no bytes": b"",
    "list": ["a", LONG, 1, None, [b"x"]], "json": '{"messages": [1, 2]}' + " " * 600,
    "map": {"$t": "AAAAAAAAAAAAAAAAAAAAAA"}, "map2": {"$r": [[], "", []]}, "$t": "a key", "": "no name",
    "a'b\"c": "quotes", "%_*": "globs", "pair": ["AAAAAAAAAAAAAAAAAAAAAA", 1],
    "deep": [[[[[{"a": [LONG]}]]]]], "key 🙂": "\u2028",
}  # fmt: skip


def test_attributes_of_every_type_come_back(tmp_path: Path) -> None:
    attributes = read(tmp_path, make_part(attributes=HOSTILE)).attributes
    assert attributes == HOSTILE
    assert list(attributes) == list(HOSTILE)


def test_not_a_number_comes_back_as_one(tmp_path: Path) -> None:
    (value,) = read(tmp_path, make_part(attributes={"nan": float("nan")})).attributes.values()
    assert value != value


@pytest.mark.parametrize("key", ["gen_ai.input.messages", "input.value", "llm.request"])
@pytest.mark.parametrize(
    "spelling",
    [
        {}, {"ensure_ascii": False}, {"separators": (",", ":")}, {"indent": 2}, {"indent": "\t", "ensure_ascii": False},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("wrap", [False, True], ids=["bare list", "request body"])
def test_a_recorded_conversation_comes_back_in_the_spelling_it_came_in(
    tmp_path: Path, key: str, spelling: dict[str, Any], wrap: bool
) -> None:
    body: Any = {"model": "gpt-4o", "messages": HISTORY, "n": 1} if wrap else HISTORY
    sent = json.dumps(body, **spelling)
    assert read(tmp_path, make_part(attributes={key: sent, "after": 1})).attributes == {key: sent, "after": 1}


@pytest.mark.parametrize(
    "sent",
    [
        json.dumps(HISTORY)[:-1],
        json.dumps(HISTORY) + " tail",
        " \n" + json.dumps(HISTORY) + "\n ",
        json.dumps(HISTORY).replace("turn 3", "turn 3\\u0020\\/"),
        json.dumps([*HISTORY, 5]),
        json.dumps(HISTORY * 3),
        json.dumps({"messages": HISTORY, "input": HISTORY}),
        "[" * 3000,
        '{"messages":' * 200 + '"' + "x" * 600,
        "[{}]" + " " * 600,
        json.dumps([{"role": "user", "content": "A" * 22, "n": ["A" * 22, 1]}] * 30),
    ],
    ids=lambda text: text[:20],
)
def test_odd_json_comes_back_as_it_was(tmp_path: Path, sent: str) -> None:
    assert read(tmp_path, make_part(attributes={"gen_ai.input.messages": sent})).attributes == {
        "gen_ai.input.messages": sent
    }


def test_a_flattened_conversation_comes_back_in_its_order(tmp_path: Path) -> None:
    sent: dict[str, Value] = {"first": 1}
    for n, message in enumerate(HISTORY):
        sent[f"llm.input_messages.{n}.message.role"] = message["role"]
        sent[f"llm.input_messages.{n}.message.content"] = message["content"]
    sent |= {"llm.input_messages.99.message.role": "user", "llm.input_messages.01.x": "odd", "last": 2}
    attributes = read(tmp_path, make_part(attributes=sent)).attributes
    assert attributes == sent
    assert [k for k in attributes if k.startswith("llm.")] == [k for k in sent if k.startswith("llm.")]


def test_what_otlp_knows_comes_back(tmp_path: Path) -> None:
    part = make_part(
        events=(Event(T0, "exception", {"exception.stacktrace": LONG, "n": 1}, 2), Event(T0, "second")),
        links=(Link("a" * 32, "b" * 16, "k=v", {"why": LONG}, 1, 256),),
        logs=(LogRecord(T0, "gen_ai.choice", {"message": {"content": LONG}}, {"k": b"v"}, "INFO", 9),),
        resource=Resource({"service.name": "shop", "long": LONG}, 3, "https://schema"),
        scope=Scope("lib", "1.2", {"x": [1, LONG]}, 4, "https://scope"),
    )
    detail = read(tmp_path, part)
    for name in ("events", "links", "logs", "resource", "scope"):
        assert getattr(detail, name) == getattr(part, name)


def test_a_score_stands_on_the_span_it_judges(tmp_path: Path) -> None:
    mine = Score(
        "s1", "quality", T0, TRACE, span_id(1), value=0.5, comment="fine", source="human", metadata={"by": "u"}
    )
    other = Score("s2", "mood", T0 + 1, TRACE, None, label="good", data_type="categorical")
    detail = read(tmp_path, make_part(), scores=(mine, other))
    assert detail.scores == (mine,)
    with open_reader(tmp_path / "traces.db") as reader:
        assert reader.scores(TRACE) == [mine, other]


def test_the_rest_of_a_reading_comes_back(tmp_path: Path) -> None:
    reading = Reading(
        convention="sdk", kind="llm", operation="chat", provider="openai", model="gpt-4o-mini-2024-07-18",
        request_model="gpt-4o-mini", response_id="r1", params={"temperature": 0.2, "stop": ["a"]},
        usage=Usage(10, 5, 3, 2, 1, 0, 0), cost_nanousd=77, tool_definitions=[{"name": "t", "description": LONG}],
        prompt_name="greet", prompt_version="3", agent_name="planner", session_id="s", user_id="u", tags=("x", "y"),
        metadata={"tier": "gold", "n": 1}, ttft_ns=5, finish_reasons=("stop",), error_type="E", environment="prod",
        release="1", project="p", level="warning", replay_of="t", notes=("doubt",),
    )  # fmt: skip
    detail = read(tmp_path, make_part(reading=reading, status="error", status_message="no"))
    for name in (
        "convention operation request_model response_id params usage tool_definitions prompt_name prompt_version "
        "agent_name environment release project level finish_reasons tags metadata notes replay_of"
    ).split():
        assert getattr(detail, name) == getattr(reading, name), name
    row = detail.row
    assert (row.kind, row.model, row.provider, row.session_id, row.user_id) == (
        "llm", reading.model, "openai", "s", "u",
    )  # fmt: skip
    assert (row.cost_nanousd, detail.cost_source, row.ttft_ns, row.error_type) == (77, "reported", 5, "E")
    assert (row.status, row.status_message, row.counted) == ("error", "no", True)


def test_the_ledger_and_the_processes_can_be_read(tmp_path: Path) -> None:
    process = Process("p1", 42, T0, "host", "boot", "ns", "shop", "python app.py", T0 + 5, T0 + 9)
    write(tmp_path / "t.db", make_part(), processes=[process])
    with open_reader(tmp_path / "t.db") as reader:
        assert reader.processes() == [process]
        rows = reader.ledger()
    assert {(row.source, row.outcome, row.n) for row in rows} == {("test", "received", 1), ("test", "stored", 1)}


def test_a_text_that_is_gone_from_a_damaged_file_is_said_to_be_missing(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    part = make_part(
        reading=Reading(kind="llm", input=conversation(user(LONG), user("second"))), attributes={"a": LONG}
    )
    path = write(tmp_path / "t.db", part)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("delete from texts")
        connection.execute("delete from messages where hash = (select max(hash) from messages)")
    with open_reader(path) as reader:
        detail = reader.span(TRACE, span_id(1))
    assert detail.attributes == {"a": "[missing from the file]"}
    assert detail.input is not None
    assert [m.parts[0]["text"] for m in detail.input.messages] == ["[missing from the file]"] * 2
