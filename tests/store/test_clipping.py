"""What is too long is cut wherever it stands in a part, marked, and counted; the rest stays the same object."""

from __future__ import annotations

from dataclasses import replace

from collector.clipping import clip
from collector.model import Content, Document, Event, LogRecord, Message, Reading, Tool
from tests.builders import make_part

LONG, CUT = "x" * 101, "x" * 100 + "…[1 bytes cut]"


def test_own_words_events_and_records_are_cut_like_attributes() -> None:
    short = Message("user", ({"type": "text", "text": "short"},))
    reading = Reading(
        system=(Message("system", ({"type": "text", "text": LONG},)),),
        input=Content(
            messages=(short, Message("tool", ({"type": "tool_result", "id": "1", "result": {"a": [LONG]}},)))
        ),
        output=Content(value={"said": LONG}),
        tool=Tool("w", "1", {"q": LONG}, LONG),
        documents=(Document("1", LONG), Document("2", "short")),
        params={"stop": LONG},
        model=LONG,
    )
    events, logs = (Event(1, "e", {"a": LONG}), Event(1, "f")), (LogRecord(1, "l", {"b": LONG}, {"c": LONG}),)
    part, cuts = clip(replace(make_part(1), attributes={"k": LONG}, events=events, logs=logs, reading=reading), 100)
    assert cuts == 11
    said = part.reading
    assert said.system[0].parts == ({"type": "text", "text": CUT},)
    assert said.input is not None
    assert said.input.messages[0] is short
    assert said.input.messages[1].parts[0]["result"] == {"a": [CUT]}
    assert said.output == Content(value={"said": CUT})
    assert said.tool == Tool("w", "1", {"q": CUT}, CUT)
    assert said.documents == (Document("1", CUT), Document("2", "short"))
    assert said.params == {"stop": CUT}
    assert said.model == LONG, "names are no content"
    assert (part.attributes, part.events[0].attributes) == ({"k": CUT}, {"a": CUT})
    assert part.events[1] is events[1]
    assert (part.logs[0].body, part.logs[0].attributes) == ({"b": CUT}, {"c": CUT})


def test_where_nothing_is_too_long_nothing_is_made_anew() -> None:
    reading = Reading(input=Content(messages=(Message("user", ({"type": "text", "text": LONG},)),)), params={"a": 1})
    part = replace(make_part(1), attributes={"k": LONG}, reading=reading)
    assert clip(part, 101) == (part, 0)
    assert clip(part, 101)[0] is part


def test_within_a_long_history_only_the_call_with_too_long_arguments_is_made_anew() -> None:
    def calls(body: str) -> Message:
        return Message("assistant", ({"type": "tool_call", "name": "write", "arguments": {"file": {"body": body}}},))

    short, listed = calls("short"), Message("user", ({"type": "data", "data": ["x", ["y"]]},))
    history = (short, calls("l" * 100), listed)
    part = make_part(1, reading=Reading(kind="llm", input=Content(messages=history)))
    kept, cuts = clip(part, 40)
    found = kept.reading.input
    assert found is not None
    assert (cuts, found.messages[0] is short, found.messages[2] is listed) == (1, True, True)
    (asked,) = found.messages[1].parts
    assert asked["arguments"] == {"file": {"body": "l" * 40 + "…[60 bytes cut]"}}
