"""One sentence a rule, for the conventions beside OpenTelemetry's and OpenInference's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector import conventions
from collector.conventions.counting import from_details
from collector.conventions.gather import is_known
from collector.conventions.values import pythonic
from collector.model import Content, Event, Message, Rank, Reading, Scope, SpanPart, Tool, Usage
from collector.protocols import otlp

TRACE, SPAN, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"


def read(attributes: dict[str, Any], **fields: Any) -> Reading:
    fields.setdefault("name", "x")
    return conventions.read(SpanPart(TRACE, SPAN, attributes=attributes, **fields))


def said(role: str, *parts: dict[str, Any]) -> Message:
    return Message(role, parts)


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


# usage, whoever counts


@pytest.mark.parametrize(("given", "wanted"), [
    # OpenAI's, chat and responses: the details are parts of the totals
    ({"prompt_tokens": 101, "completion_tokens": 53, "total_tokens": 154,
      "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
      "completion_tokens_details": {"reasoning_tokens": 16}},
     {"input_tokens": 101, "output_tokens": 53, "cache_read_tokens": 8, "audio_input_tokens": 0,
      "reasoning_tokens": 16}),
    ({"input_tokens": 88, "output_tokens": 30, "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 2},
      "output_tokens_details": {"reasoning_tokens": 16}},
     {"input_tokens": 88, "output_tokens": 30, "cache_read_tokens": 8, "cache_write_tokens": 2,
      "reasoning_tokens": 16}),
    # Anthropic's API: what was read from the cache and written to it stands beside the input
    ({"input_tokens": 76, "output_tokens": 15, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 12},
     {"input_tokens": 188, "output_tokens": 15, "cache_read_tokens": 100, "cache_write_tokens": 12}),
    # LangChain's usage_metadata
    ({"input_tokens": 93, "output_tokens": 53, "total_tokens": 146, "input_token_details": {"cache_read": 8},
      "output_token_details": {"reasoning": 16}},
     {"input_tokens": 93, "output_tokens": 53, "cache_read_tokens": 8, "reasoning_tokens": 16}),
    # Langfuse's buckets: exclusive where the total says so, and where nothing does
    ({"input": 93, "output": 53, "total": 154, "input_cache_read": 8},
     {"input_tokens": 101, "output_tokens": 53, "cache_read_tokens": 8}),
    ({"input": 93, "output": 37, "input_cache_read": 8, "output_reasoning": 16},
     {"input_tokens": 101, "output_tokens": 53, "cache_read_tokens": 8, "reasoning_tokens": 16}),
    ({"input": 101, "output": 53, "total": 154, "input_cache_read": 8, "output_reasoning": 16},
     {"input_tokens": 101, "output_tokens": 53, "cache_read_tokens": 8, "reasoning_tokens": 16}),
    # Gemini's: what was cached is in the prompt, thoughts are not in the candidates
    ({"promptTokenCount": 50, "candidatesTokenCount": 10, "thoughtsTokenCount": 5, "cachedContentTokenCount": 20,
      "totalTokenCount": 65},
     {"input_tokens": 50, "output_tokens": 15, "reasoning_tokens": 5, "cache_read_tokens": 20}),
    ({"total": 3}, {"total_tokens": 3}),
    ({"input": "many", "output": None}, {}),
])  # fmt: skip
def test_inclusive_and_exclusive_counts_become_one_meaning(given: dict[str, Any], wanted: dict[str, int]) -> None:
    assert from_details(given) == wanted


# OpenLLMetry


@pytest.mark.parametrize(("kind", "ours"), [("workflow", "chain"), ("task", "chain"), ("agent", "agent")])
def test_traceloop_names_its_kinds(kind: str, ours: str) -> None:
    reading = read({"traceloop.span.kind": kind, "traceloop.entity.name": "planner", "traceloop.entity.output": '"hi"'})
    assert (reading.kind, reading.convention, reading.output) == (ours, "traceloop", Content(value="hi"))
    assert reading.agent_name == ("planner" if kind == "agent" else None)


def test_a_traceloop_tool_is_shown_without_the_wrapper_of_its_arguments() -> None:
    reading = read({
        "traceloop.span.kind": "tool", "traceloop.entity.name": "get_weather",
        "traceloop.entity.input": '{"args": [], "kwargs": {"city": "Patiala"}}',
        "traceloop.entity.output": json.dumps(json.dumps({"temp_c": 31})),
    })  # fmt: skip
    assert reading.tool == Tool("get_weather", None, {"city": "Patiala"}, {"temp_c": 31})


@pytest.mark.parametrize(("scope", "tokens"), [
    ("@traceloop/instrumentation-anthropic", 101), ("opentelemetry.instrumentation.anthropic", 93),
])  # fmt: skip
def test_traceloops_javascript_counts_the_cache_beside_anthropics_input(scope: str, tokens: int) -> None:
    reading = read({
        "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 93, "gen_ai.usage.output_tokens": 53,
        "gen_ai.usage.cache_read.input_tokens": 8, "gen_ai.usage.total_tokens": 146,
    }, scope=Scope(scope))  # fmt: skip
    assert reading.usage == Usage(input_tokens=tokens, output_tokens=53, cache_read_tokens=8)


def test_llama_index_in_typescript_retrieves_and_embeds() -> None:
    scope = Scope("@traceloop/instrumentation-llamaindex")
    nodes = [{"node": {"id_": "d1", "text": "Patiala is sunny.", "metadata": {"a": 1}}, "score": 0.5}]
    found = read({
        "traceloop.span.kind": "task", "traceloop.entity.input": '{"args":["weather?"],"kwargs":{}}',
        "traceloop.entity.output": json.dumps(nodes),
    }, scope=scope, name="vector_index_retriever.retrieve")  # fmt: skip
    assert found.kind == "retriever"
    assert [(d.id, d.content, d.score) for d in found.documents] == [("d1", "Patiala is sunny.", 0.5)]
    embedded = read({"traceloop.span.kind": "task", "traceloop.entity.output": "[0.1, 0.2]"}, scope=scope,
                    name="base_embedding.get_query_embedding")  # fmt: skip
    assert (embedded.kind, embedded.output) == ("embedding", Content(value={"dimensions": 2, "count": 1}))


def test_association_properties_say_whose_it_is() -> None:
    """The kind follows from what was done, not from the agent that it was done for."""
    reading = read({
        "gen_ai.operation.name": "chat", "gen_ai.agent.name": "weather_agent",
        "traceloop.association.properties.session_id": "s", "traceloop.association.properties.user_id": "u",
        "traceloop.association.properties.plan": "pro", "traceloop.prompt.key": "weather",
        "traceloop.prompt.version": 3,
    })  # fmt: skip
    assert (reading.kind, reading.session_id, reading.user_id) == ("llm", "s", "u")
    assert reading.metadata == {"session_id": "s", "user_id": "u", "plan": "pro"}
    assert (reading.prompt_name, reading.prompt_version) == ("weather", "3")
    assert reading.convention == "genai+traceloop"


def test_traceloops_first_generation_reads_like_its_second() -> None:
    reading = read({
        "llm.request.type": "chat", "gen_ai.system": "OpenAI", "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "hi", "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "hello", "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.usage.prompt_tokens": 3, "gen_ai.usage.completion_tokens": 2, "llm.usage.total_tokens": 5,
        "traceloop.workflow.name": "w",
    })  # fmt: skip
    assert (reading.kind, reading.provider, reading.usage) == ("llm", "openai", Usage(3, 2))
    assert reading.input == Content(messages=(said("user", text("hi")),))
    assert reading.finish_reasons == ("stop",)


# Vercel AI SDK


@pytest.mark.parametrize(("operation", "kind"), [
    ("ai.generateText", "chain"), ("ai.generateText.doGenerate", "llm"), ("ai.streamObject.doStream", "llm"),
    ("ai.embedMany.doEmbed", "embedding"), ("ai.embed", "chain"), ("ai.toolCall", "tool"), ("ai.rerank", "chain"),
    ("ai.rerank.doRerank", "reranker"),
])  # fmt: skip
def test_the_kind_of_a_vercel_span_is_its_operation(operation: str, kind: str) -> None:
    assert read({"ai.operationId": operation}).kind == kind


def test_a_vercel_answer_has_reasoning_text_and_calls() -> None:
    reading = read({
        "ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "openai.responses", "ai.model.id": "m",
        "ai.response.reasoning": "hm", "ai.response.text": "Let me see.",
        "ai.response.toolCalls": '[{"toolCallId": "c1", "toolName": "f", "input": "{\\"a\\": 1}"}]',
        "ai.response.msToFirstChunk": 60.5, "ai.settings.temperature": 0.2,
    })  # fmt: skip
    call = {"type": "tool_call", "id": "c1", "name": "f", "arguments": {"a": 1}}
    assert reading.output == Content(
        messages=(said("assistant", {"type": "reasoning", "text": "hm"}, text("Let me see."), call),)
    )
    assert (reading.provider, reading.model, reading.ttft_ns) == ("openai", "m", 60_500_000)
    assert reading.params == {"temperature": 0.2}


def test_vercels_anthropic_numbers_before_version_6_had_the_cache_beside_the_input() -> None:
    given = {
        "ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "anthropic.messages",
        "ai.usage.inputTokens": 76, "ai.usage.cachedInputTokens": 100, "ai.usage.outputTokens": 15,
        "ai.response.providerMetadata": '{"anthropic": {"cacheCreationInputTokens": 12}}',
    }  # fmt: skip
    assert read(given).usage == Usage(188, 15, cache_read_tokens=100, cache_write_tokens=12)
    six = {**given, "ai.usage.inputTokens": 188, "ai.usage.inputTokenDetails.noCacheTokens": 76}
    assert read(six).usage == Usage(188, 15, cache_read_tokens=100, cache_write_tokens=12)


def test_the_runtime_context_of_vercel_7_is_metadata() -> None:
    reading = read({
        "gen_ai.operation.name": "invoke_agent", "ai.settings.maxRetries": 2, "ai.settings.context.sessionId": "s",
        "ai.settings.context.userId": "u", "ai.settings.context.plan": "pro",
    })  # fmt: skip
    assert (reading.session_id, reading.user_id, reading.params) == ("s", "u", {"maxRetries": 2})
    assert reading.metadata == {"sessionId": "s", "userId": "u", "plan": "pro"}


def test_vercels_embeddings_show_their_text_and_their_size() -> None:
    reading = read({
        "ai.operationId": "ai.embedMany.doEmbed", "ai.values": ['"a"', '"b"'], "ai.embeddings": ["[0.1,0.2]", "[1,2]"],
        "ai.usage.tokens": 3,
    })  # fmt: skip
    assert reading.input == Content(value=["a", "b"])
    assert reading.output == Content(value={"dimensions": 2, "count": 2})
    assert reading.usage == Usage(3)


# Langfuse


def test_a_langfuse_generation_reads_whole() -> None:
    reading = read({
        "langfuse.observation.type": "generation", "langfuse.observation.model.name": "m",
        "langfuse.observation.input": '{"messages": [{"role": "user", "content": "hi"}], "tools": [{"name": "f"}]}',
        "langfuse.observation.output": '{"role": "assistant", "content": "hello"}',
        "langfuse.observation.model.parameters": '{"temperature": 0.2, "top_p": null}',
        "langfuse.observation.usage_details": '{"input": 3, "output": 2}',
        "langfuse.observation.cost_details": '{"input": 0.001, "output": 0.002}',
        "langfuse.observation.completion_start_time": '"1970-01-01T00:00:01.500Z"',
        "langfuse.observation.level": "WARNING", "langfuse.observation.prompt.name": "p",
        "langfuse.observation.prompt.version": 3, "langfuse.trace.metadata.plan": '"pro"',
        "langfuse.trace.tags": ["a"], "langfuse.environment": "prod", "langfuse.release": "r1",
    }, start_ns=10**9)  # fmt: skip
    assert (reading.kind, reading.model, reading.convention) == ("llm", "m", "langfuse")
    assert reading.input == Content(messages=(said("user", text("hi")),))
    assert reading.output == Content(messages=(said("assistant", text("hello")),))
    assert (reading.usage, reading.cost_nanousd) == (Usage(3, 2), 3_000_000)
    assert (reading.ttft_ns, reading.level, reading.params) == (500_000_000, "warning", {"temperature": 0.2})
    assert (reading.prompt_name, reading.prompt_version, reading.tags) == ("p", "3", ("a",))
    assert (reading.metadata, reading.environment, reading.release) == ({"plan": "pro"}, "prod", "r1")
    assert reading.tool_definitions == [{"name": "f"}]


def test_what_langfuses_javascript_says_elsewhere_has_its_place() -> None:
    """A tool's answer by the role of the tool's name (LangChain.js), instructions among the metadata (Responses)."""
    reading = read({
        "langfuse.observation.type": "generation", "langfuse.observation.metadata.instructions": "Be brief.",
        "langfuse.observation.input": '[{"role": "get_weather", "content": "31", "additional_kwargs": {}}]',
    })  # fmt: skip
    assert reading.system == (said("system", text("Be brief.")),)
    assert reading.input == Content(
        messages=(Message("tool", ({"type": "tool_result", "id": None, "result": "31"},), "get_weather"),)
    )


def test_the_level_error_makes_a_langfuse_span_failed() -> None:
    reading = read({"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "no"})
    assert (reading.status, reading.status_message) == ("error", "no")


def test_costs_that_are_all_zero_are_no_costs() -> None:
    assert read({"langfuse.observation.cost_details": '{"input": 0, "total": 0}'}).cost_nanousd is None


# Logfire and Pydantic AI


def test_a_pending_span_is_the_start_of_the_span_it_announces() -> None:
    """Not a span of its own; what made it an announcement stays out, so that the end says all there is."""
    span = {
        "traceId": TRACE, "spanId": SPAN, "parentSpanId": PARENT, "name": "long", "startTimeUnixNano": "5",
        "endTimeUnixNano": "5", "attributes": [
            {"key": "logfire.span_type", "value": {"stringValue": "pending_span"}},
            {"key": "logfire.pending_parent_id", "value": {"stringValue": "0" * 16}},
            {"key": "logfire.msg", "value": {"stringValue": "long"}},
        ],
    }  # fmt: skip
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    (part,) = otlp.decode_traces(json.dumps(body).encode(), otlp.JSON).parts
    assert (part.span_id, part.parent_id, part.rank) == (PARENT, None, Rank.STARTED)
    assert (part.start_ns, part.end_ns, part.attributes) == (5, None, {"logfire.msg": "long"})


def test_a_log_of_logfire_is_an_event_with_a_level() -> None:
    reading = read({"logfire.span_type": "log", "logfire.level_num": 17, "logfire.tags": ["a"]})
    assert (reading.kind, reading.level, reading.tags) == ("event", "error", ("a",))


def test_a_scrubbed_session_is_no_session() -> None:
    reading = read({"session_id": "[Scrubbed due to 'session']", "user_id": "u", "logfire.msg": "x"})
    assert (reading.session_id, reading.user_id) == (None, "u")


def test_a_run_of_pydantic_ai_ends_with_what_the_model_said_last() -> None:
    conversation = [
        {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "hello"}]},
    ]
    reading = read({"pydantic_ai.all_messages": json.dumps(conversation), "gen_ai.operation.name": "invoke_agent"})
    assert (reading.kind, reading.convention) == ("agent", "genai+pydantic-ai")
    assert reading.system == (said("system", text("be brief")),)
    assert reading.input == Content(messages=(said("user", text("hi")),))
    assert reading.output == Content(messages=(said("assistant", text("hello")),))


def test_pydantic_ais_first_events_are_messages() -> None:
    events = [
        {"event.name": "gen_ai.user.message", "role": "user", "content": "hi", "gen_ai.message.index": 0},
        {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "hello"}},
    ]
    reading = read({"gen_ai.operation.name": "chat", "events": json.dumps(events), "model_request_parameters": "{}"})
    assert reading.input == Content(messages=(said("user", text("hi")),))
    assert reading.output == Content(messages=(said("assistant", text("hello")),))


def test_logfires_recorded_bodies_are_read() -> None:
    reading = read({
        "logfire.msg": "x", "gen_ai.request.model": "m",
        "request_data": '{"messages": [{"role": "user", "content": "hi"}], "model": "m"}',
        "response_data": '{"message": {"role": "assistant", "content": "hello"}}',
    })  # fmt: skip
    assert reading.input == Content(messages=(said("user", text("hi")),))
    assert reading.output == Content(messages=(said("assistant", text("hello")),))


# what nobody knows


@pytest.mark.parametrize("key", [
    "gen_ai.request.model", "gen_ai.request.some_new_parameter", "llm.input_messages.7.message.role", "server.address",
    "traceloop.association.properties.plan", "traceloop.workflow.name", "logfire.json_schema", "ai.settings.maxRetries",
])  # fmt: skip
def test_keys_that_are_read_or_said_to_say_nothing_are_known(key: str) -> None:
    assert is_known(key)


def test_the_javascript_agents_sdk_gives_the_providers_whole_answer() -> None:
    answer = {
        "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "sunny"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 101, "completion_tokens": 53, "prompt_tokens_details": {"cached_tokens": 8}},
    }  # fmt: skip
    reading = read({
        "openai_agents.type": "generation", "openai_agents.model": "gpt-4o-mini", "openai_agents.output": [answer],
    })  # fmt: skip
    assert (reading.request_model, reading.model, reading.response_id) == ("gpt-4o-mini", answer["model"], answer["id"])
    assert reading.output == Content(messages=(Message("assistant", (text("sunny"),), finish_reason="stop"),))
    assert reading.usage == Usage(input_tokens=101, output_tokens=53, cache_read_tokens=8)


@pytest.mark.parametrize(("given", "ours"), [
    ("openai.chat", "openai"), ("google.generative-ai", "google"), ("aws.bedrock", "aws.bedrock"),
])  # fmt: skip
def test_a_provider_by_the_ai_sdks_name_is_its_maker(given: str, ours: str) -> None:
    assert read({"gen_ai.operation.name": "chat", "gen_ai.provider.name": given}).provider == ours


def test_an_answer_of_the_ai_sdk_is_a_message() -> None:
    """As Mastra records it for its agents, generations and steps."""
    reading = read({
        "gen_ai.operation.name": "agent_step", "mastra.span.type": "model_step",
        "mastra.model_step.output": '{"text": "", "toolCalls": [{"toolCallId": "c", "toolName": "f", "args": {}}]}',
        "mastra.metadata.sessionId": "s",
    })  # fmt: skip
    assert (reading.kind, reading.convention, reading.session_id) == ("chain", "genai+mastra", "s")
    call = {"type": "tool_call", "id": "c", "name": "f", "arguments": {}}
    assert reading.output == Content(messages=(Message("assistant", (call,)),))


@pytest.mark.parametrize("key", ["color", "gen_ai.brand_new", "ai.brand.new", "langfuse.brand_new"])
def test_a_new_name_is_unknown_whoever_owns_it(key: str) -> None:
    assert not is_known(key)


def test_a_scope_can_say_who_wrote_a_span() -> None:
    assert read({"gen_ai.operation.name": "chat"}, scope=Scope("pydantic-ai")).convention == "genai+pydantic-ai"


# LangSmith, MCP, frameworks: what the recordings do not show


def test_langchains_answer_is_read_from_its_generations() -> None:
    generations = [[{"text": "hello", "message": {"lc": 1, "id": ["AIMessage"], "kwargs": {"content": "hello",
                                                                                         "type": "ai"}}}]]  # fmt: skip
    reading = read({
        "langsmith.span.kind": "llm", "gen_ai.operation.name": "chat", "gen_ai.system": "langchain",
        "gen_ai.prompt": json.dumps({"messages": [[{"lc": 1, "id": ["HumanMessage"],
                                                    "kwargs": {"content": "hi", "type": "human"}}]]}),
        "gen_ai.completion": json.dumps({"generations": generations}), "langsmith.metadata.LANGSMITH_PROJECT": "p",
        "langsmith.metadata.ls_provider": "openai", "langsmith.metadata.thread_id": "t",
    })  # fmt: skip
    assert reading.input == Content(messages=(said("user", text("hi")),))
    assert reading.output == Content(messages=(said("assistant", text("hello")),))
    assert (reading.provider, reading.session_id) == ("openai", "t")
    assert not reading.metadata


def test_what_langsmith_exports_reads_like_its_own_api() -> None:
    """Recorded from langsmith 0.15.0 with LANGSMITH_TRACING_MODE=otel."""
    metadata = {"thread_id": "t", "plan": "pro", "ls_method": "x", "revision_id": "r1", "lc_hub_repo": "hub"}
    said_of = {f"langsmith.metadata.{name}": value for name, value in metadata.items()}
    embedding = read({
        **said_of, "langsmith.span.kind": "embedding", "gen_ai.prompt": '{"input":"e"}',
        "gen_ai.completion": '{"embeddings":[[0.1,0.2]],"usage_metadata":{"input_tokens":3,"total_tokens":3}}',
    })  # fmt: skip
    assert (embedding.input, embedding.output) == (Content(value="e"), Content(value={"dimensions": 2, "count": 1}))
    assert (embedding.metadata, embedding.session_id) == ({"plan": "pro"}, "t")
    assert (embedding.release, embedding.prompt_name) == ("r1", "hub")
    retriever = read({"langsmith.span.kind": "retriever", "gen_ai.prompt": '{"question":"where?"}'})
    assert retriever.input == Content(value="where?")
    failure = {"exception.type": "Exception", "exception.message": "ValueError('no')\n\nTraceback"}
    failed = read({"langsmith.span.kind": "tool"}, status="error", events=(Event(1, "exception", failure),))
    assert failed.error_type == "ValueError"


def test_a_retrievers_kind_is_its_runs_type_not_the_operation_that_langsmith_names() -> None:
    assert read({"langsmith.span.kind": "retriever", "gen_ai.operation.name": "embeddings"}).kind == "retriever"


@pytest.mark.parametrize(("given", "wanted"), [
    ('{"cache_read": 8}', {"cache_read": 8}), ("{'cache_read': 8}", {"cache_read": 8}), ("{'a': f()}", "{'a': f()}"),
    ("{" * 3000, "{" * 3000), ("words", "words"), (7, 7),
])  # fmt: skip
def test_a_dict_as_python_prints_it_is_read_and_never_run(given: Any, wanted: Any) -> None:
    assert pythonic(given) == wanted


@pytest.mark.parametrize(("name", "kind"), [
    ("claude_code.interaction", "agent"), ("claude_code.llm_request", "llm"), ("claude_code.tool", "tool"),
    ("claude_code.tool.blocked_on_user", "span"), ("claude_code.hook", "span"),
])  # fmt: skip
def test_claude_codes_spans_are_told_by_their_scope(name: str, kind: str) -> None:
    reading = read({"tool_name": "Bash"}, name=name, scope=Scope("com.anthropic.claude_code.tracing"))
    assert (reading.kind, reading.convention) == (kind, "claude-code")


def test_claude_codes_tokens_are_anthropics_and_get_their_cache_added() -> None:
    given = {
        "model": "claude-sonnet-4-5", "input_tokens": 76, "output_tokens": 15, "cache_read_tokens": 100,
        "cache_creation_tokens": 12, "ttft_ms": 250, "stop_reason": "end_turn", "success": False, "error": "overloaded",
    }  # fmt: skip
    reading = read(given, name="claude_code.llm_request", scope=Scope("com.anthropic.claude_code.tracing"))
    assert reading.usage == Usage(188, 15, cache_read_tokens=100, cache_write_tokens=12)
    assert (reading.model, reading.provider, reading.ttft_ns) == ("claude-sonnet-4-5", "anthropic", 250_000_000)
    assert (reading.status, reading.status_message, reading.finish_reasons) == ("error", "overloaded", ("end_turn",))
    assert read(given) == Reading()  # the same keys on anybody else's span are that one's own


def test_haystacks_own_spans_are_read() -> None:
    replies = json.dumps({"replies": [{"role": "assistant", "content": [{"type": "text", "text": "hello"}]}]})
    reading = read(
        {"haystack.component.type": "OpenAIChatGenerator", "haystack.component.output": replies},
        name="haystack.component.run",
    )
    assert (reading.kind, reading.output) == ("llm", Content(messages=(said("assistant", text("hello")),)))
    assert read({"haystack.component.type": "InMemoryBM25Retriever"}).kind == "retriever"
    assert read({"haystack.agent.input": "{}"}, name="haystack.agent.run").kind == "agent"


def test_haystacks_messages_name_their_blocks_and_its_reply_says_what_the_provider_said() -> None:
    origin = {"tool_name": "get", "arguments": {"a": 1}, "id": "c1"}
    asked = [
        {"role": "user", "meta": {}, "name": None, "content": [{"text": "and here?"}]},
        {"role": "assistant", "content": [{"reasoning": {"reasoning_text": "hm", "extra": {}}}, {"tool_call": origin}]},
        {"role": "tool", "content": [{"tool_call_result": {"result": "31", "origin": origin, "error": False}}]},
    ]
    usage = {"completion_tokens": 30, "prompt_tokens": 120, "prompt_tokens_details": {"cached_tokens": 5}}
    meta = {"model": "gpt-4o-mini", "finish_reason": "stop", "usage": usage}
    reading = read(
        {
            "haystack.component.type": "OpenAIChatGenerator",
            "haystack.component.input": json.dumps({"messages": asked}),
            "haystack.component.output": json.dumps({"replies": [{"role": "assistant", "meta": meta, "content": []}]}),
        },
        name="haystack.component.run",
    )
    assert (reading.model, reading.finish_reasons) == ("gpt-4o-mini", ("stop",))
    assert reading.usage == Usage(120, 30, cache_read_tokens=5)
    kinds = [[part["type"] for part in message.parts] for message in reading.input.messages]
    assert kinds == [["text"], ["reasoning", "tool_call"], ["tool_result"]]
    assert reading.input.messages[1].parts[1] == {"type": "tool_call", "id": "c1", "name": "get", "arguments": {"a": 1}}
    assert reading.input.messages[2].parts[0] == {"type": "tool_result", "id": "c1", "result": "31"}


def test_mlflows_spans_are_read() -> None:
    reading = read({
        "mlflow.spanType": '"CHAT_MODEL"', "mlflow.spanInputs": '{"messages": [{"role": "user", "content": "hi"}]}',
        "mlflow.spanOutputs": '{"choices": [{"message": {"role": "assistant", "content": "hello"}}]}',
        "mlflow.chat.tokenUsage": '{"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}',
        "mlflow.llm.model": '"m"',
    })  # fmt: skip
    assert (reading.kind, reading.model, reading.usage) == ("llm", "m", Usage(3, 2))
    assert reading.input == Content(messages=(said("user", text("hi")),))
    assert reading.output == Content(messages=(said("assistant", text("hello")),))


def test_googles_agents_keep_request_and_answer_whole() -> None:
    reading = read({
        "gen_ai.operation.name": "generate_content", "gen_ai.request.model": "gemini-2.5-flash",
        "gcp.vertex.agent.llm_request": json.dumps({
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}], "config": {"system_instruction": "be brief"}}),
        "gcp.vertex.agent.llm_response": json.dumps({
            "content": {"role": "model", "parts": [{"text": "hello"}]},
            "usage_metadata": {"prompt_token_count": 3, "candidates_token_count": 2, "total_token_count": 5}}),
        "gcp.vertex.agent.session_id": "s",
    })  # fmt: skip
    assert (reading.usage, reading.session_id) == (Usage(3, 2), "s")
    assert reading.system == (said("system", text("be brief")),)
    assert reading.input == Content(messages=(said("user", text("hi")),))
    assert reading.output == Content(messages=(said("assistant", text("hello")),))


def test_a_call_of_mcp_is_a_tool_only_where_it_says_which() -> None:
    assert read({"mcp.method.name": "tools/call", "gen_ai.tool.name": "f"}).kind == "tool"
    assert read({"mcp.method.name": "tools/call"}).kind is None
    assert read({"mcp.method.name": "initialize"}).kind == "span"
