"""The ground under every reading of a traces.db: one connection, never a transaction left open.

Use it in the thread that opened it. What is stored as running is abandoned when its process is gone: `moment` is
what statuses are computed with. Other readings of the store (`library.py`) take a `Reading` and ask its `rows`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from collector.errors import Interrupted, StoreError, TracetuiError
from collector.store import hostid
from collector.store.migrations import SCHEMA_VERSION
from collector.store.rows import FileState

if TYPE_CHECKING:
    from collector.store.expand import Expander

HEARTBEAT_NS = 60_000_000_000
QUIET_NS = 3_600_000_000_000
DAMAGED = "what can be read of it is shown"


class Reading:
    """See the module. `alive(pid, started_ns)` and `now_ns` are seams for tests."""

    def __init__(
        self, connection: sqlite3.Connection, state: FileState, *, now_ns: Callable[[], int] = time.time_ns,
        alive: Callable[[int, int], bool] = hostid.alive,
    ) -> None:  # fmt: skip
        self.state = state
        self._connection = connection
        self._now_ns = now_ns
        self._alive = alive

    @cached_property
    def expander(self) -> Expander:
        """What puts contents together again. It takes 20 ms to import, and lists need none of it."""
        from collector.store.expand import Expander

        return Expander(self._connection, forgiving=True)

    def rows(self, sql: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a statement. StoreError when the file cannot be read."""
        try:
            return self._connection.execute(sql, values or {}).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._unreadable(error) from error

    def interrupt(self) -> None:
        """Break off the statement that runs, from another thread: whoever asked it gets Interrupted."""
        self._connection.interrupt()

    def _unreadable(self, error: Exception) -> TracetuiError:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return Interrupted("the question was broken off")
        newer = self.state.schema_version > SCHEMA_VERSION
        hint = "; a newer version wrote it: upgrade tracetui" if newer else ""
        return StoreError(f"cannot read {self.state.path}: {error}{hint}")

    @contextmanager
    def sound(self) -> Iterator[None]:
        """A StoreError for whatever a damaged column turns out to hold."""
        try:
            yield
        except (sqlite3.DatabaseError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise self._unreadable(error) from error

    def data_version(self) -> int:
        """A number that changes when another connection commits."""
        return int(self.rows("pragma data_version")[0][0])

    def seq(self) -> int:
        """The number of the last change."""
        return int(self.rows("select seq from counters")[0][0])

    def moment(self) -> dict[str, Any]:
        """What the status expressions bind: processes that are gone, and how long is too quiet."""
        now = self._now_ns()
        rows = self.rows(
            """select process_id, pid, started_ns, boot_id, pid_namespace, heartbeat_ns, ended_ns from processes
               where process_id in (select process_id from spans where status = 'running')"""
        )
        dead = [row[0] for row in rows if self._is_dead(row, now)]
        return {"dead": orjson.dumps(dead).decode(), "quiet": now - QUIET_NS}

    def _is_dead(self, row: tuple[Any, ...], now: int) -> bool:
        _, pid, started_ns, boot_id, namespace, heartbeat_ns, ended_ns = row
        if ended_ns is not None:
            return True
        if boot_id and boot_id == hostid.boot_id() and namespace == hostid.pid_namespace():
            return not self._alive(pid, started_ns)
        return bool(now - heartbeat_ns > HEARTBEAT_NS)

    def say_damaged(self) -> None:
        """What is read from here on may be less than there was; people should know."""
        if DAMAGED not in (self.state.note or ""):
            note = f"{Path(self.state.path).name} is damaged: {DAMAGED}; `tracetui check` says what is wrong"
            self.state = replace(self.state, note="; ".join(filter(None, (self.state.note, note))))
