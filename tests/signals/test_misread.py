"""Values that were said, of something else: what is found, and what must be passed over."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from collector.model import Document
from collector.signals import misread as rules
from tests.signals.traces import asks, assistant, call, found, llm, result, said, span, tool, user


def misread(*spans: Any) -> list[str]:
    return [one.text for one in found(*spans) if one.kind == "misread"]


def answered(question: str, results: list[Any], answer: str) -> list[Any]:
    told = [message for one in results for message in (asks("look_up", {}), result(one))]
    return [llm(1, user(question), *told, out=assistant(answer))]


# units


@pytest.mark.parametrize(
    ("value", "answer", "wrong"),
    [
        ({"temperature": 88, "unit": "F"}, "It is 88 °C in Patiala.", "88 °C in the answer: what was said is 88 °F"),
        ('{"temperature": 88, "unit": "F"}', "It is 88 °C.", "88 °C in the answer: what was said is 88 °F"),
        ({"temp_f": 88}, "It is 88°C.", "88 °C in the answer: what was said is 88 °F"),
        ("88 degrees Fahrenheit", "88 degrees Celsius.", "88 °C in the answer: what was said is 88 °F"),
        ("wind 40 mph", "Der Wind weht mit 40 km/h.", "40 km/h in the answer: what was said is 40 mph"),
        ([{"distance": 12.5, "units": "miles"}], "12,5 km sind es.",
         "12.5 km in the answer: what was said is 12.5 miles"),
        ("weight: 7 lbs", "It weighs 7 kg.", "7 kg in the answer: what was said is 7 lb"),
        ({"price": 49, "currency": "EUR"}, "It costs $49.", "49 USD in the answer: what was said is 49 EUR"),
        ("Total: $1,249.50", "€1,249.50 in all", "1249.5 EUR in the answer: what was said is 1249.5 USD"),
        ({"latency_ms": 250}, "It took 250 seconds.", "250 s in the answer: what was said is 250 ms"),
        ("16 GB free", "There are 16 MB left.", "16 MB in the answer: what was said is 16 GB"),
        ({"height_feet": 120}, "It is 120 metres high.", "120 metres in the answer: what was said is 120 feet"),
    ],
)  # fmt: skip
def test_a_number_in_another_unit_than_was_said_is_found(value: Any, answer: str, wrong: str) -> None:
    assert misread(*answered("How much?", [value], answer)) == [wrong]


def test_a_unit_is_found_where_only_the_tool_and_its_span_say_it() -> None:
    came = tool(1, "get_temperature", {"city": "Patiala"}, {"temperature": 88, "unit": "F"})
    assert len(misread(came, llm(2, user("How warm is it?"), out=assistant("It is 88 °C.")))) == 1


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ({"temperature": 88, "unit": "F"}, "It is 88 °F, about 31 °C."),  # worked out
        ({"temperature": 31.1, "unit": "C"}, "It is 88 °F."),
        ({"temperature": 88}, "It is 88 °C."),  # no unit was said
        (["88 °F at noon", "88 °C in the oven"], "The oven is at 88 °C."),
        ({"temperature": 50, "unit": "F"}, "It is 10 °C; the oven has 50 rooms."),
        ("flight of 800 km", "800 km/h is how fast it flies."),  # no other unit of the same
        ("it costs 5 pounds", "It weighs 5 pounds."),
        ({"speed": True, "unit": "mph"}, "1 km/h"),
        ("€49 a month", "It costs €49, or A$49 where that is the price."),  # another dollar
        ("€49 or $49", "It costs $49."),
        ("$5 a day", "€5 is what a coffee costs."),  # small numbers come by themselves
        ({"latency_ms": 2500}, "It took 2.5 seconds."),
        ({"took_ms": 30000, "limit": "30 seconds"}, "30 s is the limit."),
        ({"price": 49}, "It costs $49."),
        ("revenue of €49 million", "$49 is the price."),
        ("metric 88", "imperial 88 °C"),
        ({"units": "metric", "wind": 40}, "40 mph"),
    ],
)  # fmt: skip
def test_a_unit_that_was_said_or_worked_out_is_passed_over(value: Any, answer: str) -> None:
    assert misread(*answered("How much?", [value], answer)) == []


# lines

DIFF = "\n".join(f"{n:>3} | {code}" for n, code in enumerate(
    ["", "import os", "", "def share(amount, people):", "    return amount / people", "", "", "def total(items):",
     "    return sum(items)", ""], 34))  # fmt: skip


def comment(line: Any, body: str, listing: str = DIFF, key: str = "line") -> list[str]:
    reads = (asks("read_diff", {"path": "a.py"}, "r"), result(listing, "r"))
    return misread(llm(1, user("Review a.py."), *reads, out=asks("post_comment", {key: line, "body": body})))


def test_a_comment_on_a_line_that_has_nothing_of_what_it_quotes_is_found() -> None:
    wrong = "line 42 in post_comment: amount stands on line 37, 38, not near it"
    assert comment(42, "`amount` may be None here: the division fails.") == [wrong]
    assert len(comment(42, "`amount` may be None", key="line_number")) == 1
    assert len(comment(42, "`amount` may be None", DIFF.replace(" | ", "\t"))) == 1


@pytest.mark.parametrize(
    ("line", "body"),
    [
        (38, "`amount` may be None here."),
        (39, "`amount` should be checked above."),  # near it
        (42, "`items` may be empty."),
        (42, "`close` is never called."),  # stands nowhere: nothing to compare with
        (42, "This may be None."),
        (420, "`amount` may be None here."),  # of another file
        (True, "`amount`"),
        ("42", "`amount`"),
    ],
)
def test_a_comment_where_it_belongs_is_passed_over(line: Any, body: str) -> None:
    assert comment(line, body) == []


# subjects


def priced(question: str, documents: list[str], answer: str) -> list[str]:
    search = span(1, "retriever", input_value=question,
                  documents=tuple(Document(str(n), content=text) for n, text in enumerate(documents)))  # fmt: skip
    return misread(search, llm(2, user(question), out=assistant(answer)))


PLANS = ["Enterprise plan: $499 per month, with SSO.", "Team plan: $49 per month, up to ten members.", "Invoices."]


def test_a_price_of_another_document_than_the_one_about_the_question_is_found() -> None:
    (text,) = priced("What does the Team plan cost per month?", PLANS, "The plan costs $499 per month.")
    assert text == "$499 in the answer: the document about team says $49"


@pytest.mark.parametrize(
    ("question", "documents", "answer"),
    [
        ("What does the Team plan cost?", PLANS, "The Team plan costs $49."),
        ("What does the Team plan cost?", PLANS, "Enterprise costs $499, Team $49."),
        ("What does the Team plan cost?", PLANS, "The Enterprise plan is $499."),  # it says of what
        ("What does the largest plan cost?", PLANS, "It costs $499."),
        ("Shipping to Berlin?", ["Shipping within Germany: $5", "Berlin store: tickets $20"], "It costs $5."),
        ("What does the Team plan cost?", PLANS[:1], "It costs $499."),
        ("What does the Team plan cost?", PLANS, "It costs $59."),  # invented, not misread
        ("Team plan?", ["Enterprise plan: $499", "Team plan: ask us"], "It costs $499."),
    ],
)
def test_a_price_of_the_right_document_is_passed_over(question: str, documents: list[str], answer: str) -> None:
    assert priced(question, documents, answer) == []


# sums


@pytest.mark.parametrize(
    ("question", "answer", "wrong"),
    [
        ("Add those temperatures: 31, 24 and 18.", "The sum is about 72.", ["72", "73"]),
        ("What is 31+24+18?", "72", ["72", "73"]),
        ("Add 31, 24 and 18.", "73", []),
        ("Add 31, 24 and 18.", "It comes to about 70.", []),
        ("Add 31 and 24, and tell me of 18.", "55", []),
        ("What is 12.50 plus 7.25?", "19.75", []),
        ("What is 12.50 plus 7.25?", "It is 19.85.", ["19.85", "19.75"]),
        ("Multiply 31 by 24.", "It is 700.", []),  # not asked to add
        ("Add 3 eggs and 2 cups of flour; how long does it bake?", "Bake it for 40 minutes at 180.", []),
        ("Add 200 g of sugar and 3 eggs. How long do I bake it?", "45 minutes.", []),
        ("Add a section on 2 topics.", "Done, in 4 lines.", []),
    ],
)  # fmt: skip
def test_a_sum_that_does_not_come_out_is_found(question: str, answer: str, wrong: list[str]) -> None:
    texts = [f"{wrong[0]} in the answer: the numbers that were given come to {wrong[1]}"] if wrong else []
    assert misread(llm(1, user(question), out=assistant(answer))) == texts


def test_a_sum_that_a_tool_worked_out_is_left_to_the_tool() -> None:
    assert misread(*answered("Add 31, 24 and 18.", ["72"], "72")) == []


@pytest.mark.parametrize(
    "odd",
    [10**400, {"temp_f": 10**400}, {"temp_c": float("nan"), "unit": 3}, float("inf"), "9" * 500 + " °C", "\ud800 °C",
     [[[[[[[[8]]]]]]]]],
)  # fmt: skip
def test_odd_values_are_read_or_passed_over(odd: Any) -> None:
    calls = said("assistant", call("post", {"line": 3, "body": "`x_y`", "deep": odd}))
    assert misread(*answered("How warm?", [odd], f"It is 88 °C, {odd!r:.90}."), llm(3, user("1"), out=calls)) == []


@pytest.mark.parametrize(
    "asked",
    ["What is the sum of 12" + " ," * 200 + " and that?", "Add " + "1" * 100_000, "Add these: " + "7," * 100_000],
    ids=["empty cells", "digits", "a column"],
)
def test_a_question_of_pieces_that_go_on_for_long_is_looked_through_once(asked: str) -> None:
    """Tried at each place, or in each way in which separators can be told apart, this would never end."""
    assert misread(llm(1, user(asked), out=assistant("It is 13."))) == []


def test_a_listing_of_blank_lines_is_looked_through_once() -> None:
    assert comment(3, "`total` is wrong", "\n" * 500_000) == []


def test_what_was_given_is_read_once_however_many_answers_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    measured, in_text = rules._measured, rules.in_text
    monkeypatch.setattr(rules, "_measured", lambda text: measured(read.append(text) or text))
    monkeypatch.setattr(rules, "in_text", lambda text: in_text(read.append(text) or text))
    spans: list[Any] = []
    for n in range(0, 60, 3):
        spans += [
            tool(n + 1, "get_distance", {}, f"{n}.5 miles to town {n}"),
            span(n + 2, "retriever", documents=(Document(str(n), f"Gadget {n} costs $1{n}.00."),)),
            llm(n + 3, user(f"How far is town {n}?"), out=assistant(f"It is {n}.5 km, and $1{n}.00 to get there.")),
        ]
    assert "3.5 km in the answer: what was said is 3.5 miles" in misread(*spans)
    assert max(Counter(text for text in read if "miles to town" in text).values()) == 1
    assert max(Counter(text for text in read if "Gadget" in text).values()) == 2, "for its units, and for its prices"
