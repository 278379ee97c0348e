"""`capture_content`: what is left of messages, inputs, outputs, arguments, results and documents.

"redacted" keeps their form: roles, kinds of parts, names of tools and of fields, ids of calls, and for each text a
mark with its length, `[TEXT:3fa9:1234]`. Equal texts have equal marks, so that a resent history is still seen as
resent. Numbers in contents become `[NUMBER]`: an amount or a PIN is content too.
"metadata" stores no contents at all: names, times, models, usage, status, ids, tags, metadata.

An attribute counts as content unless it is known not to be, is a number, or is an id: conventions come and go, and
what we have never seen may hold anything. What errors say (messages, stacks) quotes contents, and is treated as such;
their types stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from collector.model import NO_READING, Content, Document, Message, Reading, Score, SpanPart, Tool, Value
from collector.redact.keys import EXEMPT
from collector.redact.placeholder import digest

T = TypeVar("T")

_KEPT = EXEMPT | frozenset(
    """
    metadata tags tag.tags langfuse.trace.tags langfuse.trace.metadata langfuse.observation.metadata
    openinference.project.name gen_ai.prompt.name gen_ai.prompt.version prompt.name prompt.version
    gen_ai.response.finish_reason llm.response.finish_reason llm.finish_reason llm.response.stop_reason
    gen_ai.usage.details http.method http.route http.scheme http.flavor url.scheme net.peer.name net.host.name
    db.system db.system.name db.operation db.operation.name db.namespace db.collection.name messaging.system
    rpc.system network.protocol.name network.protocol.version network.transport exception.escaped otel.status_code
    langsmith.run.type langsmith.run.project langsmith.run.tags langsmith.run.dotted_order langsmith.run.attachments
    langsmith.runtime langfuse.user.id langfuse.session.id enduser.id gen_ai.user.id thread.id agent.name
    llm.response.id
    """.split()
)
_KEPT_PREFIXES = (
    "service.", "telemetry.", "process.runtime.", "os.", "host.", "cloud.", "k8s.", "container.", "faas.",
    "deployment.", "code.", "tracetui.", "metadata.", "langfuse.trace.metadata.", "langfuse.observation.metadata.",
    "traceloop.association.properties.", "langsmith.metadata.", "langsmith.answer.", "langsmith.run.attachments.",
)  # fmt: skip
_ID_ENDINGS = (".id", "_id")
_CONTENTS = (
    "gen_ai.prompt.", "gen_ai.completion.", "gen_ai.input.", "gen_ai.output.", "llm.input_messages.",
    "llm.output_messages.", "llm.prompts.", "llm.completions.", "llm.tools.", "llm.request.functions.", "input.",
    "output.", "retrieval.documents.", "reranker.input_documents.", "reranker.output_documents.",
    "embedding.embeddings.", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result",
)  # fmt: skip
"""Prefixes under which everything is content, numbers and ids too."""
_PARAMETERS = ("llm.invocation_parameters", "embedding.invocation_parameters")
_PARAMETER_WORDS = frozenset(
    "tool_choice reasoning_effort effort verbosity service_tier encoding_format quality".split()
)

_FORM = frozenset({"type", "id", "name", "mime_type", "file_id"})  # of a message's part
_STRUCTURE = frozenset({"role", "type", "finish_reason", "stop_reason", "object"})
_WORDS = frozenset(
    """
    system user assistant tool developer model human ai function text reasoning thinking tool_call tool_calls
    tool_result tool_use function_call function_call_output input_text output_text message image image_url audio
    input_audio file data stop length content_filter end_turn max_tokens stop_sequence chat.completion response list
    """.split()
)
_IDS = frozenset({"id", "tool_call_id", "call_id", "tool_use_id"})
_AN_ID = re.compile(r"(?:call|toolu|msg|chatcmpl|resp|run|fc|rs|item|tool)[_-][\w-]{6,80}")
_A_NAME = re.compile(r"[\w.-]{1,64}")
_OF_A_CALL = frozenset({"arguments", "input", "parameters", "input_schema", "args"})
_MARK = re.compile(r"\[TEXT:[0-9a-f]{4}:\d+\]|\[NUMBERS?(?::\d+)?\]|\[BYTES:\d+\]")


class Contents:
    """Takes contents out of parts. `key` makes the marks; `metadata_only` leaves none of them."""

    def __init__(self, key: bytes, *, metadata_only: bool) -> None:
        self._key = key
        self._drop = metadata_only
        self._origins: dict[int, tuple[object, object]] = {}

    def part(self, part: SpanPart) -> SpanPart:
        """The part without its contents."""
        return replace(
            part,
            attributes=self.attributes(part.attributes),
            events=tuple([self._with_attributes(event) for event in part.events]),
            links=tuple([self._with_attributes(link) for link in part.links]),
            logs=tuple([replace(self._with_attributes(log), body=self._whole(log.body)) for log in part.logs]),
            status_message=self._said(part.status_message),
            resource=self._origin(part.resource),
            scope=self._origin(part.scope),
            reading=self.reading(part.reading) if part.reading is not NO_READING else part.reading,
        )

    def attributes(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """Attributes with contents marked, or left out."""
        out: dict[str, Value] = {}
        for key, value in given.items():
            if _is_kept(key, value):
                out[key] = value
            elif key in _PARAMETERS:
                out[key] = json.dumps(_scalars(_mapping(value)))
            elif not self._drop:
                out[key] = value if key.startswith(_CONTENTS) and _is_form(key) else self.value(value)
        return out

    def reading(self, reading: Reading) -> Reading:
        """What a sender's own reading says, without contents."""
        tool = reading.tool
        if tool is not None:
            tool = Tool(tool.name, tool.call_id, self._whole(tool.arguments), self._whole(tool.result))
        return replace(
            reading,
            system=self._messages(reading.system),
            input=self._content(reading.input),
            output=self._content(reading.output),
            tool=tool,
            tool_definitions=self._whole(reading.tool_definitions),
            documents=() if self._drop else tuple([self._document(one) for one in reading.documents]),
            params=_scalars(reading.params) if reading.params is not None else None,
            status_message=self._said(reading.status_message),
        )

    def score(self, score: Score) -> Score:
        """A score without what somebody wrote about it."""
        return replace(score, comment=self._said(score.comment)) if score.comment else score

    def value(self, value: Value) -> Value:
        """The form of a value: its fields and lengths. A text that holds JSON stays JSON."""
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return "[NUMBER]"
        if isinstance(value, bytes):
            return f"[BYTES:{len(value)}]"
        if isinstance(value, list):
            if len(value) > 8 and all(type(one) in (int, float) for one in value):
                return f"[NUMBERS:{len(value)}]"
            return [self.value(one) for one in value]
        return {key: one if _is_structure(key, one, value) else self.value(one) for key, one in value.items()}

    def _text(self, text: str) -> str:
        if not text or _MARK.fullmatch(text):
            return text
        if text.lstrip()[:1] in ("{", "["):
            try:
                decoded = json.loads(text)
            except (ValueError, RecursionError):
                decoded = None
            if isinstance(decoded, (dict, list)):
                return json.dumps(self.value(decoded), ensure_ascii=False)
        return f"[TEXT:{digest(self._key, text, 2)}:{len(text)}]"

    def _whole(self, value: Value) -> Value:
        return None if self._drop else self.value(value)

    def _said(self, text: str | None) -> str | None:
        return None if self._drop or text is None else self._text(text)

    def _content(self, content: Content | None) -> Content | None:
        if content is None or self._drop:
            return None
        return Content(self._messages(content.messages), self.value(content.value))

    def _messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        if self._drop:
            return ()
        return tuple([replace(m, parts=tuple([self._part_of(part) for part in m.parts])) for m in messages])

    def _part_of(self, part: dict[str, Any]) -> dict[str, Any]:
        return {key: one if key in _FORM else self.value(one) for key, one in part.items()}

    def _document(self, document: Document) -> Document:
        metadata = {key: self.value(one) for key, one in (document.metadata or {}).items()}
        content = self._said(document.content)
        return replace(document, content=content, metadata=metadata or None)

    def _with_attributes(self, one: T) -> T:
        given = one.attributes  # type: ignore[attr-defined]
        return replace(one, attributes=self.attributes(given)) if given else one  # type: ignore[type-var]

    def _origin(self, one: T) -> T:
        """Resource and scope: hundreds of parts share one object, so the last few are remembered."""
        if one is None:
            return one
        known = self._origins.get(id(one))
        if known is None or known[0] is not one:
            if len(self._origins) > 64:
                self._origins.clear()
            known = self._origins[id(one)] = (one, self._with_attributes(one))
        return known[1]  # type: ignore[return-value]


def _is_kept(key: str, value: Value) -> bool:
    if key in _KEPT or key.startswith(_KEPT_PREFIXES):
        return True
    if key.startswith(_CONTENTS):
        return False
    return value is None or isinstance(value, (bool, int, float)) or key.endswith(_ID_ENDINGS)


def _is_form(key: str) -> bool:
    """A leaf of a flattened message that is no content: its role, its kind, a tool's name, a call's id."""
    return key.endswith((".role", ".type", ".id", ".name", "_id", ".mime_type", ".finish_reason", ".score"))


def _is_structure(key: str, value: Value, within: dict[str, Value]) -> bool:
    """Only words of a closed list, names of tools and ids of calls pass: any key may hold content elsewhere."""
    if not isinstance(value, str):
        return False
    if key in _STRUCTURE:
        return value in _WORDS
    if key in _IDS:
        return _AN_ID.fullmatch(value) is not None
    return key == "name" and not _OF_A_CALL.isdisjoint(within) and _A_NAME.fullmatch(value) is not None


def _mapping(value: Value) -> dict[str, Value]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _scalars(params: dict[str, Value]) -> dict[str, Value]:
    """Parameters of a call that are numbers, switches, or words of a list."""
    return {
        key: one
        for key, one in params.items()
        if one is None or isinstance(one, (bool, int, float)) or (key in _PARAMETER_WORDS and isinstance(one, str))
    }
