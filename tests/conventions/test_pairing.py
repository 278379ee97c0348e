"""Calls and results without an id on the wire belong together by name and order; their id is marked as ours."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collector.conventions import paired, unpaired
from collector.conventions.pairing import pair
from collector.model import DERIVED_ID, Content, Message, Reading

CITIES = st.sampled_from(["Patiala", "Delhi", "Agra"])


def call(name: str, city: str = "Patiala", call_id: Any = None) -> dict[str, Any]:
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": {"city": city}}


def result(said: Any, name: str | None = None, call_id: Any = None) -> dict[str, Any]:
    made = {"type": "tool_result", "id": call_id, "result": said}
    return {**made, "name": name} if name else made


def model(*parts: dict[str, Any]) -> Message:
    return Message("assistant", parts)


def tool(*parts: dict[str, Any]) -> Message:
    return Message("tool", parts)


USER = Message("user", ({"type": "text", "text": "How is the weather?"},))


def pairs(*messages: Message) -> list[tuple[str, Any]]:
    """(what was asked, what was answered) of all that have one id; calls without a result are left out."""
    parts = [part for one in pair(messages) for part in one.parts]
    answers = {part["id"]: part["result"] for part in parts if part["type"] == "tool_result" and part["id"]}
    calls = [part for part in parts if part["type"] == "tool_call"]
    return [(f"{one['name']} {one['arguments']['city']}", answers[one["id"]]) for one in calls if one["id"] in answers]


def test_results_are_found_by_the_name_of_the_tool_whatever_their_order() -> None:
    said = [model(call("sun"), call("rain")), tool(result("wet", "rain"), result("dry", "sun"))]
    assert pairs(USER, *said) == [("sun Patiala", "dry"), ("rain Patiala", "wet")]


def test_results_that_say_no_name_are_taken_in_order() -> None:
    said = [model(call("sun")), model(call("rain", "Agra")), tool(result("dry")), tool(result("wet"))]
    assert pairs(USER, *said) == [("sun Patiala", "dry"), ("rain Agra", "wet")]


def test_the_name_of_a_tools_message_counts_as_the_results_name() -> None:
    wet = Message("tool", (result("wet"),), "rain")
    assert pairs(model(call("sun"), call("rain")), wet, tool(result("dry"))) == [
        ("sun Patiala", "dry"), ("rain Patiala", "wet"),
    ]  # fmt: skip


def test_a_call_that_nobody_answered_takes_no_later_result() -> None:
    said = [model(call("sun")), USER, model(call("sun", "Agra")), tool(result("dry", "sun"))]
    assert pairs(*said) == [("sun Agra", "dry")]
    assert pairs(*said[:3], tool(result("dry"))) == [("sun Agra", "dry")]


def test_a_result_that_is_late_is_still_found_by_name() -> None:
    said = [model(call("slow"), call("sun")), tool(result("dry", "sun")), model(call("rain"))]
    assert pairs(*said, tool(result("wet", "rain")), tool(result("done", "slow"))) == [
        ("slow Patiala", "done"), ("sun Patiala", "dry"), ("rain Patiala", "wet"),
    ]  # fmt: skip


def test_a_result_of_another_name_or_of_no_call_at_all_is_left_alone() -> None:
    lonely = (tool(result("old")), model(call("sun")), tool(result("wet", "rain")))
    assert pairs(*lonely) == []
    assert [part["id"] for one in pair(lonely) if one.role == "tool" for part in one.parts] == [None, None]


def test_ids_that_were_sent_stay_and_are_taken_by_the_side_that_has_none() -> None:
    whole = (model(call("sun", call_id="c1")), tool(result("dry", call_id="c1")))
    assert pair(whole) == whole
    for halves in ((model(call("sun")), whole[1]), (whole[0], tool(result("dry")))):
        first, second = pair(halves)
        assert first.parts[0]["id"] == second.parts[0]["id"] == "c1"
        assert [DERIVED_ID in one.parts[0] for one in (first, second)] == [one not in whole for one in halves]


def test_a_call_has_one_id_as_an_answer_and_in_every_history_after_it() -> None:
    asked = model(call("sun"))
    answered = paired(Reading(input=Content((USER,)), output=Content((asked,))))
    turn = (asked, tool(result("dry", "sun")))
    later = paired(Reading(input=Content((USER, *turn, USER)), output=Content((model(call("rain")),))))
    cut = paired(Reading(input=Content((*turn, USER))))
    assert answered.output is not None
    assert later.input is not None
    assert cut.input is not None
    assert answered.output.messages[0] == later.input.messages[1] == cut.input.messages[0]


def test_the_same_call_again_is_another_call() -> None:
    said = (model(call("poll")), tool(result("not yet", "poll")))
    reading = paired(Reading(input=Content((USER, *said)), output=Content((said[0],))))
    assert reading.input is not None
    assert reading.output is not None
    first, again = reading.input.messages[1].parts[0]["id"], reading.output.messages[0].parts[0]["id"]
    assert again == f"{first}:2"


def test_an_agents_state_repeats_its_input_and_its_calls() -> None:
    said = (USER, model(call("sun")), tool(result("dry", "sun")))
    reading = paired(Reading(input=Content(said[:2]), output=Content(said)))
    assert reading.input is not None
    assert reading.output is not None
    assert reading.input.messages == reading.output.messages[:2]


def test_what_has_its_ids_is_the_very_same_reading() -> None:
    reading = Reading(input=Content((USER, model(call("sun", call_id="c")))), output=Content(value="x"))
    assert paired(reading) is reading
    assert unpaired(reading) is reading


@given(st.data())
def test_any_interleaving_of_named_results_gives_the_same_pairs(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=8))
    calls = [call(name, city) for name, city in zip(names, data.draw(_many(CITIES, len(names))), strict=True)]
    want = sorted((f"{one['name']} {one['arguments']['city']}", number) for number, one in enumerate(calls))
    given_calls = [model(*calls)] if data.draw(st.booleans()) else [model(one) for one in calls]
    order = data.draw(st.permutations(sorted(set(names))))
    results = [result(number, name) for wanted in order for number, name in enumerate(names) if name == wanted]
    assert sorted(pairs(USER, *given_calls, *(tool(one) for one in results))) == want


def _many(of: Any, count: int) -> Any:
    return st.lists(of, min_size=count, max_size=count)


PARTS = st.one_of(
    st.builds(call, st.sampled_from("ab"), CITIES, st.sampled_from([None, "", "c1", 7])),
    st.builds(result, st.integers(), st.sampled_from([None, "a", "b", "z"]), st.sampled_from([None, "c1", 7, "x"])),
    st.just({"type": "text", "text": "well"}),
    st.builds(lambda name: {"type": "tool_call", "name": name, "arguments": 2**70}, st.sampled_from([None, 3, "a"])),
)
MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["user", "assistant", "tool"]), st.lists(PARTS, max_size=4).map(tuple)),
    max_size=8,
).map(tuple)


@given(MESSAGES, MESSAGES)
def test_whatever_was_said_is_paired_once_and_can_be_given_back(before: Any, after: Any) -> None:
    reading = Reading(input=Content(before), output=Content(after))
    once = paired(reading)
    assert paired(once) == once
    parts = [part for one in once.input.messages for part in one.parts]  # type: ignore[union-attr]
    calls = [part for part in parts if part["type"] == "tool_call"]
    assert all(part["id"] for part in calls)
    ours = Counter(part["id"] for part in calls if DERIVED_ID in part)
    assert all(number == 1 for id_, number in ours.items() if str(id_).startswith("tracetui:"))
    assert _said(unpaired(once)) == _said(reading)


def _said(reading: Reading) -> list[Any]:
    sides = (reading.input, reading.output)
    return [
        (one.role, [{**part, "id": part.get("id") or None} for part in one.parts])
        for side in sides
        for one in (side.messages if side else ())
    ]
