"""Taking waiting texts into the full-text index, off the way of whoever waits for a commit.

Like a batch (see `staging.py`), it is prepared without any lock and then written in one step: beside a busy
Python thread, spelling half a megabyte of Chinese within the transaction held the file for 3 s.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import orjson

from collector.store.search import spaced

BATCH = 1000
INDEX_BYTES = 400_000
"""Indexing so much takes about 40 ms, which is how long others wait for the file."""
SPELLING = 8
"""A character that is spelt apart costs as much as so many others."""

# One row each: a step a row would win the GIL back a thousand times, 5 ms each beside a busy thread.
WAITING = """
    select json_group_array(json_array(text_id, spaced, size)) from (
      select d.text_id, d.spaced, length(t.text) size from todo d join texts t on t.id = d.text_id
      order by d.text_id limit :limit)"""
TEXTS = """
    select json_group_array(json_array(id, hex(text))) from texts
    where id in (select value from json_each(:ids))"""  # hex: SQLite ends JSON texts at a NUL
STAGE = """
    insert into temp.s_search
    select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(:rows)"""
PROGRAM = """
    insert into search(rowid, text) select t.id, t.text from todo d join texts t on t.id = d.text_id
      where d.text_id between new.first and new.last and d.spaced = 0;
    insert into search(rowid, text) select d.text_id, s.text from todo d join s_search s on s.id = d.text_id
      where d.text_id between new.first and new.last and d.spaced = 1;
    delete from todo where text_id between new.first and new.last
      and (spaced = 0 or text_id in (select id from s_search));
    delete from s_search;
    delete from go_search;"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The oldest waiting texts: their first and last id, and whether there are more. Those of scripts without
    spaces are staged, spelt character by character."""

    first: int
    last: int
    more: bool


def install(connection: sqlite3.Connection) -> None:
    """Make the TEMP tables and the trigger on a writer's connection."""
    connection.execute("create temp table s_search(id, text)")
    connection.execute("create temp table go_search(first, last)")
    connection.execute(f"create temp trigger write_search after insert on go_search begin {PROGRAM} end")


def prepare(connection: sqlite3.Connection, budget_bytes: int) -> Waiting | None:
    """Look for waiting texts, about `budget_bytes` of them; None when there are none. Needs no lock."""
    waiting = orjson.loads(connection.execute(WAITING, {"limit": BATCH}).fetchone()[0])
    if not waiting:
        return None
    size = taken = 0
    for _, spelt, length in waiting:
        size += length * (SPELLING if spelt else 1)
        taken += 1
        if size >= budget_bytes:
            break
    connection.execute("delete from temp.s_search")
    if special := [row[0] for row in waiting[:taken] if row[1]]:
        texts = orjson.loads(connection.execute(TEXTS, {"ids": orjson.dumps(special).decode()}).fetchone()[0])
        rows = [[text_id, spaced(bytes.fromhex(text).decode()).replace("\0", " ")] for text_id, text in texts]
        connection.execute(STAGE, {"rows": orjson.dumps(rows).decode()})
    return Waiting(waiting[0][0], waiting[taken - 1][0], taken < len(waiting) or len(waiting) == BATCH)


def commit(connection: sqlite3.Connection, waiting: Waiting) -> None:
    """Index them in one step, but for those that another process has taken meanwhile. The caller holds the lock."""
    connection.execute("insert into temp.go_search values (?, ?)", (waiting.first, waiting.last))
