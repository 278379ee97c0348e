"""Calls of tools and their results that carry no id on the wire, paired by name and order.

Gemini, Ollama and some frameworks send none. Within one list of messages a result belongs to the first call before it
that still waits for one: of the same name where the result says whose it is, else of the same batch (the calls of one
answer). Both then get one id, marked as ours (`derived_id`): made of the call's name and arguments and of how many
equal calls stand before it, so that a call has the same id as an answer and in every history that repeats it, also one
that was cut at its beginning. Where only one of the two was sent without, it takes the id of the other.

Nothing that leaves (OTLP, our own export) says such an id: `unpaired` takes it out again.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from collector.model import DERIVED_ID, Content, Message, Reading

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
_CALL, _RESULT = "tool_call", "tool_result"
_PAIRED = frozenset({_CALL, _RESULT})


def paired(reading: Reading) -> Reading:
    """The reading with an id on each call, and on each result whose call is told. The very same where all have one."""
    before = reading.input.messages if reading.input else ()
    after = reading.output.messages if reading.output else ()
    if not _lacks(before) and not _lacks(after):
        return reading
    if any(_is_asked(one) for one in after):  # an agent's state: it says again what went in
        given, answer = pair(before), pair(after)
    else:
        both = pair((*before, *after))
        given, answer = both[: len(before)], both[len(before) :]
    return replace(reading, input=_with(reading.input, given), output=_with(reading.output, answer))


def pair(messages: Sequence[Message]) -> tuple[Message, ...]:
    """One list of messages, in the order in which they were said. Linear in its parts."""
    said = _Said()
    for at, message in enumerate(messages):
        said.message(at, message)
    ids = said.ids()
    return tuple([_marked(one, ids[at]) if at in ids else one for at, one in enumerate(messages)])


def unpaired(reading: Reading) -> Reading:
    """The reading as its sender gave it: without the ids that are ours."""
    sides = {name: getattr(reading, name) for name in ("input", "output")}
    bare = {
        name: replace(side, messages=tuple([_bare(one) for one in side.messages]))
        for name, side in sides.items()
        if side is not None and any(DERIVED_ID in part for one in side.messages for part in one.parts)
    }
    return replace(reading, **bare) if bare else reading


def _bare(message: Message) -> Message:
    parts = [
        {**{name: value for name, value in part.items() if name != DERIVED_ID}, "id": None}
        if DERIVED_ID in part
        else part
        for part in message.parts
    ]
    return replace(message, parts=tuple(parts))


def _lacks(messages: Iterable[Message]) -> bool:
    """Whether a call or a result is without an id of its sender's."""
    for message in messages:  # every span comes by here, with all its history
        for part in message.parts:
            if part.get("type") in _PAIRED and (not part.get("id") or DERIVED_ID in part):
                return True
    return False


def _is_asked(message: Message) -> bool:
    """Whether a user says something, and not only what tools answered (Gemini's results come from the user)."""
    return message.role == "user" and any(part.get("type") != _RESULT for part in message.parts)


def _with(side: Content | None, messages: tuple[Message, ...]) -> Content | None:
    return side if side is None or messages == side.messages else replace(side, messages=messages)


def _marked(message: Message, ids: dict[int, str]) -> Message:
    parts = [{**part, "id": ids[at], DERIVED_ID: True} if at in ids else part for at, part in enumerate(message.parts)]
    return replace(message, parts=tuple(parts))


@dataclass(slots=True, eq=False)
class _Call:
    """A call of the list: `id` as it was sent, else None until it has one; `key` is what it says."""

    place: tuple[int, int]
    name: str | None
    id: str | None
    own: str
    answered: bool = False


@dataclass(slots=True)
class _Said:
    """What was said up to now. `batch` are the calls since the last result or user's word, in order, `named` the same
    by name, and `late` those of the batches before that nobody answered; `answers` are results without an id."""

    calls: list[_Call] = field(default_factory=list)
    batch: deque[_Call] = field(default_factory=deque)
    named: dict[str | None, deque[_Call]] = field(default_factory=dict)
    late: dict[str | None, deque[_Call]] = field(default_factory=dict)
    by_id: dict[str, _Call] = field(default_factory=dict)
    answers: list[tuple[tuple[int, int], _Call]] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    closed: bool = False

    def message(self, at: int, message: Message) -> None:
        for number, part in enumerate(message.parts):
            kind = part.get("type")
            if kind == _CALL:
                self._call((at, number), part)
            elif kind == _RESULT:
                self._result((at, number), part, message)
        self.closed = self.closed or _is_asked(message)

    def _call(self, place: tuple[int, int], part: dict[str, Any]) -> None:
        if self.closed:
            self._next_batch()
        sent, name = _sent(part), part.get("name")
        own = "" if sent else self._own(part)
        call = _Call(place, name if isinstance(name, str) else None, sent, own)
        self.calls.append(call)
        self.batch.append(call)
        self.named.setdefault(call.name, deque()).append(call)
        if sent:
            self.by_id[sent] = call

    def _next_batch(self) -> None:
        """Who is not answered yet can from now on only be found by name."""
        for call in self.batch:
            if not call.answered:
                self.late.setdefault(call.name, deque()).append(call)
        self.batch.clear()
        self.named.clear()
        self.closed = False

    def _own(self, part: dict[str, Any]) -> str:
        """What a call says, as a name for it, and how many of the same stand before it."""
        what = (part.get("name"), part.get("arguments"))
        try:
            spelt = orjson.dumps(what, option=_OPTIONS)
        except TypeError:  # a number beyond 64 bits, half of a surrogate pair
            spelt = json.dumps(what, default=repr).encode("ascii", "replace")
        digest = hashlib.sha256(spelt).hexdigest()[:16]
        nth = self.seen[digest] = self.seen.get(digest, 0) + 1
        return f"tracetui:{digest}" if nth == 1 else f"tracetui:{digest}:{nth}"

    def _result(self, place: tuple[int, int], part: dict[str, Any], message: Message) -> None:
        self.closed = True
        sent = _sent(part)
        call = self.by_id.get(sent) if sent else None
        if call is None:
            name = part.get("name") or (message.name if message.role == "tool" else None)
            call = self._waits(name if isinstance(name, str) else None, bare=sent is not None)
        if call is None:
            return
        call.answered = True
        if sent is None:
            self.answers.append((place, call))
        elif call.id is None:
            call.own = sent

    def _waits(self, name: str | None, *, bare: bool) -> _Call | None:
        """The first call that waits, and that this result can answer. `bare`: only one without an id of its own."""
        places = (self.batch,) if name is None else (self.named.get(name, _NONE), self.late.get(name, _NONE))
        for calls in places:
            while calls and calls[0].answered:
                calls.popleft()
            if calls and not (bare and calls[0].id is not None):
                return calls.popleft()
        return None

    def ids(self) -> dict[int, dict[int, str]]:
        """The ids that are ours, by message and part."""
        out: dict[int, dict[int, str]] = {}
        given = [(call.place, call) for call in self.calls if call.id is None]
        for (message, part), call in [*given, *self.answers]:
            out.setdefault(message, {})[part] = call.id or call.own
        return out


_NONE: deque[_Call] = deque()


def _sent(part: dict[str, Any]) -> str | None:
    """The id that its sender gave it; a number counts as the text that it is compared as."""
    given = part.get("id")
    return str(given) if given and DERIVED_ID not in part else None
