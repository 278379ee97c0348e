"""The servers under test, on loopback, each in its process and with a SQLite file of its own; and who sends to them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

from bench.report import MEASURED_CORE

CONNECTIONS = 4
CLOSING_S = 600  # whoever is told to end may still have much to index
HEADERS = {"Content-Type": "application/x-protobuf"}


@dataclass(frozen=True)
class Server:
    """A collector under test: its process, its port, its file, and when all that was sent is in it."""

    process: subprocess.Popen[str]
    port: int
    db: Path
    settled: str
    """A query of the number of spans that are stored and, where the server has such a thing, indexed."""

    progress: str
    """A query whose answer changes as long as it gets on with that."""


def alone(pid: int) -> None:
    """Give a server the measured core, where the system has such a call."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        psutil.Process(pid).cpu_affinity([MEASURED_CORE])


@contextmanager
def tracetui(folder: Path, *, pinned: bool = True, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    db = folder / "traces.db"
    env = {**os.environ, "XDG_CONFIG_HOME": str(folder), **(env or {})}
    command = [sys.executable, "-m", "tracetui", "collect", "--json", "--http-port", "0", "--grpc-port", "0"]
    child = subprocess.Popen([*command, "--db", db], stdout=subprocess.PIPE, text=True, env=env)
    try:
        if pinned:
            alone(child.pid)
        assert child.stdout is not None
        status = json.loads(read_document(child.stdout))
        # Spans of which a text still waits for full text do not count: they are seen in `todo` by the last text.
        settled = "select case when exists (select 1 from todo) then 0 else (select spans from counters) end"
        yield Server(child, status["ports"]["http"], db, settled, "select min(text_id) from todo")
    finally:
        child.terminate()
        child.wait(CLOSING_S)


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
    command = [str(python.absolute().parent / "phoenix"), "serve"]
    child = subprocess.Popen(command, stdout=log, stderr=log, text=True, env=env, cwd=folder)
    try:
        alone(child.pid)
        wait_for_port(child, ports[0], folder / "log")
        count = "select count(*) from spans"
        yield Server(child, ports[0], folder / "phoenix.db", count, count)
    finally:
        child.terminate()
        child.wait(CLOSING_S)
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
    seen, step, since = -1, None, time.monotonic()
    with closing(sqlite3.connect(f"file:{server.db}?mode=ro", uri=True, timeout=30)) as file:
        while seen < wanted and time.monotonic() - since < patience_s:
            before = seen, step
            seen = int(file.execute(server.settled).fetchone()[0])
            step = file.execute(server.progress).fetchone()[0]
            if (seen, step) != before:
                since = time.monotonic()
            if seen < wanted:
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


def phoenix_python(given: Path | None, folder: Path | None) -> Path | None:
    """The interpreter that has arize-phoenix: the one given, or of a new environment made in `folder`; or None."""
    if given is not None or folder is None:
        return given
    python = folder / "venv/bin/python"
    if uv := shutil.which("uv"):
        subprocess.run([uv, "venv", "-q", folder / "venv"], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", python, "arize-phoenix"], check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "arize-phoenix"], check=True)
    return python


def phoenix_version(python: Path) -> str:
    ask = "from importlib.metadata import version; print('arize-phoenix', version('arize-phoenix'))"
    return subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
