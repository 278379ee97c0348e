"""`run:` finds what one run of a program did, by the run's name in the resource of its spans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from collector.ids import RUN_ATTRIBUTE, new_run, run_start_ns
from collector.model import Resource
from collector.store import open_reader
from collector.store.filters import parse
from tests.builders import MS, T0, make_part, span_id, trace_id
from tests.store_read.files import Plans, make_trace, write

S = 1000 * MS
MINE, OTHER = "20261118-110640-a6d85f", "20261118-110635-dbf115"


def of(run: str) -> Resource:
    return Resource({"service.name": "shop", RUN_ATTRIBUTE: run})


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1 and 2 are of our run, 3 of another, 4 of none and long before; 5 began elsewhere, and our run joined it."""
    joined = make_part(2, parent=1, trace=trace_id(5), start_ns=T0 + 9 * S, resource=of(MINE))
    return write(
        tmp_path_factory.mktemp("runs") / "traces.db",
        replace(make_trace(1, session_id="mine"), resource=of(MINE)),
        replace(make_trace(2), resource=of(MINE)),
        replace(make_trace(3, session_id="theirs"), resource=of(OTHER)),
        *(make_trace(100 + n, start_ns=T0 - 86400 * S + n) for n in range(50)),
        make_trace(5, start_ns=T0 - 600 * S, took_ms=700_000),
        joined,
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"run:{MINE}", {1, 2, 5}),
        (f"run:{OTHER}", {3}),
        (f"run:{MINE},{OTHER}", {1, 2, 3, 5}),
        (f"run:{MINE} session:mine", {1}),
        (f"run:{MINE} -run:{OTHER}", {1, 2, 5}),
        ("run:*", {1, 2, 3, 5}),
        ("run:20260101-000000-abcdef", set()),
        ("run:nightly", set()),
        ("run:20269999-000000-abcdef", set()),
    ],
)
def test_a_run_has_these_traces(path: Path, text: str, found: set[int]) -> None:
    with open_reader(path, now_ns=lambda: T0) as reader:
        assert {row.trace_id for row in reader.traces(parse(text, T0))} == {trace_id(n) for n in found}
        assert reader.totals(parse(text, T0)).traces == len(found)


def test_a_run_has_its_own_spans_and_sessions(path: Path) -> None:
    where = parse(f"run:{MINE}", T0)
    with open_reader(path, now_ns=lambda: T0) as reader:
        found = {(row.trace_id, row.span_id) for row in reader.spans(where)}
        assert found == {(trace_id(1), span_id(1)), (trace_id(2), span_id(1)), (trace_id(5), span_id(2))}
        assert [row.session_id for row in reader.sessions(where)] == ["mine"]


def test_the_traces_of_a_run_are_found_without_reading_the_older_ones(path: Path) -> None:
    with open_reader(path, now_ns=lambda: T0) as reader:
        plans = Plans(reader)
        reader.traces(parse(f"run:{MINE}", T0))
    assert any("t USING INDEX traces_start (start_ns>?)" in step for _, step in plans.seen)
    assert [step for step in plans.scans() if not step.startswith("SCAN c")] == []


def test_the_name_of_a_run_tells_its_start() -> None:
    assert new_run(T0).startswith("20261118-110640-")
    assert run_start_ns(new_run(T0)) == T0
    assert run_start_ns("my-run") is None
    assert new_run(T0) != new_run(T0)
