"""SDKs of other backends, where a recording does not show it."""

from __future__ import annotations

import json
from typing import Any

from collector import conventions
from collector.conventions.evaluations import evaluations
from collector.conventions.gather import is_known
from collector.model import Message, SpanPart, Usage

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def part(**attributes: Any) -> SpanPart:
    said = {f"braintrust.{key}": value if key == "tags" else json.dumps(value) for key, value in attributes.items()}
    return SpanPart(TRACE, SPAN, name="x", attributes=said, start_ns=1)


def test_braintrust_says_a_call_in_json() -> None:
    read = conventions.read(part(
        span_attributes={"type": "llm"}, input_json=[{"role": "user", "content": "Where?"}],
        output_json=[{"role": "assistant", "content": "Here."}], tags=["a"],
        metrics={"prompt_tokens": 101, "completion_tokens": 53, "tokens": 154, "prompt_cached_tokens": 8,
                 "time_to_first_token": 0.5},
        metadata={"model": "gpt-4o-mini", "provider": "OpenAI", "temperature": 0.2, "session_id": "s"},
    ))  # fmt: skip
    assert (read.kind, read.convention, read.model, read.provider) == ("llm", "braintrust", "gpt-4o-mini", "openai")
    assert read.usage == Usage(101, 53, cache_read_tokens=8)
    assert (read.params, read.ttft_ns, read.tags) == ({"temperature": 0.2}, 500_000_000, ("a",))
    assert read.session_id == "s"
    assert read.output is not None
    assert read.output.messages == (Message("assistant", ({"type": "text", "text": "Here."},)),)


def test_braintrust_says_scores_by_name() -> None:
    judged = evaluations(part(span_attributes={"type": "task"}, scores={"exact": 1, "near": 0.9, "none": None}))
    assert [(score.name, score.value) for score in judged] == [("exact", 1.0), ("near", 0.9)]


def test_litellm_says_calls_and_their_ids_beside_the_parts() -> None:
    said = [
        {"role": "assistant", "parts": [{"type": "text", "content": ""}],
         "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}]},
        {"role": "tool", "parts": [{"type": "text", "content": "sunny"}], "tool_call_id": "c1"},
    ]  # fmt: skip
    read = conventions.read(SpanPart(TRACE, SPAN, attributes={"gen_ai.input.messages": json.dumps(said)}))
    assert read.input is not None
    assert [message.parts for message in read.input.messages] == [
        ({"type": "tool_call", "id": "c1", "name": "look", "arguments": {"a": 1}},),
        ({"type": "tool_result", "id": "c1", "result": "sunny"},),
    ]


def test_vllm_says_latencies_of_a_request() -> None:
    said: dict[str, Any] = {
        "gen_ai.response.model": "Qwen/Qwen3-8B", "gen_ai.request.id": "cmpl-1", "gen_ai.request.max_tokens": 16,
        "gen_ai.usage.prompt_tokens": 101, "gen_ai.usage.completion_tokens": 53, "gen_ai.usage.num_sequences": 1,
        "gen_ai.latency.time_to_first_token": 0.25, "gen_ai.latency.e2e": 1.5,
        "gen_ai.latency.time_in_queue": 0.01, "gen_ai.latency.time_in_model_inference": 1.4,
    }  # fmt: skip
    read = conventions.read(SpanPart(TRACE, SPAN, name="llm_request", attributes=said))
    assert (read.kind, read.model, read.ttft_ns) == ("llm", "Qwen/Qwen3-8B", 250_000_000)
    assert read.usage == Usage(101, 53)
    assert [key for key in said if not is_known(key)] == []
