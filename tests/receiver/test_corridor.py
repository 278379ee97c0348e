"""Under a load that lasts, full text keeps up."""

from __future__ import annotations

import asyncio
import threading
import weakref
from dataclasses import dataclass

import pytest

from collector.model import Batch, Receipt
from collector.receiver import corridor
from collector.receiver.corridor import WriteQueue
from tests.builders import make_part
from tests.receiver.running import MemoryIngest, until

GROUP = 600


@dataclass
class Behind(MemoryIngest):
    """Has a text to take in for every span, and takes in so many a round as the corridor reckons with."""

    waiting: int = 0
    most: int = 0

    def write(self, batch: Batch) -> Receipt:
        self.waiting += len(batch.parts)
        self.most = max(self.most, self.waiting)
        return super().write(batch)

    def chores(self) -> bool:
        self.waiting = max(0, self.waiting - corridor.SPANS_A_CHORE)
        return self.waiting > 0


def test_full_text_is_never_more_than_two_groups_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corridor, "BEHIND_S", -1.0)
    body = Batch("t", tuple(make_part(n) for n in range(1, GROUP + 1)))
    ingest = Behind()
    queue = WriteQueue(ingest, 1_000_000_000)
    try:
        asked = [queue.accept(bytes, lambda _: body, alone=True) for _ in range(100)]
        for one in asked:
            one.result(60)
    finally:
        queue.close()
    assert sum(len(batch.parts) for batch in ingest.batches) == 100 * GROUP
    assert ingest.most <= corridor.GROUP_SPANS + 2 * GROUP


class Forgetful(MemoryIngest):
    def write(self, batch: Batch) -> Receipt:
        return Receipt(len(batch.parts), len(batch.parts), 0, 0, 0)


class Text(str):
    """A text whose end can be seen."""

    __slots__ = ("__weakref__",)


def test_what_is_written_is_let_go_of_without_waiting_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corridor, "CHORES_S", 600.0)
    seen: list[weakref.ref[Text]] = []

    def decode(_: bytes) -> Batch:
        text = Text("long")
        seen.append(weakref.ref(text))
        return Batch("t", (make_part(1, attributes={"input.value": text}),))

    queue = WriteQueue(Forgetful(), 1_000_000)
    try:
        assert queue.accept(bytes, decode).result(60).stored == 1
        until(lambda: seen[0]() is None)
    finally:
        queue.close()


class Held(MemoryIngest):
    """Writes when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.writing, self.go = threading.Event(), threading.Event()

    def write(self, batch: Batch) -> Receipt:
        self.writing.set()
        assert self.go.wait(60)
        return super().write(batch)


async def test_who_stops_waiting_takes_no_writer_along() -> None:
    """As at the end of a collector whose last writes take longer than it waits for them."""
    ingest = Held()
    queue = WriteQueue(ingest, 1_000_000)
    try:
        first = asyncio.wrap_future(queue.accept(bytes, lambda _: Batch("t", (make_part(1),)), alone=True))
        second = queue.accept(bytes, lambda _: Batch("t", (make_part(2),)), alone=True)
        assert await asyncio.to_thread(ingest.writing.wait, 60)
        first.cancel()
        await asyncio.sleep(0)
        ingest.go.set()
        assert (await asyncio.wrap_future(second)).stored == 1
    finally:
        ingest.go.set()
        await asyncio.to_thread(queue.close)
    assert len(ingest.batches) == 2
