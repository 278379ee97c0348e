"""The request that a recorded call was, and changes to it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from collector.export.calls import Call, call_of
from collector.replay.failures import ReplayError
from collector.store.rows import SpanDetail

SENDABLE = ("/chat/completions", "/v1/messages")


@dataclass(frozen=True, slots=True)
class Draft:
    """A request ready to be sent. `replay_of` names the span it repeats: "trace id:span id".

    `recorded_chars` and `recorded_tokens` are of the request as it was recorded, before any change; the tokens are
    None where nobody reported them.
    """

    call: Call
    replay_of: str
    name: str
    recorded_chars: int
    recorded_tokens: int | None = None
    recorded_output_tokens: int | None = None

    @property
    def model(self) -> str:
        return str(self.call.body.get("model") or "")


def draft_of(span: SpanDetail) -> Draft:
    """What a span recorded, as a request. NotACall or ReplayError say why there is none."""
    call = call_of(span)
    if call.path not in SENDABLE:
        raise ReplayError(
            f"span {span.row.span_id} asked {call.path}: only chats are replayed; `y` copies it as curl or Python"
        )
    row = span.row
    return Draft(
        call, f"{row.trace_id}:{row.span_id}", row.name, characters(call.body), span.usage.input_tokens,
        span.usage.output_tokens,
    )  # fmt: skip


def with_body(draft: Draft, body: dict[str, Any]) -> Draft:
    return replace(draft, call=replace(draft.call, body=body))


def edited(draft: Draft, model: str | None = None, changes: Mapping[str, str] | None = None) -> Draft:
    """Another model, other parameters. A value is read as JSON, or else as the text it is; `null` takes a
    parameter away. ReplayError for what is no parameter."""
    body = copy.deepcopy(draft.call.body)
    if model:
        body["model"] = model
    for name, text in (changes or {}).items():
        if name in ("messages", "tools", "stream", "stream_options", ""):
            raise ReplayError(f"{name or 'an empty name'!r} is no parameter to set; --edit changes the whole request")
        value = _read(text)
        if value is None:
            body.pop(name, None)
        else:
            body[name] = value
    return with_body(draft, body)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def characters(body: Mapping[str, Any]) -> int:
    """How much text a request sends: messages, system instructions and tools. Files count nothing here."""
    return sum(_length(body.get(name)) for name in ("messages", "system", "tools"))


def _length(value: Any) -> int:
    if isinstance(value, str):
        return 0 if value.startswith("data:") else len(value)
    if isinstance(value, dict):
        return sum(_length(one) for name, one in value.items() if name != "data")
    if isinstance(value, list):
        return sum(map(_length, value))
    return 0
