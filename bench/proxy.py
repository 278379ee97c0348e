"""How much later does a model's answer come through the proxy than from the upstream itself?

The same client process asks the same local upstream directly and through `tracetui collect`, in turn, over kept
connections: a plain answer of 2 KB (whole answer), and a stream (its first byte). Answers
are checked, and all that was asked is found recorded at the end. Budgets: p50 of the difference under 2 ms
for a plain call, and under 2 ms for the first streamed byte. Run on a quiet machine: python -m bench proxy
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

import psutil

from bench.report import figure, head, load, percentile, say
from bench.servers import read_document

ROUNDS = 400
CROWD = 50
WARM = 30
PATH = "/v1/chat/completions"
WORDS = "Reindeer walk five thousand kilometres a year. " * 42


@dataclass(frozen=True)
class Place:
    """Who listens where: the ports of upstream and proxy, and the collector's process."""

    upstream: int
    proxy: int
    pid: int


def request(stream: bool, turns: int = 1) -> bytes:
    said = [{"role": "user", "content": WORDS}, {"role": "assistant", "content": WORDS}] * turns
    messages = [*said, {"role": "user", "content": "How far?"}]
    return json.dumps({"model": "gpt-4o-mini", "messages": messages, "stream": stream}).encode()


def plain() -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": WORDS}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 500, "completion_tokens": 400, "total_tokens": 900}
    answer = {"id": f"c-{time.time_ns()}", "model": "gpt-4o-mini", "choices": [choice], "usage": usage}
    body = json.dumps(answer).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def events() -> Iterator[bytes]:
    """The head with the first event at once, then ten more, and the end."""
    name = f"s-{time.time_ns()}"
    yield b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    for n in range(11):
        reason = "stop" if n == 10 else None
        choice = {"index": 0, "delta": {"content": "word "}, "finish_reason": reason}
        event = json.dumps({"id": name, "model": "gpt-4o-mini", "choices": [choice]}).encode()
        data = b"data: " + event + b"\n\n"
        yield b"%x\r\n%s\r\n" % (len(data), data)
    yield b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The upstream: answers at once, in a process of its own (`python -m bench.proxy --upstream`)."""
    try:
        while True:
            start = await reader.readuntil(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in start.split(b"\r\n")[1:-2])
            body = await reader.readexactly(int(fields[b"content-length"]))
            if b'"stream": true' not in body:
                writer.write(plain())
                continue
            for n, piece in enumerate(events()):
                writer.write(piece)
                if n:
                    await asyncio.sleep(0.001)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def upstream() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


@contextmanager
def started(command: Sequence[str], **env: str) -> Iterator[dict[str, object]]:
    child = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True,
                             env={**os.environ, **env})  # fmt: skip
    try:
        assert child.stdout is not None
        yield json.loads(read_document(child.stdout))
    finally:
        child.terminate()
        child.wait(60)


def whole_ms(connection: HTTPConnection, path: str, body: bytes) -> float:
    """Milliseconds to the last byte of a plain answer."""
    began = time.perf_counter_ns()
    connection.request("POST", path, body, {"content-type": "application/json"})
    got = connection.getresponse().read()
    took = time.perf_counter_ns() - began
    assert json.loads(got)["choices"][0]["message"]["content"] == WORDS
    return took / 1e6


def first_ms(connection: HTTPConnection, path: str, body: bytes) -> float:
    """Milliseconds to the first byte of a stream's first event."""
    began = time.perf_counter_ns()
    connection.request("POST", path, body, {"content-type": "application/json"})
    response = connection.getresponse()
    assert response.read(1) == b"d"
    took = time.perf_counter_ns() - began
    assert response.read().endswith(b"data: [DONE]\n\n")
    return took / 1e6


def used_us(pid: int) -> tuple[float, float]:
    """CPU of the collector so far: of its event loop, through which the bytes pass, and of all that records them."""
    taken = [(one.id == pid, one.user_time + one.system_time) for one in psutil.Process(pid).threads()]
    return sum(s for loop, s in taken if loop) * 1e6, sum(s for loop, s in taken if not loop) * 1e6


def compare(
    what: str, ask: Callable[[HTTPConnection, str, bytes], float], body: bytes, place: Place, rounds: int, budget: str
) -> None:
    """Direct and through the proxy in turn, so that whatever the machine does meanwhile hits both."""
    direct, through = (HTTPConnection("127.0.0.1", port) for port in (place.upstream, place.proxy))

    def both() -> tuple[float, float]:
        return ask(direct, PATH, body), ask(through, f"/proxy/bench{PATH}", body)

    with closing(direct), closing(through):
        for _ in range(WARM):
            both()
        before = used_us(place.pid)
        pairs = [both() for _ in range(rounds)]
        loop, recording = ((now - then) / rounds for now, then in zip(used_us(place.pid), before, strict=True))
    ours, theirs = sorted(pair[1] for pair in pairs), sorted(pair[0] for pair in pairs)
    later = sorted(pair[1] - pair[0] for pair in pairs)
    figure(f"{what}, directly", f"p50 {median(theirs):.2f} ms, p95 {percentile(theirs, 0.95):.2f} ms")
    figure(f"{what}, through the proxy", f"p50 {median(ours):.2f} ms, p95 {percentile(ours, 0.95):.2f} ms")
    figure(f"{what}, later by", f"p50 {median(later):.2f} ms, p95 {percentile(later, 0.95):.2f} ms; {load()}", budget)
    figure(f"{what}, CPU a call", f"{loop:.0f} us to pass it on, {recording:.0f} us to record it")


@contextmanager
def crowd(place: Place) -> Iterator[Callable[[], int]]:
    """Others meanwhile: calls with a long history, whose records are being written. How many, once they have ended."""
    over, sent, body = threading.Event(), [0], request(False, 20)

    def ask() -> None:
        with closing(HTTPConnection("127.0.0.1", place.proxy)) as connection:
            while not over.wait(1 / CROWD):
                whole_ms(connection, f"/proxy/bench{PATH}", body)
                sent[0] += 1

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield lambda: sent[0]
    finally:
        over.set()
        asking.join()


def recorded(db: Path, wanted: int) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with closing(sqlite3.connect(db)) as connection:
            [(found,)] = connection.execute("select count(*) from spans where end_ns is not null")
        if found >= wanted:
            return int(found)
        time.sleep(0.1)
    raise SystemExit(f"{found} of {wanted} calls were recorded")


def main(argv: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--upstream", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)
    if asked.upstream:
        asyncio.run(upstream())
        return
    head(__doc__)
    with tempfile.TemporaryDirectory() as folder, started(["bench.proxy", "--upstream"]) as above:
        db, port = Path(folder) / "traces.db", int(str(above["port"]))
        env = {"TRACETUI_UPSTREAMS": f"bench=http://127.0.0.1:{port}", "XDG_CONFIG_HOME": folder}
        command = ["tracetui", "collect", "--json", "--http-port", "0", "--grpc-port", "0", "--db", str(db)]
        with started(command, **env) as status:
            found = status["ports"]
            assert isinstance(found, dict)
            place, rounds = Place(port, int(found["http"]), int(str(status["pid"]))), asked.rounds
            compare("plain call, 2 KB", whole_ms, request(False), place, rounds, "p50 < 2 ms")
            compare("first streamed byte", first_ms, request(True), place, rounds, "p50 < 2 ms")
            compare("plain call, 40 turns of history", whole_ms, request(False, 20), place, rounds // 4, "")
            with crowd(place) as sent:
                compare(f"plain call beside {CROWD} a second", whole_ms, request(False), place, rounds, "")
            wanted = 3 * (rounds + WARM) + rounds // 4 + WARM + sent()
            say(f"  recorded: {recorded(db, wanted):,} of {wanted:,} calls")


if __name__ == "__main__":
    main(sys.argv[1:])
