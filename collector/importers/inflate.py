"""Files within files: gzip, zstd and zip, inflated as they are read and never all at once, to a bounded size."""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Protocol, cast

from collector.errors import DecodeError, TooLarge

if sys.version_info >= (3, 14):
    from compression import zstd
else:  # the standard library reads zstd from 3.14 on; until then its backport does, under the same names
    from backports import zstd

__all__ = ["BROKEN", "GZIP", "WINDOW", "ZIP", "ZSTD", "Readable", "gunzipped", "members", "peek", "unzstd", "zstd"]

GZIP, ZIP, ZSTD = b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"
SNIFFED_BYTES = 65_536
RATIO, FREE_BYTES = 200, 256 * 2**20
"""More than this times its packed size, beyond what is free, is no log but a bomb (JSON logs pack 5 to 30 times)."""
WINDOW: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 27}
"""A frame of zstd names the memory that reading it takes: 128 MB at most, as its own tool has it."""
BROKEN = (EOFError, zlib.error, zstd.ZstdError, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class Readable(Protocol):
    """Something with bytes in it, read once from the front."""

    def read(self, size: int = -1, /) -> bytes: ...


def peek(stream: Readable, size: int = SNIFFED_BYTES) -> tuple[bytes, IO[bytes]]:
    """The first bytes, and a stream that still begins with them."""
    head = b""
    while len(head) < size and (more := stream.read(size - len(head))):
        head += more
    return head, io.BufferedReader(_Joined(head, stream), 1 << 16)


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


class _Counted:
    """Counts what is read through it."""

    def __init__(self, inner: Readable) -> None:
        self._inner, self.bytes = inner, 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._inner.read(size)
        self.bytes += len(data)
        return data


class _Bounded:
    """Inflated bytes, as long as they are in proportion to the packed ones."""

    def __init__(self, inner: gzip.GzipFile | zstd.ZstdFile, packed: _Counted, name: str) -> None:
        self._inner, self._packed, self._name, self._given = inner, packed, name, 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._inner.read1(size if size >= 0 else 1 << 20)  # what is there, before it may break off
        self._given += len(data)
        if self._given > FREE_BYTES + RATIO * self._packed.bytes:
            raise TooLarge(f"{self._name} inflates to over {RATIO} times its size; unpack it yourself if it is yours")
        return data


def gunzipped(stream: Readable, name: str) -> Readable:
    packed = _Counted(stream)
    return _Bounded(gzip.GzipFile(fileobj=cast("IO[bytes]", packed)), packed, name)


def unzstd(stream: Readable, name: str) -> Readable:
    packed = _Counted(stream)
    return _Bounded(zstd.ZstdFile(cast("IO[bytes]", packed), options=WINDOW), packed, name)


def members(stream: IO[bytes], name: str) -> Iterator[tuple[str, Readable | TooLarge | DecodeError]]:
    """The files of a zip, in its order, or why one of them is not read. DecodeError where it is no zip, or cannot be
    sought in (a pipe)."""
    try:
        with zipfile.ZipFile(stream) as archive:
            for info in archive.infolist():
                if info.is_dir() or info.file_size == 0:
                    continue
                if info.file_size > FREE_BYTES + RATIO * info.compress_size:
                    yield info.filename, TooLarge(f"{info.filename} in {name} inflates to over {RATIO} times its size")
                    continue
                if info.flag_bits & 1:
                    yield info.filename, DecodeError(f"{info.filename} in {name} is encrypted; unpack it first")
                    continue
                with archive.open(info) as member:
                    yield f"{info.filename} in {name}", member
    except (io.UnsupportedOperation, *BROKEN) as error:
        raise DecodeError(f"{name} is a zip file that cannot be read: {error}") from error
