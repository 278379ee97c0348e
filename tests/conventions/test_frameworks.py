"""What frameworks and gateways were seen to send is read as it was written down, span by span."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from collector import conventions
from collector.conventions.gather import is_known
from collector.model import Content, Message, Reading, SpanPart
from collector.protocols import otlp

RECORDED = Path(__file__).parent / "recorded"
READINGS: dict[str, list[dict[str, Any]]] = json.loads((RECORDED / "readings.json").read_text())
APPLICATIONS_OWN = {"a", "async", "color", "duration", "options", "service", "user", "x"}
"""Keys that the recorded programs set by themselves (Logfire's are the application's; MLflow writes a LangChain run's
arguments as they are called, LiteLLM's proxy the parts of itself)."""


def parts(name: str) -> tuple[SpanPart, ...]:
    body = gzip.decompress((RECORDED / f"{name}.pb.gz").read_bytes())
    return otlp.decode_traces(body, otlp.PROTOBUF).parts


def line(part: SpanPart) -> dict[str, Any]:
    """A reading in short: what is said, without what is not, long texts cut."""
    reading: Reading = conventions.paired(conventions.read(part))
    said: dict[str, Any] = {"span": part.name, "kind": reading.kind, "convention": reading.convention}
    for field in ("model", "provider", "session_id", "user_id", "project", "agent_name", "cost_nanousd", "error_type",
                  "level", "prompt_name"):  # fmt: skip
        said[field] = getattr(reading, field)
    usage = reading.usage
    if usage is not None:
        said["usage"] = [usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.reasoning_tokens]
    said["system"] = [short(message) for message in reading.system]
    said["input"], said["output"] = side(reading.input), side(reading.output)
    if reading.tool is not None:
        said["tool"] = [reading.tool.name, reading.tool.call_id, reading.tool.arguments, reading.tool.result]
    said["documents"] = [[d.id, d.content, d.metadata] for d in reading.documents]
    said["tools"] = len(reading.tool_definitions) if isinstance(reading.tool_definitions, list) else None
    said["finish"], said["tags"] = list(reading.finish_reasons), list(reading.tags)
    return {key: value for key, value in said.items() if value not in (None, [], "")}


def side(content: Content | None) -> Any:
    if content is None:
        return None
    return [short(message) for message in content.messages] if content.messages else cut(content.value)


def short(message: Message) -> str:
    return f"{message.role}: " + " | ".join(
        cut(part.get("text"))
        if "text" in part
        else f"{part['type']} {part.get('id')} {part.get('name', '')} {cut(part.get('arguments', part.get('result')))}"
        for part in message.parts
    )


def cut(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


@pytest.mark.parametrize("name", READINGS)
def test_a_recording_reads_as_written_down(name: str) -> None:
    assert [line(part) for part in parts(name)] == READINGS[name]


@pytest.mark.parametrize("name", READINGS)
def test_every_key_of_a_recording_is_known(name: str) -> None:
    unknown = {key for part in parts(name) for key in part.attributes if not is_known(key)}
    assert unknown <= APPLICATIONS_OWN


def test_all_recordings_are_read() -> None:
    assert {path.name.removesuffix(".pb.gz") for path in RECORDED.glob("*.gz")} == set(READINGS)
