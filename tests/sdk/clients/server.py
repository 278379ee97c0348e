"""A small HTTP server on 127.0.0.1 whose answers are written in advance: whole, in events, failing, or broken off."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """`body` as JSON (bytes: as a web page), or `events` as server-sent events, in writes of `cut` bytes; `gate` is
    waited for before the last event; `broken` closes the connection in the middle of a promised body."""

    body: Any = None
    events: Iterable[Any] | None = None
    status: int = 200
    cut: int = 0
    named: bool = False
    gate: threading.Event | None = None
    broken: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave early are what is tested."""


@dataclass
class Server:
    """`ready` holds the replies, first come first served; or `answer` makes one of (path, body)."""

    ready: deque[Reply] = field(default_factory=deque)
    asked: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    answer: Callable[[str, dict[str, Any]], Reply] | None = None
    _http: ThreadingHTTPServer | None = None

    def __enter__(self) -> Server:
        self._http = Quiet(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._http is not None
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        assert self._http is not None
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def says(self, *replies: Reply) -> None:
        self.ready.extend(replies)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None:
            """Quiet."""

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            server.asked.append((self.path, asked, dict(self.headers)))
            reply = server.answer(self.path, asked) if server.answer else server.ready.popleft()
            try:
                self.stream(reply) if reply.events is not None else self.whole(reply)
            except OSError:  # the client is gone
                self.close_connection = True

        def whole(self, reply: Reply) -> None:
            page = isinstance(reply.body, bytes)
            data = reply.body if page else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            self.send_header("content-type", "text/html; charset=utf-8" if page else "application/json")
            self.send_header("content-length", str(len(data) + (100 if reply.broken else 0)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
            self.close_connection = reply.broken

        def stream(self, reply: Reply) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            events = list(reply.events or ())
            for event in events[:-1]:
                self.event(event, reply)
            if reply.gate is not None:
                reply.gate.wait(10)
            self.event(events[-1], reply)
            if not reply.named:
                self.piece(b"data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

        def event(self, event: Any, reply: Reply) -> None:
            if reply.broken and event is None:
                self.close_connection = True
                raise ConnectionAbortedError
            name = f"event: {event['type']}\n" if reply.named else ""
            data = f"{name}data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
            size = reply.cut or len(data)
            for start in range(0, len(data), size):
                self.piece(data[start : start + size])

        def piece(self, data: bytes) -> None:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

    return Handler
