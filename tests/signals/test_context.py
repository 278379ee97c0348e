"""How a context grew: chains, changes, what fills it, and where the cacheable beginning broke."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import context, prefixes, weighing
from collector.chains import chains
from collector.context import Change, growth, steps
from collector.model import Usage
from collector.pricing import Prices
from collector.seen import Said, Seen, Upto, in_common
from collector.signals import detect
from tests.builders import T0
from tests.signals.traces import S, asks, assistant, llm, result, said, user

A, B, C, D = user("a" * 400), assistant("b" * 400), user("c" * 400), assistant("d" * 400)
PRICES = Prices({"m": {"input": 10, "output": 10, "cache_read": 1}})


def changes(before: tuple[Said, ...], after: tuple[Said, ...], out: Said | None = None) -> list[tuple[str, int]]:
    step = steps([llm(1, *before, out=out), llm(2, *after)])[1]
    return [(one.what, one.index) for one in step.changes]


def test_calls_that_share_a_history_are_a_chain_and_others_are_not() -> None:
    first, second = llm(1, A, out=B), llm(3, A, B, C)
    other = llm(2, user("another agent's question"))
    assert [[one.span_id for one in chain] for chain in chains([second, other, first])] == [["1", "3"], ["2"]]


def test_a_history_cut_at_its_head_stays_in_its_chain_and_parallel_calls_do_not() -> None:
    assert len(chains([llm(1, A, B, C), llm(2, B, C, D)])) == 1
    side = [llm(n, A, start_ns=T0 + n, end_ns=T0 + 9 * S) for n in (1, 2)]
    assert len(chains(side)) == 2


@pytest.mark.parametrize("shared", [False, True])
def test_what_hundreds_were_given_does_not_say_which_of_them_goes_on(shared: bool, monkeypatch: Any) -> None:
    monkeypatch.setattr("collector.chains.MOST_ALIKE", 20)
    first = Upto([], 0).with_one(A)
    branches = [first.with_one(user(f"document {n}")) for n in range(30)]
    side = [llm(n, *branch, start_ns=T0 + n, end_ns=T0 + 9 * S) for n, branch in enumerate(branches, 1)]
    more = branches[6].with_one(B).with_one(C)
    calls = [*side, llm(40, *more, start_ns=T0 + 20 * S), llm(41, *first.with_one(D), start_ns=T0 + 30 * S)]
    if shared:
        lists = [*branches, more, first.with_one(D)]
        calls = [replace(one, input=some) for one, some in zip(calls, lists, strict=True)]
    found = [[one.span_id for one in chain] for chain in chains(calls)]
    assert found == [*([str(n)] if n != 7 else ["7", "40"] for n in range(1, 31)), ["41"]]


def test_what_a_turn_added_is_told_and_which_of_it_was_the_answer_before() -> None:
    step = steps([llm(1, A, out=B), llm(2, A, B, C)])[1]
    assert [(one.what, one.index, one.answer) for one in step.changes] == [("added", 2, True), ("added", 3, False)]
    assert step.broken is None


def test_dropped_moved_truncated_and_rewritten_messages_are_told_apart() -> None:
    assert changes((A, B, C), (A, C)) == [("dropped", 2)]
    assert changes((A, B, C, D), (A, C, B, D)) in ([("moved", 2)], [("moved", 3)])
    assert changes((A, B), (A, assistant("b" * 100))) == [("truncated", 2)]
    assert changes((A, B), (A, assistant("something else"))) == [("rewritten", 2)]
    long, short = result("x" * 900, "c1"), result("[cleared]", "c1")
    assert changes((A, asks("t", {}, "c1"), long), (A, asks("t", {}, "c1"), short)) == [("truncated", 3)]


def test_a_truncated_message_says_how_much_is_gone() -> None:
    step = steps([llm(1, A, B, tokens=(200, 1)), llm(2, A, assistant("b" * 100), tokens=(125, 1))])[1]
    assert step.changes == (Change("truncated", 2, "assistant", 75, "b" * 79 + "…"),)


def full(n: int, *messages: Said, tokens: int | None, **more: Any) -> Seen:
    system = (said("system", "s" * 100),)
    return llm(n, *messages, system=system, tool_definitions=["t" * 96], usage=Usage(tokens, 1), **more)


def test_what_fills_the_window_adds_up_to_the_tokens_that_were_counted() -> None:
    reasoning = said("assistant", {"type": "reasoning", "text": "r" * 100})
    step = steps([full(1, user("u" * 100), reasoning, result("x" * 100), tokens=1000)])[0]
    assert step.segments == {"system": 200, "tools": 200, "history": 200, "results": 200, "reasoning": 200}
    assert (step.tokens, step.estimated) == (1000, False)


def test_without_a_count_four_characters_are_a_token() -> None:
    step = steps([llm(1, A, tokens=None)])[0]
    assert (step.segments["history"], step.estimated) == (100, True)


def test_growth_is_by_call() -> None:
    assert growth(steps([llm(1, A, tokens=(100, 1)), llm(2, A, B, tokens=(250, 1)), llm(3, A, tokens=(90, 1))])) == [
        100, 150, -160,
    ]  # fmt: skip


def broken(n: int, *messages: Said, read: int, system: str = "s") -> Seen:
    usage = Usage(10_000, 10, cache_read_tokens=read)
    return llm(n, *messages, model="m", usage=usage, system=(said("system", system),))


def test_where_the_prefix_broke_is_told_with_what_differs_and_what_it_cost() -> None:
    calls = [broken(1, A, read=0), broken(2, A, B, read=9000), broken(3, user("A" * 400), B, C, read=0)]
    step = steps(calls, PRICES.cost)[2]
    assert step.broken is not None
    assert (step.broken.part, step.broken.index, step.broken.place) == ("message", 1, "message 1 (user)")
    assert "aaa" in step.broken.what
    assert "AAA" in step.broken.what
    # 10,000 tokens at $10 a million where $1 would have done
    assert (step.missed_tokens, step.over_nanousd) == (10_000, 90_000_000)


def test_a_clock_in_the_system_instructions_breaks_everything() -> None:
    step = steps([broken(1, A, read=5000, system="It is 10:01."), broken(2, A, read=0, system="It is 10:02.")])[1]
    assert step.broken is not None
    assert (step.broken.place, step.broken.what) == ("the system instructions", "“It is 10:01.” became “It is 10:02.”")


def test_an_unbroken_prefix_costs_nothing_more_and_an_unknown_price_is_unknown() -> None:
    calls = [broken(1, A, read=0), broken(2, A, B, read=9000)]
    assert [step.over_nanousd for step in steps(calls, PRICES.cost)] == [0, 0]
    gone = [broken(1, A, read=5000), broken(2, B, read=0)]
    assert steps(gone, lambda *_: None)[1].over_nanousd is None


def test_a_prompt_that_is_wholly_the_beginning_of_the_one_before_breaks_nothing() -> None:
    step = steps([broken(1, A, B, C, read=0), broken(2, A, read=9000)], PRICES.cost)[1]
    assert (step.broken, [one.what for one in step.changes]) == (None, ["dropped", "dropped"])


def test_another_model_has_a_cache_of_its_own_and_another_name_of_one_is_none() -> None:
    calls = [replace(broken(n, A, read=9000 * (n == 1)), model=model) for n, model in ((1, "m"), (2, "other"))]
    step = steps(calls)[1]
    assert step.broken is not None
    assert (step.broken.place, step.broken.what) == ("the model", "“m” became “other”")
    assert list(prefixes.breaks(calls, 1)) == []
    assert steps([calls[0], replace(calls[1], model="m-2026-11-21")])[1].broken is None


def test_a_compaction_that_keeps_the_last_messages_is_told_with_what_it_cost() -> None:
    summary = user("So far: the order was found and refunded.")
    calls = [broken(1, A, B, C, D, read=0), broken(2, summary, D, C, read=200)]
    (chain,) = chains(calls)
    step = steps(chain, PRICES.cost)[1]
    assert [(one.what, one.index) for one in step.changes] == [("rewritten", 1), ("dropped", 2), ("moved", 2)]
    assert step.broken is not None
    assert (step.broken.place, step.missed_tokens) == ("message 1 (user)", 9_800)
    assert step.over_nanousd == 9_800 * 9_000


SUMMARY = user("This session is being continued from a previous conversation that ran out of context. So far: …")


def test_a_summary_that_shares_nothing_goes_on_from_the_longest_history_and_is_no_broken_cache() -> None:
    side = llm(2, user("a sub-agent's question"))
    calls = [broken(1, A, B, C, read=0), side, broken(3, SUMMARY, D, read=200), broken(4, SUMMARY, D, A, B, read=9000)]
    found = chains(calls)
    assert [[one.span_id for one in chain] for chain in found] == [["1", "3", "4"], ["2"]]
    first, second, third = steps(found[0], PRICES.cost)
    assert [step.compacted for step in (first, second, third)] == [False, True, False]
    assert (second.missed_tokens, second.over_nanousd, third.broken) == (9_800, 9_800 * 9_000, None)
    assert [one.kind for one in detect(calls) if one.kind == "cache"] == []
    assert len(chains([calls[0], replace(calls[2], input=(assistant("Here is a summary of the conversation."),))])) == 2


def test_of_a_call_that_was_recorded_by_its_messages_alone_only_these_are_compared() -> None:
    failed = llm(2, A, B, tokens=None, status="error")
    step = steps([full(1, A, tokens=1000), failed, full(3, A, B, tokens=1000)])
    assert [one.broken for one in step] == [None, None, None]


def test_a_provider_that_tells_nothing_of_a_cache_misses_nothing_known() -> None:
    step = steps([llm(1, A, tokens=(9000, 1)), llm(2, B, tokens=(9000, 1))], PRICES.cost)[1]
    assert step.broken is not None
    assert (step.missed_tokens, step.over_nanousd) == (None, None)


def test_a_long_history_is_compared_in_a_blink() -> None:
    history = [user(f"message {n}") for n in range(3000)]
    step = steps([llm(1, *history), llm(2, *history[1000:], user("new"))])[1]
    assert Counter(one.what for one in step.changes) == {"dropped": 1000, "added": 1}
    assert tuple(step.segments) == context.SEGMENTS


# Histories of one file share their lists.


def shared(ways: list[tuple[int, int]]) -> list[tuple[Seen, Seen]]:
    """Calls whose histories go on from one another in one list, and the same calls with lists of their own."""
    histories = [Upto([], 0)]
    for at, name in ways:
        histories.append(histories[at % len(histories)].with_one(user(f"message {name}")))
    return [(replace(llm(n), input=one), llm(n, *one)) for n, one in enumerate(histories)]


WAYS = st.lists(st.tuples(st.one_of(st.just(-1), st.integers(0, 20)), st.integers(0, 30)), max_size=20)


@given(WAYS)
def test_a_shared_list_reads_like_one_of_its_own(ways: list[tuple[int, int]]) -> None:
    pairs = shared(ways)
    for (a, own_a), (b, own_b) in pairwise(pairs):
        assert [one.key for one in a.input] == [one.key for one in own_a.input]
        assert in_common(a.input, b.input) == in_common(own_a.input, own_b.input)
        for part in (slice(None), slice(1, None), slice(-2, None), slice(None, 2), slice(None, None, -1), slice(9, 99)):
            assert list(a.input[part]) == list(own_a.input[part])
    assert detect([a for a, _ in pairs]) == detect([b for _, b in pairs])
    for chain in chains([a for a, _ in pairs]):
        found = [replace(step, call=chain[0], before=None) for step in steps(chain)]
        alike = [pairs[int(one.span_id)][1] for one in chain]
        assert found == [replace(step, call=chain[0], before=None) for step in steps(alike)]


@given(st.lists(st.integers(0, 30), max_size=20))
def test_a_conversation_that_only_grows_is_one_chain_in_shared_lists_too(names: list[int]) -> None:
    pairs = shared([(-1, name) for name in names])[1:]
    ids = [[[one.span_id for one in chain] for chain in chains([pair[at] for pair in pairs])] for at in (0, 1)]
    assert ids[0] == ids[1] == ([[pair[0].span_id for pair in pairs]] if pairs else [])


def test_of_a_long_conversation_each_message_is_weighed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    weighed: list[str] = []
    real = weighing._weigh
    monkeypatch.setattr(weighing, "_weigh", lambda said: weighed.append(said.key) or real(said))
    calls = [a for a, _ in shared([(-1, name) for name in range(200)])]
    assert steps(calls)[-1].segments["history"] > 0
    assert len(weighed) == 200
