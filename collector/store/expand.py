"""From the file's encodings back to values: references, recipes, conversations (see content.py, recipes.py)."""

from __future__ import annotations

import sqlite3
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

import orjson

from collector.conventions import unpaired
from collector.model import (
    NO_READING,
    READING_FIELDS,
    USAGE_FIELDS,
    Content,
    Document,
    Event,
    Link,
    LogRecord,
    Message,
    Rank,
    Reading,
    Resource,
    Scope,
    SpanPart,
    Tool,
    Usage,
    Value,
)  # fmt: skip
from collector.store import media
from collector.store.state import SpanState

TEXTS = "select hash, text, null from texts where hash in (select value from json_each(:names))"
WHOLE_TEXTS = """
    select t.hash, t.text, b.data from texts t
    left join encoded e on e.hash = t.hash left join blobs b on b.hash = e.blob
    where t.hash in (select value from json_each(:names))"""
HAS_MEDIA = "select 1 from sqlite_master where type = 'table' and name = 'encoded'"
BLOB = "select data from blobs where hash = :name"
MESSAGES = "select hash, role, name, parts from messages where hash in (select value from json_each(:names))"
CONTEXT = "select body from contexts where hash = :name"
PATH = """
    with recursive path(hash, parent, message, depth) as (
      select hash, parent, message, depth from nodes where hash = :node
      union all
      select n.hash, n.parent, n.message, n.depth from path p join nodes n on n.hash = p.parent and n.depth < p.depth
      limit :limit)
    select message, depth from path order by depth"""
RECIPE = """
    with recursive path(hash, parent, body, depth) as (
      select hash, parent, body, depth from recipes where hash = :node
      union all
      select r.hash, r.parent, r.body, r.depth from path p join recipes r on r.hash = p.parent and r.depth < p.depth)
    select body from path order by depth"""
ALL = -1
_SHARED = {f.name for f in fields(SpanState)} & set(READING_FIELDS) - {"tags", "metadata", "cost_nanousd"}
MISSING = "[missing from the file]"
_KEPT = 20_000_000


class Expander:
    """Resolves encodings on one connection. Texts are kept for a while (a history shares most of them).

    `forgiving`: what a damaged file does not give up is said to be missing, instead of a DatabaseError.
    """

    def __init__(self, connection: sqlite3.Connection, *, forgiving: bool = False) -> None:
        self._execute = connection.execute
        self._forgiving = forgiving
        self._texts: dict[str, str] = {}
        self._size = 0
        self._texts_sql: str | None = None
        self._contexts: dict[str, Any] = {}

    def texts(self, names: Iterable[str]) -> None:
        """Fetch these texts together, to be had from `text` one by one."""
        if self._size > _KEPT:
            self._texts.clear()
            self._size = 0
        wanted = [name for name in set(names) if name not in self._texts]
        for at in range(0, len(wanted), 10_000):
            for name, text, data in self._named(self._whole_texts(), wanted[at : at + 10_000]):
                self._texts[name] = text = text if data is None else media.join(text, data)
                self._size += len(text)

    def _whole_texts(self) -> str:
        """A file of version 1 or 2 has no files within texts."""
        if self._texts_sql is None:
            self._texts_sql = WHOLE_TEXTS if self._rows(HAS_MEDIA, {}) else TEXTS
        return self._texts_sql

    def blob(self, name: str) -> bytes:
        """The bytes of a file; none where the file is damaged."""
        rows = self._rows(BLOB, {"name": name})
        return bytes(rows[0][0]) if rows else b""

    def _rows(self, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        try:
            return self._execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", None)  # none where Python found that a text is none
            if not self._forgiving or "locked" in str(error) or code == sqlite3.SQLITE_INTERRUPT:
                raise
            return []

    def _named(self, sql: str, names: list[str]) -> list[tuple[Any, ...]]:
        """The rows of these names; one by one where together they cannot be read."""
        rows = self._rows(sql, {"names": orjson.dumps(names).decode()})
        if rows or not self._forgiving:
            return rows
        return [row for name in names for row in self._rows(sql, {"names": orjson.dumps([name]).decode()})]

    def text(self, name: str) -> str:
        if name not in self._texts:
            self.texts([name])
        return self._texts.get(name, MISSING)

    def value(self, encoded: Any) -> Value:
        """Undo `Encoder.value` and `Encoder.whole`."""
        if isinstance(encoded, dict):
            if len(encoded) == 1:
                name, inner = next(iter(encoded.items()))
                if name in _UNWRAP:
                    unwrapped: Value = _UNWRAP[name](self, inner)
                    return unwrapped
            return {key: self.value(item) for key, item in encoded.items()}
        if isinstance(encoded, list):
            return [self.value(item) for item in encoded]
        plain: Value = encoded
        return plain

    def json(self, column: str | None) -> Any:
        """A JSON column, decoded and resolved; None when it is null."""
        if column is None:
            return None
        encoded = orjson.loads(column)
        if '{"$' in column:
            self.texts(text_names(encoded))
            return self.value(encoded)
        return encoded

    def recipe(self, parts: Sequence[Any]) -> str:
        """A string from [head, node, tail]."""
        head, node, tail = parts
        return "".join([self._render(head), *(self._render(b) for b in self._bodies(node)), self._render(tail)])

    def _bodies(self, node: str) -> list[Any]:
        if not node:
            return []
        bodies = [orjson.loads(row[0]) for row in self._rows(RECIPE, {"node": node})]
        self.texts(text_names(bodies))
        return bodies

    def _render(self, pieces: Sequence[Any]) -> str:
        return "".join(piece if isinstance(piece, str) else self._spell(*piece) for piece in pieces)

    def _spell(self, name: str, style: int) -> str:
        text = self.text(name)
        if style == 0:
            return text
        return (encode_basestring_ascii if style == 1 else encode_basestring)(text)[1:-1]

    def attributes(self, column: str | None) -> dict[str, Value]:
        """bodies.attributes as they were sent, flattened lists in their place."""
        out: dict[str, Value] = {}
        if column is None:
            return out
        encoded = orjson.loads(column)
        self.texts(text_names(encoded))
        for key, value in encoded.items():
            if isinstance(value, dict) and len(value) == 1 and "$m" in value:
                head, node = value["$m"]
                for index, element in enumerate([*head, *self._bodies(node)]):
                    for suffix, item in element:
                        out[f"{key}{index}{suffix}"] = self.value(item)
            else:
                out[key] = self.value(value)
        return out

    def path(self, node: str | None, limit: int = ALL) -> tuple[Message, ...]:
        """The messages from the root to a node; with `limit`, only the last so many."""
        if not node:
            return ()
        names = [row[0] for row in self._rows(PATH, {"node": node, "limit": limit})] or [node]
        bodies = {row[0]: (row[1], row[2], orjson.loads(row[3])) for row in self._named(MESSAGES, names)}
        self.texts(text_names([body[2] for body in bodies.values()]))
        return tuple(self._message(bodies.get(name)) for name in names)

    def _message(self, row: tuple[str, str | None, list[Any]] | None) -> Message:
        if row is None:
            return Message("unknown", ({"type": "text", "text": MISSING},))
        role, name, parts = row
        return Message(role, tuple({k: self.value(v) for k, v in part.items()} for part in parts), name)

    def content(self, node: str | None, value: str | None, limit: int = ALL) -> Content | None:
        if node:
            return Content(messages=self.path(node, limit))
        return None if value is None else Content(value=self.json(value))

    def tool(self, column: str | None) -> Tool | None:
        found = self.json(column)
        return None if found is None else Tool(**found)

    def documents(self, column: str | None) -> tuple[Document, ...]:
        return tuple(Document(*row) for row in self.json(column) or ())

    def events(self, column: str | None) -> tuple[Event, ...]:
        return tuple(Event(*row) for row in self.json(column) or ())

    def links(self, column: str | None) -> tuple[Link, ...]:
        return tuple(Link(*row) for row in self.json(column) or ())

    def logs(self, column: str | None) -> tuple[LogRecord, ...]:
        return tuple(LogRecord(*row) for row in self.json(column) or ())

    def _context(self, name: str | None) -> Any:
        if name is None:
            return None
        if name not in self._contexts:
            rows = self._rows(CONTEXT, {"name": name})
            self._contexts[name] = self.json(rows[0][0]) if rows else None
        return self._contexts[name]

    def resource(self, name: str | None) -> Resource | None:
        found = self._context(name)
        return None if found is None else Resource(*found[:3], *map(tuple, found[3:]))

    def scope(self, name: str | None) -> Scope | None:
        found = self._context(name)
        return None if found is None else Scope(*found)

    def output(self, body: Mapping[str, Any]) -> Content | None:
        """The output of a span; its finish reason is put back on the last message."""
        content = self.content(body["out_node"], body["out_value"])
        reasons = orjson.loads(body["finish_reasons"]) if body["finish_reasons"] else None
        if content is None or not content.messages or not reasons:
            return content
        *rest, last = content.messages
        return Content(messages=(*rest, Message(last.role, last.parts, last.name, reasons[0])))

    def part(self, state: SpanState, body: Mapping[str, Any]) -> SpanPart:
        """The folded span as a part: what was sent, and the reading when the sender gave it itself."""
        dropped: list[Any] = orjson.loads(body["dropped"]) if body["dropped"] else [0, 0, 0]
        return SpanPart(
            trace_id=state.trace_id, span_id=state.span_id, rank=Rank(state.rank), at_ns=body["at_ns"],
            parent_id=state.parent_id, name=dropped[3] if len(dropped) > 3 else state.name,
            start_ns=state.start_ns, end_ns=state.end_ns,
            status=body["sent_status"], status_message=body["sent_message"],
            otel_kind=body["otel_kind"], otel_status=body["otel_status"],
            trace_state=body["trace_state"] or "", flags=body["flags"],
            attributes=self.attributes(body["attributes"]), events=self.events(body["events"]),
            links=self.links(body["links"]), logs=self.logs(body["logs"]),
            dropped_attributes=dropped[0], dropped_events=dropped[1], dropped_links=dropped[2],
            resource=self.resource(body["resource"]), scope=self.scope(body["scope"]),
            source_id=state.source_id, source_trace_id=body["source_trace_id"], process_id=state.process_id,
            reading=self._sent_reading(state, body) if body["own"] else NO_READING,
        )  # fmt: skip

    def _sent_reading(self, state: SpanState, body: Mapping[str, Any]) -> Reading:
        """The reading as its sender gave it: without what was derived from it (see `ingest.settled`)."""
        reading = self.reading(state, body)
        sent = replace(
            reading,
            kind=None if reading.kind == "span" else reading.kind,
            status=None,
            status_message=None,
            output=self.content(body["out_node"], body["out_value"]),
        )
        return unpaired(sent)

    def reading(self, state: SpanState, body: Mapping[str, Any]) -> Reading:
        """The reading as stored."""
        usage = Usage(*(getattr(state, name) for name in USAGE_FIELDS))
        plain = {name: getattr(state, name) for name in _SHARED}
        return Reading(
            **plain, convention=body["convention"], params=self.json(body["params"]), usage=usage or None,
            cost_nanousd=state.cost_nanousd if state.cost_source == "reported" else None,
            system=self.path(body["system_node"]), input=self.content(body["in_node"], body["in_value"]),
            output=self.output(body), tool=self.tool(body["tool"]),
            tool_definitions=self.json(body["tool_definitions"]), documents=self.documents(body["documents"]),
            finish_reasons=tuple(orjson.loads(body["finish_reasons"] or "[]")),
            tags=tuple(orjson.loads(state.tags or "[]")),
            metadata=orjson.loads(state.metadata) if state.metadata else None,
            replay_of=body["replay_of"], notes=tuple(orjson.loads(body["notes"] or "[]")),
            trace_input=body.get("trace_in"), trace_output=body.get("trace_out"),
        )  # fmt: skip


def text_names(encoded: Any) -> list[str]:
    """Every text that an encoding refers to: {"$t": name}, {"$j": name}, and the [name, style] of recipes."""
    found: list[str] = []
    stack = [encoded]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            for key, value in item.items():
                if key in ("$t", "$j") and isinstance(value, str):
                    found.append(value)
                elif isinstance(value, dict | list):
                    stack.append(value)
        elif isinstance(item, list):
            if len(item) == 2 and isinstance(item[0], str) and len(item[0]) == 22 and isinstance(item[1], int):
                found.append(item[0])
            stack.extend(value for value in item if isinstance(value, dict | list))
    return found


def _read_json(expander: Expander, name: str) -> Value:
    text = expander.text(name)
    try:
        value: Value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value


_UNWRAP: dict[str, Any] = {
    "$t": lambda expander, name: expander.text(name),
    "$j": _read_json,
    "$b": lambda expander, text: b64decode(text),
    "$d": lambda expander, name: expander.blob(name),
    "$f": lambda expander, text: float(text),
    "$i": lambda expander, text: int(text),
    "$o": lambda expander, inner: {key: expander.value(item) for key, item in inner.items()},
    "$p": lambda expander, parts: orjson.loads(expander.recipe(parts)),
    "$r": lambda expander, parts: expander.recipe(parts),
}
