"""What would another SQLite binding make of a batch: the standard library's `sqlite3` against `apsw`?

The rows that real batches stage are recorded once, from bodies of the agent profile; each binding then stages and
commits the same rows into a fresh file with the same pragmas, in turn, round by round. Full text is left out. CPU of
this process a span. apsw brings a SQLite of its own, so this compares both binding and version (both are printed).
Needs apsw: pip install apsw.
"""

from __future__ import annotations

import argparse
import importlib
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

from bench.generate import agent_bodies
from bench.report import figure, head, load, quiet, say
from collector.ingest import Ingest
from collector.protocols import otlp
from collector.settings import Settings
from collector.store import staging
from collector.store.files import CACHE_KIB, WAL_CEILING_PAGES, open_for_writing

BATCH = 200
PRAGMAS = (
    "synchronous = normal", f"wal_autocheckpoint = {WAL_CEILING_PAGES}", f"cache_size = -{CACHE_KIB}",
    "temp_store = memory", "foreign_keys = off", "recursive_triggers = off",
)  # fmt: skip


@dataclass
class Recorded:
    """One batch: what was staged, in order, and what the commit was told."""

    staged: list[tuple[str, list[Sequence[Any]]]] = field(default_factory=list)
    committed: tuple[int, ...] = ()


def record(spans: int) -> list[Recorded]:
    """The batches of so many spans, as ingest stages them."""
    batches = [Recorded()]
    stage, commit = staging.stage, staging.commit

    def note_stage(connection: Any, table: str, rows: Sequence[Sequence[Any]]) -> None:
        batches[-1].staged.append((table, [tuple(row) for row in rows]))
        stage(connection, table, rows)

    def note_commit(connection: Any, *counters: int) -> None:
        batches[-1].committed = counters
        batches.append(Recorded())
        commit(connection, *counters)

    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(staging, "stage", note_stage),
        mock.patch.object(staging, "commit", note_commit),
        Ingest(Path(folder) / "traces.db", Settings()) as ingest,
    ):
        for _, body in agent_bodies(spans, batch=BATCH):
            ingest.write(otlp.decode_traces(body, "application/x-protobuf"))
    return [batch for batch in batches if batch.committed]


def replay(connect: Callable[[str], Any], batches: Sequence[Recorded], spans: int) -> float:
    """CPU microseconds a span through one binding."""
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "traces.db"
        open_for_writing(db).close()  # the schema; WAL stays set in the file
        connection = connect(str(db))
        for pragma in PRAGMAS:
            connection.execute(f"pragma {pragma}").fetchall()
        staging.install(connection)
        quiet()
        began = time.process_time()
        for batch in batches:
            for table, rows in batch.staged:
                staging.stage(connection, table, rows)
            staging.commit(connection, *batch.committed)
        took = time.process_time() - began
        found = connection.execute("select count(*), (select spans from counters) from spans").fetchone()
        assert tuple(found) == (spans, spans), found
        connection.close()
    return took / spans * 1e6


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench sqlite_bindings")
    parser.add_argument("--spans", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args(argv)
    try:
        apsw: Any = importlib.import_module("apsw")
    except ImportError:
        raise SystemExit("bench sqlite_bindings needs apsw beside us: pip install apsw") from None
    head(__doc__)
    batches = record(asked.spans)
    bindings: dict[str, Callable[[str], Any]] = {
        f"sqlite3, SQLite {sqlite3.sqlite_version}": lambda db: sqlite3.connect(
            db, isolation_level=None, cached_statements=512
        ),
        f"apsw {apsw.apsw_version()}, SQLite {apsw.sqlite_lib_version()}": lambda db: apsw.Connection(
            db, statementcachesize=512
        ),
    }
    took: dict[str, list[float]] = {name: [] for name in bindings}
    for _ in range(asked.rounds):
        for name, connect in bindings.items():
            took[name].append(replay(connect, batches, asked.spans))
    for name, us in took.items():
        told = f"{median(us):.0f} us a span, CPU, median of {len(us)} ({min(us):.0f} to {max(us):.0f})"
        figure(f"{name}, batches of {BATCH}", told)
    ours, other = took.values()
    figure("apsw against sqlite3", f"{median(other) / median(ours):.2f} times the CPU")
    say(f"  {load()}")


if __name__ == "__main__":
    main()
