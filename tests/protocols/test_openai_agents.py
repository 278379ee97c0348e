"""What the OpenAI Agents SDK posts becomes one trace a workflow, in whatever order its bodies come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import conventions
from collector.errors import DecodeError, TooLarge
from collector.ingest import Ingest
from collector.model import Content, Rank, Tool, Usage
from collector.protocols import openai_agents
from collector.protocols.limits import Limits
from collector.settings import Settings
from collector.store import open_reader
from tests.receiver.running import running, settings_for

BODY = (Path(__file__).parent / "recorded" / "openai-agents.json").read_bytes()
ITEMS: list[dict[str, Any]] = json.loads(BODY)["data"]
TRACE = "ede7c630e8394c82a506cf8e0e2d0b52"


def told(*items: dict[str, Any]) -> bytes:
    return json.dumps({"data": items}).encode()


def test_a_recorded_workflow_is_one_trace_with_its_sums(tmp_path: Path) -> None:
    db = tmp_path / "traces.db"
    with Ingest(db, Settings(db=db)) as ingest:
        ingest.write(openai_agents.decode(BODY))
    with open_reader(db) as reader:
        (row,) = reader.traces()
        spans = reader.tree_spans(row.trace_id)
        errors = sorted(str(span.status_message) for span in spans if span.status == "error")
        assert (row.trace_id, row.name, row.session_id, row.user_id) == (
            TRACE,
            "weather workflow",
            "thread-42",
            "user-7",
        )
        assert (row.usage.input_tokens, row.usage.output_tokens, row.span_count) == (845, 121, 31)
    assert [error.partition(":")[0] for error in errors] == ["Error getting response", "Error in agent run"]
    assert all("Rate limit reached" in error for error in errors)


def test_bodies_in_any_order_and_in_any_pieces_give_one_store(tmp_path: Path) -> None:
    pieces = [told(item) for item in ITEMS]
    pictures = []
    for number, bodies in enumerate(([BODY], pieces, pieces[::-1], [*pieces, BODY])):
        db = tmp_path / f"{number}.db"
        with Ingest(db, Settings(db=db)) as ingest:
            for body in bodies:
                ingest.write(openai_agents.decode(body))
        with open_reader(db) as reader:
            rows = reader.tree_spans(TRACE)
            pictures.append(
                [(r.span_id, r.parent_id, r.name, r.status, r.start_ns, r.end_ns, r.session_id) for r in rows]
            )
    assert pictures[1:] == pictures[:1] * 3


def reading_of(kind: str, **more: Any) -> Any:
    span = {"object": "trace.span", "id": "span_1", "trace_id": "trace_1", "started_at": "2026-11-21T02:26:59+00:00",
            "ended_at": "2026-11-21T02:27:00Z", "span_data": {"type": kind, **more}}  # fmt: skip
    (part, *_) = openai_agents.decode(told(span)).parts
    return conventions.read(part)


def test_a_generation_reads_whole() -> None:
    reading = reading_of(
        "generation", model="gpt-4o-mini", input=[{"role": "user", "content": "hi"}],
        output=[{"role": "assistant", "content": "hello"}], model_config={"temperature": 0.2, "top_p": None},
        usage={"input_tokens": 3, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 1}},
    )  # fmt: skip
    assert (reading.kind, reading.model, reading.provider) == ("llm", "gpt-4o-mini", "openai")
    assert (reading.usage, reading.params) == (Usage(3, 2, cache_read_tokens=1), {"temperature": 0.2})
    assert [m.role for m in reading.input.messages + reading.output.messages] == ["user", "assistant"]


def test_a_function_is_a_tool() -> None:
    reading = reading_of("function", name="f", input='{"a": 1}', output='{"b": 2}')
    assert (reading.kind, reading.tool) == ("tool", Tool("f", None, {"a": 1}, {"b": 2}))
    assert reading.input == Content(value={"a": 1})


def test_a_turn_tells_the_sum_of_its_calls() -> None:
    reading = reading_of("custom", name="turn", data={"usage": {"input_tokens": 9, "output_tokens": 1,
                                                                "cached_input_tokens": 8}})  # fmt: skip
    assert (reading.kind, reading.usage) == ("chain", Usage(9, 1, cache_read_tokens=8))


def test_a_span_that_has_not_ended_is_running() -> None:
    span = {"object": "trace.span", "id": "s", "trace_id": "t", "started_at": "2026-11-21T02:26:59Z", "ended_at": None,
            "span_data": {"type": "agent", "name": "a"}}  # fmt: skip
    part = openai_agents.decode(told(span)).parts[0]
    assert (part.rank, part.end_ns, part.source_id) == (Rank.STARTED, None, "s")


@pytest.mark.parametrize("item", [
    7, {}, {"object": "trace"}, {"object": "trace", "id": ""}, {"object": "trace.span", "id": "s"},
    {"object": "trace.span", "id": "s", "trace_id": "t", "span_data": None},
    {"object": "trace.span", "id": "0", "trace_id": "t", "span_data": {}},
])  # fmt: skip
def test_what_is_neither_span_nor_trace_is_refused_and_the_rest_stored(item: Any) -> None:
    batch = openai_agents.decode(told(item, ITEMS[1]))
    assert [refusal.count for refusal in batch.refused] == [1]
    assert [part.source_id for part in batch.parts][:1] == [ITEMS[1]["id"]]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data": 1}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_such_list_is_an_error_of_decoding(body: bytes) -> None:
    with pytest.raises(DecodeError):
        openai_agents.decode(body)


WORDS = """
    object id trace_id parent_id span_data type name started_at ended_at error usage input output data model_config
    message workflow_name metadata group_id
""".split()
FINITE = st.floats(allow_nan=False, allow_infinity=False)
ODD = st.none() | st.booleans() | st.integers(-9, 9) | FINITE | st.text(max_size=3) | st.just("2026-11-21T02:26:59Z")
TREES = st.recursive(ODD, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner))


@given(st.lists(st.dictionaries(st.sampled_from(WORDS), TREES), max_size=3), st.sampled_from(["trace", "trace.span"]))
def test_whatever_the_items_hold_they_are_read_or_refused(items: list[dict[str, Any]], kind: str) -> None:
    whole = [{"id": "i", "trace_id": "t", **item, "object": kind} for item in items]
    batch = openai_agents.decode(told(*whole))
    assert sum(part.name is not None for part in batch.parts) + sum(r.count for r in batch.refused) == len(items)
    for part in batch.parts:
        conventions.read(part)


def test_too_many_spans_are_too_large() -> None:
    with pytest.raises(TooLarge):
        openai_agents.decode(BODY, Limits(spans=3))


def test_the_door_answers_as_its_sdk_expects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    settings = settings_for(tmp_path)
    settings.db.unlink()
    with running(settings, real=True) as up:
        answers = [up.client.post("/v1/traces/ingest", content=body).status_code for body in (BODY, b"{")]
    assert answers == [204, 400]
    with open_reader(settings.db) as reader:
        assert reader.trace(TRACE).span_count == 31
