"""What a door may count on, whatever it speaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import Response

from collector.errors import NotFound
from collector.model import Batch, SpanPart
from collector.receiver import server
from collector.receiver.answers import json_response
from collector.receiver.call import Call, Door, Way
from tests.receiver.running import Running, running, settings_for

closed: list[str] = []


async def echo(call: Call) -> Response:
    call.house.keep("client", lambda: closed.clear() or call.house.at_close(close) or "kept")
    return json_response([call.path, call.query, await call.json()])


async def close() -> None:
    closed.append("closed")


async def store(call: Call) -> Response:
    receipt = await call.store(lambda body: Batch("whatever", (SpanPart("a" * 32, "b" * 16, name=body.decode()),)))
    return json_response({"stored": receipt.stored})


async def recurse(call: Call) -> Response:
    def deeper(body: bytes) -> Batch:
        return deeper(body)

    await call.store(deeper)
    raise AssertionError


async def miss(call: Call) -> Response:
    raise NotFound("no prompt 'x'; there are 'y' and 'z'")


async def fail(call: Call) -> Response:
    raise ZeroDivisionError("secret detail")


def worded(call: Call, status: int, message: str) -> Response:
    return json_response({"error": message, "source": call.source}, status)


ACME = Door(
    "acme",
    (
        Way("POST PUT", "/acme/{name}/echo", echo),
        Way("POST", "/acme/spans", store),
        Way("POST", "/acme/recurse", recurse),
        Way("GET", "/acme/miss", miss),
        Way("GET", "/acme/fail", fail),
    ),
    fail=worded,
)


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(server, "doors", lambda: iter([ACME]))
    with running(settings_for(tmp_path, max_body_bytes=10_000)) as one:
        yield one


def reasons(up: Running) -> list[tuple[str, str, str]]:
    return [(batch.source, one.reason, one.sample) for batch in up.ingest.batches for one in batch.refused]


def test_a_door_sees_path_query_and_document_and_what_it_keeps_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "doors", lambda: iter([ACME]))
    with running(settings_for(tmp_path)) as up:
        for method in ("POST", "PUT", "POST"):
            answer = up.client.request(method, "/acme/a%20b/echo?x=1&x=2", content=b'{"k": [1]}')
            assert answer.json() == [{"name": "a b"}, {"x": "2"}, {"k": [1]}]
        assert closed == []
    assert closed == ["closed"]


def test_what_a_door_stores_counts_under_its_own_name(up: Running) -> None:
    assert up.client.post("/acme/spans", content=b"one").json() == {"stored": 1}
    assert [batch.source for batch in up.ingest.batches] == ["acme"]


@pytest.mark.parametrize(
    ("body", "status", "said", "reason"),
    [
        (b"{", 400, "is not JSON", "the body is not what its type says"),
        (b"[" * 101 + b"]" * 101, 400, "deeper than 100", "the body is not what its type says"),
        (b"[" * 3000 + b"]" * 3000, 400, "nested", "the body is not what its type says"),
        (b" " * 10_001, 413, "over the limit", "over a limit of size or number"),
    ],
    ids=["cut", "deep", "deeper", "long"],
)
def test_a_bad_document_is_answered_in_the_doors_words_and_counted(
    up: Running, body: bytes, status: int, said: str, reason: str
) -> None:
    answer = up.client.post("/acme/x/echo", content=body)
    assert (answer.status_code, answer.json()["source"]) == (status, "acme")
    assert said in answer.json()["error"]
    assert [(source, why) for source, why, _ in reasons(up)] == [("acme", reason)]
    assert reasons(up)[0][2].startswith("/acme/x/echo: ")


def test_a_document_just_deep_enough_is_read(up: Running) -> None:
    assert up.client.post("/acme/x/echo", content=b"[" * 100 + b"]" * 100).is_success


def test_a_decoder_that_recurses_for_ever_is_the_senders_trouble(up: Running) -> None:
    assert up.client.post("/acme/recurse", content=b"one").status_code == 400


def test_what_is_not_there_is_404_in_a_sentence_and_no_loss(up: Running) -> None:
    answer = up.client.get("/acme/miss")
    assert (answer.status_code, answer.json()["error"]) == (404, "no prompt 'x'; there are 'y' and 'z'")
    assert reasons(up) == []


def test_a_door_that_breaks_keeps_its_details(up: Running) -> None:
    answer = up.client.get("/acme/fail")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_a_path_that_nothing_answers_is_said_and_counted_where_something_was_sent(up: Running) -> None:
    assert up.client.get("/nothing").status_code == 404
    assert reasons(up) == []
    assert "POST /nothing" in up.client.post("/nothing?key=secret", content=b"one").json()["message"]
    assert reasons(up) == [("http", "sent to a path that nothing answers", "POST /nothing")]
    answer = up.client.get("/acme/x/echo")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, PUT")
