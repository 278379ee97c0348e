"""Calls that were sent without ids are read in pairs, and leave as they came."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from collector.ingest import Ingest
from collector.model import DERIVED_ID, Batch, Content, Message, Rank, Reading, SpanPart
from collector.protocols import native, otlp
from collector.settings import Settings
from collector.store import open_reader
from collector.store.reader import Reader
from tests.builders import TRACE, conversation, make_part, make_started, span_id, user

RECORDED = Path(__file__).parents[1] / "conventions" / "recorded"


@contextmanager
def stored(folder: Path, *parts: SpanPart) -> Iterator[Reader]:
    path = folder / "traces.db"
    with Ingest(path, Settings(db=path)) as ingest:
        for part in parts:
            ingest.write(Batch("test", (part,)))
    with open_reader(path) as reader:
        yield reader


def tool_parts(content: Content | None) -> list[dict[str, Any]]:
    messages = content.messages if content else ()
    return [part for one in messages for part in one.parts if part["type"] in ("tool_call", "tool_result")]


@pytest.mark.parametrize("name", ["google-genai", "openllmetry-ollama", "agno", "litellm-1.106"])
def test_recorded_calls_have_their_results_and_leave_as_they_came(name: str, tmp_path: Path) -> None:
    came = otlp.decode_traces(gzip.decompress((RECORDED / f"{name}.pb.gz").read_bytes())).parts
    with stored(tmp_path, *came) as reader:
        details = [reader.span(part.trace_id, part.span_id) for part in came]
        asked = [part for one in details for part in tool_parts(one.input)]
        calls = {part["id"] for part in asked if part["type"] == "tool_call"}
        assert calls
        assert calls == {part["id"] for part in asked if part["type"] == "tool_result"}
        answers = [part for one in details for part in tool_parts(one.output)]
        assert all(part["id"] for part in answers)
        left = {part.span_id: part for part in otlp.decode_traces(otlp.encode_traces(reader.parts()), otlp.JSON).parts}
    assert left == {part.span_id: part for part in came}


CALL = {"type": "tool_call", "id": None, "name": "get", "arguments": {"of": 1}}
RESULT = {"type": "tool_result", "id": None, "name": "get", "result": "one"}
HISTORY = (user("Get it"), Message("assistant", (CALL,)), Message("tool", (RESULT,)))
ANSWER = Reading(kind="llm", output=conversation(Message("assistant", (CALL,))))


@pytest.mark.parametrize("backwards", [False, True])
def test_the_two_sides_of_a_span_may_come_in_any_order(backwards: bool, tmp_path: Path) -> None:
    parts = [make_started(reading=Reading(kind="llm", input=Content(HISTORY))), make_part(reading=ANSWER)]
    with stored(tmp_path, *(parts[::-1] if backwards else parts)) as reader:
        detail = reader.span(TRACE, span_id(1))
        [part] = reader.parts()
    first, result = tool_parts(detail.input)
    [again] = tool_parts(detail.output)
    assert first["id"] == result["id"] == "tracetui:b25df6e0d74f5626"
    assert again["id"] == "tracetui:b25df6e0d74f5626:2"
    assert all(one[DERIVED_ID] for one in (first, result, again))
    assert part.reading.input == Content(HISTORY)
    assert part.reading.output == ANSWER.output


def test_nothing_that_leaves_says_an_id_of_ours(tmp_path: Path) -> None:
    with stored(tmp_path, make_part(reading=Reading(kind="llm", input=Content(HISTORY)))) as reader:
        [part] = reader.parts()
        [left] = otlp.decode_traces(otlp.encode_traces([part]), otlp.JSON).parts
        line = native.encode(part)
    assert "tracetui:" not in str(line)
    assert "tracetui:" not in str(left)
    assert DERIVED_ID not in f"{line!s}{left}"
    again = tmp_path / "again"
    again.mkdir()
    for one in (part, left):
        (folder := again / str(len(list(again.iterdir())))).mkdir()
        with stored(folder, one) as reader:
            call, result = tool_parts(reader.span(TRACE, span_id(1)).input)
        assert (call["id"], result["id"]) == ("tracetui:b25df6e0d74f5626", "tracetui:b25df6e0d74f5626")


def test_a_call_is_one_message_as_an_answer_and_in_the_history(tmp_path: Path) -> None:
    first = make_part(1, reading=Reading(kind="llm", input=Content(HISTORY[:1]), output=ANSWER.output))
    second = make_part(2, reading=Reading(kind="llm", input=Content(HISTORY)))
    with stored(tmp_path, first, second, make_part(1, rank=Rank.UPDATE, reading=Reading(user_id="u"))) as reader:
        answered, later = reader.span(TRACE, span_id(1)), reader.span(TRACE, span_id(2))
    assert answered.output is not None
    assert later.input is not None
    assert answered.output.messages[0] == later.input.messages[1]
