"""What names a span is found from it: its replays, and the spans that link to it, in files of every version."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collector.model import Link, SpanPart
from collector.store import migrations, open_reader, pointers
from collector.store.pointers import pointing_at, target
from tests.builders import MS, T0, make_part, make_started, span_id, trace_id
from tests.store.older import take_back
from tests.store_read.files import make_trace, write

HERE = trace_id(1), span_id(1)


def naming(path: Path) -> list[tuple[str, str, str]]:
    with open_reader(path) as reader:
        return [(one.kind, one.trace_id, one.name) for one in pointing_at(reader, *HERE, T0 + MS)]


def replay(n: int, of: str = f"{HERE[0]}:{HERE[1]}") -> SpanPart:
    return make_trace(n, name=f"replay {n}", replay_of=of)


def linking(n: int, *to: tuple[str, str]) -> SpanPart:
    return make_trace(n, name=f"linking {n}", links=tuple(Link(*one) for one in to))


def written(path: Path) -> Path:
    return write(
        path, make_trace(1, name="original"), replay(2), replay(3, of=HERE[1]),
        replay(4, of=f"{trace_id(9)}:{HERE[1]}"),
        linking(5, HERE), linking(6, (trace_id(9), HERE[1]), (HERE[0], span_id(7))), linking(7, HERE, HERE),
    )  # fmt: skip


ALL = [("replay", trace_id(3), "replay 3"), ("replay", trace_id(2), "replay 2"),
       ("link", trace_id(7), "linking 7"), ("link", trace_id(5), "linking 5")]  # fmt: skip


def test_replays_and_links_are_found_from_what_they_name_the_newest_first(tmp_path: Path) -> None:
    assert naming(written(tmp_path / "traces.db")) == ALL


def test_they_are_found_however_many_spans_came_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pointers, "_OLDER", "no statement: nothing is looked through")
    path = written(tmp_path / "traces.db")
    write(path, *(make_trace(n) for n in range(20, 40)))
    assert naming(path) == ALL


def test_what_is_told_in_parts_is_named_once(tmp_path: Path) -> None:
    path = write(tmp_path / "traces.db", make_trace(1))
    links = (Link(*HERE),)
    write(path, make_started(1, trace=trace_id(5), start_ns=T0 + 5 * MS, name="linking 5", links=links))
    assert naming(path) == [("link", trace_id(5), "linking 5")]
    write(path, linking(5, HERE), make_part(2, parent=1, trace=trace_id(5)))
    assert naming(path) == [("link", trace_id(5), "linking 5")]


def test_of_many_only_the_newest_are_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "traces.db", make_trace(1), *(linking(n, HERE) for n in range(10, 50)))
    assert [name for _, _, name in naming(path)] == [f"linking {n}" for n in range(49, 29, -1)]


def as_version_8(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        take_back(connection, 8)


def test_a_file_of_an_older_version_learns_what_its_spans_name(tmp_path: Path) -> None:
    path = written(tmp_path / "traces.db")
    as_version_8(path)
    assert naming(path) == ALL[:2], "who only reads looks through the newest spans"
    write(path, linking(8, HERE))
    assert naming(path) == [*ALL[:2], ("link", trace_id(8), "linking 8"), *ALL[2:]]


def test_a_damaged_list_of_links_costs_itself(tmp_path: Path) -> None:
    path = written(tmp_path / "traces.db")
    as_version_8(path)
    with closing(sqlite3.connect(path)) as connection:
        for n, links in ((5, "[[1, 2], 3, {}, [], null"), (7, '[[1, 2], "x", {}, [], null]')):
            connection.execute(
                "update bodies set links = ? where id = (select id from spans where name = ?)", (links, f"linking {n}")
            )
        connection.commit()
    write(path, linking(8, HERE))
    assert naming(path) == [*ALL[:2], ("link", trace_id(8), "linking 8")]


def test_a_large_file_is_not_held_up_and_its_replays_are_still_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "traces.db")
    as_version_8(path)
    monkeypatch.setattr(migrations, "MANY_SPANS", 3)
    write(path, linking(8, HERE), replay(10))
    new = [("replay", trace_id(10), "replay 10"), *ALL[:2], ("link", trace_id(8), "linking 8")]
    assert naming(path) == new
    write(path, make_trace(2, name="replay 2", replay_of=f"{HERE[0]}:{HERE[1]}", attributes={"more": 1}))
    assert naming(path) == new, "one that is written again is not found twice"


def test_of_a_large_file_the_newest_of_those_that_are_not_kept_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "traces.db")
    as_version_8(path)
    monkeypatch.setattr(migrations, "MANY_SPANS", 3)
    monkeypatch.setattr(pointers, "LOOKED_AT", 6)
    write(path, *(make_trace(n) for n in range(20, 40)))
    assert naming(path) == ALL[:2], "however many came since"


def test_what_a_replay_names_is_found() -> None:
    trace, span = "a" * 32, "b" * 16
    assert target(span, trace) == (trace, span)
    assert target(f"{'c' * 32}:{span}", trace) == ("c" * 32, span)
    assert target("not hex", trace) is None
