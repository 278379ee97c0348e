"""How many spans a second does one core take in over HTTP, beside arize-phoenix on the same bodies?

Acknowledged after the commit, until full text has caught up and the sums are right (checked by a recount).
Budgets: 8,000 spans/s, 40 times arize-phoenix; with --million, under 200 MB of memory after a million spans.
Run: python -m bench.ingest [--spans N] [--rounds N] [--phoenix PYTHON] [--million]
(PYTHON: of an environment in which arize-phoenix is installed; --install-phoenix makes one, it is large.)
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import islice
from pathlib import Path
from statistics import median

import psutil

from bench.generate import agent_bodies
from bench.report import MEASURED_CORE, SPARE_CORE, head, load, memory_mb, percentile, pin, say

CONNECTIONS = 4
MODEL_KINDS = "('llm', 'embedding', 'reranker')"
HEADERS = {"Content-Type": "application/x-protobuf"}


@dataclass(frozen=True)
class Server:
    """A collector under test: its process, its port, its file, and when all that was sent is in it."""

    process: subprocess.Popen[str]
    port: int
    db: Path
    settled: str
    """A query of the number of spans that are stored and, where the server has such a thing, indexed."""


@contextmanager
def tracetui(folder: Path) -> Iterator[Server]:
    db = folder / "traces.db"
    env = {**os.environ, "XDG_CONFIG_HOME": str(folder)}
    command = [sys.executable, "-m", "tracetui", "collect", "--json", "--http-port", "0", "--grpc-port", "0"]
    child = subprocess.Popen([*command, "--db", db], stdout=subprocess.PIPE, text=True, env=env)
    try:
        psutil.Process(child.pid).cpu_affinity([MEASURED_CORE])
        assert child.stdout is not None
        status = json.loads(read_document(child.stdout))
        # Spans of which a text still waits for full text do not count: they are seen in `todo` by the last text.
        settled = "select case when exists (select 1 from todo) then 0 else (select spans from counters) end"
        yield Server(child, status["ports"]["http"], db, settled)
    finally:
        child.terminate()
        child.wait(60)


def read_document(lines: Iterable[str]) -> str:
    text = ""
    for line in lines:
        text += line
        try:
            json.loads(text)
        except ValueError:
            continue
        return text
    raise RuntimeError(f"the collector ended: {text!r}")


@contextmanager
def phoenix(python: Path, folder: Path) -> Iterator[Server]:
    ports = [free_port(), free_port()]
    env = {
        **os.environ, "PHOENIX_WORKING_DIR": str(folder), "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(ports[0]), "PHOENIX_GRPC_PORT": str(ports[1]), "PHOENIX_TELEMETRY_ENABLED": "false",
    }  # fmt: skip
    log = (folder / "log").open("w")
    child = subprocess.Popen(
        [python.parent / "phoenix", "serve"], stdout=log, stderr=log, text=True, env=env, cwd=folder
    )
    try:
        psutil.Process(child.pid).cpu_affinity([MEASURED_CORE])
        wait_for_port(child, ports[0], folder / "log")
        yield Server(child, ports[0], folder / "phoenix.db", "select count(*) from spans")
    finally:
        child.terminate()
        child.wait(60)
        log.close()


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(child: subprocess.Popen[str], port: int, log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise RuntimeError(f"phoenix ended with {child.returncode}: {log.read_text()[-1500:]}")
        try:
            with closing(socket.create_connection(("127.0.0.1", port), 1)):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"phoenix did not listen within 3 minutes: {log.read_text()[-1500:]}")


def post(server: Server, bodies: Iterable[tuple[int, bytes]]) -> tuple[int, list[float]]:
    """Send all over four connections, again where the server asks for it. Spans acknowledged, and each wait in ms."""
    waiting, lock = iter(bodies), threading.Lock()
    acknowledged, waits = [0], []

    def send() -> None:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=300)
        while True:
            with lock:
                item = next(waiting, None)
            if item is None:
                return
            began = time.perf_counter()
            if not accepted(connection, item[1]):
                continue
            with lock:
                waits.append((time.perf_counter() - began) * 1e3)
                acknowledged[0] += item[0]

    threads = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return acknowledged[0], waits


def accepted(connection: HTTPConnection, body: bytes) -> bool:
    for attempt in range(600):
        try:
            connection.request("POST", "/v1/traces", body, HEADERS)
            response = connection.getresponse()
            response.read()
        except (HTTPException, OSError):
            connection.close()
        else:
            if response.status < 300:
                return True
            if response.status not in (429, 502, 503):
                return False
        time.sleep(min(0.05 * (attempt + 1), 1))
    return False


def stored(server: Server, wanted: int, patience_s: float = 60) -> int:
    """Wait until all is in the file, or nothing has come for a while."""
    seen, since = -1, time.monotonic()
    with closing(sqlite3.connect(f"file:{server.db}?mode=ro", uri=True, timeout=30)) as file:
        while seen < wanted and time.monotonic() - since < patience_s:
            now = int(file.execute(server.settled).fetchone()[0])
            if now != seen:
                seen, since = now, time.monotonic()
            if now < wanted:
                time.sleep(0.01)
    return seen


def measure(server: Server, bodies: list[tuple[int, bytes]], before: int) -> tuple[float, list[float], float]:
    """Seconds until all is stored, waits for the answers in ms, and the server's CPU seconds."""
    wanted = sum(size for size, _ in bodies)
    used = cpu_s(server)
    began = time.perf_counter()
    acknowledged, waits = post(server, bodies)
    assert acknowledged == wanted, f"{acknowledged} of {wanted} spans acknowledged"
    found = stored(server, before + wanted)
    took = time.perf_counter() - began
    assert found == before + wanted, f"{found} of {before + wanted} spans stored"
    return took, waits, cpu_s(server) - used


def cpu_s(server: Server) -> float:
    used = psutil.Process(server.process.pid).cpu_times()
    return float(used.user + used.system)


def recount(db: Path) -> None:
    """Sums of traces, sessions and rollups against the spans, and a word against full text."""
    span_sums = "count(*), sum(status = 'error'), sum(case when counted then input_tokens end)"
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as file:

        def one(sql: str) -> tuple[int, ...]:
            found: tuple[int, ...] = file.execute(sql).fetchone()
            return found

        spans = one(f"select {span_sums} from spans")
        assert spans[0] == one("select count(*) from bodies")[0]
        assert spans == one("select sum(span_count), sum(error_count), sum(input_tokens) from traces")
        assert spans == one("select sum(spans), sum(errors), sum(input_tokens) from rollups")
        calls = f"select sum(counted and kind in {MODEL_KINDS}) from spans"
        assert one(calls) == one("select sum(calls) from rollups")
        with_session = "where session_id is not null"
        trace_sums = "sum(span_count), sum(error_count), sum(input_tokens), sum(cost_nanousd)"
        assert one(f"select {trace_sums} from traces {with_session}") == one(f"select {trace_sums} from sessions")
        wrong = """select count(*) from traces t where t.span_count <>
            (select count(*) from spans s where s.trace_id = t.trace_id)"""
        assert one(wrong)[0] == 0
        assert one("select count(*) from search")[0] == one("select count(*) from texts")[0]
        text = str(file.execute("select text from texts where length(text) > 100 order by id desc").fetchone()[0])
        assert file.execute("select rowid from search where search match ?", [f'"{text.split()[0]}"']).fetchall()


def ours(spans: int, seed: int) -> float:
    with tempfile.TemporaryDirectory() as folder, tracetui(Path(folder)) as server:
        warm = list(agent_bodies(400, seed=seed + 1000))
        measure(server, warm, 0)
        bodies = list(agent_bodies(spans, seed=seed))
        took, waits, used = measure(server, bodies, 400)
        recount(server.db)
        size = sum(len(body) for _, body in bodies) / spans
        tell("tracetui", spans, took, waits, used, server, size)
    return spans / took


def theirs(python: Path, spans: int, seed: int) -> float:
    with tempfile.TemporaryDirectory() as folder, phoenix(python, Path(folder)) as server:
        warm = list(agent_bodies(400, seed=seed + 1000))
        measure(server, warm, 0)
        bodies = list(agent_bodies(spans, seed=seed))
        took, waits, used = measure(server, bodies, 400)
        tell("arize-phoenix", spans, took, waits, used, server, sum(len(body) for _, body in bodies) / spans)
    return spans / took


def tell(
    who: str, spans: int, took: float, waits: list[float], used: float, server: Server, size: float
) -> None:  # fmt: skip
    say(
        f"  {who}: {spans:,} spans of {size:,.0f} B: {spans / took:,.0f}/s ({took:.1f} s, {used / spans * 1e6:,.0f} us"
        f" CPU each, {spans / used:,.0f}/s of CPU), p50 {median(waits):.0f} p95 {percentile(waits, 0.95):.0f} ms,"
        f" peak {memory_mb(server.process.pid):.0f} MB; {load()}"
    )


def million(spans: int) -> None:
    """Memory over a long run. Bodies are made while it runs, so this says little about speed."""
    with tempfile.TemporaryDirectory() as folder, tracetui(Path(folder)) as server:
        at, began, sent = 0, time.perf_counter(), agent_bodies(spans, seed=99)
        step = max(spans // 10, 200)
        while at < spans:
            some = islice(sent, step // 200)
            at += post(server, some)[0]
            pid = server.process.pid
            say(
                f"  {at:,} spans after {time.perf_counter() - began:.0f} s: {memory_mb(pid, 'VmRSS'):.0f} MB,"
                f" peak {memory_mb(pid):.0f} MB, file {server.db.stat().st_size / 1e6:,.0f} MB"
            )
        assert stored(server, spans) == spans
        recount(server.db)
        say(f"  peak after {spans:,} spans: {memory_mb(server.process.pid):.0f} MB  (budget: 200); {load()}")


def install_phoenix(folder: Path) -> Path:
    """An environment of its own for arize-phoenix, with uv."""
    subprocess.run(["uv", "venv", "-q", folder / "venv"], check=True)
    python = folder / "venv/bin/python"
    subprocess.run(["uv", "pip", "install", "-q", "--python", python, "arize-phoenix"], check=True)
    return python


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ingest")
    parser.add_argument("--spans", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--phoenix", type=Path)
    parser.add_argument("--install-phoenix", action="store_true")
    parser.add_argument("--million", nargs="?", type=int, const=1_000_000)
    asked = parser.parse_args(arguments)
    head(__doc__)
    if not pin(SPARE_CORE):
        say("  one core only: the sender shares it with the collector")
    if asked.million:
        million(asked.million)
        return
    mine = [ours(asked.spans, seed) for seed in range(1, asked.rounds + 1)]
    say(f"  tracetui, median of {asked.rounds}: {median(mine):,.0f} spans/s  (budget: 8,000)")
    with tempfile.TemporaryDirectory() as folder:
        python = install_phoenix(Path(folder)) if asked.install_phoenix else asked.phoenix
        if python is None:
            say("  arize-phoenix: not asked for (--phoenix PYTHON or --install-phoenix)")
            return
        versions = [str(python), "-c", "from importlib.metadata import version as v; print(v('arize-phoenix'))"]
        say(f"  arize-phoenix {subprocess.run(versions, capture_output=True, text=True, check=True).stdout.strip()}")
        other = theirs(python, asked.spans, 1)
        say(f"  {median(mine) / other:.0f} times arize-phoenix  (budget: 40)")


if __name__ == "__main__":
    main()
