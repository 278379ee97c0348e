"""Killing the collector under load, again and again, costs nothing that it acknowledged."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from random import Random

import pytest

from collector.protocols import otlp
from tests.builders import make_part, span_id, trace_id
from tests.proof.processes import listening, started, until
from tests.store.audit import audit

ROUNDS, SENDERS, SPANS_A_POST = 12, 3, 4
COLLECT = ("-m", "tracetui", "collect", "--json", "--http-port", "0", "--grpc-port", "0", "--db")


class Sender(threading.Thread):
    """Posts spans, one request after the other, until nobody answers. `acknowledged` holds what was answered 200."""

    def __init__(self, port: int, numbers: Iterator[int]) -> None:
        super().__init__()
        self.port = port
        self.numbers = numbers
        self.acknowledged: list[int] = []

    def run(self) -> None:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            try:
                while self.post(connection):
                    pass
            except (OSError, HTTPException):
                pass  # killed

    def post(self, connection: HTTPConnection) -> bool:
        mine = [next(self.numbers) for _ in range(SPANS_A_POST)]
        parts = [
            make_part(n, trace=trace_id(1 + n // 50), attributes={"said": f"the text of span {n}, and some more " * 20})
            for n in mine
        ]
        headers = {"content-type": "application/x-protobuf"}
        connection.request("POST", "/v1/traces", otlp.encode_traces_protobuf(parts), headers)
        with connection.getresponse() as answer:
            answer.read()
            if answer.status == 200:
                self.acknowledged += mine
            return answer.status == 200


def killed_under_load(child: subprocess.Popen[str], numbers: Iterator[int], when: Callable[[int], bool]) -> list[int]:
    """Load a collector until `when(acknowledged so far)`, kill it, and return what it acknowledged."""
    port = listening(child)["ports"]["http"]
    senders = [Sender(port, numbers) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    until(lambda: when(sum(len(sender.acknowledged) for sender in senders)))
    child.kill()
    child.wait()
    for sender in senders:
        sender.join(15)
    return [n for sender in senders for n in sender.acknowledged]


def stored(path: Path) -> set[str]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return {row[0] for row in connection.execute("select span_id from spans")}


@pytest.mark.slow
def test_every_acknowledged_span_survives_any_number_of_kills(tmp_path: Path) -> None:
    path, random, numbers = tmp_path / "traces.db", Random(11), count(1)
    acknowledged: list[int] = []
    for number in range(ROUNDS):
        enough = random.choice([0, 1, random.randint(10, 100), random.randint(100, 600)])
        with started(*COLLECT, str(path), cwd=tmp_path) as child:
            acknowledged += killed_under_load(child, numbers, lambda done, enough=enough: done >= enough)  # type: ignore[misc]
        missing = {span_id(n) for n in acknowledged} - stored(path)
        assert not missing, f"round {number} lost {len(missing)} of {len(acknowledged)}"
    assert len(acknowledged) > 200
    print(f"\n{ROUNDS} kills, {len(acknowledged)} spans acknowledged, {next(numbers) - 1} sent, none lost")
    fold(path)
    alone = tmp_path / "elsewhere.db"
    shutil.copy(path, alone)
    assert {span_id(n) for n in acknowledged} <= stored(alone)
    with closing(sqlite3.connect(alone)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    audit(alone)


def fold(path: Path) -> None:
    """`tracetui check --fold` makes one file of it, and says so."""
    wal = path.with_name("traces.db-wal")
    assert wal.stat().st_size > 0
    with started("-m", "tracetui", "check", str(path), "--fold", "--json", cwd=path.parent) as child:
        said, _ = child.communicate(timeout=20)
    assert (child.returncode, '"ok": true' in said) == (0, True)
    assert not wal.exists() or wal.stat().st_size == 0


def test_a_collector_started_after_a_kill_goes_on_and_ends_with_one_file(tmp_path: Path) -> None:
    path, numbers = tmp_path / "traces.db", count(1)
    with started(*COLLECT, str(path), cwd=tmp_path) as child:
        before = killed_under_load(child, numbers, lambda done: done >= 20)
    with started(*COLLECT, str(path), cwd=tmp_path) as child:
        sender = Sender(listening(child)["ports"]["http"], numbers)
        with closing(HTTPConnection("127.0.0.1", sender.port, timeout=10)) as connection:
            assert sender.post(connection)
        child.terminate()
        assert child.wait(10) == 0
    assert not path.with_name("traces.db-wal").exists()
    assert {span_id(n) for n in [*before, *sender.acknowledged]} <= stored(path)
    audit(path)
