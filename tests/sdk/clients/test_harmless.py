"""What the wrappers and the handler do to the program they live in when things go wrong: nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from openai import OpenAI

from collector import testing, wrap_openai
from collector.sdk.api import QUEUE
from collector.store import open_reader
from tests.sdk.clients.said_by_openai import HELLO, chunks, completion
from tests.sdk.clients.server import Reply

ASKED = {"model": "gpt-4o-mini", "messages": HELLO}


@pytest.fixture
def counted():
    """Failures are counted, as in a program, and not raised, as in other tests."""
    with testing.recording(raise_errors=False) as recorded:
        QUEUE.failures.clear()
        yield recorded
        QUEUE.failures.clear()


@pytest.mark.parametrize("broken", ["asked", "answered", "take", "said"])
def test_trouble_of_ours_never_reaches_the_host(server, counted, monkeypatch, broken):
    from collector.protocols.llm import chat, openai

    def fail(*_):
        raise RuntimeError("ours")

    endpoint = openai.ENDPOINTS["/chat/completions"]
    if broken in ("take", "said"):
        monkeypatch.setattr(chat.ChatGather, broken, fail)
    else:
        one = type(endpoint)(
            "chat", "llm", fail if broken == "asked" else endpoint.asked,
            fail if broken == "answered" else endpoint.answered, endpoint.gather,
        )  # fmt: skip
        monkeypatch.setitem(openai.ENDPOINTS, "/chat/completions", one)
    server.says(Reply(completion()), Reply(events=chunks("Hi")))
    with OpenAI(base_url=f"{server.url}/v1", api_key="none") as made:
        client = wrap_openai(made)
        assert client.chat.completions.create(**ASKED).choices[0].message.content == "Hi there"
        assert len(list(client.chat.completions.create(**ASKED, stream=True))) == 4
    assert any("RuntimeError" in cause for cause in QUEUE.failures)


@pytest.mark.parametrize("body", [{}, {"choices": None}, {"choices": [{}]}, {"choices": [{"message": None}]}, []])
def test_answers_of_odd_servers_pass_through(server, counted, body):
    server.says(Reply(body), Reply(events=[body]))
    with OpenAI(base_url=f"{server.url}/v1", api_key="none") as made:
        client = wrap_openai(made)
        client.chat.completions.create(**ASKED)
        assert len(list(client.chat.completions.create(**ASKED, stream=True))) == 1
    assert [row.status for row in counted.traces()] == ["ok", "ok"]
    assert not any("client" in cause or "stream" in cause for cause in QUEUE.failures)


def run(code, server, db):
    head = f"""
import os
from collector import configure, wrap_openai
from openai import OpenAI
configure(db={str(db)!r})
client = wrap_openai(OpenAI(base_url="{server.url}/v1", api_key="none"))
asked = {ASKED!r}
"""
    ended = subprocess.run([sys.executable, "-c", head + code], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    with open_reader(db) as reader:
        return [reader.span(row.trace_id, row.span_id) for row in reader.spans(limit=10)]


def test_a_stream_still_held_when_the_program_ends_is_recorded_with_what_came(server, tmp_path):
    server.says(Reply(events=chunks("Hi", " there")))
    code = "stream = client.chat.completions.create(**asked, stream=True)\nnext(stream), next(stream)"
    (found,) = run(code, server, tmp_path / "traces.db")
    assert found.output.messages[0].parts[0]["text"] == "Hi"
    assert (found.row.status, "not read" in found.row.status_message) == ("ok", True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_end_the_streams_of_its_parent(server, tmp_path):
    server.says(Reply(events=chunks("Hi", " there")))
    code = """
stream = client.chat.completions.create(**asked, stream=True)
next(stream), next(stream)
pid = os.fork()
if pid == 0:
    from collector import flush
    del stream
    flush()
    os._exit(0)
os.waitpid(pid, 0)
list(stream)
"""
    (found,) = run(code, server, tmp_path / "traces.db")
    assert (found.output.messages[0].parts[0]["text"], found.row.status_message) == ("Hi there", None)


def test_importing_the_wrappers_loads_no_client():
    code = "import collector, sys; collector.wrap_openai; collector.wrap_anthropic; " \
        "assert not {'openai', 'anthropic', 'langchain_core', 'sqlite3'} & set(sys.modules)"  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
