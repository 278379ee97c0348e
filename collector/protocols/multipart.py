"""multipart/form-data: named parts out of a body (RFC 7578), in one pass and within limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from collector.errors import DecodeError, TooLarge

HEAD_BYTES = 16_384
PARTS = 1_000_000


@dataclass(frozen=True, slots=True)
class FormPart:
    """One part: its name, its content type with parameters ("" where it has none), its bytes, and the name of the
    file that they were ("" where it was none)."""

    name: str
    content_type: str
    data: bytes
    filename: str = ""

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.content_type.partition(";")[0].strip().lower()


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type header names. DecodeError where it names none."""
    for item in content_type.split(";")[1:]:
        key, _, value = item.partition("=")
        if key.strip().lower() == "boundary":
            text = value.strip().strip('"')
            if text and len(text) <= 200:
                return text.encode("latin-1", "replace")
    raise DecodeError(f"content type {content_type[:120]!r} names no boundary; multipart/form-data needs one")


def decode(body: bytes, content_type: str, most: int = PARTS) -> Iterator[FormPart]:
    """The parts, in their order. DecodeError for a body that is not multipart or was cut short, TooLarge for more
    parts than `most`."""
    mark = b"--" + boundary_of(content_type)
    at = 0 if body.startswith(mark) else body.find(b"\r\n" + mark) + 2
    if at < 2 and not body.startswith(mark):
        raise DecodeError(f"a body of {len(body):,} bytes never has the boundary that its content type names")
    count = 0
    while True:
        at += len(mark)
        if body.startswith(b"--", at):
            return
        if not body.startswith(b"\r\n", at):
            raise DecodeError(f"after the boundary at byte {at:,} comes neither a line's end nor the end of the form")
        end = body.find(b"\r\n" + mark, at)
        if end < 0:
            raise DecodeError(f"the form ends in the middle of its part {count + 1}; it was cut short on its way")
        count += 1
        if count > most:
            raise TooLarge(f"more than {most:,} parts in one form; send smaller batches")
        yield _part(body, at + 2, end, count)
        at = end + 2


def _part(body: bytes, at: int, end: int, number: int) -> FormPart:
    name, content_type, filename = None, "", ""
    stop = min(end + 2, at + HEAD_BYTES)
    while True:
        line_end = body.find(b"\r\n", at, stop)
        if line_end < 0:
            raise DecodeError(f"part {number} of the form has no end of its headers within {HEAD_BYTES:,} bytes")
        line = body[at:line_end]
        at = line_end + 2
        if not line:
            break
        key, _, value = line.decode("utf-8", "replace").partition(":")
        if key.strip().lower() == "content-disposition":
            name, filename = _value(value, "name"), _value(value, "filename") or ""
        elif key.strip().lower() == "content-type":
            content_type = value.strip()
    if name is None:
        raise DecodeError(f"part {number} of the form has no name")
    return FormPart(name, content_type, body[at:end] if at < end else b"", filename)


def _value(disposition: str, key: str) -> str | None:
    for marker in (f' {key}="', f';{key}="'):
        _, found, rest = disposition.partition(marker)
        if found:
            return rest.partition('"')[0].replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
    for item in disposition.split(";"):
        name, found, rest = item.partition("=")
        if found and name.strip() == key:
            return rest.strip()
    return None
