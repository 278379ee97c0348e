"""An upstream on 127.0.0.1 that answers what a test says, byte by byte; and a receiver whose proxy knows it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from collector.store import open_reader
from collector.store.rows import SpanDetail
from tests.receiver.running import Running, running, settings_for, until


@dataclass
class Got:
    """A request as it reached the upstream."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    upstream: Raw

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.take
        raise AttributeError(name)

    def take(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.upstream.got.append(Got(self.command, self.path, list(self.headers.items()), body))
        try:
            self.upstream.answer(self)
        except OSError:
            self.upstream.left.set()
            self.close_connection = True

    def raw(self, *pieces: bytes, close: bool = True) -> None:
        """Bytes as they are, status line and all."""
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
        self.close_connection = close


@dataclass
class Raw:
    """`answer` is called with the handler of each request. `left` is set when the caller was found gone."""

    answer: Callable[[Handler], None] = lambda handler: handler.raw(b"HTTP/1.1 204 No Content\r\n\r\n", close=False)
    got: list[Got] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    url: str = ""


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Those who leave early are what is tested."""


@contextmanager
def upstream() -> Iterator[Raw]:
    one = Raw()
    server = Quiet(("127.0.0.1", 0), type("Bound", (Handler,), {"upstream": one}))
    one.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield one
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Proxy:
    """A real receiver with a real file. `url` is the address of the upstream called "gateway" through it."""

    up: Running
    db: Path

    @property
    def url(self) -> str:
        return f"{self.up.status.url}/proxy/gateway"

    def spans(self, count: int = 1, *, running: bool = False) -> list[SpanDetail]:
        """That many spans, by start, once they are stored (and, unless asked for, over)."""
        found: list[SpanDetail] = []

        def there() -> bool:
            with open_reader(self.db) as reader:
                rows = [row for row in reader.spans(limit=100) if running or row.status != "running"]
                found[:] = [reader.span(row.trace_id, row.span_id) for row in rows]
            return len(found) >= count

        until(there)
        return sorted(found, key=lambda one: (one.row.start_ns or 0, one.row.span_id))


@contextmanager
def proxying(folder: Path, base: str, **changes: Any) -> Iterator[Proxy]:
    named = {"gateway": base, **changes.pop("upstreams", {})}
    settings = settings_for(folder, upstreams=named, **changes)
    with running(settings, real=True) as up:
        yield Proxy(up, settings.db)
