"""Files to batches: whatever holds traces, and is told by its first bytes, never by its name.

JSON lines and documents: our own, OTLP, Claude Code's and Codex' session logs, exports of Langfuse, Phoenix and
LangSmith, as CSV and Parquet, too; OTLP protobuf; the database of `llm`; any of them in gzip, zstd or zip. A bad line
is a Refusal; the rest goes on.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import orjson

from collector.errors import DecodeError, TooLarge
from collector.importers import exports, frames, inflate, lines, llm_logs
from collector.importers.inflate import GZIP, ZIP, ZSTD, Readable, peek
from collector.importers.lines import LIMITS, SOURCE, Together, from_import, sample
from collector.model import Batch, Refusal, SpanPart
from collector.protocols import otlp
from collector.protocols.jsonbody import weigh

SQLITE, PARQUET = b"SQLite format 3\x00", b"PAR1"
LINES_A_BATCH, BYTES_A_BATCH = 500, 16 * 2**20
LINE_BYTES, DOCUMENT_BYTES = 64 * 2**20, 2**30
"""A line may be as long as a body that a door takes."""
BLOCK_BYTES = 2**16
PROTOBUF_TYPE = "application/x-protobuf"
NESTED = 3
"""A file in a zip in a gzip, and no further."""
BOM, UTF16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


class _Watched(io.FileIO):
    """A file that tells how far it has been read, in bytes from its beginning; never less than before."""

    def __init__(self, path: Path, told: Callable[[int], None]) -> None:
        super().__init__(path)
        self._told, self._far = told, 0

    def readinto(self, buffer: Any) -> int | None:
        count = super().readinto(buffer)
        if count and (at := self.tell()) > self._far:
            self._far = at
            self._told(at)
        return count


def read(
    path: Path, together: Together | None = None, told: Callable[[int], None] = lambda at: None
) -> Iterator[Batch]:
    """The batches of one file, in order. DecodeError when nothing here reads it; OSError when it is not there.
    `together` is shared by files that know of one another (a session and its sub-agents); `told` hears how many bytes
    of the file have been read, time and again."""
    together = together or Together()
    together.sessions.beside(path)
    with io.BufferedReader(_Watched(path, told)) as raw:
        if raw.read(len(SQLITE)) == SQLITE:
            size = path.stat().st_size
            yield from _in_batches(llm_logs.read(path, lambda share: told(int(size * share))))
            return
        raw.seek(0)
        yield from read_stream(raw, str(path), together)


def read_stream(raw: Readable, name: str, together: Together | None = None) -> Iterator[Batch]:
    """As `read`, of an open binary stream; `name` is for messages."""
    yield from _read(raw, name, together or Together(), NESTED)


def _read(raw: Readable, name: str, together: Together, depth: int) -> Iterator[Batch]:
    head, stream = peek(raw)
    if not head.startswith((GZIP, ZIP, ZSTD)):
        yield from _batches(head, stream, name, together)
        return
    if not depth:
        raise DecodeError(f"{name} is packed more than {NESTED} times over")
    if head.startswith(ZIP):
        whole = raw if isinstance(raw, io.BufferedReader) and raw.seekable() else _spooled(stream, name)
        yield from _members(whole, name, together, depth - 1)
        return
    kind, unpack = ("gzip", inflate.gunzipped) if head.startswith(GZIP) else ("zstd", inflate.unzstd)
    try:
        yield from _read(unpack(stream, name), name, together, depth - 1)
    except inflate.BROKEN as error:
        raise DecodeError(f"{name} is a {kind} file that breaks off: {error}; what came before is imported") from error


def _members(whole: IO[bytes], name: str, together: Together, depth: int) -> Iterator[Batch]:
    """What the files of a zip hold. One that nobody reads costs only itself, unless there is no other."""
    trouble: DecodeError | TooLarge | None = None
    read = False
    for member, inner in inflate.members(whole, name):
        if isinstance(inner, TooLarge | DecodeError):
            error: DecodeError | TooLarge = inner
        else:
            try:
                for batch in _read(inner, member, together, depth):
                    read = True
                    yield batch
                continue
            except (DecodeError, TooLarge) as caught:
                error = caught
        if trouble is None:
            trouble = error
        else:
            yield Batch(SOURCE, refused=(Refusal(UNREAD, str(error)),))
    if trouble is not None and not read:
        raise trouble
    if trouble is not None:
        yield Batch(SOURCE, refused=(Refusal(UNREAD, str(trouble)),))


UNREAD = "a file that is read by nobody"


def _spooled(stream: IO[bytes], name: str) -> IO[bytes]:
    return io.BytesIO(_all(stream, name))


def _all(stream: IO[bytes], name: str, first: bytes = b"") -> bytes:
    """`first` and the rest of the stream, held once."""
    whole = io.BytesIO()
    size = whole.write(first)
    while piece := stream.read(1 << 20):
        size += whole.write(piece)
        if size > DOCUMENT_BYTES:
            raise TooLarge(f"{name} is one document of over {DOCUMENT_BYTES >> 20} MB; write it as JSON lines")
    return whole.getvalue()


def _batches(head: bytes, stream: IO[bytes], name: str, together: Together) -> Iterator[Batch]:
    if head.startswith(SQLITE):
        raise DecodeError(f"{name} is a packed SQLite file: unpack it first")
    if not head:
        raise DecodeError(f"{name} is empty")
    if head.startswith(UTF16):
        raise DecodeError(f"{name} is text in UTF-16 (PowerShell's > writes it); write it as UTF-8")
    if frames.begins(head):
        yield from frames.read(stream, name)
        return
    start = head.removeprefix(BOM).lstrip()
    if start[:1] in (b"{", b"["):
        yield from _json(head, stream, name, together)
    elif head.startswith(PARQUET):
        for rows in _parquet(_all(stream, name), name):
            yield exports.decode(exports.kind_of(rows[0] if rows else None) or "phoenix", rows)
    elif (kind := _csv_kind(start)) is not None:
        yield from _csv(kind, stream)
    else:
        yield from_import(_protobuf(_all(stream, name), name))


def _protobuf(body: bytes, name: str) -> Batch:
    """Spans, or else log records: the two requests have the same outline, only what they hold tells them apart."""
    try:
        spans = otlp.decode_traces(body, PROTOBUF_TYPE, LIMITS)
        logs = Batch(SOURCE) if spans.parts else otlp.decode_logs(body, PROTOBUF_TYPE, LIMITS)
    except DecodeError as error:
        raise DecodeError(
            f"{name} is neither JSON lines (native or OTLP), nor OTLP JSON, nor OTLP protobuf, nor any other kind "
            f"that `tracetui import --help` lists: {error}"
        ) from error
    return logs if logs.parts else spans


# --- JSON


def _json(head: bytes, stream: IO[bytes], name: str, together: Together) -> Iterator[Batch]:
    """JSON that begins with a whole object on its first line is JSON lines; else all of it is one document."""
    first = b""
    while (first := _line(stream)) and not first.removeprefix(BOM).strip():
        pass
    first = first.removeprefix(BOM)
    try:
        begins = _begins(first)
    except ValueError:
        begins = None
    if not isinstance(begins, dict) or exports.listed(begins) is not None:
        body = _all(stream, name, first)
        del first, begins
        yield from _document(body, name)
        return
    kind = lines.kind_of(begins) or sniffed(head)
    if kind is None:
        raise DecodeError(f"{name}: its first line is JSON, but neither a native line nor OTLP "
                          f"nor any other kind that is read here: {sample(first)}")  # fmt: skip
    reader = lines.reader(kind, together)
    for chunk in _chunks(first, stream, name):
        if isinstance(chunk, Refusal):
            yield Batch(SOURCE, refused=(chunk,))
        else:
            yield from reader.feed(chunk)


def _line(stream: IO[bytes]) -> bytes:
    """The next line, or its first LINE_BYTES. Put together in the buffer that it is then: `readline` joins a long line
    from pieces, and holds it twice."""
    block = min(BLOCK_BYTES, LINE_BYTES)
    first = stream.readline(block)
    if len(first) < block or first.endswith(b"\n"):
        return first
    whole = io.BytesIO()
    size = whole.write(first)
    del first
    while size < LINE_BYTES and (piece := stream.readline(min(block, LINE_BYTES - size))):
        size += whole.write(piece)
        if piece.endswith(b"\n"):
            break
    return whole.getvalue()


def _begins(first: bytes) -> Any:
    """The document on the first line; None where it is too heavy to be looked into."""
    return None if lines.too_heavy(first) else orjson.loads(first)


def sniffed(head: bytes) -> str | None:
    """The kind of the first whole line that has one."""
    for line in head.splitlines():
        try:
            kind = lines.kind_of(orjson.loads(line))
        except ValueError:
            continue
        if kind is not None:
            return kind
    return None


def _document(body: bytes, name: str) -> Iterator[Batch]:
    weigh(body, name, lines.MEMORY_BYTES)
    try:
        document = _loaded(body)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"{name} begins like JSON but is not: {error}") from error
    del body
    page = exports.listed(document)
    documents: list[Any] = page if page is not None else document if isinstance(document, list) else [document]
    if not any(lines.kind_of(one) not in (None, lines.CLAUDE, lines.CODEX) for one in documents):
        raise DecodeError(f"{name} is JSON, but neither native lines nor OTLP (no resourceSpans, no resourceLogs) "
                          "nor an export of Langfuse, Phoenix or LangSmith")  # fmt: skip
    yield from lines.batches_of(documents)


def _loaded(body: bytes) -> Any:
    """By orjson where it takes it: Python's own makes a text of the whole first, and reads NaN, which some write."""
    try:
        return orjson.loads(body)
    except ValueError:
        return json.loads(body)


def _chunks(first: bytes, stream: IO[bytes], name: str) -> Iterator[list[bytes] | Refusal]:
    """Lines by the batch, of so many bytes too: sessions with pictures have lines of megabytes. A line that is too long
    is left out. Where the stream breaks off, what came before is given first."""
    chunk, size = [first], len(first)
    while True:
        try:
            line = _line(stream)
        except (TooLarge, OSError, *inflate.BROKEN):
            yield chunk
            raise
        if not line:
            break
        if len(line) == LINE_BYTES and not line.endswith(b"\n"):
            yield chunk
            chunk, size = [], 0
            yield Refusal("a line that is too long", sample(line))
            del line
            while (rest := stream.readline(BLOCK_BYTES)) and not rest.endswith(b"\n"):
                pass
            continue
        chunk.append(line)
        size += len(line)
        if len(chunk) >= LINES_A_BATCH or size >= BYTES_A_BATCH:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


# --- tables


def _csv_kind(start: bytes) -> str | None:
    try:
        columns = next(csv.reader([start.splitlines()[0].decode("utf-8", "replace")] if start.strip() else []), [])
    except csv.Error:
        return None
    return exports.kind_of(dict.fromkeys(columns, "?")) if len(columns) > 2 else None


def _csv(kind: str, stream: IO[bytes]) -> Iterator[Batch]:
    csv.field_size_limit(min(LINE_BYTES, sys.maxsize))
    table = csv.DictReader(io.TextIOWrapper(stream, "utf-8-sig", "replace", newline=""))
    rows: list[dict[Any, Any]] = []
    try:
        for row in table:
            rows.append({key: value for key, value in row.items() if key is not None and value not in (None, "")})
            if len(rows) >= LINES_A_BATCH:
                yield exports.decode(kind, rows)
                rows = []
    except csv.Error as error:
        yield Batch(SOURCE, refused=(Refusal(f"a table that breaks off: {error}", f"line {table.line_num}"),))
    yield exports.decode(kind, rows)


def _parquet(body: bytes, name: str) -> Iterator[list[Any]]:
    """Its rows, some at a time: a column that says one thing a million times takes a few bytes of a file."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise DecodeError(f"{name} is a Parquet file: `pip install pyarrow`, or write the dataframe with "
                          "to_json(orient='records', lines=True)") from error  # fmt: skip
    try:
        for rows in parquet.ParquetFile(io.BytesIO(body)).iter_batches(batch_size=LINES_A_BATCH):
            yield rows.to_pylist()
    except (ArrowException, OSError, ValueError, MemoryError) as error:
        raise DecodeError(f"{name} is a Parquet file that cannot be read: {error}") from error


def _in_batches(parts: Iterator[SpanPart]) -> Iterator[Batch]:
    chunk: list[SpanPart] = []
    for part in parts:
        chunk.append(part)
        if len(chunk) >= LINES_A_BATCH:
            yield Batch(SOURCE, tuple(chunk))
            chunk = []
    yield Batch(SOURCE, tuple(chunk))
