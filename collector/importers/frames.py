"""Messages one after another, each behind its length: what the Collector's file exporter writes where its lines would
not do.

With `format: proto` a message is four bytes of its length, the greatest first, and an OTLP request. With
`compression: zstd` it is the same with a compressed request, of JSON or protobuf, each for itself (or, behind a feature
gate, the whole file is one stream of zstd, which `files` unpacks first).
(opentelemetry-collector-contrib, exporter/fileexporter, README and file_writer.go)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from collector.errors import DecodeError
from collector.importers.inflate import WINDOW, ZSTD, zstd
from collector.importers.lines import JSON_TYPE, LIMITS, SOURCE, from_import
from collector.model import Batch, Refusal
from collector.protocols import otlp

LENGTH = 4
MESSAGE_BYTES, PLAIN_BYTES = 64 * 2**20, 256 * 2**20
"""No exporter writes greater requests; inflated, one may not be greater than the longest line."""
_FIELD_1 = b"\x0a"


def begins(head: bytes) -> bool:
    """Whether these bytes begin such a file. A request itself begins with its first field, never with a zero."""
    length, rest = int.from_bytes(head[:LENGTH], "big"), head[LENGTH:]
    return 0 < length <= MESSAGE_BYTES and (rest.startswith(ZSTD) or (head[:1] == b"\0" and rest.startswith(_FIELD_1)))


def read(stream: IO[bytes], name: str) -> Iterator[Batch]:
    """A batch a message. One that breaks off at the end of a file may still be being written: it is left out."""
    while head := stream.read(LENGTH):
        length = int.from_bytes(head, "big")
        if len(head) < LENGTH or length > MESSAGE_BYTES:
            yield _refused("a message that breaks off" if len(head) < LENGTH else "a message that is too long", name)
            return
        body = stream.read(length)
        if len(body) < length:
            yield _refused("a message that breaks off", name)
            return
        try:
            yield _decoded(_plain(body) if body.startswith(ZSTD) else body)
        except DecodeError as error:
            yield _refused(f"OTLP that cannot be read: {error}"[:160], name)


def _refused(reason: str, name: str) -> Batch:
    return Batch(SOURCE, refused=(Refusal(reason, name),))


def _decoded(body: bytes) -> Batch:
    kind = JSON_TYPE if body[:1] == b"{" else "application/x-protobuf"
    if kind == JSON_TYPE and b'"resourceMetrics"' in body[:40]:
        return Batch(SOURCE, refused=(otlp.METRICS,))
    spans = otlp.decode_traces(body, kind, LIMITS)
    return from_import(spans if spans.parts else otlp.decode_logs(body, kind, LIMITS))


def _plain(body: bytes) -> bytes:
    """DecodeError when it is damaged, or inflates to more than it may."""
    unpack = zstd.ZstdDecompressor(options=WINDOW)
    try:
        plain: bytes = unpack.decompress(body, PLAIN_BYTES)
    except (zstd.ZstdError, EOFError, MemoryError) as error:
        raise DecodeError(f"it is not zstd: {error}") from error
    if not unpack.eof:
        raise DecodeError("it breaks off, or inflates to too much")
    return plain
