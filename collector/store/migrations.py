"""Numbered steps from one schema version to the next, applied once, in order, all or nothing.

A fresh file is made from schema.sql and views.sql and needs none of them. Within a major version a step
only adds: an older reader must still make sense of the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from sqlite_utils import Database

Step: TypeAlias = "Callable[[Database], None]"


def add_library(database: Database) -> None:
    """2: prompts, datasets with their examples, experiments and media."""
    _run(database, "library.sql")


def add_encoded(database: Database) -> None:
    """3: files within texts. What older versions wrote stays as it is."""
    _run(database, "media.sql")


def add_days(database: Database) -> None:
    """5: the rollups of a whole day, from those of its quarter hours."""
    from collector.store import staging

    _run(database, "days.sql")
    for statement in staging.days_of("rollups", "histograms"):
        database.conn.execute(statement)


def add_told(database: Database) -> None:
    """6: a trace's own name and sides. Traces of older versions keep their root's until one of their spans changes."""
    _run(database, "told.sql")


def add_shelf(database: Database) -> None:
    """7: earlier states of examples, and what scores may say."""
    _run(database, "shelf.sql")


def add_calls(database: Database) -> None:
    """8: what names a call whose answer has no id. Spans of older versions get theirs when they change."""
    _run(database, "calls.sql")


def add_pointers(database: Database) -> None:
    """9: which span names another. Of a large file that exists only what comes from now on: whoever opens it next may
    be a program that has other things to do."""
    _run(database, "pointers.sql")
    spans = database.conn.execute("select spans from counters").fetchone()[0]
    if spans > MANY_SPANS:
        database.conn.execute("insert or replace into meta values (?, ?)", (UP_TO, str(spans)))
        return
    for statement in _POINTERS:
        database.conn.execute(statement)


MANY_SPANS = 50_000
UP_TO = "pointers_from"
"""In `meta`: the last spans.id that `pointers` does not know, in a file that was large when it got that table."""
_POINTERS = (
    """insert or ignore into pointers
       select lower(substr(b.replay_of, -16)), 'replay', b.id,
         case when length(b.replay_of) >= 48 then lower(substr(b.replay_of, 1, 32)) else '' end
       from bodies b where length(b.replay_of) >= 16""",
    """insert or ignore into pointers
       select json_extract(j.value, '$[1]'), 'link', b.id, json_extract(j.value, '$[0]')
       from bodies b, json_each(case when json_valid(b.links) then b.links else '[]' end) j
       where b.links is not null and j.type = 'array' and json_type(j.value, '$[0]') = 'text'
         and json_type(j.value, '$[1]') = 'text'""",
)
"""What `pointers.named` would say of the spans that are there."""


def _run(database: Database, script: str) -> None:
    from importlib.resources import files

    for statement in (files("collector.store") / script).read_text().split(";\n"):
        database.conn.execute(statement)


def add_signals(database: Database) -> None:
    """4: what looks wrong in a trace. A large file that exists is not looked at by itself, only what changes in it
    from now on: whoever opens it next may be a program that has other things to do (`tracetui signals --look`)."""
    _run(database, "signals.sql")
    database.conn.execute(
        f"""insert or replace into meta select 'signals_passed_over', max(seq) from traces
            where (select count(*) from (select 1 from traces limit {MANY_TRACES + 1})) > {MANY_TRACES}"""
    )
    database.conn.execute(
        f"""update meta set value = json_array((select max(seq) + 1 from traces), 0)
            where key in ('signals_settled', 'signals_quiet')
              and (select count(*) from (select 1 from traces limit {MANY_TRACES + 1})) > {MANY_TRACES}"""
    )


MANY_TRACES = 2000

STEPS: tuple[Step, ...] = (add_library, add_encoded, add_signals, add_days, add_told, add_shelf, add_calls,
                           add_pointers)  # fmt: skip
"""STEPS[n] leads from version n + 1 to n + 2."""

SCHEMA_VERSION = 1 + len(STEPS)
DAYS_FROM = 5
"""The schema from which on there are sums of whole days (of UTC)."""


def migrate(connection: sqlite3.Connection, steps: Sequence[Step] = STEPS) -> int:
    """Bring the file up to 1 + len(steps) in one transaction; return its version.

    The version is read again under the write lock, so that of two processes one does the work and the
    other finds it done. `connection` must be in autocommit mode (isolation_level None).
    """
    if _version(connection) >= 1 + len(steps):
        return _version(connection)
    from sqlite_utils import Database  # 80 ms to import, and hardly ever needed

    connection.execute("begin immediate")
    try:
        version = _version(connection)
        database = Database(connection, recursive_triggers=False)
        for step in steps[version - 1 :]:
            step(database)
            if not connection.in_transaction:
                raise RuntimeError(f"migration {step.__name__} ended the transaction it runs in")
        connection.execute(f"pragma user_version = {1 + len(steps)}")
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    return _version(connection)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])
