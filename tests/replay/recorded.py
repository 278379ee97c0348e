"""A file with a recorded call in it, and the events of a new answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from collector.ingest import Ingest
from collector.model import Batch, Usage
from collector.settings import Settings
from collector.store import open_reader
from collector.store.rows import SpanDetail
from tests.builders import TRACE, assistant, conversation, make_llm, span_id, user

ASKED, ANSWERED = "Where is my order 789?", "It is on its way."


def recorded(
    path: Path, provider: str = "openai", model: str = "gpt-4o-mini", settings: Settings | None = None, **reading: Any
) -> SpanDetail:  # fmt: skip
    """A call of a model, as it stands in a file."""
    said = {
        "input": conversation(user(ASKED)), "output": conversation(assistant(ANSWERED)), "provider": provider,
        "model": model, "request_model": model, "params": {"temperature": 0.7, "max_tokens": 200},
        "usage": Usage(11, 6),
    }  # fmt: skip
    with Ingest(path, settings or Settings(db=path, redact="off")) as ingest:
        ingest.write(Batch("test", (make_llm(1, reading={**said, **reading}),)))
    with open_reader(path) as reader:
        return reader.span(TRACE, span_id(1))


def openai_events(
    *words: str, model: str = "gpt-4o-mini-2024-07-18", reasoning: tuple[str, ...] = (), reason: str = "stop"
) -> list[Any]:
    frame = {"id": "chatcmpl-2", "object": "chat.completion.chunk", "created": 1, "model": model}
    deltas = [*({"reasoning_content": word} for word in reasoning), *({"content": word} for word in words)]
    pieces = [{**frame, "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    ending = {**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    usage = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}
    return [*pieces, ending, {**frame, "choices": [], "usage": usage}]


def anthropic_events(*words: str, model: str = "claude-next") -> list[dict[str, Any]]:
    head = {
        "id": "msg_2", "type": "message", "role": "assistant", "model": model, "content": [], "stop_reason": None,
        "stop_sequence": None, "usage": {"input_tokens": 12, "output_tokens": 1},
    }  # fmt: skip
    texts = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in words
    ]
    return [
        {"type": "message_start", "message": head},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}, *texts,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]  # fmt: skip
