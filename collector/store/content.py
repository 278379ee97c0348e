"""Content is stored once: texts, messages and histories under the hash of what they are.

An agent resends its whole history with every call; stored as it comes, a file grows with the square of
the turns. Here every string is a row of `texts`, a message refers to its strings, and a history is a path
in a Merkle tree of messages, so that each turn adds only what is new. `recipes.py` does the same for the
attributes that repeat the conversation.

Everything is named by content, so encoding needs no look-up in the file and happens before any lock.
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

import orjson

from collector.memo import Memo
from collector.model import Document, Link, Message, Resource, Scope, Tool, Value
from collector.store import media
from collector.store.search import needs_spacing

BLOB = "blob "
"""Before the hash of a file where texts and files are told apart: a text and a file of the same bytes are two rows."""
INLINE = 64
"""Strings shorter than this stay where they are: a reference costs about as much."""

WHOLE = 4096
"""A JSON value up to this size is kept as one text, so that search finds what is in it."""


def hash_text(text: str) -> str:
    """The name of a text: 22 characters, base64url of 16 bytes of sha256."""
    return hash_bytes(text.encode())


_URL = bytes.maketrans(b"+/", b"-_")


def hash_bytes(data: bytes) -> str:
    return b2a_base64(hashlib.sha256(data).digest()[:16]).translate(_URL)[:22].decode()


Elements = Memo[tuple[str, tuple[str, ...]]]
"""Of an element of a list, as it was sent: its body in `recipes`, and the texts that the body refers to."""


class Encoder:
    """Collects the rows that a batch of spans needs in the content tables.

    `known` says of a hash whether the file surely has it already (then it is not collected again);
    it may forget, it must never be wrong. `used` lists the texts referred to since it was last emptied;
    `mark` is a place in it (where the new part of an input begins). `elements` is what `recipes.py` remembers
    from batch to batch.
    """

    def __init__(self, known: Mapping[str, object] | None = None, elements: Elements | None = None) -> None:
        self.known = known if known is not None else {}
        self.elements: Elements = elements if elements is not None else Memo(0)
        self.texts: dict[str, tuple[str, int, str | None]] = {}
        self.blobs: dict[str, tuple[int, bytes]] = {}
        self.messages: dict[str, tuple[str, str | None, str]] = {}
        self.nodes: dict[str, tuple[str, str, int]] = {}
        self.recipes: dict[str, tuple[str, str, int]] = {}
        self.contexts: dict[str, tuple[str, str]] = {}
        self.used: list[str] = []
        self.mark = 0
        self._names: dict[str, str] = {}
        self._contexts: dict[int, tuple[object, str]] = {}
        self._messages: dict[int, tuple[Message, str, list[str]]] = {}
        self._paths: dict[tuple[str, str], str] = {}

    def text(self, text: str) -> str:
        """Collect a text, return its hash. It is noted in `used`, for the search index."""
        name = self._names.get(text)
        if name is None:
            name = self._names[text] = hash_bytes(text.encode())
            if name not in self.known:
                self.texts[name] = self._text(text)
        self.used.append(name)
        return name

    def _text(self, text: str) -> tuple[str, int, str | None]:
        found = media.split(text)
        if found is None:
            return text, int(needs_spacing(text)), None
        return found[0], 0, self.blob(found[1])

    def blob(self, data: bytes) -> str:
        """Collect the bytes of a file, return their hash."""
        name = hash_bytes(data)
        if BLOB + name not in self.known:
            self.blobs[name] = (len(data), data)
        return name

    def value(self, value: Value) -> Any:
        """A value as JSON can hold it, with long strings referred to."""
        if isinstance(value, str):
            return value if len(value) < INLINE else {"$t": self.text(value)}
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if -(2**63) <= value < 2**63 else {"$i": str(value)}
        if isinstance(value, float):
            return value if isfinite(value) else {"$f": str(value)}
        if isinstance(value, bytes) and len(value) >= media.LEAST:
            return {"$d": self.blob(value)}
        if isinstance(value, bytes):
            return {"$b": b2a_base64(value, newline=False).decode()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            encoded = {str(key): self.value(item) for key, item in value.items()}
            if len(encoded) == 1 and next(iter(encoded)).startswith("$"):
                return {"$o": encoded}
            return encoded
        return {"$t": self.text(repr(value))}

    def whole(self, value: Value) -> Any:
        """Like `value`, but a text is always referred to, and a JSON value becomes one text where it is small."""
        if isinstance(value, str):
            return {"$t": self.text(value)}
        if isinstance(value, dict | list) and value:
            try:
                text = orjson.dumps(value)
            except TypeError:
                return self.value(value)
            if len(text) <= WHOLE:
                return {"$j": self.text(text.decode())}
        return self.value(value)

    def message(self, message: Message) -> str:
        """The hash of a message. `path` remembers the object: in a session log each call holds all that was said."""
        before = len(self.used)
        parts = dumps([self._part(part) for part in message.parts])
        head = dumps([message.role, message.name])
        name = hash_bytes((head + parts).encode())
        if name not in self.known:
            self.messages.setdefault(name, (message.role, message.name, parts))
        self._messages[id(message)] = (message, name, self.used[before:])
        return name

    def _part(self, part: Mapping[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, value in part.items():
            if key == "text" and isinstance(value, str):
                out[key] = {"$t": self.text(value)} if value else value
            elif key in ("arguments", "result", "data"):
                out[key] = self.whole(value)
            else:
                out[key] = self.value(value)
        return out

    def path(self, messages: Sequence[Message], parent: str = "", depth: int = 0) -> str:
        """Append messages to a path of the conversation tree; return the hash of its last node ('' if none)."""
        seen, steps = self._messages, self._paths
        for message in messages:
            depth += 1
            if (known := seen.get(id(message))) is not None and known[0] is message:
                name = known[1]
                self.used += known[2]
            else:
                name = self.message(message)
            parent = steps.get((parent, name)) or self._step(parent, name, depth)
        return parent

    def _step(self, parent: str, message: str, depth: int) -> str:
        name = self._paths[parent, message] = hash_bytes((parent + message).encode())
        if name not in self.known:
            self.nodes.setdefault(name, (parent, message, depth))
        return name

    def context(self, kind: str, context: Resource | Scope | None) -> str | None:
        """The hash of a resource or scope. The same object is encoded once a batch."""
        if context is None:
            return None
        seen = self._contexts.get(id(context))
        if seen is not None and seen[0] is context:
            return seen[1]
        if isinstance(context, Resource):
            fields = [self.value(dict(context.attributes)), context.dropped, context.schema_url]
            if context.entity_refs:
                fields.append(list(context.entity_refs))
        else:
            attributes = self.value(dict(context.attributes))
            fields = [context.name, context.version, attributes, context.dropped, context.schema_url]
        body = dumps(fields)
        name = hash_bytes((kind + body).encode())
        if name not in self.known:
            self.contexts.setdefault(name, (kind, body))
        self._contexts[id(context)] = (context, name)
        return name

    def links(self, links: Iterable[Link]) -> str | None:
        rows = [
            [ln.trace_id, ln.span_id, ln.trace_state, self.value(dict(ln.attributes)), ln.dropped, ln.flags]
            for ln in links
        ]
        return dumps(rows) if rows else None

    def tool(self, tool: Tool | None) -> str | None:
        if tool is None:
            return None
        arguments, result = self.whole(tool.arguments), self.whole(tool.result)
        return dumps({"name": tool.name, "call_id": tool.call_id, "arguments": arguments, "result": result})

    def documents(self, documents: Iterable[Document]) -> str | None:
        rows = [
            [
                d.id,
                None if d.content is None else {"$t": self.text(d.content)},
                d.score,
                d.rank,
                self.value(d.metadata),
                *(() if d.rank_before is None else (d.rank_before,)),
            ]  # fmt: skip
            for d in documents
        ]
        return dumps(rows) if rows else None


def dumps(value: Any) -> str:
    return orjson.dumps(value).decode()
