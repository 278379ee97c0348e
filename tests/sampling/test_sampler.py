"""Which traces are written, which wait, and what is said of those that never are."""

from __future__ import annotations

import random
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest

from collector.model import Rank, Reading, Refusal, SpanPart
from collector.sampling import KNOWN_TRACES, QUIET_S, Sampler, kept_at
from collector.setting_tables import sampling
from collector.settings import Settings
from tests.builders import make_part, make_started

LOW, HIGH = "0" * 18 + "1" * 14, "f" * 32
"""Trace ids that are left out at any rate below one half, and kept at any above 0."""
QUIET = QUIET_S + Settings().started_after_s


def sampler(rate: float = 1.0, *rules: dict[str, Any], limit: int = 10_000_000, **settings: Any) -> Sampler:
    return Sampler(replace(Settings(), sample_rate=rate, sampling=sampling(rules), **settings), limit_bytes=limit)


def root(trace: str = LOW, **fields: Any) -> SpanPart:
    return make_part(1, trace=trace, **fields)


def child(n: int = 2, trace: str = LOW, **fields: Any) -> SpanPart:
    return make_part(n, parent=1, trace=trace, **fields)


def ids(parts: list[SpanPart]) -> list[str]:
    return [part.span_id[-1] for part in parts]


def counted(told: tuple[Refusal, ...]) -> dict[str, int]:
    return {one.reason: one.count for one in told}


# --- the rate ---


def test_everything_is_written_by_default() -> None:
    assert not Sampler.active(Settings())
    assert sampler().sift([root(), root(HIGH)], 0) == [root(), root(HIGH)]


def test_the_rate_is_met_over_many_traces() -> None:
    rng = random.Random(7)
    kept = sum(kept_at(f"{rng.getrandbits(128):032x}", 0.1) for _ in range(20_000))
    assert 1_850 < kept < 2_150


def test_a_trace_kept_at_a_rate_is_kept_at_every_higher_one() -> None:
    rng = random.Random(7)
    for _ in range(2_000):
        trace = f"{rng.getrandbits(128):032x}"
        at = [kept_at(trace, rate) for rate in (0.0, 0.01, 0.3, 0.5, 0.99, 1.0)]
        assert at == sorted(at)
        assert (at[0], at[-1]) == (False, True)


def test_the_threshold_is_that_of_consistent_probability_sampling() -> None:
    assert kept_at("0" * 18 + "80000000000000", 0.5)
    assert not kept_at("f" * 18 + "7fffffffffffff", 0.5)
    assert kept_at("0" * 18 + "c0000000000000", 0.25)
    assert not kept_at("f" * 18 + "bfffffffffffff", 0.25)


def test_processes_that_share_a_trace_agree() -> None:
    one, other = sampler(0.5), sampler(0.5)
    assert [bool(one.sift([child(2, trace)], 0)) for trace in (LOW, HIGH)] == [False, True]
    assert [bool(other.sift([child(3, trace)], 0)) for trace in (LOW, HIGH)] == [False, True]


# --- rules ---


@pytest.mark.parametrize(
    ("rule", "fits", "does_not"),
    [
        ({"name": "health*"}, {"name": "healthz"}, {"name": "chat"}),
        ({"user": "bot-?"}, {"reading": Reading(user_id="bot-1")}, {"reading": Reading(user_id="bot-12")}),
        ({"user": "bot-?"}, {"attributes": {"user.id": "bot-1"}}, {}),
        ({"session": "s1"}, {"reading": Reading(session_id="s1")}, {"reading": Reading(session_id="s2")}),
        ({"tag": "noise"}, {"reading": Reading(tags=("a", "noise"))}, {"reading": Reading(tags=("a",))}),
        ({"metadata": {"tier": "free", "n": 1}}, {"reading": Reading(metadata={"tier": "free", "n": 1})},
         {"reading": Reading(metadata={"tier": "free"})}),
        ({"name": "chat", "tag": "x"}, {"name": "chat", "reading": Reading(tags=("x",))}, {"name": "chat"}),
    ],
)  # fmt: skip
def test_a_rule_leaves_out_what_it_fits(rule: dict[str, Any], fits: dict[str, Any], does_not: dict[str, Any]) -> None:
    assert sampler(1.0, {**rule, "rate": 0}).sift([root(**fits)], 0) == []
    assert sampler(1.0, {**rule, "rate": 0}).sift([root(**does_not)], 0) == [root(**does_not)]


def test_the_first_rule_that_fits_counts() -> None:
    rules = [{"name": "health", "user": "vip", "rate": 1}, {"name": "health", "rate": 0}, {"name": "*", "rate": 1}]
    vip = root(name="health", reading=Reading(user_id="vip"))
    assert sampler(0.0, *rules).sift([vip], 0) == [vip]
    assert sampler(0.0, *rules).sift([root(name="health")], 0) == []
    assert sampler(0.0, *rules).sift([root(name="chat")], 0) == [root(name="chat")]


def test_a_trace_is_named_by_its_root_not_by_what_it_calls() -> None:
    rules = [{"name": "http*", "rate": 0}]
    found = sampler(1.0, *rules)
    found.meet(make_started(1, trace=LOW, name="chat"))
    assert ids(found.sift([child(2, name="http get"), root(name="chat")], 0)) == ["2", "1"]
    other = sampler(1.0, *rules)
    other.meet(make_started(1, trace=LOW, name="http get"))
    assert other.sift([child(2, name="chat"), root(name="http get")], 0) == []


def test_what_is_said_later_may_bring_a_waiting_trace_back() -> None:
    found = sampler(0.0, {"user": "vip", "rate": 1})
    assert found.sift([make_started(1, trace=LOW)], 0) == []
    assert ids(found.sift([child(2, reading=Reading(user_id="vip"))], 1)) == ["1", "2"]
    assert ids(found.sift([root()], 2)) == ["1"]
    assert found.left_out() == ()


def test_what_a_root_says_is_heard_before_children_that_come_with_it_are_judged() -> None:
    """What was spilled comes back without having been met: children first, and the root, which names it, last."""
    found = sampler(1.0, {"name": "health", "rate": 0})
    assert found.sift([child(2, name="step"), root(name="health")], 0) == []


def test_an_environment_has_its_own_rate() -> None:
    tables = {"production": {"sample_rate": 0.0}}
    found = Sampler(replace(Settings(), environments=tables))
    assert Sampler.active(replace(Settings(), environments=tables))
    assert found.sift([root(reading=Reading(environment="production"))], 0) == []
    assert len(found.sift([root(HIGH, reading=Reading(environment="staging"))], 0)) == 1


# --- failures ---


def test_a_trace_is_written_after_all_if_one_of_its_spans_fails() -> None:
    found = sampler(0.0)
    assert found.sift([make_started(1, trace=LOW), child(2)], 0) == []
    assert ids(found.sift([child(3, status="error")], 1)) == ["1", "2", "3"]
    assert ids(found.sift([child(4), root()], 2)) == ["4", "1"]
    assert not found.waiting
    assert found.left_out() == ()


@pytest.mark.parametrize("failed", [{"status": "error"}, {"otel_status": 2}, {"reading": Reading(status="error")}])
def test_failure_is_seen_however_it_is_said(failed: dict[str, Any]) -> None:
    assert len(sampler(0.0).sift([child(2), root(**failed)], 0)) == 2


def test_of_a_span_that_started_and_ended_only_the_end_waits() -> None:
    found = sampler(0.0)
    found.sift([make_started(2, parent=1, trace=LOW), child(2)], 0)
    found.sift([make_started(2, parent=1, trace=LOW)], 0)
    released = found.sift([root(status="error")], 0)
    assert [(part.span_id[-1], part.rank) for part in released] == [("2", Rank.FINISHED), ("1", Rank.FINISHED)]


def test_a_failure_after_a_trace_was_given_up_is_still_written() -> None:
    found = sampler(0.0)
    found.sift([child(2), root()], 0)
    found.sift([], QUIET)
    assert counted(found.left_out()) == {"sample_rate 0": 2}
    assert ids(found.sift([child(3)], 10)) == []
    assert ids(found.sift([child(4, status="error")], 11)) == ["4"]
    assert counted(found.left_out()) == {"sample_rate 0": 1}


# --- what is left out is counted, and bounded ---


def test_what_has_ended_and_stays_quiet_is_left_out_and_counted_once() -> None:
    found = sampler(0.25, {"name": "health*", "rate": 0})
    found.sift([child(2), root(name="chat"), make_part(1, trace=HIGH, name="healthz")], 0)
    assert found.left_out() == ()
    found.sift([], QUIET - 0.1)
    assert found.waiting
    found.sift([], QUIET)
    assert not found.waiting
    assert counted(found.left_out()) == {"sample_rate 0.25": 2, "sampling rule name health*: 0": 1}
    assert found.left_out() == ()


def test_a_trace_whose_root_still_runs_waits_on() -> None:
    found = sampler(0.0)
    found.sift([child(2), make_started(1, trace=LOW)], 0)
    found.sift([], 1_000)
    assert found.waiting
    assert len(found.sift([root(status="error")], 1_001)) == 2


def test_at_the_end_all_that_waits_is_counted() -> None:
    found = sampler(0.0)
    found.sift([make_started(1, trace=LOW), child(2)], 0)
    found.give_up()
    assert (counted(found.left_out()), found.waiting) == ({"sample_rate 0": 2}, False)


def test_memory_is_bounded_and_the_longest_quiet_go_first() -> None:
    found = sampler(0.0, limit=100_000)
    for n in range(200):
        found.sift([make_part(1, trace=f"{n + 1:032x}", attributes={"input.value": "x" * 5_000})], 0)
    assert found._bytes <= 100_000
    (told,) = found.left_out()
    assert 180 < told.count < 200
    assert len(found.sift([make_part(2, parent=1, trace=f"{200:032x}", status="error")], 0)) == 2
    assert len(found.sift([make_part(2, parent=1, trace=f"{1:032x}", status="error")], 0)) == 1


@pytest.mark.parametrize("letter", ["x", "ü", "字"])
def test_what_waits_takes_no_more_memory_than_allowed(letter: str) -> None:
    found = sampler(0.0, limit=2_000_000)
    tracemalloc.start()
    try:
        for n in range(2_000):
            said = {"input.value": letter * 2_000 + str(n), "list": [{"a": [n + 0.5] * 20}]}
            part = make_part(1, trace=f"{n + 1:032x}", attributes=said, reading=Reading(metadata={"n": str(n)}))
            assert found.sift([part], 0) == []
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.waiting
    per_known_trace = 1_000
    assert held < 2_000_000 + 2_000 * per_known_trace


def test_a_span_open_when_its_trace_was_given_up_is_counted_once_when_it_ends() -> None:
    found = sampler(0.0, limit=1)
    found.sift([make_started(1, trace=LOW), child(2)], 0)
    assert counted(found.left_out()) == {"sample_rate 0": 1}
    found.sift([root()], 1)
    assert counted(found.left_out()) == {"sample_rate 0": 1}
    found.give_up()
    assert found.left_out() == ()


def test_at_the_end_what_is_still_open_counts_as_left_out() -> None:
    found = sampler(0.0, limit=1)
    found.sift([make_started(1, trace=LOW), child(2)], 0)
    found.give_up()
    assert counted(found.left_out()) == {"sample_rate 0": 2}


def test_a_second_call_within_a_trace_keeps_the_first_waiting() -> None:
    found = sampler(0.0)
    found.sift([child(2), child(3)], 0)
    found.sift([make_started(4, parent=1, trace=LOW)], QUIET - 0.1)
    found.sift([], 100)
    assert ids(found.sift([child(4, status="error")], 101)) == ["2", "3", "4"]


def test_what_a_trace_says_of_itself_is_bounded() -> None:
    found = sampler(0.0, {"user": "nobody", "rate": 1})
    for n in range(1_000):
        found.sift([child(2, attributes={"user.id": f"user-{n}" * 1_000}, reading=Reading(metadata={str(n): n}))], 0)
    said = found._traces[LOW].said
    assert said is not None
    assert (len(said.users), len(said.metadata)) == (100, 100)
    assert max(map(len, said.users)) <= 1_000


def test_memory_is_free_again_when_a_trace_was_released_or_given_up() -> None:
    found = sampler(0.0)
    found.sift([child(2), child(3), root()], 0)
    assert found._bytes > 0
    found.sift([child(4, status="error")], 0)
    assert found._bytes == 0
    found.sift([make_part(1, trace=HIGH[:-1] + "0")], 0)
    found.give_up()
    assert found._bytes == 0


def test_traces_beyond_count_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KNOWN_TRACES > 1_000
    monkeypatch.setattr("collector.sampling.KNOWN_TRACES", 10)
    found = sampler(0.0)
    for n in range(100):
        found.sift([make_part(1, trace=f"{n + 1:032x}")], 0)
    assert len(found._traces) == 10
    found.give_up()
    assert sum(one.count for one in found.left_out()) == 100


def test_no_order_of_arrival_loses_or_doubles_a_span_of_a_failed_trace() -> None:
    parts = [make_started(1, trace=LOW), child(2), child(3), child(4, status="error"), child(5), root()]
    rng = random.Random(7)
    for _ in range(100):
        rng.shuffle(parts)
        found = sampler(0.0)
        written = [one for part in parts for one in found.sift([part], 0)]
        assert {part.span_id for part in written} == {part.span_id for part in parts}
        assert len({(part.span_id, part.rank) for part in written}) == len(written)
