"""The key by which those name a call who tell no id of its answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.conventions.calls import all_ways, by_times
from collector.conventions.calls import call_key as key_of
from collector.model import Reading, Scope, SpanPart, Usage
from tests.builders import MS, T0, make_part


def call_key(part: SpanPart, kind: str) -> str | None:
    return key_of(part, Reading(kind=kind))


RUN = "01a1ffb9-2f96-7229-9c8f-0d37a8993ff1"


def part(scope: str = "", **attributes: Any) -> SpanPart:
    said = {name.replace("__", "."): value for name, value in attributes.items()}
    return make_part(1, name="model", scope=Scope(scope), attributes=said)


def test_a_request_has_one_name_in_session_logs_events_spans_and_at_the_proxy() -> None:
    told = [
        part("claude-code.session-log", claude_code__request_id="req_1"),
        part("com.anthropic.claude_code.events", request_id="req_1"),
        part("com.anthropic.claude_code.tracing", request_id="req_1", **{"gen_ai.response.id": "req_1"}),
        part("tracetui.proxy", **{"http.response.header.request-id": ["req_1"]}),
        part("litellm", hidden_params='{"additional_headers": {"a": "b", "llm_provider-x-request-id": "req_1"}}'),
        part("anyone", **{"http.response.header.x-request-id": ["req_1"]}),
    ]
    (key,) = {call_key(one, "llm") for one in told}
    assert key
    assert not by_times(key)
    assert call_key(part("com.anthropic.claude_code.events", request_id="req_2"), "llm") != key
    assert call_key(part("somebody", request_id="req_1"), "llm") is None, "whose id that is nobody knows"


@pytest.mark.parametrize("named", [f"lc_run--{RUN}", f"lc_run--{RUN}-0", f"run--{RUN}-0", f"run-{RUN}-0"])
def test_langchains_name_of_an_answer_is_the_same_in_every_convention(named: str) -> None:
    said = {"generations": [[{"message": {"lc": 1, "kwargs": {"type": "AIMessageChunk", "id": named}}}]]}
    outputs = (json.dumps(said), json.dumps(said, separators=(",", ":")))
    keys = {
        call_key(part(**{name: text}), "llm")
        for text in outputs
        for name in ("output.value", "gen_ai.completion", "langsmith.run.outputs")
    }
    assert keys == {call_key(part(**{"output.value": f'{{"id": "lc_run--{RUN}"}}'}), "llm")}
    assert None not in keys


def test_a_run_of_langsmith_goes_by_its_name_and_times_to_the_microsecond() -> None:
    sent = part(**{"langsmith.run.id": RUN})
    key = call_key(sent, "llm") or ""
    assert by_times(key)
    rounded = make_part(
        1, name="model", scope=Scope("langsmith"), attributes={"langsmith.span.kind": "llm"},
        start_ns=T0 + MS - 180, end_ns=T0 + 101 * MS + 120,
    )  # fmt: skip
    assert call_key(rounded, "llm") == key
    later = make_part(1, name="model", attributes=sent.attributes, start_ns=T0 + MS + 1000, end_ns=T0 + 101 * MS)
    assert call_key(later, "llm") not in (key, None)
    assert call_key(make_part(1, name="model", attributes=sent.attributes, end_ns=None), "llm") is None


def test_who_streams_with_anthropics_helper_in_javascript_is_told_by_two_that_know_of_each_other() -> None:
    usage = Usage(input_tokens=101, output_tokens=53)

    def key(scope: str, response_id: str | None = None, service: str = "api", **said: Any) -> str | None:
        reading = Reading(
            kind="llm", model="claude-sonnet-4-5", response_id=response_id, usage=usage, service=service
        )  # fmt: skip
        return key_of(part(scope, **said), reading)

    upper, client = "@arizeai/openinference-instrumentation-anthropic", "com.anthropic.sdk.typescript"
    asked = {"input.value": '{"model":"claude-sonnet-4-5","stream":true}'}
    one, other = key(upper, **asked) or "", key(client, "msg_1", **{"gen_ai.request.stream": True}) or ""
    assert by_times(one)
    assert all_ways(one) == all_ways(other) == (one, other)
    assert key(client, "msg_1") is None, "an answer in one piece is told below the other"
    assert key(upper, "msg_1", **asked) is None, "there the answer's id is known"
    assert key(upper, service="web", **asked) not in (one, None)


def test_what_is_no_models_call_has_no_key() -> None:
    assert call_key(part(claude_code__request_id="req_1"), "agent") is None
    assert call_key(make_part(1, start_ns=None, attributes={"claude_code.request_id": "req_1"}), "llm") is None
    assert call_key(part(**{"output.value": json.dumps({"id": "msg_1"})}), "llm") is None
