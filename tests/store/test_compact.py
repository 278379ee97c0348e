"""A file is as small as its content when its writer has closed it, and nothing in it is lost on the way."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collector.ingest import Ingest
from collector.model import Batch
from collector.settings import Settings
from collector.store import compact, open_reader
from collector.store.files import open_for_writing
from tests.builders import T0, conversation, make_llm, user
from tests.store.audit import rows

TURNS = 40


def say(turn: int) -> str:
    """Words of their own and words that all turns share."""
    own = " ".join(f"own{turn}x{n}" for n in range(100))
    return f"turn{turn} {own} " + " ".join(f"shared{n}" for n in range(300))


def converse(ingest: Ingest, turns: range) -> None:
    """Each turn is indexed by itself, as when a person talks to an application."""
    for turn in turns:
        part = make_llm(turn + 1, start_ns=T0 + turn, reading={"input": conversation(user(say(turn)))})
        ingest.write(Batch("test", (part,)))
        ingest.chores()


def pieces(path: Path) -> list[int]:
    """Of the full-text index: the pages of each, the largest first."""
    return [row["pages"] for row in rows(path, compact.PIECES)]


def free_pages(path: Path) -> int:
    return int(rows(path, "pragma freelist_count")[0]["freelist_count"])


def assert_whole(path: Path, turns: int) -> None:
    assert rows(path, "pragma integrity_check") == [{"integrity_check": "ok"}]
    with closing(sqlite3.connect(path)) as connection:  # the index agrees with itself
        connection.execute("insert into search(search) values ('integrity-check')")
    with open_reader(path) as reader:
        for turn in range(turns):
            assert [hit.span_id for hit in reader.search(f"own{turn}x7")] == [make_llm(turn + 1).span_id]
        assert len(reader.search("shared7")) == turns


def test_a_closed_file_has_its_full_text_in_one_piece_and_no_free_pages(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    ingest = Ingest(path, Settings(db=path))
    converse(ingest, range(TURNS))
    ingest.flush()
    before = pieces(path)
    ingest.close()
    (after,) = pieces(path)
    assert len(before) > 1
    assert after < sum(before)
    assert free_pages(path) < compact.FREE_PAGES
    assert_whole(path, TURNS)


def test_a_short_run_does_not_write_a_long_index_anew(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Ingest(path, Settings(db=path)) as ingest:
        converse(ingest, range(TURNS))
    (large,) = pieces(path)
    with Ingest(path, Settings(db=path)) as ingest:
        converse(ingest, range(TURNS, TURNS + 1))
    assert pieces(path)[0] == large
    assert len(pieces(path)) == 2
    assert_whole(path, TURNS + 1)


@pytest.mark.parametrize("taken", [1, 2])
def test_stopping_half_way_leaves_a_whole_file_and_the_rest_to_the_next(
    taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact, "MERGE_PAGES", 4)
    path = tmp_path / "t.db"
    ingest = Ingest(path, Settings(db=path))
    converse(ingest, range(TURNS))
    ingest.flush()
    ingest.release()
    with closing(open_for_writing(path)) as connection:
        steps = compact.steps(connection)
        for _ in range(taken):
            next(steps)
    assert len(pieces(path)) > 1
    assert_whole(path, TURNS)
    Ingest(path, Settings(db=path)).close()
    assert len(pieces(path)) == 1
    assert free_pages(path) < compact.FREE_PAGES
    assert_whole(path, TURNS)


def test_a_file_that_someone_reads_is_made_smaller_under_him(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    ingest = Ingest(path, Settings(db=path))
    converse(ingest, range(TURNS))
    with open_reader(path) as reader:
        assert len(reader.search("shared7")) == TURNS
        ingest.close()
        assert len(reader.search("shared7")) == TURNS
    assert len(pieces(path)) == 1
    assert_whole(path, TURNS)
