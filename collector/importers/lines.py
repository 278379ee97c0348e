"""Lines of a file to batches. Most kinds say all there is to say in a line; the logs of agents are read as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import orjson

from collector.errors import DecodeError, TooLarge
from collector.importers import claude_code, claude_records, codex, codex_records, exports
from collector.importers.drafts import Log, json_text
from collector.model import Batch, Refusal, SpanPart
from collector.protocols import native, otlp
from collector.protocols.jsonbody import weigh
from collector.protocols.limits import SAMPLE_CHARS, Limits, Refusals

SOURCE = "import"
JSON_TYPE = "application/json"
SPANS_TOGETHER, BYTES_TOGETHER = 400, 4 * 2**20
LIMITS = Limits(spans=100_000_000, pieces=100_000_000)  # a file is the user's own: no reason to refuse it for its size
MEMORY_BYTES = 2 * 2**30
"""What the JSON of a line, or of a document, may become: a file may hold more than a body, and is somebody else's."""
CLAUDE, CODEX, EXPORTS = "claude", "codex", ("langfuse", "phoenix", "langsmith", "spans")
_CHATTY = (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError, OverflowError, DecodeError)


class Lines(Protocol):
    """What reads the lines of one file, in their order and in any portions."""

    def feed(self, lines: Iterable[bytes]) -> Iterator[Batch]: ...


@dataclass(slots=True)
class Together:
    """What the files of one import know of one another."""

    sessions: claude_records.Sessions = field(default_factory=claude_records.Sessions)
    threads: codex_records.Threads = field(default_factory=codex_records.Threads)


def kind_of(document: object) -> str | None:
    """ "native", "traces", "logs" or "metrics" (of OTLP), "claude", "codex", those of EXPORTS, or None."""
    if not isinstance(document, dict):
        return None
    if "resourceSpans" in document or "resource_spans" in document:
        return "traces"
    if "resourceLogs" in document or "resource_logs" in document:
        return "logs"
    if "resourceMetrics" in document or "resource_metrics" in document:
        return "metrics"
    if document.get("type") in native.TYPES:
        return "native"
    if codex_records.is_record(document):
        return CODEX
    if claude_records.is_record(document):
        return CLAUDE
    return exports.kind_of(document)


def reader(kind: str, together: Together) -> Lines:
    """What reads the lines of a file whose first known line is of this kind."""
    if kind == CLAUDE:
        return _LogLines(claude_code.ClaudeLog(together.sessions), "Claude Code session log")
    if kind == CODEX:
        return _LogLines(codex.CodexLog(together.threads), "Codex rollout")
    return _PlainLines()


class _LogLines:
    """A log whose records make sense together."""

    def __init__(self, log: Log, what: str) -> None:
        self._log, self._what = log, what

    def feed(self, lines: Iterable[bytes]) -> Iterator[Batch]:
        refused = Refusals()
        for line in lines:
            if not line.strip():
                continue
            if too_heavy(line):
                refused.add(HEAVY, sample(line))
                continue
            try:
                record = orjson.loads(line)
            except ValueError:
                refused.add(f"a line of a {self._what} that is no JSON", sample(line))
                continue
            self._record(record, line, refused)
        parts = self._log.flush()
        if parts or refused.result():
            yield Batch(SOURCE, tuple(parts), refused=refused.result())

    def _record(self, record: Any, line: bytes, refused: Refusals) -> None:
        if not isinstance(record, dict):
            refused.add(f"a line of a {self._what} that is no object", sample(line))
            return
        try:
            known = self._log.feed(record)
        except _CHATTY as error:  # the shape of these files is nobody's promise
            refused.add(f"a record of a {self._what} that cannot be read: {type(error).__name__}", sample(line))
            return
        if not known:
            kind = str(record.get("type"))[:40]
            refused.add(f"a record of type {kind!r} is not known in a {self._what}", sample(line))


class _PlainLines:
    """Lines that each stand for themselves, of whatever kinds."""

    def feed(self, lines: Iterable[bytes]) -> Iterator[Batch]:
        own: list[str] = []
        exported: dict[str, list[Any]] = {}
        sent = _Gathered()
        for line in lines:
            if not line.strip():
                continue
            if too_heavy(line):
                yield Batch(SOURCE, refused=(Refusal(HEAVY, sample(line)),))
                continue
            kind, document = _loaded(line)
            if kind == "native":
                own.append(line.decode("utf-8", "replace"))
            elif kind in EXPORTS:
                exported.setdefault(kind, []).append(document)
            elif kind == "traces" or kind == "logs":
                document = None  # it is read again as what it is, and may be long
                yield from sent.add(_otlp(line, otlp.decode_traces if kind == "traces" else otlp.decode_logs), line)
            elif kind == "metrics":
                yield from sent.add(Batch(SOURCE, refused=(otlp.METRICS,)), line)
            else:
                yield Batch(SOURCE, refused=(Refusal("a line that is neither native nor OTLP JSON", sample(line)),))
        yield from sent.rest()
        for kind, documents in exported.items():
            yield exports.decode(kind, documents)
        if own:
            yield from_import(native.decode(own))


class _Gathered:
    """Bodies of OTLP put together: the Collector's file exporter may write a line a span, and each write is a
    transaction."""

    def __init__(self) -> None:
        self._parts: list[SpanPart] = []
        self._refused: list[Refusal] = []
        self._bytes = 0

    def add(self, batch: Batch, line: bytes) -> Iterator[Batch]:
        self._parts += batch.parts
        self._refused += batch.refused
        self._bytes += len(line)
        if len(self._parts) >= SPANS_TOGETHER or self._bytes >= BYTES_TOGETHER:
            yield from self.rest()

    def rest(self) -> Iterator[Batch]:
        if self._parts or self._refused:
            yield Batch(SOURCE, tuple(self._parts), refused=tuple(self._refused))
        self._parts, self._refused, self._bytes = [], [], 0


def too_heavy(line: bytes) -> bool:
    """Whether a line would take more memory than a file of anybody's may."""
    try:
        weigh(line, most=MEMORY_BYTES)
    except TooLarge:
        return True
    return False


HEAVY = "a line that would take too much memory"


def _loaded(line: bytes) -> tuple[str | None, Any]:
    try:
        document = orjson.loads(line)
    except ValueError:
        return None, None
    return kind_of(document), document


def _otlp(line: bytes, decode: Callable[[bytes, str, Limits], Batch]) -> Batch:
    try:
        return from_import(decode(line, JSON_TYPE, LIMITS))
    except DecodeError as error:
        return Batch(SOURCE, refused=(Refusal(f"OTLP that cannot be read: {error}", sample(line)),))


def batches_of(documents: list[Any]) -> Iterator[Batch]:
    """Documents that stood in one JSON text, each as a line would be."""
    yield from _PlainLines().feed(json_text(one).encode() for one in documents)


def from_import(batch: Batch) -> Batch:
    return replace(batch, source=SOURCE)


def sample(line: bytes) -> str:
    return line[: SAMPLE_CHARS * 4].decode("utf-8", "replace")[:SAMPLE_CHARS].strip()
