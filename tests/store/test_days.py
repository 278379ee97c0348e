"""Sums of whole days: made for a file of an older version, and looked at in place of their quarter hours."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector.store import open_reader
from collector.store.cost_times import timed
from collector.store.costs import Asked, Costs, costs, dimensions
from collector.store.filters import parse
from collector.store.zones import Zone
from tests.builders import MS, T0, make_llm, trace_id
from tests.store.audit import audit
from tests.store.older import take_back
from tests.store_read.files import Plans, write

HOUR = 3_600_000 * MS
DAY = 24 * HOUR


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Calls over six days, at odd hours."""
    parts = [
        make_llm(1, trace=trace_id(n), start_ns=T0 + n * 7 * HOUR, model=("gpt-4o", "gpt-4o-mini")[n % 2],
                 reading={"metadata": {"department": "sales"}} if n % 3 else {})
        for n in range(20)
    ]  # fmt: skip
    return write(tmp_path / "traces.db", *parts)


def ask(path: Path, where: str, version: int | None = None) -> Costs:
    with open_reader(path) as reader:
        if version is not None:
            reader.state = replace(reader.state, schema_version=version)
        asked = Asked(dimensions("model,meta.department"), parse(where, T0), Zone("UTC"), declared=("department",))
        found = costs(reader, asked)
        assert found.ahead
        return found


@pytest.mark.parametrize(
    "where",
    ["", "since:2026-11-20", "since:2026-11-19T05:07:09 until:2026-11-22T03:30", "until:2026-11-20T00:15",
     "since:2026-11-20T01:00 until:2026-11-20T22:00", "meta.department:sales since:2026-11-19T12:00"],
)  # fmt: skip
def test_days_and_quarter_hours_give_the_same_sums(path, where):
    assert ask(path, where) == ask(path, where, version=4)


ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe")
AUTUMN = (
    1_792_627_200_000 * MS
)  # 2026-10-22 00:00 UTC: clocks change in Berlin on the 25th, in Los Angeles on 1 November


@pytest.fixture(scope="module")
def autumn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Calls of all lengths at all hours of three weeks in which clocks change."""
    parts = [
        make_llm(1, trace=trace_id(n), start_ns=AUTUMN + n * 5 * HOUR + n * 11 * 60_000 * MS, model=MODELS[n % 3],
                 end_ns=AUTUMN + n * 5 * HOUR + n * 11 * 60_000 * MS + (1 + n * 37 % 100) * 100 * MS,
                 reading={"metadata": {"department": "sales"}} if n % 4 else {})
        for n in range(95)
    ]  # fmt: skip
    return write(tmp_path_factory.mktemp("autumn") / "traces.db", *parts)


MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4o-mini")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("by", ["day", "model,day", "week,meta.department", "hour,model"])
def test_days_of_any_zone_are_those_of_its_spans(autumn, zone, by):
    with open_reader(autumn) as reader:
        plans = Plans(reader)
        for where in ("", "since:2026-10-24T03:20 until:2026-11-03T09:40", "meta.department:sales"):
            asked = Asked(dimensions(by), parse(where, AUTUMN), Zone(zone), declared=("department",))
            kept = costs(reader, asked)
            looked = costs(reader, replace(asked, traces=True))
            for name in ("rows", "groups"):
                assert getattr(kept, name) == tuple(replace(row, traces=None) for row in getattr(looked, name))
            assert (kept.ahead, kept.total) == (True, replace(looked.total, traces=None))
            briefly = costs(reader, replace(asked, latencies=False))
            assert [row.cost_nanousd for row in briefly.rows] == [row.cost_nanousd for row in kept.rows]
            for one, whole in ((asked, kept), (replace(asked, traces=True), looked)):
                told_later(autumn, one, whole)
    assert any("from days r" in sql for sql, _ in plans.seen) == ("hour" not in by)


def told_later(path: Path, asked: Asked, whole: Costs) -> None:
    """Times that are left for later are the same then, of the rows that somebody looks at and of all above them."""
    with open_reader(path) as reader:
        left = costs(reader, replace(asked, later=True))
        assert not any(row.timed or row.duration.count for row in (*left.rows, *left.groups, left.total))
        seen = left.rows[1::3]
        told = timed(reader, asked, left, seen)
    assert told.total == whole.total
    assert all(row.timed for row in told.rows if row.keys in {one.keys for one in seen})
    for name in ("rows", "groups"):
        pairs = list(zip(getattr(told, name), getattr(whole, name), strict=True))
        assert all(row == known or not row.timed for row, known in pairs)
    fine = asked.by[0].name == "hour"
    assert sum(row.timed for row in told.groups) == (len({row.keys[0] for row in seen}) if told.ahead and fine
                                                     else len(told.groups))  # fmt: skip


def test_hours_are_timed_without_reading_those_of_others(autumn):
    with open_reader(autumn) as reader:
        asked = Asked(dimensions("model,hour"), zone=Zone("UTC"), later=True)
        left = costs(reader, asked)
        whole = costs(reader, replace(asked, later=False))
        told = timed(reader, asked, left, [left.total, left.groups[0], left.rows[3]])
        plans = Plans(reader)
        assert timed(reader, asked, left, []).groups == whole.groups == told.groups
        assert not any("join histograms" in sql for sql, _ in plans.seen)
    assert [row for row in told.rows if row.timed] == [whole.rows[3]]


def test_an_order_of_times_leaves_none_for_later(autumn):
    with open_reader(autumn) as reader:
        asked = Asked(dimensions("hour"), zone=Zone("UTC"), sort="-p95", later=True)
        assert costs(reader, asked) == costs(reader, replace(asked, later=False))


def test_months_are_summed_from_days(path):
    with open_reader(path) as reader:
        plans = Plans(reader)
        costs(reader, Asked(dimensions("model"), zone=Zone("UTC")))
    assert any("from days r" in sql for sql, _ in plans.seen)
    assert all("r.quarter >= :low" in sql for sql, _ in plans.seen if "from rollups r" in sql)


def test_a_file_of_an_older_version_gets_its_days(path):
    before = ask(path, "")
    with closing(sqlite3.connect(path)) as connection, connection:
        take_back(connection, 4)
    assert ask(path, "") == before
    more: Any = make_llm(1, trace=trace_id(99), start_ns=T0 + 3 * DAY)
    write(path, more)
    audit(path)
    assert ask(path, "").total.calls == before.total.calls + 1
