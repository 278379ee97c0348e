"""Files to batches: native JSON lines, OTLP JSON (a document, or one a line), OTLP protobuf; each also gzipped.

What a file is, is told from its first bytes, never from its name. A bad line is a Refusal; the rest goes on.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Protocol

from collector.errors import DecodeError
from collector.model import Batch, Refusal
from collector.protocols import native, otlp
from collector.protocols.limits import SAMPLE_CHARS, Limits

SOURCE = "import"
GZIP, SQLITE = b"\x1f\x8b", b"SQLite format 3\x00"
SNIFFED_BYTES = 4096
LINES_A_BATCH = 500
JSON_TYPE, PROTOBUF_TYPE = "application/json", "application/x-protobuf"
LIMITS = Limits(spans=100_000_000)  # a file is the user's own: no reason to refuse it for its size


class Readable(Protocol):
    """Something with bytes in it, read once from the front."""

    def read(self, size: int = -1, /) -> bytes: ...


def read(path: Path) -> Iterator[Batch]:
    """The batches of one file, in order. DecodeError when nothing here reads it; OSError when it is not there."""
    with path.open("rb") as raw:
        yield from read_stream(raw, str(path))


def read_stream(raw: Readable, name: str) -> Iterator[Batch]:
    """As `read`, of an open binary stream; `name` is for messages."""
    head, stream = _peek(raw)
    if not head.startswith(GZIP):
        yield from _batches(head, stream, name)
        return
    try:
        with gzip.GzipFile(fileobj=stream) as inflated:
            inner, whole = _peek(inflated)
            yield from _batches(inner, whole, name)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DecodeError(f"{name} is a gzip file that breaks off: {error}; what came before is imported") from error


def _peek(stream: Readable) -> tuple[bytes, IO[bytes]]:
    """The first bytes, and a stream that still begins with them."""
    head = stream.read(SNIFFED_BYTES)
    return head, io.BufferedReader(_Joined(head, stream))


class _Joined(io.RawIOBase):
    """Bytes already read, then the rest of their stream (a pipe cannot seek back)."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._head[: len(buffer)] if self._head else self._rest.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def _batches(head: bytes, stream: IO[bytes], name: str) -> Iterator[Batch]:
    if head.startswith(SQLITE):
        raise DecodeError(f"{name} is a SQLite file, not an export: open it with `tracetui {name}`")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise DecodeError(f"{name} is empty")
    if start[:1] in (b"{", b"["):
        yield from _json(stream, name)
        return
    yield _from_import(_protobuf(stream.read(), name))


def _protobuf(body: bytes, name: str) -> Batch:
    """Spans, or else log records: the two requests have the same outline, only what they hold tells them apart."""
    try:
        spans = otlp.decode_traces(body, PROTOBUF_TYPE, LIMITS)
        logs = Batch(SOURCE) if spans.parts else otlp.decode_logs(body, PROTOBUF_TYPE, LIMITS)
    except DecodeError as error:
        raise DecodeError(
            f"{name} is neither JSON lines (native or OTLP), nor OTLP JSON, nor OTLP protobuf: {error}"
        ) from error
    return logs if logs.parts else spans


def _json(stream: IO[bytes], name: str) -> Iterator[Batch]:
    """JSON that begins with a whole document on its first line is JSON lines; else all of it is one document."""
    first = b""
    for first in stream:
        if first.strip():
            break
    first = first.removeprefix(b"\xef\xbb\xbf")
    try:
        kind = kind_of(json.loads(first))
    except ValueError:
        yield from _document(first + stream.read(), name)
        return
    if kind is None:
        raise DecodeError(f"{name}: its first line is JSON, but neither a native line nor OTLP: {_sample(first)}")
    for lines in _chunks(first, stream):
        yield from _lines(lines)


def kind_of(document: object) -> str | None:
    """ "native", "traces" (OTLP spans), "logs" (OTLP log records), or None."""
    if not isinstance(document, dict):
        return None
    if "resourceSpans" in document or "resource_spans" in document:
        return "traces"
    if "resourceLogs" in document or "resource_logs" in document:
        return "logs"
    return "native" if document.get("type") in ("span", "score", "process", "sampled_out") else None


def _document(body: bytes, name: str) -> Iterator[Batch]:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise DecodeError(f"{name} begins like JSON but is not: {error}") from error
    documents = document if isinstance(document, list) else [document]
    kinds = [kind_of(one) for one in documents]
    if not any(kinds):
        raise DecodeError(f"{name} is JSON, but neither native lines nor OTLP (no resourceSpans, no resourceLogs)")
    yield from _lines([json.dumps(one).encode() for one in documents])


def _chunks(first: bytes, stream: IO[bytes]) -> Iterator[list[bytes]]:
    chunk = [first]
    for line in stream:
        if line.strip():
            chunk.append(line)
        if len(chunk) >= LINES_A_BATCH:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _lines(lines: Iterable[bytes]) -> Iterator[Batch]:
    """A batch of the native lines among these, and one for every OTLP document."""
    own: list[str] = []
    for line in lines:
        try:
            kind = kind_of(json.loads(line))
        except ValueError:
            kind = None
        if kind == "native":
            own.append(line.decode("utf-8", "replace"))
        elif kind is None:
            yield Batch(SOURCE, refused=(Refusal("a line that is neither native nor OTLP JSON", _sample(line)),))
        else:
            yield _otlp(line, kind)
    if own:
        yield _from_import(native.decode(own))


def _otlp(line: bytes, kind: str) -> Batch:
    decode = otlp.decode_traces if kind == "traces" else otlp.decode_logs
    try:
        return _from_import(decode(line, JSON_TYPE, LIMITS))
    except DecodeError as error:
        return Batch(SOURCE, refused=(Refusal(f"OTLP that cannot be read: {error}", _sample(line)),))


def _from_import(batch: Batch) -> Batch:
    return replace(batch, source=SOURCE)


def _sample(line: bytes) -> str:
    return line[: SAMPLE_CHARS * 4].decode("utf-8", "replace")[:SAMPLE_CHARS].strip()
