"""What comes in pieces, cut into documents, whatever the pieces were cut at: server-sent events, JSON by lines, one
JSON array, and the binary events of AWS."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, Protocol

import orjson


class Cutter(Protocol):
    """Cuts pieces into documents."""

    def take(self, piece: bytes) -> Iterator[bytes]:
        """Every document that this piece ends."""

    def rest(self) -> Iterator[bytes]:
        """What a body that ended early still holds."""


class EventLines:
    """Server-sent events (html.spec.whatwg.org/multipage/server-sent-events.html): the data of each. Comments, ids and
    names of events are passed over: the APIs read here repeat the name in the data."""

    def __init__(self) -> None:
        self._pending: list[bytes] = []
        self._data: list[bytes] = []

    def take(self, piece: bytes) -> Iterator[bytes]:
        if b"\n" not in piece and b"\r" not in piece:  # joined later: a long line in small pieces costs no more
            self._pending.append(piece)
            return
        text = b"".join((*self._pending, piece)).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._pending = [rest] if rest else []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                yield b"\n".join(self._data)
                self._data = []

    def rest(self) -> Iterator[bytes]:
        """What a body that ended without its last empty line still holds."""
        yield from self.take(b"\n\n")


class JsonLines:
    """A document a line, as Ollama streams (github.com/ndjson/ndjson-spec)."""

    def __init__(self) -> None:
        self._pending: list[bytes] = []

    def take(self, piece: bytes) -> Iterator[bytes]:
        if b"\n" not in piece:
            self._pending.append(piece)
            return
        *lines, rest = b"".join((*self._pending, piece)).split(b"\n")
        self._pending = [rest] if rest else []
        yield from filter(None, map(bytes.strip, lines))

    def rest(self) -> Iterator[bytes]:
        yield from self.take(b"\n")


_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'\\.|"', re.DOTALL)


class JsonArray:
    """The objects of one array, as Gemini streams where nobody asks for events. Every byte is looked at once."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = self._begin = self._depth = 0
        self._in_text = False

    def take(self, piece: bytes) -> Iterator[bytes]:
        self._buffer += piece
        while found := (_INSIDE if self._in_text else _OUTSIDE).search(self._buffer, self._at):
            self._at = found.end()
            mark = self._buffer[found.start()]
            if mark == 0x22:  # '"'
                self._in_text = not self._in_text
            elif self._in_text:
                continue
            elif mark in b"{[":
                if not self._depth and mark == 0x7B:  # the brackets of the array itself are not counted
                    self._begin = found.start()
                self._depth += 1 if self._depth or mark == 0x7B else 0
            elif self._depth:
                self._depth -= 1
                if not self._depth:
                    yield bytes(self._buffer[self._begin : self._at])
                    del self._buffer[: self._at]
                    self._at = 0
        cut_escape = self._in_text and len(self._buffer) > self._at and self._buffer.endswith(b"\\")
        self._at = len(self._buffer) - cut_escape

    def rest(self) -> Iterator[bytes]:
        if self._depth:
            yield bytes(self._buffer[self._begin :])


MOST_FRAME = 24_000_000
_HEAD = 12


class AwsEvents:
    """Binary events (smithy.io/2.0/aws/amazon-eventstream.html): {its name: its payload}; an exception as {"error"};
    a `chunk`, which holds another API's event in base64, as that. Checksums are the caller's to check."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def take(self, piece: bytes) -> Iterator[bytes]:
        self._buffer += piece
        while len(self._buffer) >= _HEAD:
            size, head = (int.from_bytes(self._buffer[at : at + 4], "big") for at in (0, 4))
            if not _HEAD + 4 + head <= size <= MOST_FRAME:
                self._buffer.clear()
                yield b"{"  # counted among what could not be read; where the next begins, nobody knows
                return
            if len(self._buffer) < size:
                return
            frame = bytes(self._buffer[:size])
            del self._buffer[:size]
            yield _event(_headers(frame[_HEAD : _HEAD + head]), frame[_HEAD + head : -4])

    def rest(self) -> Iterator[bytes]:
        if self._buffer:
            self._buffer.clear()
            yield b"{"


def _headers(data: bytes) -> dict[str, str]:
    """Those that are texts (type 7), as all of ours are; what follows another kind is not read."""
    out, at = {}, 0
    while at < len(data):
        name = data[at + 1 : at + 1 + data[at]].decode("utf-8", "replace")
        at += 1 + data[at]
        if data[at : at + 1] != b"\x07":
            break
        size = int.from_bytes(data[at + 1 : at + 3], "big")
        out[name] = data[at + 3 : at + 3 + size].decode("utf-8", "replace")
        at += 3 + size
    return out


def _event(headers: dict[str, str], payload: bytes) -> bytes:
    try:
        said: Any = orjson.loads(payload) if payload else {}
        if headers.get(":message-type") != "event":
            name = headers.get(":exception-type") or headers.get(":error-code") or "exception"
            message = said.get("message") or headers.get(":error-message") or name
            return orjson.dumps({"error": {"type": name, "message": message}})
        if headers.get(":event-type") == "chunk":
            return b64decode(said["bytes"])
        return orjson.dumps({headers[":event-type"]: said})
    except (ValueError, KeyError, TypeError, AttributeError):
        return b"{"
