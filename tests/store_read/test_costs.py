"""What was spent: equal to an independent recount, from either road, in every zone."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean, stdev
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import FilterError
from collector.model import Reading, Score, SpanPart, Usage
from collector.pricing import Prices
from collector.store import open_reader
from collector.store.cost_rows import PARTS, quantile
from collector.store.cost_stats import patterns
from collector.store.costs import Asked, CostRow, Costs, costs, dimensions
from collector.store.filters import parse
from collector.store.totals import bucket_of
from collector.store.zones import Zone
from tests.builders import MS, T0, make_llm, make_part, trace_id
from tests.store.audit import MODEL_KINDS, QUARTER, expected_counted, rows
from tests.store_read.files import Plans, make_trace, write

S = 1000 * MS
HOUR = 3600 * S
UTC_ZONE = Zone("UTC")


def ask(db: Path, by: str = "", where: str = "", **more: Any) -> Costs:
    with open_reader(db) as reader:
        return costs(reader, Asked(dimensions(by), parse(where, T0 + 1000 * HOUR), **({"zone": UTC_ZONE} | more)))


def by_key(found: Costs) -> dict[tuple[str, ...], CostRow]:
    return {row.keys: row for row in found.rows}


# -- equal to a recount -------------------------------------------------------------------------------

MODELS = ("gpt-4o-mini", "gpt-4o", "a-model-nobody-sells", None)


@st.composite
def some_spans(draw: st.DrawFn) -> list[SpanPart]:
    """Traces with calls that are reported twice, sums repeated by parents, failures, unknown prices and running spans,
    spread over a day."""
    parts: list[SpanPart] = []
    for trace in range(1, draw(st.integers(2, 4)) + 1):
        start = T0 + draw(st.integers(0, 30)) * HOUR
        meta = {"department": draw(st.sampled_from(["sales", "legal"]))} if draw(st.booleans()) else None
        root = Reading(kind="agent", session_id=draw(st.sampled_from(["s1", "s2", None])), metadata=meta,
                       user_id=draw(st.sampled_from(["u1", None])), tags=tuple(draw(st.sets(st.sampled_from("ab")))),
                       usage=Usage(100, 100) if draw(st.booleans()) else None)  # fmt: skip
        parts.append(make_part(1, trace=trace_id(trace), start_ns=start, end_ns=start + 20 * S, reading=root))
        for n in range(2, draw(st.integers(2, 6)) + 1):
            parts.append(draw(a_child(n, trace, start)))
    return parts


@st.composite
def a_child(draw: st.DrawFn, n: int, trace: int, start: int) -> SpanPart:
    kind = draw(st.sampled_from(["llm", "llm", "embedding", "tool"]))
    of_model = kind in MODEL_KINDS
    read = draw(st.sampled_from([None, 50]))
    reading = Reading(
        kind=kind, model=draw(st.sampled_from(MODELS)) if of_model else None, provider="openai" if of_model else None,
        usage=Usage(draw(st.integers(60, 5000)), draw(st.integers(0, 500)), read) if of_model else None,
        response_id=draw(st.sampled_from([None, None, "r1"])) if of_model else None,
        cost_nanousd=draw(st.sampled_from([None, None, 7_000_000])) if of_model else None,
        prompt_name=draw(st.sampled_from([None, "triage"])),
        ttft_ns=draw(st.sampled_from([None, 300 * MS])) if of_model else None,
    )  # fmt: skip
    begin = start + draw(st.sampled_from([0, 1, 900, 86_400])) * S
    end = begin + draw(st.integers(1, 9000)) * MS
    status = draw(st.sampled_from(["ok", "ok", "error"]))
    ending: dict[str, Any] = {"end_ns": end, "status": status} if draw(st.integers(0, 5)) else {"end_ns": None}
    return make_part(n, parent=draw(st.integers(1, n - 1)), trace=trace_id(trace), start_ns=begin, reading=reading,
                     **ending)  # fmt: skip


def recount(db: Path, key: Any) -> dict[Any, dict[str, Any]]:
    """The sums by what `key(span, trace)` says, from the plain rows of the file."""
    everything = rows(db, "select * from spans")
    counted = expected_counted(everything)
    traces = {trace["trace_id"]: trace for trace in rows(db, "select * from traces")}
    found: dict[Any, dict[str, Any]] = defaultdict(lambda: defaultdict(int))
    for span in (span for span in everything if span["start_ns"] is not None):
        for group in key(span, traces[span["trace_id"]]):
            one = found[group]
            call = counted[span["trace_id"], span["span_id"]]
            one["spans"] += 1
            one["errors"] += span["status"] == "error"
            one["calls"] += bool(call and span["kind"] in MODEL_KINDS)
            one["unpriced"] += bool(call and span["kind"] in MODEL_KINDS and span["cost_nanousd"] is None
                                    and span["status"] == "ok")  # fmt: skip
            for name in ("cost_nanousd", "input_tokens", "output_tokens", "cache_read_tokens"):
                one[name] += (span[name] or 0) if call else 0
            one.setdefault("of", set()).add(span["trace_id"])
            if span["kind"] in MODEL_KINDS and span["duration_ns"] is not None:
                one.setdefault("took", []).append(span["duration_ns"])
    return found


def same(row: CostRow, want: dict[str, Any], traces: bool) -> None:
    assert (row.spans, row.errors, row.calls, row.unpriced_calls) == (
        want["spans"], want["errors"], want["calls"], want["unpriced"])  # fmt: skip
    assert (row.cost_nanousd or 0) == want["cost_nanousd"]
    assert (row.usage.input_tokens or 0, row.usage.output_tokens or 0, row.usage.cache_read_tokens or 0) == (
        want["input_tokens"], want["output_tokens"], want["cache_read_tokens"])  # fmt: skip
    if traces:
        assert row.traces == len(want["of"])
    took = sorted(want.get("took", ()))
    if took:
        assert row.duration.count == len(took)
        middle = took[(len(took) + 1) // 2 - 1]
        assert abs(bucket_of(row.duration.p50_ns or 0) - bucket_of(middle)) <= 1


def text(value: Any) -> str:
    return "" if value is None else str(value)


def of_tags(span: Any, trace: Any) -> list[tuple[str, ...]]:
    return [(tag,) for tag in json.loads(trace["tags"] or "[]")] or [("",)]


def department(trace: Any) -> str:
    return text(json.loads(trace["metadata"] or "{}").get("department"))


KEYS: dict[str, Any] = {
    "": lambda span, trace: [()],
    "model": lambda span, trace: [(text(span["model"]),)],
    "kind,model": lambda span, trace: [(span["kind"], text(span["model"]))],
    "user,session": lambda span, trace: [(text(trace["user_id"]), text(trace["session_id"]))],
    "prompt": lambda span, trace: [(text(span["prompt_name"]),)],
    "tag": of_tags,
    "meta.department,model": lambda span, trace: [(department(trace), text(span["model"]))],
    "hour": lambda span, trace: [(f"{datetime.fromtimestamp(span['start_ns'] // S, UTC):%Y-%m-%d %H:00}",)],
    "day,provider": lambda span, trace: [
        (f"{datetime.fromtimestamp(span['start_ns'] // S, UTC):%Y-%m-%d}", text(span["provider"]))
    ],
}


@settings(max_examples=8)
@given(parts=some_spans())
def test_every_grouping_equals_an_independent_recount_by_either_road(parts, tmp_path_factory):
    db = write(tmp_path_factory.mktemp("costs") / "traces.db", *parts)
    for by, key in KEYS.items():
        want = recount(db, key)
        for traces in (False, True):
            found = ask(db, by, declared=("department",), traces=traces)
            assert set(by_key(found)) == set(want)
            for keys, row in by_key(found).items():
                same(row, want[keys], traces)
            same(found.total, recount(db, KEYS[""])[()], traces)
    with open_reader(db) as reader:
        totals = reader.totals()
        found = ask(db, "model")
        of_traces = reader.traces(limit=100)
    assert (found.total.spans, found.total.errors, found.total.unpriced_calls) == (
        totals.spans, totals.errors, totals.unpriced_calls)  # fmt: skip
    assert (found.total.cost_nanousd or 0) == (totals.cost_nanousd or 0) == sum(t.cost_nanousd or 0 for t in of_traces)
    assert found.total.llm_calls == sum(trace.llm_calls for trace in of_traces)


FILTERS = ("since:2026-11-18T04:00 until:2026-11-19T07:22:13", "kind:llm", "-kind:llm provider:open*",
           "meta.department:sales", "model:gpt-4o*", "(kind:tool or model:gpt-4o)")  # fmt: skip


@settings(max_examples=8)
@given(parts=some_spans())
def test_filters_find_the_same_by_either_road(parts, tmp_path_factory):
    db = write(tmp_path_factory.mktemp("costs") / "traces.db", *parts)
    for where in FILTERS:
        ahead, looked = (
            ask(db, "model,kind", where, declared=("department",), traces=one, sort="name") for one in (False, True)
        )
        assert [bare(row) for row in looked.rows] == [bare(row) for row in ahead.rows]


def bare(row: CostRow) -> CostRow:
    """Rollups do not count traces, and cannot tell a call that runs from one that cost nothing."""
    return replace(row, traces=None, cost_nanousd=row.cost_nanousd or None)


# -- what a filter means ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Two users' traces: one with a tool that failed and two models, one of a model without a price."""
    agent = Reading(kind="agent", user_id="u1", session_id="s1", tags=("env:prod", "vip"), metadata={"vram_gb": 24})
    other = Reading(kind="agent", user_id='u"2', session_id="s2", tags=("env=dev",), metadata={"vram_gb": 8.5})
    one, two = trace_id(1), trace_id(2)
    return write(
        tmp_path_factory.mktemp("shop") / "traces.db",
        make_part(1, trace=one, reading=agent, end_ns=T0 + 10 * S),
        make_llm(2, trace=one, parent=1, model="gpt-4o", tokens=(1000, 100)),
        make_llm(3, trace=one, parent=1, tokens=(2000, 100),
                 reading={"usage": Usage(2000, 100, 1500), "ttft_ns": 250 * MS}),
        make_part(4, trace=one, parent=1, reading=Reading(kind="tool"), status="error"),
        make_part(1, trace=two, reading=other, end_ns=T0 + 10 * S),
        make_llm(2, trace=two, parent=1, model="my-own-7b", tokens=(10, 10)),
        scores=[
            Score("a", "quality", T0, trace_id=one, value=0.5),
            Score("b", "quality", T0, trace_id=two, value=1.0),
            Score("c", "mood", T0, session_id="s1", value=3.0),
            Score("d", "verdict", T0, trace_id=one, label="good", data_type="categorical"),
        ],
    )  # fmt: skip


def test_call_keys_say_which_calls_and_other_keys_of_which_traces(shop):
    assert ask(shop, where="model:gpt-4o").total.calls == ask(shop, where="answered:gpt-4o").total.calls == 1
    assert ask(shop, where="user:u1").total.calls == 2
    assert ask(shop, where="user:u1").total.spans == 4
    assert ask(shop, where="errors:>0 -model:gpt-4o").total.calls == 1
    assert ask(shop, where="tag:vip kind:tool").total.errors == 1


def test_a_price_that_nobody_knows_is_told_and_never_zero(shop):
    found = by_key(ask(shop, "model"))
    assert (found[("my-own-7b",)].cost_nanousd, found[("my-own-7b",)].unpriced_calls) == (None, 1)
    assert ask(shop, "model").total.unpriced_calls == 1
    assert found[("",)].cost_nanousd is None
    assert found[("gpt-4o",)].per_call_nanousd == found[("gpt-4o",)].cost_nanousd


def test_a_model_that_costs_nothing_costs_nothing(tmp_path):
    free = make_llm(1, model="my-own-7b", reading={"cost_nanousd": 0})
    assert by_key(ask(write(tmp_path / "t.db", free), "model"))[("my-own-7b",)].cost_nanousd == 0


def test_tags_of_one_key_are_told_apart_by_their_values(shop):
    found = ask(shop, "tag:env")
    assert {keys[0]: row.spans for keys, row in by_key(found).items()} == {"prod": 4, "dev": 2}
    assert found.total.spans == 6


def test_scores_and_numbers_of_the_metadata_have_a_mean(shop):
    found = ask(shop, "user", stats=patterns("score.*,meta.vram_gb"))
    assert found.total.scores["quality"].mean == mean([0.5, 1.0])
    assert found.total.scores["quality"].deviation == pytest.approx(stdev([0.5, 1.0]))
    mine = by_key(found)[("u1",)]
    assert (mine.scores["mood"].mean, mine.scores["mood"].count, mine.scores["mood"].deviation) == (3.0, 1, None)
    assert "verdict" not in mine.scores
    assert mine.metadata["vram_gb"].mean == 24
    assert found.total.metadata["vram_gb"].mean == mean([24, 8.5])


def test_what_is_said_of_several_traces_is_counted_once_in_a_row_and_the_same_twice_of_one_twice(tmp_path, monkeypatch):
    monkeypatch.setattr("collector.store.cost_sources.CHUNK", 1)
    parts = [
        make_llm(1, trace=trace_id(n), model=model, reading={"session_id": "s1", "metadata": {"vram_gb": n}})
        for n, model in enumerate(("gpt-4o", "gpt-4o", "gpt-4o-mini"), start=1)
    ]
    scores = [
        Score("of-session", "mood", T0, session_id="s1", value=3.0),
        Score("one", "quality", T0, trace_id(1), value=0.5), Score("other", "quality", T0, trace_id(1), value=0.5),
    ]  # fmt: skip
    db = write(tmp_path / "t.db", *parts, scores=scores)
    found = ask(db, "model", stats=patterns("score.*,score.quality,meta.*"))
    told = {row.keys: {name: one.count for name, one in (row.scores | row.metadata).items()} for row in found.rows}
    assert told == {("gpt-4o",): {"mood": 1, "quality": 2, "vram_gb": 2}, ("gpt-4o-mini",): {"mood": 1, "vram_gb": 1}}
    assert {name: one.count for name, one in found.total.scores.items()} == {"mood": 1, "quality": 2}
    assert found.total.metadata["vram_gb"].mean == 2


def test_a_cost_is_split_and_says_what_caching_saved(shop):
    found = ask(shop, "model", prices=Prices())
    row = by_key(found)[("gpt-4o-mini",)]
    assert row.split is not None
    assert sum(getattr(row.split, name) for name in PARTS) == row.cost_nanousd
    assert row.split.input == 500 * 150
    assert row.split.cache_read == 1500 * 75
    assert row.split.saved == 1500 * 75
    assert found.total.split is not None
    assert sum(getattr(found.total.split, name) for name in PARTS) == found.total.cost_nanousd


def test_the_dearest_come_first_and_times_in_their_order(shop):
    assert ask(shop, "model").rows[0].keys == ("gpt-4o",)
    assert [row.keys[0] for row in ask(shop, "model", sort="name").rows] == ["", "gpt-4o", "gpt-4o-mini", "my-own-7b"]
    assert ask(shop, "user,model").groups[0].keys == ("u1",)


@pytest.mark.parametrize("by", ["modle", "model,model", "a,b", "meta.", "model,user,day,kind", 'meta."x"'])
def test_what_cannot_be_grouped_by_is_said(by):
    with pytest.raises(FilterError, match=r"cannot group by|named twice|three things"):
        dimensions(by)


def test_what_cannot_be_shown_or_sorted_is_said(shop):
    with pytest.raises(FilterError, match=r"score\.NAME"):
        patterns("quality")
    with pytest.raises(FilterError, match="cannot sort by"):
        ask(shop, sort="beauty")


@pytest.mark.parametrize("name", ["it's", 'a"b', "50%", "[x]", "list[int]", ":low", "日本 語", "*"])
def test_odd_names_group_and_lead_back_to_their_traces(name, tmp_path):
    db = write(tmp_path / "t.db", make_trace(1, kind="agent", user_id=name, metadata={"k": name}), make_trace(2))
    for by in ("user", "meta.k"):
        found = ask(db, by)
        assert (name,) in by_key(found)
        with open_reader(db) as reader:
            listed = reader.traces(parse(dimensions(by)[0].finds(name), T0))
        assert trace_id(1) in [trace.trace_id for trace in listed]


# -- zones --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Pacific/Chatham"])
def test_days_and_hours_are_those_of_the_zone(name):
    zone, tz = Zone(name), ZoneInfo(name)
    for at in range(T0 // QUARTER, T0 // QUARTER + 200):
        here = datetime.fromtimestamp(at * 900, tz)
        assert zone.label(at, "day") == f"{here:%Y-%m-%d}"
        assert zone.label(at, "hour") == f"{here:%Y-%m-%d %H}:00"
        assert zone.label(at, "month") == f"{here:%Y-%m}"
        start, end = zone.spans[zone.label(at, "day")]
        assert start <= at * QUARTER < end
        assert datetime.fromtimestamp(start // S, tz).strftime("%H:%M") == "00:00"


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_on_which_the_clock_changes_is_longer_or_shorter(day, hours):
    zone = Zone("Europe/Berlin")
    start = int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) // 900
    labels = [zone.label(start + quarter, "day") for quarter in range(hours * 4)]
    assert set(labels) == {day}
    assert zone.label(start + hours * 4, "day") != day
    begin, end = zone.spans[day]
    assert (end - begin) == hours * HOUR
    assert len({zone.label(start + quarter, "hour") for quarter in range(hours * 4)}) == hours


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Africa/Cairo", "America/St_Johns"]
)
@pytest.mark.parametrize("unit", ["hour", "day"])
def test_where_the_clock_changes_no_quarter_hour_is_in_two_hours_or_days_and_none_is_left_out(name, unit):
    zone, tz = Zone(name), ZoneInfo(name)
    year = [int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) // 900 + 96 * day for day in range(366)]
    offsets = [datetime.fromtimestamp(at * 900, tz).utcoffset() for at in year]
    changes = [at for at, before, after in zip(year, offsets, offsets[1:], strict=False) if before != after]
    assert len(changes) == 2
    for change in changes:
        for at in range(change - 96, change + 192):
            label = zone.label(at, unit)
            start, end = zone.spans[label]
            assert start <= at * QUARTER < end
            edge = zone.label(start // QUARTER, unit), zone.label(end // QUARTER - 1, unit)
            assert edge == (label, label)
            assert label[:10] == f"{datetime.fromtimestamp(at * 900, tz):%Y-%m-%d}"


def test_calls_near_midnight_are_of_the_day_of_who_asks(tmp_path):
    midnight = datetime(2026, 11, 21, tzinfo=ZoneInfo("Asia/Kolkata"))
    before, after = (int((midnight + timedelta(minutes=m)).timestamp()) * S for m in (-1, 1))
    db = write(tmp_path / "t.db", make_llm(1, start_ns=before), make_llm(2, start_ns=after))
    kolkata = ask(db, "day", zone=Zone("Asia/Kolkata"))
    assert [row.keys[0] for row in kolkata.rows] == ["2026-11-20", "2026-11-21"]
    assert [row.keys[0] for row in ask(db, "day").rows] == ["2026-11-20"]


def test_there_is_no_zone_of_that_name():
    with pytest.raises(FilterError, match="no time zone"):
        Zone("Middle/Earth")


# -- how ----------------------------------------------------------------------------------------------


def test_declared_things_are_answered_without_looking_at_spans(shop):
    with open_reader(shop) as reader:
        plans = Plans(reader)
        assert costs(reader, Asked(dimensions("model,day"), zone=UTC_ZONE)).ahead
        running = "s.status = 'running'"  # the few that run are looked at, through an index of their own
        assert not [sql for sql, _ in plans.seen if " spans" in sql and running not in sql]


def test_looking_at_spans_says_how_far_it_is(shop):
    told: list[tuple[int, int]] = []
    with open_reader(shop) as reader:
        costs(reader, Asked(dimensions("user")), lambda done, whole: told.append((done, whole)))
    assert told == [(0, 2)]


@pytest.mark.parametrize(
    "values",
    [[MS * n for n in range(1, 1001)], [60 * S] * 300, [67 * S] * 300, [58 * S], [MS, 10 * S], [3, 200, 90 * S] * 40],
    ids=lambda values: f"{len(values)} from {values[0]}",
)
def test_quantiles_are_right_within_9_percent_however_the_values_lie(values):
    buckets: dict[int, int] = defaultdict(int)
    for value in values:
        buckets[bucket_of(value)] += 1
    for part in (0.5, 0.95, 0.99):
        found = quantile(buckets, part)
        assert found is not None
        true = sorted(values)[max(0, math.ceil(part * len(values)) - 1)]
        assert abs(found / true - 1) < 0.0906 or abs(found - true) <= 1
    assert quantile({}, 0.5) is None
