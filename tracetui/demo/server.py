"""A small OpenAI-compatible server on 127.0.0.1 whose answers are written in advance.

It speaks /v1/chat/completions (streamed or not, tools, cached and reasoning tokens, failures) and
/v1/embeddings. The demo puts an `Answer` under a name and the client asks for it by the header
`x-demo-answer`: nothing here thinks. A request without that name is a replay: it gets what was answered to the same
last message before, said once more.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

HEADER = "x-demo-answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the simulated model says. Times are seconds of waiting; `status` 429 makes it fail.

    `tools` are (name, arguments) of the tools it asks for; `tokens` is (input, output) including
    `cached` and `reasoning`.
    """

    text: str = ""
    tools: tuple[tuple[str, dict[str, Any]], ...] = ()
    tokens: tuple[int, int] = (120, 30)
    cached: int = 0
    reasoning: int = 0
    seconds: float = 0.5
    first_token: float = 0.2
    status: int = 200


@dataclass
class Server:
    """The server and the answers it has ready. Use as a context manager."""

    answers: dict[str, Answer] = field(default_factory=dict)
    given: dict[str, Answer] = field(default_factory=dict)
    _http: ThreadingHTTPServer | None = None
    _names: Any = field(default_factory=lambda: count(1))

    def __enter__(self) -> Server:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, name="demo-model", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()

    @property
    def url(self) -> str:
        assert self._http is not None
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def ready(self, answer: Answer) -> str:
        """Put an answer in place; returns the name to ask for it by."""
        name = str(next(self._names))
        self.answers[name] = answer
        return name

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answers, given = self.answers, self.given

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # a small answer would wait 40 ms for an acknowledgement

            def log_message(self, *_: Any) -> None:
                """Quiet."""

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if self.path.endswith("/embeddings"):
                    self._json(200, embedding(asked))
                    return
                answer = answers.pop(self.headers.get(HEADER, ""), None)
                if answer is None:
                    answer = again(asked, given)
                else:
                    given[last_said(asked)] = answer
                if answer.status != 200:
                    time.sleep(answer.seconds)
                    self._json(answer.status, failure(asked["model"]), {"retry-after-ms": "10"})
                elif asked.get("stream"):
                    self._stream(asked, answer)
                else:
                    time.sleep(answer.seconds)
                    self._json(200, completion(asked, answer))

            def _json(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def _stream(self, asked: dict[str, Any], answer: Answer) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                time.sleep(answer.first_token)
                chunks = list(stream(asked, answer))
                for chunk in chunks:
                    self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                    self.wfile.flush()
                    time.sleep(max(0.0, answer.seconds - answer.first_token) / len(chunks))
                self.wfile.write(b"data: [DONE]\n\n")
                self.close_connection = True

        return Handler


def last_said(asked: dict[str, Any]) -> str:
    """The last message of a request, as a key."""
    return json.dumps(asked.get("messages", [])[-1:], sort_keys=True)


def again(asked: dict[str, Any], given: dict[str, Answer]) -> Answer:
    """What a replay is answered. Half a second at most: nobody waits for a story here."""
    before = given.get(last_said(asked))
    if before is None or before.status != 200:
        return Answer("(nothing was written for this)")
    text = f"Asked again, the simulated model says: {before.text}" if before.text else ""
    return replace(before, text=text, seconds=0.5, first_token=0.2)


_ids = count(1)


def _head(asked: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-demo-{next(_ids)}-{time.time_ns():x}", "object": kind, "created": int(time.time()),
            "model": asked["model"]}  # fmt: skip


def _usage(answer: Answer) -> dict[str, Any]:
    given, made = answer.tokens
    return {
        "prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made,
        "prompt_tokens_details": {"cached_tokens": answer.cached},
        "completion_tokens_details": {"reasoning_tokens": answer.reasoning},
    }  # fmt: skip


def _calls(answer: Answer) -> list[dict[str, Any]]:
    return [
        {"id": f"call_{n}_{name}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for n, (name, arguments) in enumerate(answer.tools)
    ]


def completion(asked: dict[str, Any], answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
    if answer.tools:
        message["tool_calls"] = _calls(answer)
    reason = "tool_calls" if answer.tools else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
    return {**_head(asked, "chat.completion"), "choices": [choice], "usage": _usage(answer)}


def stream(asked: dict[str, Any], answer: Answer) -> Any:
    head = _head(asked, "chat.completion.chunk")
    for word in answer.text.split(" "):
        yield {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": word + " "}}]}
    if answer.tools:
        calls = [{"index": n, **call} for n, call in enumerate(_calls(answer))]
        yield {**head, "choices": [{"index": 0, "delta": {"tool_calls": calls}}]}
    reason = "tool_calls" if answer.tools else "stop"
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    yield {**head, "choices": [], "usage": _usage(answer)}


def failure(model: str) -> dict[str, Any]:
    message = f"Rate limit reached for {model} on requests per min (RPM): Limit 3, Used 3, Requested 1."
    return {"error": {"message": message, "type": "requests", "param": None, "code": "rate_limit_exceeded"}}


def embedding(asked: dict[str, Any]) -> dict[str, Any]:
    given = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    data = [{"object": "embedding", "index": n, "embedding": [0.01, 0.02, 0.03]} for n, _ in enumerate(given)]
    used = sum(len(str(text)) // 4 for text in given)
    return {
        "object": "list",
        "model": asked["model"],
        "data": data,
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }
