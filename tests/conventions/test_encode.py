from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collector import conventions
from collector.model import Content, Document, Message, Reading, SpanPart, Tool, Usage

words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
counts = st.none() | st.integers(0, 2**40)
parts = st.one_of(
    st.builds(lambda said: {"type": "text", "text": said}, texts),
    st.builds(lambda said: {"type": "reasoning", "text": said}, texts),
    st.builds(lambda id_, key: {"type": "tool_call", "id": id_, "name": "f", "arguments": {key: 1}}, words, words),
    st.builds(lambda id_, said: {"type": "tool_result", "id": id_, "result": said}, words, texts),
    st.builds(lambda said: {"type": "image", "mime_type": "image/png", "url": f"https://x/{said}"}, words),
    st.builds(lambda said: {"type": "audio", "data": said, "size": len(said) * 3 // 4}, words),
)  # fmt: skip
messages = st.builds(
    Message, st.sampled_from(["user", "assistant", "tool"]), st.lists(parts, min_size=1, max_size=3).map(tuple),
    st.none() | words,
)  # fmt: skip
answers = st.builds(Message, st.just("assistant"), st.lists(parts, min_size=1, max_size=2).map(tuple))
contents = st.builds(Content, st.lists(messages, min_size=1, max_size=3).map(tuple))
metadata = st.none() | st.dictionaries(words, words | st.integers(0, 9), min_size=1, max_size=2)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    request = draw(st.none() | words)
    usage = draw(st.builds(Usage, st.none() | st.integers(2**41, 2**42), st.none() | st.integers(2**41, 2**42), counts))
    return Reading(
        kind=draw(st.sampled_from(["llm", "agent", "chain", "embedding", "guardrail", "evaluator", "prompt"])),
        provider=draw(st.none() | words.map(str.lower)), request_model=request, model=draw(words) if request else None,
        response_id=draw(st.none() | words), params=draw(metadata), usage=usage or None,
        cost_nanousd=draw(st.none() | st.integers(0, 10**15)),
        system=draw(st.just(()) | st.tuples(st.builds(Message, st.just("system"), st.tuples(parts)))),
        input=draw(st.none() | contents), output=draw(st.none() | st.builds(Content, st.tuples(answers))),
        agent_name=draw(st.none() | words), session_id=draw(st.none() | words), user_id=draw(st.none() | words),
        prompt_name=draw(st.none() | words), prompt_version=draw(st.none() | words),
        tags=tuple(draw(st.lists(words, max_size=2))), metadata=draw(metadata),
        ttft_ns=draw(st.none() | st.integers(0, 10**12)), finish_reasons=tuple(draw(st.lists(words, max_size=2))),
        error_type=draw(st.none() | words), environment=draw(st.none() | words), release=draw(st.none() | words),
        tool_definitions=draw(st.none() | st.lists(st.dictionaries(words, words, min_size=1), min_size=1, max_size=2)),
        replay_of=draw(st.none() | words),
    )  # fmt: skip


def again(reading: Reading) -> Reading:
    return conventions.read(SpanPart("ab" * 16, "cd" * 8, attributes=conventions.encode(reading)))


@given(readings())
def test_a_reading_that_leaves_as_attributes_is_read_as_itself(reading: Reading) -> None:
    got = again(reading)
    assert replace(got, convention=None, operation=None, notes=()) == reading


def test_a_tool_and_a_retrieval_come_back_too() -> None:
    tool = Reading(
        kind="tool", tool=Tool("f", "c", {"a": 1}, "ok"), input=Content(value={"a": 1}), output=Content(value="ok")
    )
    got = again(tool)
    assert (got.kind, got.tool, got.input, got.output) == ("tool", tool.tool, tool.input, tool.output)
    found = Reading(kind="retriever", documents=(Document("d", "text", 0.5, 0, {"p": 1}),), input=Content(value="q"))
    got = again(found)
    assert (got.kind, got.documents, got.input) == ("retriever", found.documents, found.input)
