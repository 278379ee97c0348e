"""Taking waiting texts into the full-text index, off the way of whoever waits for a commit."""

from __future__ import annotations

import sqlite3

from collector.store.search import spaced

BATCH = 4000


def drain(connection: sqlite3.Connection, budget_bytes: int) -> bool:
    """Index the oldest waiting texts, about `budget_bytes` of them; True when more are waiting.

    Texts of scripts without spaces are spelt character by character, which needs Python: they are
    prepared before the transaction. The caller holds the lock file.
    """
    execute = connection.execute
    waiting = execute(
        """select d.text_id, d.spaced, length(t.text) from todo d join texts t on t.id = d.text_id
           order by d.text_id limit :limit""",
        {"limit": BATCH},
    ).fetchall()
    if not waiting:
        return False
    size = taken = 0
    for _, _, length in waiting:
        size += length
        taken += 1
        if size >= budget_bytes:
            break
    first, last = waiting[0][0], waiting[taken - 1][0]
    special = [row[0] for row in waiting[:taken] if row[1]]
    execute("begin immediate")
    try:
        execute(
            """insert into search(rowid, text) select t.id, t.text from todo d join texts t on t.id = d.text_id
               where d.text_id between :first and :last and d.spaced = 0""",
            {"first": first, "last": last},
        )
        if special:
            _index_spaced(connection, special)
        execute("delete from todo where text_id between :first and :last", {"first": first, "last": last})
        execute("commit")
    except BaseException:
        if connection.in_transaction:
            execute("rollback")
        raise
    return taken < len(waiting) or len(waiting) == BATCH


def _index_spaced(connection: sqlite3.Connection, text_ids: list[int]) -> None:
    import orjson

    ids = orjson.dumps(text_ids).decode()
    texts = connection.execute(
        "select id, text from texts where id in (select value from json_each(:ids))", {"ids": ids}
    ).fetchall()
    rows = orjson.dumps([[text_id, spaced(text)] for text_id, text in texts]).decode()
    connection.execute(
        """insert into search(rowid, text)
           select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(:rows)""",
        {"rows": rows},
    )
