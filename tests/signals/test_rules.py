"""Each rule: what it finds, and what it must pass over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from collector.conventions.pairing import pair
from collector.model import Document, Usage
from collector.seen import Said
from collector.signals import ABOUT, KINDS, Limits, Turn, detect
from tests.builders import T0
from tests.signals.traces import S, asks, assistant, found, kinds, llm, result, root, said, span, tool, user

TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "parameters": {
        "type": "object", "required": ["city"], "additionalProperties": False,
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["C", "F"]}}}}},
    {"name": "search", "input_schema": {"type": "object", "properties": {"q": {"type": ["string", "null"]}}}},
]  # fmt: skip


def only(*spans: Any, **more: Any) -> Any:
    signals = found(*spans, **more)
    assert len(signals) == 1, signals
    return signals[0]


# loop


def test_the_same_tool_with_the_same_arguments_and_result_is_a_loop() -> None:
    signal = only(*(tool(n, "get_weather", {"city": "Patiala"}, {"t": 31}) for n in (1, 2, 3)))
    assert (signal.kind, signal.span_id, signal.spans) == ("loop", "3", ("1", "2", "3"))
    assert signal.text == 'get_weather("city": "Patiala") called 3 times, 3 in a row with the same result'


@pytest.mark.parametrize(
    "spans",
    [
        [tool(n, "get_status", {"job": "a"}, f"{n}0 %") for n in range(1, 7)],  # polling
        [tool(n, "get_weather", {"city": city}, "31") for n, city in enumerate(("Patiala", "Paris", "Perth"), 1)],
        [tool(n, "get_weather", {"city": "Patiala"}, "31") for n in (1, 2)],
    ],
)
def test_polling_other_arguments_and_a_second_look_are_no_loop(spans: list[Any]) -> None:
    assert kinds(*spans) == []


def test_a_loop_is_found_in_what_the_model_asked_where_tools_were_not_recorded() -> None:
    spans = [
        llm(n, user("Weather?"), *[user("again")] * n, out=asks("get_weather", {"city": "Patiala"})) for n in (1, 2, 3)
    ]
    assert kinds(*spans) == ["loop"]


def test_the_threshold_of_a_loop_can_be_set() -> None:
    spans = [tool(n, "get_weather", {"city": "Patiala"}, "31") for n in (1, 2)]
    assert kinds(*spans, limits=Limits(loop_calls=2)) == ["loop"]
    assert kinds(*spans, limits=Limits(loop_calls=2, off=("loop",))) == []


# retries


def test_a_step_that_fails_again_and_again_is_a_retry_storm() -> None:
    spans = [llm(n, user(str(n)), name="chat", status="error", status_message="429") for n in (1, 2, 3)]
    signal = only(*spans, llm(4, user("4"), name="chat"))
    assert (signal.kind, signal.text) == ("retries", "chat failed 3 of 4 times: 429")


def test_the_same_prompt_sent_anew_after_each_answer_is_a_retry_storm() -> None:
    signal = only(*(llm(n, user("Summarise."), out=assistant("No.")) for n in range(1, 6)))
    assert signal.kind == "retries"
    assert signal.text == "the same prompt went to gpt-4o-mini 5 times, one after the other: 500 input tokens"


def test_samples_drawn_side_by_side_and_one_retry_are_no_storm() -> None:
    side = [llm(n, user("Vote."), out=assistant("A"), start_ns=T0 + n, end_ns=T0 + 5 * S) for n in range(1, 9)]
    assert kinds(*side) == []
    failed = [llm(n, user("x"), name="chat", status="error") for n in (1, 2)]
    assert kinds(*failed, llm(3, user("x"), name="chat")) == []


# truncated, refusal


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS"])
def test_an_answer_cut_by_the_token_limit_is_found(reason: str) -> None:
    signal = only(llm(1, user("Tell"), out=assistant("Once upon"), finish_reasons=(reason,)))
    assert (signal.kind, "10 output tokens" in signal.text) == ("truncated", True)


@pytest.mark.parametrize("reason", ["stop", "end_turn", "tool_calls"])
def test_an_answer_that_ended_by_itself_is_not_cut(reason: str) -> None:
    assert kinds(llm(1, user("Tell"), out=assistant("The end."), finish_reasons=(reason,))) == []


@pytest.mark.parametrize(
    "text",
    ["I'm sorry, but I can't help with that.", "I cannot assist with this request.", "I’m unable to provide that."],
)
def test_a_refusal_is_found_in_its_words(text: str) -> None:
    assert kinds(llm(1, user("Do it"), out=assistant(text))) == ["refusal"]


def test_a_refusal_is_found_by_its_finish_reason_and_its_part() -> None:
    assert kinds(llm(1, user("Do it"), finish_reasons=("content_filter",))) == ["refusal"]
    part = {"type": "data", "refusal": "I can't do that."}
    assert kinds(llm(1, user("Do it"), out=said("assistant", part))) == ["refusal"]


@pytest.mark.parametrize(
    "text", ["I can't wait to help you!", "I'm sorry for the delay. Here it is.", "You can't lose."]
)
def test_politeness_is_no_refusal(text: str) -> None:
    assert kinds(llm(1, user("Do it"), out=assistant(text))) == []


# ignored results


def turn(value: Any, answer: str, name: str = "get_order") -> list[Any]:
    return [llm(1, user("Where is it?"), asks(name, {"order": 7}, "c1"), result(value, "c1"), out=assistant(answer))]


@pytest.mark.parametrize(
    "value", [[], {}, "", None, {"results": []}, {"error": "boom"}, "Error: boom", '{"error": 500}']
)
def test_an_answer_that_passes_over_an_empty_or_failed_result_is_found(value: Any) -> None:
    signal = only(*turn(value, "Your order was delivered last Tuesday."))
    assert (signal.kind, signal.span_id) == ("ignored_result", "1")


@pytest.mark.parametrize(
    ("value", "answer", "name"),
    [
        ([], "I could not find that order.", "get_order"),
        ({"error": "boom"}, "Unfortunately the lookup failed.", "get_order"),
        (None, "Sent!", "send_email"),  # a tool that returns nothing
        ({"status": "shipped"}, "It is on its way.", "get_order"),
        ([], "その注文は届きました。", "get_order"),  # whose words for failure we do not know
        ({"error": None, "status": "ok"}, "It is on its way.", "get_order"),
    ],
)
def test_an_answer_that_owns_up_is_no_signal(value: Any, answer: str, name: str) -> None:
    assert kinds(*turn(value, answer, name)) == []


def test_a_failure_made_good_by_a_second_try_is_no_signal() -> None:
    said_ = (user("Where?"), asks("get_order", {"o": 1}, "a"), result({"error": "x"}, "a"),
             asks("get_order", {"o": 1}, "b"), result({"status": "shipped"}, "b"))  # fmt: skip
    assert kinds(llm(1, *said_, out=assistant("On its way."))) == []


def test_a_tool_that_failed_by_its_status_counts_whatever_it_returned() -> None:
    failed = tool(1, "get_order", {"order": 7}, None, call_id="c1", status="error", status_message="timed out")
    answer = replace(turn("?", "It arrived.")[0], span_id="2", start_ns=T0 + 2 * S, end_ns=T0 + 3 * S)
    assert "failed (timed out)" in only(failed, answer).text


def without_ids(call: Any) -> Any:
    """A model call as it is read of a client that sends no ids."""
    heard = (*call.input, *call.output)
    bare = [
        replace(one.message, parts=tuple({**part, "id": None} if "id" in part else part for part in one.message.parts))
        for one in heard
    ]
    both = tuple(replace(one, message=message) for one, message in zip(heard, pair(bare), strict=True))
    return replace(call, input=both[: len(call.input)], output=both[len(call.input) :])


def test_results_without_ids_are_known_by_their_call() -> None:
    first = (user("Where are they?"), asks("get_order", {"order": 7}), asks("get_order", {"order": 8}))
    results = (result({"status": "shipped"}), result({"error": "boom"}))
    good = without_ids(llm(2, *first, *results, out=assistant("There.")))
    assert kinds(good) == []  # the other call of the same tool was good
    two = (user("Where?"), asks("get_user", {"u": 1}), asks("get_order", {"order": 8}))
    signal = only(without_ids(llm(2, *two, result("Ann"), result([]), out=assistant("It is there."))))
    assert signal.text.startswith('get_order("order": 8) found nothing')


def test_a_tool_that_failed_counts_without_an_id_too() -> None:
    failed = tool(1, "get_order", {"order": 7}, None, status="error", status_message="timed out")
    asked = (user("Where?"), asks("get_order", {"order": 7}), result("?"))
    answer = without_ids(llm(2, *asked, out=assistant("There.")))
    assert "failed (timed out)" in only(failed, answer).text
    other = tool(1, "get_order", {"order": 8}, None, status="error", status_message="timed out")
    assert kinds(other, answer) == []


def test_a_tool_that_ran_otherwise_is_found_where_only_its_span_has_an_id() -> None:
    asked = without_ids(llm(1, user("Pay 20 to Ann"), out=asks("pay", {"to": "Ann", "amount": 20})))
    ran = tool(2, "pay", {"to": "Ann", "amount": 90}, "ok", call_id="c1")
    assert kinds(asked, ran) == ["altered_arguments"]


# window


def test_a_context_near_the_window_is_found() -> None:
    signal = only(llm(1, user("x"), tokens=(95_000, 100)), window=lambda *_: 100_000)
    assert signal.text == "95,100 of 100,000 tokens of gpt-4o-mini's window are in use (95%)"


@pytest.mark.parametrize(("tokens", "size"), [((50_000, 10), 100_000), ((95_000, 10), None), ((120_000, 10), 100_000)])
def test_room_an_unknown_window_and_a_wrong_table_are_no_signal(tokens: tuple[int, int], size: int | None) -> None:
    assert kinds(llm(1, user("x"), tokens=tokens), window=lambda *_: size) == []


def test_a_prompt_longer_than_the_model_takes_is_found_in_its_error() -> None:
    failed = llm(1, user("x"), status="error", error_type="context_length_exceeded", tokens=None)
    assert "window" in kinds(failed)


# cache


def cached(n: int, read: int, *messages: Any, **more: Any) -> Any:
    return llm(n, *messages, usage=Usage(8000, 10, cache_read_tokens=read), **more)


def test_a_prefix_that_changed_is_found_with_what_differs() -> None:
    clock = [(said("system", f"You help. It is 10:0{n}."),) for n in range(3)]
    spans = [cached(1, 0, user("a"), system=clock[1]), cached(2, 7000, user("a"), user("b"), system=clock[1]),
             cached(3, 0, user("a"), user("b"), user("c"), system=clock[2])]  # fmt: skip
    signal = only(*spans)
    assert (signal.kind, signal.span_id) == ("cache", "3")
    assert "at the system instructions" in signal.text
    assert "10:01" in signal.text
    assert "8,000 tokens" in signal.text


def test_an_unbroken_prefix_and_a_provider_without_cache_are_no_signal() -> None:
    whole = [cached(1, 0, user("a")), cached(2, 7000, user("a"), user("b"))]
    assert kinds(*whole) == []
    never = [llm(1, user("a"), tokens=(8000, 1)), llm(2, user("b"), user("a"), tokens=(8000, 1))]
    assert kinds(*never) == []


def test_another_question_after_the_same_examples_is_no_changed_prefix() -> None:
    examples = (user("An example."), assistant("Its answer."))
    assert kinds(cached(1, 0, *examples, user("q" * 90)), cached(2, 900, *examples, user("r" * 90))) == []


def test_a_prompt_that_comes_ten_minutes_later_is_not_expected_to_be_kept() -> None:
    late = cached(2, 0, user("a"), user("b"), start_ns=T0 + 600 * S, end_ns=T0 + 601 * S, system=(said("system", "B"),))
    assert kinds(cached(1, 7000, user("a"), system=(said("system", "A"),)), late) == []


# the cache, against the turn before


def turns(read: int, *history: Said, clock: str = "10:02", at: int = 100, **more: Any) -> list[str]:
    """The kinds of a turn whose first call was given this after the answer "Fine." to "a" at 10:01."""
    before = cached(1, 7000, user("a"), out=assistant("Fine."), system=(said("system", "It is 10:01."),))
    call = cached(5, read, *history, system=(said("system", f"It is {clock}."),), start_ns=T0 + at * S,
                  end_ns=T0 + (at + 1) * S, parent_id=None, **more)  # fmt: skip
    return [one.text for one in detect([call], earlier=lambda most: [Turn("t", "before", [root(), before])][:most])]


AFTER = (user("a"), assistant("Fine."), user("b"))


def test_a_clock_that_breaks_the_prefix_with_every_turn_is_found() -> None:
    (text,) = turns(0, *AFTER)
    assert text.startswith("the prompt differs from the turn before at the system instructions: “It is 10:01.” became")
    assert text.endswith("; 8,000 tokens were not read from the cache")


def test_a_turn_that_goes_on_as_it_should_and_one_that_does_not_go_on_are_no_signal() -> None:
    assert turns(0, *AFTER, clock="10:01") == []  # the provider let go of it
    assert turns(0, user("a"), assistant("Another answer."), user("b")) == []
    assert turns(0, *AFTER, at=400) == []
    assert turns(7500, *AFTER) == []


def test_the_turns_before_are_read_only_where_much_was_not_read_from_the_cache() -> None:
    def never(most: int | None) -> list[Turn]:
        raise AssertionError

    for usage in (Usage(8000, 10, cache_read_tokens=7500), Usage(8000, 10), Usage(500, 10, cache_read_tokens=0)):
        assert detect([llm(1, *AFTER, usage=usage, parent_id=None)], earlier=never) == []


def test_a_turn_before_that_went_on_beside_this_one_is_looked_at_up_to_where_it_began() -> None:
    after = cached(6, 7000, *AFTER, user("c"), start_ns=T0 + 200 * S, end_ns=T0 + 201 * S)
    call = cached(5, 0, *AFTER, start_ns=T0 + 100 * S, end_ns=T0 + 101 * S, parent_id=None)
    assert detect([call], earlier=lambda most: [Turn("t", "before", [root(), after])][:most]) == []


# the tree


def test_an_error_that_nobody_heard_of_is_found() -> None:
    signal = only(span(1, "chain", name="save", status="error", status_message="disk full"))
    assert (signal.kind, signal.text) == ("swallowed", "save failed (disk full), and agent ended well")


def test_an_error_that_reached_the_root_or_was_made_good_is_not_swallowed() -> None:
    failed = span(1, "chain", name="save", status="error")
    assert detect([root(status="error"), failed]) == []
    assert kinds(failed, span(2, "chain", name="save")) == []
    assert kinds(tool(1, "get_order", {}, status="error"), llm(2, user("x"))) == []
    assert kinds(span(1, "http", status="error"), llm(2, user("x"))) == []


def test_what_a_model_could_deal_with_and_what_the_user_stopped_is_not_swallowed() -> None:
    step = span(1, "chain", name="step 1")
    failed = span(2, "tool", parent_id="1", name="get_order", status="error")
    assert kinds(step, failed, span(3, "chain", name="step 2"), llm(4, user("x"), parent_id="3")) == []
    early = llm(0, user("x"))
    assert kinds(early, step, failed, span(3, "chain", name="step 2")) == ["swallowed"]
    assert kinds(step, failed) == []  # of an agent whose calls were not recorded
    part = span(5, "span", parent_id="1", name="tool.execution", status="error")
    assert kinds(tool(1, "bash", {}, "1"), part, llm(6, user("x"))) == []
    assert kinds(span(1, "tool", name="bash", status="error", status_message="Interrupted by the user")) == []


def test_spans_whose_parent_never_arrived_are_found() -> None:
    signal = only(span(1, parent_id="gone"), span(2, parent_id="gone"))
    assert (signal.kind, signal.text) == ("orphan", "2 spans below gone, which is not in the file")


def test_a_root_whose_parent_is_in_another_system_is_no_orphan() -> None:
    assert detect([span(1, parent_id="remote"), span(2, parent_id="1")]) == []


def test_an_abandoned_span_is_found_and_a_running_one_is_not() -> None:
    assert kinds(span(1, status="abandoned", end_ns=None)) == ["abandoned"]
    assert kinds(span(1, status="running", end_ns=None)) == []


def test_a_call_with_neither_usage_nor_price_is_found() -> None:
    assert kinds(llm(1, user("x"), tokens=None)) == ["unmetered"]


def test_a_call_with_usage_with_a_cost_or_counted_by_another_span_is_metered() -> None:
    assert kinds(llm(1, user("x"))) == []
    assert kinds(llm(1, user("x"), tokens=None, cost_nanousd=5)) == []
    assert kinds(llm(1, user("x"), tokens=None), llm(2, user("x"), parent_id="1")) == []
    assert kinds(llm(1, user("x"), tokens=None, status="error"), llm(2, user("x"))) == []


def test_a_search_that_brought_nothing_is_found() -> None:
    assert kinds(span(1, "retriever", input_value="plan")) == ["empty_retrieval"]
    assert kinds(span(1, "retriever", input_value="plan", output_value={"documents": []})) == ["empty_retrieval"]


def test_a_search_with_documents_or_without_recorded_contents_is_no_signal() -> None:
    assert kinds(span(1, "retriever", input_value="plan", documents=(Document("a"),))) == []
    assert kinds(span(1, "retriever")) == []
    assert kinds(span(1, "retriever", input_value="plan", output_value="one page")) == []
    assert kinds(span(1, "retriever", input_value="doc://one")) == []  # read, not searched for
    assert kinds(span(1, "reranker", input_value="plan")) == []
    assert kinds(span(1, "reranker", input_value="plan", output_value=[])) == ["empty_retrieval"]


# tool calls


def test_a_call_of_a_tool_that_was_not_offered_is_found() -> None:
    signal = only(llm(1, user("x"), out=asks("get_wether", {}), tool_definitions=TOOLS))
    assert (signal.kind, signal.text) == ("unknown_tool", "get_wether was called; there are get_weather, search")


def test_a_known_tool_and_unknown_definitions_are_no_signal() -> None:
    assert kinds(llm(1, user("x"), out=asks("search", {"q": None}), tool_definitions=TOOLS)) == []
    assert kinds(llm(1, user("x"), out=asks("anything", {}))) == []
    ran = tool(2, "get_wether", {}, "31")  # so it is there, whatever was recorded of the tools
    assert kinds(llm(1, user("x"), out=asks("get_wether", {}), tool_definitions=TOOLS), ran) == []
    own = [*TOOLS, {"type": "web_search_preview"}]
    assert kinds(llm(1, user("x"), out=asks("web_search", {}), tool_definitions=own)) == []


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({}, "city is missing"),
        ({"city": 7}, "city should be string, not integer '7'"),
        ({"city": "Paris", "days": "two"}, "days should be integer, not string 'two'"),
        ({"city": "Paris", "unit": "K"}, "unit is 'K', none of C, F"),
        ({"city": "Paris", "town": "x"}, "town is no argument of it"),
        ('{"city": "Par', "the arguments are no JSON"),
    ],
)
def test_arguments_that_break_the_schema_are_found(arguments: Any, wrong: str) -> None:
    signal = only(llm(1, user("x"), out=asks("get_weather", arguments), tool_definitions=TOOLS))
    assert (signal.kind, signal.text) == ("bad_arguments", f"get_weather: {wrong}")


@pytest.mark.parametrize("arguments", [{"city": "Paris", "days": 2}, {"city": "Paris", "days": 2.0, "unit": "C"}])
def test_arguments_that_keep_to_the_schema_are_no_signal(arguments: Any) -> None:
    unset = [{"name": "get_weather", "parameters": {"type_": 6, "enum": [], "properties": {"city": {"enum": []}}}}]
    assert kinds(llm(1, user("x"), out=asks("get_weather", arguments), tool_definitions=unset)) == []
    assert kinds(llm(1, user("x"), out=asks("get_weather", arguments), tool_definitions=TOOLS)) == []


def test_a_tool_that_ran_with_other_arguments_is_found() -> None:
    asked = llm(1, user("Pay 20 to Ann"), out=asks("pay", {"to": "Ann", "amount": 20}, "c1"))
    signal = only(asked, tool(2, "pay", {"to": "Ann", "amount": 90}, "ok", call_id="c1"))
    assert (signal.kind, signal.span_id, signal.text) == ("altered_arguments", "2", "pay: amount asked 20, ran 90")
    assert kinds(asked, tool(2, "pay", {"to": "Ann", "amount": 90}, "ok")) == ["altered_arguments"]


@pytest.mark.parametrize(
    "ran",
    [
        {"to": "Ann", "amount": 20.0},
        {"to": "ann ", "amount": "20"},
        {"to": "Ann", "amount": 20, "session": "added by the framework"},
        {"args": [], "kwargs": {"to": "Ann", "amount": 20}},
        ["Ann", 90],
    ],
)
def test_the_same_arguments_written_otherwise_are_not_altered(ran: Any) -> None:
    asked = llm(1, user("Pay 20 to Ann"), out=asks("pay", {"to": "Ann", "amount": 20}, "c1"))
    assert kinds(asked, tool(2, "pay", ran, "ok", call_id="c1")) == []


# all of them


def test_every_kind_has_a_rule_and_a_line_for_people() -> None:
    assert set(ABOUT) == set(KINDS)


def test_a_trace_says_the_same_only_so_often() -> None:
    assert len(found(*(llm(n, user(str(n)), tokens=None) for n in range(1, 80)))) == 50


def test_hostile_texts_and_a_circle_of_parents_are_looked_at_like_any_other() -> None:
    hostile = "[/red] \x1b]0;x\x07 [@click=app.quit] list[int] \ud800 \0"
    spans = [span(1, "chain", parent_id="2", name=hostile), span(2, "chain", parent_id="1", status="error"),
             llm(3, user(hostile), out=asks(hostile, {hostile: hostile}), tool_definitions=[hostile, {"name": 3}]),
             tool(4, hostile, hostile, hostile, status="error")]  # fmt: skip
    assert {one.kind for one in found(*spans)} <= set(KINDS)


def test_evidence_has_an_end() -> None:
    known = [{"name": "look_up"}]
    (signal,) = found(llm(1, user("Go on."), out=asks("x" * 5_000_000, {}), tool_definitions=known))
    assert (signal.kind, len(signal.text)) == ("unknown_tool", 1001)
