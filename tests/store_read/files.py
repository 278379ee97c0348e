"""Makers of real files to read, and a look at how SQLite means to read them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from collector.ingest import Ingest
from collector.model import Batch, Process, Reading, Score, SpanPart
from collector.settings import Settings
from collector.store.reader import Reader
from tests.builders import MS, T0, make_part, trace_id


def write(path: Path, *parts: SpanPart, scores: Iterable[Score] = (), processes: Iterable[Process] = ()) -> Path:
    """Bring parts into a file (made when there is none) in one batch, full text caught up. Returns the path."""
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest.write(Batch("test", parts=parts, scores=tuple(scores), processes=tuple(processes)))
        ingest.flush()
    return path


def make_trace(n: int, *, start_ns: int | None = None, took_ms: int = 100, **fields: Any) -> SpanPart:
    """A trace of one finished span; `fields` of the reading may stand beside those of the part."""
    reading = {name: fields.pop(name) for name in list(fields) if name in Reading.__dataclass_fields__}
    start = T0 + n * MS if start_ns is None else start_ns
    if reading:
        fields["reading"] = Reading(**reading)
    return make_part(1, trace=trace_id(n), start_ns=start, end_ns=start + took_ms * MS, **fields)


def flip(path: Path, at: int, size: int = 64) -> None:
    """Damage a file: turn over every bit of some bytes."""
    with path.open("r+b") as file:
        file.seek(at)
        old = file.read(size)
        file.seek(at)
        file.write(bytes(byte ^ 0xFF for byte in old))


class Plans:
    """Records the plan of every statement a reader runs while it is on."""

    def __init__(self, reader: Reader) -> None:
        self.connection = reader._connection
        self.seen: list[tuple[str, str]] = []
        self._ask = reader.rows
        reader.rows = self.rows  # type: ignore[method-assign]

    def rows(self, sql: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        if not sql.lstrip().startswith("pragma"):
            for row in self.connection.execute(f"explain query plan {sql}", values or {}).fetchall():
                self.seen.append((sql, row[3]))
        return self._ask(sql, values)

    def scans(self) -> list[str]:
        """Steps that read a table or index of ours from end to end.

        Left out: what walks a JSON parameter, a full-text match or a subquery; small tables (`processes` has a row
        per process, `counters` one, `scores` one per judgement, `contexts` one per program); the partial indexes
        of spans that run and of what failed; and an index walked in the order of the answer, which the limit ends.
        """
        walks = re.compile(r"SCAN [tsx] USING (COVERING )?INDEX (traces_start|spans_start|sessions_last)$")
        small = re.compile(
            r"SCAN (json_each|j|v|f|e VIRTUAL|d VIRTUAL|c USING .*scores_|c$|search|value"
            r"|CONSTANT ROW|processes|p|counters|path|\()"
        )
        partial = re.compile(r"SCAN .* (spans_running|spans_error|traces_error)$")
        scans = [(sql, step) for sql, step in self.seen if step.startswith("SCAN")]
        scans = [(sql, step) for sql, step in scans if not (small.match(step) or partial.match(step))]
        return [step for sql, step in scans if not (walks.match(step) and "limit :limit" in sql)]

    def sorts(self) -> list[str]:
        """Steps that sort what was found, so that all of it must be read before the first row comes. Left out: what
        was narrowed to a few spans before."""
        return [step for sql, step in self.seen if step == "USE TEMP B-TREE FOR ORDER BY" and ":narrow" not in sql]
