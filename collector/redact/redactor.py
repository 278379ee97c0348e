"""The redactor: one text, one value, one part. Returns the very same object where nothing had to change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, cast

from collector.library import Item, Media
from collector.model import (
    NO_READING,
    Batch,
    Message,
    Process,
    Reading,
    Refusal,
    Resource,
    Scope,
    Score,
    SpanPart,
    Value,
)
from collector.own_patterns import OwnPattern
from collector.redact import json_text
from collector.redact.keys import is_exempt, is_password, is_secret
from collector.redact.placeholder import is_placeholder
from collector.redact.rules import LONG_TOKEN
from collector.redact.scan import RUN, candidates, may_hold_card, may_hold_password
from collector.redact.texts import LONG, TextRedactor

KNOWN_KEYS = 20_000
KNOWN_MESSAGES = 10_000

PLAIN, EXEMPT, SECRET, PASSWORD = 0, 1, 2, 3
NO_CONTENT = frozenset(
    "convention kind operation provider model request_model response_id usage cost_nanousd prompt_name prompt_version "
    "agent_name ttft_ns finish_reasons status error_type service environment release project level replay_of".split()
)
"""Fields of a Reading that hold ids, models, names, numbers and times."""

NAMES_OF_ITEMS = frozenset(
    "config_id data_type prompt_id name labels dataset_id example_id experiment_id run_id media_id trace_id span_id "
    "source_trace_id source_span_id sha256 mime_type data status source kind id field".split()
)
"""Fields of what is kept beside traces that hold ids and names; the data of a file is looked at by its type."""
TEXT_TYPES = ("text/", "application/json", "application/xml", "application/yaml")

T = TypeVar("T")
_VALUES = frozenset((str, int, float, bool, bytes, dict, list))


class Redactor(TextRedactor):
    """Takes secrets out of whatever a trace holds: `TextRedactor` says what is done to a text, and why.

    `key` makes the placeholders (see `user_key`). "off" returns everything as it is.
    """

    def __init__(
        self, key: bytes, mode: str = "default", *,
        patterns: Iterable[OwnPattern] = (), mask: Callable[[str], str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(key, mode, patterns, mask)
        self._levels: dict[str, int] = {}
        self._resource: tuple[Resource | None, Resource | None] = (None, None)
        self._scope: tuple[Scope | None, Scope | None] = (None, None)
        self._messages: dict[int, tuple[Message, Message]] = {}

    def forget(self) -> None:
        """Let go of the messages of a batch. Within one they are told by identity: a session log is one object a
        message, and each of its calls holds the whole history."""
        self._messages = {}

    def value(self, value: Value) -> Value:
        """A value with every text within it redacted. Strings that hold JSON are looked into."""
        return value if self._off else self._value(value, PLAIN)

    def part(self, part: SpanPart) -> SpanPart:
        """A part with everything in it redacted: attributes, events, links, logs, resource, scope, its reading."""
        if self._off:
            return part
        changes: dict[str, Any] = {}
        attributes = self._dict(part.attributes)
        if attributes is not part.attributes:
            changes["attributes"] = attributes
        for name in ("events", "links", "logs"):
            before = getattr(part, name)
            if before and (after := tuple(self._with_attributes(one) for one in before)) != before:
                changes[name] = after
        if part.name and (named := self.name(part.name)) is not part.name:
            changes["name"] = named
        if part.status_message and (said := self.text(part.status_message)) is not part.status_message:
            changes["status_message"] = said
        self._put_origin(part, changes)
        if part.reading is not NO_READING and (reading := self.reading(part.reading)) is not part.reading:
            changes["reading"] = reading
        return replace(part, **changes) if changes else part

    def reading(self, reading: Reading) -> Reading:
        """A reading that its source made itself."""
        return self._fields(reading, NO_CONTENT)

    def batch(self, batch: Batch) -> Batch:
        """A whole delivery: parts, scores, processes, and the samples of what was refused."""
        if self._off:
            return batch
        return replace(
            batch,
            parts=tuple([self.part(part) for part in batch.parts]),
            scores=tuple(self.score(score) for score in batch.scores),
            processes=tuple(self.process(process) for process in batch.processes),
            refused=tuple(self.refusal(refusal) for refusal in batch.refused),
        )

    def score(self, score: Score) -> Score:
        """A score's comment, label and metadata."""
        return self._fields(score, frozenset({"name", "data_type", "source"}))

    def item(self, item: Item) -> Item:
        """A prompt, dataset, example, experiment: its texts. A file where its type says that it is text."""
        if isinstance(item, Media) and item.data and (item.mime_type or "").startswith(TEXT_TYPES) and not self._off:
            text = item.data.decode(errors="surrogateescape")
            if (clean := self.text(text)) is not text:
                item = replace(item, data=clean.encode(errors="surrogateescape"))
        return self._fields(item, NAMES_OF_ITEMS)

    def process(self, process: Process) -> Process:
        """A process: its command line may name a key."""
        command = process.command if self._off else self.text(process.command)
        return process if command is process.command else replace(process, command=command)

    def refusal(self, refusal: Refusal) -> Refusal:
        """A refusal: its reason and sample quote what was sent."""
        return self._fields(refusal, frozenset())

    # --- values ---

    def _within_json(self, text: str) -> str | None:
        return json_text.redact(text, self)

    def _value(self, value: Value, level: int) -> Value:
        if type(value) is str:
            return self._leaf(value, level)
        if type(value) is dict:
            return self._dict(value)
        if type(value) is list:
            return self._list(value, level)
        if type(value) is bytes:
            return self._bytes(value, level)
        return value

    def _leaf(self, text: str, level: int) -> str:
        if level == PLAIN:
            return self.text(text)
        if level == EXEMPT:
            return self.name(text)
        if level == PASSWORD:
            return self._mark("PASSWORD", text) if self._ours and text and not is_placeholder(text) else text
        new = self.text(text)
        return self._mark("SECRET", text) if self._ours and new is text and LONG_TOKEN.search(text) else new

    def _dict(self, values: dict[str, Value]) -> dict[str, Value]:
        """Short texts are looked at all in one go: nearly always all are clean, and a look has its own cost."""
        levels = self._levels
        changed: dict[str, Value] = {}
        plain: dict[str, str] = {}
        exempt: dict[str, str] = {}
        for key, value in values.items():
            kind = type(value)
            if kind is int or kind is float or kind is bool or value is None:
                continue
            level = levels.get(key)
            if level is None:
                level = self._level(key)
            if kind is str and level < SECRET:
                text = cast(str, value)
                if level == EXEMPT:
                    exempt[key] = text
                elif len(text) < LONG:
                    plain[key] = text
                elif (long := self.text(text)) is not text:
                    changed[key] = long
            elif (new := self._value(value, level)) is not value:
                changed[key] = new
        if (plain or exempt) and not self._all_clean(plain, exempt):
            changed |= {key: new for key, text in plain.items() if (new := self.text(text)) is not text}
            changed |= {key: new for key, text in exempt.items() if (new := self.name(text)) is not text}
        return {**values, **changed} if changed else values

    def _all_clean(self, plain: dict[str, str], exempt: dict[str, str]) -> bool:
        """True when no pattern could apply to any of these texts. One look at all of them, one a line."""
        texts = "\n".join(plain.values())
        names = "\n".join(exempt.values())
        if self._pii or self._patterns or self._mask is not None:
            return False
        if "\\" in texts or "@" in texts or "@" in names or may_hold_password(texts):
            return False
        data = texts.encode("utf-8", "replace")
        return not may_hold_card(data) and not candidates(data + b"\n" + names.encode("utf-8", "replace"))

    def keys(self, values: dict[str, Value]) -> dict[str, Value]:
        """A dict decoded from JSON, its keys redacted too (a map by API key has been seen)."""
        if not any(len(key) >= RUN and self.name(key) is not key for key in values):
            return values
        return {self.name(key): value for key, value in values.items()}

    def _level(self, key: str) -> int:
        level = SECRET if is_secret(key) else PASSWORD if is_password(key) else EXEMPT if is_exempt(key) else PLAIN
        if len(self._levels) >= KNOWN_KEYS:
            self._levels.clear()
        self._levels[key] = level
        return level

    def _list(self, values: list[Value], level: int) -> list[Value]:
        new = [self._value(value, level) for value in values]
        return values if all(a is b for a, b in zip(new, values, strict=True)) else new

    def _bytes(self, data: bytes, level: int) -> bytes:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return data
        new = self._leaf(text, level)
        return data if new is text else new.encode("utf-8")

    # --- what a part is made of ---

    def _with_attributes(self, one: T) -> T:
        """An event, a link, a log record: its attributes, and a log record's body."""
        changes: dict[str, Any] = {}
        before = one.attributes  # type: ignore[attr-defined]
        if before and (after := self._dict(before)) is not before:
            changes["attributes"] = after
        body = getattr(one, "body", None)
        if body is not None and (new := self._value(body, PLAIN)) is not body:
            changes["body"] = new
        return replace(cast(Any, one), **changes) if changes else one

    def _put_origin(self, part: SpanPart, changes: dict[str, Any]) -> None:
        """Resource and scope: hundreds of parts share one object, so the last one is remembered."""
        if part.resource is not None:
            before, after = self._resource
            if before is not part.resource:
                after = self._with_attributes(part.resource)
                self._resource = (part.resource, after)
            if after is not part.resource:
                changes["resource"] = after
        if part.scope is not None:
            known, scope = self._scope
            if known is not part.scope:
                scope = self._with_attributes(part.scope)
                self._scope = (part.scope, scope)
            if scope is not part.scope:
                changes["scope"] = scope

    def _fields(self, one: T, skip: frozenset[str]) -> T:
        """A dataclass with its fields redacted, to any depth: messages, tools, documents, metadata."""
        if self._off:
            return one
        changes = {}
        fields_of, values_of = _plan(cast(Any, type(one)), skip)
        for (name, level), before in zip(fields_of, values_of(one), strict=True):
            if not before:  # nothing, 0, no text
                continue
            after = self._any(before, level)
            if after is not before:
                changes[name] = after
        return replace(cast(Any, one), **changes) if changes else one

    def _any(self, value: Any, level: int) -> Any:
        if type(value) is tuple:
            known = self._messages  # asked here first: a history is hundreds of them
            new = tuple([
                seen[1] if (seen := known.get(id(one))) is not None and seen[0] is one else self._any(one, level)
                for one in value
            ])  # fmt: skip
            return value if all(a is b for a, b in zip(new, value, strict=True)) else new
        if type(value) is Message:
            return self._message(value)
        if type(value) not in _VALUES and is_dataclass(value):
            return self._fields(value, frozenset())
        return self._value(value, level)

    def _message(self, message: Message) -> Message:
        clean = self._fields(message, frozenset())
        if len(self._messages) >= KNOWN_MESSAGES:
            self._messages.clear()
        self._messages[id(message)] = (message, clean)
        return clean


@cache
def _plan(cls: type, skip: frozenset[str]) -> tuple[tuple[tuple[str, int], ...], Callable[[Any], tuple[Any, ...]]]:
    """Of a dataclass: each field's name and level but for some, and what takes all values, in one call where it can."""
    names = [field.name for field in fields(cls) if field.name not in skip]
    levels = tuple((name, EXEMPT if is_exempt(name) else PLAIN) for name in names)
    if len(names) > 1:
        return levels, attrgetter(*names)
    return levels, lambda one: tuple([getattr(one, name) for name in names])
