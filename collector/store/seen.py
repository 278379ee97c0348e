"""The spans of one trace as `collector.seen` has them, read together: a history that many calls share is read once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from collector.model import USAGE_FIELDS, Message, Usage
from collector.seen import Said, Seen
from collector.store.conditions import SPAN_STATUS
from collector.store.expand import Expander, text_names

Rows = Callable[[str, dict[str, Any]], list[tuple[Any, ...]]]

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


def seen_spans(rows: Rows, expander: Expander, trace_id: str, moment: dict[str, Any], *, limit: int) -> list[Seen]:
    """The first `limit` spans of a trace by start. `moment` is what statuses bind (`Reader._moment`)."""
    found = rows(SPANS, {"trace_id": trace_id, "limit": limit, **moment})
    names = ("status", *_COLUMNS, *_BODY)
    spans = [dict(zip(names, row, strict=True)) for row in found]
    paths = _paths(rows, expander, spans)
    return [_seen(expander, span, paths) for span in spans]


def _paths(rows: Rows, expander: Expander, spans: list[dict[str, Any]]) -> dict[str, tuple[Said, ...]]:
    """The messages that lead to each node."""
    ends = {span[side] for span in spans for side in ("system_node", "in_node", "out_node") if span[side]}
    nodes = rows(NODES, {"nodes": orjson.dumps(sorted(ends)).decode()}) if ends else []
    said = _messages(rows, expander, {row[2] for row in nodes})
    paths: dict[str, tuple[Said, ...]] = {}
    for name, parent, message, _ in nodes:
        paths[name] = (*paths.get(parent, ()), said[message])
    return {name: paths[name] for name in ends if name in paths}


def _messages(rows: Rows, expander: Expander, names: set[str]) -> dict[str, Said]:
    found = rows(MESSAGES, {"names": orjson.dumps(sorted(names)).decode()})
    parts = {row[0]: orjson.loads(row[3]) for row in found}
    expander.texts(name for text in parts.values() for name in text_names(text))
    said = {
        name: Said(name, Message(role, tuple({k: expander.value(v) for k, v in p.items()} for p in parts[name]), who))
        for name, role, who, _ in found
    }
    lost = Message("unknown", ({"type": "text", "text": "[missing from the file]"},))
    return {name: said.get(name) or Said(name, lost) for name in names}


def _seen(expander: Expander, row: dict[str, Any], paths: dict[str, tuple[Said, ...]]) -> Seen:
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
        tool_definitions=expander.json(row["tool_definitions"]), documents=expander.documents(row["documents"]),
        finish_reasons=tuple(orjson.loads(row["finish_reasons"] or "[]")),
        metadata=orjson.loads(row["metadata"]) if row["metadata"] else None,
    )  # fmt: skip
