"""An extract to hand to somebody: whole traces in a file of their own, redacted on the way, and what was found.

The way is the corridor that everything takes to a disk (redact, then write), with a stricter profile. Placeholders are
made with a key of this extract alone: equal values stay equal within it, and nobody can compare them with another file.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from collector.export import whole
from collector.export.shared import held
from collector.ingest import Ingest
from collector.model import Batch, Content, Score, SpanPart
from collector.own_patterns import own_pattern
from collector.redact.counting import Counting
from collector.redact.users import Users
from collector.settings import Settings
from collector.store.reader import Reader
from collector.store.rows import SpanDetail, TraceRow

BATCH_SPANS = 200


@dataclass(slots=True)
class Shared:
    """What went into an extract. `found` counts the different values that were replaced, by kind; `files` the
    pictures, sounds and documents in messages, which nobody can look into; `refused` the spans that could not be
    written."""

    traces: int = 0
    spans: int = 0
    files: int = 0
    refused: int = 0
    found: dict[str, int] = field(default_factory=dict)


def extract(
    reader: Reader, traces: Iterable[TraceRow], path: Path, settings: Settings, *, profile: str = "pii",
    hash_users: bool = True,
) -> Shared:  # fmt: skip
    """Write these traces into a new file, and say what was found in them.

    The user's own patterns and mask apply too. Processes (host names, command lines) stay behind. StoreError when
    the file cannot be written.
    """
    key = secrets.token_bytes(32)
    patterns = [own_pattern(name, pattern) for name, pattern in settings.redact_patterns.items()]
    redactor = Counting(key, profile, patterns=patterns, mask=settings.mask)
    users = Users(key) if hash_users else None
    told = Shared()
    plain = replace(settings, db=path, redact=profile, environments={}, hash_user_ids=False, capture_content="full")
    with Ingest(path, plain, redactor=redactor) as ingest:
        for batch in _batches(reader, traces, users, told):
            told.refused += ingest.write(batch).rejected
        ingest.flush()
    told.found = redactor.found
    return told


def _batches(reader: Reader, traces: Iterable[TraceRow], users: Users | None, told: Shared) -> Iterator[Batch]:
    for row in traces:
        told.traces += 1
        parts: list[SpanPart] = []
        for part in whole.parts(reader, [row]):
            told.spans += 1
            told.files += files_in(reader.span(part.trace_id, part.span_id))
            part = replace(part, process_id=None)
            parts.append(part if users is None else users.part(part))
            if len(parts) >= BATCH_SPANS:
                yield Batch("share", parts=tuple(parts))
                parts = []
        scores: tuple[Score, ...] = tuple(reader.scores(row.trace_id))
        yield Batch("share", parts=tuple(parts), scores=scores)


def files_in(span: SpanDetail) -> int:
    """How many files the messages of a span hold."""
    sides: list[Content] = [side for side in (span.input, span.output) if side is not None]
    parts = (part for side in sides for message in side.messages for part in message.parts)
    return sum(part.get("type") in ("image", "audio", "file") and held(part) is not None for part in parts)
