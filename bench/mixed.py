"""How much memory does a collector use over a million spans through all its doors at once?

A real `tracetui collect` process; in each of ten rounds every door gets its share at the same time as the others (OTLP
as protobuf, packed, JSON and gRPC, our SDK's, Langfuse's events, LangSmith's batches), 50 spans of 2 KB a body; then
calls pass through the proxy. Printed each round: resident memory now and its peak. At the end all must be in
the file. Budget: a peak under 200 MB, and no growth over the last half.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

from bench.doors import BATCH, WAYS, send, spans
from bench.proxy import PATH, Place, request, started, whole_ms
from bench.report import figure, head, load, memory_mb, say
from bench.servers import Server, stored, tracetui

ROUNDS = 10
CALLS = 20


def through_all(server: Server, number: int, at: int) -> int:
    """`number` spans through every door, each in threads of its own; how many will be stored."""
    took: list[int] = []

    def one(place: int, name: str) -> None:
        way = WAYS[name]
        bodies = (way.body(parts) for parts in spans(number, seed=1000 * at + place))
        took.append(send(server, way, bodies, 1)[0])

    threads = [threading.Thread(target=one, args=(place, name)) for place, name in enumerate(WAYS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(took) == len(WAYS), "a door did not take all it was sent"
    return sum(took)


def calls(place: Place, count: int) -> None:
    """Calls through the proxy; a span each."""
    connection = HTTPConnection("127.0.0.1", place.proxy)
    for _ in range(count):
        whole_ms(connection, f"/proxy/bench{PATH}", request(False))
    connection.close()


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench mixed")
    parser.add_argument("--spans", type=int, default=20_000, help="[20000]; the budget is for 1000000")
    parser.add_argument("--folder", type=Path, help="where the file is made: some 5 KB a span [a temporary folder]")
    asked = parser.parse_args(argv)
    head(__doc__)
    each = max(asked.spans // ROUNDS // len(WAYS) // BATCH, 1) * BATCH
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder, started(["bench.proxy", "--upstream"]) as above:
        upstream = int(str(above["port"]))
        named = {"TRACETUI_UPSTREAMS": f"bench=http://127.0.0.1:{upstream}"}
        with tracetui(Path(folder), pinned=False, env=named) as server:
            pid, began, sent = server.process.pid, time.perf_counter(), 0
            figure("resident before the first span", f"{memory_mb(pid, 'VmRSS'):.0f} MB")
            half = 0.0
            for at in range(ROUNDS):
                sent += through_all(server, each, at)
                calls(Place(upstream, server.port, pid), CALLS)
                sent += CALLS
                half = memory_mb(pid) if at == ROUNDS // 2 - 1 else half
                say(
                    f"  {sent:,} spans after {time.perf_counter() - began:.0f} s: {memory_mb(pid, 'VmRSS'):.0f} MB,"
                    f" peak {memory_mb(pid):.0f} MB; {load()}"
                )
            figure(f"peak over {sent:,} spans", f"{memory_mb(pid):.0f} MB; {half:.0f} after half of them", "200 MB")
            found = stored(server, sent)
            assert found == sent, f"{found:,} of {sent:,} spans stored"
            figure("resident when all is indexed", f"{memory_mb(pid, 'VmRSS'):.0f} MB")


if __name__ == "__main__":
    main()
