"""Where values come from: a value that nothing before it says, or only another turn.

A false alarm costs more here than a miss: who is told thrice that a sum was invented looks no more. So everything
that was said before counts as a source, in any way of writing; sums, rounding and changed units are worked out; small
and round numbers, years, near dates and the parameters of machines are passed over; and nothing is said at all once
something came in that cannot be read here: an image, a file, a text that was cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import orjson

from collector.model import Value
from collector.seen import Said, Seen, Upto, text_of, tool_calls, unwrapped
from collector.signals.schemas import definitions
from collector.signals.trace import Signal, Trace
from collector.signals.values import Found, Pool, id_form, in_text, near, of_argument

MOST_VALUES = 200
ANSWER = "the answer"
_CUT = re.compile(r"\[\d+ bytes cut\]")
OPAQUE = frozenset({"image", "audio", "file"})
_MACHINE = frozenset(
    """limit offset page size count max min top k n seed timeout temperature width height line lines column row start
    end depth level version port index step steps retries lat lon lng latitude longitude zip zipcode postal postcode
    year month day hour minute timezone zone tz nonce uuid guid trace span request idempotency correlation call
    thread timestamp epoch radius zoom chunk tokens batch dpi fps quality threshold score color colour""".split()
)
"""Words of argument names that hold what a model may well choose by itself."""
_KNOWN_MARKS = frozenset(
    "iso rfc sha aes utf cve pep ieee http https python gpt claude mp rsa covid din en sae ansi win base area formula "
    "boeing airbus a b us i model".split()
)
_ID_WORDS = frozenset("id ids number no nr ref reference code sku account order invoice customer user ticket".split())
_LABEL = r"\b{}s?\b(?:\W{{0,3}}(?:id|number|no|nr|is|ref))?\W{{0,3}}([\w-]*\d[\w-]*)"


class _Sources:
    """What has been said up to now. Nothing of it is read before a value must be looked for."""

    def __init__(self, met: set[str] | None = None) -> None:
        """`met`: keys of messages that were looked through already, and need not be again. It grows."""
        self.pool = Pool()
        self.met = set() if met is None else met
        self._last: Sequence[Said] = ()
        self._tools: Value = None
        self._grounded = self._opaque = False

    @property
    def grounded(self) -> bool:
        """Whether a tool or a search has answered."""
        if not self._grounded:
            self.pool.take()
        return self._grounded

    @property
    def opaque(self) -> bool:
        """Whether not all of it can be read."""
        self.pool.take()
        return self._opaque

    def answered(self) -> None:
        self._grounded = True

    def history(self, messages: Sequence[Said]) -> None:
        """What a call was told. Where it goes on from the last one, only what came after that is new."""
        known = messages.in_common(self._last) if isinstance(messages, Upto) else 0
        self._last = messages or self._last
        self.messages(messages, known)

    def messages(self, messages: Sequence[Said], known: int = 0) -> None:
        for said in messages[known:]:
            if said.key not in self.met:
                self.met.add(said.key)
                self.pool.add(partial(self._told, said))

    def _told(self, said: Said) -> str:
        return "\n".join([self._part(part) for part in said.message.parts])

    def _part(self, part: dict[str, Any]) -> str:
        kind = part.get("type")
        self._opaque = self._opaque or kind in OPAQUE
        self._grounded = self._grounded or kind == "tool_result"
        return self._text(part["text"] if kind == "text" and len(part) == 2 and "text" in part else part)

    def tools(self, definitions: Value) -> None:
        """What tools there are: nearly always the same as with the last call."""
        if definitions != self._tools:
            self._tools = definitions
            self.value(definitions)

    def value(self, value: Any) -> None:
        if value is not None and value != "":
            self.pool.add(partial(self._text, value))

    def _text(self, value: Any) -> str:
        text = value if isinstance(value, str) else _json(value)
        self._opaque = self._opaque or _is_cut(text)
        return text


def _is_cut(text: str) -> bool:
    return (" bytes cut]" in text and _CUT.search(text) is not None) or "[missing from the file]" in text


def sources(trace: Trace) -> Iterator[Signal]:
    """Values in tool arguments and answers that come from nowhere, or from another turn."""
    said = _Sources()
    events = _events(trace)
    told: set[str] = set()
    at = 0
    speakers = [*trace.calls, *_unasked(trace)]
    for span in sorted(speakers, key=lambda one: (one.start_ns, one.span_id)):
        while at < len(events) and events[at][0] <= span.start_ns:
            _take(said, *events[at][1:])
            at += 1
        if span.kind == "llm":
            _hear(said, span)
            if not span.input and span.input_value is None:
                continue  # what it was told is not in the file
        found = [*_borrowed(span, told), *_invented(trace, span, said, told)]
        if found and said.opaque:
            return
        yield from found


def _events(trace: Trace) -> list[tuple[int, Seen, str]]:
    """(when, span, side) by time: what went in is known from the start of a span, what came out from its end."""
    found = [(span.start_ns, span, "in") for span in trace.spans]
    found += [(span.end_ns, span, "out") for span in trace.spans if span.end_ns is not None]
    return sorted(found, key=lambda event: (event[0], event[2], event[1].span_id))


def _take(said: _Sources, span: Seen, side: str) -> None:
    if side == "in":
        if span.kind == "llm":
            return  # heard when its turn comes: what it was asked is no source for what ran beside it
        said.value(span.input_value)
        for name in (span.session_id, span.user_id):
            said.value(name)
        said.value(dict(span.metadata) if span.metadata else None)
        said.history(span.input)
        return
    said.messages(span.output)
    said.value(span.output_value)
    if span.tool is not None:
        said.answered()
        said.value(span.tool.arguments)
        said.value(span.tool.result)
    if span.documents:
        said.answered()
        for document in span.documents:
            for value in (document.id, document.content, document.metadata):
                said.value(value)


def _hear(said: _Sources, span: Seen) -> None:
    """All that the model was given."""
    said.messages(span.system)
    said.history(span.input)
    said.value(span.input_value)
    said.tools(span.tool_definitions)
    for name in (span.session_id, span.user_id):
        said.value(name)


def _unasked(trace: Trace) -> list[Seen]:
    """The tools that no recorded answer asked for, so that their own arguments are all there is to look at."""
    asked = {str(call.get("name")) for span in trace.calls for call in tool_calls(span.output)}
    return [tool for tool in trace.tools if (tool.tool_name or tool.name) not in asked]


def _invented(trace: Trace, span: Seen, said: _Sources, told: set[str]) -> Iterator[Signal]:
    limits = trace.limits
    for where, name, found in _stated(span):
        if found.forms[0] in told or _too_common(found, name, limits.number_digits):
            continue
        if found.kind == "date" and near(found.forms, span.start_ns, limits.date_days):
            continue
        if where == ANSWER and not said.grounded:
            return  # an answer from what the model knows
        if _worked_out(found, said.pool) or said.pool.holds(found):
            continue
        if said.opaque:
            return
        told.add(found.forms[0])
        turn = _turn_that_says(trace, found, said.met)
        if turn is None:
            text = f"{found.text} in {where}: nothing before it says this {found.kind}"
            yield Signal("invented", span.span_id, text, value=found.text)
        else:
            text = f"{found.text} in {where}: nothing in this trace says this {found.kind}, only {_named(trace, turn)}"
            yield Signal("borrowed", span.span_id, text, value=found.text)


def _turn_that_says(trace: Trace, found: Found, met: set[str]) -> int | None:
    """Which of the turns before the trace says a value, 0 the last one; None when none does."""
    return next((at for at, pool in enumerate(_pools(trace, met)) if pool.holds(found)), None)


def _pools(trace: Trace, met: set[str]) -> Iterator[Pool]:
    """What each turn said that neither the trace (`met`) nor a turn after it did, newest first; read when its turn
    comes: by then all of those were asked."""
    trace.met_before |= met
    for at, turn in enumerate(trace.turns):
        if at == len(trace.said_before):
            said = _Sources(trace.met_before)
            for span in turn.spans:
                _hear(said, span)
                _take(said, span, "in")
                _take(said, span, "out")
            trace.said_before.append(said.pool)
        yield trace.said_before[at]


def _named(trace: Trace, at: int) -> str:
    turn = trace.turns[at]
    ago = "the turn before" if at == 0 else f"{at + 1} turns before"
    users = {span.user_id for span in turn.spans if span.user_id}
    here = {span.user_id for span in trace.spans if span.user_id}
    other = " of another user" if users and here and users.isdisjoint(here) else ""
    return f"{ago}{other} ({turn.name or turn.trace_id[:8]})"


def _stated(span: Seen) -> Iterator[tuple[str, str, Found]]:
    """(where, argument name or "", value): of every tool call, or of an answer."""
    if span.kind == "tool":
        asked: list[tuple[str, Value]] = [(span.tool_name or span.name, span.tool.arguments if span.tool else None)]
    else:
        asked = [(str(call.get("name")), call.get("arguments")) for call in tool_calls(span.output)]
    for tool, arguments in asked:
        for key, value in _leaves(unwrapped(arguments)):
            found = of_argument(value)
            if found is not None and not (isinstance(value, str) and value and _is_choice(span, tool, value)):
                yield f"{key} of {tool}", key, found
    if span.kind == "llm" and not asked:
        for one in span.output:
            for found in islice(in_text(text_of(one.message)), MOST_VALUES):
                yield ANSWER, "", found


def _is_choice(span: Seen, tool: str, value: str) -> bool:
    """Whether the tool's schema offers a value."""
    return f'"{value}"' in _json(definitions(span.tool_definitions).get(tool) or "")


def _leaves(value: Value, key: str = "", deep: int = 0) -> Iterator[tuple[str, Value]]:
    if isinstance(value, dict) and deep < 6:
        for name, one in value.items():
            yield from _leaves(one, str(name), deep + 1)
    elif isinstance(value, list) and deep < 6:
        for one in value[:100]:
            yield from _leaves(one, key, deep + 1)
    else:
        yield key, value


def _words(key: str) -> list[str]:
    return re.sub(r"([a-z])([A-Z])", r"\1 \2", key).replace("_", " ").replace("-", " ").lower().split()


def _too_common(found: Found, key: str, digits: int) -> bool:
    """Whether a value says too little about where it is from."""
    words = _words(key)
    if key and _MACHINE.intersection(words):
        return True
    if found.kind == "id":
        head = re.split(r"[-_#\d]", found.text, maxsplit=1)[0].lower()
        return head in _KNOWN_MARKS and not _ID_WORDS.intersection(words)
    if found.kind == "date":
        return False
    number = found.number
    if number is None:
        return True
    whole = number == int(number)
    figures = len(found.forms[0].lstrip("#-0.").replace(".", ""))
    if found.kind == "price":
        return number < 1
    if whole and key and _ID_WORDS.intersection(words):
        return number < 100
    if whole:
        stamp = 1_000_000_000 <= number < 2_200_000_000 or 1e12 <= number < 2.2e12
        meaning = len(str(int(number)).rstrip("0"))
        return len(str(int(number))) < digits or meaning <= 2 or 1900 <= number <= 2100 or stamp
    return figures < 3


def _worked_out(found: Found, pool: Pool) -> bool:
    """Whether a number follows from others that were said."""
    number = found.number
    if number is None:
        return False
    decimals = len(found.forms[0].partition(".")[2])
    slack = max(0.5 * 10.0**-decimals, abs(number) * 1e-9) * 1.001
    meaning = len(found.forms[0].lstrip("#-0.").replace(".", "").rstrip("0"))
    about = abs(number) * 0.05 if meaning <= 2 else slack  # "about 500"
    return pool.known.explain(number, slack=slack, about=about, units=found.kind != "price")


def _borrowed(span: Seen, told: set[str]) -> Iterator[Signal]:
    """An argument that only an earlier turn names, where this turn names another of its kind."""
    asked = [
        (key, found, call.get("name"))
        for call in tool_calls(span.output)
        for key, value in _leaves(unwrapped(call.get("arguments")))
        if (found := of_argument(value))
        and found.kind in ("id", "number")
        and len(id_form(found.text)) >= 3
        and found.forms[0] not in told
        and _kinds_named(key)
    ]
    if not asked:
        return
    last = next((at for at in range(len(span.input) - 1, -1, -1) if _is_turn(span.input[at])), 0)
    if not last:
        return
    asks = text_of(span.input[last].message)
    for key, found, name in asked:
        other = _other(key, found, asks, span.user_id)
        if other is None or found.forms[0] in told:
            continue
        if any(id_form(found.text) in id_form(_json(list(one.message.parts))) for one in span.input[last:]):
            continue
        turn = _turn_of(found, span.input[:last])
        if turn is not None:
            told.add(found.forms[0])
            text = f"{found.text} ({key} of {name}) is from turn {turn}; this turn says {other}"
            yield Signal("borrowed", span.span_id, text, value=found.text)


def _kinds_named(key: str) -> list[str]:
    """What an argument's name says it is of: "user" of user_id."""
    return [word for word in _words(key) if word not in ("id", "number", "no", "ref", "code") and len(word) >= 3]


def _other(key: str, found: Found, asks: str, user: str | None) -> str | None:
    """What this turn says where the argument has something else."""
    for word in _kinds_named(key):
        said = [m[1] for m in re.finditer(_LABEL.format(re.escape(word)), asks, re.IGNORECASE)]
        if said and all(id_form(found.text) not in id_form(one) for one in said):
            return f"{word} {said[0]}"
        if word == "user" and user and re.search(r"\d{3}", user) and id_form(found.text) not in id_form(user):
            return f"user {user}"
    return None


def _is_turn(said: Said) -> bool:
    return said.message.role == "user" and bool(text_of(said.message))


def _turn_of(found: Found, messages: Sequence[Said]) -> int | None:
    """The number of the earlier turn that names it, from 1."""
    form, turns = id_form(found.text), 0
    for one in messages:
        turns += _is_turn(one)
        if form in id_form(_json(list(one.message.parts))):
            return max(1, turns) if any(map(_is_turn, messages)) else None
    return None


def _json(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):  # whole numbers beyond 64 bits, half surrogates, bytes
        return json.dumps(value, ensure_ascii=False, default=str)
