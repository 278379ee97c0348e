"""What traces are sent to while an SDK is measured: a server of its own process that takes all in, and counts after.

`python sdk_sink.py take|hang`: prints its port. `take` answers as an OTLP endpoint, Logfire, Langfuse and LangSmith
would, and keeps the bodies as they came, so that it costs next to nothing while the clock runs; GET /count then says
how many ended spans are in them. `hang` takes a request and never answers. Run by the Python that has the SDKs.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BODIES: list[tuple[str, str, str, bytes]] = []
PART = re.compile(rb'name="?(?:post|patch)\.([0-9a-f-]{36})"?')
INFO = {"instance_flags": {"zstd_compression_enabled": True}}
"""What LangSmith's own service says of itself, as far as it decides how runs are sent."""


class Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hangs = False

    def do_GET(self) -> None:
        if self.path == "/count":
            self.answer({"spans": count()})
        elif self.path.endswith("/v1/info"):  # Logfire asks whose token this is
            self.answer({"project_name": "bench", "project_url": "http://127.0.0.1"})
        else:
            self.answer(INFO)

    def do_POST(self) -> None:
        body = self.body()
        if self.hangs:
            time.sleep(3600)
        headers = self.headers
        BODIES.append((self.path, headers.get("Content-Type", ""), headers.get("Content-Encoding", ""), body))
        if "protobuf" in headers.get("Content-Type", ""):
            self.reply(b"", "application/x-protobuf")
        else:
            self.answer({})

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def answer(self, document: dict[str, Any]) -> None:
        self.reply(json.dumps(document).encode(), "application/json")

    def reply(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def count() -> int:
    """Ended spans among what came, each once."""
    seen: set[Any] = set()
    for path, kind, encoding, body in BODIES:
        if path.endswith("/v1/traces"):
            seen.update(otlp_spans(unpacked(body, encoding)))
        elif "/runs" in path:
            seen.update(langsmith_runs(unpacked(body, encoding), kind))
    return len(seen)


def unpacked(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    if encoding == "zstd":
        import zstandard

        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return body


def otlp_spans(body: bytes) -> set[bytes]:
    """Span ids, without what Logfire sends of spans that have only begun."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    found = set()
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                if not any(a.value.string_value == "pending_span" for a in span.attributes):
                    found.add(span.span_id)
    return found


def langsmith_runs(body: bytes, kind: str) -> set[bytes]:
    """Ids of runs that have ended: a run's own part of a multipart body, or a run of a JSON batch."""
    if not kind.startswith("multipart/"):
        document = json.loads(body)
        runs = [*document.get("post", ()), *document.get("patch", ())]
        return {run["id"].encode() for run in runs if run.get("end_time")}
    boundary = b"--" + kind.partition("boundary=")[2].strip('"').encode()
    found = set()
    for part in body.split(boundary):
        head, _, said = part.partition(b"\r\n\r\n")
        name = PART.search(head)
        if name is not None and b'"end_time":null' not in said and b'"end_time"' in said:
            found.add(name[1])
    return found


def serve(how: str) -> None:
    Sink.hangs = how == "hang"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()  # until whoever started us ends
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
