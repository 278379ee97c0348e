"""Whatever the attributes hold, reading never fails: a field that cannot be read is not set."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector import conventions
from collector.conventions.found import Convention
from collector.conventions.names import FAMILIES
from collector.conventions.registry import META, MORE, PARAMS, SCOPES, SLOT_OF
from collector.model import READING_FIELDS, Content, Event, LogRecord, Message, Reading, Resource, Scope, SpanPart

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
WORDS = (
    "role content parts type text tool_calls tool_call function name arguments id message messages data lc kwargs user"
    " system tool image_url url source choices output input reasoning functionCall human tool_result args finish_reason"
    " generations thought model usage total prompt_tokens prompt_tokens_details input_token_details metadata tools"
    " config usage_metadata tasks_output raw agent task query_bundle replies error"
).split()
LEAVES = ["role", "content", "message.role", "message.content", "message.tool_calls.0.tool_call.function.name", "",
          "message.contents.0.message_content.type", "message.contents.x", "tool_calls.0.name", "document.score",
          "document.metadata", "tool.json_schema", "embedding.text", "prompt.text"]  # fmt: skip

scalars = st.sampled_from(WORDS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
trees: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)
values = trees | trees.map(json.dumps) | st.binary(max_size=3)
flat_keys = st.builds(
    lambda family, index, leaf: f"{family}.{index}.{leaf}", st.sampled_from(sorted(FAMILIES)),
    st.sampled_from(["0", "1", "7", "x", "-1", "٣", "99999999999999"]), st.sampled_from(LEAVES),
)  # fmt: skip
prefixed = st.builds(
    lambda prefix, leaf: prefix + leaf,
    st.sampled_from(sorted({*META, *PARAMS})),
    st.sampled_from(["session_id", "tags", "usage_metadata", "usage_object", "finish_reason", "x", ""]),
)
keys = (
    st.sampled_from(sorted(SLOT_OF))
    | prefixed
    | flat_keys
    | st.text(max_size=4)
    | st.just("gen_ai.request.temperature")
)
attributes = st.dictionaries(keys, values, max_size=8)
names = st.sampled_from([
    "exception", "gen_ai.choice", "gen_ai.user.message", "gen_ai.tool.message", "First Token Stream Event", "x",
    "gen_ai.client.inference.operation.details", "gen_ai.content.prompt", "gen_ai.content.completion",
])  # fmt: skip
fields = st.dictionaries(
    st.sampled_from([*WORDS, "gen_ai.prompt", "exception.message", "gen_ai.event.content"]), values
)
events = st.builds(Event, st.integers(0, 9), names, fields | attributes)
logs = st.builds(LogRecord, st.integers(0, 9), names, values | fields, attributes)


def check(reading: Reading) -> None:
    """What everybody downstream relies on."""
    for side in (reading.input, reading.output):
        assert side is None or isinstance(side, Content)
        for message in side.messages if side else ():
            check_message(message)
    for message in reading.system:
        check_message(message)
    for name in READING_FIELDS:
        value = getattr(reading, name)
        if name in ("kind", "provider", "model", "session_id", "user_id", "operation", "error_type", "status_message"):
            assert value is None or isinstance(value, str)
    assert all(isinstance(word, str) for word in (*reading.tags, *reading.finish_reasons, *reading.notes))


def check_message(message: Message) -> None:
    assert isinstance(message, Message)
    assert isinstance(message.role, str)
    assert message.name is None or isinstance(message.name, str)
    assert message.finish_reason is None or isinstance(message.finish_reason, str)
    for part in message.parts:
        assert isinstance(part, dict)
        assert isinstance(part["type"], str)
        if part["type"] in ("text", "reasoning"):
            assert isinstance(part["text"], str)


@settings(max_examples=3 * settings().max_examples)
@given(attributes, st.lists(events, max_size=3), st.sampled_from([None, "error"]), st.dictionaries(keys, values))
def test_any_attributes_read_as_something(
    said: dict[str, Any], happened: list[Event], status: str | None, resource: dict[str, Any]
) -> None:
    part = SpanPart(
        TRACE, SPAN, name="x", start_ns=1, status=status, attributes=said, events=tuple(happened),
        resource=Resource(resource),
    )  # fmt: skip
    reading = conventions.read(part)
    check(reading)
    assert repr(conventions.read(part)) == repr(reading)
    check(conventions.read(SpanPart(TRACE, SPAN, attributes=conventions.encode(reading))))


@settings(max_examples=2 * settings().max_examples)
@given(st.lists(logs, max_size=4))
def test_any_log_records_read_as_something(records: list[LogRecord]) -> None:
    check(conventions.read_logs(records))


@pytest.mark.parametrize("convention", MORE, ids=lambda one: one.name)
@settings(max_examples=settings().max_examples // 2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_values_of_a_conventions_own_keys_read_as_something(convention: Convention, data: st.DataObject) -> None:
    own = sorted({key for slot in convention.slots.values() for key in slot.split()})
    leaves = [prefix + "session_id" for prefix in (*convention.meta, *convention.params)]
    if not own + leaves:
        return
    said = data.draw(st.dictionaries(st.sampled_from(own + leaves), values, min_size=1, max_size=10))
    scope = data.draw(st.sampled_from(["", *convention.scopes, *SCOPES]))
    name = data.draw(st.sampled_from(["x", "agent run", "running 2 tools", "haystack.agent.run", "claude_code.tool"]))
    part = SpanPart(TRACE, SPAN, name=name, start_ns=1, attributes=said, scope=Scope(scope))
    reading = conventions.read(part)
    check(reading)
    assert repr(conventions.read(part)) == repr(reading)
    for score in conventions.evaluations(part):
        assert (score.value is None) != (score.label is None)
