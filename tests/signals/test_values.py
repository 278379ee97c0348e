"""Values from nowhere: a corpus of what must be found and, longer, of what must not."""

from __future__ import annotations

import json
import math
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.signals import first_places, values
from collector.signals.arithmetic import Known
from collector.signals.values import dated, id_form, in_text, number_form, of_argument
from tests.signals.traces import asks, assistant, found, llm, result, said, tool, user

CORPUS = json.loads((Path(__file__).parent / "corpus.json").read_text("utf-8"))


def signals_of(case: dict[str, Any]) -> list[tuple[str, str]]:
    messages = [user(case["user"])] if "user" in case else []
    if case.get("image"):
        messages.append(said("user", {"type": "image", "url": "https://example.com/receipt.png"}))
    for one in case.get("results", ()):
        messages += [asks("look_up", {}), result(one)]
    system = (said("system", case["system"]),) if "system" in case else ()
    out = asks("act", case["call"]) if "call" in case else assistant(case["answer"])
    tools = [{"type": "function", "function": {"name": "act", "parameters": case.get("tools", {})}}]
    spans = [llm(5, *messages, out=out, system=system, tool_definitions=tools)]
    return [(one.kind, one.value) for one in found(*spans) if one.kind in ("invented", "borrowed")]


@pytest.mark.parametrize("case", CORPUS, ids=[case["case"] for case in CORPUS])
def test_of_values_exactly_the_invented_ones_are_found(case: dict[str, Any]) -> None:
    assert signals_of(case) == [("invented", value) for value in case.get("invented", ())]


def test_a_value_from_another_turn_is_found_where_this_turn_names_its_own() -> None:
    turns = (user("I am user 54321. Order 1001?"), assistant("On its way."), user("This is user 12345. Order 789?"))
    (signal,) = found(llm(1, *turns, out=asks("get_order", {"user_id": 54321, "order_id": 789})))
    assert (signal.kind, signal.span_id, signal.value) == ("borrowed", "1", "54321")
    assert signal.text == "54321 (user_id of get_order) is from turn 1; this turn says user 12345"


def test_a_value_of_an_earlier_turn_is_no_signal_where_this_turn_names_none() -> None:
    turns = (user("I am user 54321. Order 1001?"), assistant("On its way."), user("And when does it come?"))
    assert found(llm(1, *turns, out=asks("get_order", {"user_id": 54321, "order_id": 1001}))) == []


def test_a_value_is_told_once_where_it_came_up() -> None:
    first = llm(1, user("Order?"), out=asks("get_order", {"order_id": 48213}, "c1"))
    second = llm(3, user("Order?"), asks("get_order", {"order_id": 48213}, "c1"), result("shipped", "c1"),
                 out=assistant("Order 48213 was shipped."))  # fmt: skip
    spans = (first, tool(2, "get_order", {"order_id": 48213}, "shipped", call_id="c1"), second)
    assert [(one.kind, one.span_id) for one in found(*spans)] == [("invented", "1")]


def test_what_a_parallel_step_says_later_is_no_source() -> None:
    asked = llm(1, user("Order?"), out=asks("get_order", {"order_id": 48213}))
    late = tool(2, "list_orders", {}, [48213])
    assert [one.value for one in found(asked, late)] == ["48213"]


def test_a_tool_that_no_recorded_answer_asked_for_is_looked_at_itself() -> None:
    spans = (llm(1, user("Hello")), tool(2, "get_order", {"order_id": 48213}))
    assert [(one.kind, one.span_id) for one in found(*spans)] == [("invented", "2")]


def test_values_are_found_with_their_kind() -> None:
    text = "Order ORD-17788 of 21 November 2026 cost $1,234.50 and weighs 3.25 kg"
    assert [(one.kind, one.text, one.forms[0]) for one in in_text(text)] == [
        ("date", "21 November 2026", "2026-11-21"),
        ("price", "$1,234.50", "#1234.5"),
        ("id", "ORD-17788", "ord17788"),
        ("number", "3.25", "#3.25"),
    ]


@pytest.mark.parametrize(
    ("text", "form"),
    [("1,234.50", "#1234.5"), ("1.234,50", "#1234.5"), ("1 234", "#1234"), ("0,5", "#0.5"), ("x", None)],
)
def test_numbers_have_one_form(text: str, form: str | None) -> None:
    assert number_form(text) == form


@pytest.mark.parametrize("value", [True, None, "", "a sentence of words", "x" * 90, ["1234"], {"a": 1}, "\x1b[31m"])
def test_what_is_no_value_is_none(value: Any) -> None:
    assert of_argument(value) is None


def test_the_first_place_of_a_value_is_found_however_it_is_written() -> None:
    search = tool(1, "prices", {"plan": "team"}, "The team plan costs $1,234.50 a year.")
    answer = llm(2, user("Price?"), asks("prices", {"plan": "team"}), result("The team plan costs $1,234.50 a year."),
                 out=assistant("It costs 1234.5 dollars."))  # fmt: skip
    places = first_places([answer, search], "1234.5")
    assert [(one.span_id, one.side, one.message, one.role) for one in places] == [
        ("1", "result", 0, ""), ("2", "input", 3, "tool"), ("2", "output", 1, "assistant"),
    ]  # fmt: skip
    assert "$1,234.50" in places[0].excerpt


def test_a_text_that_stands_nowhere_has_no_first_place() -> None:
    assert first_places([llm(1, user("Hello"))], "48213") == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, "nan"])
def test_a_number_that_is_none_or_has_no_end_is_passed_over(value: Any) -> None:
    assert found(llm(1, user("Go on."), out=asks("book", {"sum": value}))) == []


def test_a_number_of_four_hundred_figures_is_passed_over_and_the_next_is_not() -> None:
    messages = (user("How many?"), asks("count", {}), result("many"))
    (signal,) = found(llm(1, *messages, out=assistant(f"It is {'9' * 400}, or 48213.")))
    assert signal.value == "48213"


def test_values_in_a_table_do_not_overlap() -> None:
    table = " ".join(f"2026-11-{day:02} $12.50 ORD-{day:04} {day + 100}" for day in range(1, 29))
    assert [sum(one.kind == kind for one in in_text(table)) for kind in ("date", "price", "id", "number")] == [28] * 4


@given(st.lists(st.integers(1, 5000).map(lambda n: n / 4), min_size=2, max_size=6, unique=True), st.integers(1, 9000))
def test_a_number_is_explained_by_two_others_as_if_all_pairs_were_tried(said: list[float], wanted: int) -> None:
    number, slack = wanted / 2, 0.01
    known = Known()
    known.add(said)
    ways = [way for a, b in combinations(sorted(said), 2) for way in
            (a + b, b - a, a * b, a * b / 100, b / a, a / b, 100 * b / a, 100 * a / b, (b / a - 1) * 100)]  # fmt: skip
    if any(abs(way - number) <= slack * 0.99 for way in ways):
        assert known.explain(number, slack=slack, about=slack, units=True)


def test_a_number_that_nothing_leads_to_is_not_explained() -> None:
    known = Known()
    known.add([7919.0, 104729.0])
    assert not known.explain(31337.0, slack=0.5, about=0.5, units=True)
    assert known.explain(112648.0, slack=0.5, about=0.5, units=True)


PIECES = st.sampled_from(
    ["1.2.", "3.2024", "2024", "-05-06", " ", "\n", ", ", "5 Jan 2024", "Mai", "22nd of September, de ", "2011-3-4",
     "/", "9", "Dezember 24, ", "décembre ", "1999", "x", "ſept", "12 mars de 20245", "31.12.", "0", "September  "]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_dates_are_found_where_trying_every_place_would_find_them(text: str) -> None:
    assert [match.span() for match in dated(text)] == [match.span() for match in values._DATES.finditer(text)]


@given(st.text("aZ1 _-.#\u0000éſßİ٣²Ⅷ½\u0301今\ud800"))
def test_letters_and_figures_are_what_stays_of_an_id(text: str) -> None:
    assert id_form(text) == "".join(c for c in text.casefold() if c.isalnum())
