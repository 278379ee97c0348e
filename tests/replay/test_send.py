"""A recorded call sent again through the providers' real clients, to a server that answers like theirs."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.replay import ReplayError, draft_of, edited, send
from collector.store import open_reader
from collector.store.filters import parse
from collector.store.rows import SpanDetail
from tests.builders import TRACE, span_id
from tests.replay.recorded import ANSWERED, ASKED, anthropic_events, openai_events, recorded
from tests.sdk.clients.server import Reply, Server

KEY = "sk-proj-" + "k3y" * 12
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>" + b"x" * 5_000 + b"</body></html>"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "traces.db"


def openai_at(url: str) -> dict[str, str]:
    return {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": KEY}


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def replays(db: Path) -> list[SpanDetail]:
    with open_reader(db) as reader:
        found = reader.spans(parse("has:replay", 0), limit=10)
        return [reader.span(row.trace_id, row.span_id) for row in found]


def test_the_changed_request_goes_out_and_its_answer_comes_back_as_a_span(server: Server, db: Path) -> None:
    draft = edited(draft_of(recorded(db)), "gpt-4.1-mini", {"temperature": "0", "seed": "7"})
    server.says(Reply(events=openai_events("It ", "arrived.")))
    heard: list[str] = []
    outcome = asyncio.run(send(draft, db, on_text=heard.append, env=openai_at(server.url)))
    assert (outcome.answer.text, heard, outcome.stored) == ("It arrived.", ["It ", "arrived."], True)
    assert outcome.first_token_ns is not None
    assert 0 < outcome.first_token_ns <= outcome.duration_ns
    path, body, headers = server.asked[0]
    assert path == "/v1/chat/completions"
    assert body["messages"] == [{"role": "user", "content": ASKED}]
    assert (body["model"], body["temperature"], body["seed"], body["max_tokens"]) == ("gpt-4.1-mini", 0, 7, 200)
    assert lower(headers)["authorization"] == f"Bearer {KEY}"
    (span,) = replays(db)
    assert (span.row.trace_id, span.row.span_id) == (outcome.trace_id, outcome.span_id)
    assert (span.replay_of, span.tags) == (f"{TRACE}:{span_id(1)}", ("replay",))
    assert (span.usage.input_tokens, span.usage.output_tokens) == (12, 7)
    assert span.row.cost_nanousd is not None
    assert span.row.session_id is None
    assert span.output is not None
    assert span.output.messages[0].parts == ({"type": "text", "text": "It arrived."},)


def test_anthropic_is_asked_in_its_own_words(server: Server, db: Path) -> None:
    draft = draft_of(recorded(db, "anthropic", "claude-next"))
    server.says(Reply(events=anthropic_events("It ", "arrived."), named=True))
    env = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}
    outcome = asyncio.run(send(draft, db, env=env))
    assert (outcome.answer.text, outcome.finish_reason) == ("It arrived.", "end_turn")
    path, body, headers = server.asked[0]
    assert path == "/v1/messages"
    assert any(KEY in value for value in headers.values())  # x-api-key, or a bearer in later versions
    assert (body["max_tokens"], body["temperature"]) == (200, 0.7)
    (span,) = replays(db)
    assert (span.row.provider, span.usage.output_tokens) == ("anthropic", 7)


def test_the_key_is_nowhere_in_the_file(server: Server, db: Path) -> None:
    draft = draft_of(recorded(db))
    refused = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
    server.says(Reply(events=openai_events("Hi")), Reply(refused, status=401))
    asyncio.run(send(draft, db, env=openai_at(server.url)))
    with pytest.raises(ReplayError):
        asyncio.run(send(draft, db, env=openai_at(server.url)))
    for file in db.parent.glob("traces.db*"):
        assert KEY.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            Reply({"error": {"message": "Incorrect API key"}}, status=401),
            r"127.0.0.1:\d+ refused the key in OPENAI_API_KEY \(401\): Incorrect API key",
        ),
        (
            Reply({"error": {"message": "Rate limit reached"}}, status=429, headers={"retry-after": "20"}),
            r"has had enough for now \(429\): Rate limit reached; try again in 20 s",
        ),
        (
            Reply({"error": {"message": "The model does not exist", "code": "model_not_found"}}, status=404),
            r"knows no model 'gpt-4o-mini' \(404\): The model does not exist; choose another one",
        ),
        (Reply({"error": "temperature is too high"}, status=400), "answered 400: temperature is too high"),
        (Reply({"oh": "no"}, status=500), "answered 500"),
        (Reply(PAGE, status=502), "answered 502: 502 Bad Gateway$"),
        (Reply(PAGE), "answered with text/html that holds no answer: 502 Bad Gateway$"),
        (Reply({"error": {"message": "no"}}), "answered with application/json that holds no answer"),
        (Reply(events=[{"choices": []}]), "answered without a word, and without saying that this was all"),
    ],
)
def test_what_the_provider_refuses_is_said_plainly_and_recorded(
    server: Server, db: Path, reply: Reply, said: str
) -> None:
    draft = draft_of(recorded(db))
    server.says(reply)
    with pytest.raises(ReplayError, match=said):
        asyncio.run(send(draft, db, env=openai_at(server.url)))
    assert len(server.asked) == 1  # not tried again: each try is a call
    (span,) = replays(db)
    assert span.row.status == "error"


SAID_BY_OTHERS = [
    ("anthropic", 401, {"type": "authentication_error", "message": "invalid x-api-key"},
     r"refused the key in ANTHROPIC_API_KEY \(401\): invalid x-api-key"),
    ("anthropic", 429, {"type": "rate_limit_error", "message": "too many input tokens"},
     r"has had enough for now \(429\): too many input tokens; try again in 20 s"),
    ("anthropic", 404, {"type": "not_found_error", "message": "model: claude-next"},
     r"knows no model 'claude-next' \(404\): model: claude-next"),
    ("anthropic", 529, {"type": "overloaded_error", "message": "Overloaded"}, "answered 529: Overloaded"),
    ("anthropic", 400, {"type": "invalid_request_error", "message": "max_tokens: must be at least 1"},
     "answered 400: max_tokens: must be at least 1"),
    ("mistral", 400, {"message": "Invalid model: nope"}, "knows no model"),
    ("deepseek", 400, {"message": "Model Not Exist"}, "knows no model"),
    ("openai", 404, {"message": "Not Found"}, r"has nothing at http.*/v1 \(404\): Not Found; is OPENAI_BASE_URL right"),
    ("openai", 400, {"message": "temperature is not supported with this model"}, "answered 400: temperature"),
]  # fmt: skip


def test_without_a_key_the_variable_to_set_is_named_by_a_server_that_wants_one(server: Server, db: Path) -> None:
    draft = draft_of(recorded(db))
    server.says(Reply({"error": {"message": "Missing bearer"}}, status=401))
    with pytest.raises(ReplayError, match=r"wants a key \(401\): Missing bearer; OPENAI_API_KEY is not set"):
        asyncio.run(send(draft, db, env={"OPENAI_BASE_URL": f"{server.url}/v1"}))


@pytest.mark.parametrize("address", ["localhost:8080", "/v1", "http://[::1", "ftp://127.0.0.1/v1"])
def test_an_address_that_is_none_is_said(db: Path, address: str) -> None:
    with pytest.raises(ReplayError, match=r"OPENAI_BASE_URL is .*, which is no address; it begins with http"):
        asyncio.run(send(draft_of(recorded(db)), db, env={"OPENAI_BASE_URL": address, "OPENAI_API_KEY": KEY}))


def test_a_server_that_does_not_stream_is_understood(server: Server, db: Path) -> None:
    draft = draft_of(recorded(db))
    choice = {"index": 0, "message": {"role": "assistant", "content": "It came."}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}
    server.says(Reply({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}))
    heard: list[str] = []
    outcome = asyncio.run(send(draft, db, on_text=heard.append, env=openai_at(server.url)))
    assert (outcome.answer.text, heard, outcome.finish_reason) == ("It came.", ["It came."], "stop")
    assert outcome.first_token_ns is None
    assert replays(db)[0].usage.output_tokens == 7


def test_a_piece_that_is_no_text_says_what_it_is(server: Server, db: Path) -> None:
    call = {"index": 0, "id": "t1", "type": "function", "function": {"name": "get_order", "arguments": "{}"}}
    events = openai_events(reasoning=("hm",), reason="tool_calls")
    events.insert(1, {**events[0], "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})
    server.says(Reply(events=events))
    doing: list[str] = []
    outcome = asyncio.run(send(draft_of(recorded(db)), db, on_other=doing.append, env=openai_at(server.url)))
    assert doing == ["reasoning", "calling a tool"]
    assert (outcome.answer.text, outcome.answer.tools) == ("", (("get_order", {}),))


@pytest.mark.parametrize(("provider", "status", "error", "said"), SAID_BY_OTHERS)
def test_other_providers_are_understood_as_well(
    server: Server, db: Path, provider: str, status: int, error: dict[str, Any], said: str
) -> None:
    draft = draft_of(recorded(db, provider, "claude-next" if provider == "anthropic" else "gpt-4o-mini"))
    body = {"type": "error", "error": error}
    server.says(Reply(body, status=status, headers={"retry-after": "20"} if status == 429 else {}))
    base = server.url if provider == "anthropic" else f"{server.url}/v1"
    name = provider.upper()
    with pytest.raises(ReplayError, match=said):
        asyncio.run(send(draft, db, env={f"{name}_BASE_URL": base, f"{name}_API_KEY": KEY}))
    assert len(server.asked) == 1
    (span,) = replays(db)
    assert span.row.status == "error"


def test_an_error_within_the_stream_is_said_and_what_came_is_kept(server: Server, db: Path) -> None:
    draft = draft_of(recorded(db, "anthropic", "claude-next"))
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    server.says(Reply(events=[*anthropic_events("It ", "is ")[:4], overloaded], named=True))
    env = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}
    with pytest.raises(ReplayError, match=r"broke off.*Overloaded"):
        asyncio.run(send(draft, db, env=env))
    (span,) = replays(db)
    assert span.row.status == "error"
    assert span.output is not None
    assert span.output.messages[0].parts[0]["text"] == "It is "


@pytest.mark.parametrize("provider", ["anthropic", "groq"])
def test_no_key_and_nobody_there_are_said_with_each_ones_own_variables(db: Path, provider: str) -> None:
    draft, name = draft_of(recorded(db, provider, "a-model")), provider.upper()
    with pytest.raises(ReplayError, match=f"{name}_API_KEY is not set, and api.{provider}.com wants a key"):
        asyncio.run(send(draft, db, env={"OPENAI_API_KEY": KEY}))
    with Server() as gone:
        url = gone.url
    with pytest.raises(ReplayError, match=rf"cannot reach 127.0.0.1:\d+: .*{name}_BASE_URL right\?"):
        asyncio.run(send(draft, db, env={f"{name}_BASE_URL": url, f"{name}_API_KEY": KEY}))


def test_nobody_there_is_said_with_the_variable_to_look_at(db: Path) -> None:
    with Server() as gone:
        url = gone.url
    with pytest.raises(ReplayError, match=r"cannot reach 127.0.0.1:\d+: .*OPENAI_BASE_URL right\?"):
        asyncio.run(send(draft_of(recorded(db)), db, env=openai_at(url)))


def test_no_key_is_said_before_anything_is_sent_or_stored(server: Server, db: Path) -> None:
    draft = draft_of(recorded(db))
    with pytest.raises(ReplayError, match=r"OPENAI_API_KEY is not set, and api\.openai\.com wants a key"):
        asyncio.run(send(draft, db, env={}))
    assert replays(db) == []
    server.says(Reply(events=openai_events("Hi")))
    local = {"OPENAI_BASE_URL": f"{server.url}/v1"}  # servers of this machine take none
    assert asyncio.run(send(draft, db, env=local)).answer.text == "Hi"


def test_without_the_package_the_extra_is_named(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ReplayError, match=r"needs the openai package: pip install 'tracetui\[replay\]'"):
        asyncio.run(send(draft_of(recorded(db)), db, env={"OPENAI_API_KEY": KEY}))


def test_an_answer_that_breaks_off_is_kept_as_far_as_it_came(server: Server, db: Path) -> None:
    draft = draft_of(recorded(db))
    server.says(Reply(events=[*openai_events("It ", "is ")[:2], None], broken=True))
    with pytest.raises(ReplayError, match=r"^the answer of 127.0.0.1:\d+ broke off: .*; what came until then is kept"):
        asyncio.run(send(draft, db, env=openai_at(server.url)))
    (span,) = replays(db)
    assert span.row.status == "error"
    assert span.output is not None
    assert span.output.messages[0].parts[0]["text"] == "It is "


def test_a_replay_under_way_is_in_the_file_and_can_be_cancelled(server: Server, db: Path) -> None:
    draft = draft_of(recorded(db))
    gate = threading.Event()
    server.says(Reply(events=openai_events("It ", "is "), gate=gate))

    async def cancel() -> list[Any]:
        heard = asyncio.Event()
        task = asyncio.create_task(send(draft, db, on_text=lambda _: heard.set(), env=openai_at(server.url)))
        await asyncio.wait_for(heard.wait(), 20)
        async with asyncio.timeout(20):
            while not (live := await asyncio.to_thread(replays, db)):
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return live

    live = asyncio.run(cancel())
    gate.set()
    assert live[0].row.status == "running"
    (span,) = replays(db)
    assert (span.row.status, span.row.status_message) == ("ok", "cancelled")
    assert span.output is not None
    assert span.output.messages[0].parts[0]["text"].startswith("It ")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anything")
def test_a_file_that_may_not_be_written_still_shows_the_answer(server: Server, db: Path) -> None:
    draft = draft_of(recorded(db))
    os.chmod(db, 0o400)
    os.chmod(db.parent, 0o500)
    server.says(Reply(events=openai_events("Hi")))
    try:
        outcome = asyncio.run(send(draft, db, env=openai_at(server.url)))
    finally:
        os.chmod(db.parent, 0o700)
    assert (outcome.answer.text, outcome.stored) == ("Hi", False)


def test_a_file_that_cannot_be_opened_still_shows_the_answer(server: Server, db: Path, tmp_path: Path) -> None:
    draft = draft_of(recorded(db))
    folder = tmp_path / "a folder"
    folder.mkdir()
    server.says(Reply(events=openai_events("Hi")))
    outcome = asyncio.run(send(draft, folder, env=openai_at(server.url)))
    assert (outcome.answer.text, outcome.stored) == ("Hi", False)


def test_settings_that_switch_tracing_off_or_sample_do_not_lose_it(
    server: Server, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = draft_of(recorded(db))
    for name, value in (("DISABLED", "1"), ("SAMPLE_RATE", "0"), ("URL", "http://127.0.0.1:9")):
        monkeypatch.setenv(f"TRACETUI_{name}", value)
    server.says(Reply(events=openai_events("Hi")))
    assert asyncio.run(send(draft, db, env=openai_at(server.url))).stored
    assert len(replays(db)) == 1


def test_the_demos_own_server_answers_without_a_key_what_it_answered_before(db: Path) -> None:
    from tracetui.demo.server import HEADER, Answer
    from tracetui.demo.server import Server as Demo

    with Demo() as demo:
        name = demo.ready(Answer("It arrived on Tuesday.", seconds=0, first_token=0))
        asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": ASKED}]}
        httpx.post(f"{demo.url}/chat/completions", json=asked, headers={HEADER: name}).raise_for_status()
        outcome = asyncio.run(send(draft_of(recorded(db)), db, env={"OPENAI_BASE_URL": demo.url}))
    assert outcome.answer.text.strip() == "Asked again, the simulated model says: It arrived on Tuesday."
    assert replays(db)[0].usage.output_tokens == 30


def test_the_recorded_answer_is_at_hand(db: Path) -> None:
    call = draft_of(recorded(db)).call
    assert call.answer is not None
    assert call.answer.text == ANSWERED
