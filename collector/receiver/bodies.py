"""A request's body: read and inflated within limits, and what type it is."""

from __future__ import annotations

import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from io import BytesIO

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


def announced(length: str | None, limit: int) -> int:
    """The length that a header tells; 0 for none. TooLarge over the limit."""
    said = int(length) if length and length.isascii() and length.isdigit() and len(length) < 20 else 0
    if said > limit:
        raise TooLarge(f"a body of {said:,} bytes is over the limit of {limit:,}; send smaller batches")
    return said


async def read(chunks: AsyncIterator[bytes], limit: int, held: Callable[[int], None]) -> bytes:
    """The whole body as it came; TooLarge as soon as it is over the limit. `held` hears how much there is so far."""
    first, size, buffer = b"", 0, BytesIO()
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"the body is over the limit of {limit:,} bytes; send smaller batches")
        held(size)
        if size == len(chunk):
            first = chunk
            continue
        if first:
            buffer.write(first)
            first = b""
        buffer.write(chunk)
    return first or buffer.getvalue()  # which is the buffer itself: joining pieces would hold all of it twice


def inflate(body: bytes, encoding: str | None, limit: int) -> bytes:
    """Undo Content-Encoding, to at most `limit` bytes: a small body can inflate a thousandfold.

    DecodeError where the body is damaged or cut short, TooLarge over the limit, UnsupportedMedia.
    """
    name = (encoding or "").strip().lower()
    if name in ("", "identity"):
        return body
    pieces = ENCODINGS.get(name)
    if pieces is None:
        raise UnsupportedMedia(
            f"content encoding {name[:40]!r} is not read here; send gzip, deflate, zstd or none at all"
        )
    out, size = BytesIO(), 0  # as in `read`: pieces that are joined are held twice
    for piece in pieces(body, limit):
        size += len(piece)
        if size > limit:
            raise TooLarge(f"the body inflates to more than the limit of {limit:,} bytes; send smaller batches")
        out.write(piece)
    return out.getvalue()


def _gunzip(body: bytes, limit: int) -> Iterator[bytes]:
    return _zlib_pieces(body, GZIP, "gzip")


def _inflate_deflate(body: bytes, limit: int) -> Iterator[bytes]:
    """HTTP's deflate is a zlib stream (RFC 9110, 8.4.1.2); some send it without zlib's two bytes of header."""
    wrapped = len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _zlib_pieces(body, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS, "deflate")


def _zlib_pieces(body: bytes, window_bits: int, name: str) -> Iterator[bytes]:
    while body:  # one gzip body may be several members, one behind the other
        member = zlib.decompressobj(window_bits)
        rest = body
        while not member.eof:
            try:
                piece = member.decompress(rest, STEP)
            except zlib.error as e:
                raise DecodeError(f"a body of {len(body):,} bytes said to be {name} is not: {e}") from e
            rest = member.unconsumed_tail
            if piece:
                yield piece
            elif not rest and not member.eof:
                raise DecodeError(f"the {name} body ends in the middle; it was cut short on its way")
        body = member.unused_data


def _unzstd(body: bytes, limit: int) -> Iterator[bytes]:
    """The standard library reads zstd from 3.14 on; until then its backport does, under the same names."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    # A frame names the memory that reading it takes: no more than a body of ours may be long.
    window: dict[int, int] = {zstd.DecompressionParameter.window_log_max: min(max(limit.bit_length(), 23), 27)}
    while body:
        member, rest = zstd.ZstdDecompressor(options=window), body
        while not member.eof:
            try:
                piece = member.decompress(rest, STEP)
            except zstd.ZstdError as e:
                raise DecodeError(f"a body of {len(body):,} bytes said to be zstd is not: {e}") from e
            rest = b""
            if piece:
                yield piece
            elif member.needs_input and not member.eof:
                raise DecodeError("the zstd body ends in the middle; it was cut short on its way")
        body = member.unused_data


ENCODINGS: Mapping[str, Callable[[bytes, int], Iterator[bytes]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate_deflate,
    "zstd": _unzstd,
}
"""Content-Encoding -> the inflated body in pieces. The second argument is the size it may have."""
