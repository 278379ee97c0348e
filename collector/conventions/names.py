"""The names of OpenTelemetry and OpenInference, as tables. One look-up a key; `registry` adds the others.

`TABLE` gives for a key the slot that it fills, its rank there (the lower wins where several keys of one span
fill one slot: newer names first, OpenInference after OpenTelemetry), and the convention it belongs to.

Sources: https://opentelemetry.io/docs/specs/semconv/gen-ai/ and its history since 1.27,
https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md , and what clients were seen to send.
"""

from __future__ import annotations

GENAI, OPENINFERENCE = 1, 2

_SLOTS: dict[str, str] = {
    # what was called
    "operation": "gen_ai.operation.name llm.request.type",
    "oi_kind": "openinference.span.kind",
    "provider": "gen_ai.provider.name gen_ai.system llm.provider llm.system",
    "request_model": "gen_ai.request.model llm.request.model_name llm.request.model",
    "model": "gen_ai.response.model llm.response.model_name llm.model_name embedding.model_name reranker.model_name"
    " llm.response.model",
    "response_id": "gen_ai.response.id llm.response.id gen_ai.response_id",
    "parameters": "llm.invocation_parameters embedding.invocation_parameters",
    "finish_reasons": "gen_ai.response.finish_reasons llm.finish_reason gen_ai.response.finish_reason"
    " llm.response.finish_reason llm.response.stop_reason anthropic.message.stop_reason",
    "agent_name": "gen_ai.agent.name agent.name",
    "raw_usage": "gen_ai.usage.raw",
    "prompt_name": "gen_ai.prompt.name prompt.name prompt.id",
    "prompt_version": "gen_ai.prompt.version prompt.version llm.prompt_template.version",
    "template": "llm.prompt_template.template",
    "template_variables": "llm.prompt_template.variables",
    "dimensions": "gen_ai.embeddings.dimension.count",
    "replay_of": "tracetui.replay_of",
    # content
    "system": "gen_ai.system_instructions gen_ai.request.system_instructions",
    "in_messages": "gen_ai.input.messages",
    "in_blob": "gen_ai.prompt",
    "out_messages": "gen_ai.output.messages",
    "out_blob": "gen_ai.completion",
    "in_value": "input.value",
    "in_mime": "input.mime_type",
    "out_value": "output.value",
    "out_mime": "output.mime_type",
    "query": "gen_ai.retrieval.query.text gen_ai.retrieval.query reranker.query",
    "documents": "gen_ai.retrieval.documents retrieval.documents",
    "definitions": "gen_ai.tool.definitions gen_ai.request.tools gen_ai.request.available_tools llm.request.functions",
    "tool_name": "gen_ai.tool.name tool.name tool_call.function.name",
    "tool_id": "gen_ai.tool.call.id tool_call.id tool.id",
    "tool_arguments": "gen_ai.tool.call.arguments gen_ai.tool.arguments tool_call.function.arguments",
    "tool_result": "gen_ai.tool.call.result gen_ai.tool.result gen_ai.tool.message",
    # tokens and money
    "input_tokens": "gen_ai.usage.input_tokens gen_ai.usage.prompt_tokens llm.token_count.prompt"
    " llm.usage.prompt_tokens",
    "output_tokens": "gen_ai.usage.output_tokens gen_ai.usage.completion_tokens llm.token_count.completion"
    " llm.usage.completion_tokens",
    "total_tokens": "gen_ai.usage.total_tokens llm.token_count.total llm.usage.total_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens gen_ai.usage.cache_read_input_tokens"
    " gen_ai.usage.cached_input_tokens gen_ai.usage.input_tokens.cached gen_ai.usage.input_tokens_cached"
    " gen_ai.usage.cache_read_tokens gen_ai.usage.cached_tokens gen_ai.usage.prompt_tokens_details.cached_tokens"
    " gen_ai.usage.details.cache_read_tokens gen_ai.usage.details.cache_read_input_tokens"
    " gen_ai.usage.details.cached_tokens llm.token_count.prompt_details.cache_read"
    " llm.token_count.prompt_details.cache_input llm.usage.cache_read_input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens gen_ai.usage.cache_write.input_tokens"
    " gen_ai.usage.cache_creation_input_tokens gen_ai.usage.cache_write_input_tokens gen_ai.usage.cache_write_tokens"
    " gen_ai.usage.input_tokens.cache_write gen_ai.usage.details.cache_write_tokens"
    " gen_ai.usage.details.cache_creation_input_tokens llm.token_count.prompt_details.cache_write"
    " llm.usage.cache_creation_input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens gen_ai.usage.reasoning_output_tokens"
    " gen_ai.usage.reasoning_tokens gen_ai.usage.output_tokens.reasoning gen_ai.usage.output_tokens_reasoning"
    " gen_ai.usage.completion_tokens_details.reasoning_tokens gen_ai.usage.details.reasoning_tokens"
    " gen_ai.usage.thoughts_tokens gen_ai.usage.details.thoughts_tokens"
    " llm.token_count.completion_details.reasoning llm.usage.reasoning_tokens",
    "audio_input_tokens": "gen_ai.usage.audio.input_tokens gen_ai.usage.input_tokens.audio"
    " gen_ai.usage.details.input_audio_tokens llm.token_count.prompt_details.audio",
    "audio_output_tokens": "gen_ai.usage.audio.output_tokens gen_ai.usage.output_tokens.audio"
    " gen_ai.usage.details.output_audio_tokens llm.token_count.completion_details.audio",
    "cost": "llm.cost.total gen_ai.usage.cost gen_ai.usage.total_cost gen_ai.cost.total operation.cost llm.usage.cost",
    "cost_in": "llm.cost.prompt",
    "cost_out": "llm.cost.completion",
    # time
    "ttft_s": "gen_ai.response.time_to_first_chunk gen_ai.client.operation.time_to_first_chunk"
    " gen_ai.response.time_to_first_token gen_ai.streaming.time_to_first_token"
    " gen_ai.latency.time_to_first_token gen_ai.server.time_to_first_token",
    # whose it was
    "session_id": "session.id gen_ai.conversation.id conversation.id thread.id session_id thread_id conversation_id",
    "user_id": "user.id enduser.id gen_ai.user.id user_id",
    "tags": "tag.tags tags",
    "metadata": "metadata",
    "environment": "deployment.environment.name deployment.environment",
    "release": "service.version",
    "project": "openinference.project.name",
    # what went wrong, and what else it may have been
    "error_type": "error.type",
    "status_message": "error.message",
    "http": "http.request.method http.method",
    "db": "db.system.name db.system",
    "level": "tracetui.level",
}


def _convention(key: str) -> int:
    if key.startswith("gen_ai."):
        return GENAI
    openinference = "llm. openinference. input. output. embedding. reranker. retrieval. tool. tool_call."
    return OPENINFERENCE if key.startswith(tuple(openinference.split())) and key not in _NOT_OURS else 0


_NOT_OURS = frozenset({
    "llm.request.type", "llm.usage.total_tokens", "llm.usage.prompt_tokens", "llm.usage.completion_tokens",
    "openinference.project.name",
})  # fmt: skip

TABLE: dict[str, tuple[str, int, int]] = {
    key: (slot, rank, _convention(key)) for slot, keys in _SLOTS.items() for rank, key in enumerate(keys.split())
}

TEXTS = frozenset(
    "operation provider request_model model response_id agent_name prompt_name prompt_version session_id user_id"
    " environment release project error_type status_message level replay_of trace_name".split()
)
"""Slots that are a text field of Reading by the same name."""

TOKENS = frozenset(
    "input_tokens output_tokens cache_read_tokens cache_write_tokens reasoning_tokens audio_input_tokens"
    " audio_output_tokens total_tokens".split()
)

FAMILIES: dict[str, tuple[str, int]] = {
    "gen_ai.prompt": ("prompts", GENAI),
    "gen_ai.completion": ("completions", GENAI),
    "llm.prompts": ("prompts", OPENINFERENCE),
    "llm.completions": ("completions", OPENINFERENCE),
    "llm.input_messages": ("in", OPENINFERENCE),
    "llm.output_messages": ("out", OPENINFERENCE),
    "llm.tools": ("tools", OPENINFERENCE),
    "embedding.vector": ("litellm.vectors", OPENINFERENCE),
    "llm.request": ("functions", GENAI),
    "retrieval.documents": ("documents", OPENINFERENCE),
    "reranker.output_documents": ("documents", OPENINFERENCE),
    "reranker.input_documents": ("candidates", OPENINFERENCE),
    "embedding.embeddings": ("embeddings", OPENINFERENCE),
}
"""Lists spelt as one attribute a leaf, by the first two words of the key."""

REQUEST = "gen_ai.request"
"""Parameters of the call: whatever follows, but the names in TABLE."""

OPERATIONS: dict[str, str] = {
    "chat": "llm", "text_completion": "llm", "completion": "llm", "generate_content": "llm", "responses": "llm",
    "message": "llm", "generate": "llm", "image_generation": "llm", "speech": "llm", "transcription": "llm",
    "embeddings": "embedding", "embedding": "embedding", "embed": "embedding",
    "execute_tool": "tool", "tool": "tool", "mcp.tool_call": "tool",
    "invoke_agent": "agent", "create_agent": "agent", "agent": "agent", "handoff": "agent",
    "guardrail_check": "guardrail",
    "invoke_workflow": "chain", "workflow": "chain", "plan": "chain", "agent_step": "chain", "chain": "chain",
    "execute_task": "chain", "task": "chain", "execute_event_loop_cycle": "chain",
    "retrieval": "retriever", "retrieve": "retriever", "search": "retriever", "retriever": "retriever",
    "vector_db_retrieve": "retriever",
    "response": "llm", "llm": "llm", "text_generation": "llm",
    "rerank": "reranker", "guardrail": "guardrail", "guardrails": "guardrail",
    "evaluate": "evaluator", "evaluation": "evaluator",
}  # fmt: skip
"""gen_ai.operation.name to our kinds."""

OPENINFERENCE_KINDS: dict[str, str] = {
    "LLM": "llm", "CHAIN": "chain", "TOOL": "tool", "AGENT": "agent", "RETRIEVER": "retriever",
    "EMBEDDING": "embedding", "RERANKER": "reranker", "GUARDRAIL": "guardrail", "EVALUATOR": "evaluator",
    "PROMPT": "prompt",
}  # fmt: skip
