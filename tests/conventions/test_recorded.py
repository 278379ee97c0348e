"""Bodies recorded from real clients read as a person who looked at the bytes would read them."""

from __future__ import annotations

import collections
import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector import conventions
from collector.conventions.gather import is_known
from collector.model import READING_FIELDS, Content, Message, Reading, SpanPart
from collector.protocols import otlp

PAYLOADS = Path(__file__).parents[1] / "payloads"
EXPECTATIONS = json.loads((PAYLOADS / "expectations.json").read_text())
CASES = [
    pytest.param(folder, wanted, id=f"{folder}-{wanted['name']}-{wanted['span_id'][:6]}")
    for folder, expect in EXPECTATIONS.items()
    for wanted in expect["spans"]
]


def bodies(folder: str) -> Iterator[tuple[str, bytes, str]]:
    """(path or gRPC method, body, content type) of each request."""
    for request in json.loads((PAYLOADS / folder / "requests.json").read_text()):
        body = (PAYLOADS / folder / request["file"]).read_bytes()
        headers = request.get("headers") or {}
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        yield request["path"], body, headers.get("content-type", otlp.PROTOBUF)


def spans_of(folder: str) -> dict[str, tuple[SpanPart, Reading]]:
    """Each span with what it means, its log records included."""
    spans: dict[str, SpanPart] = {}
    logs: dict[str, list[Any]] = collections.defaultdict(list)
    for path, body, content_type in bodies(folder):
        if "log" in path.lower():
            for part in otlp.decode_logs(body, content_type).parts:
                logs[part.span_id] += part.logs
        else:
            batch = otlp.decode_traces(body, content_type.replace("application/grpc", otlp.PROTOBUF))
            assert batch.refused == ()
            spans |= {part.span_id: part for part in batch.parts}
    return {id_: (part, with_logs(conventions.read(part), logs[id_])) for id_, part in spans.items()}


def with_logs(reading: Reading, logs: list[Any]) -> Reading:
    said = conventions.read_logs(logs)
    empty = (None, (), "")
    more = {f: getattr(said, f) for f in READING_FIELDS if getattr(reading, f) in empty}
    return replace(reading, **more)


_read: dict[str, dict[str, tuple[SpanPart, Reading]]] = {}


def found(folder: str) -> dict[str, tuple[SpanPart, Reading]]:
    if folder not in _read:
        _read[folder] = spans_of(folder)
    return _read[folder]


def text_of(messages: tuple[Message, ...]) -> str:
    return "".join(p["text"] for m in messages for p in m.parts if p["type"] == "text")


def side_text(side: Content | None) -> str:
    if side is None:
        return ""
    if side.messages:
        return text_of(side.messages)
    return side.value if isinstance(side.value, str) else json.dumps(side.value, ensure_ascii=False)


def last_user_text(side: Content | None) -> str:
    for message in reversed(side.messages if side else ()):
        if message.role == "user" and (text := text_of((message,))):
            return text
    return ""


def loaded(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


@pytest.mark.parametrize("folder", EXPECTATIONS)
def test_every_span_arrives_once(folder: str) -> None:
    expect = EXPECTATIONS[folder]
    spans = found(folder)
    assert len(spans) == expect["span_count"]
    assert len({part.trace_id for part, _ in spans.values()}) == expect["trace_count"]
    assert sum(part.status == "error" for part, _ in spans.values()) == expect["error_span_count"]


@pytest.mark.parametrize("folder", EXPECTATIONS)
def test_every_key_but_the_applications_own_is_known(folder: str) -> None:
    keys = {key for part, _ in found(folder).values() for key in part.attributes}
    assert {key for key in keys if not is_known(key)} <= {"x"}


@pytest.mark.parametrize("folder", EXPECTATIONS)
def test_calls_counted_once_give_the_known_totals(folder: str) -> None:
    """Leaf-most spans with usage, one per response id and model: the one that began first."""
    spans = found(folder)
    inner = {part.parent_id for part, reading in spans.values() if reading.usage}
    totals: collections.Counter[str] = collections.Counter()
    calls = set()
    for id_, (_, reading) in sorted(spans.items(), key=lambda item: item[1][0].start_ns or 0):
        if not reading.usage or id_ in inner or (reading.response_id, reading.model) in calls:
            continue
        if reading.response_id:
            calls.add((reading.response_id, reading.model))
        for ours, theirs in (
            ("input_tokens", "input_tokens"), ("output_tokens", "output_tokens"),
            ("cache_read_tokens", "cached_input_tokens"), ("reasoning_tokens", "reasoning_tokens"),
        ):  # fmt: skip
            totals[theirs] += getattr(reading.usage, ours) or 0
    wanted = EXPECTATIONS[folder]["totals_deduplicated"]
    assert {key: totals[key] for key in wanted} == wanted


@pytest.mark.parametrize(("folder", "wanted"), CASES)
def test_a_span_reads_as_expected(folder: str, wanted: dict[str, Any]) -> None:
    part, reading = found(folder)[wanted["span_id"]]
    assert list(differences(wanted, part, reading)) == []


def differences(wanted: dict[str, Any], part: SpanPart, reading: Reading) -> Iterator[str]:
    usage, tool = reading.usage, reading.tool
    have: dict[str, Any] = {
        "name": part.name,
        "parent_span_id": part.parent_id,
        "scope": part.scope.name if part.scope else None,
        "kind": reading.kind or "span",
        "status": part.status or "ok",
        "model": reading.model,
        "request_model": reading.request_model,
        "provider": reading.provider,
        "response_id": reading.response_id,
        "agent_name": reading.agent_name,
        "session_id": reading.session_id,
        "user_id": reading.user_id,
        "error_type": reading.error_type,
        "input_tokens": usage and usage.input_tokens,
        "output_tokens": usage and usage.output_tokens,
        "cached_input_tokens": usage and usage.cache_read_tokens,
        "cache_write_tokens": usage and usage.cache_write_tokens,
        "reasoning_tokens": usage and usage.reasoning_tokens,
        "output_text": side_text(reading.output),
        "last_user_text": last_user_text(reading.input),
    }
    for key, value in have.items():
        want = wanted.get(key)
        if want and not str(want).endswith("…") and want != value:
            yield f"{key}: want {want!r}, got {value!r}"
    if wanted.get("tags") and not set(wanted["tags"]) <= set(reading.tags):
        yield f"tags: want {wanted['tags']}, got {reading.tags}"
    if wanted.get("finish_reason_raw") and reading.finish_reasons != (wanted["finish_reason_raw"],):
        yield f"finish reason: want {wanted['finish_reason_raw']}, got {reading.finish_reasons}"
    want_tool = wanted.get("tool") or {}
    for key, mine in (("name", tool and tool.name), ("call_id", tool and tool.call_id)):
        if want_tool.get(key) and want_tool[key] != mine:
            yield f"tool {key}: want {want_tool[key]!r}, got {mine!r}"
    if want_tool.get("arguments_raw") and loaded(want_tool["arguments_raw"]) != loaded(tool and tool.arguments):
        yield f"tool arguments: want {want_tool['arguments_raw']!r}, got {tool!r}"
    if wanted.get("output_tool_calls"):
        calls = [
            (p["id"], p["name"], loaded(p["arguments"]))
            for m in (reading.output.messages if reading.output else ())
            for p in m.parts
            if p["type"] == "tool_call"
        ]
        want_calls = [(c["id"], c["name"], loaded(c["arguments"])) for c in wanted["output_tool_calls"]]
        if want_calls != calls:
            yield f"tool calls: want {want_calls}, got {calls}"
    if wanted.get("output_reasoning"):
        thoughts = "".join(
            p["text"]
            for m in (reading.output.messages if reading.output else ())
            for p in m.parts
            if p["type"] == "reasoning"
        )
        if thoughts != wanted["output_reasoning"]:
            yield f"reasoning: want {wanted['output_reasoning']!r}, got {thoughts!r}"
    message = part.status_message or reading.status_message or ""
    if wanted.get("error_message") and wanted["error_message"][:60] not in message:
        yield f"error message: want {wanted['error_message']!r}, got {message!r}"
    if wanted.get("ttft_ms") and abs((reading.ttft_ns or 0) / 1e6 - wanted["ttft_ms"]) > 0.1:
        yield f"first token: want {wanted['ttft_ms']}, got {reading.ttft_ns}"
    if wanted.get("prompt") and wanted["prompt"].get("name") != reading.prompt_name:
        yield f"prompt: want {wanted['prompt']}, got {reading.prompt_name}"
    messages = (*reading.system, *(reading.input.messages if reading.input else ()))
    if wanted.get("input_message_count") and wanted["input_message_count"] > len(messages):
        yield f"messages: want {wanted['input_message_count']}, got {len(messages)}"
