"""What does each door cost: spans a second, CPU a span, and from the POST until a reader sees it?

The same agent spans (2 KB of new text each) as each client would send them, to a real `tracetui collect` on a core of
its own, four connections, 50 spans a body; until all is stored and in full text. Then: the same as a file, imported;
one span a request on 32 connections; a lone span every so often, from its POST until a reader's query finds it; bodies
of 10 MB; and, with --big, 32 connections that send 60 MB each at once, for the memory.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

import grpc
import psutil
import zstandard

from bench.generate import agent_bodies
from bench.report import SPARE_CORE, figure, head, load, memory_mb, percentile, pin, say
from bench.servers import Server, cpu_s, stored, tracetui
from collector.model import Batch, SpanPart
from collector.protocols import native, otlp
from collector.store import open_reader

PROTOBUF, JSON = "application/x-protobuf", "application/json"
BATCH, CONNECTIONS = 50, 4
BOUNDARY = "bench"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass(frozen=True)
class Way:
    """How a client sends spans: `body` makes (spans that will be stored, body) of them."""

    path: str
    kind: str
    body: Callable[[list[SpanPart]], tuple[int, bytes]]
    headers: dict[str, str] = field(default_factory=dict)


def protobuf(parts: list[SpanPart]) -> tuple[int, bytes]:
    return len(parts), otlp.encode_traces_protobuf(parts)


def packed(pack: Callable[[bytes], bytes]) -> Callable[[list[SpanPart]], tuple[int, bytes]]:
    return lambda parts: (len(parts), pack(protobuf(parts)[1]))


def moment(ns: int | None) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime((ns or 0) / 1e9)) + f".{(ns or 0) // 1000 % 10**6:06d}Z"


def langfuse(parts: list[SpanPart]) -> tuple[int, bytes]:
    """Events of version 2: one trace, whose root is a span here, and its observations."""
    trace = parts[0].trace_id
    events = [event("trace-create", trace, {"id": trace, "name": "bench", "timestamp": moment(parts[0].start_ns)})]
    for part in parts:
        texts = [value for value in part.attributes.values() if isinstance(value, str) and len(value) > 200]
        body = {"id": part.span_id, "traceId": trace, "name": part.name, "startTime": moment(part.start_ns),
                "endTime": moment(part.end_ns), "input": texts[:1], "output": texts[1:2], "model": "gpt-4o-mini",
                "usage": {"input": 100, "output": 10}}  # fmt: skip
        events.append(event("generation-create", part.span_id, body))
    return len(parts) + 1, json.dumps({"batch": events, "metadata": {}}).encode()


def event(kind: str, name: str, body: dict[str, object]) -> dict[str, object]:
    return {"id": f"{kind}-{name}", "type": kind, "timestamp": "2026-01-01T00:00:00Z", "body": body}


def langsmith(parts: list[SpanPart]) -> tuple[int, bytes]:
    return len(parts), json.dumps({"post": runs(parts), "patch": []}).encode()


def langsmith_forms(parts: list[SpanPart]) -> tuple[int, bytes]:
    """As its SDKs send them: a form, with what is long in parts of its own, in zstd."""
    whole = []
    for run in runs(parts):
        long = {f".{name}": run.pop(name) for name in ("inputs", "outputs")}
        for name, value in {"": run, **long}.items():
            text = json.dumps(value)
            whole.append(
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="post.{run["id"]}{name}"\r\n'
                f"Content-Type: application/json; length={len(text)}\r\n\r\n{text}\r\n"
            )
    return len(parts), zstandard.compress(("".join(whole) + f"--{BOUNDARY}--\r\n").encode())


def runs(parts: list[SpanPart]) -> list[dict[str, Any]]:
    def uuid(text: str) -> str:
        text = text.rjust(32, "1")
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    trace = uuid(parts[0].trace_id)
    made = []
    for part in parts:
        texts = [value for value in part.attributes.values() if isinstance(value, str) and len(value) > 200]
        own = trace if part is parts[0] else uuid(part.span_id)
        when = moment(part.start_ns)
        order = when.replace("-", "").replace(":", "").replace(".", "")
        dotted = f"{order}{trace}" + ("" if own == trace else f".{order}{own}")
        made.append({"id": own, "trace_id": trace, "parent_run_id": None if own == trace else trace,
                     "dotted_order": dotted, "name": part.name, "run_type": "llm", "start_time": when,
                     "end_time": moment(part.end_ns), "inputs": {"text": texts[:1]}, "outputs": {"text": texts[1:2]},
                     "session_name": "bench"})  # fmt: skip
    return made


WAYS: dict[str, Way] = {
    "OTLP protobuf": Way("/v1/traces", PROTOBUF, protobuf),
    "OTLP protobuf, gzip": Way("/v1/traces", PROTOBUF, packed(gzip.compress), {"content-encoding": "gzip"}),
    "OTLP protobuf, zstd": Way("/v1/traces", PROTOBUF, packed(zstandard.compress), {"content-encoding": "zstd"}),
    "OTLP JSON": Way("/v1/traces", JSON, lambda parts: (len(parts), otlp.encode_traces(parts))),
    "OTLP gRPC": Way("grpc", PROTOBUF, protobuf),
    "own SDK": Way("/v1/native", JSON, lambda parts: (len(parts), native.encode_batch(Batch("sdk", tuple(parts))))),
    "Langfuse 2 events": Way("/api/public/ingestion", JSON, langfuse),
    "LangSmith batch": Way("/runs/batch", JSON, langsmith),
    "LangSmith multipart, zstd": Way(
        "/runs/multipart", f"multipart/form-data; boundary={BOUNDARY}", langsmith_forms, {"content-encoding": "zstd"}
    ),
}
FILE = "import of OTLP JSON lines"


def spans(number: int, seed: int, batch: int = BATCH) -> Iterator[list[SpanPart]]:
    for _, body in agent_bodies(number, batch=batch, seed=seed):
        yield list(otlp.decode_traces(body).parts)


def send(server: Server, way: Way, bodies: Iterable[tuple[int, bytes]], connections: int) -> tuple[int, list[float]]:
    """All of it; spans acknowledged, and each wait in ms."""
    waiting, lock = iter(bodies), threading.Lock()
    acknowledged, waits = [0], []

    def run(post: Callable[[bytes], None]) -> None:
        while True:
            with lock:
                item = next(waiting, None)
            if item is None:
                return
            began = time.perf_counter()
            post(item[1])
            with lock:
                waits.append((time.perf_counter() - began) * 1e3)
                acknowledged[0] += item[0]

    posts = [poster(server, way) for _ in range(connections)]
    threads = [threading.Thread(target=run, args=(post,)) for post in posts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return acknowledged[0], waits


def poster(server: Server, way: Way) -> Callable[[bytes], None]:
    if way.path == "grpc":
        channel = grpc.insecure_channel(f"127.0.0.1:{server.port}", options=[("grpc.use_local_subchannel_pool", 1)])
        export = channel.unary_unary(EXPORT)
        return lambda body: export(body, timeout=120) and None
    connection = HTTPConnection("127.0.0.1", server.port, timeout=120)
    headers = {"content-type": way.kind, **way.headers}

    def post(body: bytes) -> None:
        while True:
            connection.request("POST", way.path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status < 300:
                return
            assert answer.status == 429, (answer.status, text[:300])
            time.sleep(float(answer.headers["retry-after"]))

    return post


def rate(name: str, way: Way, number: int, *, connections: int = CONNECTIONS, batch: int = BATCH) -> None:
    with tempfile.TemporaryDirectory() as folder, tracetui(Path(folder)) as server:
        warm = [way.body(parts) for parts in spans(100, 7)]
        before = send(server, way, warm, 1)[0]
        assert stored(server, before) == before
        bodies = [way.body(parts) for parts in spans(number, 1, batch)]
        used, began = cpu_s(server), time.perf_counter()
        wanted, waits = send(server, way, bodies, connections)
        assert stored(server, before + wanted) == before + wanted
        took, used = time.perf_counter() - began, cpu_s(server) - used
        figure(
            f"{name}, {batch} a body, {connections} connections",
            f"{wanted / took:,.0f} spans/s, {used / wanted * 1e6:,.0f} us CPU a span, answers p50 {median(waits):.1f}"
            f" p95 {percentile(waits, 0.95):.1f} ms, peak {memory_mb(server.process.pid):.0f} MB; {load()}",
        )


def visible(name: str, way: Way, times: int) -> None:
    """From the POST of a lone span until a reader, asked again and again, has it."""
    ms = []
    with tempfile.TemporaryDirectory() as folder, tracetui(Path(folder)) as server:
        post = poster(server, way)
        post(way.body(next(spans(1, 3, 1)))[1])
        stored(server, 1)
        with open_reader(server.db) as reader:
            for one in spans(times, 4, 1):
                before = reader.rows("select spans from counters", {})[0][0]
                body = way.body(one)[1]
                began = time.perf_counter()
                sender = threading.Thread(target=post, args=(body,))
                sender.start()
                while reader.rows("select spans from counters", {})[0][0] == before:
                    time.sleep(0.0002)
                ms.append((time.perf_counter() - began) * 1e3)
                sender.join()
                time.sleep(0.02)
    figure(
        f"{name}, POST to visible", f"n {len(ms)}, p50 {median(ms):.1f}, p95 {percentile(ms, 0.95):.1f} ms; {load()}"
    )


def imported(number: int) -> None:
    """`tracetui import` of what the OpenTelemetry Collector's file exporter writes: a request a line."""
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder, "traces.jsonl")
        lines.write_bytes(b"\n".join(otlp.encode_traces(parts) for parts in spans(number, 1)) + b"\n")
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-m", "tracetui", "import", str(lines), "--db", str(Path(folder, "traces.db"))]
        subprocess.run(command, check=True, capture_output=True)
        took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        with open_reader(Path(folder, "traces.db")) as reader:
            assert reader.rows("select spans from counters", {})[0][0] == number
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figure(
        f"{FILE}, the process's start and full text included",
        f"{number / took:,.0f} spans/s, {used / number * 1e6:,.0f} us CPU a span, peak {after.ru_maxrss / 1024:.0f} MB;"
        f" {load()}",
    )


def large(megabytes: int, connections: int, door: str = "OTLP protobuf") -> None:
    """Bodies of few spans with long texts."""
    way = WAYS[door]
    texts = 200
    with tempfile.TemporaryDirectory() as folder, tracetui(Path(folder)) as server:
        [[part, *_]] = spans(1, 5, 1)

        def bodies() -> Iterator[tuple[int, bytes]]:
            for number in range(connections):
                text = f"{number} " + "word " * (megabytes * 10**6 // texts // 5)
                long = [
                    replace(part, span_id=f"{number + 1:08x}{at + 1:08x}", attributes={"input.value": f"{at} {text}"})
                    for at in range(texts)
                ]
                yield len(long), otlp.encode_traces_protobuf(long)

        used, began = cpu_s(server), time.perf_counter()
        acknowledged = send(server, way, bodies(), connections)[0]
        took = time.perf_counter() - began
        found = stored(server, acknowledged)
        assert found == acknowledged == connections * texts, f"{found} of {connections * texts} spans stored"
        process = psutil.Process(server.process.pid)
        figure(
            f"{door}, {connections} bodies of {megabytes} MB at once",
            f"{took:.1f} s, {(cpu_s(server) - used) / connections:.2f} s CPU a body, peak"
            f" {memory_mb(process.pid):.0f} MB, afterwards {memory_mb(process.pid, 'VmRSS'):.0f} MB; {load()}",
        )


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench doors")
    parser.add_argument("--spans", type=int, default=2000, help="through each door [2000]")
    parser.add_argument("--times", type=int, default=50, help="lone spans, for the latency [50]")
    parser.add_argument("--big", action="store_true", help="also 32 connections with 60 MB each")
    parser.add_argument("--only", metavar="DOOR", help="only doors whose name has this in it")
    asked = parser.parse_args(argv)
    head(__doc__)
    if not pin(SPARE_CORE):
        say("  one core only: the sender shares it with the server")
    chosen = {name: way for name, way in WAYS.items() if not asked.only or asked.only.lower() in name.lower()}
    for name, way in chosen.items():
        rate(name, way, asked.spans)
        visible(name, way, asked.times)
    if not asked.only or asked.only.lower() in FILE.lower():
        imported(asked.spans)
    for name in chosen.keys() & {"OTLP protobuf", "OTLP gRPC"}:
        rate(name, chosen[name], asked.spans, connections=32, batch=1)
    for name in chosen.keys() & {"OTLP protobuf", "OTLP gRPC"}:
        large(10, 4, name)
        if asked.big:
            large(60, 32, name)


if __name__ == "__main__":
    main()
