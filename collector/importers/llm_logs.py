"""simonw's `llm`: its logs.db, in both shapes that it had.

In newer files a turn of a thread is one call of the model, and what was said is a chain of messages, each naming the
one before it (tables turns, messages, parts). In older ones a response holds its prompt and its answer (tables
responses, tool_calls, tool_results; reasoning only where the column is). The newer have the old tables too, empty.
Seen: files that llm 0.27.1 and 0.36 wrote. A failed call leaves nothing in the file.

A trace is one prompt of the user: calls that only bring the results of tools go on with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector import ids
from collector.conventions.counting import from_details
from collector.conventions.values import decoded, text
from collector.errors import DecodeError
from collector.importers.drafts import Draft, Drafts, mapping, said
from collector.model import USAGE_FIELDS, Message, Scope, SpanPart, Tool, Usage
from collector.protocols.times import time_ns

NAME = "llm"
SCOPE = Scope("llm.logs-db")
Row = dict[str, Any]


def read(path: Path, told: Callable[[float], None] = lambda share: None) -> Iterator[SpanPart]:
    """Every prompt of the file as parts. DecodeError when the file is no logs.db of llm, or is damaged. `told` hears,
    call after call, how much of the file has been read, from 0 to 1."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            tables = _Tables(connection, told)
            if not ({"turns", "messages", "parts"} <= tables.names or {"responses", "conversations"} <= tables.names):
                raise DecodeError(
                    f"{path} is a SQLite file, but no log of `llm`; open it with `tracetui {path}` if it is one of ours"
                )
            yield from _turns(tables)
            yield from _responses(tables)
    except sqlite3.Error as error:
        raise DecodeError(
            f"{path} cannot be read as the logs of `llm`: {error}; open it with `tracetui {path}` if it is one of ours"
        ) from error


class _Tables:
    """Rows as dicts; a table that is not there has none."""

    def __init__(self, connection: sqlite3.Connection, told: Callable[[float], None]) -> None:
        self._connection, self._told, self._calls = connection, told, 0
        self.names = {row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")}

    def calls(self, table: str, order: str) -> Iterator[Row]:
        """The calls of a table, and word of how many of all there are were given."""
        total = sum(
            self._connection.execute(f'select count(*) from "{one}"').fetchone()[0]
            for one in ("turns", "responses") if one in self.names
        )  # fmt: skip
        for row in self.rows(table, order):
            yield row
            self._calls += 1
            self._told(self._calls / total)

    def rows(self, table: str, order: str) -> list[Row]:
        if table not in self.names:
            return []
        return [dict(row) for row in self._connection.execute(f'select * from "{table}" order by {order}')]

    def by(self, table: str, key: str, order: str) -> dict[Any, list[Row]]:
        found: dict[Any, list[Row]] = {}
        for row in self.rows(table, order):
            found.setdefault(row.get(key), []).append(row)
        return found


@dataclass(slots=True)
class _Thread:
    """The prompt that is being answered in a thread, and when its last call ended."""

    root: Draft | None = None
    end_ns: int = 0
    last: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)


class _Prompts:
    """Calls in the order of their time, as traces."""

    def __init__(self, tables: _Tables) -> None:
        self._drafts = Drafts(NAME)
        self._threads: dict[str, _Thread] = {}
        self._schemas = {row["id"]: row.get("content") for row in tables.rows("schemas", "id")}

    def add(self, row: Row, thread_id: str, heard: list[Message], answer: Message, tools: list[Row]) -> list[SpanPart]:
        """One call: what it was given, what it answered. `heard` is the whole conversation before."""
        start = time_ns(row.get("datetime_utc")) or 0
        duration = row.get("duration_ms")
        end = start + (duration * 1_000_000 if isinstance(duration, int) and 0 <= duration < 10**12 else 0)
        thread = self._threads.setdefault(thread_id, _Thread())
        goes_on = bool(heard) and heard[-1].role == "tool" and thread.root is not None
        root = thread.root if goes_on else None
        if root is None:
            key = str(row["id"])
            root = self._drafts.draft(
                ids.trace_id(f"{NAME} {key}"), f"prompt {key}", None, "llm.prompt", "chain", start
            )
            asked = [one for one in heard if one.role == "user"]
            root.reading["input"] = said(*asked[-1:])
            thread.root, thread.calls = root, []
        self._results(thread, root, heard, start)
        self._call(row, root, heard, answer, tools, (start, end))
        root.reading["output"] = said(answer)
        root.reach(end)
        self._drafts.touch(root)
        thread.end_ns, thread.last = end, str(row["id"])
        thread.calls = [part for part in answer.parts if part["type"] == "tool_call"]
        return self._drafts.take(SCOPE, {"service": NAME, "session_id": thread_id})

    def _results(self, thread: _Thread, root: Draft, heard: list[Message], start: int) -> None:
        """Tools ran between the end of the call that asked for them and the start of the one that got the results."""
        for one in heard:
            for part in one.parts if one.role == "tool" else ():
                call = next((c for c in thread.calls if c.get("id") == part.get("id")), None)
                if call is None:
                    continue
                thread.calls.remove(call)  # without ids, results come in the order of their calls
                name = call.get("name") or "tool"
                key = part.get("id") or f"{thread.last} {len(thread.calls)}"
                span = self._drafts.draft(
                    root.trace_id, f"{root.source_id} tool {key}", root.span_id, str(name), "tool",
                    min(thread.end_ns, start),
                )  # fmt: skip
                span.reading["tool"] = Tool(text(name), text(part.get("id")), call.get("arguments"), part.get("result"))
                span.reach(start)
                if part.get("exception"):
                    span.fail(str(part["exception"])[:2000])

    def _call(
        self, row: Row, root: Draft, heard: list[Message], answer: Message, tools: list[Row], at: tuple[int, int]
    ) -> None:
        call = self._drafts.draft(root.trace_id, f"call {row['id']}", root.span_id, "llm.call", "llm", at[0])
        call.source_id = str(row["id"])
        call.reach(at[1])
        answered = mapping(decoded(row.get("response_json")))
        reading = call.reading
        reading["operation"] = "chat"
        reading["request_model"] = text(row.get("model"))
        reading["model"] = text(row.get("resolved_model")) or text(answered.get("model")) or text(row.get("model"))
        reading["response_id"] = text(answered.get("id"))
        reading["params"] = mapping(decoded(row.get("options_json"))) or None
        reading["system"] = tuple(one for one in heard if one.role == "system")
        reading["input"] = said(*[_plain(one) for one in heard if one.role != "system"])
        reading["output"] = said(answer)
        if finish := text(answered.get("finish_reason") or answered.get("stop_reason")):
            reading["finish_reasons"] = (finish,)
        counts = {name: row[name] for name in ("input_tokens", "output_tokens") if isinstance(row.get(name), int)}
        if counts:
            said_more = from_details({**mapping(decoded(row.get("token_details"))), **counts})
            reading["usage"] = Usage(**{name: n for name, n in said_more.items() if name in USAGE_FIELDS})
        if tools:
            reading["tool_definitions"] = [
                {
                    "type": "function", "name": tool.get("name"), "description": tool.get("description"),
                    "parameters": decoded(tool.get("input_schema")),
                }
                for tool in tools
            ]  # fmt: skip
        if row.get("schema_id"):
            call.attributes["llm.schema_id"] = str(row["schema_id"])
            if schema := decoded(self._schemas.get(row["schema_id"])):
                reading["params"] = {**(reading["params"] or {}), "schema": schema}


def _plain(one: Message) -> Message:
    """Without what only our own tool spans need."""
    if not any("exception" in part for part in one.parts):
        return one
    return Message(one.role, tuple({k: v for k, v in part.items() if k != "exception"} for part in one.parts))


# --- turns


def _turns(tables: _Tables) -> Iterator[SpanPart]:
    chain = {row["hash"]: row for row in tables.rows("messages", "rowid")}
    says = _Messages(tables)
    tools = {row["id"]: row for row in tables.rows("tools", "id")}
    of_turn = tables.by("turn_tools", "turn_id", "tool_id")
    prompts = _Prompts(tables)
    for turn in tables.calls("turns", "datetime_utc, id"):
        heard = [says.message(row) for row in _path(chain, turn.get("parent_message_hash"))]
        new = _path(chain, turn.get("tip_message_hash"), turn.get("parent_message_hash"))
        parts = tuple(part for row in new for part in says.message(row).parts)
        offered = [tools[link["tool_id"]] for link in of_turn.get(turn["id"], []) if link.get("tool_id") in tools]
        thread = str(turn.get("thread_id") or turn["id"])
        yield from prompts.add(turn, thread, heard, Message("assistant", parts), offered)


def _path(chain: dict[Any, Row], tip: Any, until: Any = None) -> list[Row]:
    """The messages that lead to this one, first to last; a damaged chain that turns upon itself ends there."""
    out: list[Row] = []
    seen = set()
    while tip is not None and tip != until and tip in chain and tip not in seen:
        seen.add(tip)
        out.append(chain[tip])
        tip = chain[tip].get("parent_hash")
    return out[::-1]


class _Messages:
    def __init__(self, tables: _Tables) -> None:
        self._parts = tables.by("parts", "message_hash", "position, id")
        self._attached = tables.by("part_attachments", "part_id", '"order"')
        self._fragments = tables.by("part_fragments", "part_id", '"order"')
        self._files = {row["id"]: row for row in tables.rows("attachments", "id")}
        self._texts = {row["id"]: row for row in tables.rows("fragments", "id")}
        self._made: dict[Any, Message] = {}

    def message(self, row: Row) -> Message:
        made = self._made.get(row["hash"])
        if made is None:
            found = [part for one in self._parts.get(row["hash"], []) for part in self._part(one)]
            made = self._made[row["hash"]] = Message(str(row.get("role") or "user"), tuple(found))
        return made

    def _part(self, row: Row) -> Iterator[dict[str, Any]]:
        kind, payload = row.get("type"), mapping(decoded(row.get("payload")))
        words = row.get("text")
        fragments = [self._texts[link["fragment_id"]] for link in self._fragments.get(row["id"], [])
                     if link.get("fragment_id") in self._texts]  # fmt: skip
        if (spelt := _spelt(payload.get("text_ref"), fragments)) is not None:
            words, fragments, payload = spelt, [], {}
        for fragment in fragments:
            yield {"type": "text", "text": str(fragment.get("content") or "")}
        if kind == "tool_call":
            name = payload.get("name") or row.get("tool_name")
            yield {"type": "tool_call", "id": payload.get("tool_call_id"), "name": name,
                   "arguments": decoded(payload.get("arguments"))}  # fmt: skip
        elif kind == "tool_result":
            made = {"type": "tool_result", "id": payload.get("tool_call_id"), "result": payload.get("output")}
            yield {**made, "exception": payload["exception"]} if payload.get("exception") else made
        elif kind == "reasoning":
            if thought := str(words or payload.get("text") or ""):  # else it was kept back by the provider
                yield {"type": "reasoning", "text": thought}
        elif words and not (fragments and words == "".join(str(f.get("content") or "") for f in fragments)):
            yield {"type": "text", "text": str(words)}
        elif payload and kind != "attachment":
            yield {"type": "data", "data": payload}
        for link in self._attached.get(row["id"], []):
            if (file := self._files.get(link.get("attachment_id"))) is not None:
                yield _attachment(file)


def _spelt(pieces: Any, fragments: list[Row]) -> str | None:
    """A text that was put together of fragments, each stored once: {"fragment": 1} is the one with that id."""
    if not isinstance(pieces, list) or not all(isinstance(piece, dict) for piece in pieces):
        return None
    texts = {row["id"]: str(row.get("content") or "") for row in fragments}
    return "".join(
        texts.get(piece["fragment"], "") if "fragment" in piece else str(piece.get("literal") or "") for piece in pieces
    )


def _attachment(row: Row) -> dict[str, Any]:
    mime = str(row.get("type") or "application/octet-stream")
    family = mime.partition("/")[0]
    made: dict[str, Any] = {"type": family if family in ("image", "audio") else "file", "mime_type": mime}
    where = row.get("url") or row.get("path")
    made["url" if where else "file_id"] = str(where or row["id"])
    content = row.get("content")
    return {**made, "size": len(content)} if isinstance(content, bytes) else made


# --- responses


def _responses(tables: _Tables) -> Iterator[SpanPart]:
    calls = tables.by("tool_calls", "response_id", "id")
    results = tables.by("tool_results", "response_id", "id")
    tools = {row["id"]: row for row in tables.rows("tools", "id")}
    offered = tables.by("tool_responses", "response_id", "tool_id")
    attached = tables.by("prompt_attachments", "response_id", '"order"')
    texts = _Fragments(tables)
    files = {row["id"]: row for row in tables.rows("attachments", "id")}
    history: dict[str, list[Message]] = {}
    prompts = _Prompts(tables)
    for row in tables.calls("responses", "datetime_utc, id"):
        thread = str(row.get("conversation_id") or row["id"])
        before = history.setdefault(thread, [])
        row = {**row, "prompt": texts.before("prompt", row), "system": texts.before("system", row)}
        before += _heard(row, results.get(row["id"], []), [
            _attachment(files[link["attachment_id"]]) for link in attached.get(row["id"], [])
            if link.get("attachment_id") in files
        ])  # fmt: skip
        system = [Message("system", ({"type": "text", "text": str(row["system"])},))] if row.get("system") else []
        answer = _answer(row, calls.get(row["id"], []))
        own = [tools[link["tool_id"]] for link in offered.get(row["id"], []) if link.get("tool_id") in tools]
        yield from prompts.add(row, thread, [*system, *before], answer, own)
        before.append(answer)


class _Fragments:
    """Texts that stood before a prompt or a system prompt, each stored once."""

    def __init__(self, tables: _Tables) -> None:
        self._texts = {row["id"]: str(row.get("content") or "") for row in tables.rows("fragments", "id")}
        self._links = {
            field: tables.by(f"{field}_fragments", "response_id", '"order"') for field in ("prompt", "system")
        }

    def before(self, field: str, row: Row) -> str:
        found = [self._texts.get(link.get("fragment_id"), "") for link in self._links[field].get(row["id"], [])]
        return "\n".join(text for text in (*found, str(row.get(field) or "")) if text)


def _heard(row: Row, results: list[Row], files: list[dict[str, Any]]) -> list[Message]:
    out = []
    if row.get("prompt") or files:
        words = [{"type": "text", "text": str(row["prompt"])}] if row.get("prompt") else []
        out.append(Message("user", (*words, *files)))
    if results:
        parts = [{"type": "tool_result", "id": one.get("tool_call_id"), "result": one.get("output")} for one in results]
        parts = [
            {**part, "exception": one["exception"]} if one.get("exception") else part
            for part, one in zip(parts, results, strict=True)
        ]
        out.append(Message("tool", tuple(parts)))
    return out


def _answer(row: Row, calls: list[Row]) -> Message:
    parts: list[dict[str, Any]] = []
    if row.get("reasoning"):
        parts.append({"type": "reasoning", "text": str(row["reasoning"])})
    if row.get("response"):
        parts.append({"type": "text", "text": str(row["response"])})
    parts += [
        {"type": "tool_call", "id": one.get("tool_call_id"), "name": one.get("name"),
         "arguments": decoded(one.get("arguments"))}
        for one in calls
    ]  # fmt: skip
    return Message("assistant", tuple(parts))
