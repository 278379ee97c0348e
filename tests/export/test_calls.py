"""A recorded call as curl, Python and pytest: the programs run, against the demo's server or one for Anthropic."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from collector.export import calls, code
from collector.model import Content, Message
from collector.store.rows import SpanDetail
from tests.cli.rows import make_detail, make_span_row
from tests.tui.hostile import CONTROL_STRINGS, HOSTILE
from tracetui.demo.server import Server

NASTY = "It's $(touch owned) `touch owned` \"q\" '''\nJSON\nEOF\n\\ \x1b[31m \u202e 日本 {x}"
CALL = {"type": "tool_call", "id": "c1", "name": "get_order", "arguments": {"user_id": 54321}}
SAID = (
    Message("user", ({"type": "text", "text": NASTY},)),
    Message("assistant", (CALL,)),
    Message("tool", ({"type": "tool_result", "id": "c1", "result": {"status": "delivered"}},)),
)
TOOLS = [{"type": "function", "function": {"name": "get_order", "description": "Find it", "parameters": {}}}]


def recorded(provider: str = "openai", model: str = "gpt-4o", **changes: Any) -> SpanDetail:
    given: dict[str, Any] = {
        "input": Content(messages=SAID),
        "output": Content(messages=(Message("assistant", ({"type": "text", "text": "Yesterday."},)),)),
        "system": (Message("system", ({"type": "text", "text": "Be kind."},)),),
        "params": {"temperature": 0.2, "max_tokens": 99, "stream": True},
        "tool_definitions": TOOLS,
        "request_model": model,
    }
    return make_detail(make_span_row(provider=provider, model=model), **given | changes)


@contextmanager
def model_server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A model that answers in the words of either API and keeps what it was asked: {path, headers, body}."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Quiet."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append({"path": self.path, "headers": dict(self.headers), "body": body})
            answer = json.dumps(_answer(self.path, body)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def _answer(path: str, body: dict[str, Any]) -> dict[str, Any]:
    if path.endswith("/messages"):
        content = [{"type": "text", "text": "It came."}]
        return {"id": "m1", "type": "message", "role": "assistant", "model": body["model"], "content": content,
                "stop_reason": "end_turn", "stop_sequence": None,
                "usage": {"input_tokens": 1, "output_tokens": 1}}  # fmt: skip
    if path.endswith("/embeddings"):
        data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
        return {"object": "list", "model": body["model"], "data": data,
                "usage": {"prompt_tokens": 1, "total_tokens": 1}}  # fmt: skip
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "It came."}}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}  # fmt: skip


def run(words: list[str], folder: Path, env: dict[str, str], stdin: str = "") -> str:
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "127.0.0.1", **env}
    done = subprocess.run(words, cwd=folder, env=clean, input=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in folder.iterdir() if path.name == "owned") == []
    return done.stdout


def execute(
    program: str, env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """What a Python program prints, without the second that a new interpreter takes to import a client."""
    for name, value in {**env, "NO_PROXY": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    scope: dict[str, Any] = {}
    exec(compile(program, "again.py", "exec"), scope)
    scope["client"].close()
    return capsys.readouterr().out


def variables(api: str, url: str) -> dict[str, str]:
    if api == "anthropic":
        return {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "key-of-the-test"}
    return {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "key-of-the-test"}


MODELS = {"openai": "gpt-4o", "anthropic": "claude-of-tomorrow"}


@pytest.mark.parametrize("api", MODELS)
def test_curl_and_python_send_what_was_recorded(
    api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call = calls.call_of(recorded(api, MODELS[api]))
    with model_server() as (url, asked):
        env = variables(api, url)
        assert "It came." in run(["bash"], tmp_path, env, stdin=code.curl(call))
        assert "It came." in execute(code.python(call, "the call"), env, monkeypatch, capsys)
    by_curl, by_python = asked
    assert by_curl["path"] == by_python["path"] == ("/v1/messages" if api == "anthropic" else "/v1/chat/completions")
    assert by_curl["body"] == by_python["body"] == call.body
    for one in asked:
        assert "key-of-the-test" in str(one["headers"])
    text = json.dumps(by_curl["body"], ensure_ascii=False)
    assert json.dumps(NASTY, ensure_ascii=False) in text
    assert "delivered" in text
    assert by_curl["body"]["temperature"] == 0.2
    assert "stream" not in by_curl["body"]


@pytest.mark.slow
def test_the_generated_test_passes_with_a_key_and_is_skipped_without(tmp_path: Path) -> None:
    text = code.pytest(calls.call_of(recorded()), "chat of the 'demo' \n import os")
    (tmp_path / "test_again.py").write_text(text, encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_again.py"]
    with Server() as server:
        assert "1 passed" in run(words, tmp_path, variables("openai", server.url.removesuffix("/v1")))
    assert "1 skipped" in run(words, tmp_path, {})


def test_a_call_of_tools_is_tested_by_the_tools_it_calls() -> None:
    answered = Content(messages=(Message("assistant", (CALL,)),))
    text = code.pytest(calls.call_of(recorded(output=answered)), "x")
    assert "CALLED = [['get_order', {'user_id': 54321}]]" in text
    assert "[name for name, _ in called] == [name for name, _ in CALLED]" in text


def test_embeddings_are_asked_again(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    span = recorded(input=Content(value=["one", "two"]), output=None, system=(), tool_definitions=None)
    span = replace(span, row=span.row._replace(kind="embedding"))
    program = code.python(calls.call_of(span), "x")
    with model_server() as (url, asked):
        assert execute(program, variables("openai", url), monkeypatch, capsys) == "[2]\n"
    assert asked[0]["body"]["input"] == ["one", "two"]


def test_the_two_shapes() -> None:
    body = calls.call_of(recorded()).body
    assert body["messages"][0] == {"role": "system", "content": "Be kind."}
    assert body["messages"][2]["tool_calls"][0]["function"] == {"name": "get_order", "arguments": '{"user_id": 54321}'}
    assert body["messages"][3] == {"role": "tool", "tool_call_id": "c1", "content": '{"status": "delivered"}'}
    body = calls.call_of(recorded("anthropic", "claude-of-tomorrow")).body
    assert body["system"] == "Be kind."
    assert body["max_tokens"] == 99
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"][0]["input"] == {"user_id": 54321}
    assert body["tools"][0]["input_schema"] == {"type": "object", "properties": {}}


def test_files_go_along_where_they_were_recorded() -> None:
    parts = (
        {"type": "image", "url": "https://example.org/cat.png"},
        {"type": "image", "mime_type": "image/png", "data": "aGk="},
        {"type": "image", "mime_type": "image/png", "file_id": "f1"},
    )
    call = calls.call_of(recorded(input=Content(messages=(Message("user", parts),))))
    urls = [block["image_url"]["url"] for block in call.body["messages"][1]["content"]]
    assert urls == ["https://example.org/cat.png", "data:image/png;base64,aGk="]
    assert any("part of type image is left out" in doubt for doubt in call.doubts)
    call = calls.call_of(recorded("anthropic", input=Content(messages=(Message("user", parts),))))
    kinds = [block["source"]["type"] for block in call.body["messages"][0]["content"]]
    assert kinds == ["url", "base64"]


def test_what_cannot_be_repeated_faithfully_is_said() -> None:
    said = (Message("user", ({"type": "text", "text": "Call [PHONE:3fa9] …[20 bytes cut]"},)),)
    call = calls.call_of(recorded("acme", input=Content(messages=said), params={"weird": 1}))
    assert len(call.doubts) == 3
    program = code.python(call, "x")
    assert "# It went to acme; this asks https://api.openai.com/v1: set OPENAI_BASE_URL" in program
    assert "# Parameters left out: weird." in program
    assert "# Some of it was redacted or cut" in program


def test_an_address_in_a_trace_is_never_asked() -> None:
    span = recorded(attributes={"server.address": "evil.example", "url.full": "https://evil.example/v1"})
    for make in (code.curl, lambda call: code.python(call, "x"), lambda call: code.pytest(call, "x")):
        assert "evil" not in make(calls.call_of(span))


def test_known_providers_have_variables_of_their_own() -> None:
    text = code.python(calls.call_of(recorded("groq", "llama-3.3")), "x")
    assert 'OpenAI(base_url=os.environ.get("GROQ_BASE_URL", "https://api.groq.com/openai/v1")' in text
    assert "GROQ_API_KEY" in code.curl(calls.call_of(recorded("groq", "llama-3.3")))
    assert "Authorization" not in code.curl(calls.call_of(recorded("ollama", "llama3.1:8b")))


@pytest.mark.parametrize("text", [*HOSTILE, *CONTROL_STRINGS, NASTY])
def test_hostile_text_stays_data(text: str) -> None:
    said = (Message("user", ({"type": "text", "text": text},)),)
    call = calls.call_of(recorded(input=Content(messages=said), request_model=text, params={text: 1}))
    for made in (code.curl(call), code.python(call, text), code.pytest(call, text)):
        assert all(char == "\n" or char.isprintable() for char in made)
    scope: dict[str, Any] = {}
    program = code.python(call, text)
    exec(program[program.index("REQUEST") : program.index("\nanswer =")], {"dict": dict}, scope)
    assert scope["REQUEST"]["messages"][1]["content"] == text
    assert scope["REQUEST"]["model"] == text
    compile(code.pytest(call, text), "test", "exec")


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"input": None, "system": ()}, "did not record the messages"), ({"request_model": None}, "names no model")],
)
def test_what_is_no_call_says_why(changes: dict[str, Any], says: str) -> None:
    span = recorded(**changes)
    span = replace(span, row=span.row._replace(model=None)) if "request_model" in changes else span
    with pytest.raises(calls.NotACall, match=says):
        calls.call_of(span)
    with pytest.raises(calls.NotACall, match="of kind tool"):
        calls.call_of(replace(span, row=span.row._replace(kind="tool")))
