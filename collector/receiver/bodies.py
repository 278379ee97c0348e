"""A request's body: read and inflated within limits, and what type it is."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from collector.errors import DecodeError, TooLarge, UnsupportedMedia
from collector.receiver.answers import JSON, PROTOBUF

GZIP = 31  # zlib's window bits for gzip
STEP = 1_000_000


def media_type(header: str | None, body: bytes) -> str:
    """The OTLP content type of a body; a missing header is guessed from the first byte.

    UnsupportedMedia names what is read here.
    """
    name = (header or "").partition(";")[0].strip().lower()
    if name in (PROTOBUF, "application/protobuf"):
        return PROTOBUF
    if name == JSON:
        return JSON
    if not name:
        return JSON if body[:1] == b"{" else PROTOBUF
    raise UnsupportedMedia(f"content type {name!r} is not read here; send {PROTOBUF} or {JSON}")


async def read(chunks: AsyncIterator[bytes], length: str | None, limit: int) -> bytes:
    """The whole body as it came; TooLarge as soon as it is clear that it is over the limit."""
    if length and length.isdigit() and int(length) > limit:
        raise TooLarge(f"a body of {int(length):,} bytes is over the limit of {limit:,}; send smaller batches")
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"the body is over the limit of {limit:,} bytes; send smaller batches")
        parts.append(chunk)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def inflate(body: bytes, encoding: str | None, limit: int) -> bytes:
    """Undo Content-Encoding, to at most `limit` bytes: a small body can inflate a thousandfold."""
    name = (encoding or "").strip().lower()
    if name in ("", "identity"):
        return body
    if name not in ("gzip", "x-gzip"):
        raise UnsupportedMedia(f"content encoding {name!r} is not read here; send gzip or none")
    try:
        return _gunzip(body, limit)
    except zlib.error as e:
        raise DecodeError(f"a body of {len(body):,} bytes said to be gzip is not: {e}") from e


def _gunzip(body: bytes, limit: int) -> bytes:
    out: list[bytes] = []
    size = 0
    while body:  # one gzip file may be several members, one behind the other
        member = zlib.decompressobj(GZIP)
        rest = body
        while rest and not member.eof:
            data = member.decompress(rest, min(STEP, limit - size + 1))
            size += len(data)
            if size > limit:
                raise TooLarge(f"the body inflates to more than the limit of {limit:,} bytes; send smaller batches")
            out.append(data)
            rest = member.unconsumed_tail
            if not data and not rest:
                break
        if not member.eof:
            tail = member.flush(1)
            if size + len(tail) > limit:
                raise TooLarge(f"the body inflates to more than the limit of {limit:,} bytes; send smaller batches")
            if not member.eof:
                raise DecodeError("the gzip body ends in the middle; it was cut short on its way")
            out.append(tail)
        body = member.unused_data
    return b"".join(out)
