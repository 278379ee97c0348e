"""Do the signals keep up with 500 spans a second, and what do they cost?

A real `tracetui collect` on a core of its own; agent runs of some 20 spans (histories that grow, tools, retries, loops,
four turns a session) are sent as they end, so many spans a second. Each half second: how many traces wait to be looked
at, and since when the first of them does. At the end: until the last one was looked at, and whether what was found is
what a look at the whole finds. Then all of it again without looking (`max_spans = 0`): the difference of the CPU is
what the signals took. Budget: 5 s behind, a fifth of a core.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from bench.generate import MS
from bench.report import SPARE_CORE, figure, head, load, memory_mb, percentile, pin, say
from bench.servers import HEADERS, Server, cpu_s, tracetui
from bench.varied import Runs
from collector.limits import Limits
from collector.protocols import otlp
from collector.store import open_reader
from collector.store.signals import of_trace

RATE, SECONDS = 500, 20
WATCH_S = 0.5
PATIENCE_S = 300
LONGEST_RUN_NS = 120_000 * MS
SAMPLE = 50
BEHIND_S, CORE_SHARE = 5, 0.2


@dataclass
class Sent:
    """What went to the collector: the moment of each trace's answer, and how many spans."""

    traces: list[str] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    spans: int = 0
    late_s: float = 0.0
    """How far the sender itself fell behind its clock."""


def bodies(seed: int) -> Iterator[tuple[str, int, bytes]]:
    """(trace, spans, body) for ever; each run has just ended when it is made."""
    runs, number = Runs(seed), 0
    while True:
        parts = runs.run(number, time.time_ns() - LONGEST_RUN_NS)
        yield parts[0].trace_id, len(parts), otlp.encode_traces_protobuf(parts)
        number += 1


def send(server: Server, rate: float, seconds: float, sent: Sent) -> None:
    """So many spans a second, a trace at a time."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    began, ready = time.monotonic(), bodies(5)
    trace, size, body = next(ready)
    while (now := time.monotonic()) < began + seconds:
        due = began + sent.spans / rate
        if now < due:
            time.sleep(due - now)
        sent.late_s = max(sent.late_s, time.monotonic() - due)
        connection.request("POST", "/v1/traces", body, HEADERS)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        sent.traces.append(trace)
        sent.at_s.append(time.monotonic())
        sent.spans += size
        trace, size, body = next(ready)
    connection.close()


def watch(server: Server, sender: threading.Thread, sent: Sent) -> tuple[list[int], list[float], float]:
    """(traces that wait, seconds since the first of them came) while spans arrive, and how long it took after that
    until none waited. Traces are looked at in the order in which they came."""
    waiting, behind_s = [], []
    with open_reader(server.db) as reader:
        while sender.is_alive():
            sender.join(WATCH_S)
            came = len(sent.traces)
            left = min(reader.unlooked(), came)
            waiting.append(left)
            behind_s.append(time.monotonic() - sent.at_s[came - left] if left else 0.0)
        ended = time.monotonic()
        while reader.unlooked() and time.monotonic() < ended + PATIENCE_S:
            time.sleep(0.05)
        assert reader.unlooked() == 0, f"{reader.unlooked()} traces still wait after {PATIENCE_S} s"
    return waiting, behind_s, time.monotonic() - ended


def right(server: Server, sent: Sent) -> int:
    """How many signals there are. All spans must be there, and of a sample what is stored must be what a look finds."""
    with open_reader(server.db) as reader:
        stored = reader.rows("select spans from counters")[0][0]
        assert stored == sent.spans, f"{stored:,} of {sent.spans:,} spans stored"
        for trace in sent.traces[:: max(len(sent.traces) // SAMPLE, 1)]:
            kept, found = of_trace(reader, trace), reader.signals(trace, Limits())
            assert sorted(kept, key=str) == sorted(found, key=str), (trace, kept, found)
        return sum(one.signals for one in reader.signal_counts())


def measured(rate: float, seconds: float, *, looking: bool, pinned: bool) -> float:
    """The CPU seconds of the collector, from the first span until nothing waits."""
    limits = {} if looking else {"TRACETUI_SIGNALS": json.dumps({"max_spans": 0})}
    with tempfile.TemporaryDirectory() as folder, tracetui(Path(folder), pinned=pinned, env=limits) as server:
        sent, used = Sent(), cpu_s(server)
        sender = threading.Thread(target=send, args=(server, rate, seconds, sent))
        began = time.monotonic()
        sender.start()
        while not sent.traces and sender.is_alive():
            time.sleep(0.01)
        waiting, behind_s, rest_s = watch(server, sender, sent)
        took = time.monotonic() - began - rest_s
        used = cpu_s(server) - used
        if looking:
            found = right(server, sent)
            figure(
                f"{sent.spans / took:,.0f} spans/s for {took:.0f} s ({len(sent.traces):,} traces), behind",
                f"p50 {median(behind_s):.1f}, p95 {percentile(behind_s, 0.95):.1f}, max {max(behind_s):.1f} s"
                f" ({max(waiting):,} traces); all looked at {rest_s:.1f} s after the last; {found:,} signals;"
                f" peak {memory_mb(server.process.pid):.0f} MB; {load()}",
                f"{BEHIND_S} s",
            )
            if sent.late_s > 1:
                say(f"  the sender itself was late by up to {sent.late_s:.1f} s: fewer spans came than asked for")
        return used


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench signals")
    parser.add_argument("--rate", type=float, default=RATE, help=f"spans a second [{RATE}]")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"so long [{SECONDS}]")
    asked = parser.parse_args(argv)
    head(__doc__)
    pinned = pin(SPARE_CORE)
    if not pinned:
        say("  one core only: the sender shares it with the server")
    whole = measured(asked.rate, asked.seconds, looking=True, pinned=pinned)
    without = measured(asked.rate, asked.seconds, looking=False, pinned=pinned)
    spans = asked.rate * asked.seconds
    share = (whole - without) / asked.seconds
    figure(
        "CPU of the signals",
        f"{share:.0%} of a core, {(whole - without) / spans * 1e3:.2f} ms a span; the collector without them"
        f" {without / asked.seconds:.0%}; {load()}",
        f"{CORE_SHARE:.0%}",
    )


if __name__ == "__main__":
    main()
