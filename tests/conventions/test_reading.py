"""One sentence a rule; the recorded bodies are in test_recorded."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from collector import conventions
from collector.conventions.parts import parts
from collector.conventions.shape import FLAT_PREFIXES, JSON_LIST_KEYS
from collector.model import (
    Content,
    Document,
    Event,
    LogRecord,
    Message,
    Reading,
    Resource,
    SpanPart,
    Tool,
    Usage,
)  # fmt: skip

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def read(attributes: dict[str, Any] | None = None, **fields: Any) -> Reading:
    fields.setdefault("name", "x")
    return conventions.read(SpanPart(TRACE, SPAN, attributes=attributes or {}, **fields))


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def user(said: str) -> Message:
    return Message("user", (text(said),))


def test_a_span_of_nothing_reads_as_nothing() -> None:
    assert read() == Reading()
    assert read({"color": "red"}) == Reading()
    assert conventions.read_logs([]) == Reading()


# kinds


@pytest.mark.parametrize(("attributes", "kind", "convention"), [
    ({"gen_ai.operation.name": "chat"}, "llm", "genai"),
    ({"gen_ai.operation.name": "text_completion"}, "llm", "genai"),
    ({"gen_ai.operation.name": "generate_content"}, "llm", "genai"),
    ({"gen_ai.operation.name": "embeddings"}, "embedding", "genai"),
    ({"gen_ai.operation.name": "execute_tool"}, "tool", "genai"),
    ({"gen_ai.operation.name": "invoke_agent"}, "agent", "genai"),
    ({"gen_ai.operation.name": "create_agent"}, "agent", "genai"),
    ({"gen_ai.operation.name": "invoke_workflow"}, "chain", "genai"),
    ({"gen_ai.operation.name": "retrieval"}, "retriever", "genai"),
    ({"gen_ai.operation.name": "dance", "gen_ai.request.model": "m"}, "llm", "genai"),
    ({"gen_ai.operation.name": "dance"}, None, "genai"),
    ({"gen_ai.system": "openai", "gen_ai.usage.prompt_tokens": 3}, "llm", "genai"),
    ({"gen_ai.tool.call.id": "c1"}, "tool", "genai"),
    *[({"openinference.span.kind": kind}, kind.lower(), "openinference") for kind in
      ("LLM", "CHAIN", "TOOL", "AGENT", "RETRIEVER", "EMBEDDING", "RERANKER", "GUARDRAIL", "EVALUATOR", "PROMPT")],
    ({"openinference.span.kind": "chain"}, "chain", "openinference"),
    ({"openinference.span.kind": "UNKNOWN"}, None, "openinference"),
    ({"openinference.span.kind": "AGENT", "gen_ai.operation.name": "chat"}, "agent", "genai+openinference"),
    ({"http.request.method": "GET"}, "http", None),
    ({"http.method": "GET", "db.system": "redis"}, "http", None),
    ({"db.system": "postgresql"}, "db", None),
    ({"db.system.name": "postgresql"}, "db", None),
    ({"http.request.method": "POST", "gen_ai.operation.name": "chat"}, "llm", "genai"),
])  # fmt: skip
def test_the_kind(attributes: dict[str, Any], kind: str | None, convention: str | None) -> None:
    reading = read(attributes)
    assert (reading.kind, reading.convention) == (kind, convention)


# who and where


def test_newer_names_win_over_older_ones_and_opentelemetry_over_openinference() -> None:
    names = {"llm.provider": "c", "gen_ai.system": "b", "gen_ai.provider.name": "a"}
    for attributes in (names, dict(reversed(names.items()))):
        assert read(attributes).provider == "a"
    assert read({"llm.system": "openai", "llm.provider": "azure"}).provider == "azure"
    assert read({"gen_ai.system": "OpenAI"}).provider == "openai"


def test_an_empty_value_says_nothing() -> None:
    assert read({"gen_ai.provider.name": "", "gen_ai.system": "openai"}).provider == "openai"
    assert read({"session.id": None, "gen_ai.conversation.id": "c"}).session_id == "c"


def test_the_model_that_was_asked_for_stands_in_for_the_one_that_answered() -> None:
    reading = read({"gen_ai.request.model": "m"})
    assert (reading.model, reading.request_model) == ("m", "m")


def test_a_failed_call_has_its_model_in_the_invocation_parameters() -> None:
    given = json.dumps({"model": "m", "temperature": 0.2, "messages": []})
    reading = read({"openinference.span.kind": "LLM", "llm.invocation_parameters": given})
    assert (reading.model, reading.request_model, reading.params) == ("m", "m", {"temperature": 0.2})


def test_parameters_of_the_call_are_kept_by_their_short_names() -> None:
    reading = read(
        {"gen_ai.request.model": "m", "gen_ai.request.temperature": 0.2, "gen_ai.request.stop_sequences": ["x"]}
    )
    assert reading.params == {"temperature": 0.2, "stop_sequences": ["x"]}


def test_session_user_and_tags_are_read_whoever_sent_them() -> None:
    said = {
        "session.id": "s",
        "user.id": 7,
        "tag.tags": '["a", "b"]',
        "metadata": '{"plan": "pro"}',
        "http.method": "GET",
    }
    reading = read(said)
    assert (reading.session_id, reading.user_id, reading.tags) == ("s", "7", ("a", "b"))
    assert (reading.metadata, reading.kind, reading.convention) == ({"plan": "pro"}, "http", None)


def test_the_resource_says_where_a_span_is_from() -> None:
    said = {
        "service.name": "api", "deployment.environment": "old", "deployment.environment.name": "prod",
        "service.version": "1.2", "openinference.project.name": "p",
    }  # fmt: skip
    reading = read(resource=Resource(said))
    assert (reading.service, reading.environment, reading.release, reading.project) == ("api", "prod", "1.2", "p")


# tokens


def test_tokens_of_every_generation() -> None:
    want = Usage(100, 20, 30, 40, 5, 6, 7)
    assert read({
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20, "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.cache_creation.input_tokens": 40, "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.usage.audio.input_tokens": 6, "gen_ai.usage.audio.output_tokens": 7,
    }).usage == want  # fmt: skip
    assert read({
        "llm.token_count.prompt": 100, "llm.token_count.completion": 20,
        "llm.token_count.prompt_details.cache_read": 30,
        "llm.token_count.prompt_details.cache_write": 40, "llm.token_count.completion_details.reasoning": 5,
        "llm.token_count.prompt_details.audio": 6, "llm.token_count.completion_details.audio": 7,
    }).usage == want  # fmt: skip
    assert read({"gen_ai.usage.prompt_tokens": "100", "gen_ai.usage.completion_tokens": 20.0}).usage == Usage(100, 20)


def test_an_unknown_number_is_not_zero() -> None:
    assert read({"gen_ai.request.model": "m"}).usage is None
    assert read({"gen_ai.usage.output_tokens": 0}).usage == Usage(None, 0)
    assert read({"gen_ai.usage.input_tokens": -1, "gen_ai.usage.output_tokens": "many"}).usage is None


def test_an_embedding_that_only_says_its_total_took_it_all_in() -> None:
    said = {"openinference.span.kind": "EMBEDDING", "llm.token_count.total": 3}
    assert read(said).usage == Usage(3)
    assert read({**said, "openinference.span.kind": "LLM"}).usage is None


def test_numbers_that_contradict_the_convention_stand_as_sent_with_a_note() -> None:
    reading = read({"gen_ai.usage.input_tokens": 5, "gen_ai.usage.cache_read.input_tokens": 100})
    assert reading.usage == Usage(5, None, 100)
    assert reading.notes == ("cache parts exceed input tokens",)
    reading = read({"gen_ai.usage.output_tokens": 5, "gen_ai.usage.reasoning.output_tokens": 9})
    assert reading.notes == ("reasoning exceeds output tokens",)


def test_cost_is_read_in_nano_dollars() -> None:
    assert read({"llm.cost.total": 0.0012}).cost_nanousd == 1_200_000
    assert read({"llm.cost.prompt": 0.001, "llm.cost.completion": 0.0005}).cost_nanousd == 1_500_000
    assert read({"llm.cost.total": "free"}).cost_nanousd is None


# messages

CALL = {"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"city": "Patiala"}}
SPELLINGS = {
    "opentelemetry": {"role": "assistant", "parts": [{"type": "text", "content": "hi"}, CALL]},
    "openai": {
        "role": "assistant", "content": "hi",
        "tool_calls": [{"id": "c1", "type": "function",
                        "function": {"name": "get_weather", "arguments": '{"city": "Patiala"}'}}],
    },
    "anthropic": {
        "role": "assistant",
        "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}},
                    {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Patiala"}}],
    },
    "langchain": {
        "type": "ai",
        "data": {"content": "hi", "tool_calls": [{"name": "get_weather", "args": {"city": "Patiala"}, "id": "c1",
                                                  "type": "tool_call"}]},
    },
    "langchain serialised": {
        "lc": 1, "id": ["langchain", "AIMessage"],
        "kwargs": {"type": "ai", "content": "hi",
                   "tool_calls": [{"name": "get_weather", "args": {"city": "Patiala"}, "id": "c1"}]},
    },
    "vercel": {
        "role": "assistant",
        "content": [{"type": "text", "text": "hi"},
                    {"type": "tool-call", "toolCallId": "c1", "toolName": "get_weather", "input": {"city": "Patiala"}}],
    },
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_message_in_every_spelling_is_one_message(spelling: str) -> None:
    want = Message("assistant", (text("hi"), CALL))
    for said in ([SPELLINGS[spelling]], json.dumps([SPELLINGS[spelling]])):
        assert read({"gen_ai.output.messages": said}).output == Content(messages=(want,))


def test_gemini_names_its_roles_and_parts_otherwise() -> None:
    said = {"role": "model", "parts": [{"text": "so", "thought": True}, {"text": "hi"},
                                       {"functionCall": {"name": "f", "args": {"a": 1}}}]}  # fmt: skip
    (message,) = read({"gen_ai.output.messages": [said]}).output.messages  # type: ignore[union-attr]
    assert message.role == "assistant"
    assert [part["type"] for part in message.parts] == ["reasoning", "text", "tool_call"]


@pytest.mark.parametrize("said", [
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "sunny"}]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "result": "sunny"}]},
    {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    {"role": "function", "tool_call_id": "c1", "content": "sunny"},
    {"type": "tool", "data": {"content": "sunny", "tool_call_id": "c1"}},
    {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
    {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c1",
                                  "output": {"type": "text", "value": "sunny"}}]},
])  # fmt: skip
def test_a_tool_result_in_every_spelling(said: dict[str, Any]) -> None:
    want = Message("tool", ({"type": "tool_result", "id": "c1", "result": "sunny"},))
    assert read({"gen_ai.input.messages": [said]}).input == Content(messages=(want,))


def test_anthropics_tool_result_stays_with_the_user() -> None:
    block = {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "sunny"}]}
    (message,) = read({"gen_ai.input.messages": [{"role": "user", "content": [block]}]}).input.messages  # type: ignore[union-attr]
    assert message == Message("user", ({"type": "tool_result", "id": "c1", "result": "sunny"},))


@pytest.mark.parametrize(("block", "want"), [
    ({"type": "image_url", "image_url": {"url": "https://x/a.png"}}, {"type": "image", "url": "https://x/a.png"}),
    ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
     {"type": "image", "mime_type": "image/png", "data": "QUJD", "size": 3}),
    ({"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
     {"type": "audio", "mime_type": "audio/wav", "data": "QUJD", "size": 3}),
    ({"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
     {"type": "image", "mime_type": "image/png", "data": "QUJD", "size": 3}),
    ({"type": "image", "image": {"type": "Buffer", "data": [65, 66, 67]}, "mediaType": "image/png"},
     {"type": "image", "mime_type": "image/png", "data": "QUJD", "size": 3}),
    ({"type": "file", "data": {"0": 65, "1": 66, "2": 67}, "mediaType": "audio/wav"},
     {"type": "audio", "mime_type": "audio/wav", "data": "QUJD", "size": 3}),
    ({"type": "image", "image": [65, 66, 300]}, {"type": "image", "data": [65, 66, 300]}),
    ({"type": "uri", "modality": "audio", "uri": "https://x/a.wav"}, {"type": "audio", "url": "https://x/a.wav"}),
    ({"type": "file", "file": {"file_id": "f1"}}, {"type": "file", "file_id": "f1"}),
    ({"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, {"type": "reasoning", "text": "hm"}),
    ({"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "reasoning", "text": "hm"}),
    ({"type": "hologram", "beam": 7, "cache_control": {}}, {"type": "data", "data": {"type": "hologram", "beam": 7}}),
])  # fmt: skip
def test_other_blocks(block: dict[str, Any], want: dict[str, Any]) -> None:
    (message,) = read({"gen_ai.input.messages": [{"role": "user", "content": [block]}]}).input.messages  # type: ignore[union-attr]
    assert message.parts == (want,)


def test_a_moved_cache_marker_does_not_make_a_new_message() -> None:
    plain = {"role": "user", "content": [{"type": "text", "text": "hi"}]}
    marked = {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}
    assert read({"gen_ai.input.messages": [plain]}).input == read({"gen_ai.input.messages": [marked]}).input


def test_leading_system_messages_are_instructions_and_later_ones_are_conversation() -> None:
    said = [{"role": "system", "content": "a"}, {"role": "developer", "content": "b"}, {"role": "user", "content": "c"},
            {"role": "system", "content": "d"}]  # fmt: skip
    reading = read({"gen_ai.input.messages": said, "gen_ai.system_instructions": '[{"type": "text", "content": "z"}]'})
    assert [(m.role, m.parts[0]["text"]) for m in reading.system] == [
        ("system", "z"),
        ("system", "a"),
        ("developer", "b"),
    ]
    assert reading.input == Content(messages=(user("c"), Message("system", (text("d"),))))


def test_flattened_prompts_of_the_first_generation() -> None:
    reading = read({
        "gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "be kind",
        "gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": '[{"type": "text", "text": "hi"}]',
        "gen_ai.prompt.2.role": "assistant", "gen_ai.prompt.2.tool_calls.0.id": "c1",
        "gen_ai.prompt.2.tool_calls.0.name": "get_weather",
        "gen_ai.prompt.2.tool_calls.0.arguments": '{"city": "Patiala"}',
        "gen_ai.prompt.3.role": "tool", "gen_ai.prompt.3.tool_call_id": "c1", "gen_ai.prompt.3.content": "sunny",
        "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "31 degrees",
        "gen_ai.completion.0.finish_reason": "stop",
    })  # fmt: skip
    assert reading.system == (Message("system", (text("be kind"),)),)
    assert reading.input == Content(messages=(
        user("hi"), Message("assistant", (CALL,)),
        Message("tool", ({"type": "tool_result", "id": "c1", "result": "sunny"},)),
    ))  # fmt: skip
    assert reading.output == Content(messages=(Message("assistant", (text("31 degrees"),), None, "stop"),))
    assert reading.finish_reasons == ("stop",)


def test_openinferences_messages_whatever_their_order() -> None:
    prefix = "llm.input_messages"
    said = {
        f"{prefix}.1.message.contents.1.message_content.image.image.url": "https://x/a.png",
        f"{prefix}.1.message.contents.1.message_content.type": "image",
        f"{prefix}.1.message.contents.0.message_content.text": "look",
        f"{prefix}.1.message.contents.0.message_content.type": "text",
        f"{prefix}.1.message.role": "user",
        f"{prefix}.10.message.role": "tool",
        f"{prefix}.10.message.content": "sunny",
        f"{prefix}.10.message.tool_call_id": "c1",
        f"{prefix}.2.message.role": "assistant",
        f"{prefix}.2.message.tool_calls.0.tool_call.id": "c1",
        f"{prefix}.2.message.tool_calls.0.tool_call.function.name": "get_weather",
        f"{prefix}.2.message.tool_calls.0.tool_call.function.arguments": '{"city": "Patiala"}',
        "openinference.span.kind": "LLM",
    }
    assert read(said).input == Content(messages=(
        Message("user", (text("look"), {"type": "image", "url": "https://x/a.png"})),
        Message("assistant", (CALL,)),
        Message("tool", ({"type": "tool_result", "id": "c1", "result": "sunny"},)),
    ))  # fmt: skip


def test_a_role_without_content_gives_way_to_the_recorded_value() -> None:
    said = {"llm.input_messages.0.message.role": "user", "input.value": "hi", "openinference.span.kind": "AGENT"}
    assert read(said).input == Content(value="hi")


def test_values_are_decoded_where_their_type_says_json() -> None:
    said = {"openinference.span.kind": "CHAIN", "input.value": '{"a": 1}', "output.value": '{"b": 2}'}
    assert read(said).input == Content(value='{"a": 1}')
    assert read({**said, "input.mime_type": "application/json"}).input == Content(value={"a": 1})


def test_the_body_of_a_request_is_a_conversation() -> None:
    body = {"model": "m", "system": "be kind", "messages": [{"role": "user", "content": "hi"}]}
    said = {"openinference.span.kind": "LLM", "input.value": json.dumps(body), "input.mime_type": "application/json"}
    reading = read(said)
    assert reading.input == Content(messages=(user("hi"),))
    assert reading.system == (Message("system", (text("be kind"),)),)
    answer = {"choices": [{"message": {"role": "assistant", "content": "yo"}, "finish_reason": "stop"}], "id": "r1"}
    reading = read({**said, "output.value": json.dumps(answer), "output.mime_type": "application/json"})
    assert reading.output == Content(messages=(Message("assistant", (text("yo"),), None, "stop"),))
    assert reading.response_id == "r1"


def test_json_that_is_nested_beyond_reason_stays_text() -> None:
    deep = '{"a":[' * 80 + "]}" * 80
    said = {"openinference.span.kind": "CHAIN", "input.value": deep, "input.mime_type": "application/json"}
    assert read(said).input == Content(value=deep)
    assert read({"gen_ai.tool.call.id": "c", "gen_ai.tool.call.arguments": deep}).tool == Tool("x", "c", deep)


# events and logs


def test_events_of_the_first_generation_hold_the_conversation() -> None:
    events = (
        Event(1, "gen_ai.system.message", {"gen_ai.system": "openai", "content": "be kind"}),
        Event(2, "gen_ai.user.message", {"gen_ai.event.content": '{"content": "hi"}'}),
        Event(
            3, "gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": '{"role":"assistant","content":"yo"}'}
        ),
    )
    reading = read(events=events)
    assert (reading.provider, reading.convention) == ("openai", "genai")
    assert reading.system == (Message("system", (text("be kind"),)),)
    assert reading.input == Content(messages=(user("hi"),))
    assert reading.output == Content(messages=(Message("assistant", (text("yo"),), None, "stop"),))


def test_content_events_before_that_hold_json() -> None:
    events = (
        Event(1, "gen_ai.content.prompt", {"gen_ai.prompt": '[{"role": "user", "content": "hi"}]'}),
        Event(2, "gen_ai.content.completion", {"gen_ai.completion": '[{"role": "assistant", "content": "yo"}]'}),
    )
    reading = read(events=events)
    assert reading.input == Content(messages=(user("hi"),))
    assert reading.output == Content(messages=(Message("assistant", (text("yo"),)),))


def test_the_details_event_says_what_attributes_would() -> None:
    details = {"gen_ai.request.model": "m", "gen_ai.input.messages": [{"role": "user", "parts": [text("hi")]}]}
    event = read(
        {"gen_ai.request.model": "own"}, events=(Event(1, "gen_ai.client.inference.operation.details", details),)
    )
    assert (event.model, event.input) == ("own", Content(messages=(user("hi"),)))
    log = conventions.read_logs([LogRecord(1, "gen_ai.client.inference.operation.details", None, details)])
    assert (log.model, log.input) == ("m", Content(messages=(user("hi"),)))


def test_log_records_are_read_in_order_of_time() -> None:
    logs = [
        LogRecord(3, "gen_ai.choice", {"message": {"content": "yo"}, "finish_reason": "stop"}),
        LogRecord(1, "gen_ai.user.message", {"content": "one"}),
        LogRecord(2, "gen_ai.tool.message", {"content": "two", "id": "c1"}, {"gen_ai.system": "OpenAI"}),
    ]
    reading = conventions.read_logs(logs)
    assert reading.input == Content(messages=(
        user("one"), Message("tool", ({"type": "tool_result", "id": "c1", "result": "two"},)),
    ))  # fmt: skip
    assert (reading.provider, reading.finish_reasons) == ("openai", ("stop",))


def test_an_exception_says_what_went_wrong_where_the_status_does_not() -> None:
    failed = Event(5, "exception", {"exception.type": "ValueError", "exception.message": "no such city"})
    reading = read(events=(failed,), status="error")
    assert (reading.error_type, reading.status_message) == ("ValueError", "no such city")
    assert read(events=(failed,), status="error", status_message="own").status_message is None
    handled = read(events=(failed,))
    assert (handled.error_type, handled.status_message) == (None, None)


def test_the_first_token_is_timed_from_an_attribute_or_an_event() -> None:
    assert read({"gen_ai.response.time_to_first_chunk": 0.25}).ttft_ns == 250_000_000
    assert read({"gen_ai.client.operation.time_to_first_chunk": "0.25"}).ttft_ns == 250_000_000
    for name in ("First Token Stream Event", "gen_ai.content.completion.chunk"):
        assert read(events=(Event(900, name), Event(950, name)), start_ns=400).ttft_ns == 500


# tools, documents, embeddings


def test_a_tools_call_is_unwrapped_and_kept_as_sent() -> None:
    wrapped = '{"args": [], "kwargs": {"city": "Patiala"}}'
    reading = read({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "f", "gen_ai.tool.call.id": "c",
                    "gen_ai.tool.call.arguments": wrapped, "gen_ai.tool.call.result": "sunny"})  # fmt: skip
    assert reading.tool == Tool("f", "c", {"city": "Patiala"}, "sunny")
    assert reading.input == Content(value=json.loads(wrapped))


def test_a_tool_without_a_name_of_its_own_is_named_by_its_span() -> None:
    assert read({"gen_ai.operation.name": "execute_tool"}, name="execute_tool f").tool == Tool("f")
    reading = read({"openinference.span.kind": "TOOL", "input.value": '{"a": 1}', "output.value": "ok"}, name="g")
    assert reading.tool == Tool("g", None, {"a": 1}, "ok")


def test_retrieved_documents() -> None:
    prefix = "retrieval.documents"
    reading = read({
        "openinference.span.kind": "RETRIEVER", "input.value": "q", f"{prefix}.0.document.id": "d1",
        f"{prefix}.0.document.content": "text", f"{prefix}.0.document.score": 0.5,
        f"{prefix}.1.document.metadata": '{"page": 2}', "output.value": "{}",
    })  # fmt: skip
    assert reading.documents == (Document("d1", "text", 0.5, 0), Document(rank=1, metadata={"page": 2}))
    assert (reading.input, reading.output) == (Content(value="q"), None)
    listed = read({"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": '[{"id": "d1", "score": 0.5}]'})
    assert listed.documents == (Document("d1", None, 0.5, 0),)


def test_a_reranker_shows_its_query_and_what_it_kept() -> None:
    reading = read({
        "openinference.span.kind": "RERANKER", "reranker.query": "q", "reranker.model_name": "m",
        "reranker.output_documents.0.document.content": "a", "reranker.input_documents.0.document.content": "b",
    })  # fmt: skip
    assert (reading.input, reading.model) == (Content(value="q"), "m")
    assert reading.documents == (Document(content="a", rank=0),)


def test_a_rerankers_documents_say_where_they_stood_before() -> None:
    reading = read({
        "openinference.span.kind": "RERANKER",
        "reranker.input_documents.0.document.id": "x", "reranker.input_documents.0.document.content": "a",
        "reranker.input_documents.1.document.id": "y", "reranker.input_documents.1.document.content": "b",
        "reranker.output_documents.0.document.id": "y", "reranker.output_documents.0.document.score": 0.9,
        "reranker.output_documents.1.document.content": "a",
    })  # fmt: skip
    assert reading.documents == (
        Document(id="y", score=0.9, rank=0, rank_before=1), Document(content="a", rank=1, rank_before=0),
    )  # fmt: skip


PNG = "iVBORw0KGgo="  # the 8 bytes a PNG begins with


@pytest.mark.parametrize(("block", "wanted"), [
    ({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
     {"type": "image", "mime_type": "image/png", "url": f"data:image/png;base64,{PNG}", "size": 8}),
    ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
     {"type": "image", "mime_type": "image/png", "data": PNG, "size": 8}),
    ({"type": "input_audio", "input_audio": {"format": "wav", "data": "AAAA"}},
     {"type": "audio", "mime_type": "audio/wav", "data": "AAAA", "size": 3}),
    ({"type": "blob", "modality": "image", "mime_type": "image/png", "content": PNG},
     {"type": "image", "mime_type": "image/png", "data": PNG, "size": 8}),
    ({"type": "image_url", "image_url": {"url": "https://x/y.png"}}, {"type": "image", "url": "https://x/y.png"}),
    ({"type": "file", "file": {"file_id": "f1", "filename": "a.pdf"}},
     {"type": "file", "file_id": "f1", "name": "a.pdf"}),
    ({"type": "file", "mediaType": "application/pdf", "data": "AAA=", "filename": "a.pdf"},
     {"type": "file", "mime_type": "application/pdf", "data": "AAA=", "size": 2}),
    ({"inlineData": {"mimeType": "image/png", "data": PNG}},
     {"type": "image", "mime_type": "image/png", "data": PNG, "size": 8}),
])  # fmt: skip
def test_media_say_their_type_and_size(block: dict[str, Any], wanted: dict[str, Any]) -> None:
    (part,) = parts(block)
    assert part == wanted


def test_an_embedding_shows_its_texts_and_the_size_of_its_vectors() -> None:
    reading = read({
        "openinference.span.kind": "EMBEDDING", "embedding.embeddings.0.embedding.text": "a",
        "embedding.embeddings.1.embedding.text": "b", "embedding.embeddings.0.embedding.vector": [0.1],
        "output.value": "[0.1]",
    })  # fmt: skip
    assert reading.input == Content(value=["a", "b"])
    assert reading.output == Content(value={"dimensions": 1, "count": 1})
    counted = read({"gen_ai.operation.name": "embeddings", "gen_ai.embeddings.dimension.count": 8})
    assert counted.output == Content(value={"dimensions": 8})


def test_a_thousand_resent_messages_are_read_in_linear_time() -> None:
    """Counted in calls, not in seconds: a busy machine changes nothing."""

    def calls(count: int) -> int:
        said: dict[str, Any] = {"openinference.span.kind": "LLM"}
        for n in range(count):
            said[f"llm.input_messages.{n}.message.role"] = "user"
            said[f"llm.input_messages.{n}.message.content"] = "x"
        counted = 0

        def count_call(frame: object, event: str, argument: object) -> None:
            nonlocal counted
            counted += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(count_call)
        try:
            reading = read(said)
        finally:
            sys.setprofile(before)
        assert reading.input is not None
        assert len(reading.input.messages) == count
        return counted

    # Linear is 5, and 10 when the short one's keys were known already; quadratic is 25
    assert calls(2000) < 15 * calls(400)


def test_the_tables_name_what_is_read() -> None:
    assert "gen_ai.input.messages" in JSON_LIST_KEYS
    assert all(prefix.endswith(".") for prefix in FLAT_PREFIXES)
