"""The spans of one trace as `collector.seen` has them, read together: a history that many calls share is read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import orjson

from collector.model import USAGE_FIELDS, Message, Usage
from collector.seen import Said, Seen, Unread, Upto
from collector.store.conditions import SPAN_STATUS
from collector.store.expand import Expander, text_names

FEW_MESSAGES = 16
LOST = Message("unknown", ({"type": "text", "text": "[missing from the file]"},))
Rows = Callable[[str, dict[str, Any]], list[tuple[Any, ...]]]
Sound = Callable[[], AbstractContextManager[None]]
"""What damage is told within: `Reading.sound`."""

_COLUMNS = (
    "span_id", "parent_id", "name", "kind", "start_ns", "end_ns", "provider", "model", *USAGE_FIELDS, "cost_nanousd",
    "counted", "error_type", "status_message", "agent_name", "user_id", "session_id", "tool_name", "metadata",
)  # fmt: skip
_BODY = (
    "system_node", "in_node", "out_node", "in_value", "out_value", "tool", "tool_definitions", "documents",
    "finish_reasons",
)  # fmt: skip
SPANS = f"""
    select {SPAN_STATUS} as status, {", ".join(f"s.{name}" for name in _COLUMNS)}, {", ".join(f"b.{n}" for n in _BODY)}
    from spans s join bodies b on b.id = s.id
    where s.trace_id = :trace_id and s.start_ns is not null
    order by s.start_ns, s.span_id limit :limit"""
NODES = """
    with recursive up(hash) as (
      select value from json_each(:nodes)
      union select n.parent from up join nodes n on n.hash = up.hash where n.parent <> '')
    select n.hash, n.parent, n.message, n.depth from up join nodes n on n.hash = up.hash order by n.depth"""
MESSAGES = "select hash, role, name, parts from messages where hash in (select value from json_each(:names))"


def seen_spans(
    rows: Rows, expander: Expander, trace_id: str, moment: dict[str, Any], *, limit: int, unread: Sound | None = None
) -> list[Seen]:
    """The first `limit` spans of a trace by start. `moment` is what statuses bind (`Reader._moment`). `unread`: what
    messages say is read within that, when somebody asks, as long as the file is open."""
    found = rows(SPANS, {"trace_id": trace_id, "limit": limit, **moment})
    names = ("status", *_COLUMNS, *_BODY)
    spans = [dict(zip(names, row, strict=True)) for row in found]
    paths = _paths(rows, expander, spans, unread)
    tools = {one: expander.json(one) for one in {span["tool_definitions"] for span in spans}}  # hundreds share one
    return [_seen(expander, span, paths, tools) for span in spans]


def _paths(
    rows: Rows, expander: Expander, spans: list[dict[str, Any]], unread: Sound | None
) -> dict[str, Sequence[Said]]:
    """The messages that lead to each node."""
    ends = {span[side] for span in spans for side in ("system_node", "in_node", "out_node") if span[side]}
    nodes = rows(NODES, {"nodes": orjson.dumps(sorted(ends)).decode()}) if ends else []
    shelf = _Shelf(rows, expander, list(dict.fromkeys(row[2] for row in nodes)), unread or nullcontext)
    said = {name: Unread(name, shelf.message) if unread else Said(name, shelf.message(name)) for name in shelf.names}
    paths: dict[str, Upto] = {}
    for name, parent, message, _ in nodes:
        paths[name] = (paths.get(parent) or Upto([], 0)).with_one(said[message])
    return {name: paths[name] for name in ends if name in paths}


class _Shelf:
    """Messages by their names, read a shelf at a time, each shelf twice as long as the last one: who asks for one
    message asks for those beside it next."""

    def __init__(self, rows: Rows, expander: Expander, names: Sequence[str], sound: Sound) -> None:
        self.names, self._sound = names, sound
        self._rows, self._expander = rows, expander
        self._places = {name: place for place, name in enumerate(names)}
        self._read: dict[str, Message] = {}
        self._many = FEW_MESSAGES

    def message(self, name: str) -> Message:
        if name not in self._read:
            place = self._places[name]
            beside = self.names[max(0, place - self._many) : place + self._many]
            self._many *= 2
            with self._sound():
                self._take([one for one in beside if one not in self._read])
        return self._read[name]

    def _take(self, names: Sequence[str]) -> None:
        found = self._rows(MESSAGES, {"names": orjson.dumps(names).decode()})
        parts = {row[0]: orjson.loads(row[3]) for row in found}
        self._expander.texts([one for row in found if '{"$' in row[3] for one in text_names(parts[row[0]])])
        self._read.update(dict.fromkeys(names, LOST))
        for name, role, who, _ in found:
            self._read[name] = Message(role, tuple(map(self._part, parts[name])), who)

    def _part(self, part: dict[str, Any]) -> dict[str, Any]:
        value = self._expander.value
        return {key: value(one) if isinstance(one, dict | list) else one for key, one in part.items()}


def _seen(expander: Expander, row: dict[str, Any], paths: dict[str, Sequence[Said]], tools: dict[str, Any]) -> Seen:
    usage = Usage(*(row[name] for name in USAGE_FIELDS))
    return Seen(
        span_id=row["span_id"], parent_id=row["parent_id"], name=row["name"] or "", kind=row["kind"],
        status=row["status"], start_ns=row["start_ns"], end_ns=row["end_ns"], provider=row["provider"],
        model=row["model"], usage=usage, cost_nanousd=row["cost_nanousd"], counted=bool(row["counted"]),
        error_type=row["error_type"], status_message=row["status_message"], agent_name=row["agent_name"],
        user_id=row["user_id"], session_id=row["session_id"], system=paths.get(row["system_node"], ()),
        input=paths.get(row["in_node"], ()), output=paths.get(row["out_node"], ()),
        input_value=expander.json(row["in_value"]), output_value=expander.json(row["out_value"]),
        tool=expander.tool(row["tool"]), tool_name=row["tool_name"],
        tool_definitions=tools[row["tool_definitions"]], documents=expander.documents(row["documents"]),
        finish_reasons=tuple(orjson.loads(row["finish_reasons"] or "[]")),
        metadata=orjson.loads(row["metadata"]) if row["metadata"] else None,
    )  # fmt: skip
