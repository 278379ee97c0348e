# ruff: noqa: E501  # a line of wire is as long as it is
"""Requests to other makers' APIs, and what they answer: the table of test_providers.py.

Requests are those of ollama 0.6, google-genai 3.4, cohere 7.3, boto3 1.44, openai 3.52 and curl; answers are written
after the providers' references, named in the modules of collector/protocols/llm.
"""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import orjson

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
JSON, EVENTS, LINES = b"application/json", b"text/event-stream", b"application/x-ndjson"
AWS = b"application/vnd.amazon.eventstream"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def events(*said: Any, named: bool = False) -> list[bytes]:
    return [
        (b"event: %s\n" % one["type"].encode() if named else b"") + b"data: " + orjson.dumps(one) + b"\n\n"
        for one in said
    ]


def lines(*said: Any) -> list[bytes]:
    return [orjson.dumps(one) + b"\n" for one in said]


def aws(name: str, payload: Any, kind: str = "event") -> bytes:
    """An event as AWS frames it, checksums and all."""
    said = {":message-type": kind, ":event-type" if kind == "event" else ":exception-type": name}
    head = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + struct.pack(">H", len(text)) + text.encode()
        for key, text in said.items()
    )
    body = orjson.dumps(payload)
    out = struct.pack(">II", 16 + len(head) + len(body), len(head))
    out += struct.pack(">I", zlib.crc32(out)) + head + body
    return out + struct.pack(">I", zlib.crc32(out))


def gemini(parts: list[Any], **more: Any) -> dict[str, Any]:
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 3, "cachedContentTokenCount": 4}
    candidate = {"content": {"parts": parts, "role": "model"}, "index": 0, **more}
    return {"candidates": [candidate], "modelVersion": "gemini-2.5-flash", "responseId": "r1", "usageMetadata": usage}


def ollama(said: Any, done: bool = False) -> dict[str, Any]:
    counts = {"prompt_eval_count": 11, "eval_count": 7, "done_reason": "stop", "eval_duration": 3000} if done else {}
    return {"model": "qwen3", "created_at": "2026-11-21T00:00:00Z", **said, "done": done, **counts}


def anthropic_pieces() -> list[Any]:
    message = {"id": "m1", "role": "assistant", "content": [], "model": "claude-3-haiku", "usage": {"input_tokens": 3}}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi there"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
        {"type": "message_stop"},
    ]


@dataclass
class Case:
    """A request, the answer, and what is read of both. `said` are the parts of the answer, in short."""

    name: str
    path: str
    body: Any
    kind: bytes
    pieces: list[bytes]
    said: Any
    usage: dict[str, int] = field(default_factory=dict)
    model: str | None = None
    provider: str = "gateway"
    reason: str | None = None
    span: str = "llm"
    first: bool = False
    more: dict[str, Any] = field(default_factory=dict)
    sent_as: str = "application/json"


HELLO = [{"role": "user", "content": "Hello"}]
CONTENTS = [{"role": "user", "parts": [{"text": "Hello"}]}]
CONVERSED = [{"role": "user", "content": [{"text": "Hello"}]}]
THOUGHT = {"type": "reasoning", "text": "hm"}
HI = {"type": "text", "text": "Hi there"}
CALL = {"type": "tool_call", "id": "t1", "name": "w", "arguments": {"a": 1}}
PAIRED_BY_US = {**CALL, "id": "tracetui:4653528157cc1c74", "derived_id": True}
"""Of a call that was sent without an id; it is the same in every file."""
WHOLE_GEMINI = gemini([{"text": "hm", "thought": True}, {"text": "Hi there"}], finishReason="STOP")
GEMINI_PIECES = [
    gemini([{"text": "hm", "thought": True}]),
    gemini([{"text": "Hi"}]),
    gemini([{"text": " there"}], finishReason="STOP"),
]
OF_GEMINI: dict[str, Any] = {
    "usage": {"input_tokens": 10, "output_tokens": 8, "cache_read_tokens": 4, "reasoning_tokens": 3},
    "model": "gemini-2.5-flash", "provider": "gcp.gemini", "reason": "STOP", "said": [THOUGHT, HI],
}  # fmt: skip
ARRAY = b"[" + b"\n,\r\n".join(map(orjson.dumps, GEMINI_PIECES)) + b"\n]\n"
OF_OLLAMA: dict[str, Any] = {
    "usage": {"input_tokens": 11, "output_tokens": 7}, "model": "qwen3", "provider": "ollama", "reason": "stop",
    "more": {"ollama.eval_duration": 3000},
}  # fmt: skip
COHERE_USAGE = {
    "billed_units": {"input_tokens": 3, "output_tokens": 2},
    "tokens": {"input_tokens": 70, "output_tokens": 2},
}
OF_COHERE: dict[str, Any] = {
    "usage": {"input_tokens": 70, "output_tokens": 2}, "model": "command-a", "provider": "cohere", "reason": "COMPLETE",
}  # fmt: skip
OF_BEDROCK: dict[str, Any] = {
    "usage": {"input_tokens": 20, "output_tokens": 5, "cache_read_tokens": 10},
    "model": "anthropic.claude-v1:0", "provider": "aws.bedrock", "reason": "tool_use",
}  # fmt: skip
BEDROCK_USAGE = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 25, "cacheReadInputTokens": 10}
FORM = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'


def form(kind: str = "audio/wav", **fields: bytes) -> bytes:
    more = b'; filename="a"\r\nContent-Type: ' + kind.encode()
    parts = [FORM % (name.encode(), more if name in ("file", "image") else b"", data) for name, data in fields.items()]
    return b"".join(parts) + b"--x--\r\n"


CASES = [
    Case("ollama", "/api/chat", {"model": "qwen3", "messages": HELLO, "stream": False}, JSON,
         [orjson.dumps(ollama({"message": {"role": "assistant", "content": "Hi there", "thinking": "hm"}}, True))],
         [THOUGHT, HI], **OF_OLLAMA),
    Case("ollama streamed", "/api/chat", {"model": "qwen3", "messages": HELLO, "tools": []}, LINES,
         lines(ollama({"message": {"role": "assistant", "content": "", "thinking": "hm"}}),
               ollama({"message": {"role": "assistant", "content": "Hi"}}),
               ollama({"message": {"content": " there", "tool_calls": [{"function": {"name": "w", "arguments": {"a": 1}}}]}}),
               ollama({"message": {"role": "assistant", "content": ""}}, True)),
         [THOUGHT, HI, PAIRED_BY_US], first=True, **OF_OLLAMA),
    Case("ollama generate", "/api/generate", {"model": "qwen3", "prompt": "Hello"}, LINES,
         lines(ollama({"response": "Hi"}), ollama({"response": " there"}), ollama({"response": ""}, True)),
         [HI], first=True, **OF_OLLAMA),
    Case("ollama embed", "/api/embed", {"model": "e", "input": ["a", "b"]}, JSON,
         [orjson.dumps({"model": "e", "embeddings": [[0.1, 0.2], [0.3, 0.4]], "prompt_eval_count": 4})],
         {"embeddings": 2, "dimensions": 2}, {"input_tokens": 4}, "e", "ollama", span="embedding"),
    Case("llama.cpp", "/completion", {"prompt": "Hello", "stream": True}, EVENTS,
         events({"content": "Hi", "stop": False}, {"content": " there", "stop": False},
                {"content": "", "stop": True, "model": "m.gguf", "tokens_predicted": 2, "tokens_evaluated": 9,
                 "stop_type": "eos", "timings": {"prompt_ms": 1.5, "cache_n": 4}}),
         [HI], {"input_tokens": 9, "output_tokens": 2, "cache_read_tokens": 4}, "m.gguf", "llama.cpp", "eos", first=True,
         more={"llamacpp.timings.prompt_ms": 1.5}),
    Case("gemini", "/v1beta/models/gemini-2.5-flash:generateContent",
         {"contents": CONTENTS, "systemInstruction": {"parts": [{"text": "Be brief."}]}, "generationConfig": {"temperature": 0}},
         JSON, [orjson.dumps(WHOLE_GEMINI)], **OF_GEMINI),
    Case("gemini streamed", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", {"contents": CONTENTS},
         EVENTS, [one.replace(b"\n", b"\r\n") for one in events(*GEMINI_PIECES)], first=True, **OF_GEMINI),
    Case("gemini as an array", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", {"contents": CONTENTS},
         b"application/json; charset=UTF-8", [ARRAY[at : at + 50] for at in range(0, len(ARRAY), 50)], first=True, **OF_GEMINI),
    Case("gemini blocked", "/v1beta/models/gemini-2.5-flash:generateContent", {"contents": CONTENTS}, JSON,
         [orjson.dumps({"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "gemini-2.5-flash"})], None,
         {}, "gemini-2.5-flash", "gcp.gemini", "SAFETY"),
    Case("gemini's vectors", "/v1beta/models/gemini-embedding-001:batchEmbedContents",
         {"requests": [{"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "a"}]}}]}, JSON,
         [orjson.dumps({"embeddings": [{"values": [0.1, 0.2, 0.3]}]})], {"embeddings": 1, "dimensions": 3},
         {}, "gemini-embedding-001", "gcp.gemini", span="embedding"),
    Case("cohere", "/v2/chat", {"model": "command-a", "messages": HELLO, "stream": False}, JSON,
         [orjson.dumps({"id": "c1", "finish_reason": "COMPLETE", "usage": COHERE_USAGE,
                        "message": {"role": "assistant", "content": [{"type": "text", "text": "Hi there"}]}})],
         [HI], **OF_COHERE),
    Case("cohere streamed", "/v2/chat", {"model": "command-a", "messages": HELLO, "stream": True}, EVENTS,
         events({"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant"}}},
                {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
                {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hi"}}}},
                {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": " there"}}}},
                {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": {
                    "id": "t1", "type": "function", "function": {"name": "w", "arguments": ""}}}}},
                {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": '{"a":1}'}}}}},
                {"type": "message-end", "id": "c1", "delta": {"finish_reason": "COMPLETE", "usage": COHERE_USAGE}}, named=True),
         [HI, CALL], first=True, **OF_COHERE),
    Case("cohere's ranks", "/v2/rerank", {"model": "rerank-v3.5", "query": "q", "documents": ["a", {"text": "b"}]}, JSON,
         [orjson.dumps({"id": "r1", "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]})],
         {"results": 2}, {}, "rerank-v3.5", "cohere", span="reranker"),
    Case("bedrock", "/model/anthropic.claude-v1%3A0/converse", {"messages": CONVERSED, "inferenceConfig": {"maxTokens": 9}},
         JSON, [orjson.dumps({"output": {"message": {"role": "assistant", "content": [
             {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}, {"text": "Hi there"},
             {"toolUse": {"toolUseId": "t1", "name": "w", "input": {"a": 1}}}]}},
             "stopReason": "tool_use", "usage": BEDROCK_USAGE, "metrics": {"latencyMs": 12}})],
         [THOUGHT, HI, CALL], more={"bedrock.latency_ms": 12}, **OF_BEDROCK),
    Case("bedrock streamed", "/model/anthropic.claude-v1%3A0/converse-stream", {"messages": CONVERSED}, AWS,
         [aws("messageStart", {"role": "assistant"}),
          aws("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}),
          aws("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "Hi"}}),
          aws("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": " there"}}),
          aws("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "w"}}}),
          aws("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"a":1}'}}}),
          aws("messageStop", {"stopReason": "tool_use"}), aws("metadata", {"usage": BEDROCK_USAGE})],
         [THOUGHT, HI, CALL], first=True, **OF_BEDROCK),
    Case("claude on bedrock", "/model/anthropic.claude-3-haiku-v1%3A0/invoke-with-response-stream",
         {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": HELLO}, AWS,
         [aws("chunk", {"bytes": b64(orjson.dumps(one))}) for one in anthropic_pieces()],
         [HI], {"input_tokens": 3, "output_tokens": 4}, "claude-3-haiku", "aws.bedrock", "end_turn", first=True),
    Case("claude on vertex", "/v1/projects/p/locations/l/publishers/anthropic/models/claude-3-haiku@1:streamRawPredict",
         {"anthropic_version": "vertex-2023-10-16", "max_tokens": 9, "messages": HELLO}, EVENTS,
         events(*anthropic_pieces(), named=True), [HI], {"input_tokens": 3, "output_tokens": 4}, "claude-3-haiku",
         "gcp.vertex_ai", "end_turn", first=True),
    Case("images", "/v1/images/generations", {"model": "gpt-image-1", "prompt": "A cat"}, JSON,
         [orjson.dumps({"created": 1, "data": [{"b64_json": b64(PNG)}], "usage": {"input_tokens": 8, "output_tokens": 200}})],
         [{"type": "image", "mime_type": "image/png", "data": b64(PNG), "size": len(PNG)}],
         {"input_tokens": 8, "output_tokens": 200}, "gpt-image-1"),
    Case("an image edited", "/v1/images/edits", form("image/png", model=b"gpt-image-1", prompt=b"Hello", image=PNG), JSON,
         [orjson.dumps({"created": 1, "data": [{"url": "https://x.test/y.png"}]})],
         [{"type": "image", "url": "https://x.test/y.png"}], {}, "gpt-image-1", sent_as="multipart/form-data; boundary=x"),
    Case("a transcript", "/v1/audio/transcriptions", form(model=b"whisper-1", file=b"RIFF" + PNG), JSON,
         [b'{"text": "Hi there", "usage": {"type": "duration", "seconds": 3}}'], [HI], {}, "whisper-1",
         sent_as="multipart/form-data; boundary=x", more={"openai.audio.seconds": 3}),
    Case("subtitles", "/v1/audio/transcriptions", form(model=b"whisper-1", response_format=b"srt", file=PNG),
         b"text/plain; charset=utf-8", [b"Hi there"], [HI], {}, "whisper-1", sent_as="multipart/form-data; boundary=x"),
    Case("a transcript streamed", "/v1/audio/transcriptions", form(model=b"gpt-4o-transcribe", stream=b"true", file=PNG),
         EVENTS, events({"type": "transcript.text.delta", "delta": "Hi"},
                        {"type": "transcript.text.done", "text": "Hi there", "usage": {
                            "type": "tokens", "input_tokens": 14, "input_token_details": {"audio_tokens": 12}, "output_tokens": 3}}),
         [HI], {"input_tokens": 14, "output_tokens": 3, "audio_input_tokens": 12}, "gpt-4o-transcribe", first=True,
         sent_as="multipart/form-data; boundary=x"),
    Case("speech", "/v1/audio/speech", {"model": "tts-1", "voice": "alloy", "input": "Hello"}, b"audio/mpeg",
         [PNG[:1000], PNG[1000:]], [{"type": "audio", "mime_type": "audio/mpeg", "data": b64(PNG), "size": len(PNG)}],
         {}, "tts-1"),
    Case("a verdict", "/v1/moderations", {"model": "omni", "input": "Hello"}, JSON,
         [b'{"id": "modr-1", "model": "omni", "results": [{"flagged": true}]}'],
         {"flagged": True, "results": [{"flagged": True}]}, {}, "omni", span="guardrail"),
    Case("openrouter", "/v1/chat/completions", {"model": "x/y", "messages": HELLO, "stream": True}, EVENTS,
         [b": OPENROUTER PROCESSING\n\n", *events(
             {"id": "g", "model": "x/y", "choices": [{"index": 0, "delta": {"reasoning": "hm"}}]},
             {"id": "g", "model": "x/y", "choices": [{"index": 0, "delta": {"content": "Hi there"}}]},
             {"id": "g", "model": "x/y", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
             {"id": "g", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "cost": 0.001, "is_byok": True,
                                                  "cost_details": {"upstream_inference_cost": 0.01}}}), b"data: [DONE]\n\n"],
         [THOUGHT, HI], {"input_tokens": 5, "output_tokens": 2}, "x/y", reason="stop", first=True),
    Case("calls all numbered 0", "/v1/chat/completions", {"model": "gemini", "messages": HELLO, "stream": True}, EVENTS,
         events({"id": "g", "model": "gemini", "choices": [{"index": 0, "delta": {"tool_calls": [
                    {"index": 0, "id": "t1", "type": "function", "function": {"name": "w", "arguments": '{"a":1}'}}]}}]},
                {"id": "g", "choices": [{"index": 0, "finish_reason": "tool_calls", "delta": {"tool_calls": [
                    {"index": 0, "id": "t2", "type": "function", "function": {"name": "v", "arguments": "{}"}}]}}]}),
         [CALL, {"type": "tool_call", "id": "t2", "name": "v", "arguments": {}}], {}, "gemini", reason="tool_calls", first=True),
    Case("mistral's thoughts", "/v1/chat/completions", {"model": "magistral", "messages": HELLO, "stream": True}, EVENTS,
         events(*({"id": "g", "model": "magistral", "choices": [{"index": 0, "delta": {"content": [
                     {"type": "thinking", "thinking": [{"type": "text", "text": piece}]}]}}]} for piece in "hm"),
                {"id": "g", "choices": [{"index": 0, "delta": {"content": "Hi there"}, "finish_reason": "stop"}]}),
         [THOUGHT, HI], {}, "magistral", reason="stop", first=True),
    Case("deepseek", "/v1/chat/completions", {"model": "deepseek-chat", "messages": HELLO}, JSON,
         [orjson.dumps({"id": "c", "model": "deepseek-chat", "choices": [{"index": 0, "finish_reason": "stop", "message": {
             "role": "assistant", "content": "Hi there", "reasoning_content": "hm"}}],
             "usage": {"prompt_tokens": 10, "completion_tokens": 2, "prompt_cache_hit_tokens": 6}})],
         [THOUGHT, HI], {"input_tokens": 10, "output_tokens": 2, "cache_read_tokens": 6}, "deepseek-chat", reason="stop"),
]  # fmt: skip
