"""Failures come in groups, counted where they arose, with the nearest run that went well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.model import Reading, SpanPart
from collector.store import failures as store
from collector.store import open_reader
from collector.store.failures import Failure, failures, nearest_success
from collector.store.filters import parse
from collector.store.reader import Reader
from tests.builders import MS, T0, make_part, trace_id
from tests.store_read.files import Plans, make_trace, write

HOUR = 3_600_000 * MS


def failed(n: int, message: str, *, kind: str = "TimeoutError", **fields: Any) -> SpanPart:
    return make_trace(n, status="error", status_message=message, error_type=kind, **fields)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    deep = trace_id(50)
    message = "cannot refund order 9 of 'anna'"
    return write(
        tmp_path_factory.mktemp("failures") / "traces.db",
        failed(1, "no answer in 3 s", model="gpt-4o", user_id="u1", service="shop", name="agent"),
        failed(2, "no answer in 40 s", model="gpt-4o", user_id="u2", service="shop", name="agent"),
        failed(3, "no answer in 5 s", model="gpt-4", user_id="u2", service="shop", name="agent"),
        failed(4, "ValueError: bad [/red] value", kind="", name="other"),
        make_trace(5, name="agent", service="shop"),
        make_trace(6, name="agent", service="elsewhere"),
        make_trace(7, name="agent", service="shop", start_ns=T0 + HOUR),
        # the tool's failure goes up through the agent and the root
        make_part(1, trace=deep, name="root", status="error", status_message=message, start_ns=T0 + 60 * MS,
                  reading=Reading(error_type="RefundError", user_id="u9")),
        make_part(2, trace=deep, parent=1, name="step", status="error", status_message=message, start_ns=T0 + 61 * MS,
                  reading=Reading(error_type="RefundError")),
        make_part(3, trace=deep, parent=2, name="refund", status="error", status_message=message, start_ns=T0 + 62 * MS,
                  reading=Reading(kind="tool", error_type="RefundError")),
    )  # fmt: skip


@pytest.fixture
def reader(path: Path) -> Iterator[Reader]:
    with open_reader(path) as reader:
        yield reader


def of(reader: Reader, kind: str, where: str = "") -> Failure:
    found = failures(reader, parse(where, T0) if where else None)
    return next(one for one in found.groups if one.error_type == kind)


def test_one_kind_of_failure_is_one_group_the_most_frequent_first(reader: Reader) -> None:
    found = failures(reader)
    assert [(one.error_type, one.fingerprint, one.count) for one in found.groups] == [
        ("TimeoutError", "no answer in ‹n› s", 3),
        ("RefundError", "cannot refund order ‹n› of ‹text›", 1),
        ("ValueError", "bad [/red] value", 1),
    ]
    assert (found.spans, found.partial) == (7, False)


def test_a_group_says_who_when_and_with_what(reader: Reader) -> None:
    one = of(reader, "TimeoutError")
    assert (one.models, one.users, one.services) == ({"gpt-4o": 2, "gpt-4": 1}, {"u2": 2, "u1": 1}, {"shop": 3})
    assert (one.first_ns, one.last_ns) == (T0 + 1 * MS, T0 + 3 * MS)
    assert (one.message, one.last_trace) == ("no answer in 5 s", trace_id(3))
    assert sum(one.history) == 3


def test_a_failure_is_counted_where_it_arose(reader: Reader) -> None:
    one = of(reader, "RefundError")
    assert (one.count, one.spans, one.traces) == (1, 3, 1)
    assert one.names == {"refund": 1}
    assert one.users == {"u9": 1}, "the trace's user, where the span names none"


def test_its_filter_finds_the_traces_of_a_group_and_no_others(reader: Reader) -> None:
    for one in failures(reader).groups:
        rows = reader.traces(parse(one.filter, T0))
        assert len(rows) == one.traces
        assert one.last_trace in {row.trace_id for row in rows}


def test_failures_obey_the_filter(reader: Reader) -> None:
    assert of(reader, "TimeoutError", "user:u2").count == 2
    assert not failures(reader, parse("kind:llm model:none", T0)).groups


def test_the_nearest_success_has_the_same_name_and_service(reader: Reader) -> None:
    near = nearest_success(reader, trace_id(3))
    assert near is not None
    assert near.trace_id == trace_id(5)
    assert nearest_success(reader, trace_id(4)) is None
    assert nearest_success(reader, "f" * 32) is None


def test_failures_are_found_by_their_index(reader: Reader) -> None:
    assert "spans_error" in store.failures_sql(reader, parse("user:u2", T0))
    plans = Plans(reader)
    failures(reader)
    assert not plans.scans()
    assert not plans.sorts()


def test_only_the_newest_are_looked_at_in_a_file_of_failures(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_SPANS", 3)
    found = failures(reader)
    assert (found.spans, found.partial) == (3, True)
    assert [one.error_type for one in found.groups] == ["RefundError"]


def test_an_empty_file_has_no_failures(tmp_path: Path) -> None:
    with open_reader(write(tmp_path / "traces.db", make_trace(1))) as reader:
        assert failures(reader).groups == []
