"""How much memory does a body take that is large, or small and made to be large?

Each is sent to a `tracetui collect` of its own: bodies of 58 MB in texts, as JSON and as protobuf, plain and packed;
then hostile ones, of millions of empty objects or messages in 260 KB of gzip. Then files, imported: a line of 300 MB, a
line of 60 MB of empty objects, one of a single text of 60 MB. Printed: the peak of the process, and what it said.
Budget: under 200 MB; refused within seconds what is hostile.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

from bench.report import figure, head, load, memory_mb, say
from bench.servers import tracetui
from collector.model import SpanPart
from collector.protocols import otlp

MB = 2**20
TRACE, START = "0af7651916cd43dd8448eb211c80319c", 1_795_000_000_000_000_000
PROTOBUF, JSON = otlp.PROTOBUF, otlp.JSON
IMPORTED = """
import sys
from pathlib import Path
from collector.importers import files
from collector.ingest import Ingest
from collector.settings import Settings
path, db = map(Path, sys.argv[1:])
with Ingest(db, Settings(db=db)) as ingest:
    for batch in files.read(path):
        ingest.write(batch)
    told = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    print(told[0].split()[1])
"""


def texts(size: int) -> list[SpanPart]:
    """Spans of ten texts of 5 KB, all of them new."""
    return [
        SpanPart(TRACE, f"{n + 1:016x}", at_ns=START, name="x", start_ns=START, end_ns=START + 1,
                 attributes={f"a{i}": f"{n} {i} word " * 500 for i in range(10)})
        for n in range(size // 56_000)
    ]  # fmt: skip


def framed(tag: int, body: bytes) -> bytes:
    """A field of protobuf that holds bytes."""
    size, length = len(body), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([tag]) + length + bytes([size]) + body


BODIES: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "texts in protobuf": (PROTOBUF, lambda size: otlp.encode_traces_protobuf(texts(size))),
    "texts in JSON": (JSON, lambda size: otlp.encode_traces(texts(size))),
    "resources that are {}": (JSON, lambda size: b'{"resourceSpans":[' + b"{}," * (size // 3) + b"{}]}"),
    "empty resources": (PROTOBUF, lambda size: b"\x0a\x00" * (size // 2)),
    "empty scopes": (PROTOBUF, lambda size: framed(0x0A, b"\x12\x00" * (size // 2))),
    "empty spans": (PROTOBUF, lambda size: framed(0x0A, framed(0x12, b"\x12\x00" * (size // 2)))),
}
LINES: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "a line of letters": (300, lambda size: b"x" * size),
    "a line of {}": (60, lambda size: b'{"resourceSpans":[' + b"{}," * (size // 3) + b"{}]}"),
    "a line of one text": (
        60,
        lambda size: otlp.encode_traces([
            SpanPart(TRACE, "1" * 16, at_ns=START, start_ns=START, end_ns=START, attributes={"a": "x" * size})
        ]),
    ),
}  # fmt: skip


def sent(name: str, size: int, packed: bool) -> None:
    kind, make = BODIES[name]
    body = make(size)
    headers = {"content-type": kind}
    if packed:
        body, headers["content-encoding"] = gzip.compress(body, 1), "gzip"
    with tempfile.TemporaryDirectory() as folder, tracetui(Path(folder), pinned=False) as server:
        began = time.perf_counter()
        connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
        connection.request("POST", "/v1/traces", body, headers)
        answer = connection.getresponse()
        answer.read()
        took = time.perf_counter() - began
        told = f"{answer.status} after {took:.1f} s, peak {memory_mb(server.process.pid):.0f} MB"
        figure(f"{name}, {size // MB} MB sent as {len(body) / 1000:,.0f} KB", told, "200 MB")


def imported(name: str, smaller: int) -> None:
    size, make = LINES[name]
    span = SpanPart(TRACE, "2" * 16, at_ns=START, start_ns=START, end_ns=START)
    one = otlp.encode_traces([span]).rstrip(b"\n") + b"\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.jsonl"
        path.write_bytes(one + make(size * MB // smaller).rstrip(b"\n") + b"\n" + one)
        # By way of a shell: a child's peak counts what its parent held when it forked.
        command = ["sh", "-c", 'exec "$@"', "-", sys.executable, "-c", IMPORTED, str(path), f"{folder}/traces.db"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        figure(f"{name} of {size // smaller} MB, imported", f"peak {json.loads(done.stdout) / 1024:.0f} MB")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench heavy")
    parser.add_argument("--smaller", type=int, default=20, help="divide all sizes by this [20]; 1 for RESULTS")
    smaller = parser.parse_args(argv).smaller
    head(__doc__)
    for name in BODIES:
        for packed in (False, True) if name.startswith("texts") else (True,):
            sent(name, 58 * MB // smaller, packed)
    for name in LINES:
        imported(name, smaller)
    say(f"  {load()}")


if __name__ == "__main__":
    main()
