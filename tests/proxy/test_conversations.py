"""Calls that belong together are found by what they repeat, or by what headers say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anthropic import Anthropic
from openai import OpenAI

from collector.receiver.doors.proxy.conversations import Conversations, Turn, chained
from tests.proxy.upstream import Proxy, proxying
from tests.sdk.clients import said_by_anthropic as theirs
from tests.sdk.clients.said_by_openai import completion, response, said
from tests.sdk.clients.server import Reply, Server

CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}


@pytest.fixture
def model() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def proxy(model: Server, tmp_path: Path) -> Iterator[Proxy]:
    with proxying(tmp_path, model.url) as one:
        yield one


@pytest.fixture
def client(proxy: Proxy) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{proxy.url}/v1", api_key="none", max_retries=0) as made:
        yield made


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def ask(client: OpenAI, messages: list[Any], **more: Any) -> None:
    client.chat.completions.create(model="gpt-4o-mini", messages=messages, **more)


def test_turns_are_a_session_and_an_agents_steps_one_trace(model: Server, proxy: Proxy, client: OpenAI) -> None:
    model.says(
        Reply(completion(None, tool_calls=[CALL], id="a")), Reply(completion("Rain.", id="b")),
        Reply(completion("Take a coat.", id="c")), Reply(completion("Hello.", id="d")),
    )  # fmt: skip
    messages: list[Any] = [{"role": "system", "content": "It is 10:01."}, user("Weather?")]
    ask(client, messages)
    messages += [{"role": "assistant", "content": None, "tool_calls": [CALL]}]
    messages += [{"role": "tool", "tool_call_id": "call_1", "content": "rain"}]
    messages[0] = {"role": "system", "content": "It is 10:02."}  # a clock in the prompt parts nobody
    ask(client, messages)
    ask(client, [*messages, {"role": "assistant", "content": "Rain."}, user("And so?")])
    ask(client, [user("Something else")])
    spans = {one.response_id: one.row for one in proxy.spans(4)}
    assert spans["a"].trace_id == spans["b"].trace_id != spans["c"].trace_id
    [session] = {spans[name].session_id for name in "abc"}
    assert session == f"conversation-{spans['a'].trace_id[:12]}"
    assert spans["d"].session_id is None
    assert spans["d"].trace_id not in {spans[name].trace_id for name in "abc"}


def test_the_same_question_twice_is_two_conversations_told_apart_by_their_answers(
    model: Server, proxy: Proxy, client: OpenAI
) -> None:
    for name in ("a1", "b1", "a2", "b2"):
        model.says(Reply(completion(f"answer {name}", id=name)))
    for _ in "ab":
        ask(client, [user("Hi")])
    for one in "ab":
        ask(client, [user("Hi"), {"role": "assistant", "content": f"answer {one}1"}, user("go on")])
    spans = {one.response_id: one.row for one in proxy.spans(4)}
    assert spans["a1"].session_id == spans["a2"].session_id != spans["b1"].session_id == spans["b2"].session_id


def test_another_key_is_another_conversation(model: Server, proxy: Proxy, client: OpenAI) -> None:
    model.says(Reply(completion("Yes.", id="a")), Reply(completion("No.", id="b")))
    ask(client, [user("Hi")])
    ask(client.with_options(api_key="other"), [user("Hi"), {"role": "assistant", "content": "Yes."}, user("Why?")])
    assert [one.row.session_id for one in proxy.spans(2)] == [None, None]


def test_anthropics_tool_results_continue_a_trace(model: Server, proxy: Proxy) -> None:
    model.says(Reply(theirs.message(theirs.CALL, id="a")), Reply(theirs.message(theirs.text("Rain."), id="b")))
    asked: Any = {"model": "claude-haiku-4-5", "max_tokens": 9}
    with Anthropic(base_url=proxy.url, api_key="none") as client:
        client.messages.create(**asked, messages=theirs.HELLO)
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain",
                  "cache_control": {"type": "ephemeral"}}  # fmt: skip
        said = [*theirs.HELLO, {"role": "assistant", "content": [theirs.CALL]}, {"role": "user", "content": [result]}]
        client.messages.create(**asked, messages=said)
    first, second = proxy.spans(2)
    assert first.row.trace_id == second.row.trace_id
    assert first.row.session_id == second.row.session_id is not None


def test_a_previous_response_is_continued(model: Server, proxy: Proxy, client: OpenAI) -> None:
    model.says(Reply(response(said("Hi"), id="resp_a")), Reply(response(said("Rain"), id="resp_b")))
    client.responses.create(model="gpt-4.1", input="Hello")
    client.responses.create(model="gpt-4.1", input="Weather?", previous_response_id="resp_a")
    first, second = proxy.spans(2)
    assert first.row.session_id == second.row.session_id is not None
    assert first.row.trace_id != second.row.trace_id


def test_headers_say_where_a_call_belongs(model: Server, proxy: Proxy, client: OpenAI) -> None:
    trace, parent = "a" * 32, "b" * 16
    model.says(*[Reply(completion(id=name)) for name in "abcd"])
    ours = {
        "x-tracetui-session": "thread-42", "x-tracetui-user": "u%C3%A9", "x-tracetui-tags": "x, y",
        "x-tracetui-metadata": '{"tier": "premium"}', "x-tracetui-name": "ask", "x-tracetui-service": "api",
    }  # fmt: skip
    ask(client, [user("1")], extra_headers={"traceparent": f"00-{trace}-{parent}-01", **ours})
    ask(client, [user("2")], extra_headers={"x-tracetui-trace": "run-7", "x-tracetui-parent": parent})
    baggage = {"baggage": "session.id=s%201;p=1,user.id=u1,junk", "traceparent": "00-nonsense"}
    ask(client, [user("3")], extra_headers=baggage)
    ask(client, [user("4")], extra_headers={"x-tracetui-trace": "000", "x-tracetui-metadata": "{"})
    spans = {one.response_id: one for one in proxy.spans(4)}
    one = spans["a"]
    assert (one.row.trace_id, one.row.parent_id, one.row.session_id) == (trace, parent, "thread-42")
    assert (one.row.user_id, one.tags, one.metadata) == ("ué", ("x", "y"), {"tier": "premium"})
    assert (one.row.name, one.row.service) == ("ask", "api")
    assert (spans["b"].row.parent_id, len(spans["b"].row.trace_id)) == (parent, 32)
    assert (spans["c"].row.session_id, spans["c"].row.user_id) == ("s 1", "u1")
    assert "all zero" in spans["d"].notes[0]


def test_a_run_is_named_in_the_path(model: Server, proxy: Proxy) -> None:
    model.says(Reply(completion()))
    with OpenAI(base_url=f"{proxy.url}@20261121-074148-3fa9c2/v1", api_key="none") as client:
        ask(client, [user("Hi")])
    [span] = proxy.spans()
    assert span.resource.attributes["tracetui.run.id"] == "20261121-074148-3fa9c2"


def test_only_so_many_are_remembered() -> None:
    kept, one = Conversations(most=3), [user("Hi")]
    chains = [chained(one, bytes([n])) for n in range(5)]
    for n, chain in enumerate(chains):
        kept.remember(chain, Turn(str(n), "b"))
    longer = [*one, {"role": "assistant", "content": "x"}]
    found = [kept.find(chained(longer, bytes([n])), longer) is not None for n in range(5)]
    assert found == [False, False, True, True, True]
