"""A receiver in a thread, with a memory in place of a file, and decoders that read a word a line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from collector.errors import DecodeError
from collector.model import Batch, Receipt, Refusal, SpanPart
from collector.receiver.decoding import Decoders
from collector.receiver.server import Receiver
from collector.receiver.status import Status
from collector.settings import Settings

DEADLINE_S = 10.0


@dataclass
class MemoryIngest:
    """Keeps what it is given. `before` runs in `write`, before anything is kept: to wait, or to fail."""

    batches: list[Batch] = field(default_factory=list)
    before: Callable[[Batch], None] = lambda batch: None
    closed: bool = False
    chores_done: int = 0

    def write(self, batch: Batch) -> Receipt:
        self.before(batch)
        self.batches.append(batch)
        rejected = sum(refusal.count for refusal in batch.refused)
        reasons = tuple(refusal.reason for refusal in batch.refused)
        return Receipt(len(batch.parts) + rejected, len(batch.parts), 0, 0, rejected, reasons)

    def chores(self) -> bool:
        self.chores_done += 1
        return False

    def close(self) -> None:
        self.closed = True

    @property
    def names(self) -> list[str | None]:
        return [part.name for batch in self.batches for part in batch.parts]


def decode_words(body: bytes, kind: str) -> Batch:
    """One span a word; "bad" is refused, "broken" is no body of ours, "deep" recurses for ever."""
    words = body.decode().split()
    if "broken" in words:
        raise DecodeError("not words")
    if "deep" in words:
        raise RecursionError
    good = tuple(SpanPart("a" * 32, f"{n:016x}", name=word) for n, word in enumerate(words) if word != "bad")
    refused = tuple(Refusal("a bad word", word) for word in words if word == "bad")
    return Batch("otlp-http", good, refused=refused)


def words_decoders(max_spans: int = 100) -> Decoders:
    decoders = Decoders(max_spans)
    decoders.__dict__["functions"] = dict.fromkeys(("traces", "logs", "native"), decode_words)
    return decoders


@dataclass
class Running:
    receiver: Receiver
    status: Status
    ingest: Any
    client: httpx.Client
    thread: threading.Thread

    def stop(self) -> None:
        self.receiver.stop()
        self.thread.join(DEADLINE_S)
        assert not self.thread.is_alive()


def settings_for(folder: Path, **changes: Any) -> Settings:
    db = folder / "traces.db"
    db.touch()
    return replace(Settings(db=db, http_port=0, grpc_port=0, max_spans=100), **changes)


@contextmanager
def running(
    settings: Settings, ingest: Any = None, *, decoders: Decoders | None = None, real: bool = False
) -> Iterator[Running]:
    """A receiver that listens. With `real` it writes its file through the real decoders."""
    ingest = ingest or MemoryIngest()
    seams: dict[str, Any] = {} if real else {"open_ingest": lambda _: ingest, "decoders": decoders or words_decoders()}
    receiver = Receiver(settings, **seams)
    ready = threading.Event()
    found: list[Status] = []

    def on_ready(status: Status) -> None:
        found.append(status)
        ready.set()

    thread = threading.Thread(target=lambda: receiver.run(on_ready=on_ready, signals=False))
    thread.start()
    assert ready.wait(DEADLINE_S)
    with httpx.Client(base_url=found[0].url, trust_env=False, timeout=DEADLINE_S) as client:
        one = Running(receiver, found[0], ingest, client, thread)
        try:
            yield one
        finally:
            client.close()
            one.stop()


def until(condition: Callable[[], Any]) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)
